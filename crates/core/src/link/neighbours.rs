//! Private messages between nodes: they are not in the order. Knows no engine.

use std::fmt::Debug;

use crate::model::{Name, RoomName, Spoken, Who};

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

/// Something that came from another node.
#[derive(Debug)]
pub enum Carried {
    /// A message for people of this node; it is answered with this number.
    Message(u64, CarriedMessage),
    /// The answer to the message that this node sent with this number: whether anybody reads it. None if
    /// the other node did not answer in time.
    Answer(u64, Option<bool>),
}

/// Carries messages to other nodes and back. Each message is answered, or given up soon.
pub trait Neighbours: Debug + Send {
    /// Sends a message to the node whose process has this random number. Its answer has the number
    /// `number`.
    fn send(&mut self, nonce: u64, number: u64, message: CarriedMessage);

    /// Answers a message from another node.
    fn answer(&mut self, number: u64, is_read: bool);

    /// The next message or answer.
    fn poll(&mut self) -> Option<Carried>;
}
