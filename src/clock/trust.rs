//! Which time can be trusted, when the clock of the machine may be wrong for a while: boards without a battery come up years
//! away. Knows no file.

use std::time::Duration;

use parlor_core::model::WallTime;

use super::{Clock, wall};

/// A clock that has gone evenly for so long is believed, whatever it shows.
const PLAUSIBLE_AFTER: Duration = Duration::from_hours(1);

/// Between two looks, which are a minute apart, a clock that goes evenly gains or loses no more.
const JUMP_MS: u64 = 30_000;

/// The clock is looked at so often.
pub(crate) const LOOK_EVERY: Duration = Duration::from_mins(1);

/// A server that was off for longer has its operator look at the clock.
const GAP_MS: i64 = 24 * 3_600_000;

/// When something happened that was noted then, now that it is so late. What was noted as later than now is from a time when
/// the clock was ahead: it has gone back since the last look, and that was after it happened.
pub(crate) fn bounded(noted: WallTime, now: WallTime) -> WallTime {
    match noted > now {
        true => now.before(LOOK_EVERY),
        false => noted,
    }
}

/// Follows the clock. Until it has gone evenly for an hour, time goes on from where the server before this one had come.
pub(crate) struct Trust {
    clock: Clock,
    /// The time that is trusted at the start of the server, in milliseconds; at any later moment it is as much later.
    start_ms: i64,
    /// What the clock showed at the last look, less the time since the start.
    shown_ms: i64,
    /// When it last jumped, or the start.
    even_since: Duration,
}

impl Trust {
    /// From what is kept: how late it was when the server before this one ended. None where nothing was kept: then nothing
    /// can be lost either.
    pub(crate) fn new(clock: Clock, kept: Option<WallTime>) -> Trust {
        let shown = wall();
        if let Some(kept) = kept {
            clock.trust(kept.0);
        }
        let start = kept.unwrap_or(shown);
        let days = (shown.0 - start.0) / GAP_MS;
        if days > 0 {
            tracing::warn!(
                "the clock is {days} days later than when lines were last stored; if that is wrong, set it: \
                 what is too old by it is deleted in an hour"
            );
        } else if days < 0 {
            tracing::warn!(
                "the clock is {} days earlier than when lines were last stored: set it; until then time goes on from there",
                -days
            );
        }
        Trust {
            clock,
            start_ms: start.0,
            shown_ms: shown.0,
            even_since: Duration::ZERO,
        }
    }

    /// What was said before this time, less a while, is older than that while: to be asked every minute.
    pub(crate) fn look(&mut self) -> WallTime {
        self.look_at(self.clock.passed(), wall())
    }

    /// It is no later than this, or the clock is wrong.
    pub(crate) fn latest(&self) -> WallTime {
        self.clock.now().wall
    }

    fn look_at(&mut self, since_start: Duration, shown: WallTime) -> WallTime {
        let passed_ms = i64::try_from(since_start.as_millis()).unwrap_or(i64::MAX);
        let shown_ms = shown.0.saturating_sub(passed_ms);
        let jump = shown_ms.abs_diff(self.shown_ms);
        if jump > JUMP_MS {
            tracing::warn!(
                "the clock has jumped by {} seconds: what is too old by it is deleted when it has gone evenly for an hour",
                jump / 1_000
            );
            self.even_since = since_start;
        }
        self.shown_ms = shown_ms;
        if since_start.saturating_sub(self.even_since) >= PLAUSIBLE_AFTER {
            self.start_ms = shown_ms;
            self.clock.trust(shown_ms);
        }
        WallTime(self.start_ms.saturating_add(passed_ms).min(shown.0))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use parlor_core::model::WallTime;

    use super::Clock;
    use super::Trust;
    use super::wall;

    const YEARS_MS: i64 = 5 * 365 * 24 * 3_600_000;
    const MINUTE_MS: i64 = 60_000;

    /// The times that are trusted, minute by minute, where the clock of a server that goes on from `kept` shows this.
    fn trusted(kept: Option<i64>, start: i64, shown: impl Fn(i64) -> i64) -> Vec<i64> {
        let mut trust = Trust::new(Clock::start(), kept.map(WallTime));
        trust.shown_ms = start;
        if kept.is_none() {
            trust.start_ms = start;
        }
        let look = |minute: i64| {
            let since_start = Duration::from_mins(minute.unsigned_abs());
            trust
                .look_at(since_start, WallTime(shown(minute) + minute * MINUTE_MS))
                .0
        };
        (0..=130).map(look).collect()
    }

    #[test]
    fn a_clock_that_is_wrong_for_less_than_an_hour_changes_nothing() {
        let now = wall().0;
        for wrong in [YEARS_MS, -YEARS_MS] {
            let times = trusted(Some(now), now + wrong, |minute| {
                if minute < 5 { now + wrong } else { now }
            });
            for (minute, time) in (0..).zip(&times) {
                assert!(*time <= now + minute * MINUTE_MS, "{minute}");
            }
            assert_eq!(times[130], now + 130 * MINUTE_MS);
        }
        // It jumps while the server runs.
        let times = trusted(Some(now), now, |minute| {
            if (70..80).contains(&minute) {
                now + YEARS_MS
            } else {
                now
            }
        });
        for (minute, time) in (0..).zip(times) {
            assert_eq!(time, now + minute * MINUTE_MS);
        }
    }

    #[test]
    fn a_clock_that_goes_evenly_for_an_hour_is_believed() {
        let now = wall().0;
        let later = now + 30 * 24 * 60 * MINUTE_MS; // the server was off so long
        let times = trusted(Some(now), later, |_| later);
        assert_eq!(times[59], now + 59 * MINUTE_MS);
        assert_eq!(times[60], later + 60 * MINUTE_MS);
        let times = trusted(None, now, |_| now);
        assert_eq!((times[0], times[61]), (now, now + 61 * MINUTE_MS));
    }
}
