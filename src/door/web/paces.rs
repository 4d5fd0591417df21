//! The rate of each address that speaks without a session. Knows no request.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use parlor_core::model::{Bucket, Rate, network};

/// The number of remembered addresses. Beyond it, quiet addresses are forgotten.
const PACES_MAX: usize = 10_000;

/// The rate of each address. For IPv6, an address is a whole network.
#[derive(Default)]
pub(super) struct Paces(Mutex<HashMap<IpAddr, Bucket>>);

impl Paces {
    /// Takes lines from the bucket of an address if all of them may pass now; otherwise returns the
    /// time to wait. More lines than a bucket holds pass when it is full, and the next lines wait
    /// longer.
    pub(super) fn take(
        &self,
        from: IpAddr,
        rate: Rate,
        now: Duration,
        lines: usize,
    ) -> Result<(), Duration> {
        let mut paces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let full = Bucket::default().level(rate, now);
        if paces.len() >= PACES_MAX {
            paces.retain(|_, bucket| bucket.level(rate, now) < full);
        }
        let from = match paces.len() < PACES_MAX {
            true => network(from),
            false => Ipv6Addr::UNSPECIFIED.into(), // all new ones share one
        };
        let bucket = paces.entry(from).or_default();
        let mut before_the_last = *bucket;
        before_the_last.take(rate, now, lines.min(full).saturating_sub(1));
        match before_the_last.wait(rate, now) {
            Duration::ZERO => {
                bucket.take(rate, now, lines);
                Ok(())
            }
            wait => Err(wait),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Rate = Rate { per_second: 10 };

    #[test]
    fn addresses_have_separate_rates() {
        let paces = Paces::default();
        let (here, there) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let now = Duration::from_secs(1_000);
        assert_eq!(paces.take(here, TEN, now, 100), Ok(()));
        assert_eq!(paces.take(here, TEN, now, 1), Err(Duration::from_millis(100)));
        assert_eq!(paces.take(there, TEN, now, 1), Ok(()));
        assert_eq!(paces.take(here, TEN, now + Duration::from_millis(100), 1), Ok(()));
    }

    #[test]
    fn lines_pass_together_or_not_at_all() {
        let paces = Paces::default();
        let here = IpAddr::from([192, 0, 2, 1]);
        let mut now = Duration::from_secs(1_000);
        let mut take = |waited: u64, lines| {
            now += Duration::from_millis(waited);
            paces.take(here, TEN, now, lines)
        };
        let wait = |milliseconds| Err(Duration::from_millis(milliseconds));
        assert_eq!(take(0, 1), Ok(()));
        assert_eq!(take(0, 100), wait(100), "99 are left");
        assert_eq!(take(0, 99), Ok(()));
        assert_eq!(take(10, 100), wait(9_990));
        assert_eq!(take(9_980, 100), wait(10));
        assert_eq!(take(10, 100), Ok(()));
        // A bucket never holds 200 lines.
        assert_eq!(take(9_999, 200), wait(1));
        assert_eq!(take(1, 200), Ok(()));
        assert_eq!(take(10_000, 1), wait(100));
        assert_eq!(take(100, 1), Ok(()));
    }

    #[test]
    fn quiet_addresses_are_forgotten_and_memory_is_bounded() {
        let paces = Paces::default();
        let of = |number: u32| IpAddr::from(number.to_be_bytes());
        let now = Duration::from_secs(1_000);
        for number in 0..2 * PACES_MAX as u32 {
            paces.take(of(number), TEN, now, 50).ok();
        }
        let len = || paces.0.lock().map_or(0, |paces| paces.len());
        assert!(len() <= PACES_MAX + 1, "{}", len());
        let later = now + Duration::from_secs(100);
        assert_eq!(paces.take(of(7), TEN, later, 1), Ok(()));
        assert_eq!(len(), 1);
    }
}
