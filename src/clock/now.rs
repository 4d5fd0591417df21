//! The machine's two clocks: the time of day, and the time since the start of the server. Waits for
//! nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;
use parlor_core::model::{Now, WallTime};
use tokio::time::Instant;

use super::standstill;

/// The time since the start of the server, and the time of day. The time since the start stops
/// while the server is suspended.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    start: Instant,
    /// The time for which the process was suspended before the start.
    lost: Duration,
    /// The earliest time of the start, in milliseconds, even if the machine's clock shows less.
    trusted_ms: Arc<AtomicI64>,
    /// The trusted time of the start at the last look, in milliseconds; the largest number before
    /// the first one.
    looked_ms: Arc<AtomicI64>,
}

impl Clock {
    /// A clock that starts now.
    pub(crate) fn start() -> Clock {
        Clock {
            start: Instant::now(),
            lost: standstill::lost(),
            trusted_ms: Arc::new(AtomicI64::new(i64::MIN)),
            looked_ms: Arc::new(AtomicI64::new(i64::MAX)),
        }
    }

    /// The time on both clocks.
    pub(crate) fn now(&self) -> Now {
        let passed_ms = i64::try_from(self.passed().as_millis()).unwrap_or(i64::MAX);
        let trusted_ms = self.trusted_ms.load(Ordering::Relaxed);
        Now {
            monotonic: self.monotonic(),
            wall: wall().max(WallTime(trusted_ms.saturating_add(passed_ms))),
        }
    }

    /// Time since the start, including suspensions.
    pub(crate) fn passed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Sets the earliest time of the start.
    pub(crate) fn trust(&self, start_ms: i64) {
        self.trusted_ms.store(start_ms, Ordering::Relaxed);
    }

    /// The trusted time, continued from the last look at the clock; none if nobody looks.
    pub(crate) fn trusted(&self) -> Option<WallTime> {
        let looked_ms = self.looked_ms.load(Ordering::Relaxed);
        let passed_ms = i64::try_from(self.passed().as_millis()).unwrap_or(i64::MAX);
        (looked_ms < i64::MAX).then_some(WallTime(looked_ms.saturating_add(passed_ms)))
    }

    /// Notes the trusted time, which is that of now.
    pub(super) fn look(&self, trusted: WallTime) {
        let passed_ms = i64::try_from(self.passed().as_millis()).unwrap_or(i64::MAX);
        self.looked_ms.store(trusted.0.saturating_sub(passed_ms), Ordering::Relaxed);
    }

    /// Time since the start, without suspensions.
    pub(crate) fn monotonic(&self) -> Duration {
        self.start.elapsed().saturating_sub(self.stood_still())
    }

    /// How long the server has been suspended since the start.
    fn stood_still(&self) -> Duration {
        standstill::lost().saturating_sub(self.lost)
    }

    /// A time since the start, in the form of tokio's timers.
    pub(crate) fn instant(&self, monotonic: Duration) -> Instant {
        self.start + self.stood_still() + monotonic
    }
}

/// The time of day that the machine's clock shows.
pub(crate) fn wall() -> WallTime {
    let since_1970 = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    WallTime(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}

/// The time of day of a clock that stops while this process is suspended. It measures the life of
/// return codes.
pub(crate) fn wall_awake() -> WallTime {
    wall().before(standstill::lost())
}

/// A sentence if the variable `TZ` names a zone that this machine does not know: all times would be
/// wrong.
pub fn zone_is_unknown() -> Option<String> {
    let named = std::env::var("TZ").ok().filter(|named| !named.is_empty())?;
    TimeZone::try_system().err().map(|_| {
        format!("TZ={named}: this machine knows no such time zone, so times are in UTC; write one like Europe/Berlin")
    })
}
