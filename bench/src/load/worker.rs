//! A server and its load in a separate process. So several servers can be loaded in turns while
//! each has all its clients: one process may not hold enough descriptors for all.

use std::io::stdin;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::process::{LoadProcess, print};
use super::{clients::Load, sample::Sample};
use crate::server::Target;

/// The pace of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) enum LoadPace {
    /// This many lines are on their way at once.
    Closed { window: usize },
    /// This many lines at once, and then none until all listeners have them.
    Bursts { lines: usize },
    /// This many deliveries a second, whatever the number of listeners.
    Open { deliveries: f64 },
}

impl LoadPace {
    /// Its name in the tables.
    pub(crate) fn name(self) -> String {
        match self {
            LoadPace::Closed { window } => format!("W = {window}"),
            LoadPace::Bursts { lines } => format!("{lines}"),
            LoadPace::Open { deliveries } => format!("{deliveries}/s"),
        }
    }
}

/// The task of a worker, in the order of [`Load::fill`]: a server, its cores, listeners and
/// speakers.
type Assignment = (Target, Vec<usize>, [usize; 2]);

/// A server and its load.
pub(crate) struct Worker(LoadProcess);

impl Worker {
    /// Starts the server on these cores and its clients on those of this process, and waits until
    /// all of them are in the room.
    pub(crate) fn start(
        target: &Target,
        cores: &[usize],
        clients: [usize; 2],
    ) -> anyhow::Result<Worker> {
        let assignment: Assignment = (target.clone(), cores.to_vec(), clients);
        let mut process = LoadProcess::start("load", &assignment)?;
        process.answer::<()>()?;
        Ok(Worker(process))
    }

    /// Loads the server at this pace for this many seconds.
    pub(crate) fn run(&mut self, pace: LoadPace, seconds: f64) -> anyhow::Result<Sample> {
        self.0.request(&(pace, seconds))?;
        self.0.answer()
    }
}

/// The process of a worker: answers requests until the last one.
pub(crate) fn work(assignment: &str) -> anyhow::Result<()> {
    let (target, cores, clients): Assignment = serde_json::from_str(assignment)?;
    let mut load = match Load::fill(&target, &cores, clients) {
        Ok(load) => load,
        Err(error) => return print::<()>(Err(error)),
    };
    print(Ok(()))?;
    for line in stdin().lines() {
        let (pace, seconds): (LoadPace, f64) = serde_json::from_str(&line?)?;
        let time = Duration::from_secs_f64(seconds);
        print(match pace {
            LoadPace::Closed { window } => load.closed(window, time),
            LoadPace::Bursts { lines } => load.bursts(lines, time),
            LoadPace::Open { deliveries } => {
                let rate = deliveries / load.listeners.len() as f64;
                load.open(rate, |_, elapsed| Ok(elapsed < time))
            }
        })?;
    }
    Ok(())
}
