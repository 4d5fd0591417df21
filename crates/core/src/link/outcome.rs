//! What comes of a request. Knows no connection.

use super::answer::Answer;
use super::refusal::Refusal;
use super::seat::{Listener, Seat};
use super::view::{Entered, Listening};
use crate::model::{Census, Claim, RoomName};

/// What became of a request.
#[derive(Debug)]
pub enum Outcome {
    /// One has a seat.
    Entered(Seat, Box<Entered>),
    /// One reads.
    Listening(Listener, Box<Listening>),
    /// It is done: said, and visible to all.
    Done,
    /// It is said, and visible to all, under these numbers.
    Said {
        /// That of the first line.
        first: u64,
        /// That of the last.
        last: u64,
    },
    /// One is known under this name.
    You(Claim),
    /// One may not read these rooms.
    Barred(Vec<RoomName>),
    /// This is in the house.
    Counted(Census),
    /// What was said before has been taken back: up to these numbers in these rooms, and in no others.
    TookBack(Vec<(RoomName, u64)>),
    /// The answer to what was asked.
    Answer(Answer),
}

impl From<Refusal> for Outcome {
    fn from(refusal: Refusal) -> Outcome {
        Outcome::Answer(Answer::Refused(refusal))
    }
}
