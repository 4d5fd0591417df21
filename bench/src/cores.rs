//! Cores: how much more a server does that may use all of them.

use crate::contest::{median, validity};
use crate::load::Sample;
use crate::machine::{Places, cores};
use crate::progress::progress;
use crate::table::Table;
use crate::target::Target;
use crate::worker::{Order, Worker};

const SPEAKERS: usize = 4;

const LISTENERS: usize = 1_000;

/// Lines under way at once.
const WINDOWS: [usize; 2] = [64, 1];

/// Runs the scene.
pub(crate) fn run(quick: bool, parlor: Option<&str>, places: Places) -> anyhow::Result<Vec<Table>> {
    let target = Target::named(parlor)?;
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
    for window in WINDOWS {
        progress(format_args!("W = {window}"));
        let mut turns = vec![Vec::new(); workers.len()];
        for _ in 0..rounds {
            for (worker, samples) in workers.iter_mut().zip(&mut turns) {
                samples.push(worker.run(Order::Closed { window, seconds })?);
            }
        }
        let basis = turns
            .first()
            .map(|samples| median(samples.iter().map(Sample::rate)));
        for (allowed, samples) in [1, all.len()].into_iter().zip(&turns) {
            tell(window, allowed, samples, basis, &mut table);
        }
    }
    Ok(vec![table])
}

fn table(cores: usize) -> Table {
    Table::new(
        "One core and all",
        &format!(
            "The same server on one core, and on all {cores} of this machine, in turns; {LISTENERS} listeners, W lines under way at once. The load always runs on the last \
             core{} Shares are of one core. Medians of turns; the ratio is of deliveries.",
            if cores == 2 {
                ", so that it takes its share of the second from the server: the ratio is a lower bound of what two cores to itself would give."
            } else {
                ", which it shares with the server on all."
            }
        ),
        [
            "W",
            "server's cores",
            "deliveries/s",
            "ratio",
            "ns/delivery",
            "p99, us",
            "server %",
            "load %",
            "valid",
        ],
    )
}

fn tell(window: usize, allowed: usize, samples: &[Sample], basis: Option<f64>, table: &mut Table) {
    let of = |figure: fn(&Sample) -> f64| median(samples.iter().map(figure));
    table.row([
        format!("{window}").into(),
        format!("{allowed}").into(),
        of(Sample::rate).into(),
        basis.map(|basis| of(Sample::rate) / basis).into(),
        of(Sample::cost).into(),
        of(|sample| sample.latency[2]).into(),
        (of(Sample::server_share) * 100.0).into(),
        (of(Sample::load_share) * 100.0).into(),
        validity(of(Sample::load_share), of(Sample::server_share)),
    ]);
}
