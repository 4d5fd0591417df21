//! The topic of a room.

use super::line::Line;

/// The topic of a room, and its lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topic {
    /// The words; none if there is no topic.
    pub text: Option<Line>,
    /// Whether only keepers can change it.
    pub is_locked: bool,
}

impl Topic {
    /// Whether there is no topic and no lock.
    pub(crate) fn is_nothing(&self) -> bool {
        *self == Topic::default()
    }
}
