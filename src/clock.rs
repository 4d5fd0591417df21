//! The clocks of the machine, for everybody who needs one.

use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;
use parlor_core::time::{Now, WallTime};
use tokio::time::Instant;

/// What time it is, counted from the start of the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    /// Starts to count.
    pub(crate) fn start() -> Clock {
        Clock {
            start: Instant::now(),
        }
    }

    /// What time it is on both clocks.
    pub(crate) fn now(&self) -> Now {
        Now {
            monotonic: self.monotonic(),
            wall: wall(),
        }
    }

    /// Time since the start.
    pub(crate) fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    /// That point on the monotonic clock, as tokio's timers want it.
    pub(crate) fn instant(&self, monotonic: Duration) -> Instant {
        self.start + monotonic
    }
}

/// What the clock on the wall shows.
pub(crate) fn wall() -> WallTime {
    let since_1970 = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    WallTime(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}

/// A sentence where the variable `TZ` names a zone that this machine does not know, so that all times would be off.
pub fn zone_is_unknown() -> Option<String> {
    let named = std::env::var("TZ").ok().filter(|named| !named.is_empty())?;
    TimeZone::try_system().err().map(|_| {
        format!("TZ={named}: this machine knows no such time zone, so times are in UTC; write one like Europe/Berlin")
    })
}
