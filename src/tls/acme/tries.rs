//! When the server asks an authority: in time, and never so often that the authority locks it out.
//! All times are seconds since 1970. Asks no authority.

use serde::{Deserialize, Serialize};

/// The most tries in an hour. Let's Encrypt, for one, refuses a name after five failures.
const TRIES_MAX: usize = 4;

const HOUR: i64 = 3600;

/// The pause after a failure; each further one doubles it.
const PAUSE_MIN: i64 = 60;

/// The longest pause.
const PAUSE_MAX: i64 = 6 * HOUR;

/// How often the server asks whether the authority wants the certificate to be renewed early.
const ASK_EVERY: i64 = 6 * HOUR;

/// The latest tries. They are stored before each try, so that a server that crashes in one counts
/// it, too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AcmeTries {
    /// The times of the latest ones, in order.
    tries: Vec<i64>,
    /// When the server last asked whether to renew early.
    asked: Option<i64>,
    /// The number of failures since the last success, or since the start of the server: an operator
    /// who has mended something restarts it.
    #[serde(skip)]
    failures: u32,
}

impl AcmeTries {
    /// The stored tries; none if the text is damaged.
    pub(super) fn read(text: &[u8]) -> AcmeTries {
        serde_json::from_slice(text).unwrap_or_default()
    }

    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Counts tries from the future as tries of now: the clock was wrong, then or now.
    pub(super) fn bound(&mut self, now: i64) {
        self.tries.iter_mut().chain(&mut self.asked).for_each(|time| *time = (*time).min(now));
        self.tries.sort_unstable();
    }

    /// Notes the begin of a try, as a failure until it succeeds.
    pub(super) fn begin(&mut self, now: i64) {
        self.tries.push(now);
        let old = self.tries.len().saturating_sub(TRIES_MAX);
        self.tries.drain(..old);
        self.failures = self.failures.saturating_add(1);
    }

    /// Notes the end of a try that has failed: the pause begins now.
    pub(super) fn fail(&mut self, now: i64) {
        if let Some(last) = self.tries.last_mut() {
            *last = now.max(*last);
        }
    }

    /// Notes that the last try has given a certificate.
    pub(super) fn succeed(&mut self) {
        self.failures = 0;
    }

    /// Whether the last try has failed.
    pub(super) fn has_failed(&self) -> bool {
        self.failures > 0
    }

    /// The time of the next try for a certificate that is due at a time.
    pub(super) fn next(&self, due: i64) -> i64 {
        let pause = match self.failures {
            0 => 0,
            failures => (PAUSE_MIN << (failures - 1).min(20)).min(PAUSE_MAX),
        };
        let after_pause = self.tries.last().map(|last| last.saturating_add(pause));
        let in_this_hour =
            self.tries.len().checked_sub(TRIES_MAX).and_then(|at| self.tries.get(at));
        let after_hour = in_this_hour.map(|first| first.saturating_add(HOUR));
        [after_pause, after_hour].into_iter().flatten().fold(due, i64::max)
    }

    /// Whether to ask now if the certificate should be renewed early. Notes that it is asked.
    pub(super) fn ask(&mut self, now: i64) -> bool {
        let is_due = self.asked.is_none_or(|asked| asked.saturating_add(ASK_EVERY) <= now);
        if is_due {
            self.asked = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An event of a try, or after it.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        /// The try takes this many seconds.
        Fail(i64),
        Succeed,
        Crash,
        /// The certificate is due this much later.
        Later(i64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let fail = prop_oneof![Just(0), 0..300_i64].prop_map(Step::Fail);
        let later = (0..3 * HOUR).prop_map(Step::Later);
        prop_oneof![4 => fail, 2 => Just(Step::Crash), 1 => Just(Step::Succeed), 1 => later]
    }

    #[test]
    fn the_pause_doubles_from_a_minute_to_six_hours() {
        let (mut tries, mut now) = (AcmeTries::default(), 1_000_000);
        let mut pauses = Vec::new();
        for _ in 0..14 {
            now = tries.next(0).max(now);
            tries.begin(now);
            pauses.push((tries.next(0) - now) / 60);
        }
        // The fifth waits for the end of the hour since the first, and the sixth since the second.
        assert_eq!(pauses, [1, 2, 4, 53, 16, 32, 64, 128, 256, 360, 360, 360, 360, 360]);
        tries.succeed();
        assert_eq!(tries.next(0), now);
        assert_eq!(tries.next(now + 7), now + 7);
    }

    #[test]
    fn a_clock_that_goes_back_does_no_lasting_harm() {
        let mut tries = AcmeTries::default();
        tries.begin(5_000_000);
        assert!(tries.ask(5_000_000) && !tries.ask(5_000_001));
        tries.bound(1000);
        assert_eq!(tries.next(0), 1060);
        assert!(!tries.ask(1001) && tries.ask(1000 + ASK_EVERY));
    }

    proptest! {
        #[test]
        fn there_are_never_more_than_four_tries_in_an_hour(steps in proptest::collection::vec(step(), 1..200)) {
            let (mut tries, mut now, mut due) = (AcmeTries::default(), 1_000_000, 0);
            let (mut begun, mut ended, mut failures) = (Vec::<i64>::new(), 0, 0_u32);
            for step in steps {
                if let Step::Later(later) = step {
                    due = now + later;
                    continue;
                }
                let next = tries.next(due);
                prop_assert!(next >= due && next <= due.max(now + PAUSE_MAX), "not too late");
                if failures > 0 {
                    let pause = PAUSE_MIN << (failures - 1).min(20);
                    prop_assert!(next >= ended + pause.min(PAUSE_MAX), "each failure doubles it");
                }
                now = next.max(now);
                tries.begin(now);
                begun.push(now);
                match step {
                    Step::Fail(time) => {
                        now += time;
                        tries.fail(now);
                        ended = now;
                        failures += 1;
                    }
                    Step::Succeed => {
                        tries.succeed();
                        failures = 0;
                    }
                    Step::Crash | Step::Later(_) => {
                        tries = AcmeTries::read(tries.to_json().as_bytes());
                        failures = 0;
                    }
                }
            }
            for five in begun.windows(5) {
                prop_assert!(five[4] - five[0] >= HOUR, "{five:?}");
            }
        }

        #[test]
        fn any_times_may_be_stored(tries in proptest::collection::vec(any::<i64>(), 0..9), asked in any::<i64>(), now in 0..i64::from(u32::MAX)) {
            let text = format!("{{\"tries\":{tries:?},\"asked\":{asked}}}");
            let mut tries = AcmeTries::read(text.as_bytes());
            tries.bound(now);
            prop_assert!(tries.next(0) <= now + HOUR);
            tries.begin(now);
            prop_assert!(tries.next(0) <= now + HOUR);
            tries.ask(now);
        }
    }
}
