//! The checker: compares the output of clients with the record of the journal.
//!
//! Knows no server and no socket: it reads text, and the record of a journal. The simulator and the
//! test that kills the server provide:
//!
//! - the journal's record, with arrivals and departures where the journal was a recording one, or
//!   else with lines only;
//! - every byte that each client received, and how its connection ended.
//!
//! Speakers in such a test say [`token`]s, so that each line is unique.
#![allow(dead_code, unused_imports, reason = "not every test needs all of it")]

mod acts;
mod away;
mod invitations;
mod irc;
mod irc_ranks;
mod irc_trace;
mod journal;
mod private;
mod text;
mod trace;
mod web;

#[cfg(test)]
mod irc_tests;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fmt;

pub(crate) use private::{PrivateId, check_privates, parse_private, private_token};
pub(crate) use text::{Parameter, Shown, together};

/// Everything to check.
#[derive(Clone, Debug, Default)]
pub(crate) struct Story {
    /// The journal's rooms; a room that was deleted and made again is a new one.
    pub(crate) rooms: Vec<Room>,
    /// The clients that read.
    pub(crate) readers: Vec<Reader>,
    /// Whether these are all rooms and all clients of the server.
    pub(crate) is_whole: bool,
    /// The names of people whose connections broke, so that they may have lost mail. Filled if the story
    /// is whole.
    pub(crate) names_cut_off: HashSet<String>,
    /// Whether something could not be stored, and was undone.
    pub(crate) was_undone: bool,
}

impl Story {
    /// Whether somebody under this name may have lost mail.
    fn may_have_lost(&self, name: &str) -> bool {
        self.names_cut_off.contains(name)
    }
}

/// The journal's record of one room.
#[derive(Clone, Debug, Default)]
pub(crate) struct Room {
    pub(crate) name: String,
    /// The number of its lines before these events.
    pub(crate) before: u64,
    pub(crate) events: Vec<Event>,
    /// Whether the events are complete, or only the lines.
    pub(crate) is_whole: bool,
}

/// An event in a room.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// The commit; commits are in order on the whole server.
    pub(crate) commit: u64,
    /// The person, under every name; the test assigns the numbers. None for an event that is not by
    /// a person in the room.
    pub(crate) person: Option<usize>,
    pub(crate) kind: Kind,
    /// The event as its readers see it.
    pub(crate) shown: Shown,
    /// Whether the person reads on: a departure because the node has to begin another boot, or the
    /// arrival after it.
    pub(crate) reads_on: bool,
    /// The letters of the ranks that the server tells with MODE, behind a JOIN under the new name and
    /// behind one under the old name.
    pub(crate) ranks: [&'static str; 2],
}

impl Event {
    /// Whether this is an arrival or departure; a late one only announces it.
    pub(crate) fn is_change(&self) -> bool {
        matches!(self.kind, Kind::Told | Kind::Folded | Kind::Untold)
    }
}

/// Nobody has a rank.
pub(crate) const NO_RANKS: [&str; 2] = [""; 2];

/// Details of an event that its text does not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A line, with its number and its time in milliseconds.
    Line { seq: u64, at: i64 },
    /// An arrival or departure that everybody reads at once.
    Told,
    /// An arrival or departure in a crowd, which only classic readers see.
    Folded,
    /// An earlier arrival or departure that is announced only now: named readers see it.
    Late,
    /// A count of arrivals or departures: named readers see it.
    Summary,
    /// A departure that nobody reads, because the person comes back on another connection, or the
    /// arrival there.
    Untold,
    /// A rename or a topic.
    Other,
    /// A new name in whose place the room sees a departure, an arrival, or both, as another connection
    /// of the owner has one of the names.
    ByRoom { leaves: bool, arrives: bool },
    /// A change that only some clients of IRC see, and the checker does not follow.
    Unseen,
}

/// One client's output.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    /// The person, by the number of [`Event::person`]; none if the record has no persons.
    pub(crate) person: Option<usize>,
    pub(crate) dialect: Dialect,
    /// Every byte received.
    pub(crate) text: Vec<u8>,
    pub(crate) end: End,
    /// Whether it left the server, even if the connection broke before it read its departure.
    pub(crate) has_left: bool,
    /// Whether it fell off the log at a place where no line was lost, which is not announced: then
    /// arrivals and departures may be missing.
    pub(crate) fell_silently: bool,
    /// The piece of a room that it read without a seat; then it reads nothing else.
    pub(crate) listened: Option<Listened>,
    /// The capabilities of a client of IRC, with blanks between them.
    pub(crate) caps: &'static str,
    /// The PINGs of a client of IRC, each with what it has to see before the answer.
    pub(crate) barriers: Vec<Barrier>,
}

