//! A conversation: a room, or the messages with one other person. Knows no line.

use super::name::{Name, RoomName};

/// A conversation of a person, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConversationId {
    /// A room.
    Room(RoomName),
    /// The messages with the person who has this name.
    With(Name),
}

impl ConversationId {
    /// Its key: `#tea` for a room, and `bob` for Bob, as no name begins with `#`. Conversations
    /// with one key are the same.
    pub fn key(&self) -> Box<str> {
        match self {
            ConversationId::Room(room) => format!("#{room}").into(),
            ConversationId::With(name) => name.keys()[0].into(),
        }
    }
}
