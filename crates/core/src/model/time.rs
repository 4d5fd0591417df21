//! Points in time. Knows no clock: the program that runs the core passes in the current time.

use std::time::Duration;

/// Milliseconds since 1970-01-01 00:00 UTC, for showing only: it may jump, so no timer uses it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct WallTime(pub i64);

/// If a clock goes back by more than this, it was ahead, and the lines get earlier times. If it
/// goes back by less, new lines repeat the last time until the clock catches up.
const AHEAD_MAX: Duration = Duration::from_mins(15);

impl WallTime {
    /// Whether the clock was ahead: it now shows a time that is earlier by more than a quarter of an
    /// hour.
    pub fn was_ahead(self, shown: WallTime) -> bool {
        self.before(AHEAD_MAX) > shown
    }

    /// The time that is earlier by this much.
    pub fn before(self, time: Duration) -> WallTime {
        WallTime(self.0.saturating_sub(millis(time)))
    }

    /// The time that is later by this much.
    pub fn after(self, time: Duration) -> WallTime {
        WallTime(self.0.saturating_add(millis(time)))
    }

    /// The time that has passed since an earlier time; zero if that time is later.
    pub fn since(self, earlier: WallTime) -> Duration {
        let millis = self.0.saturating_sub(earlier.0);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// The current time, on both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Time since the server started. It never goes back, so all timers use it.
    pub monotonic: Duration,
    /// The time of day.
    pub wall: WallTime,
}
