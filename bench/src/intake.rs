//! Intake: many speak as fast as a disk and a core can take it, and few listen. Does anybody miss a line?

use std::time::Duration;

use crate::contest::validity;
use crate::doors::Parlor;
use crate::load::{Load, Role, Sample};
use crate::machine::{Places, cores, mebibytes, on_cores};
use crate::progress::progress;
use crate::table::Table;
use crate::target::{Dialect, Server};

const SPEAKERS: usize = 100;

const LISTENERS: usize = 5;

/// Lines a second of all speakers together.
const RATES: [f64; 3] = [25_000.0, 50_000.0, 100_000.0];

/// Runs the scene.
pub(crate) fn run(quick: bool, parlor: Parlor<'_>, places: Places) -> anyhow::Result<Vec<Table>> {
    let seconds = if quick { 2 } else { 10 };
    let mut table = Table::new(
        "Intake",
        &format!(
            "{SPEAKERS} speakers say as many lines of 64 bytes a second as the first column has, by the clock, for {seconds} s; {LISTENERS} listen, and the time is until all of them have \
             a line, in milliseconds, from when it was due. Lines are on disk before they are shown, and the index for searching follows. The server may use all \
             cores of this machine ({}), of which the load has one to itself as far as it needs it. A rate at which a listener misses lines, or all are 100,000 behind, has no figures.",
            cores().len()
        ),
        [
            "lines/s",
            "all heard",
            "p50",
            "p99",
            "p99.9",
            "server %",
            "load %",
            "resident, MiB",
            "valid",
        ],
    );
    table.note += parlor.note();
    for rate in RATES {
        progress(format_args!("{rate} lines a second"));
        match take_in(rate, Duration::from_secs(seconds), parlor, places) {
            Ok(sample) => tell(rate, &sample, &mut table),
            Err(error) => {
                progress(format_args!(
                    "{rate} lines a second are too many: {error:#}"
                ));
                let nothing = || None::<f64>.into();
                table.row([
                    rate.into(),
                    "no".into(),
                    nothing(),
                    nothing(),
                    nothing(),
                    nothing(),
                    nothing(),
                    nothing(),
                    "yes".into(),
                ]);
            }
        }
    }
    Ok(vec![table])
}

/// A server of its own for each rate: what one leaves to be indexed is no burden to the next.
fn take_in(
    rate: f64,
    time: Duration,
    parlor: Parlor<'_>,
    places: Places,
) -> anyhow::Result<Sample> {
    let target = parlor.on_disk()?;
    let server = target.start(&cores())?;
    on_cores(&[places.load], || talk(rate, time, &server, target.dialect))?
}

fn talk(rate: f64, time: Duration, server: &Server, dialect: Dialect) -> anyhow::Result<Sample> {
    let mut load = Load::new(server.address, dialect)?;
    load.add_all(Role::Speaker, SPEAKERS)?;
    load.add_all(Role::Listener, LISTENERS)?;
    load.settle()?;
    load.open(rate, server.process(), |_, elapsed| Ok(elapsed < time))
}

fn tell(rate: f64, sample: &Sample, table: &mut Table) {
    let milliseconds = |index: usize| sample.latency[index] / 1_000.0;
    table.row([
        rate.into(),
        "yes".into(),
        milliseconds(0).into(),
        milliseconds(2).into(),
        milliseconds(3).into(),
        (sample.server_share() * 100.0).into(),
        (sample.load_share() * 100.0).into(),
        mebibytes(sample.resident).into(),
        validity(sample.load_share(), sample.server_share()),
    ]);
}
