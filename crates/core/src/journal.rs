//! The journal: it stores lines before anybody sees them. Knows no file.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::log::Batch;
use crate::model::{Act, End, Line, Name, Reach, RoomName};

/// What a room is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topic {
    /// The words, if there is a topic.
    pub text: Option<Line>,
    /// Whether only keepers can change it.
    pub is_locked: bool,
}

impl Topic {
    /// Whether it says the same as no topic at all.
    pub fn is_nothing(&self) -> bool {
        *self == Topic::default()
    }
}

/// What a journal stored in earlier runs, from which a server goes on.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// Where the lines of each room end.
    pub ends: HashMap<RoomName, End>,
    /// The names that have an owner, as they were registered.
    pub owned: Vec<Name>,
    /// The keepers, and what each of them keeps.
    pub keepers: Vec<(Reach, Name)>,
    /// The people who made rooms that have keepers.
    pub makers: HashMap<RoomName, Name>,
    /// The bans.
    pub bans: Vec<Act>,
    /// The mutes.
    pub mutes: Vec<Act>,
    /// The topics of the rooms.
    pub topics: HashMap<RoomName, Topic>,
}

/// A commit failed: its lines are not stored, and nobody has seen them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("lines not kept: {0}")]
pub struct NotStored(pub &'static str);

/// A commit under way.
pub type Commit = Pin<Box<dyn Future<Output = Result<(), NotStored>> + Send>>;

/// Stores lines. A line becomes visible only after its commit has succeeded.
///
/// The broadcaster has one commit under way at a time and gathers the next batch meanwhile.
pub trait Journal: Send {
    /// Begins to store the [lines](Batch::said) of these batches, one for each room: all of them or
    /// none.
    ///
    /// # Errors
    /// The future says why they are not stored; then the journal is as it was before.
    fn commit(&mut self, batches: &[Arc<Batch>]) -> Commit;

    /// The time that a commit costs whatever its size. If lines come faster than that, it is
    /// cheaper to let them gather for this time. Zero if that saves nothing.
    fn pause(&self) -> Duration {
        Duration::ZERO
    }
}
