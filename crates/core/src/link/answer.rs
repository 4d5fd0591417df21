//! The server's messages to one person, as values. Knows no wording: each dialect has its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::roster::Occupant;
use super::sighting::{Bygone, FindablePage, RoomInfo, RoomsPage, Sighting, Totals, Whois};
use super::visitor::VisitorPage;
use super::watch::Watched;
use crate::command::Spec;
use crate::model::{
    Act, ConversationId, Damage, Entry, Line, Missed, Modes, Name, RoomName, RoomRules, Said,
    Spoken, TopicSet, WallTime, Who,
};
use crate::refusal::Refusal;

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
        /// The number of others.
        others: usize,
        /// The number of listeners.
        listening: usize,
        /// When this node lost the contact with the other nodes, if it is out of touch.
        as_of: Option<WallTime>,
    },
    /// A page of everybody in a room.
    People(PeoplePage),
    /// One person.
    Whois(Box<Whois>),
    /// The people who had a name.
    Whowas {
        /// The name, as typed.
        name: Line,
        /// The latest first.
        people: Vec<Bygone>,
    },
    /// The people who have these names now.
    Present(Vec<Sighting>),
    /// A page of the people whom a mask may find.
    Findable(FindablePage),
    /// The rooms to which the person is invited, the latest last.
    Invitations(Vec<RoomName>),
    /// The rooms.
    Rooms {
        /// The largest first; at most [`ROOMS_MAX`].
        rooms: Vec<RoomInfo>,
        /// The number of others.
        others: usize,
        /// When this node lost the contact with the other nodes, if it is out of touch.
        as_of: Option<WallTime>,
    },
    /// A page of all rooms.
    AllRooms(RoomsPage),
    /// Counts of people and rooms.
    Totals(Totals),
    /// The person has this name now.
    YouAre(Name),
    /// The modes of the person.
    Modes(Modes),
    /// Modes of the person have changed.
    ModesChanged {
        /// The modes that are set now.
        set: Modes,
        /// The modes that are removed now.
        removed: Modes,
    },
    /// A room's topic.
    Topic {
        /// The room.
        room: RoomName,
        /// The topic, if it has one.
        text: Option<Line>,
        /// The last change of it, if that is known.
        set: Option<TopicSet>,
    },
    /// The rules of a room.
    Rules {
        /// The room.
        room: RoomName,
        /// The rules. For people outside the password is a star.
        rules: Box<RoomRules>,
        /// Whether only keepers change the topic.
        is_topic_locked: bool,
        /// Since when there has always been somebody in the room; none if nobody is.
        since: Option<WallTime>,
    },
    /// A private message, as both sides read it.
    Private(Arc<PrivateMessage>),
    /// The answer to a question about the names that a client watches.
    Watched(Watched),
    /// The person is invited to the room.
    Invited {
        /// The name of the person.
        who: Name,
        /// The room.
        room: RoomName,
    },
    /// Hides the lines of this person from here on.
    Ignore(Who),
    /// Shows the lines of the person with this name again.
    Unignore(Line),
    /// Whether arrivals and departures are hidden from now on.
    Quiet(bool),
    /// Whether the person's own lines are shown from now on.
    Echo(bool),
    /// A found line.
    Found {
        /// The room of the line.
        room: RoomName,
        /// The line.
        said: Said,
    },
    /// The number of lines that were found and not shown.
    FoundMore {
        /// The number; 0 if it is unknown.
        lines: u64,
        /// Whether all lines were counted.
        is_all: bool,
    },
    /// No line has these words.
    FoundNothing(Line),
    /// The number of lines that the search cannot find yet.
    SearchBehind(u64),
    /// Asks for a password.
    Password(PasswordFor),
    /// The person has proved to own this name.
    LoggedIn(Name),
    /// The person is away from now on with this text, or is back.
    Away(Option<Line>),
    /// The person has this real name now.
    Realname(Line),
    /// The recipient is away, and has told this text for those who write.
    IsAway {
        /// The recipient.
        name: Name,
        /// The text.
        text: Line,
    },
    /// The name is registered.
    Registered(Name),
    /// The name has a new password: the person's other connections and return codes end.
    PasswordChanged {
        /// The name.
        name: Name,
        /// Whether the token still works.
        keeps_token: bool,
    },
    /// The code to return with after a lost connection.
    Code(Line),
    /// The token with which scripts speak under the person's name.
    Token(Line),
    /// The token is revoked; false if there was none.
    TokenRevoked(bool),
    /// The person is back under this name; the lines since then follow.
    WelcomeBack(Name),
    /// The recipient is away, and reads the message on returning.
    KeptFor(Name),
    /// The number of messages that arrived while the person was away; they follow.
    WhileAway(usize),
    /// How far the person has read a conversation: the answer, or news from another connection of
    /// the same owner.
    Marker {
        /// The conversation.
        conversation: ConversationId,
        /// The time; none if nothing was marked.
        read: Option<WallTime>,
    },
    /// A message that arrived while the person was away.
    KeptMessage {
        /// The message, with its number among all that were kept.
        message: Arc<PrivateMessage>,
        /// Whether it is the last one that waits.
        is_last: bool,
    },
    /// Explains which lines the owner of this name can delete, and how.
    CanDelete(Name),
    /// The number of the person's lines that are deleted.
    Deleted(u64),
    /// No stored lines match the request.
    NothingStored,
    /// The rooms with their last lines between two times, and when each of these was said.
    LastLines(Vec<(RoomName, WallTime)>),
    /// An act is done.
    Act(Arc<Act>),
    /// Everybody was told.
    Told {
        /// The number of people who were told.
        people: usize,
        /// The number of people who do not read, and were not told.
        deaf: usize,
    },
    /// The act is done, but lasts only until the server stops, because it could not be stored.
    Unstored(Box<Answer>),
    /// A page of everybody on the server.
    Everybody(VisitorPage),
    /// The present bans.
    Bans {
        /// The newest first.
        bans: Vec<Act>,
        /// The number of others.
        others: usize,
    },
    /// The keepers.
    Keepers {
        /// The keepers of the room, if the question was about one.
        room: Option<RoomKeepers>,
        /// The keepers of the server.
        server: Vec<Name>,
    },
    /// The request is refused.
    Refused(Refusal),
    /// An unrequested notice.
    Notice(Notice),
}

