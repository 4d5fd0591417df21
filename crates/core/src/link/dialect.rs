//! What a dialect does: it turns bytes into meaning, and meaning into bytes. Knows no dialect.
//!
//! A session reads through a [`Decoder`] and writes through an [`Encoder`], so it never asks
//! through which door it came.

use super::answer::Answer;
use super::command::Command;
use super::refusal::Refusal;
use super::view::Entered;
use crate::log::{Encoding, Scene};
use crate::model::{Entry, Line, RoomName, Said, Spoken};

/// The meaning of the bytes that came.
#[derive(Debug)]
pub enum Input {
    /// Says this line in the room.
    Say(Spoken),
    /// Says all these lines in the room, together.
    SayAll(Vec<Spoken>),
    /// Changes to this room, in which the person has a seat too, and does this there.
    In(RoomName, Box<Input>),
    /// Takes a seat in another room, in addition to the others.
    Enter(RoomName, Start),
    /// Gives up the seat in this room.
    Leave(RoomName),
    /// Reads lines of the room, next to a number.
    Read(Excerpt),
    /// Asks for the names of everybody in the room, a page at a time.
    People {
        /// Where the page before ended; 0 for the first.
        from: u64,
    },
    /// Runs a command.
    Command(Command),
    /// Answers a question for a secret.
    Secret(Line),
    /// Shows that the person is there, and no more.
    Nothing,
    /// Makes no sense, for this reason.
    Refused(Refusal),
    /// The dialect itself sends these bytes.
    Raw(Box<[u8]>),
    /// The client speaks another protocol: these are the last bytes to send.
    Farewell(Box<[u8]>),
}

/// Lines next to a number. Lines without words do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excerpt {
    /// The last lines with lower numbers.
    Before {
        /// The number.
        seq: u64,
        /// How many.
        lines: u64,
    },
    /// The first lines with higher numbers.
    After {
        /// The number.
        seq: u64,
        /// How many.
        lines: u64,
    },
}

/// Which lines a person reads first after entering a room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// The usual number of the last lines.
    #[default]
    Usual,
    /// This many of the last lines.
    Last(u64),
    /// The lines behind a number, in a log with this name.
    After {
        /// The log.
        log: String,
        /// The number.
        seq: u64,
    },
}

/// From bytes to meaning. It stores unfinished input, and cannot fail on any bytes.
pub trait Decoder: Send {
    /// Takes the next input from the front of `bytes`, or takes all of them and returns none.
    fn next(&mut self, bytes: &mut &[u8]) -> Option<Input>;

    /// Whether there is another input without any more bytes.
    fn has_more(&self) -> bool {
        false
    }

    /// Like [`next`](Decoder::next) after a question for a secret: a line is a secret, whatever it
    /// begins with.
    fn next_secret(&mut self, bytes: &mut &[u8]) -> Option<Input>;

    /// The bytes that make the client's terminal hide what is typed, or show it again; none if the
    /// client cannot.
    fn conceal(&mut self, is_hidden: bool) -> Option<Box<[u8]>>;

    /// The unfinished input at the end of the bytes.
    fn finish(&mut self) -> Option<Input>;

    /// Whether the person may come back in a moment after such an end: a page that is loaded again
    /// says no goodbye.
    fn may_return(&self) -> bool {
        false
    }
}

/// From meaning to bytes: entries for everybody who speaks the dialect, and mail for one person.
pub trait Encoder: Encoding + Send {
    /// Appends an answer for this person alone.
    fn answer(&mut self, answer: &Answer, out: &mut Vec<u8>);

    /// Appends what a person reads on entering a room, before its lines.
    fn entered(&mut self, entered: &Entered, out: &mut Vec<u8>);

    /// Appends the part of an entry that a program needs even if its person hides the entry.
    fn hidden(&self, _entry: &Entry, _scene: Scene<'_>, _out: &mut Vec<u8>) {}

    /// Appends what a person reads, beside the number of lines, who was too slow to read everything
    /// in a room.
    fn fell_behind(&mut self, _room: &RoomName, _out: &mut Vec<u8>) {}

    /// Appends an earlier line of a room, with its time.
    fn replayed(&mut self, room: &RoomName, said: &Said, out: &mut Vec<u8>);

    /// Appends what a person reads on leaving a room while staying in others, behind everything of
    /// the room.
    fn departed(&mut self, room: &RoomName, out: &mut Vec<u8>);

    /// Appends the very last bytes.
    fn ended(&mut self, out: &mut Vec<u8>);

    /// Appends bytes that the decoder sends.
    fn raw(&mut self, bytes: &[u8], out: &mut Vec<u8>);
}
