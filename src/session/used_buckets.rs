//! The rate of people who leave and come again: a new connection goes on where one that has ended
//! has left off, so that nobody gets more lines by reconnecting. Knows no session.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use parlor_core::model::{Bucket, Rate, network};

/// The number of remembered buckets. Beyond it, those that are full again are forgotten, and then no
/// more are remembered.
const BUCKETS_MAX: usize = 10_000;

/// The buckets that ended connections have left, by their address. For IPv6, an address is a whole
/// network.
#[derive(Debug, Default)]
pub(crate) struct UsedBuckets(Mutex<Left>);

#[derive(Debug, Default)]
struct Left {
    by_network: HashMap<IpAddr, Vec<Bucket>>,
    count: usize,
}

impl UsedBuckets {
    /// The bucket of a new connection: the last one that a connection from this address has left, or
    /// a full one.
    pub(super) fn take(&self, from: IpAddr) -> Bucket {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(buckets) = left.by_network.get_mut(&network(from)) else {
            return Bucket::default();
        };
        let bucket = buckets.pop();
        if buckets.is_empty() {
            left.by_network.remove(&network(from));
        }
        left.count -= usize::from(bucket.is_some());
        bucket.unwrap_or_default()
    }

    /// Leaves the bucket of a connection that ends. The connections of this machine are not limited
    /// by address, so they leave none.
    pub(super) fn leave(&self, from: IpAddr, bucket: Bucket, rate: Rate, now: Duration) {
        let full = Bucket::default().level(rate, now);
        if from.is_loopback() || bucket.level(rate, now) >= full {
            return;
        }
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if left.count >= BUCKETS_MAX {
            left.by_network.retain(|_, buckets| {
                buckets.retain(|bucket| bucket.level(rate, now) < full);
                !buckets.is_empty()
            });
            left.count = left.by_network.values().map(Vec::len).sum();
        }
        if left.count < BUCKETS_MAX {
            left.by_network.entry(network(from)).or_default().push(bucket);
            left.count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Rate = Rate { per_second: 10 };
    const START: Duration = Duration::from_secs(1_000);

    fn used(lines: usize) -> Bucket {
        let mut bucket = Bucket::default();
        bucket.take(TEN, START, lines);
        bucket
    }

    #[test]
    fn reconnecting_brings_no_new_burst() {
        let buckets = UsedBuckets::default();
        let (here, there) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        buckets.leave(here, used(90), TEN, START);
        assert_eq!(buckets.take(there).level(TEN, START), 100, "another address");
        let mut second = buckets.take(here);
        assert_eq!(second.level(TEN, START), 10);
        assert_eq!(buckets.take(here).level(TEN, START), 100, "each bucket is one connection's");
        second.take(TEN, START, 90);
        buckets.leave(here, second, TEN, START);
        let third = buckets.take(here);
        assert_eq!(third.wait(TEN, START), Duration::from_millis(8_100));
        assert_eq!(third.level(TEN, START + Duration::from_secs(18)), 100);
    }

    #[test]
    fn this_machine_and_full_buckets_leave_nothing_and_memory_is_bounded() {
        let buckets = UsedBuckets::default();
        let count = || buckets.0.lock().map_or(0, |left| left.count);
        buckets.leave(IpAddr::from([127, 0, 0, 1]), used(90), TEN, START);
        buckets.leave(IpAddr::from([192, 0, 2, 1]), used(0), TEN, START);
        assert_eq!(count(), 0);
        for number in 0..2 * BUCKETS_MAX as u32 {
            buckets.leave(IpAddr::from(number.to_be_bytes()), used(50), TEN, START);
        }
        assert_eq!(count(), BUCKETS_MAX);
        let later = START + Duration::from_secs(100);
        let mut late = Bucket::default();
        late.take(TEN, later, 1);
        buckets.leave(IpAddr::from([192, 0, 2, 1]), late, TEN, later);
        assert_eq!(count(), 1, "the others are full again");
    }
}
