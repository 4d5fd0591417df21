//! A crowd at one node, in a separate process: one process may not hold enough descriptors for the
//! crowds of all nodes. People come, speak and read on request.

use std::collections::BTreeMap;
use std::io::stdin;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

use super::client::Role;
use super::clients::{ClientId, Load};
use super::messages::text;
use super::process::{LoadProcess, print};
use super::story::Story;
use crate::server::Protocol;

/// The numbers of the lines of one crowd, and of the next one, are so far apart.
const NUMBERS: u32 = 1 << 28;

/// Names have numbers that are so far apart.
const NAMES: usize = 1_000_000;

/// How often somebody says a line until all people of a crowd have read one.
const ROLL_CALL: Duration = Duration::from_secs(1);

/// How long people wait without reading anything before the crowd gives up.
const SILENCE: Duration = Duration::from_secs(60);

/// How long one turn waits for anything to receive.
const TURN: Duration = Duration::from_millis(20);

/// The server of a crowd.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CrowdAssignment {
    pub(crate) door: SocketAddr,
    pub(crate) protocol: Protocol,
    /// The number of the crowd, from 0 to 15, which no other one has.
    pub(crate) number: u32,
}

/// The tasks of a crowd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum CrowdTask {
    /// This many people come at once; until nothing has come for `quiet` milliseconds.
    Come { people: usize, quiet: u64 },
    /// People read until nothing has come for `quiet` milliseconds.
    Read { quiet: u64 },
    /// Somebody says a line now and then until everybody has read one.
    CallTheRoll,
    /// Begins to note what everybody reads.
    Note,
    /// The next people say a line each; until everybody has read `until` lines since `Note`.
    Speak { people: usize, until: u64 },
}

/// The result of a task.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct CrowdReport {
    /// Seconds until the last byte came that somebody received.
    pub(crate) seconds: f64,
    /// Bytes received.
    pub(crate) bytes: f64,
    /// People whose connections the server has closed, since the beginning.
    pub(crate) closed: usize,
    /// The reading of people since `Note`: lines, order, and the number of people with both.
    pub(crate) stories: Vec<(u64, u64, usize)>,
}

/// Crowds at several nodes, each in a process of its own.
pub(crate) struct Crowds(Vec<LoadProcess>);

impl Crowds {
    /// Processes without people, on the cores of this one.
    pub(crate) fn start(assignments: &[CrowdAssignment]) -> anyhow::Result<Crowds> {
        let starts = assignments.iter().map(|assignment| LoadProcess::start("crowd", assignment));
        Ok(Crowds(starts.collect::<anyhow::Result<_>>()?))
    }

    /// Lets all crowds carry out a task at the same time.
    pub(crate) fn ask(&mut self, task: CrowdTask) -> anyhow::Result<Vec<CrowdReport>> {
        self.0.iter_mut().try_for_each(|crowd| crowd.request(&task))?;
        self.0.iter_mut().map(LoadProcess::answer).collect()
    }

    /// Adds a process without people.
    pub(crate) fn add(&mut self, assignment: &CrowdAssignment) -> anyhow::Result<()> {
        self.0.push(LoadProcess::start("crowd", assignment)?);
        Ok(())
    }

    /// Lets the last crowd carry out a task.
    pub(crate) fn ask_last(&mut self, task: CrowdTask) -> anyhow::Result<CrowdReport> {
        let last = self.0.last_mut().context("there is no crowd")?;
        last.request(&task)?;
        last.answer()
    }

    /// Ends a crowd: its people are gone at once.
    pub(crate) fn end(&mut self, place: usize) {
        drop(self.0.remove(place));
    }
}

/// The people of a process.
struct NodeCrowd {
    load: Load,
    number: u32,
    /// The number of lines that they have said.
    said: u32,
    /// The number of deliveries when stories began.
    noted: u64,
}

impl NodeCrowd {
    fn new(mut load: Load, number: u32) -> NodeCrowd {
        load.come = number as usize * NAMES;
        NodeCrowd { load, number, said: 0, noted: 0 }
    }

