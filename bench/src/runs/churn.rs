//! Churn: people come and leave all the time while others talk, for minutes or hours. Shows which
//! numbers grow.

use std::time::Duration;

use super::bench::{Bench, progress};
use super::figures::add_row;
use crate::load::{Load, Role, Sample};
use crate::machine::{descriptors, mebibytes};
use crate::report::ResultTable;

/// The usual length of the run, in seconds.
const SECONDS: u64 = 300;

const QUICK_SECONDS: u64 = 30;

/// There is a row for each tenth of the time, and at least one for this many seconds.
const ROW_SECONDS_MAX: f64 = 300.0;

/// Clients that stay, and whose latency is measured.
const LISTENERS: usize = 1_000;

const SPEAKERS: usize = 4;

/// Lines a second of all speakers.
const RATE: f64 = 50.0;

/// The number of visitors that come each second; later as many leave.
const COME_PER_SECOND: f64 = 200.0;

/// The number of visitors at the same time: each stays for five seconds.
const VISITORS: usize = 1_000;

/// The number of listeners that press Enter each second. Each of them does so every 100 s, because
/// the server disconnects clients that are silent for five minutes. Over WebSockets they answer its
/// pings.
const ENTER_PER_SECOND: f64 = 10.0;

/// Runs the scenario.
pub(crate) fn run(bench: &mut Bench, seconds: Option<u64>) -> anyhow::Result<()> {
    let seconds = seconds.unwrap_or(bench.pick(QUICK_SECONDS, SECONDS)) as f64;
    let rows = (seconds / ROW_SECONDS_MAX).ceil().max(10.0);
    let part = seconds / rows;
    let mut load = bench.fill(&bench.parlor.named(), [LISTENERS, SPEAKERS])?;
    let mut enter_pressed = 0;
    let mut table = table(bench.parlor.note());
    let mut memory = Vec::new();
    for row in 1..=rows as usize {
        progress(format_args!("part {row} of {rows}"));
        let sample = go_on(&mut load, Duration::from_secs_f64(part), &mut enter_pressed)?;
        let until = part * row as f64;
        memory.push((until, mebibytes(sample.resident)));
        let descriptors: anyhow::Result<usize> =
            load.servers.iter().map(|it| descriptors(*it)).sum();
        let descriptors = descriptors?;
        let first = [until.into(), load.come.into(), descriptors.into()];
        add_row(&mut table, first, &Ok(vec![sample]), None);
        load.ensure_all_connected()?;
    }
    // A server finds its size in the first five minutes of a long run, or in the first part of a
    // short one.
    let is_settled = |(until, _): &&(f64, f64)| *until >= ROW_SECONDS_MAX.min(part);
    if let (Some((from, before)), Some((_, after))) =
        (memory.iter().find(is_settled), memory.last())
    {
        table.note += &format!(
            " Resident memory at the end: {after:.1} MiB, after {from:.0} s: {before:.1} MiB."
        );
    }
    bench.tables = vec![table];
    Ok(())
}

fn table(note: &str) -> ResultTable {
    ResultTable::new(
        "Churn",
        format!(
            "{LISTENERS} listeners stay; {SPEAKERS} speakers say {RATE} lines a second in all, by the clock; \
             {COME_PER_SECOND} visitors come each second, with names, and leave five seconds later. Latency counts for \
             those who stay, from when a line was due. Waiting: the share of the time for which server and load, added, \
             wanted a core on which something else ran, which is included in the latency.{note}"
        ),
        "until, s | connections so far | descriptors | p50, ms | p99, ms | max, ms | ns/delivery | resident, MiB | \
         server % | load % | waiting % | valid",
    )
}

/// Visitors come and leave for this time, and listeners press Enter; counts how often.
fn go_on(load: &mut Load, time: Duration, enter_pressed: &mut usize) -> anyhow::Result<Sample> {
    let (come, pressed) = (load.come, *enter_pressed);
    load.open(RATE, |load, elapsed| {
        let due = |per_second: f64| (elapsed.as_secs_f64() * per_second) as usize;
        while load.come < come + due(COME_PER_SECOND) {
            load.add(Role::Bystander)?;
        }
        while load.crowd.len() > VISITORS {
            load.leave();
        }
        while *enter_pressed < pressed + due(ENTER_PER_SECOND) {
            load.press_enter(load.listeners[*enter_pressed % LISTENERS])?;
            *enter_pressed += 1;
        }
        Ok(elapsed < time)
    })
}
