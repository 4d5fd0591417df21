//! Intake: many people speak as fast as a disk and a core allow, and few listen. Shows whether a
//! listener misses a line.

use std::time::Duration;

use super::bench::{Bench, progress};
use super::figures::add_row;
use crate::load::{Load, Sample};
use crate::report::{ResultTable, YES};

const SPEAKERS: usize = 100;

const LISTENERS: usize = 5;

/// Lines a second of all speakers together.
const RATES: [f64; 3] = [25_000.0, 50_000.0, 100_000.0];

/// Runs the scenario.
pub(crate) fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let seconds = bench.pick(2, 10);
    let mut table = ResultTable::new(
        "Intake",
        format!(
            "{SPEAKERS} speakers say as many lines of 64 bytes a second as the first column has, by the clock, for \
             {seconds} s; {LISTENERS} listen, and the time is until all of them have a line, from when it was due. \
             Lines are on disk before they are shown, and the index for searching follows. The server may use all cores \
             of this machine ({}), and the load runs on one of them. A rate has no figures if a listener misses lines, \
             or if all are 100,000 lines behind.{}",
            bench.cores.all.len(),
            bench.parlor.note()
        ),
        "lines/s | all received | p50, ms | p99, ms | p99.9, ms | server % | load % | resident, MiB | valid",
    );
    for rate in RATES {
        progress(format_args!("{rate} lines a second"));
        let turns = take_in(bench, rate, Duration::from_secs(seconds));
        if let Err(error) = &turns {
            progress(format_args!("{rate} lines a second are too many: {error:#}"));
        }
        let are_received = if turns.is_ok() { "yes" } else { "no" };
        let turns = turns.map(|sample| vec![sample]).map_err(|_| YES.into());
        add_row(&mut table, [rate.into(), are_received.into()], &turns, None);
    }
    bench.tables = vec![table];
    Ok(())
}

/// Each rate has its own server, so that no server has to index the lines of another rate.
fn take_in(bench: &Bench, rate: f64, time: Duration) -> anyhow::Result<Sample> {
    let target = bench.parlor.on_disk();
    let mut load = Load::fill(&target, &bench.cores.all, [LISTENERS, SPEAKERS])?;
    load.open(rate, |_, elapsed| Ok(elapsed < time))
}
