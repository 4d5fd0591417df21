//! Passwords and codes that are tried, and names that are registered, counted: whoever guesses has to wait. Knows no clock.

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

/// So many names one address may have registered in that time: a class behind one address, and no more in a hurry.
const REGISTRATIONS_MAX: u32 = 30;

/// So many are remembered; then the oldest are forgotten, those first whose time is over.
const REMEMBERED_MAX: usize = 2_000;

/// Who tried, or what was tried.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Address(IpAddr),
    Name(Box<str>),
    /// Who wants names: every one of them is kept.
    Registering(IpAddr),
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
    /// Somebody at this address tries this name: that counts until it is [given back](Tries::give_back), so that many at
    /// once have no more tries than one after the other.
    pub(super) fn take(
        &mut self,
        name: &Name,
        address: IpAddr,
        now: Instant,
    ) -> Result<(), Refusal> {
        self.may_try(&of_name(name), NAME_TRIES_MAX, now)?;
        self.take_at(address, now)?;
        self.count(of_name(name), now);
        Ok(())
    }

    /// Somebody at this address tries anything.
    pub(super) fn take_at(&mut self, address: IpAddr, now: Instant) -> Result<(), Refusal> {
        self.may_try(&of_address(address), ADDRESS_TRIES_MAX, now)?;
        self.count(of_address(address), now);
        Ok(())
    }

    /// It was no guess.
    pub(super) fn give_back(&mut self, name: &Name, address: IpAddr) {
        self.discount(&of_name(name));
        self.give_back_at(address);
    }

    /// It was no guess.
    pub(super) fn give_back_at(&mut self, address: IpAddr) {
        self.discount(&of_address(address));
    }

    /// Somebody at this address wants a name.
    pub(super) fn register(&mut self, address: IpAddr, now: Instant) -> Result<(), Refusal> {
        let Key::Address(network) = of_address(address) else {
            return Ok(());
        };
        let key = Key::Registering(network);
        self.may_try(&key, REGISTRATIONS_MAX, now)?;
        self.count(key, now);
        Ok(())
    }

    fn may_try(&self, key: &Key, max: u32, now: Instant) -> Result<(), Refusal> {
        match self.wait(key, max, now) {
            Some(wait) => Err(Refusal::TooManyTries(wait)),
            None => Ok(()),
        }
    }

    fn discount(&mut self, key: &Key) {
        if let Some(failed) = self.failed.get_mut(key) {
            failed.times = failed.times.saturating_sub(1);
        }
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
            tries.take(name, address.parse().unwrap(), now).unwrap();
        }
    }

    #[test]
    fn whoever_guesses_waits_and_others_do_not() {
        let (alice, bob) = (Name::kept("alice"), Name::kept("bob"));
        let mut tries = Tries::default();
        let now = Instant::now();
        let may = |tries: &mut Tries, name, address: &str, now| {
            let address = address.parse().unwrap();
            let may = tries.take(name, address, now).is_ok();
            if may {
                tries.give_back(name, address);
            }
            may
        };
        tried(
            &mut tries,
            &alice,
            "2001:db8::1",
            ADDRESS_TRIES_MAX - 1,
            now,
        );
        assert!(may(&mut tries, &alice, "2001:db8::2", now));
        tried(&mut tries, &alice, "2001:db8::2", 1, now);
        assert!(!may(&mut tries, &alice, "2001:db8::3", now), "one network");
        assert!(!may(&mut tries, &bob, "2001:db8::3", now), "another name");
        assert!(
            may(&mut tries, &alice, "2001:db8:0:1::1", now),
            "another network"
        );
        assert!(may(&mut tries, &alice, "192.0.2.1", now));
        assert!(may(&mut tries, &alice, "2001:db8::1", now + WINDOW));
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
        assert!(tries.take(&Name::kept("Alice"), address, now).is_err());
        assert!(tries.take(&bob, address, now).is_ok());
    }

    #[test]
    fn what_is_remembered_has_an_end() {
        let mut tries = Tries::default();
        let now = Instant::now();
        for guesser in 0..2 * REMEMBERED_MAX as u32 {
            let address = IpAddr::V4((guesser << 4).into());
            tries.take_at(address, now).unwrap();
            if guesser > 100 && guesser % 1000 != 0 {
                continue;
            }
            assert!(tries.failed.len() <= REMEMBERED_MAX);
        }
        assert_eq!(tries.failed.len(), REMEMBERED_MAX);
    }
}
