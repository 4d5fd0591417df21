//! How long to wait before the next attempt to connect. Knows no connection.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The first pause.
const PAUSE_MIN: Duration = Duration::from_secs(1);

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// After a connection of this length, the next pause is the shortest again.
const GOOD_TIME: Duration = Duration::from_secs(10);

/// Growing pauses: 1 s, 2 s, 4 s and so on up to a minute.
pub(super) struct Pauses {
    next: Duration,
}

impl Pauses {
    pub(super) fn new() -> Self {
        Self { next: PAUSE_MIN }
    }

    /// The next pause, shortened at random by up to a quarter, so that a thousand clients of one
    /// server do not reconnect at once.
    pub(super) fn next(&mut self) -> Duration {
        let pause = self.next;
        self.next = PAUSE_MAX.min(pause * 2);
        // The standard library has no other source of randomness, and nothing here is secret.
        let random = u32::from(RandomState::new().hash_one(()) as u8);
        pause * 3 / 4 + pause / 4 * random / u32::from(u8::MAX)
    }

    /// Notes how long a connection lasted.
    pub(super) fn held(&mut self, time: Duration) {
        if time >= GOOD_TIME {
            self.next = PAUSE_MIN;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{GOOD_TIME, PAUSE_MAX, Pauses};
    use std::time::Duration;

    #[test]
    fn pauses_double_up_to_a_minute_and_lose_a_quarter_at_most() {
        let mut pauses = Pauses::new();
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            let (pause, longest) = (pauses.next(), Duration::from_secs(seconds));
            assert!(longest * 3 / 4 <= pause && pause <= longest, "{pause:?}");
        }
    }

    #[test]
    fn a_connection_that_held_starts_over() {
        let mut pauses = Pauses::new();
        for _ in 0..9 {
            pauses.next();
        }
        pauses.held(GOOD_TIME / 2);
        assert!(pauses.next() >= PAUSE_MAX * 3 / 4);
        pauses.held(GOOD_TIME);
        assert!(pauses.next() <= Duration::from_secs(1));
    }
}
