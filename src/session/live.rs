//! What may change while people are here, and counts for them from then on. Knows no file that says it.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use parlor_core::model::Rate;
use tokio::sync::watch;

/// Read whenever it counts, and set by whoever reloads; each value stands by itself, so there is no lock.
#[derive(Debug)]
pub(crate) struct Live {
    /// Lines a second; 0 is as many as one can type.
    per_second: AtomicU32,
    replay: AtomicU64,
    retain: watch::Sender<Option<Duration>>,
}

impl Live {
    pub(crate) fn new(rate: Option<Rate>, replay: u64, retain: Option<Duration>) -> Live {
        Live {
            per_second: AtomicU32::new(per_second(rate)),
            replay: AtomicU64::new(replay),
            retain: watch::Sender::new(retain),
        }
    }

    /// From now on this holds.
    pub(crate) fn set(&self, rate: Option<Rate>, replay: u64, retain: Option<Duration>) {
        self.per_second.store(per_second(rate), Ordering::Relaxed);
        self.replay.store(replay, Ordering::Relaxed);
        self.retain.send_replace(retain);
    }

    /// How fast one may speak.
    pub(crate) fn rate(&self) -> Option<Rate> {
        match self.per_second.load(Ordering::Relaxed) {
            0 => None,
            per_second => Some(Rate { per_second }),
        }
    }

    /// How many lines said before are shown in a room that one enters.
    pub(crate) fn replay(&self) -> u64 {
        self.replay.load(Ordering::Relaxed)
    }

    /// How long lines are kept; for good where there is no time.
    pub(crate) fn retain(&self) -> Option<Duration> {
        *self.retain.borrow()
    }

    /// The same, for whoever has to do something when it changes.
    pub(crate) fn retain_changes(&self) -> watch::Receiver<Option<Duration>> {
        self.retain.subscribe()
    }
}

fn per_second(rate: Option<Rate>) -> u32 {
    rate.map_or(0, |rate| rate.per_second)
}
