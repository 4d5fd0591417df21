//! Several servers in turns under the same loads: for each number of listeners, all of them run at
//! the same time and take turns at each pace.

use super::sheet::ServerTurns;
use crate::load::{LoadPace, Worker};
use crate::progress::progress;
use crate::server::Target;

/// Lines come from this many connections.
pub(super) const SPEAKERS: usize = 4;

/// The servers and loads to measure.
pub(super) struct Grid {
    /// The servers, each with the cores that it may use.
    pub(super) targets: Vec<(Target, Vec<usize>)>,
    pub(super) load_core: usize,
    pub(super) listeners: Vec<usize>,
    pub(super) paces: Vec<LoadPace>,
    /// The number of turns of each server at each point.
    pub(super) rounds: usize,
    /// The length of a turn.
    pub(super) seconds: f64,
}

/// A point of the grid, and the results of each server there, in the order of the targets.
pub(super) struct GridPoint {
    pub(super) listeners: usize,
    pub(super) pace: LoadPace,
    pub(super) turns: Vec<ServerTurns>,
}

/// A server with all its clients, or the reason why it is left out.
type Contestant = Result<Worker, String>;

impl Grid {
    /// The names of the servers.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.targets.iter().map(|(target, _)| target.name.as_str())
    }

    pub(super) fn run(&self) -> Vec<GridPoint> {
        let mut points = Vec::new();
        for &listeners in &self.listeners {
            let servers = self.targets.len();
            progress(format_args!("N = {listeners}: {servers} servers start, all clients join"));
            let targets = self.targets.iter();
            let mut contestants: Vec<_> = targets
                .map(|(target, cores)| {
                    Worker::start(target, cores, self.load_core, [listeners, SPEAKERS])
                        .map_err(|error| left_out(&target.name, &error))
                })
                .collect();
            for &pace in &self.paces {
                progress(format_args!("N = {listeners}, {}", pace.name()));
                points.push(GridPoint {
                    listeners,
                    pace,
                    turns: self.take_turns(&mut contestants, pace),
                });
            }
        }
        points
    }

    /// One server after the other has a turn, several times, so that other work on the machine
    /// affects all of them. A server that fails has no more turns; the others continue.
    fn take_turns(&self, contestants: &mut [Contestant], pace: LoadPace) -> Vec<ServerTurns> {
        let mut turns: Vec<ServerTurns> = vec![Ok(Vec::new()); contestants.len()];
        for _ in 0..self.rounds {
            for ((contestant, turns), name) in
                contestants.iter_mut().zip(&mut turns).zip(self.names())
            {
                if let Ok(worker) = contestant {
                    match worker.run(pace, self.seconds) {
                        Ok(sample) => turns.iter_mut().for_each(|samples| samples.push(sample)),
                        Err(error) => *contestant = Err(left_out(name, &error)),
                    }
                }
                if let Err(reason) = contestant {
                    *turns = Err(reason.clone());
                }
            }
        }
        turns
    }
}

/// Tells the user that a server is left out. Returns the verdict for its rows.
fn left_out(name: &str, error: &anyhow::Error) -> String {
    let verdict = format!("NO: {error:#}");
    progress(format_args!("{name} is left out. {verdict}"));
    verdict
}
