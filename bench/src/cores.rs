//! Cores: how much more a server does that may use all of them.

use crate::contest::{median, validity};
use crate::doors::Parlor;
use crate::load::Sample;
use crate::machine::{Places, cores};
use crate::progress::progress;
use crate::table::Table;
use crate::worker::{Order, Worker};

const SPEAKERS: usize = 4;

const LISTENERS: usize = 1_000;

/// Lines said at once.
const BURSTS: [usize; 2] = [64, 1];

/// Runs the scene.
pub(crate) fn run(quick: bool, parlor: Parlor<'_>, places: Places) -> anyhow::Result<Vec<Table>> {
    let target = parlor.named()?;
    let all = cores();
    let mut workers = Vec::new();
    for allowed in [&[places.server], all.as_slice()] {
        progress(format_args!(
            "a server on cores {allowed:?}, {LISTENERS} listeners"
        ));
        workers.push(Worker::start(
            &target,
            allowed,
            places.load,
            LISTENERS,
            SPEAKERS,
        )?);
    }
    let (rounds, seconds) = if quick { (5, 1.0) } else { (11, 1.5) };
    let mut table = table(all.len());
    table.note += parlor.note();
    for lines in BURSTS {
        progress(format_args!("bursts of {lines}"));
        let mut turns = vec![Vec::new(); workers.len()];
        for _ in 0..rounds {
            for (worker, samples) in workers.iter_mut().zip(&mut turns) {
                samples.push(worker.run(Order::Bursts { lines, seconds })?);
            }
        }
        let basis = turns
            .first()
            .map(|samples| median(samples.iter().map(Sample::rate)));
        for (allowed, samples) in [1, all.len()].into_iter().zip(&turns) {
            tell(lines, allowed, samples, basis, &mut table);
        }
    }
    Ok(vec![table])
}

fn table(cores: usize) -> Table {
    Table::new(
        "One core and all",
        &format!(
            "The same server on one core, and on all {cores} of this machine, in turns; {LISTENERS} listeners, lines at once as in the first column, \
             and the time until all listeners have them. The load, which always runs on the last core, only looks how much has come to \
             them, and reads it in between. Shares are of one core. Medians of turns; the ratio is of deliveries a second."
        ),
        [
            "lines at once",
            "server's cores",
            "deliveries/s",
            "ratio",
            "ns/delivery",
            "server %",
            "load %",
            "valid",
        ],
    )
}

fn tell(lines: usize, allowed: usize, samples: &[Sample], basis: Option<f64>, table: &mut Table) {
    let of = |figure: fn(&Sample) -> f64| median(samples.iter().map(figure));
    table.row([
        format!("{lines}").into(),
        format!("{allowed}").into(),
        of(Sample::rate).into(),
        basis.map(|basis| of(Sample::rate) / basis).into(),
        of(Sample::cost).into(),
        (of(Sample::server_share) * 100.0).into(),
        (of(Sample::load_share) * 100.0).into(),
        validity(of(Sample::load_share), of(Sample::server_share)),
    ]);
}
