//! How fast a connection may speak: a bucket that delays and never refuses. Knows no clock.

use std::time::Duration;

/// So many lines a second, and ten times as many at once after a silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Lines a second; at least 1.
    pub per_second: u32,
}

impl Rate {
    /// A paste of ten seconds' worth passes at once.
    const BURST_SECONDS: u32 = 10;

    fn interval(self) -> Duration {
        Duration::from_secs(1) / self.per_second.max(1)
    }

    fn burst(self) -> Duration {
        Duration::from_secs(u64::from(Rate::BURST_SECONDS))
    }
}

/// One connection's bucket: the generic cell rate algorithm, which needs one number.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bucket {
    /// When the bucket will be full again.
    full_at: Duration,
}

impl Bucket {
    /// How many lines may pass now.
    pub fn level(&self, rate: Rate, now: Duration) -> usize {
        let used = self.full_at.saturating_sub(now);
        let left = rate.burst().saturating_sub(used);
        (left.as_nanos() / rate.interval().as_nanos().max(1)) as usize
    }

    /// Takes `lines` of them.
    pub fn take(&mut self, rate: Rate, now: Duration, lines: usize) {
        let lines = u32::try_from(lines).unwrap_or(u32::MAX);
        self.full_at = self.full_at.max(now) + rate.interval() * lines;
    }

    /// How long until one line may pass.
    pub fn wait(&self, rate: Rate, now: Duration) -> Duration {
        let used = self.full_at.saturating_sub(now) + rate.interval();
        used.saturating_sub(rate.burst())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Rate = Rate { per_second: 10 };
    const START: Duration = Duration::from_secs(1);

    #[test]
    fn a_burst_passes_and_then_ten_a_second() {
        let mut bucket = Bucket::default();
        assert_eq!(bucket.level(TEN, START), 100);
        bucket.take(TEN, START, 100);
        assert_eq!(bucket.level(TEN, START), 0);
        assert_eq!(bucket.wait(TEN, START), Duration::from_millis(100));
        assert_eq!(bucket.level(TEN, START + Duration::from_millis(99)), 0);
        assert_eq!(bucket.level(TEN, START + Duration::from_millis(100)), 1);
        assert_eq!(bucket.level(TEN, START + Duration::from_secs(60)), 100);
    }

    #[test]
    fn who_may_speak_does_not_wait() {
        assert_eq!(Bucket::default().wait(TEN, START), Duration::ZERO);
    }
}
