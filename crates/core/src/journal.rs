//! The journal: it stores lines before anybody sees them. Knows no file.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

pub use crate::ledger::{KeptMessage, OwnerVisit, Past, Record, Snapshot};
use crate::log::Batch;

/// A commit failed: its lines are not stored, and nobody has seen them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("lines not stored: {0}")]
pub struct NotStored(pub &'static str);

/// A running commit.
pub type Commit = Pin<Box<dyn Future<Output = Result<(), NotStored>> + Send>>;

/// Stores lines. A line becomes visible only after its commit has succeeded.
///
/// The broadcaster runs one commit at a time and gathers the next batch meanwhile.
pub trait Journal: Send {
    /// Begins to store the [lines](Batch::said) of these batches, one batch for each room, and
    /// these records, in their order: all of them or none.
    ///
    /// # Errors
    /// The future says why nothing is stored. In that case the journal is unchanged.
    fn commit(&mut self, batches: &[Arc<Batch>], records: &[Record]) -> Commit;

    /// Says up to which position in the order of several nodes the next commit has everything.
    fn note_position(&mut self, position: u64) {
        let _ = position; // a server without other nodes has no position
    }

    /// Says that the commits so far have everything up to this position.
    fn note_given(&mut self, position: u64) {
        let _ = position; // a server without other nodes has no position
    }

    /// Takes the ledger of several nodes at a position up to which everything was committed, so that
    /// the next start can continue from there.
    fn note_snapshot(&mut self, position: u64, snapshot: &Arc<Snapshot>) {
        let _ = (position, snapshot); // a server without other nodes starts from its records
    }

    /// The time that a commit costs, whatever its size. If lines come faster than that, it is
    /// cheaper to let them gather for this time. Zero if waiting saves nothing.
    fn pause(&self) -> Duration {
        Duration::ZERO
    }
}
