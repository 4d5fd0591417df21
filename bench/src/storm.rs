//! Storms: thousands who come at once, go at once and come back, and what those who talk meanwhile notice of it.

use std::time::{Duration, Instant};

use anyhow::bail;
use rustix::process::Pid;

use crate::contest::validity;
use crate::doors::Parlor;
use crate::load::{ClientId, Load, Meter, Role, Sample};
use crate::machine::{Places, mebibytes};
use crate::progress::progress;
use crate::table::Table;
use crate::target::Target;

/// Longer than the second after which a crowd is told of together.
const QUIET: Duration = Duration::from_millis(2500);

/// Lines a second of all speakers: a lively conversation.
const RATE: f64 = 20.0;

const SPEAKERS: usize = 4;

/// Those who are there all the time, and whose latency is measured.
const LISTENERS: usize = 100;

/// So many come or go before the load looks again for what it has to hear: it is one thread, and
/// would otherwise measure its own absence.
const AT_ONCE: usize = 64;

/// A storm takes at most this long, or it is not over.
const STORM_MAX: Duration = Duration::from_secs(120);

/// Runs both scenes.
pub(crate) fn run(quick: bool, parlor: Parlor<'_>, places: Places) -> anyhow::Result<Vec<Table>> {
    let sizes = if quick {
        [1_000, 4_000]
    } else {
        [4_000, 10_000]
    };
    let targets = parlor.pair()?;
    let [named, other] = &targets;
    let mut arrivals = arrivals_table();
    for target in &targets {
        for size in sizes {
            progress(format_args!("{}: {size} come at once", target.name));
            arrive(target, size, places, &mut arrivals)?;
        }
    }
    let mut talk = talk_table();
    let time = Duration::from_secs(if quick { 2 } else { 5 });
    for (target, size) in [(named, sizes[0]), (named, sizes[1]), (other, sizes[0])] {
        progress(format_args!(
            "{}: {size} come and go, some talk",
            target.name
        ));
        talk_through(target, size, time, places, &mut talk)?;
    }
    Ok(vec![arrivals, talk])
}

fn arrivals_table() -> Table {
    Table::new(
        "Many come at once",
        "Into a room with two people in it, as fast as the load can connect; named ones give their names. Until quiet: from the first \
         connection to the last byte that anybody received. In classic mode every arrival is told to all: n * n / 2 lines. \
         All who came were then shown to hear the same line.",
        [
            "server",
            "n",
            "until quiet, s",
            "server CPU, s",
            "received, MiB",
            "resident, MiB",
            "server %",
            "load %",
            "waiting %",
            "valid",
        ],
    )
}

fn arrive(target: &Target, size: usize, places: Places, table: &mut Table) -> anyhow::Result<()> {
    let server = target.start(&[places.server])?;
    let mut load = Load::new(server.address, target.dialect)?;
    load.add(Role::Speaker)?;
    load.add(Role::Listener)?;
    load.settle()?;
    let meter = Meter::start(&mut load, server.process())?;
    let (start, bytes) = (Instant::now(), load.bytes());
    load.add_all(Role::Listener, size)?;
    let quiet = load.hear_until_quiet(QUIET)?;
    let mut sample = meter.stop(&load)?;
    sample.seconds = (quiet - start).as_secs_f64(); // the wait for quiet took next to no CPU
    let bytes = load.bytes() - bytes;
    load.settle()?;
    table.row([
        target.name.as_str().into(),
        (size as f64).into(),
        sample.seconds.into(),
        sample.server_cpu.into(),
        mebibytes(bytes as f64).into(),
        mebibytes(sample.resident).into(),
        (sample.server_share() * 100.0).into(),
        (sample.load_share() * 100.0).into(),
        (sample.waiting_share() * 100.0).into(),
        validity(sample.load_share(), sample.server_share()),
    ]);
    Ok(())
}

fn talk_table() -> Table {
    Table::new(
        "Talk during a storm",
        &format!(
            "{SPEAKERS} speakers say {RATE} lines a second in all, by the clock, to {LISTENERS} who stay, while n people come, go and come back \
             ({AT_ONCE} at a time, so that the load hears in between). Milliseconds from when a line was due until a listener had it; what the load \
             took to look is in it (away: the longest time), and so is waiting: for so much of the time server and load, added, wanted \
             a core on which something else ran. All after: the last who came had heard a line, or the last had hung up. Once they are there, every line is \
             written to n more: so the arrival is to be compared with what comes after, too."
        ),
        [
            "server",
            "n",
            "during",
            "all after, s",
            "p50",
            "p99",
            "p99.9",
            "max",
            "load away",
            "server %",
            "load %",
            "waiting %",
            "valid",
        ],
    )
}

/// The people of a storm.
struct Crowd {
    here: Vec<ClientId>,
    size: usize,
    server: Pid,
    /// Every part takes at least so long.
    time: Duration,
}

fn talk_through(
    target: &Target,
    size: usize,
    time: Duration,
    places: Places,
    table: &mut Table,
) -> anyhow::Result<()> {
    let server = target.start(&[places.server])?;
    let mut load = Load::new(server.address, target.dialect)?;
    load.add_all(Role::Speaker, SPEAKERS)?;
    load.add_all(Role::Listener, LISTENERS)?;
    load.settle()?;
    let mut crowd = Crowd {
        here: Vec::new(),
        size,
        server: server.process(),
        time,
    };
    for (part, people) in [
        ("before", 0),
        ("arrival", size),
        ("leaving", 0),
        ("return", size),
        ("after", size),
    ] {
        let (sample, all_after) = crowd.become_so_many(people, &mut load)?;
        let milliseconds = |index: usize| sample.latency[index] / 1e3;
        table.row([
            target.name.as_str().into(),
            (crowd.size as f64).into(),
            part.into(),
            all_after.map(|time| time.as_secs_f64()).into(),
            milliseconds(0).into(),
            milliseconds(2).into(),
            milliseconds(3).into(),
            milliseconds(4).into(),
            sample.away.into(),
            (sample.server_share() * 100.0).into(),
            (sample.load_share() * 100.0).into(),
            (sample.waiting_share() * 100.0).into(),
            validity(sample.load_share(), sample.server_share()),
        ]);
    }
    match load.closed_by_server() {
        0 => Ok(()),
        closed => bail!("the server has closed {closed} of those who came"),
    }
}

impl Crowd {
    /// Comes or goes while there is talk, until there are `people` of it; when that was so, unless it was at once.
    fn become_so_many(
        &mut self,
        people: usize,
        load: &mut Load,
    ) -> anyhow::Result<(Sample, Option<Duration>)> {
        let is_steady = self.here.len() == people;
        let mut all_after = None;
        let sample = load.open(RATE, self.server, |load, elapsed| {
            self.approach(people, load)?;
            if self.here.len() == people && load.outside() == 0 {
                all_after.get_or_insert(elapsed);
            }
            if elapsed > STORM_MAX {
                bail!("{} are not in the room after {STORM_MAX:?}", load.outside());
            }
            Ok(all_after.is_none() || elapsed < self.time)
        })?;
        Ok((sample, all_after.filter(|_| !is_steady)))
    }

    /// Some come, or some go.
    fn approach(&mut self, people: usize, load: &mut Load) -> anyhow::Result<()> {
        for _ in 0..AT_ONCE {
            if self.here.len() < people {
                self.here.push(load.add(Role::Bystander)?);
            } else if self.here.len() > people
                && let Some(id) = self.here.pop()
            {
                load.remove(id);
            }
        }
        Ok(())
    }
}
