//! Memory: what an idle connection takes, and what a line that a room keeps.

use crate::doors::Parlor;
use crate::load::{Load, Role};
use crate::machine::{Places, mebibytes, resident};
use crate::progress::progress;
use crate::table::{Cell, Table};
use crate::target::{Server, Target};

/// So many come before the load waits for them: in classic mode every arrival is told to all.
const AT_ONCE: usize = 500;

/// Lines said before the memory for lines is looked at, so that buffers have their sizes.
const WARM_UP_LINES: u32 = 1_000;

/// Together with those before, nearly as many as a room keeps (16,384).
const KEPT_LINES: u32 = 15_000;

/// Many more than a room keeps: memory must not grow with them.
const FORGOTTEN_LINES: u32 = 100_000;

/// Runs both scenes.
pub(crate) fn run(quick: bool, parlor: Parlor<'_>, places: Places) -> anyhow::Result<Vec<Table>> {
    let sizes: &[usize] = if quick {
        &[1_000, 5_000]
    } else {
        &[1_000, 10_000, 19_000]
    };
    let targets = parlor.pair()?;
    let mut connections = connections_table();
    for target in &targets {
        fill_a_room(target, sizes, places, &mut connections)?;
    }
    let mut lines = lines_table();
    for target in &targets {
        fill_a_log(target, places, &mut lines)?;
    }
    Ok(vec![connections, lines])
}

fn connections_table() -> Table {
    Table::new(
        "Memory for an idle connection",
        "Resident memory of the server with n connections in one room, less that with two, divided by n; and, beside it, the same for those \
         who came since the row above. What the kernel keeps for a socket is not in it. In classic mode the room's log has filled with arrivals.",
        [
            "server",
            "n",
            "resident, MiB",
            "bytes/connection",
            "bytes, since above",
            "valid",
        ],
    )
}

/// A room with one who speaks and one who listens.
fn begin(target: &Target, places: Places) -> anyhow::Result<(Server, Load)> {
    let server = target.start(&[places.server])?;
    let mut load = Load::new(server.address, target.dialect)?;
    load.add(Role::Speaker)?;
    load.add(Role::Listener)?;
    load.settle()?;
    Ok((server, load))
}

fn fill_a_room(
    target: &Target,
    sizes: &[usize],
    places: Places,
    table: &mut Table,
) -> anyhow::Result<()> {
    let (server, mut load) = begin(target, places)?;
    let before = resident(server.process())?;
    let (mut people, mut memory) = (0, before);
    for &size in sizes {
        progress(format_args!("{}: {size} connections", target.name));
        let (people_above, memory_above) = (people, memory);
        while people < size {
            for _ in 0..AT_ONCE.min(size - people) {
                load.add(Role::Listener)?;
                people += 1;
            }
            load.settle()?;
        }
        memory = resident(server.process())?;
        table.row([
            target.name.as_str().into(),
            (size as f64).into(),
            mebibytes(memory).into(),
            ((memory - before) / size as f64).into(),
            ((memory - memory_above) / (people - people_above) as f64).into(),
            "yes".into(),
        ]);
    }
    Ok(())
}

fn lines_table() -> Table {
    Table::new(
        "Memory for a line",
        "Resident memory of the server while one person says lines of 64 bytes to one other: first as many as the room keeps, then many \
         more, with which it must not grow.",
        [
            "server",
            "lines",
            "resident, MiB",
            "grown by, MiB",
            "bytes/line",
            "valid",
        ],
    )
}

fn fill_a_log(target: &Target, places: Places, table: &mut Table) -> anyhow::Result<()> {
    progress(format_args!("{}: lines", target.name));
    let (server, mut load) = begin(target, places)?;
    load.say_lines(WARM_UP_LINES, 64)?;
    for (lines, are_kept) in [(KEPT_LINES, true), (FORGOTTEN_LINES, false)] {
        let before = resident(server.process())?;
        load.say_lines(lines, 64)?;
        let memory = resident(server.process())?;
        let each = (memory - before) / f64::from(lines);
        table.row([
            target.name.as_str().into(),
            format!("{lines} {}", if are_kept { "kept" } else { "more" }).into(),
            mebibytes(memory).into(),
            mebibytes(memory - before).into(),
            are_kept.then_some(each).map_or(Cell::Empty, Cell::from),
            "yes".into(),
        ]);
    }
    Ok(())
}
