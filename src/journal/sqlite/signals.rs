//! The state that the threads of a journal share. Knows no file.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// How long a commit waits for the disk. A disk that takes three seconds for a sync is slow, but it
/// does store lines.
pub(super) const ANSWER_TIME: Duration = Duration::from_secs(8);

/// State that the writing thread shares with other threads.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    /// The server ends.
    pub(crate) ends: AtomicBool,
    /// Increases with each commit: readers have something new.
    pub(crate) commits: AtomicU64,
    /// Increases when a commit fails, and again when its lines are removed. While it is odd, the
    /// file may have lines that nobody has seen.
    pub(crate) failures: AtomicU64,
    /// The number of bytes that wait for a file that follows an order.
    pub(super) behind: AtomicUsize,
    /// A deletion was noted in the file.
    pub(crate) deletion_noted: Notify,
    /// The approximate number of bytes written ahead since the last checkpoint.
    pub(super) written: AtomicU64,
    /// The write-ahead log is so long that it must start over before more is written.
    pub(super) is_long: AtomicBool,
    /// The start of the present piece of work; none while the thread is idle.
    began: Mutex<Option<Instant>>,
}

impl Signals {
    /// Whether the disk has not answered for so long that callers have given up.
    pub(super) fn is_stuck(&self) -> bool {
        let began = *self.began.lock().unwrap_or_else(PoisonError::into_inner);
        began.is_some_and(|began| began.elapsed() >= ANSWER_TIME)
    }

    /// Notes when the present piece of work began.
    pub(super) fn works(&self, since: Option<Instant>) {
        *self.began.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }
}