    /// Carries out a task.
    fn carry_out(&mut self, task: CrowdTask) -> anyhow::Result<CrowdReport> {
        let (start, before) = (Instant::now(), self.load.counts.bytes);
        let last = match task {
            CrowdTask::Come { people, quiet } => {
                self.load.add_all(Role::Bystander, people)?;
                self.load.receive_until_quiet(Duration::from_millis(quiet))?
            }
            CrowdTask::Read { quiet } => {
                self.load.receive_until_quiet(Duration::from_millis(quiet))?
            }
            CrowdTask::CallTheRoll => self.call_the_roll()?,
            CrowdTask::Note => {
                self.load.note_stories();
                self.noted = self.load.counts.deliveries;
                start
            }
            CrowdTask::Speak { people, until } => self.speak(people, until)?,
        };
        Ok(CrowdReport {
            seconds: last.saturating_duration_since(start).as_secs_f64(),
            bytes: (self.load.counts.bytes - before) as f64,
            closed: self.load.closed_by_server(),
            stories: self.stories(),
        })
    }

    fn call_the_roll(&mut self) -> anyhow::Result<Instant> {
        let mut progress = Instant::now();
        let (mut fewest, mut called) = (usize::MAX, None::<Instant>);
        while self.load.outside > 0 {
            if called.is_none_or(|called| called.elapsed() >= ROLL_CALL) {
                self.say()?;
                called = Some(Instant::now());
            }
            self.load.turn(TURN)?;
            if self.load.outside < fewest {
                (fewest, progress) = (self.load.outside, Instant::now());
            }
            ensure!(progress.elapsed() < SILENCE, "{fewest} people are not in the room");
        }
        Ok(Instant::now())
    }

    /// The next people say a line each, and everybody reads until this many lines. Nobody reads more,
    /// as nobody says more.
    fn speak(&mut self, people: usize, until: u64) -> anyhow::Result<Instant> {
        (0..people).try_for_each(|_| self.say())?;
        let mut progress = Instant::now();
        let end = self.noted + until * self.load.crowd.len() as u64;
        while self.load.counts.deliveries < end {
            let before = self.load.counts.deliveries;
            self.load.turn(TURN)?;
            let missing = end.saturating_sub(self.load.counts.deliveries);
            if self.load.counts.deliveries > before {
                progress = Instant::now();
            }
            ensure!(progress.elapsed() < SILENCE, "{missing} lines have not come for {SILENCE:?}");
        }
        Ok(Instant::now())
    }

    /// The next person says a line.
    fn say(&mut self) -> anyhow::Result<()> {
        let place = (self.said as usize).checked_rem(self.load.crowd.len());
        let speaker = place.and_then(|place| self.load.crowd.get(place)).copied();
        let number = self.number * NUMBERS + self.said % NUMBERS;
        self.said += 1;
        self.load.send_line(speaker.context("nobody is there")?, &text(number))
    }

    fn stories(&self) -> Vec<(u64, u64, usize)> {
        let mut stories: BTreeMap<Story, usize> = BTreeMap::new();
        self.load.stories().for_each(|story| *stories.entry(story).or_default() += 1);
        stories.into_iter().map(|(story, people)| (story.lines, story.order, people)).collect()
    }
}

impl Load {
    /// Begins to note what each client reads.
    fn note_stories(&mut self) {
        self.clients.iter_mut().for_each(|client| client.story = Some(Story::default()));
    }

    /// The story of each connected client since then.
    fn stories(&self) -> impl Iterator<Item = Story> {
        let here = self.clients.iter().filter(|client| client.socket.is_some());
        here.filter_map(|client| client.story)
    }

    /// A client sends a line at once.
    fn send_line(&mut self, id: ClientId, text: &str) -> anyhow::Result<()> {
        let client = &mut self.clients[id];
        self.protocol.say(text.as_bytes(), &mut client.unsent);
        client.send_some()?;
        ensure!(client.unsent.is_empty(), "the server reads nothing from {id}");
        Ok(())
    }
}

/// The process of a crowd: carries out tasks until the last one.
pub(crate) fn gather(assignment: &str) -> anyhow::Result<()> {
    let CrowdAssignment { door, protocol, number } = serde_json::from_str(assignment)?;
    let load = Load::new(Vec::new(), vec![door], protocol)?;
    let mut crowd = NodeCrowd::new(load, number);
    for line in stdin().lines() {
        print(crowd.carry_out(serde_json::from_str(&line?)?))?;
    }
    Ok(())
}
