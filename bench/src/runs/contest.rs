//! The tables of scenarios that compare servers: what a delivery costs each of them, and how long it
//! takes.

use super::grid::{Grid, SPEAKERS};
use super::sheet::{
    COST, COST_RATIO, Column, LOAD, P50_US, P90_US, P99_RATIO, P99_US, P999_US, RATE, RESIDENT,
    SERVER, Sheet, VALID,
};
use crate::report::{Cell, Chart, ResultTable};

const COSTS: [Column; 7] = [COST, COST_RATIO, RATE, SERVER, LOAD, RESIDENT, VALID];

const LATENCIES: [Column; 5] = [P50_US, P90_US, P99_US, P999_US, P99_RATIO];

const PAIRS: [Column; 5] = [COST, COST_RATIO, P99_US, P99_RATIO, VALID];

/// Runs the grid. Ratios are to its first server. With `with_pair`, the last two servers are also
/// compared with each other.
pub(super) fn run(title: &str, grid: &Grid, with_pair: bool) -> anyhow::Result<Vec<ResultTable>> {
    let names: Vec<&str> = grid.names().collect();
    let [reference, .., other, one] = names[..] else {
        anyhow::bail!("fewer than three servers are no contest");
    };
    let (mut costs, mut latencies) = (costs(title, reference), latencies());
    let mut pairs = pairs(one, other);
    for point in grid.run() {
        let head = || [Cell::from(point.listeners), point.pace.name().into()];
        for (&name, turns) in names.iter().zip(&point.turns) {
            let [listeners, pace] = head();
            let first = [listeners, pace, name.into()];
            costs.add(first.clone(), turns, point.turns.first());
            if turns.is_ok() {
                latencies.add(first, turns, point.turns.first());
            }
        }
        if let [.., other, one] = &point.turns[..] {
            pairs.add(head(), one, Some(other));
        }
    }
    let pairs = with_pair.then_some(pairs);
    let sheets = [costs, latencies].into_iter().chain(pairs);
    Ok(sheets.map(|sheet| sheet.table).collect())
}

fn costs(title: &str, reference: &str) -> Sheet {
    let mut sheet = Sheet::new(
        &format!("{title}: CPU for each delivery"),
        format!(
            "User and system time of the server for each line that a client received. N listeners and {SPEAKERS} \
             speakers; lines of 64 bytes. W lines are on their way at once, and a line is done when all N have it. \
             Figures are medians of turns; the ratio is to the {reference}, a median over rounds. If the load was \
             busier than 90 % of its core and busier than the server, it was the bottleneck: the figure is not valid, \
             and there is no ratio to it. The same if neither was busy in the closed loop: then the server made its \
             clients wait."
        ),
        "N | load | server",
        &COSTS,
    );
    sheet.table.chart = Some(Chart {
        group: vec![0, 1],
        series: 2,
        value: 3,
    });
    sheet
}

fn latencies() -> Sheet {
    Sheet::new(
        "Time until a listener has a line",
        "Over all listeners and lines; medians of turns and of rounds, as above. In the closed loop it grows with N and \
         W by nature, as one line is written N times; in the open loop it counts from the moment a line was due.",
        "N | load | server",
        &LATENCIES,
    )
}

fn pairs(one: &str, other: &str) -> Sheet {
    Sheet::new(
        &format!("{one} beside {other}"),
        format!("The figures of {one} again. Here the ratios are to {other}, medians over rounds."),
        "N | load",
        &PAIRS,
    )
}
