//! The fan-out: one line in, N lines out. Parlor, through one door or both, and the bare loop in turns, so that all meet the
//! same machine.

use std::os::unix::fs::FileExt;
use std::time::Instant;

use crate::contest::{Contest, Load, Versus};
use crate::doors::{Door, Parlor};
use crate::machine::Places;
use crate::table::Table;
use crate::target::Target;

/// Deliveries a second in the open loop: a third of what one core can do.
const OPEN_RATE: f64 = 50_000.0;

/// So often the disk is asked how long it takes.
const SYNCS: usize = 200;

/// Runs the grid.
pub(crate) fn run(quick: bool, parlor: Parlor<'_>, places: Places) -> anyhow::Result<Vec<Table>> {
    let mut targets = vec![Target::bare()?];
    targets.extend(parlor.pair()?);
    if parlor.door == Door::Lines {
        targets.push(parlor.on_disk()?);
    }
    let windows: &[usize] = if quick { &[1, 64] } else { &[1, 64, 1024] };
    let mut loads: Vec<Load> = windows
        .iter()
        .map(|&window| Load::Closed { window })
        .collect();
    loads.push(Load::Open {
        deliveries: OPEN_RATE,
    });
    let contest = Contest {
        targets,
        listeners: if quick {
            vec![100, 1_000]
        } else {
            vec![10, 100, 1_000, 10_000]
        },
        loads,
        rounds: if quick { 5 } else { 7 },
        seconds: if quick { 0.5 } else { 1.0 },
        places,
        versus: (parlor.door == Door::Ws).then_some(Versus {
            one: "parlor ws",
            other: "parlor named",
        }),
    };
    let mut tables = contest.run("Fan-out", "bare loop")?;
    if parlor.door == Door::Lines {
        tables.push(disk()?);
    }
    Ok(tables)
}

/// What the disk itself takes for what a commit does at the least: how much of the latency of a line is not Parlor's.
fn disk() -> anyhow::Result<Table> {
    let file = tempfile::tempfile()?;
    let mut times = Vec::with_capacity(SYNCS);
    for number in 0..SYNCS {
        let start = Instant::now();
        file.write_all_at(&[b'x'; 4096], 4096 * number as u64)?;
        file.sync_data()?;
        times.push(start.elapsed());
    }
    times.sort();
    let mut table = Table::new(
        "The disk",
        "What one write of 4 KiB at the end of a file and one fdatasync take, in microseconds: a line that is kept on disk waits for no less.",
        ["p50", "p99"],
    );
    let microseconds = |rank: usize| times.get(rank).map(|time| time.as_secs_f64() * 1e6);
    table.row([
        microseconds(SYNCS / 2).into(),
        microseconds(SYNCS * 99 / 100).into(),
    ]);
    Ok(table)
}