impl Reader {
    /// Whether a client of IRC has this capability.
    fn has(&self, cap: &str) -> bool {
        self.caps.split(' ').any(|known| known == cap)
    }
}

/// The events that were visible to a client when its PING was answered.
#[derive(Clone, Debug)]
pub(crate) struct Barrier {
    /// The word of the PING.
    pub(crate) token: String,
    /// For each of its rooms, the index of the room in the story, and the number of events.
    pub(crate) events: Vec<(usize, usize)>,
}

/// The piece of a room that a reader without a seat reads.
#[derive(Clone, Debug)]
pub(crate) struct Listened {
    /// The index of the room in the story.
    pub(crate) room: usize,
    /// The number of events before the piece.
    pub(crate) from: usize,
    /// The number of events up to its end; none while it still listens.
    pub(crate) to: Option<usize>,
}

/// The dialect that a client reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Named,
    Classic,
    /// Objects in the frames of a WebSocket: several rooms at once.
    Web,
    /// Messages of IRC: several rooms at once.
    Irc,
}

/// The end of a client's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It is still here, and had time to read everything.
    Here,
    /// It left, and read everything up to its departure.
    Left,
    /// The connection broke.
    Broken,
}

/// A broken promise.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    pub(crate) rule: Rule,
    /// The evidence: who saw what, and where.
    pub(crate) what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.what)
    }
}

/// The promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The numbers of a room's lines are 1, 2, 3, ...
    Dense,
    /// Times in a room never decrease.
    Time,
    /// Each speaker's lines are in the order spoken.
    Spoken,
    /// A person who arrives was absent; one who leaves or speaks was present.
    Balance,
    /// One person wears a name at a time.
    Name,
    /// Every output is lines of text without control bytes.
    Text,
    /// Everything seen was stored.
    Kept,
    /// Everybody sees a room's events in order, none twice.
    Order,
    /// Received and skipped lines are together all lines said meanwhile.
    Count,
    /// Arrivals, departures and rosters are right.
    Presence,
    /// Lists of people show the ranks that MODE has told.
    Rank,
    /// A client of IRC reads its welcome before anything from others.
    Welcome,
    /// After the faults everybody has read everything.
    Converged,
    /// An answer comes after the lines said before the question.
    Answer,
    /// Two people read a private message, once each, and those of an author in their order. Nobody reads
    /// one whose author was told so.
    Private,
    /// The person who is invited reads it, once, and nobody else.
    Invitation,
}

/// Returns the first broken promise, if any.
pub(crate) fn check(story: &Story) -> Result<(), Broken> {
    journal::check(&story.rooms)?;
    away::check(&story.rooms)?;
    for (number, reader) in story.readers.iter().enumerate() {
        trace::check(story, reader).map_err(|Broken { rule, what }| Broken {
            rule,
            what: format!("reader {number} (person {:?}): {what}", reader.person),
        })?;
    }
    check_privates(&story.readers, &HashSet::new())?;
    invitations::check(story)
}

/// The text that a speaker says as line `number`: it is unique.
pub(crate) fn token(speaker: usize, number: u64) -> String {
    format!("s{speaker}n{number}")
}

/// The speaker and number of the token at the beginning of a line.
fn parse_token(text: &str) -> Option<(usize, u64)> {
    let word = text.split(|c: char| !c.is_ascii_alphanumeric()).next()?;
    let (speaker, number) = word.strip_prefix('s')?.split_once('n')?;
    Some((speaker.parse().ok()?, number.parse().ok()?))
}

/// The name that has an owner, who may be here with several connections. Nobody else can have it.
pub(crate) const OWNED: &str = "olga";

/// A name that nobody has. A message to it is answered with that name, and so the answer shows that
/// it comes after the sender's own line.
pub(crate) fn nobody_after(token: &str) -> String {
    format!("after.{token}")
}

fn broken(rule: Rule, what: String) -> Broken {
    Broken { rule, what }
}
