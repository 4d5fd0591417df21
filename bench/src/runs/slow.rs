//! Slow readers: their effect on the others, and whether the server reports exactly the lines they
//! missed.

use std::time::Duration;

use anyhow::ensure;

use super::bench::{Bench, progress};
use super::figures::{ServerTurns, add_row};
use crate::load::{ClientId, Load, Role};
use crate::report::{ResultTable, YES};
use crate::server::Target;

const SPEAKERS: usize = 4;

/// Clients in each room that read promptly.
const READERS: usize = 500;

/// Clients in each room that read slowly.
const SLOW: usize = 500;

const WINDOW: usize = 64;

/// Lines said before anything is measured, so that the sockets of slow readers are full: they take
/// a few hundred kilobytes, and this is nearly one megabyte.
const FILL_LINES: u32 = 12_000;

/// Lines said in all before the slow ones read to the end: the capacity of the sockets and of the
/// room's log (16,384 lines), and as many again that are skipped.
const SAID_MIN: u32 = 40_000;

/// A reader that gets nothing for this long has read to the end.
const SILENCE: Duration = Duration::from_secs(5);

/// The slow readers in each room, and their name in the tables.
const ROOMS: [(&str, Option<Role>); 3] =
    [("none", None), ("500 stuck", Some(Role::Stuck)), ("500 drip", Some(Role::Dripping))];

/// Runs the scenario. Fails, after the tables, if a client got a wrong count of skipped lines.
pub(crate) fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let target = bench.parlor.named();
    let mut rooms = Vec::new();
    for (name, slow) in ROOMS {
        progress(format_args!("a room, slow readers in it: {name}"));
        rooms.push(SlowRoom::fill(bench, &target, name, slow)?);
    }
    // The server disconnects clients that accept nothing for 120 s, so all turns together must be
    // shorter.
    let (rounds, seconds) = bench.pick((5, 0.6), (9, 1.2));
    progress(format_args!("{rounds} turns of each room"));
    let time = Duration::from_secs_f64(seconds);
    let mut turns = vec![Vec::new(); rooms.len()];
    for _ in 0..rounds {
        for (room, samples) in rooms.iter_mut().zip(&mut turns) {
            samples.push(room.load.closed(WINDOW, time)?);
        }
    }
    let turns: Vec<ServerTurns> = turns.into_iter().map(Ok).collect();
    let (mut costs, mut tallies) = (costs(bench.parlor.note()), tallies());
    for (room, samples) in rooms.iter().zip(&turns) {
        add_row(&mut costs, [room.name.into()], samples, turns.first());
    }
    bench.tables.push(costs);
    let mut inexact = 0;
    for room in rooms.iter_mut().filter(|room| !room.slow.is_empty()) {
        progress(format_args!("{} read to the end", room.name));
        inexact += room.read_to_the_end(&mut tallies)?;
    }
    bench.tables.push(tallies);
    ensure!(inexact == 0, "{inexact} clients were not told exactly what they missed");
    Ok(())
}

fn costs(note: &str) -> ResultTable {
    ResultTable::new(
        "Slow readers: what the others notice",
        format!(
            "Three rooms in turns, each with {READERS} ordinary readers and {SPEAKERS} speakers, {WINDOW} lines on \
             their way at once; one has nobody else, one has {SLOW} more clients that read nothing, and one has {SLOW} \
             more that read 256 bytes every 50 ms. A delivery is a line that an ordinary reader received. Before, lines \
             were said until the sockets of the slow ones were full. Figures are medians of turns; ratios are to the \
             room without slow readers, medians over rounds.{note}"
        ),
        "slow | ns/delivery | ratio | p50, us | p99, us | p99 ratio | deliveries/s | resident, MiB | server % | load % | \
         valid",
    )
}

fn tallies() -> ResultTable {
    ResultTable::new(
        "Slow readers: what they are told",
        "Afterwards all of them read to the end. Exact: the lines that a client read and the lines that the server's \
         notices call skipped are together the lines said while it was slow and afterwards.",
        "slow | readers | exact | lines said | skipped in all | skipped at least | skipped at most | valid",
    )
}

/// A room, and the slow ones in it.
struct SlowRoom {
    name: &'static str,
    load: Load,
    slow: Vec<ClientId>,
    /// Lines said before clients were made slow.
    said_before: u32,
}

impl SlowRoom {
    /// All clients enter as ordinary readers. When all of them are in the room, some become slow.
    fn fill(
        bench: &Bench,
        target: &Target,
        name: &'static str,
        role: Option<Role>,
    ) -> anyhow::Result<SlowRoom> {
        let count = if role.is_some() { SLOW } else { 0 };
        let mut load = bench.fill(target, [READERS + count, SPEAKERS])?;
        let slow = load.listeners[READERS..].to_vec();
        for (&id, role) in slow.iter().zip(role.into_iter().cycle()) {
            load.slow_down(id, role)?;
        }
        let said_before = load.said();
        load.say_lines(FILL_LINES, WINDOW)?;
        Ok(SlowRoom { name, load, slow, said_before })
    }

    /// The number of clients that did not get the exact count of the lines they missed.
    fn read_to_the_end(&mut self, table: &mut ResultTable) -> anyhow::Result<usize> {
        let load = &mut self.load;
        let said = load.said() - self.said_before;
        load.say_lines(SAID_MIN.saturating_sub(said), WINDOW)?;
        let said = u64::from(load.said() - self.said_before);
        for &id in &self.slow {
            load.speed_up(id)?;
        }
        load.receive_until_quiet(SILENCE)?;
        let tallies = || self.slow.iter().filter_map(|&id| load.tally(id));
        let heard_of = tallies().map(|tally| tally.read + tally.skipped);
        let exact = heard_of.filter(|&lines| lines == said).count();
        let skipped = || tallies().map(|tally| tally.skipped);
        let figure = |lines: u64| lines as f64;
        let are_slow = skipped().all(|lines| lines > 0);
        table.row([
            self.name.into(),
            self.slow.len().into(),
            exact.into(),
            figure(said).into(),
            figure(skipped().sum()).into(),
            skipped().min().map(figure).into(),
            skipped().max().map(figure).into(),
            if are_slow { YES } else { "NO: not slow" }.into(),
        ]);
        // A client that accepts nothing for 120 s is disconnected, too.
        self.load.ensure_all_connected()?;
        Ok(self.slow.len() - exact)
    }
}
