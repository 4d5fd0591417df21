//! Whether the ends of several logs belong to one moment between two batches. Knows no log.

use crate::log::{AtomicU64, Ordering};

/// Counts the beginnings and ends of batches that become visible: the count is odd while one is
/// appended to the logs of its rooms.
#[derive(Debug, Default)]
pub(super) struct Moments(AtomicU64);

/// A batch is being appended until this is dropped.
#[must_use]
pub(crate) struct Appending<'a>(&'a Moments);

impl Moments {
    /// A batch begins to become visible. Only the broadcaster calls this, for one batch at a time.
    pub(super) fn begin_append(&self) -> Appending<'_> {
        self.0.fetch_add(1, Ordering::Release);
        Appending(self)
    }

    /// Reads the ends of logs. Returns them, and whether no batch was appended meanwhile.
    pub(super) fn read<T>(&self, ends: impl FnOnce() -> T) -> (T, bool) {
        let before = self.0.load(Ordering::Acquire);
        let ends = ends(); // a reader who sees an end of a later batch sees the later count, too
        let is_between_batches = before.is_multiple_of(2);
        (ends, is_between_batches && self.0.load(Ordering::Acquire) == before)
    }
}

impl Drop for Appending<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::Release);
    }
}
