//! What the server says to one person, as values. Knows no wording: each dialect has its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::command::Spec;
use super::refusal::Refusal;
use crate::model::{Act, Damaged, Line, Missed, Name, RoomName, Said, WallTime, Who};

/// The answer to a command, or a word of the server's own.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The commands, or one of them.
    Help(Option<&'static Spec>),
    /// Who is in a room.
    Who {
        /// The room.
        room: RoomName,
        /// Those who spoke last, first; at most [`WHO_MAX`].
        people: Vec<Present>,
        /// How many there are beside them.
        others: usize,
        /// How many read there without being there.
        listening: usize,
    },
    /// The names of people in a room: one page of all of them.
    People(PeoplePage),
    /// The rooms there are.
    Rooms {
        /// The largest first; at most [`ROOMS_MAX`].
        rooms: Vec<RoomInfo>,
        /// How many there are beside them.
        others: usize,
    },
    /// One wears this name now.
    YouAre(Name),
    /// A room's topic.
    Topic {
        /// The room.
        room: RoomName,
        /// Its topic, if it has one.
        text: Option<Line>,
    },
    /// A private message, as both sides read it.
    Private {
        /// Who wrote it.
        from: Who,
        /// For whom it is.
        to: Name,
        /// The words.
        text: Line,
    },
    /// This person's lines are hidden from now on.
    Ignoring(Who),
    /// The lines of whoever is called so are shown again.
    Unignored(Line),
    /// Whether arrivals and departures are hidden from now on.
    Quiet(bool),
    /// Whether the own lines are shown from now on.
    Echo(bool),
    /// A line that has been found.
    Found {
        /// Where it was said.
        room: RoomName,
        /// The line.
        said: Said,
    },
    /// There are so many beside those that were shown.
    FoundMore {
        /// How many; 0 where nobody knows.
        lines: u64,
        /// Whether all have been counted.
        is_all: bool,
    },
    /// No line has these words.
    FoundNothing(Line),
    /// So many lines cannot be found yet.
    SearchBehind(u64),
    /// What the person is to type next is a password.
    Password(PasswordFor),
    /// The name is this person's own from now on.
    Registered(Name),
    /// The name has another password, and what the one before had opened is over.
    PasswordChanged {
        /// The name.
        name: Name,
        /// Whether the token is good all the same.
        keeps_token: bool,
    },
    /// What one comes back with who has lost the connection.
    Code(Line),
    /// What scripts speak with under one's name.
    Token(Line),
    /// The token is good no more; or there was none.
    TokenRevoked(bool),
    /// One is back under this name; what was said since then follows.
    WelcomeBack(Name),
    /// The person is away, and finds the message on coming back.
    KeptFor(Name),
    /// So many messages were kept while one was away; they follow.
    WhileAway(usize),
    /// A message that was kept while one was away.
    Letter {
        /// When it was written.
        at: WallTime,
        /// Who wrote it.
        from: Name,
        /// For whom it is.
        to: Name,
        /// The words.
        text: Line,
    },
    /// What the owner of this name can take back, and how.
    CanTakeBack(Name),
    /// So many of one's lines are taken back.
    TakenBack(u64),
    /// The history that was asked for has no line.
    NothingKept,
    /// What somebody asked for is done.
    Act(Arc<Act>),
    /// Everybody has been told.
    Told {
        /// How many people.
        people: usize,
        /// How many are not reading, and have not been told.
        deaf: usize,
    },
    /// It is done, and holds until the server ends: it could not be stored.
    Unstored(Box<Answer>),
    /// These people are in the house.
    Everybody(Vec<Visitor>),
    /// The bans that hold.
    Bans {
        /// The newest first.
        bans: Vec<Act>,
        /// How many there are beside them.
        others: usize,
    },
    /// The keepers.
    Keepers {
        /// The room and its keepers, where one was asked about.
        room: Option<(RoomName, Vec<Name>)>,
        /// Those of the server.
        server: Vec<Name>,
    },
    /// It cannot be done.
    Refused(Refusal),
    /// A word nobody asked for.
    Notice(Notice),
}

/// So many people of a long roster are answered: they fit a mailbox at the longest names.
pub const WHO_MAX: usize = 150;

/// A page of the people in a room has so many names: they fit a mailbox at the longest names.
pub const PEOPLE_MAX: usize = 200;

/// A page of the people in a room.
#[derive(Clone, Debug)]
pub struct PeoplePage {
    /// The room.
    pub room: RoomName,
    /// Their names, at most [`PEOPLE_MAX`]; a name on several connections may come again.
    pub names: Vec<Name>,
    /// How much of the room's log had been appended when it was so.
    pub position: u64,
    /// What to ask for the page behind this one with; none where this is the last.
    pub next: Option<u64>,
}

/// So many rooms are answered: they fit a mailbox at the longest names and usual topics.
pub const ROOMS_MAX: usize = 50;

/// Somebody in a room.
#[derive(Clone, Debug)]
pub struct Present {
    /// The name worn.
    pub name: Name,
    /// How long they have said nothing here.
    pub silent: Duration,
    /// Where they come from: for those alone who keep order.
    pub address: Option<SocketAddr>,
}

/// A room as it is listed.
#[derive(Clone, Debug)]
pub struct RoomInfo {
    /// Its name.
    pub room: RoomName,
    /// How many people are in it.
    pub people: usize,
    /// What it is about.
    pub topic: Option<Line>,
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Answer {
        Answer::Refused(refusal)
    }
}

/// For a password that is to be typed: what it is to be good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordFor {
    /// To show that one is the owner of this name.
    Of(Name),
    /// To show once more that one is the owner of this name, which one wears.
    Present(Name),
    /// To be the one for this name from now on.
    New(Name),
    /// To be typed once more, against mistakes.
    Again,
}

/// A word nobody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// These lines were passed over, because they were read too slowly.
    Skipped(Missed),
    /// These lines were passed over for somebody who comes back: they are too many to be shown at once, or gone.
    PassedOver(Missed),
    /// Of the lines asked for these have left the log meanwhile.
    NotKeptAnyMore(Missed),
    /// These lines were asked for, and are damaged.
    Damaged(Damaged),
    /// A commit takes long.
    DiskSlow,
    /// Closing soon for want of a line.
    Idle {
        /// How long nothing was typed.
        silent: Duration,
        /// How long is left.
        left: Duration,
    },
    /// Closed for want of a line.
    IdleClosed(Duration),
    /// The server ends.
    GoingDown,
    /// Something is done with authority.
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
            | Answer::Letter { text, .. }
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

/// Somebody in the house, as the operator sees them.
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

/// So many bans are answered to somebody in a room: they fit a mailbox with usual reasons.
pub const BANS_SHOWN_MAX: usize = 50;
