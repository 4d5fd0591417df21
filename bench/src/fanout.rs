//! The fan-out: one line in, N lines out. Parlor and the bare loop in turns, so that both meet the same machine.

use crate::contest::{Contest, Load};
use crate::machine::Places;
use crate::table::Table;
use crate::target::Target;

/// Deliveries a second in the open loop: a third of what one core can do.
const OPEN_RATE: f64 = 50_000.0;

/// Runs the grid.
pub(crate) fn run(quick: bool, parlor: Option<&str>, places: Places) -> anyhow::Result<Vec<Table>> {
    let targets = vec![
        Target::bare()?,
        Target::named(parlor)?,
        Target::classic(parlor)?,
    ];
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
    };
    contest.run("Fan-out", "bare loop")
}
