//! The interface of a dialect: it turns bytes into meaning, and meaning into bytes. Knows no
//! dialect.
//!
//! A session reads through a [`Decoder`] and writes through an [`Encoder`], so it never asks which
//! door it serves.

use std::sync::Arc;

use super::answer::Answer;
use super::asked::{Asked, WhyDeparted};
use super::recall::Recall;
use super::request::{FirstRoom, Request};
use super::roster::Occupant;
use super::view::Entered;
use crate::command::Command;
use crate::log::{Encoding, Scene};
use crate::model::{Entry, Extras, Line, Profile, RoomName, Said, Spoken, WallTime};
use crate::refusal::Refusal;

/// The meaning of received bytes.
#[derive(Debug)]
pub enum Input {
    /// Says this line in the room.
    Say(Spoken),
    /// Says all these lines in the room, together.
    SayAll(Vec<Spoken>),
    /// Sends these tags without words to the programs of the others in the room.
    Signal(Arc<Extras>),
    /// Switches to this room, in which the person has a seat too, and handles this input there.
    In(RoomName, Box<Input>),
    /// Takes a seat in another room, in addition to the others.
    Enter {
        /// The room.
        room: RoomName,
        /// The password of the room, as typed.
        password: Option<Line>,
        /// Where the lines begin.
        start: Start,
    },
    /// Gives up the seat in this room, with these last words.
    Leave(RoomName, Option<Line>),
    /// Gives up all seats.
    LeaveAll,
    /// Reads lines of the room, before or after a number.
    Read(Excerpt),
    /// Reads messages of the room, at most this many.
    Recall(Recall, u64),
    /// Asks which of the person's rooms have their last lines between these two times: at most this
    /// many rooms, those with the earliest lines.
    RecallRooms([WallTime; 2], u64),
    /// Lists everybody in a room.
    ListPeople(RoomName),
    /// Lists all bans of a room.
    ListBans(RoomName),
    /// Lists everybody on the server whom a mask may find, for an encoder that compares them with this
    /// many masks.
    FindPeople(usize),
    /// Lists all rooms.
    ListRooms,
    /// Asks the broadcaster; its answer, if there is one, becomes mail. This is for requests that
    /// leave the session nothing to do.
    Ask(Box<Request>),
    /// Wants the list of everybody in each room that the person enters from now on, or not.
    WantRoster(bool),
    /// The inputs up to [`Input::End`] are one command: their answers stand between
    /// [`Encoder::begin`] and [`Encoder::end`].
    Begin(Box<Asked>),
    /// Ends a command.
    End,
    /// Runs a command.
    Command(Command),
    /// Answers a question for a secret.
    Secret(Line),
    /// Writes to one person, who may be the author.
    Private {
        /// The name of the person, as typed.
        to: Line,
        /// The lines, which reach the person together or not at all.
        lines: Vec<Spoken>,
        /// Whether one program sends it to another. Doors for people do not show it. A line without
        /// words has only tags then.
        is_for_programs: bool,
    },
    /// Proves with its password that the person owns a name, and takes names of this owner from now
    /// on without a question.
    LogIn {
        /// The name as typed; none for the present one.
        name: Option<Line>,
        /// The password.
        password: Line,
    },
    /// Proves with its password that the person owns the name of a keeper of the server, and has that
    /// authority from now on under any name.
    Oper {
        /// The name as typed.
        name: Line,
        /// The password.
        password: Line,
    },
    /// Registers the present name with this password, without a question.
    Register(Line),
    /// Gives the account to which the person is logged in another password, without a question.
    ChangePassword {
        /// The present password, as typed.
        present: Line,
        /// The new password.
        password: Line,
    },
    /// Only shows that the person is present.
    Nothing,
    /// Invalid input, with the reason.
    Refused(Refusal),
    /// Bytes that the dialect itself sends.
    Raw(Box<[u8]>),
    /// The client speaks another protocol; these are the last bytes for it.
    Farewell(Box<[u8]>),
}

/// Lines before or after a number. Lines without words do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excerpt {
    /// The last lines with lower numbers.
    Before {
        /// The number.
        seq: u64,
        /// The number of lines.
        lines: u64,
    },
    /// The first lines with higher numbers.
    After {
        /// The number.
        seq: u64,
        /// The number of lines.
        lines: u64,
    },
}

/// The lines that a person reads first after entering a room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// The usual number of the last lines.
    #[default]
    Usual,
    /// This many of the last lines.
    Last(u64),
    /// The lines after a number, in a log with this name.
    After {
        /// The log.
        log: String,
        /// The number.
        seq: u64,
    },
}

/// The values that a client gives to enter.
#[derive(Debug, Default)]
pub struct Attempt {
    /// The name as typed; without one, the address is the name.
    pub name: Option<Line>,
    /// Its password, at a door that takes both together.
    pub password: Option<Line>,
    /// A return code, instead of a name.
    pub code: Option<Line>,
    /// The first room.
    pub room: FirstRoom,
    /// The lines to show first.
    pub start: Start,
    /// The profile from the person's client, at a door with profiles.
    pub profile: Option<Arc<Profile>>,
}

/// Turns bytes into meaning. It stores unfinished input, and does not fail on any bytes. The inputs
/// of one command follow each other while the decoder [has more](Decoder::has_more).
pub trait Decoder: Send {
    /// Takes the next input from the front of `bytes`, or takes all bytes and returns none.
    fn next(&mut self, bytes: &mut &[u8]) -> Option<Input>;

