//! Storms: thousands of clients come at once, leave at once and return. Measures the effect on
//! speakers and listeners.

use std::cmp::Ordering;
use std::time::{Duration, Instant};

use anyhow::ensure;

use super::bench::{Bench, progress};
use super::figures::add_row;
use crate::load::{Load, Meter, Role, Sample};
use crate::machine::mebibytes;
use crate::report::ResultTable;
use crate::server::Target;

/// Longer than the second after which a crowd is announced together.
const QUIET: Duration = Duration::from_millis(2500);

/// Lines a second of all speakers: a lively conversation.
const RATE: f64 = 20.0;

const SPEAKERS: usize = 4;

/// Clients that stay, and whose latency is measured.
const LISTENERS: usize = 100;

/// The number of clients that come or leave before the load receives again: it is one thread, and
/// would otherwise measure its own absence.
const AT_ONCE: usize = 64;

/// The longest time that a part of a storm may take.
const STORM_MAX: Duration = Duration::from_secs(120);

/// Runs both scenarios.
pub(crate) fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let [few, many] = bench.pick([1_000, 4_000], [4_000, 10_000]);
    let targets = bench.parlor.pair();
    let [named, other] = &targets;
    let mut arrivals = arrivals();
    for target in &targets {
        for size in [few, many] {
            progress(format_args!("{}: {size} come at once", target.name));
            arrive(bench, target, size, &mut arrivals)?;
        }
    }
    let mut talk = talk();
    let mut storms = vec![(named, few), (named, many), (other, few)];
    if bench.parlor.door.is_encrypted() {
        storms.push((other, many));
    }
    let outcome = storms.into_iter().try_for_each(|(target, size)| {
        progress(format_args!("{}: {size} come and leave, others talk", target.name));
        talk_through(bench, target, size, &mut talk)
    });
    bench.tables = vec![arrivals, talk];
    outcome
}

fn arrivals() -> ResultTable {
    ResultTable::new(
        "Many come at once",
        "Into a room with two people, as fast as the load can connect; in named mode they send their names. Until \
         quiet: from the first connection to the last byte that any client received. In classic mode each arrival is \
         announced to everybody: n * n / 2 lines. So it is through the door for IRC, where everybody also reads the names \
         of all others: as many names. Afterwards the load made sure that all of them receive the same line.",
        "server | n | until quiet, s | server CPU, s | received, MiB | resident, MiB | server % | load % | waiting % | \
         valid",
    )
}

fn arrive(
    bench: &Bench,
    target: &Target,
    size: usize,
    table: &mut ResultTable,
) -> anyhow::Result<()> {
    let mut load = bench.fill(target, [1, 1])?;
    let meter = Meter::start(&mut load.counts, &load.servers)?;
    let (start, bytes) = (Instant::now(), load.counts.bytes);
    load.add_all(Role::Listener, size)?;
    let quiet = load.receive_until_quiet(QUIET)?;
    let mut sample = meter.stop(&load.counts)?;
    sample.seconds = (quiet - start).as_secs_f64(); // the wait for quiet took almost no CPU
    let bytes = load.counts.bytes - bytes;
    load.settle()?;
    let first = [
        target.name.as_str().into(),
        size.into(),
        sample.seconds.into(),
        sample.server_cpu.into(),
        mebibytes(bytes as f64).into(),
    ];
    add_row(table, first, &Ok(vec![sample]), None);
    Ok(())
}

fn talk() -> ResultTable {
    ResultTable::new(
        "Talk during a storm",
        format!(
            "{SPEAKERS} speakers say {RATE} lines a second in all, by the clock, to {LISTENERS} listeners who stay, \
             while n people come, leave and return ({AT_ONCE} at a time, so that the load receives in between). Latency \
             counts from when a line was due until a listener had it. It includes the time that the load took to look \
             (away: the longest time, in ms) and waiting: the share of the time for which server and load, added, \
             wanted a core on which something else ran. All after: when the last one who came had received a line, or \
             the last had disconnected. When they are there, each line is written n more times: so compare the arrival \
             also with the time after it."
        ),
        "server | n | during | all after, s | p50, ms | p99, ms | p99.9, ms | max, ms | load away | server % | load % | \
         waiting % | valid",
    )
}

fn talk_through(
    bench: &Bench,
    target: &Target,
    size: usize,
    table: &mut ResultTable,
) -> anyhow::Result<()> {
    let mut load = bench.fill(target, [LISTENERS, SPEAKERS])?;
    let time = Duration::from_secs(bench.pick(2, 5));
    for (part, people) in
        [("before", 0), ("arrival", size), ("leaving", 0), ("return", size), ("after", size)]
    {
        let (sample, all_after) = change_to(people, &mut load, time)?;
        let all_after = all_after.map(|time| time.as_secs_f64());
        let name = target.name.as_str();
        let first = [name.into(), size.into(), part.into(), all_after.into()];
        add_row(table, first, &Ok(vec![sample]), None);
    }
    load.ensure_all_connected()
}

/// Lets people come or leave during a conversation of at least this time, until `people` of them
/// are there. Returns when that was reached, unless it was already.
fn change_to(
    people: usize,
    load: &mut Load,
    time: Duration,
) -> anyhow::Result<(Sample, Option<Duration>)> {
    let is_steady = load.crowd.len() == people;
    let mut all_after = None;
    let sample = load.open(RATE, |load, elapsed| {
        for _ in 0..AT_ONCE {
            match load.crowd.len().cmp(&people) {
                Ordering::Less => drop(load.add(Role::Bystander)?),
                Ordering::Greater => load.leave(),
                Ordering::Equal => {}
            }
        }
        let outside = load.outside;
        if load.crowd.len() == people && outside == 0 {
            all_after.get_or_insert(elapsed);
        }
        ensure!(elapsed < STORM_MAX, "{outside} are not in the room after {STORM_MAX:?}");
        Ok(all_after.is_none() || elapsed < time)
    })?;
    Ok((sample, all_after.filter(|_| !is_steady)))
}
