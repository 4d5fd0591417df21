//! What a dialect does: bytes to meaning, and meaning to bytes. Knows no dialect.
//!
//! A session reads through a [`Decoder`] and writes through an [`Encoder`], and so never asks
//! which door it came through.

use super::answer::Answer;
use super::command::Command;
use super::refusal::Refusal;
use super::view::Entered;
use crate::log::{Encoding, Scene};
use crate::model::{Entry, Line, RoomName, Said, Spoken};

/// What somebody means by the bytes that came.
#[derive(Debug)]
pub enum Input {
    /// Says this in the room.
    Say(Spoken),
    /// Says all of this in the room, together.
    SayAll(Vec<Spoken>),
    /// The same, but in this room, where one has a seat too; from now on it is the room one is in.
    In(RoomName, Box<Input>),
    /// Takes a seat in another room, and keeps those that one has.
    Enter(RoomName, Start),
    /// Gives up the seat in this room.
    Leave(RoomName),
    /// Wants to read lines of the room, those next to a number.
    Read(Excerpt),
    /// Wants the names of all who are in the room, a page at a time.
    People {
        /// Where the page before ended; 0 for the first.
        from: u64,
    },
    /// Wants something done.
    Command(Command),
    /// The answer to a question for a secret.
    Secret(Line),
    /// Nothing, but is there.
    Nothing,
    /// It makes no sense, for this reason.
    Refused(Refusal),
    /// The dialect itself wants these bytes to be sent.
    Raw(Box<[u8]>),
    /// Somebody who speaks something else: these are the last bytes to be sent.
    Farewell(Box<[u8]>),
}

/// Lines next to a number, across whatever has been taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excerpt {
    /// The last that are numbered below it.
    Before {
        /// The number.
        seq: u64,
        /// How many.
        lines: u64,
    },
    /// The first that are numbered above it.
    After {
        /// The number.
        seq: u64,
        /// How many.
        lines: u64,
    },
}

/// Which lines come first for somebody who enters a room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// Some of the last, as many as are shown to everybody.
    #[default]
    Usual,
    /// So many of the last.
    Last(u64),
    /// Those behind this number, in the log that is called so.
    After {
        /// The log.
        log: String,
        /// The number.
        seq: u64,
    },
}

/// From bytes to meaning. Keeps what is unfinished; cannot fail on any input.
pub trait Decoder: Send {
    /// Takes the next input from the front of `bytes`, or takes all of them and returns none.
    fn next(&mut self, bytes: &mut &[u8]) -> Option<Input>;

    /// Whether there is another input without any more bytes.
    fn has_more(&self) -> bool {
        false
    }

    /// Like [`next`](Decoder::next) where a secret is asked for: a line is a secret, whatever it begins with.
    fn next_secret(&mut self, bytes: &mut &[u8]) -> Option<Input>;

    /// The other side is to show, or to hide, what is typed there: the bytes that have it do so, where it can.
    fn conceal(&mut self, is_hidden: bool) -> Option<Box<[u8]>>;

    /// At the end of the bytes: what stood there unfinished.
    fn finish(&mut self) -> Option<Input>;

    /// Whether somebody may come back in a moment whose bytes end so: a page that is loaded again says no goodbye.
    fn may_return(&self) -> bool {
        false
    }
}

/// From meaning to bytes: entries alike for all who speak the dialect, and words for one person.
pub trait Encoder: Encoding + Send {
    /// Appends a word for this person alone.
    fn answer(&mut self, answer: &Answer, out: &mut Vec<u8>);

    /// Appends what somebody reads who has entered a room, before its lines.
    fn entered(&mut self, entered: &Entered, out: &mut Vec<u8>);

    /// Appends what of an entry somebody has to know who does not want to read it.
    fn hidden(&self, _entry: &Entry, _scene: Scene<'_>, _out: &mut Vec<u8>) {}

    /// Appends what somebody reads who was too slow to read all that happened in a room, beside the number of lines.
    fn fell_behind(&mut self, _room: &RoomName, _out: &mut Vec<u8>) {}

    /// Appends a line said before in a room, with its time.
    fn replayed(&mut self, room: &RoomName, said: &Said, out: &mut Vec<u8>);

    /// Appends what somebody reads who has left a room and stays in the house, behind all of the room.
    fn departed(&mut self, room: &RoomName, out: &mut Vec<u8>);

    /// Appends what comes last of all, when nothing else will.
    fn ended(&mut self, out: &mut Vec<u8>);

    /// Appends bytes that the decoder wants to be sent.
    fn raw(&mut self, bytes: &[u8], out: &mut Vec<u8>);
}
