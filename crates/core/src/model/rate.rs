//! The rate limit of a connection: a bucket that delays lines and never refuses them. Knows no
//! clock.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// The number of lines that may pass each second; ten times as many may pass at once after a
/// silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Lines a second; at least 1.
    pub per_second: u32,
}

impl Rate {
    /// A paste as large as ten seconds' lines passes at once.
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
    /// The number of lines that may pass now.
    pub fn level(&self, rate: Rate, now: Duration) -> usize {
        let used = self.full_at.saturating_sub(now);
        let left = rate.burst().saturating_sub(used);
        (left.as_nanos() / rate.interval().as_nanos().max(1)) as usize
    }

    /// Records that this many lines pass.
    pub fn take(&mut self, rate: Rate, now: Duration, lines: usize) {
        let lines = u32::try_from(lines).unwrap_or(u32::MAX);
        self.full_at = self.full_at.max(now) + rate.interval() * lines;
    }

    /// The time until one line may pass.
    pub fn wait(&self, rate: Rate, now: Duration) -> Duration {
        let used = self.full_at.saturating_sub(now) + rate.interval();
        used.saturating_sub(rate.burst())
    }
}

/// The network that counts as one address: in IPv6 a /64, which one household gets.
pub fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

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

    proptest! {
        #[test]
        fn never_more_than_a_burst_and_the_rate(
            per_second in 1..200_u32, turns in vec((0..3_000_u64, 0..500_usize), 1..50),
        ) {
            let rate = Rate { per_second };
            let (mut bucket, mut now, mut said) = (Bucket::default(), START, 0);
            for (milliseconds, wanted) in turns {
                now += Duration::from_millis(milliseconds);
                let lines = wanted.min(bucket.level(rate, now));
                bucket.take(rate, now, lines);
                said += lines;
                let allowed = 10.0 + (now - START).as_secs_f64();
                prop_assert!(said as f64 <= f64::from(per_second) * allowed + 1.0);
            }
        }

        #[test]
        fn after_the_wait_a_line_may_pass_and_not_before(
            per_second in 1..200_u32, lines in 0..3_000_usize, early in 1..1_000_u64,
        ) {
            let rate = Rate { per_second };
            let mut bucket = Bucket::default();
            bucket.take(rate, START, lines);
            let wait = bucket.wait(rate, START);
            prop_assert!(bucket.level(rate, START + wait) >= 1);
            let sooner = wait.checked_sub(Duration::from_nanos(early));
            if let Some(sooner) = sooner {
                prop_assert_eq!(bucket.level(rate, START + sooner), 0);
            }
        }
    }

    #[test]
    fn an_unused_bucket_needs_no_wait() {
        assert_eq!(Bucket::default().wait(TEN, START), Duration::ZERO);
    }
}
