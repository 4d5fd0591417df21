//! The fan-out: one line in, N lines out. Parlor, through one door or both, and the bare loop in
//! turns, so that all of them run under the same conditions.

use std::os::unix::fs::FileExt;
use std::time::Instant;

use super::bench::Bench;
use super::{contest, grid::Grid};
use crate::load::LoadPace;
use crate::report::ResultTable;
use crate::server::{LoadDoor, bare_loop};

/// Deliveries a second in the open loop: a third of what one core can do.
const DELIVERIES: f64 = 50_000.0;

/// The number of measurements of the disk.
const SYNCS: usize = 200;

/// Runs the grid.
pub(crate) fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let [named, other] = bench.parlor.pair()?;
    // The others are compared with the first one.
    let targets = match bench.parlor.door {
        LoadDoor::Lines => vec![bare_loop()?, named, other, bench.parlor.on_disk()?],
        LoadDoor::Ws => vec![named, other, bare_loop()?],
    };
    let on_its_core = |target| (target, vec![bench.cores.server]);
    let windows = bench.pick(vec![1, 64], vec![1, 64, 1024]);
    let closed = windows.into_iter().map(|window| LoadPace::Closed { window });
    let open = LoadPace::Open { deliveries: DELIVERIES };
    let grid = Grid {
        targets: targets.into_iter().map(on_its_core).collect(),
        load_core: bench.cores.load,
        listeners: bench.pick(vec![100, 1_000], vec![10, 100, 1_000, 10_000]),
        paces: closed.chain([open]).collect(),
        rounds: bench.pick(5, 7),
        seconds: bench.pick(0.5, 1.0),
    };
    bench.tables = contest::run("Fan-out", &grid)?;
    if bench.parlor.door == LoadDoor::Lines {
        bench.tables.push(disk()?);
    }
    Ok(())
}

/// The time of the disk itself for the smallest commit: Parlor does not cause this part of a line's
/// latency.
fn disk() -> anyhow::Result<ResultTable> {
    let file = tempfile::tempfile()?;
    let mut times = Vec::with_capacity(SYNCS);
    for number in 0..SYNCS {
        let start = Instant::now();
        file.write_all_at(&[b'x'; 4096], 4096 * number as u64)?;
        file.sync_data()?;
        times.push(start.elapsed());
    }
    times.sort();
    let mut table = ResultTable::new(
        "The disk",
        "How long one write of 4 KiB at the end of a file and one fdatasync take, in microseconds: a line that is \
         stored on disk waits at least as long.",
        "p50 | p99",
    );
    let microseconds = |rank: usize| times.get(rank).map(|time| time.as_secs_f64() * 1e6).into();
    table.row([microseconds(SYNCS / 2), microseconds(SYNCS * 99 / 100)]);
    Ok(table)
}
