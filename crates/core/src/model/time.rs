//! Points in time. Knows no clock: the program that runs the core says what time it is.

use std::time::Duration;

/// Milliseconds since 1970-01-01 00:00 UTC, for showing only: it may jump, so no timer uses it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct WallTime(pub i64);

/// If a clock goes back by more than this, it was ahead, and lines get earlier times. Otherwise
/// time stands still until the clock has caught up.
pub const AHEAD_MAX: Duration = Duration::from_mins(15);

impl WallTime {
    /// Whether the clock was ahead: it shows a time that is earlier by more than [`AHEAD_MAX`].
    pub fn was_ahead(self, shown: WallTime) -> bool {
        self.before(AHEAD_MAX) > shown
    }

    /// The time that is earlier by this much.
    pub fn before(self, time: Duration) -> WallTime {
        WallTime(self.0.saturating_sub(millis(time)))
    }

    /// So much later.
    pub fn after(self, time: Duration) -> WallTime {
        WallTime(self.0.saturating_add(millis(time)))
    }

    /// How much later it is than another time; nothing if it is earlier.
    pub fn since(self, earlier: WallTime) -> Duration {
        let millis = self.0.saturating_sub(earlier.0);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// What time it is, on both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Time since the server started; never goes back. All timers run on it.
    pub monotonic: Duration,
    /// What a clock on the wall shows.
    pub wall: WallTime,
}
