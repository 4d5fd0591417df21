//! The fan-out: one line in, N lines out. Parlor, through one door or both, and bare loops in turns,
//! so that all of them run under the same conditions.

use std::os::unix::fs::FileExt;
use std::time::Instant;

use hdrhistogram::Histogram;

use super::bench::Bench;
use super::grid::{DELIVERIES, Entrant, Grid};
use crate::load::LoadPace;
use crate::report::ResultTable;
use crate::server::{BareLoop, LoadDoor};

/// The number of measurements of the disk.
const SYNCS: u64 = 200;

/// Runs the grid.
pub(crate) fn run(bench: &mut Bench, bare: BareLoop) -> anyhow::Result<()> {
    let entrants = entrants(bench, bare)?;
    let mut reference = format!("the {}{}", entrants[0].target.name, bench.bare_loop_note());
    if bare == BareLoop::Synced {
        reference += ", of Parlor on disk to the bare loop synced";
    }
    let windows = bench.pick(vec![1, 64], vec![1, 64, 1024]);
    let closed = windows.into_iter().map(|window| LoadPace::Closed { window });
    let open = LoadPace::Open { deliveries: DELIVERIES };
    let grid = Grid {
        entrants,
        listeners: bench.pick(vec![100, 1_000], vec![10, 100, 1_000, 10_000]),
        paces: closed.chain([open]).collect(),
        rounds: bench.pick(5, 7),
        seconds: bench.pick(0.5, 1.0),
    };
    bench.tables = grid.compare("Fan-out", &reference);
    if bare == BareLoop::Synced || bench.parlor.door == LoadDoor::Lines {
        bench.tables.push(disk()?);
    }
    Ok(())
}

/// The servers. Ratios are to the first one, but of Parlor on disk to the synced loop if there is
/// one.
fn entrants(bench: &Bench, bare: BareLoop) -> anyhow::Result<Vec<Entrant>> {
    let plain = bench.bare_loop(BareLoop::Plain)?;
    let [named, other] = bench.parlor.pair();
    let in_memory = match bench.parlor.door {
        LoadDoor::Lines => [plain, named, other],
        LoadDoor::Ws | LoadDoor::Tls | LoadDoor::Https => [named, other, plain],
        LoadDoor::Irc => [plain, other, named],
    };
    let (on_disk, reference) = match (bare, bench.parlor.door) {
        (BareLoop::Synced, _) => {
            (vec![bench.bare_loop(bare)?, bench.parlor.on_disk()], in_memory.len())
        }
        (BareLoop::Plain, LoadDoor::Lines) => (vec![bench.parlor.on_disk()], 0),
        (BareLoop::Plain, _) => (Vec::new(), 0),
    };
    let cores = [bench.cores.server];
    let entrant = |target, reference| Entrant { target, cores: cores.into(), reference };
    let in_memory = in_memory.map(|target| entrant(target, 0)).into_iter();
    let on_disk = on_disk.into_iter().map(|target| entrant(target, reference));
    Ok(in_memory.chain(on_disk).collect())
}

/// The time of the disk itself for the smallest commit: Parlor does not cause this part of a line's
/// latency.
fn disk() -> anyhow::Result<ResultTable> {
    let file = tempfile::tempfile()?;
    let mut times: Histogram<u64> = Histogram::new(3)?;
    for number in 0..SYNCS {
        let start = Instant::now();
        file.write_all_at(&[b'x'; 4096], 4096 * number)?;
        file.sync_data()?;
        times.record(start.elapsed().as_nanos() as u64)?;
    }
    let mut table = ResultTable::new(
        "The disk",
        "How long one write of 4 KiB at the end of a file and one fdatasync take, in microseconds: a line that is \
         stored on disk waits at least as long.",
        "p50 | p99",
    );
    table.row([50.0, 99.0].map(|rank| (times.value_at_percentile(rank) as f64 / 1e3).into()));
    Ok(table)
}
