//! Whether a commit may still be made: decided once, between the thread that writes and the task that
//! waits.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::undo::Undo;

/// The fate of a commit.
#[derive(Debug, Default)]
pub(super) struct Fate(Mutex<Decision>);

#[derive(Debug, Default)]
struct Decision {
    is_refused: bool,
    /// The way back, if the commit has begun and has records.
    undo: Option<Undo>,
}

impl Fate {
    /// Begins the commit, unless it is refused already. Returns whether it begins.
    pub(super) fn begin(&self, undo: Option<Undo>) -> bool {
        let mut decision = self.decision();
        decision.undo = undo;
        !decision.is_refused
    }

    /// Refuses the commit. Returns the way back, if it has begun: it may be stored nevertheless.
    pub(super) fn refuse(&self) -> Option<Undo> {
        let mut decision = self.decision();
        decision.is_refused = true;
        decision.undo.clone()
    }

    /// The way back, if the commit has begun.
    pub(super) fn undo(&self) -> Option<Undo> {
        self.decision().undo.clone()
    }

    fn decision(&self) -> MutexGuard<'_, Decision> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
