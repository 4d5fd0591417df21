//! The command that answers belong to, and the reason of a departure. Knows no dialect.

use std::sync::Arc;

use crate::model::{ActOf, Line, RoomName};

/// A command whose answers follow, or a post whose refusal follows. A dialect that quotes commands
/// in their answers needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The command as typed; none for a post.
    pub command: Option<Line>,
    /// The target as typed, if the command has one; for a post, the name of its room.
    pub target: Option<Line>,
    /// The client's own word for the command.
    pub label: Option<Line>,
    /// The state of the dialect from here on, if it changes. Only the encoder understands it.
    pub mode: Option<u64>,
}

impl Asked {
    /// A post in this room.
    pub fn post(room: &RoomName) -> Asked {
        let target = Some(Line::sanitise(room.as_str().as_bytes()));
        Asked { target, ..Asked::default() }
    }

    /// Its size in memory, in bytes; an estimate.
    pub(crate) fn weight(&self) -> usize {
        let texts = [&self.command, &self.target, &self.label].into_iter().flatten();
        size_of::<Asked>() + texts.map(Line::len).sum::<usize>()
    }
}

/// The reason why a person is no longer in a room.
#[derive(Clone, Copy, Debug, Default)]
pub struct WhyDeparted<'a> {
    /// The last words there; none if the person read so slowly that they have left the log.
    pub words: Option<&'a Line>,
    /// The act that removed the person.
    pub removal: Option<&'a Arc<ActOf>>,
}
