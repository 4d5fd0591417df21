//! Questions between nodes, beside the order: private messages, places and addresses. Knows no
//! engine.

use std::fmt::Debug;
use std::net::SocketAddr;
use std::time::Duration;

use crate::model::{Name, PersonId, RoomName, Spoken, Who};

/// A question of one node to another.
#[derive(Clone, Debug)]
pub enum NodeQuestion {
    /// Whether anybody there reads this message.
    Message(CarriedMessage),
    /// How far the connection of this person has read this room.
    Reading {
        /// The person.
        person: PersonId,
        /// The room.
        room: RoomName,
    },
    /// The connections of these people.
    Connections {
        /// The position in the order up to which the node that asks had applied everything.
        after: u64,
        /// The people.
        people: Vec<PersonId>,
    },
}

/// The answer to a [`NodeQuestion`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeAnswer {
    /// Whether anybody reads the message.
    IsRead(bool),
    /// The number of the last line that was written to the connection; none if that is not known.
    ReadTo(Option<u64>),
    /// The connections of the people, in the order of the question; none for those who are not
    /// there.
    Connections(Vec<Option<ConnectionFacts>>),
}

/// The facts about a connection that only its own node knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionFacts {
    /// The address, if the door knows it.
    pub address: Option<SocketAddr>,
    /// The time since the person last said something.
    pub silent: Duration,
}

/// A private message on its way to another node.
#[derive(Clone, Debug)]
pub struct CarriedMessage {
    /// The position in the order up to which the node of the author had applied everything. The
    /// other node delivers the message when it has come as far.
    pub after: u64,
    /// The author.
    pub from: Who,
    /// The recipient.
    pub to: Name,
    /// The room to which the author invites the recipient; then there are no lines.
    pub invitation: Option<RoomName>,
    /// The lines, which were sent together.
    pub lines: Vec<Spoken>,
    /// Whether one program sends it to another.
    pub is_for_programs: bool,
}

impl NodeQuestion {
    /// The position up to which the other node must have applied everything before it answers.
    pub(crate) fn after(&self) -> u64 {
        match self {
            NodeQuestion::Message(message) => message.after,
            NodeQuestion::Reading { .. } => 0,
            NodeQuestion::Connections { after, .. } => *after,
        }
    }
}

/// Something that came from another node.
#[derive(Debug)]
pub enum Carried {
    /// A question, which is answered with this number.
    Question(u64, NodeQuestion),
    /// The answer to the question that this node asked with this number. None if the other node did
    /// not answer in time.
    Answer(u64, Option<NodeAnswer>),
}

/// Carries questions to other nodes, and answers back. Each question is answered, or given up within
/// 2 s.
pub trait Neighbours: Debug + Send {
    /// Asks the node whose process has this random number. The answer has the number `number`.
    fn ask(&mut self, nonce: u64, number: u64, question: NodeQuestion);

    /// Answers a question of another node.
    fn answer(&mut self, number: u64, answer: NodeAnswer);

    /// The next question or answer.
    fn poll(&mut self) -> Option<Carried>;
}
