//! The tables of scenarios that compare servers: the cost and the latency of a delivery in each.

use super::figures::add_row;
use super::grid::{Grid, SPEAKERS};
use crate::report::{Cell, Chart, ResultTable};

/// Runs the grid. `reference` says which server the ratios are to.
pub(super) fn run(title: &str, reference: &str, grid: &Grid) -> Vec<ResultTable> {
    let (mut costs, mut latencies) = (costs(title, reference), latencies());
    grid.run(|row| {
        let name = row.entrant.target.name.as_str();
        let first = [Cell::from(row.listeners), row.pace.name().into(), name.into()];
        add_row(&mut costs, first.clone(), row.turns, row.reference);
        if row.turns.is_ok() {
            add_row(&mut latencies, first, row.turns, row.reference);
        }
    });
    vec![costs, latencies]
}

fn costs(title: &str, reference: &str) -> ResultTable {
    let mut table = ResultTable::new(
        &format!("{title}: CPU for each delivery"),
        format!(
            "User and system time of the server for each line that a client received. N listeners and {SPEAKERS} \
             speakers; lines of 64 bytes. W lines are on their way at once, and a line is done when all N have it. \
             Figures are medians of turns; the ratio is to {reference}, a median over rounds. If the load was \
             busier than 90 % of its core and busier than the server, it was the bottleneck: the figure is not valid, \
             and there is no ratio to it. The same if neither was busy in the closed loop: then the server made its \
             clients wait."
        ),
        "N | load | server | ns/delivery | ratio | deliveries/s | server % | load % | resident, MiB | valid",
    );
    table.chart = Some(Chart { group: vec![0, 1], series: 2, value: 3 });
    table
}

fn latencies() -> ResultTable {
    ResultTable::new(
        "Time until a listener has a line",
        "Over all listeners and lines; medians of turns and of rounds, as above. In the closed loop it grows with N and \
         W by nature, as one line is written N times; in the open loop it counts from the moment a line was due.",
        "N | load | server | p50, us | p90, us | p99, us | p99.9, us | p99 ratio",
    )
}
