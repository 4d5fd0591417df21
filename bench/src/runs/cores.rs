//! Cores: the speed of a server on one core, and on all.

use anyhow::ensure;

use super::bench::Bench;
use super::figures::add_row;
use super::grid::{Entrant, Grid, SPEAKERS};
use crate::load::LoadPace;
use crate::report::ResultTable;

const LISTENERS: usize = 1_000;

/// Lines said at once.
const BURSTS: [usize; 2] = [64, 1];

/// Runs the scenario.
pub(crate) fn run(bench: &mut Bench) -> anyhow::Result<()> {
    // The load knows how many bytes the lines have; how many records they are in, it does not.
    ensure!(!bench.parlor.door.is_encrypted(), "cores are not measured at doors with TLS");
    let cores = [vec![bench.cores.server], bench.cores.all.clone()];
    let target = bench.parlor.named();
    let grid = Grid {
        entrants: cores.map(|cores| Entrant { target: target.clone(), cores, reference: 0 }).into(),
        listeners: vec![LISTENERS],
        paces: BURSTS.map(|lines| LoadPace::Bursts { lines }).to_vec(),
        rounds: bench.pick(5, 11),
        seconds: bench.pick(1.0, 1.5),
    };
    let mut table = table(bench.cores.all.len(), bench.parlor.note());
    grid.run(|row| {
        let cores = row.entrant.cores.len().to_string();
        let first = [row.pace.name().into(), cores.into()];
        add_row(&mut table, first, row.turns, row.reference);
    });
    bench.tables = vec![table];
    Ok(())
}

fn table(cores: usize, note: &str) -> ResultTable {
    ResultTable::new(
        "One core and all",
        format!(
            "The same server on one core, and on all {cores} of this machine, in turns; {LISTENERS} listeners and \
             {SPEAKERS} speakers, lines at once as in the first column, and the time until all listeners have them. The \
             load, which always runs on the last core, only looks how much they could read, and reads it in between. \
             Shares are of one core. Figures are medians of turns; the ratio is of deliveries a second, to one core, a \
             median over rounds.{note}"
        ),
        "lines at once | server's cores | deliveries/s | rate ratio | ns/delivery | server % | load % | valid",
    )
}
