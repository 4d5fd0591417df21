//! Several rooms: what the others in a room notice when half of its people sit in many rooms at once.

use std::time::Duration;

use super::bench::{Bench, progress};
use super::figures::{ServerTurns, add_row};
use crate::load::{Load, Role};
use crate::report::ResultTable;
use crate::server::{LoadDoor, Target};

const SPEAKERS: usize = 4;

/// The people in each house who sit in one room.
const OTHERS: usize = 500;

/// The people in each house who may sit in several.
const SITTERS: usize = 500;

/// The number of rooms in which each of them sits, in the second house.
const ROOMS: usize = 20;

/// Lines on their way at once.
const WINDOWS: [usize; 2] = [1, 64];

/// Longer than the second after which a crowd is announced.
const QUIET: Duration = Duration::from_millis(1_500);

/// Runs the scenario through the door for IRC, whose clients sit in as many rooms as they want.
pub(crate) fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let target = bench.parlor.at(LoadDoor::Irc);
    let mut houses = Vec::new();
    for rooms in [1, ROOMS] {
        progress(format_args!("{OTHERS} sit in one room, and {SITTERS} in {rooms}"));
        houses.push((rooms, fill(bench, &target, rooms)?));
    }
    let (rounds, seconds) = bench.pick((5, 0.6), (11, 1.2));
    let time = Duration::from_secs_f64(seconds);
    let mut table = table();
    for window in WINDOWS {
        progress(format_args!("{rounds} turns of each house, W = {window}"));
        let mut turns = vec![Vec::new(); houses.len()];
        for _ in 0..rounds {
            for ((_, load), samples) in houses.iter_mut().zip(&mut turns) {
                samples.push(load.closed(window, time)?);
            }
        }
        let turns: Vec<ServerTurns> = turns.into_iter().map(Ok).collect();
        for ((rooms, _), samples) in houses.iter().zip(&turns) {
            add_row(&mut table, [window.into(), (*rooms).into()], samples, turns.first());
        }
    }
    houses.iter().try_for_each(|(_, load)| load.ensure_all_connected())?;
    bench.tables.push(table);
    Ok(())
}

/// A server with its people. The last room that each of them enters is the one with lines, so who
/// has received a line sits in all rooms.
fn fill(bench: &Bench, target: &Target, rooms: usize) -> anyhow::Result<Load> {
    let mut load = bench.fill(target, [OTHERS, SPEAKERS])?;
    load.rooms = rooms;
    load.add_all(Role::Bystander, SITTERS)?;
    load.receive_until_quiet(QUIET)?;
    load.settle()?;
    load.ensure_all_inside()?;
    Ok(load)
}

fn table() -> ResultTable {
    ResultTable::new(
        "Half of them sit in many rooms",
        format!(
            "Two houses in turns, through the door for IRC. In each, {OTHERS} people sit in one room, and lines in it \
             come from {SPEAKERS} speakers, W on their way at once; a line is done when those {OTHERS} have it. \
             {SITTERS} more people sit in the same room: in the first house only there, in the second also in {} other \
             rooms. A delivery is a line that anybody received; latency is that of the {OTHERS} in one room. Figures are \
             medians of turns; ratios are to the first house, medians over rounds.",
            ROOMS - 1
        ),
        "W | rooms | ns/delivery | ratio | p50, us | p99, us | p99 ratio | deliveries/s | resident, MiB | server % | \
         load % | valid",
    )
}
