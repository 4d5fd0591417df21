//! The outcome of a request. Knows no connection.

use std::sync::Arc;

use super::answer::Answer;
use super::seat::{Listener, Presence, Seat};
use super::view::{Entered, Listening};
use crate::ledger::{Account, ReturnCode};
use crate::model::{Census, Claim, Format, NodeStatus, RoomName};
use crate::refusal::Refusal;

/// A seat that was just taken, and what the person reads first in the room.
pub type NewSeat = (Seat, Box<Entered>);

/// The outcome of a request.
#[derive(Debug)]
pub enum Outcome {
    /// The person is on the server, and has a first seat if that was asked for.
    Came(Presence, Option<NewSeat>),
    /// The person has another seat.
    Entered(NewSeat),
    /// The client listens to a room.
    Listening(Listener, Box<Listening>),
    /// The request is done; its lines are stored and visible.
    Done,
    /// The lines are stored and visible, under these numbers.
    Said {
        /// The number of the first line.
        first: u64,
        /// The number of the last.
        last: u64,
    },
    /// The person has this name.
    You(Claim),
    /// The answer is a page, and the next one begins here; none if it was the last.
    Page(Option<u64>),
    /// The account of a name; none if the name has no owner.
    Account(Option<Arc<Account>>),
    /// The place of a return code.
    Code(Arc<ReturnCode>),
    /// The person may not read these rooms.
    Barred(Vec<RoomName>),
    /// All nodes.
    Nodes {
        /// The nodes, by name; none without other nodes.
        nodes: Vec<NodeStatus>,
        /// The format in which they write.
        format: Format,
    },
    /// Counts of the broadcaster's contents.
    Counted(Census),
    /// Earlier lines are deleted from memory: up to these numbers in these rooms, and in no other
    /// room.
    LinesDeleted(Vec<(RoomName, u64)>),
    /// The answer to a query, or the reason of a refusal.
    Answer(Answer),
}

impl Outcome {
    /// The end of a request that asks for nothing.
    ///
    /// # Errors
    /// It is refused.
    pub fn done(self) -> Result<(), Refusal> {
        match self {
            Outcome::Answer(Answer::Refused(refusal)) => Err(refusal),
            _ => Ok(()),
        }
    }
}

impl From<Refusal> for Outcome {
    fn from(refusal: Refusal) -> Outcome {
        Outcome::Answer(Answer::Refused(refusal))
    }
}
