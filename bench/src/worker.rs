//! A load in a process of its own, so that several servers can be loaded in turns and each has all its clients at once:
//! one process may not hold enough descriptors for all. Orders and samples are lines of JSON.

use std::io::{BufRead, BufReader, Lines, Write, stdin, stdout};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use rustix::process::Pid;
use serde::{Deserialize, Serialize};

use crate::load::{Load, Role, Sample};
use crate::machine::{at_the_door, on_cores};
use crate::target::{Dialect, Server, Target, this_program};

/// So many come at a time: some servers let ten wait to be accepted, and whoever is one too many tries again only after
/// a second.
const COME_AT_ONCE: usize = 8;

/// A server that has not accepted them after so long is let alone: the roll call tells.
const ACCEPT_TIME: Duration = Duration::from_secs(5);

/// What a worker is told on its command line.
#[derive(Debug, Serialize, Deserialize)]
struct Assignment {
    address: SocketAddr,
    server: i32,
    dialect: Dialect,
    listeners: usize,
    speakers: usize,
}

/// One stretch of load.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) enum Order {
    /// So many lines under way at once.
    Closed { window: usize, seconds: f64 },
    /// So many lines at once, and nothing else under way.
    Bursts { lines: usize, seconds: f64 },
    /// So many lines a second.
    Open { rate: f64, seconds: f64 },
}

/// A server and its load.
pub(crate) struct Worker {
    orders: ChildStdin,
    samples: Lines<BufReader<ChildStdout>>,
    load: Child,
    _server: Server,
}

impl Worker {
    /// Starts the server and its clients, and waits until all of them are in the room.
    pub(crate) fn start(
        target: &Target,
        server_cores: &[usize],
        load_core: usize,
        listeners: usize,
        speakers: usize,
    ) -> anyhow::Result<Worker> {
        let server = target.start(server_cores)?;
        let assignment = Assignment {
            address: server.address,
            server: server.process().as_raw_nonzero().get(),
            dialect: target.dialect,
            listeners,
            speakers,
        };
        let mut command = Command::new(this_program()?);
        command
            .args(["load", &serde_json::to_string(&assignment)?])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut load = on_cores(&[load_core], || command.spawn())??;
        let orders = load.stdin.take().context("no way to give orders")?;
        let samples = load.stdout.take().context("no way to get samples")?;
        let mut worker = Worker {
            orders,
            samples: BufReader::new(samples).lines(),
            load,
            _server: server,
        };
        worker.answer::<()>().with_context(|| target.name.clone())?;
        Ok(worker)
    }

    pub(crate) fn run(&mut self, order: Order) -> anyhow::Result<Sample> {
        writeln!(self.orders, "{}", serde_json::to_string(&order)?)?;
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

/// The other end: carries out orders until there are no more.
pub(crate) fn work(assignment: &str) -> anyhow::Result<()> {
    let assignment: Assignment = serde_json::from_str(assignment)?;
    let server = Pid::from_raw(assignment.server).context("no such process")?;
    let mut load = None;
    answer(come(&assignment).map(|ready| load = Some(ready)))?;
    let Some(mut load) = load else {
        return Ok(());
    };
    for line in stdin().lines() {
        let sample = match serde_json::from_str(&line?)? {
            Order::Closed { window, seconds } => {
                load.closed(window, Duration::from_secs_f64(seconds), server)
            }
            Order::Bursts { lines, seconds } => {
                load.bursts(lines, Duration::from_secs_f64(seconds), server)
            }
            Order::Open { rate, seconds } => {
                load.open(rate, server, |_, at| Ok(at.as_secs_f64() < seconds))
            }
        };
        answer(sample)?;
    }
    Ok(())
}

fn come(assignment: &Assignment) -> anyhow::Result<Load> {
    let mut load = Load::new(assignment.address, assignment.dialect)?;
    load.add_all(Role::Speaker, assignment.speakers)?;
    for listener in 0..assignment.listeners {
        if listener % COME_AT_ONCE == 0 {
            wait_until_accepted(&mut load, assignment.address.port())?;
        }
        load.add(Role::Listener)?;
    }
    load.settle()?;
    Ok(load)
}

fn wait_until_accepted(load: &mut Load, port: u16) -> anyhow::Result<()> {
    load.connect_all()?;
    let until = Instant::now() + ACCEPT_TIME;
    while at_the_door(port)? > Some(0) && Instant::now() < until {
        load.turn(Duration::from_millis(1))?;
    }
    Ok(())
}

fn answer<T: Serialize>(answer: anyhow::Result<T>) -> anyhow::Result<()> {
    let answer = answer.map_err(|error| format!("{error:#}"));
    writeln!(stdout(), "{}", serde_json::to_string(&answer)?)?;
    Ok(())
}
