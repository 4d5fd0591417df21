//! Wrong passwords and codes, counted: whoever guesses has to wait. Knows no clock.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use parlor_core::answer::Refusal;
use parlor_core::name::Name;

/// So long a wrong try counts.
const WINDOW: Duration = Duration::from_secs(600);

/// So often one address may be wrong in that time.
const ADDRESS_TRIES_MAX: u32 = 10;

/// So often a name may be tried in vain from all addresses together. More than one address may, so that a stranger alone
/// does not keep the owner out.
const NAME_TRIES_MAX: u32 = 100;

/// So many are remembered; then the oldest are forgotten, those first whose time is over.
const REMEMBERED_MAX: usize = 2_000;

/// Who tried, or what was tried.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Address(IpAddr),
    Name(Box<str>),
}

/// Tries in vain, by address and by name.
#[derive(Debug, Default)]
pub(super) struct Tries {
    failed: HashMap<Key, Failed>,
}

#[derive(Debug, Clone, Copy)]
struct Failed {
    times: u32,
    since: Instant,
}

impl Tries {
    /// Whether somebody at this address may try this name.
    pub(super) fn may_try(
        &self,
        name: &Name,
        address: IpAddr,
        now: Instant,
    ) -> Result<(), Refusal> {
        let by_name = self.wait(&of_name(name), NAME_TRIES_MAX, now);
        self.may_try_at(address, now)?;
        by_name.map_or(Ok(()), |wait| Err(Refusal::TooManyTries(wait)))
    }

    /// Whether somebody at this address may try anything.
    pub(super) fn may_try_at(&self, address: IpAddr, now: Instant) -> Result<(), Refusal> {
        match self.wait(&of_address(address), ADDRESS_TRIES_MAX, now) {
            Some(wait) => Err(Refusal::TooManyTries(wait)),
            None => Ok(()),
        }
    }

    /// Somebody at this address has tried this name in vain.
    pub(super) fn failed(&mut self, name: &Name, address: IpAddr, now: Instant) {
        self.count(of_name(name), now);
        self.failed_at(address, now);
    }

    /// Somebody at this address has tried something in vain.
    pub(super) fn failed_at(&mut self, address: IpAddr, now: Instant) {
        self.count(of_address(address), now);
    }

    /// How long is to be waited after `max` tries; whole minutes, for it is shown.
    fn wait(&self, key: &Key, max: u32, now: Instant) -> Option<Duration> {
        let failed = self.failed.get(key)?;
        let left = (failed.since + WINDOW).checked_duration_since(now)?;
        let minutes = left.as_millis().div_ceil(60_000) as u64;
        (failed.times >= max && minutes > 0).then_some(Duration::from_secs(minutes * 60))
    }

    fn count(&mut self, key: Key, now: Instant) {
        self.failed
            .retain(|_, failed| now.duration_since(failed.since) < WINDOW);
        if self.failed.len() >= REMEMBERED_MAX {
            let oldest = self.failed.iter().min_by_key(|(_, failed)| failed.since);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                self.failed.remove(&oldest);
            }
        }
        let failed = self.failed.entry(key).or_insert(Failed {
            times: 0,
            since: now,
        });
        failed.times += 1;
    }
}

fn of_name(name: &Name) -> Key {
    let [key, _] = name.keys();
    Key::Name(key.into())
}

/// One address, or the network of one customer: whoever has an address of IPv6 has 2^64 of them.
fn of_address(address: IpAddr) -> Key {
    Key::Address(match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;

    fn tried(tries: &mut Tries, name: &Name, address: &str, times: u32, now: Instant) {
        for _ in 0..times {
            tries.failed(name, address.parse().unwrap(), now);
        }
    }

    #[test]
    fn whoever_guesses_waits_and_others_do_not() {
        let (alice, bob) = (Name::kept("alice"), Name::kept("bob"));
        let mut tries = Tries::default();
        let now = Instant::now();
        let may = |tries: &Tries, name, address: &str, now| {
            tries.may_try(name, address.parse().unwrap(), now).is_ok()
        };
        tried(
            &mut tries,
            &alice,
            "2001:db8::1",
            ADDRESS_TRIES_MAX - 1,
            now,
        );
        assert!(may(&tries, &alice, "2001:db8::2", now));
        tried(&mut tries, &alice, "2001:db8::2", 1, now);
        assert!(!may(&tries, &alice, "2001:db8::3", now), "one network");
        assert!(!may(&tries, &bob, "2001:db8::3", now), "another name");
        assert!(
            may(&tries, &alice, "2001:db8:0:1::1", now),
            "another network"
        );
        assert!(may(&tries, &alice, "192.0.2.1", now));
        assert!(may(&tries, &alice, "2001:db8::1", now + WINDOW));
    }

    #[test]
    fn a_name_that_many_guess_waits_for_all() {
        let (alice, bob) = (Name::kept("alice"), Name::kept("bob"));
        let mut tries = Tries::default();
        let now = Instant::now();
        for guesser in 0..NAME_TRIES_MAX {
            tried(&mut tries, &alice, &format!("192.0.2.{guesser}"), 1, now);
        }
        let address = "198.51.100.1".parse().unwrap();
        assert!(tries.may_try(&Name::kept("Alice"), address, now).is_err());
        assert!(tries.may_try(&bob, address, now).is_ok());
    }

    #[test]
    fn what_is_remembered_has_an_end() {
        let mut tries = Tries::default();
        let now = Instant::now();
        for guesser in 0..2 * REMEMBERED_MAX as u32 {
            let address = IpAddr::V4((guesser << 4).into());
            tries.failed_at(address, now);
            if guesser > 100 && guesser % 1000 != 0 {
                continue;
            }
            assert!(tries.failed.len() <= REMEMBERED_MAX);
        }
        assert_eq!(tries.failed.len(), REMEMBERED_MAX);
    }
}
