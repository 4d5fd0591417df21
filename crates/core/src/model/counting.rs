//! The way to count what was said. Knows no log.

use super::entry::Said;

/// The way to count what was said. Lines without words do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// Each line is one.
    Lines,
    /// Lines that were sent as one message are one.
    Messages,
}

impl Counting {
    /// Whether a line is counted: of a message, only the first one is.
    pub(crate) fn counts(self, said: &Said) -> bool {
        said.has_words() && (self == Counting::Lines || said.begins_message())
    }
}
