//! Slow readers: what the others notice of them, and whether they are told exactly what they missed.

use std::time::Duration;

use anyhow::{anyhow, bail};

use crate::contest::{median, validity};
use crate::doors::Parlor;
use crate::load::{ClientId, Load, Role, Sample};
use crate::machine::{Places, mebibytes};
use crate::progress::progress;
use crate::table::Table;
use crate::target::{Server, Target};

const SPEAKERS: usize = 4;

/// Those who read as they should, in each room.
const READERS: usize = 500;

/// Those who do not.
const SLOW: usize = 500;

const WINDOW: usize = 64;

/// Said before anything is measured, so that nobody's socket takes any more: they take a few
/// hundred kilobytes, and this is nearly one megabyte.
const FILL_LINES: u32 = 12_000;

/// Said in all, before they read to the end: what the sockets take, what the room keeps (16,384
/// lines), and as much again that is skipped.
const SAID_MIN: u32 = 40_000;

/// Whoever reads to the end and gets nothing for this long has all that will come.
const SILENCE: Duration = Duration::from_secs(5);

/// What those are called who are slow in this way.
fn name(slow: Option<Role>) -> &'static str {
    match slow {
        Some(Role::Stuck) => "500 stuck",
        Some(_) => "500 drip",
        None => "none",
    }
}

/// A server and its room.
struct Room {
    server: Server,
    load: Load,
    slow: Option<Role>,
    ids: Vec<ClientId>,
    /// Lines said before those who are slow stood still.
    said_before: u32,
    samples: Vec<Sample>,
}

/// Runs the scene. Beside the tables, whether all were told exactly what they missed.
pub(crate) fn run(
    quick: bool,
    parlor: Parlor<'_>,
    places: Places,
) -> anyhow::Result<(Vec<Table>, anyhow::Result<()>)> {
    let target = parlor.named()?;
    let mut rooms = Vec::new();
    for slow in [None, Some(Role::Stuck), Some(Role::Dripping)] {
        progress(format_args!("a room, slow in it: {}", name(slow)));
        rooms.push(Room::fill(&target, slow, places)?);
    }
    // The server closes whoever takes nothing for 120 s: all turns together must be shorter.
    let (rounds, time) = if quick { (5, 0.6) } else { (9, 1.2) };
    for round in 1..=rounds {
        progress(format_args!("round {round} of {rounds}"));
        for room in &mut rooms {
            let (server, time) = (room.server.process(), Duration::from_secs_f64(time));
            let sample = room.load.closed(WINDOW, time, server)?;
            room.samples.push(sample);
        }
    }
    let mut costs = costs_table();
    costs.note += parlor.note();
    let basis = rooms.first().map(|room| figures(&room.samples));
    for room in &rooms {
        room.tell_costs(basis, &mut costs);
    }
    let mut tallies = tallies_table();
    let mut inexact = 0;
    for room in rooms.iter_mut().filter(|room| room.slow.is_some()) {
        progress(format_args!("{} read to the end", name(room.slow)));
        inexact += room.read_to_the_end(&mut tallies)?;
    }
    let verdict = match inexact {
        0 => Ok(()),
        _ => Err(anyhow!("{inexact} were not told exactly what they missed")),
    };
    Ok((vec![costs, tallies], verdict))
}

/// Medians: nanoseconds for each delivery, and microseconds until 99 of 100 had a line.
fn figures(samples: &[Sample]) -> (f64, f64) {
    (
        median(samples.iter().map(Sample::cost)),
        median(samples.iter().map(|sample| sample.latency[2])),
    )
}