    /// Whether there is another input before more bytes arrive.
    fn has_more(&self) -> bool {
        false
    }

    /// Like [`next`](Decoder::next), after a question for a secret: a line is a secret, whatever
    /// its first characters are.
    fn next_secret(&mut self, bytes: &mut &[u8]) -> Option<Input>;

    /// The bytes that make the client's terminal hide typed text, or show it again; none if the
    /// client cannot do that.
    fn conceal(&mut self, is_hidden: bool) -> Option<Box<[u8]>>;

    /// Takes the unfinished input after the last bytes.
    fn finish(&mut self) -> Option<Input>;

    /// Whether the client takes and gives up seats by itself, so its person may be without one.
    /// Otherwise the person is always in one room, and goes to the lobby if removed from it.
    fn chooses_rooms(&self) -> bool {
        false
    }

    /// Whether a client says that its person leaves, so that an end of input without that is a lost
    /// connection. Otherwise people leave by closing the connection.
    fn says_goodbye(&self) -> bool {
        false
    }

    /// Whether the person may return soon after this end of input. A page that reloads sends no
    /// goodbye.
    fn may_return(&self) -> bool {
        false
    }
}

/// Turns meaning into bytes: entries for everybody who speaks the dialect, and mail for one person.
pub trait Encoder: Encoding + Send {
    /// Appends an answer for this person alone.
    fn answer(&mut self, answer: &Answer, out: &mut Vec<u8>);

    /// Begins the answers to a command, or the refusal of a post. Lines of rooms, and mail from
    /// others, may stand between its answers.
    fn begin(&mut self, _asked: &Asked, _out: &mut Vec<u8>) {}

    /// Appends an answer that the encoder holds back until it knows whether it is the only one:
    /// something that answers nothing follows now, between [`begin`](Encoder::begin) and
    /// [`end`](Encoder::end).
    fn release(&mut self, _out: &mut Vec<u8>) {}

    /// Ends the answers to a command.
    fn end(&mut self, _out: &mut Vec<u8>) {}

    /// Whether the person reads what they say and do themselves as everybody does. Otherwise
    /// [`own`](Encoder::own) gets it. The backlog asks at its beginning, and after each [`begin`](Encoder::begin) and
    /// [`end`](Encoder::end).
    fn shows_own(&self) -> bool {
        true
    }

    /// Appends what the person said or did, for a dialect that does not show it as everybody reads
    /// it.
    fn own(&mut self, _entry: &Entry, _scene: Scene<'_>, _out: &mut Vec<u8>) {}

    /// Whether an event of a person, such as a new name, is told once to a reader of several rooms
    /// of that person. Otherwise it is told in each room.
    fn tells_events_once(&self) -> bool {
        false
    }

    /// Appends the text for a person who enters a room; the room's lines follow.
    fn entered(&mut self, entered: &Entered, out: &mut Vec<u8>);

    /// Appends some of the people in a room that this person has just entered. This is called for
    /// all of them, a few at a time, if the client wants the list; the last call has nobody.
    fn listed(&mut self, _room: &RoomName, _people: &[Occupant], _out: &mut Vec<u8>) {}

    /// Appends the part of an entry that a program needs even if its user hides the entry. `reads`
    /// tells whether the client reads a room.
    fn hidden(
        &mut self,
        _entry: &Entry,
        _scene: Scene<'_>,
        _reads: &dyn Fn(&RoomName) -> bool,
        _out: &mut Vec<u8>,
    ) {
    }

    /// Appends the text for a person who read too slowly and missed arrivals and departures in a
    /// room. The count of skipped lines is a separate notice.
    fn fell_behind(&mut self, _room: &RoomName, _out: &mut Vec<u8>) {}

    /// Appends the text for a person who had left the room for the others, because the node had lost
    /// contact, and has arrived again. Meanwhile the person has read lines, and not who came and left.
    fn was_apart(&mut self, _entered: &Entered, _out: &mut Vec<u8>) {}

    /// Whether a reader who missed who came and left goes on at the end of the room's lines, where it
    /// is known who is there. Otherwise a reader who read too slowly goes on in the middle.
    fn enters_again(&self) -> bool {
        false
    }

    /// Appends the text for a person who goes on at the end of a room's lines. Behind it, everybody
    /// there is [listed](Encoder::listed), the person as well, if the client wants the list.
    fn entered_again(&mut self, _entered: &Entered, _out: &mut Vec<u8>) {}

    /// Appends an earlier line of a room, with its time.
    fn replayed(&mut self, room: &RoomName, said: &Said, out: &mut Vec<u8>);

    /// Ends some earlier lines.
    fn replay_ended(&mut self, _out: &mut Vec<u8>) {}

    /// Appends the text for a person who leaves a room and stays on the server, after everything
    /// else from that room.
    fn departed(&mut self, room: &RoomName, why: WhyDeparted<'_>, out: &mut Vec<u8>);

    /// Appends the very last bytes.
    fn ended(&mut self, out: &mut Vec<u8>);

    /// Appends bytes that the decoder sends.
    fn raw(&mut self, bytes: &[u8], out: &mut Vec<u8>);
}
