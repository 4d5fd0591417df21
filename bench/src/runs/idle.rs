//! Memory: the size of an idle connection, and of a line in the log of a room.

use super::bench::{Bench, progress};
use crate::load::Role;
use crate::machine::mebibytes;
use crate::report::{ResultTable, YES};
use crate::server::Target;

/// The number of clients that come before the load waits for them: in classic mode each arrival is
/// announced to everybody.
const AT_ONCE: usize = 500;

/// Lines said before the memory for lines is measured, so that buffers have their final sizes.
const WARM_UP_LINES: u32 = 1_000;

/// Together with the lines before, nearly as many as the log of a room has (16,384).
const KEPT_LINES: u32 = 15_000;

/// Many more than the log of a room has: memory must not grow with them.
const FORGOTTEN_LINES: u32 = 100_000;

/// Runs both scenarios.
pub(crate) fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let targets = bench.parlor.pair();
    let mut connections = ResultTable::new(
        "Memory for an idle connection",
        "Resident memory of the server with n connections in one room, minus that with two, divided by n; and beside it \
         the same for the connections since the row above. The kernel's memory for a socket is not included. In classic \
         mode and with IRC the log of the room is full of arrivals.",
        "server | n | resident, MiB | bytes/connection | bytes, since above | valid",
    );
    let mut lines = ResultTable::new(
        "Memory for a line",
        "Resident memory of the server while one person says lines of 64 bytes to another: first as many as the log of \
         the room has, then many more, with which it must not grow.",
        "server | lines | resident, MiB | grown by, MiB | bytes/line | valid",
    );
    for target in &targets {
        fill_a_room(bench, target, &mut connections)?;
    }
    for target in &targets {
        fill_a_log(bench, target, &mut lines)?;
    }
    bench.tables = vec![connections, lines];
    Ok(())
}

fn fill_a_room(bench: &Bench, target: &Target, table: &mut ResultTable) -> anyhow::Result<()> {
    let mut load = bench.fill(target, [1, 1])?;
    let before = load.resident()?;
    let (mut people, mut memory) = (0, before);
    for size in bench.pick(vec![1_000, 5_000], vec![1_000, 10_000, 19_000]) {
        progress(format_args!("{}: {size} connections", target.name));
        let (people_above, memory_above) = (people, memory);
        while people < size {
            let more = AT_ONCE.min(size - people);
            load.add_all(Role::Listener, more)?;
            load.settle()?;
            people += more;
        }
        memory = load.resident()?;
        table.row([
            target.name.as_str().into(),
            size.into(),
            mebibytes(memory).into(),
            ((memory - before) / size as f64).into(),
            ((memory - memory_above) / (people - people_above) as f64).into(),
            YES.into(),
        ]);
    }
    Ok(())
}

fn fill_a_log(bench: &Bench, target: &Target, table: &mut ResultTable) -> anyhow::Result<()> {
    progress(format_args!("{}: lines", target.name));
    let mut load = bench.fill(target, [1, 1])?;
    load.say_lines(WARM_UP_LINES, 64)?;
    for (lines, are_kept) in [(KEPT_LINES, true), (FORGOTTEN_LINES, false)] {
        let before = load.resident()?;
        load.say_lines(lines, 64)?;
        let memory = load.resident()?;
        let each = (memory - before) / f64::from(lines);
        table.row([
            target.name.as_str().into(),
            format!("{lines} {}", if are_kept { "kept" } else { "more" }).into(),
            mebibytes(memory).into(),
            mebibytes(memory - before).into(),
            are_kept.then_some(each).into(),
            YES.into(),
        ]);
    }
    Ok(())
}
