//! What the server says to one person, as values. Knows no wording: each dialect has its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::command::Spec;
use super::refusal::Refusal;
use crate::model::{Act, Damaged, Line, Missed, Name, RoomName, Said, WallTime, Who};

/// The answer to a command, or a notice of the server.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Help on all commands, or on one.
    Help(Option<&'static Spec>),
    /// The people in a room.
    Who {
        /// The room.
        room: RoomName,
        /// The last speakers first; at most [`WHO_MAX`].
        people: Vec<Present>,
        /// How many others there are.
        others: usize,
        /// How many listeners there are.
        listening: usize,
    },
    /// A page of the names of everybody in a room.
    People(PeoplePage),
    /// The rooms.
    Rooms {
        /// The largest first; at most [`ROOMS_MAX`].
        rooms: Vec<RoomInfo>,
        /// How many others there are.
        others: usize,
    },
    /// The person has this name now.
    YouAre(Name),
    /// A room's topic.
    Topic {
        /// The room.
        room: RoomName,
        /// The topic, if it has one.
        text: Option<Line>,
    },
    /// A private message, as both sides read it.
    Private {
        /// Who wrote it.
        from: Who,
        /// The recipient.
        to: Name,
        /// The words.
        text: Line,
    },
    /// This person's lines are hidden from now on.
    Ignoring(Who),
    /// The lines of the person with this name are shown again.
    Unignored(Line),
    /// Whether arrivals and departures are hidden from now on.
    Quiet(bool),
    /// Whether the person's own lines are shown from now on.
    Echo(bool),
    /// A line that has been found.
    Found {
        /// Where it was said.
        room: RoomName,
        /// The line.
        said: Said,
    },
    /// How many more lines were found than were shown.
    FoundMore {
        /// How many; 0 if nobody knows.
        lines: u64,
        /// Whether all were counted.
        is_all: bool,
    },
    /// No line has these words.
    FoundNothing(Line),
    /// How many lines cannot be found yet.
    SearchBehind(u64),
    /// Asks for a password.
    Password(PasswordFor),
    /// The name is registered.
    Registered(Name),
    /// The name has another password; everything that used the old one has ended.
    PasswordChanged {
        /// The name.
        name: Name,
        /// Whether the token still works.
        keeps_token: bool,
    },
    /// The code that brings the person back after a lost connection.
    Code(Line),
    /// The token with which scripts speak under the person's name.
    Token(Line),
    /// The token has ended; false if there was none.
    TokenRevoked(bool),
    /// The person is back under this name; the lines since then follow.
    WelcomeBack(Name),
    /// The recipient is away, and reads the message on coming back.
    KeptFor(Name),
    /// How many messages came while the person was away; they follow.
    WhileAway(usize),
    /// A message that came while the person was away.
    KeptMessage {
        /// When it was written.
        at: WallTime,
        /// Who wrote it.
        from: Name,
        /// The recipient.
        to: Name,
        /// The words.
        text: Line,
    },
    /// What the owner of this name can delete, and how.
    CanDelete(Name),
    /// How many of the person's lines are deleted.
    Deleted(u64),
    /// There are no lines for what was asked.
    NothingKept,
    /// An act is done.
    Act(Arc<Act>),
    /// Everybody was told.
    Told {
        /// How many people.
        people: usize,
        /// How many are not reading, and were not told.
        deaf: usize,
    },
    /// It is done, but holds only until the server stops, because it could not be stored.
    Unstored(Box<Answer>),
    /// Everybody on the server.
    Everybody(Vec<Visitor>),
    /// The bans that hold.
    Bans {
        /// The newest first.
        bans: Vec<Act>,
        /// How many others there are.
        others: usize,
    },
    /// The keepers.
    Keepers {
        /// The room and its keepers, if the question was about a room.
        room: Option<(RoomName, Vec<Name>)>,
        /// The keepers of the server.
        server: Vec<Name>,
    },
    /// It cannot be done.
    Refused(Refusal),
    /// A notice that nobody asked for.
    Notice(Notice),
}

/// How many people an answer names: they fit into a mailbox even with the longest names.
pub const WHO_MAX: usize = 150;

/// How many names a page of people has: they fit into a mailbox even with the longest names.
pub const PEOPLE_MAX: usize = 200;

