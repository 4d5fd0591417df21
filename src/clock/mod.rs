//! The clocks of the machine, for everybody who needs one.

pub(crate) mod moment;
mod standstill;
mod trust;

pub(crate) use standstill::{HyperTimer, Sleep, sleep, timeout};
pub(crate) use trust::{LOOK_EVERY, Trust, bounded};

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;
use parlor_core::model::{Now, WallTime};
use tokio::time::Instant;

/// What time it is, counted from the start of the server. It stands still while the server does.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    start: Instant,
    /// How long the process had stood still before.
    lost: Duration,
    /// It was no earlier than this at the start, in milliseconds, whatever the clock on the wall shows.
    trusted_ms: Arc<AtomicI64>,
}

impl Clock {
    /// Starts to count.
    pub(crate) fn start() -> Clock {
        Clock {
            start: Instant::now(),
            lost: standstill::lost(),
            trusted_ms: Arc::new(AtomicI64::new(i64::MIN)),
        }
    }

    /// What time it is on both clocks.
    pub(crate) fn now(&self) -> Now {
        let passed_ms = i64::try_from(self.passed().as_millis()).unwrap_or(i64::MAX);
        let trusted_ms = self.trusted_ms.load(Ordering::Relaxed);
        Now {
            monotonic: self.monotonic(),
            wall: wall().max(WallTime(trusted_ms.saturating_add(passed_ms))),
        }
    }

    /// Time since the start, also that in which the server stood still.
    pub(crate) fn passed(&self) -> Duration {
        self.start.elapsed()
    }

    /// It was no earlier than this at the start.
    pub(crate) fn trust(&self, start_ms: i64) {
        self.trusted_ms.store(start_ms, Ordering::Relaxed);
    }

    /// Time since the start.
    pub(crate) fn monotonic(&self) -> Duration {
        self.start.elapsed().saturating_sub(self.stood_still())
    }

    /// How long the server has stood still.
    fn stood_still(&self) -> Duration {
        standstill::lost().saturating_sub(self.lost)
    }

    /// That point on the monotonic clock, as tokio's timers want it.
    pub(crate) fn instant(&self, monotonic: Duration) -> Instant {
        self.start + self.stood_still() + monotonic
    }
}

/// What the clock on the wall shows.
pub(crate) fn wall() -> WallTime {
    let since_1970 = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    WallTime(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}

/// What the clock on the wall would show if it had stood still when this process did. Codes to come back live by it.
pub(crate) fn wall_awake() -> WallTime {
    wall().before(standstill::lost())
}

/// A sentence where the variable `TZ` names a zone that this machine does not know, so that all times would be off.
pub fn zone_is_unknown() -> Option<String> {
    let named = std::env::var("TZ").ok().filter(|named| !named.is_empty())?;
    TimeZone::try_system().err().map(|_| {
        format!("TZ={named}: this machine knows no such time zone, so times are in UTC; write one like Europe/Berlin")
    })
}
