//! The journal: where lines are kept before anybody sees them. Knows no storage.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::log::Batch;
use crate::model::{Act, End, Line, Name, Reach, RoomName};

/// What a room is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topic {
    /// The words, if there are any.
    pub text: Option<Line>,
    /// Whether nobody but keepers changes them.
    pub is_locked: bool,
}

impl Topic {
    /// Whether a room without it is the same.
    pub fn is_nothing(&self) -> bool {
        *self == Topic::default()
    }
}

/// What a journal has of former times that a house goes on with.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// Where the lines of each room end.
    pub ends: HashMap<RoomName, End>,
    /// The names that have an owner, as they were registered.
    pub owned: Vec<Name>,
    /// Who keeps what.
    pub keepers: Vec<(Reach, Name)>,
    /// Who has made which of the rooms that have keepers.
    pub makers: HashMap<RoomName, Name>,
    /// Who is not let in.
    pub bans: Vec<Act>,
    /// Who may not speak.
    pub mutes: Vec<Act>,
    /// What rooms are about, and whether nobody but keepers changes that.
    pub topics: HashMap<RoomName, Topic>,
}

/// A commit failed: its lines are not kept, and nobody has seen them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("lines not kept: {0}")]
pub struct NotKept(pub &'static str);

/// A commit under way.
pub type Commit = Pin<Box<dyn Future<Output = Result<(), NotKept>> + Send>>;

/// Keeps lines. A line becomes visible only after its commit has succeeded.
///
/// The broadcaster has one commit under way at a time and gathers the next batch meanwhile, so
/// its batch is the group commit.
pub trait Journal: Send {
    /// Begins to keep what was [said](Batch::said) in these batches, one for each room: all or nothing of it.
    ///
    /// # Errors
    /// The future says why they are not kept; then the journal is as it was before.
    fn commit(&mut self, batches: &[Arc<Batch>]) -> Commit;

    /// What it costs to keep anything at all, as a time: where lines come faster than that, it is cheaper to let them
    /// gather for so long. Zero where that brings nothing.
    fn pause(&self) -> Duration {
        Duration::ZERO
    }
}