/// A page of the people in a room.
#[derive(Clone, Debug)]
pub struct PeoplePage {
    /// The room.
    pub room: RoomName,
    /// Their names, at most [`PEOPLE_MAX`]; a name on several connections may be there several
    /// times.
    pub names: Vec<Name>,
    /// The position in the room's log at which this was so.
    pub position: u64,
    /// With what to ask for the next page; none if this is the last.
    pub next: Option<u64>,
}

/// How many rooms an answer names: they fit into a mailbox with the longest names and usual topics.
pub const ROOMS_MAX: usize = 50;

/// A person in a room.
#[derive(Clone, Debug)]
pub struct Present {
    /// The name worn.
    pub name: Name,
    /// How long they have said nothing here.
    pub silent: Duration,
    /// The address, for keepers only.
    pub address: Option<SocketAddr>,
}

/// A room as it is listed.
#[derive(Clone, Debug)]
pub struct RoomInfo {
    /// Its name.
    pub room: RoomName,
    /// How many people are in it.
    pub people: usize,
    /// Its topic.
    pub topic: Option<Line>,
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Answer {
        Answer::Refused(refusal)
    }
}

/// What a password is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordFor {
    /// To show that the person owns this name.
    Of(Name),
    /// To show once more that the person owns this name, which they have now.
    Present(Name),
    /// To be the password of this name from now on.
    New(Name),
    /// To compare it with the first, against typing mistakes.
    Again,
}

/// A notice that nobody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The person read too slowly and missed these lines.
    Skipped(Missed),
    /// These lines are left out for a person who comes back: they are too many to show at once, or
    /// gone.
    PassedOver(Missed),
    /// These of the wanted lines have left the log meanwhile.
    LeftTheLog(Missed),
    /// These of the wanted lines are damaged.
    Damaged(Damaged),
    /// A commit takes long.
    DiskSlow,
    /// The connection closes soon, because nothing is typed.
    Idle {
        /// How long nothing was typed.
        silent: Duration,
        /// How long is left.
        left: Duration,
    },
    /// The connection closes, because nothing was typed for this long.
    IdleClosed(Duration),
    /// The server stops.
    GoingDown,
    /// A keeper or the operator did something that concerns this person.
    Act(Arc<Act>),
}

impl Answer {
    /// What it takes in memory, in bytes; an estimate.
    pub(crate) fn weight(&self) -> usize {
        let text = |line: &Option<Line>| line.as_ref().map_or(0, |line| line.as_str().len());
        let inside: usize = match self {
            Answer::Who { people, .. } => people
                .iter()
                .map(|p| size_of::<Present>() + p.name.as_str().len())
                .sum(),
            Answer::People(PeoplePage { names, .. }) => names
                .iter()
                .map(|name| size_of::<Name>() + name.as_str().len())
                .sum(),
            Answer::Rooms { rooms, .. } => rooms
                .iter()
                .map(|r| size_of::<RoomInfo>() + r.room.as_str().len() + text(&r.topic))
                .sum(),
            Answer::Private { text, .. }
            | Answer::KeptMessage { text, .. }
            | Answer::FoundNothing(text) => text.as_str().len(),
            Answer::Found { said, .. } => said.weight(),
            Answer::Topic { text: topic, .. } => text(topic),
            Answer::Act(act) => act.weight(),
            Answer::Unstored(answer) => answer.weight(),
            Answer::Bans { bans, .. } => bans.iter().map(Act::weight).sum(),
            Answer::Keepers { room, server } => {
                let room = room.as_ref().map_or(0, |(_, keepers)| keepers.len());
                (room + server.len()) * size_of::<Name>()
            }
            _ => 64,
        };
        size_of::<Answer>() + inside
    }
}

/// A person on the server, as the operator sees them.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The name worn.
    pub name: Name,
    /// Where the connection comes from.
    pub address: Option<SocketAddr>,
    /// The rooms in which they sit.
    pub rooms: Vec<RoomName>,
    /// How long they have said nothing.
    pub silent: Duration,
}

/// How many bans a person in a room reads: they fit into a mailbox with usual reasons.
pub const BANS_SHOWN_MAX: usize = 50;
