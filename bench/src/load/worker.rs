//! A load in a separate process. So several servers can be loaded in turns while each has all its
//! clients: one process may not have enough descriptors for all. Requests and samples are lines of
//! JSON.

use std::io::{BufRead, BufReader, Lines, Write, stdin, stdout};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, anyhow};
use rustix::process::Pid;
use serde::{Deserialize, Serialize};

use super::{clients::Load, sample::Sample};
use crate::machine::on_cores;
use crate::server::{Protocol, RunningTarget, Target, this_program};

/// The task of a worker, from its command line.
#[derive(Debug, Serialize, Deserialize)]
struct Assignment {
    address: SocketAddr,
    server: i32,
    protocol: Protocol,
    listeners: usize,
    speakers: usize,
}

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

/// A server and its load.
pub(crate) struct Worker {
    requests: ChildStdin,
    samples: Lines<BufReader<ChildStdout>>,
    load: Child,
    _server: RunningTarget,
}

impl Worker {
    /// Starts the server and its clients, and waits until all of them are in the room.
    pub(crate) fn start(
        target: &Target,
        server_cores: &[usize],
        load_core: usize,
        [listeners, speakers]: [usize; 2],
    ) -> anyhow::Result<Worker> {
        let server = target.start(server_cores)?;
        let assignment = serde_json::to_string(&Assignment {
            address: server.address,
            server: server.process().as_raw_nonzero().get(),
            protocol: target.protocol,
            listeners,
            speakers,
        })?;
        let mut command = Command::new(this_program()?);
        command.args(["load", &assignment]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut load = on_cores(&[load_core], || command.spawn())??;
        let requests = load.stdin.take().context("the load has no stdin")?;
        let samples = load.stdout.take().context("the load has no stdout")?;
        let mut worker =
            Worker { requests, samples: BufReader::new(samples).lines(), load, _server: server };
        worker.answer::<()>()?;
        Ok(worker)
    }

    /// Loads the server at this pace for this many seconds.
    pub(crate) fn run(&mut self, pace: LoadPace, seconds: f64) -> anyhow::Result<Sample> {
        let request = serde_json::to_string(&(pace, seconds))?;
        writeln!(self.requests, "{request}")?;
        self.answer()
    }

    fn answer<T: for<'a> Deserialize<'a>>(&mut self) -> anyhow::Result<T> {
        let line = self.samples.next().context("the load has ended")??;
        let answer: Result<T, String> = serde_json::from_str(&line)?;
        answer.map_err(|error| anyhow!(error))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.load.kill().ok();
        self.load.wait().ok();
    }
}

/// The process of the load: answers requests until the last one.
pub(crate) fn work(assignment: &str) -> anyhow::Result<()> {
    let assignment: Assignment = serde_json::from_str(assignment)?;
    let server = Pid::from_raw(assignment.server).context("no such process")?;
    let clients = [assignment.listeners, assignment.speakers];
    let mut load = match Load::fill(assignment.address, assignment.protocol, clients) {
        Ok((load, _)) => load,
        Err(error) => return answer::<()>(Err(error)),
    };
    answer(Ok(()))?;
    for line in stdin().lines() {
        let (pace, seconds): (LoadPace, f64) = serde_json::from_str(&line?)?;
        let time = Duration::from_secs_f64(seconds);
        answer(match pace {
            LoadPace::Closed { window } => load.closed(window, time, server),
            LoadPace::Bursts { lines } => load.bursts(lines, time, server),
            LoadPace::Open { deliveries } => {
                let rate = deliveries / assignment.listeners as f64;
                load.open(rate, server, |_, elapsed| Ok(elapsed < time))
            }
        })?;
    }
    Ok(())
}

fn answer<T: Serialize>(answer: anyhow::Result<T>) -> anyhow::Result<()> {
    let answer = answer.map_err(|error| format!("{error:#}"));
    writeln!(stdout(), "{}", serde_json::to_string(&answer)?)?;
    Ok(())
}
