//! The checker: what clients saw, held against what the journal kept.
//!
//! Knows no server and no socket: it reads text, and the record of a journal. A simulator, a test
//! that kills the server and a long run under load hand it the same things:
//!
//! - the journal's record, with arrivals and departures where the journal was a recording one, or
//!   else with lines only;
//! - every byte that each client received, and how its connection ended.
//!
//! Whoever speaks in such a test says [`token`]s, so that each line is said once.
#![allow(dead_code, reason = "not every test needs all of it")]

mod journal;
mod text;
mod trace;
mod web;

#[cfg(test)]
mod tests;

use std::fmt;

pub(crate) use text::{Shown, together};

/// All there is to check.
#[derive(Clone, Debug, Default)]
pub(crate) struct Story {
    /// What the journal kept: each room, from being made to being forgotten.
    pub(crate) rooms: Vec<Room>,
    /// What clients saw.
    pub(crate) readers: Vec<Reader>,
}

/// What the journal kept of one room.
#[derive(Clone, Debug, Default)]
pub(crate) struct Room {
    pub(crate) name: String,
    pub(crate) events: Vec<Event>,
    /// Whether all that happened is among the events, and not only what was said.
    pub(crate) is_whole: bool,
}

/// One thing that happened in a room.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// In which commit; these are in order in the whole house.
    pub(crate) commit: u64,
    /// Who did it, through all renames; the number is the test's own. None where it was nobody who is in the room.
    pub(crate) person: Option<usize>,
    pub(crate) kind: Kind,
    /// How it is shown to whoever is shown it.
    pub(crate) shown: Shown,
}

/// What about an event its text does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Something said, with its number and its time in milliseconds.
    Line { seq: u64, at: i64 },
    /// Somebody came or went, and everybody reads so at once.
    Told,
    /// Somebody came or went in a crowd: only classic readers are told.
    Folded,
    /// Only told now that somebody came or went, which happened before: named readers are told.
    Late,
    /// How many came or went: named readers are told.
    Summary,
    /// A rename or a topic.
    Other,
}

/// What one client received.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    /// Who it is, by the numbers of [`Event::person`]; none where the record has no persons.
    pub(crate) person: Option<usize>,
    pub(crate) dialect: Dialect,
    /// Every byte.
    pub(crate) text: Vec<u8>,
    pub(crate) end: End,
    /// Whether it has left the house, though the connection may break before it has read that.
    pub(crate) has_left: bool,
    /// Whether it fell off the log where no line was lost, of which nobody is told: then some
    /// arrivals and departures may be missing.
    pub(crate) fell_silently: bool,
    /// What it read without being there; then it reads nothing else.
    pub(crate) listened: Option<Listened>,
}

/// What somebody reads who is not there: a piece of a room.
#[derive(Clone, Debug)]
pub(crate) struct Listened {
    /// Which of the story's rooms.
    pub(crate) room: usize,
    /// Behind so many of its events.
    pub(crate) from: usize,
    /// Before the event behind so many; none where it listens still.
    pub(crate) to: Option<usize>,
}

/// Which lines a client reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Named,
    Classic,
    /// Objects in the frames of a WebSocket: several rooms at once.
    Web,
}

/// How what a client received ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It is still here, and had time to read everything.
    Here,
    /// It left, and read up to its departure.
    Left,
    /// The connection broke.
    Broken,
}

/// A promise that was not kept.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    pub(crate) rule: Rule,
    /// Who saw what, where.
    pub(crate) what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.what)
    }
}

/// What is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The numbers of a room's lines are 1, 2, 3, ...
    Dense,
    /// Times in a room never decrease.
    Time,
    /// Each speaker's lines stand in the order spoken.
    Spoken,
    /// Whoever arrives was not there, whoever leaves or speaks was.
    Balance,
    /// A name is worn by one person.
    Name,
    /// Every output is lines of text without control bytes.
    Text,
    /// Whatever is seen was kept.
    Kept,
    /// Everybody sees a room's events in their order, none twice.
    Order,
    /// Received and skipped lines are all lines that were said meanwhile.
    Count,
    /// Who is told of whom, on entering and afterwards.
    Presence,
    /// After the faults everybody has read everything.
    Converged,
    /// An answer stands behind the lines that were said before the question.
    Answer,
    /// A private message is read by two people, once each.
    Private,
}

/// The first promise that was not kept, if any.
pub(crate) fn check(story: &Story) -> Result<(), Broken> {
    journal::check(&story.rooms)?;
    for (number, reader) in story.readers.iter().enumerate() {
        trace::check(&story.rooms, reader).map_err(|Broken { rule, what }| Broken {
            rule,
            what: format!("reader {number} (person {:?}): {what}", reader.person),
        })?;
    }
    trace::check_privates(&story.readers)
}

/// What a speaker says for the `number`th time: like nothing else that is said.
pub(crate) fn token(speaker: usize, number: u64) -> String {
    format!("s{speaker}n{number}")
}

/// The speaker and number of a token at the beginning of what was said.
fn parse_token(text: &str) -> Option<(usize, u64)> {
    let word = text.split(|c: char| !c.is_ascii_alphanumeric()).next()?;
    let (speaker, number) = word.strip_prefix('s')?.split_once('n')?;
    Some((speaker.parse().ok()?, number.parse().ok()?))
}

/// To whom nobody is called like: who writes to this name is answered that there is nobody, and so
/// shows that the answer stands behind the own line.
pub(crate) fn nobody_after(token: &str) -> String {
    format!("after.{token}")
}

fn broken(rule: Rule, what: String) -> Broken {
    Broken { rule, what }
}