fn costs_table() -> Table {
    Table::new(
        "Slow readers: what the others notice",
        &format!(
            "Three rooms in turns, each with {READERS} ordinary readers and {SPEAKERS} speakers, {WINDOW} lines under way at once; in one there is nobody else, in one \
             {SLOW} more who read nothing, in one {SLOW} more who read 256 bytes every 50 ms. A delivery is a line that reached an ordinary reader. Before, \
             lines were said until no socket of theirs took any more. Medians of turns; ratios are to the room in which nobody is slow."
        ),
        [
            "slow",
            "ns/delivery",
            "ratio",
            "p50, us",
            "p99, us",
            "p99 ratio",
            "deliveries/s",
            "resident, MiB",
            "server %",
            "load %",
            "valid",
        ],
    )
}

fn tallies_table() -> Table {
    Table::new(
        "Slow readers: what they are told",
        "Afterwards all of them read to the end. Exact: lines read and lines skipped, by the server's notices, are together the lines said while \
         they stood still or dripped and after.",
        [
            "slow",
            "readers",
            "exact",
            "lines said",
            "skipped in all",
            "skipped at least",
            "skipped at most",
            "valid",
        ],
    )
}

impl Room {
    /// All come as ordinary readers, and are known to be there before some of them turn slow.
    fn fill(target: &Target, slow: Option<Role>, places: Places) -> anyhow::Result<Room> {
        let server = target.start(&[places.server])?;
        let mut load = Load::new(server.address, target.dialect)?;
        load.add_all(Role::Speaker, SPEAKERS)?;
        load.add_all(Role::Listener, READERS)?;
        let slow_ones = if slow.is_some() { SLOW } else { 0 };
        let ids = load.add_all(Role::Listener, slow_ones)?;
        load.settle()?;
        for (&id, role) in ids.iter().zip(slow.into_iter().cycle()) {
            load.stick(id, role)?;
        }
        let said_before = load.said();
        load.say_lines(FILL_LINES, WINDOW)?;
        Ok(Room {
            server,
            load,
            slow,
            ids,
            said_before,
            samples: Vec::new(),
        })
    }

    fn tell_costs(&self, basis: Option<(f64, f64)>, table: &mut Table) {
        let of = |figure: fn(&Sample) -> f64| median(self.samples.iter().map(figure));
        let (cost, p99) = figures(&self.samples);
        table.row([
            name(self.slow).into(),
            cost.into(),
            basis.map(|(basis, _)| cost / basis).into(),
            of(|sample| sample.latency[0]).into(),
            p99.into(),
            basis.map(|(_, basis)| p99 / basis).into(),
            of(Sample::rate).into(),
            mebibytes(of(|sample| sample.resident)).into(),
            (of(Sample::server_share) * 100.0).into(),
            (of(Sample::load_share) * 100.0).into(),
            validity(of(Sample::load_share), of(Sample::server_share)),
        ]);
    }

    /// How many were not told exactly what they missed.
    fn read_to_the_end(&mut self, table: &mut Table) -> anyhow::Result<usize> {
        let said = self.load.said() - self.said_before;
        self.load.say_lines(SAID_MIN.saturating_sub(said), WINDOW)?;
        let said = u64::from(self.load.said() - self.said_before);
        for &id in &self.ids {
            self.load.unstick(id)?;
        }
        self.load.hear_until_quiet(SILENCE)?;
        if self.load.closed_by_server() > 0 {
            bail!("the server has closed some: was it more than 120 s in which they took nothing?");
        }
        let tallies = || self.ids.iter().filter_map(|&id| self.load.tally(id));
        let exact = tallies()
            .filter(|tally| tally.read + tally.skipped == said)
            .count();
        let skipped = || tallies().map(|tally| tally.skipped);
        let figure = |lines: u64| lines as f64;
        table.row([
            name(self.slow).into(),
            figure(self.ids.len() as u64).into(),
            figure(exact as u64).into(),
            figure(said).into(),
            figure(skipped().sum()).into(),
            skipped().min().map(figure).into(),
            skipped().max().map(figure).into(),
            if skipped().all(|lines| lines > 0) {
                "yes"
            } else {
                "NO: not slow"
            }
            .into(),
        ]);
        Ok(self.ids.len() - exact)
    }
}
