//! What the server says to one person, as values. Knows no wording: each dialect has its own.

use std::net::SocketAddr;
use std::time::Duration;

use super::command::Spec;
use crate::model::{
    Ban, Damaged, Done, Line, Missed, Mute, Name, NameError, Reach, RoomName, Said, Together,
    WallTime, Who, Whom, Word,
};

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
    People(People),
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
    Password(Password),
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
    /// What was done with authority.
    Done(Done),
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
pub struct People {
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

/// Why something that was asked for is not done.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// What was typed is no name.
    Name(NameError),
    /// A command, where a name is asked for.
    NameFirst,
    /// The name has an owner, who has a password for it.
    NameOwned(Name),
    /// That code is none, or none any more.
    NoSuchCode,
    /// One is in already, and comes back no more.
    TooLateToResume,
    /// As many names have owners as may.
    TooManyNames,
    /// As many names were registered from one address as may.
    TooManyNamesFromHere,
    /// Only a name can be owned, and one wears none.
    NoNameToOwn,
    /// A password has this many characters at the least.
    PasswordTooShort(usize),
    /// A command was typed where a password is asked for.
    PasswordIsCommand,
    /// The password has bytes that are not UTF-8: others would pass for them.
    PasswordNotText,
    /// A password is asked for, and that comes first.
    AnswerFirst,
    /// No password is asked for, and so many lines that came together with the command may be one: they are not said.
    AnswersDropped(usize),
    /// None was given, where one is asked for.
    NoPassword,
    /// The second time it was another one.
    PasswordsDiffer,
    /// That was not the password of this name.
    WrongPassword(Name),
    /// Too many wrong passwords: after this long one may try again.
    TooManyTries(Duration),
    /// Too many passwords wait to be checked.
    Busy,
    /// A password would travel here as everybody can read it.
    PlainPassword,
    /// The person is away, and so many messages wait already.
    LettersFull(Name),
    /// The person is away; where messages are kept, this one can be.
    Away(Name),
    /// It cannot be written to the disk just now.
    NotWritten,
    /// Somebody here wears that name or one that looks like it.
    NameTaken(Name),
    /// Nobody here wears that name.
    NobodyCalled(Line),
    /// There is no such room.
    NoRoom(RoomName),
    /// There are as many rooms as there may be.
    TooManyRooms(usize),
    /// So many rooms that there are were made from here, which is a share.
    RoomsShare(usize),
    /// One sits there already.
    AlreadyIn(RoomName),
    /// One has no seat in that room (any more).
    NotThere,
    /// The other one's mailbox is full.
    NotReading(Name),
    /// One writes to oneself.
    Yourself,
    /// That name is not ignored.
    NotIgnored(Line),
    /// No such command.
    NoCommand {
        /// What was typed, without the slash.
        typed: Line,
        /// The nearest one there is, if one is near.
        nearest: Option<&'static str>,
    },
    /// A line that seems to be meant for this command, and is none.
    Slipped(&'static str),
    /// The command is there and lacks something.
    Usage(&'static Spec),
    /// The command waits for the journal on disk.
    NeedsDisk(&'static Spec),
    /// No line was skipped, or none since entering.
    NothingMissed,
    /// What somebody wants taken back is being taken back already.
    TakingBack,
    /// Some of what was to be taken back is still in the file.
    NotAllTakenBack,
    /// That is for the owner of a name.
    NotOwner,
    /// What is to be found has no word in it.
    NothingToFind,
    /// More than so many words are to be found together.
    TooManyWords(usize),
    /// What is kept cannot be read.
    Unreadable,
    /// Nobody can tell when that was.
    NoSuchTime,
    /// The line has more than so many bytes.
    TooLong(usize),
    /// These are more than so many lines, which cannot be said together.
    TooManyLines(usize),
    /// One sits in so many rooms, and can sit in no more.
    TooManySeats(usize),
    /// The only seat is given up by leaving the house.
    LastSeat,
    /// What a program asks for makes no sense: why, as a clause.
    NoRequest(&'static str),
    /// Only keepers may do that here.
    NotKeeper,
    /// A keeper cannot be removed, banned or muted by another one of the same.
    IsKeeper(Name),
    /// The operator first makes this person a keeper no longer.
    IsServerKeeper(Name),
    /// This keeper comes from an address that is to be banned.
    LocksOutKeeper(Name),
    /// What was typed is no address.
    NoAddress(Line),
    /// The address is that of this machine.
    OwnMachine,
    /// That person sits in another room.
    Elsewhere(Name, RoomName),
    /// One is banned.
    Banned(Box<Ban>),
    /// One may not speak.
    Muted(Box<Mute>),
    /// The topic is locked: only keepers can change it.
    TopicLocked,
    /// A keeper needs a registered name, and this is none.
    NotRegistered(Line),
    /// That person is a keeper already.
    AlreadyKeeper(Name),
    /// Nobody of this name is a keeper here.
    NoSuchKeeper(Line),
    /// A room needs one keeper.
    LastKeeper(Name),
    /// The lobby has the keepers of the server, and no others.
    LobbyKeepers,
    /// That is not banned.
    NotBanned(Whom),
    /// That person is not muted.
    NotMuted(Name),
    /// There are as many as there may be: bans, mutes or keepers.
    TooManyRules(usize),
    /// The journal could not keep it: why, as a clause ("the disk is full").
    NotKept(&'static str),
}

impl Refusal {
    /// Whether another name would be of no use: the address is banned.
    pub fn is_for_any_name(&self) -> bool {
        let is_for_all = |ban: &Ban| ban.reach == Reach::Server && matches!(ban.whom, Whom::Net(_));
        matches!(self, Refusal::Banned(ban) if is_for_all(ban))
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Answer {
        Answer::Refused(refusal)
    }
}

/// For a password that is to be typed: what it is to be good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Password {
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
    Order(Word),
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
            Answer::People(People { names, .. }) => names
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
            Answer::Done(done) => done.weight(),
            _ => 64,
        };
        size_of::<Answer>() + inside
    }
}

/// Who is in the room that somebody enters, that person left out.
pub type Roster = Together;
