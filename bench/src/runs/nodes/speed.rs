//! Lines a second that the order takes, the time until speakers read their own lines, and the bytes
//! between nodes for each line.

use std::path::Path;
use std::time::Duration;

use super::house::{MeasuredHouse, Usage};
use crate::load::{Load, Sample};
use crate::report::{Cell, ResultTable};
use crate::runs::bench::{Bench, progress};
use crate::runs::figures::add_row;
use crate::server::{NatsSync, NodePlace};

/// People who speak and read, on all nodes together: few, so that not the fan-out is measured.
const SPEAKERS: usize = 12;

/// Lines on their way at once.
const WINDOWS: [usize; 3] = [1, 64, 1024];

/// The houses: nodes, servers of NATS, and when these sync.
const HOUSES: [([usize; 2], NatsSync); 6] = [
    ([1, 1], NatsSync::Always),
    ([3, 1], NatsSync::Always),
    ([1, 3], NatsSync::Always),
    ([3, 3], NatsSync::Always),
    ([3, 1], NatsSync::Later),
    ([3, 3], NatsSync::Later),
];

/// Measures servers without others, and each house.
pub(super) fn run(bench: &mut Bench, nats: &Path) -> anyhow::Result<()> {
    let mut tables = [speed(bench.parlor.note()), bytes()];
    let alone = bench.parlor.written(NodePlace::Alone);
    for (target, sync) in [(bench.parlor.on_disk(), "each batch"), (alone, "never")] {
        progress(format_args!("a server alone, sync: {sync}"));
        let server = target.start(&bench.cores.all)?;
        let mut load = Load::fill_all(vec![server], target.protocol, [0, SPEAKERS])?;
        for window in WINDOWS {
            let sample = speak(bench, &mut load, window)?;
            let first = ["alone".into(), sync.into(), window.into(), Cell::Null];
            add_row(&mut tables[0], first, &Ok(vec![sample]), None);
        }
    }
    for (size, sync) in HOUSES {
        measure(bench, nats, (size, sync), &mut tables)?;
    }
    bench.tables.extend(tables);
    Ok(())
}

/// Measures one house, and adds its rows.
fn measure(
    bench: &Bench,
    nats: &Path,
    ([nodes, servers], sync): ([usize; 2], NatsSync),
    [speed, bytes]: &mut [ResultTable; 2],
) -> anyhow::Result<()> {
    let name = format!("{} of Parlor, {} of NATS", nodes, servers);
    progress(format_args!("{name}, sync: {}", sync.name()));
    let house = MeasuredHouse::new(bench, nats, [servers, nodes], sync)?;
    let mut load = Load::fill_all(house.start_all()?, house.protocol(), [0, SPEAKERS])?;
    for window in WINDOWS {
        let (said, before) = (load.said(), Usage::of(&house.cluster)?);
        let sample = speak(bench, &mut load, window)?;
        let used = Usage::of(&house.cluster)?.since(&before);
        let lines = f64::from(load.said() - said);
        let first: [Cell; 3] = [name.as_str().into(), sync.name().into(), window.into()];
        let [house, sync, window] = first.clone();
        let nats_cost = used.nats_cpu * 1e6 / lines;
        add_row(speed, [house, sync, window, nats_cost.into()], &Ok(vec![sample]), None);
        let [house, sync, window] = first;
        let of_line = |figure: f64| Cell::from(figure / lines);
        bytes.row([
            house,
            sync,
            window,
            (lines / used.counts.messages).into(),
            of_line(used.counts.bytes),
            of_line(used.counts.received),
            of_line(used.counts.sent),
        ]);
    }
    Ok(())
}

/// Keeps lines on their way for a while.
fn speak(bench: &Bench, load: &mut Load, window: usize) -> anyhow::Result<Sample> {
    load.closed(window, Duration::from_secs(bench.pick(1, 5)))
}

fn speed(note: &str) -> ResultTable {
    ResultTable::new(
        "Lines a second, and until a speaker reads the own line",
        format!(
            "{SPEAKERS} people, spread over the nodes, say lines of 64 bytes in one room and read everything; W lines are \
             on their way at once, and a line is done when its own speaker has read it, which is the time that is \
             measured. Servers, nodes and the load share the cores of this machine, so three nodes have no more cores \
             than one, and the figures are those of a whole house on one machine. Sync: when a server of NATS, or the \
             server alone, syncs to disk. CPU is that of all servers of Parlor for each line, and apart that of all \
             servers of NATS.{note}"
        ),
        "house | sync | W | NATS, us/line | CPU, us/line | lines/s | p50, us | p99, us | load % | waiting % | valid",
    )
}

fn bytes() -> ResultTable {
    ResultTable::new(
        "Bytes between nodes",
        "For each line of 64 bytes in the runs above. A message of the stream is a proposal: what waited on a node while \
         the one before was on its way. Stored: the bytes of the stream, in each of its copies. Received and sent: the \
         traffic of all servers of NATS with nodes and with each other.",
        "house | sync | W | lines/message | stored, bytes/line | received, bytes/line | sent, bytes/line",
    )
}
