//! Several servers in turns under the same loads: for each number of listeners, all of them run at
//! the same time and take turns at each pace.

use super::bench::progress;
use super::figures::{ServerTurns, add_row};
use crate::load::{LoadPace, Worker};
use crate::report::{Cell, Chart, ResultTable};
use crate::server::Target;

/// Lines come from this many connections.
pub(super) const SPEAKERS: usize = 4;

/// Deliveries a second in the open loop: a third of what one core can do.
pub(super) const DELIVERIES: f64 = 50_000.0;

/// The servers and loads to measure.
pub(super) struct Grid {
    pub(super) entrants: Vec<Entrant>,
    pub(super) listeners: Vec<usize>,
    pub(super) paces: Vec<LoadPace>,
    /// The number of turns of each server at each point.
    pub(super) rounds: usize,
    /// The length of a turn.
    pub(super) seconds: f64,
}

/// A server in the grid.
pub(super) struct Entrant {
    pub(super) target: Target,
    /// The cores that it may use.
    pub(super) cores: Vec<usize>,
    /// The index of the entrant with which its ratios compare it.
    pub(super) reference: usize,
}

/// The results of one server at one point of the grid.
pub(super) struct GridRow<'a> {
    pub(super) listeners: usize,
    pub(super) pace: LoadPace,
    pub(super) entrant: &'a Entrant,
    pub(super) turns: &'a ServerTurns,
    pub(super) reference: Option<&'a ServerTurns>,
}

/// A server with all its clients, or the reason why it is left out.
type Contestant = Result<Worker, String>;

impl Grid {
    /// Runs the grid. Returns the tables of what a delivery costs each server, and how long it
    /// takes. `reference` says which server the ratios are to.
    pub(super) fn compare(&self, title: &str, reference: &str) -> Vec<ResultTable> {
        let (mut costs, mut latencies) = (costs(title, reference), latencies());
        self.run(|row| {
            let name = row.entrant.target.name.as_str();
            let first = [Cell::from(row.listeners), row.pace.name().into(), name.into()];
            add_row(&mut costs, first.clone(), row.turns, row.reference);
            if row.turns.is_ok() {
                add_row(&mut latencies, first, row.turns, row.reference);
            }
        });
        vec![costs, latencies]
    }

    /// Measures at each point, and hands over a row for each server.
    pub(super) fn run(&self, mut each: impl FnMut(GridRow<'_>)) {
        for &listeners in &self.listeners {
            let servers = self.entrants.len();
            progress(format_args!("N = {listeners}: {servers} servers start, all clients join"));
            let entrants = self.entrants.iter();
            let mut contestants: Vec<Contestant> = entrants
                .map(|Entrant { target, cores, .. }| {
                    Worker::start(target, cores, [listeners, SPEAKERS])
                        .map_err(|error| left_out(&target.name, &error))
                })
                .collect();
            for &pace in &self.paces {
                progress(format_args!("N = {listeners}, {}", pace.name()));
                let all = self.take_turns(&mut contestants, pace);
                for (entrant, turns) in self.entrants.iter().zip(&all) {
                    let reference = all.get(entrant.reference);
                    each(GridRow { listeners, pace, entrant, turns, reference });
                }
            }
        }
    }

    /// One server after the other has a turn, several times, so that other work on the machine
    /// affects all of them. A server that fails has no more turns; the others continue.
    fn take_turns(&self, contestants: &mut [Contestant], pace: LoadPace) -> Vec<ServerTurns> {
        let mut all: Vec<ServerTurns> = vec![Ok(Vec::new()); contestants.len()];
        for _ in 0..self.rounds {
            let entrants = self.entrants.iter();
            for ((contestant, turns), entrant) in contestants.iter_mut().zip(&mut all).zip(entrants)
            {
                if let Ok(worker) = contestant {
                    match worker.run(pace, self.seconds) {
                        Ok(sample) => turns.iter_mut().for_each(|samples| samples.push(sample)),
                        Err(error) => *contestant = Err(left_out(&entrant.target.name, &error)),
                    }
                }
                if let Err(reason) = contestant {
                    *turns = Err(reason.clone());
                }
            }
        }
        all
    }
}

/// Tells the user that a server is left out. Returns the verdict for its rows.
fn left_out(name: &str, error: &anyhow::Error) -> String {
    let verdict = format!("NO: {error:#}");
    progress(format_args!("{name} is left out. {verdict}"));
    verdict
}

fn costs(title: &str, reference: &str) -> ResultTable {
    let mut table = ResultTable::new(
        &format!("{title}: CPU for each delivery"),
        format!(
            "User and system time of the server for each line that a client received. N listeners and {SPEAKERS} \
             speakers; lines of 64 bytes. W lines are on their way at once, and a line is done when all N have it. \
             Figures are medians of turns; the ratio is to {reference}, a median over rounds. If the load was \
             busier than 90 % of its core and busier than the server, it was the bottleneck: the figure is not valid, \
             and there is no ratio to it. The same if neither was busy in the closed loop: then the server made its \
             clients wait."
        ),
        "N | load | server | ns/delivery | ratio | bytes/delivery | deliveries/s | server % | load % | resident, MiB | valid",
    );
    table.chart = Some(Chart { group: vec![0, 1], series: 2, value: 3 });
    table
}

fn latencies() -> ResultTable {
    ResultTable::new(
        "Time until a listener has a line",
        "Over all listeners and lines; medians of turns and of rounds, as above. In the closed loop it grows with N and \
         W by nature, as one line is written N times; in the open loop it counts from the moment a line was due.",
        "N | load | server | p50, us | p90, us | p99, us | p99.9, us | p99 ratio",
    )
}