/// The keepers of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomKeepers {
    /// The room.
    pub room: RoomName,
    /// Those who keep it for good.
    pub for_good: Vec<Name>,
    /// Those who keep it while they are there.
    pub for_now: Vec<Name>,
}

/// A message from one person to another.
#[derive(Clone, Debug)]
pub struct PrivateMessage {
    /// Its number among all private messages since the start of the server.
    pub number: u64,
    /// When it was sent.
    pub at: WallTime,
    /// The author.
    pub from: Who,
    /// The recipient, who may be the author.
    pub to: Name,
    /// The lines, which were sent together.
    pub lines: Vec<Spoken>,
    /// Whether one program sends it to another. Doors for people do not show it. A line without
    /// words has only tags then.
    pub is_for_programs: bool,
    /// For the author: the text with which the recipient is away.
    pub away: Option<Line>,
}

impl PrivateMessage {
    fn weight(&self) -> usize {
        let names = self.from.name.as_str().len() + self.to.as_str().len();
        let lines: usize = self.lines.iter().map(Spoken::weight).sum();
        size_of::<PrivateMessage>() + names + lines
    }
}

/// The number of people that an answer names: they fit into a mailbox even with the longest names.
pub const WHO_MAX: usize = 150;

/// The number of people on a page: they fit into a mailbox even with the longest names.
pub const PEOPLE_MAX: usize = 200;

/// A page of the people in a room.
#[derive(Clone, Debug)]
pub struct PeoplePage {
    /// The room.
    pub room: RoomName,
    /// The people, at most [`PEOPLE_MAX`], in the order in which they came to the server. An owner
    /// with several connections may be on several pages.
    pub people: Vec<Occupant>,
    /// Whether nobody outside sees the room.
    pub is_secret: bool,
    /// The position in the room's log at which the page is true.
    pub position: u64,
    /// The start of the next page; none if this is the last.
    pub next: Option<u64>,
}

/// The number of rooms that an answer names: they fit into a mailbox with the longest names and
/// usual topics.
pub const ROOMS_MAX: usize = 50;

/// A person in a room.
#[derive(Clone, Debug)]
pub struct Present {
    /// The name.
    pub name: Name,
    /// The time since they last said something here.
    pub silent: Duration,
    /// The address, for keepers only.
    pub address: Option<SocketAddr>,
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Answer {
        Answer::Refused(refusal)
    }
}

impl From<Notice> for Answer {
    fn from(notice: Notice) -> Answer {
        Answer::Notice(notice)
    }
}

/// The purpose of a password question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordFor {
    /// To prove that the person owns this name.
    Of(Name),
    /// To prove again that the person owns this name, which they have now.
    Present(Name),
    /// To be the password of this name from now on.
    New {
        /// The name.
        name: Name,
        /// The smallest number of characters in the password.
        chars_min: usize,
    },
    /// To compare it with the first, against typing mistakes.
    Again,
}

