//! The trusted time while the machine's clock may be wrong: on a board without a battery it starts
//! years away. Knows no file.

use std::time::Duration;

use parlor_core::model::WallTime;

use super::now::{Clock, wall};

/// A clock that has run evenly for this long is trusted, whatever it shows.
const PLAUSIBLE_AFTER: Duration = Duration::from_hours(1);

/// A clock that runs evenly gains or loses at most this between two checks.
const JUMP_MS: u64 = 30_000;

/// How often the clock is checked.
pub(crate) const LOOK_EVERY: Duration = Duration::from_mins(1);

/// After a longer gap between two runs, the server asks the operator to check the clock.
const GAP_MS: i64 = 24 * 3_600_000;

/// The trusted time of an event, from its noted time. A noted time later than now comes from a
/// clock that was ahead and was set back after the last check; the event was before that check.
pub(crate) fn bounded(noted: WallTime, now: WallTime) -> WallTime {
    match noted > now {
        true => now.before(LOOK_EVERY),
        false => noted,
    }
}

/// Follows the clock. Until the clock has run evenly for an hour, time continues from the end of
/// the server's last run.
pub(crate) struct Trust {
    clock: Clock,
    /// The trusted time of the start, in milliseconds.
    start_ms: i64,
    /// The clock's time at the last check, minus the time since the start.
    shown_ms: i64,
    /// The time of the last jump of the clock, or of the start.
    even_since: Duration,
}

impl Trust {
    /// Begins with the time at which the last run ended. Without it, nothing is stored, and
    /// nothing can be lost.
    pub(crate) fn new(clock: Clock, last_run: Option<WallTime>) -> Trust {
        let shown = wall();
        if let Some(last_run) = last_run {
            clock.trust(last_run.0);
        }
        let start = last_run.unwrap_or(shown);
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
        Trust { clock, start_ms: start.0, shown_ms: shown.0, even_since: Duration::ZERO }
    }

    /// The trusted time, which measures ages. Call this every minute.
    pub(crate) fn look(&mut self) -> WallTime {
        let trusted = self.look_at(self.clock.passed(), wall());
        self.clock.look(trusted);
        trusted
    }

    /// The latest possible time, unless the clock is wrong.
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

    use super::{Clock, Trust, wall};

    const YEARS_MS: i64 = 5 * 365 * 24 * 3_600_000;
    const MINUTE_MS: i64 = 60_000;

    /// The trusted time of each minute, for a server that continues from `last_run` and whose clock
    /// shows `shown`.
    fn trusted(last_run: Option<i64>, start: i64, shown: impl Fn(i64) -> i64) -> Vec<i64> {
        let mut trust = Trust::new(Clock::start(), last_run.map(WallTime));
        trust.shown_ms = start;
        if last_run.is_none() {
            trust.start_ms = start;
        }
        let look = |minute: i64| {
            let since_start = Duration::from_mins(minute.unsigned_abs());
            trust.look_at(since_start, WallTime(shown(minute) + minute * MINUTE_MS)).0
        };
        (0..=130).map(look).collect()
    }

    #[test]
    fn a_clock_that_is_wrong_for_less_than_an_hour_changes_nothing() {
        let now = wall().0;
        for wrong in [YEARS_MS, -YEARS_MS] {
            let times = trusted(
                Some(now),
                now + wrong,
                |minute| {
                    if minute < 5 { now + wrong } else { now }
                },
            );
            for (minute, time) in (0..).zip(&times) {
                assert!(*time <= now + minute * MINUTE_MS, "{minute}");
            }
            assert_eq!(times[130], now + 130 * MINUTE_MS);
        }
        // The clock jumps while the server runs.
        let times =
            trusted(
                Some(now),
                now,
                |minute| {
                    if (70..80).contains(&minute) { now + YEARS_MS } else { now }
                },
            );
        for (minute, time) in (0..).zip(times) {
            assert_eq!(time, now + minute * MINUTE_MS);
        }
    }

    #[test]
    fn a_clock_that_runs_evenly_for_an_hour_is_trusted() {
        let now = wall().0;
        let later = now + 30 * 24 * 60 * MINUTE_MS; // the server did not run for a month
        let times = trusted(Some(now), later, |_| later);
        assert_eq!(times[59], now + 59 * MINUTE_MS);
        assert_eq!(times[60], later + 60 * MINUTE_MS);
        let times = trusted(None, now, |_| now);
        assert_eq!((times[0], times[61]), (now, now + 61 * MINUTE_MS));
    }
}