/// An unrequested notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The person read too slowly and missed these lines.
    Skipped(Missed),
    /// These lines are left out for a returning person: there are too many to show at once, or they
    /// are no longer stored.
    PassedOver(Missed),
    /// These of the requested lines have left the log meanwhile.
    LeftTheLog(Missed),
    /// These of the requested lines are damaged.
    Damaged(Damage),
    /// A commit takes long.
    DiskSlow,
    /// The connection closes soon, because the person types nothing.
    Idle {
        /// The time since the person last typed something.
        silent: Duration,
        /// The time until the connection closes.
        left: Duration,
    },
    /// The connection closes, because the person has typed nothing for this long.
    IdleClosed(Duration),
    /// The server stops.
    GoingDown,
    /// An act of a keeper or the operator that concerns this person.
    Act(Arc<Act>),
    /// Somebody has come whose name the client watches.
    Came(Who),
    /// Somebody has gone, or given up the name, whose name the client watches.
    Went(Name),
    /// Something about a person whom the client watches, as the others read it in that person's
    /// rooms. The client sits in none of them.
    Apart(Box<Entry>),
    /// An operator tells something to all who want to read it.
    Wallops {
        /// The operator.
        by: Arc<Who>,
        /// The words.
        text: Line,
    },
    /// Another person invites this one to a room.
    Invited {
        /// The other person.
        by: Who,
        /// The room.
        room: RoomName,
    },
    /// The contact of this server with the other nodes.
    Contact(Contact),
    /// The person is not logged in to this account any more: it has a new password, or no owner.
    LoggedOut(Name),
    /// The person has the authority of a keeper of the server from now on, or no longer, and did not
    /// ask for that.
    ServerRanked {
        /// Whether the person has it.
        is_keeper: bool,
    },
    /// The rules by which the person closed this room end when nobody is there any more.
    RulesEnd(RoomName),
    /// The person has another name: while this server was out of touch, somebody else took it.
    NameGone {
        /// The name before.
        from: Name,
        /// The name now.
        now: Name,
    },
}

/// The contact of a server with the other nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contact {
    /// There is none for a moment, and the person's request waits.
    Waiting,
    /// There is none; requests wait.
    Lost,
    /// The ledger of this server differs from those of the others, so it stops; requests wait.
    Astray,
    /// It is not known whether the person's last lines were sent.
    Unknown,
    /// The lines were sent.
    Sent,
    /// It is back.
    Back {
        /// How many lines were said meanwhile in the person's rooms.
        lines: u64,
    },
}

/// The size of an answer without a list or a text, in bytes: a name and a few numbers.
const SMALL_BYTES: usize = 64;

impl Answer {
    /// Its size in memory, in bytes; an estimate.
    pub(crate) fn weight(&self) -> usize {
        let inside: usize = match self {
            Answer::Who { people, .. } => {
                people.iter().map(|p| size_of::<Present>() + p.name.as_str().len()).sum()
            }
            Answer::People(PeoplePage { people, .. }) => {
                people.iter().map(|p| size_of::<Occupant>() + p.who.name.as_str().len()).sum()
            }
            Answer::Whois(whois) => whois.weight(),
            Answer::Whowas { people, .. } => people.iter().map(Bygone::weight).sum(),
            Answer::Findable(page) => page.weight(),
            Answer::Invitations(rooms) => {
                rooms.iter().map(|room| size_of::<RoomName>() + room.as_str().len()).sum()
            }
            Answer::Watched(watched) => watched.weight(),
            Answer::Present(sightings) => sightings.iter().map(Sighting::weight).sum(),
            Answer::Rooms { rooms, .. } | Answer::AllRooms(RoomsPage { rooms, .. }) => {
                rooms.iter().map(RoomInfo::weight).sum()
            }
            Answer::Private(message) => message.weight(),
            Answer::LastLines(lines) => {
                lines.iter().map(|(room, _)| SMALL_BYTES + room.as_str().len()).sum()
            }
            Answer::KeptMessage { message, .. } => message.weight(),
            Answer::FoundNothing(text) | Answer::Realname(text) | Answer::IsAway { text, .. } => {
                text.as_str().len()
            }
            Answer::Found { said, .. } => said.weight(),
            Answer::Topic { text, .. } => text.as_ref().map_or(0, Line::len),
            Answer::Act(act) => act.weight(),
            Answer::Unstored(answer) => answer.weight(),
            Answer::Bans { bans, .. } => bans.iter().map(Act::weight).sum(),
            Answer::Keepers { room, server } => {
                let room = room.as_ref().map_or(0, |of| of.for_good.len() + of.for_now.len());
                (room + server.len()) * size_of::<Name>()
            }
            Answer::Help(_)
            | Answer::YouAre(_)
            | Answer::Rules { .. }
            | Answer::Modes(_)
            | Answer::ModesChanged { .. }
            | Answer::Ignore(_)
            | Answer::Unignore(_)
            | Answer::Quiet(_)
            | Answer::Echo(_)
            | Answer::FoundMore { .. }
            | Answer::SearchBehind(_)
            | Answer::Password(_)
            | Answer::LoggedIn(_)
            | Answer::Away(_)
            | Answer::Registered(_)
            | Answer::PasswordChanged { .. }
            | Answer::Code(_)
            | Answer::Token(_)
            | Answer::TokenRevoked(_)
            | Answer::WelcomeBack(_)
            | Answer::KeptFor(_)
            | Answer::Marker { .. }
            | Answer::WhileAway(_)
            | Answer::Invited { .. }
            | Answer::CanDelete(_)
            | Answer::Deleted(_)
            | Answer::NothingStored
            | Answer::Totals(_)
            | Answer::Told { .. }
            | Answer::Everybody(_)
            | Answer::Refused(_)
            | Answer::Notice(_) => SMALL_BYTES,
        };
        size_of::<Answer>() + inside
    }
}

/// The number of bans that are shown to a person in a room: they fit into a mailbox with usual
/// reasons.
pub(crate) const BANS_SHOWN_MAX: usize = 50;
