//! Passwords that are tried, and names that are registered, counted: whoever guesses has to wait, and nobody else. Knows
//! no clock.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use parlor_core::link::Refusal;
use parlor_core::model::{Name, network};

use super::counts::{Counts, Period};

/// So often one address may be wrong about one name: counted in [periods](super::counts::PERIOD), for ten minutes at most.
const TRIES_MAX: u16 = 10;

/// When a name has been tried in vain so often from addresses that nobody knows, each of them has one try instead of
/// ten: the owner, who comes from a new one, needs no more.
const NAME_TRIES_MAX: u16 = 100;

/// The same for an address from which so many names were tried in vain: a class that comes in for the first time is right
/// mostly.
const ADDRESS_TRIES_MAX: u16 = 100;

/// When an address was wrong so often it has no more tries, but for the names that came in from there before.
const ADDRESS_TRIES_END: u16 = 1_000;

/// So many names one address may have registered: a class behind one address, and no more in a hurry.
const REGISTRATIONS_MAX: u16 = 30;

/// Who tried, or what was tried.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    /// This name, from there.
    Pair(Box<str>, IpAddr),
    /// Whatever name, from there.
    Address(IpAddr),
    /// This name, from wherever nobody knows.
    Name(Box<str>),
    /// Who wants names: every one of them is kept.
    Registering(IpAddr),
}

/// Tries in vain.
#[derive(Default)]
pub(crate) struct Tries {
    failed: Counts,
}

/// A try that is under way. It is counted until it is [given back](Tries::give_back), so that many at once have no more
/// tries than one after the other.
#[derive(Debug)]
pub(crate) struct Try {
    counted: Vec<(Key, Period)>,
    /// Whether there have been too many already: the right password passes, but tries have to take their time.
    pub(crate) is_beyond: bool,
}

impl Tries {
    /// Somebody at this address tries this name. Where its owner came in from there before the right password is to pass
    /// in any case.
    pub(crate) fn take(
        &mut self,
        name: &Name,
        address: IpAddr,
        is_known: bool,
        now: Instant,
    ) -> Result<Try, Refusal> {
        let (address, name) = (network(address.to_canonical()), name.keys()[0]);
        let pair = Key::Pair(name.into(), address);
        let tried = self.failed.count(&pair, now);
        if is_known {
            return Ok(Try {
                is_beyond: tried >= TRIES_MAX,
                counted: self.count([pair], now),
            });
        }
        let (name, from) = (Key::Name(name.into()), Key::Address(address));
        let of_name = self.failed.count(&name, now);
        // Behind a web server on this machine everybody comes from it.
        let of_address = match address.is_loopback() {
            true => 0,
            false => self.failed.count(&from, now),
        };
        let max = match of_name >= NAME_TRIES_MAX || of_address >= ADDRESS_TRIES_MAX {
            true => 1,
            false => TRIES_MAX,
        };
        if tried >= max || of_address >= ADDRESS_TRIES_END {
            return Err(self.too_many(now));
        }
        Ok(Try {
            is_beyond: false,
            counted: self.count([pair, name, from], now),
        })
    }

    /// It was no guess.
    pub(crate) fn give_back(&mut self, tried: Try) {
        for (key, period) in tried.counted {
            self.failed.take_back(&key, period);
        }
    }

    /// Somebody at this address wants a name.
    pub(crate) fn register(&mut self, address: IpAddr, now: Instant) -> Result<(), Refusal> {
        let key = Key::Registering(network(address.to_canonical()));
        if self.failed.count(&key, now) >= REGISTRATIONS_MAX {
            return Err(self.too_many(now));
        }
        self.failed.add(&key, now);
        Ok(())
    }

    /// After how long there is another try; in whole minutes, for it is shown.
    pub(crate) fn too_many(&self, now: Instant) -> Refusal {
        let minutes = self.failed.left(now).as_millis().div_ceil(60_000).max(1);
        Refusal::TooManyTries(Duration::from_secs(minutes as u64 * 60))
    }

    fn count<const KEYS: usize>(&mut self, keys: [Key; KEYS], now: Instant) -> Vec<(Key, Period)> {
        let count = |key: Key| {
            let period = self.failed.add(&key, now);
            (key, period)
        };
        keys.into_iter().map(count).collect()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::super::counts::PERIOD;
    use super::*;

    struct House {
        tries: Tries,
        now: Instant,
    }

    impl House {
        fn new() -> House {
            House {
                tries: Tries::default(),
                now: Instant::now(),
            }
        }

        fn take(&mut self, name: &str, from: &str, is_known: bool) -> Result<Try, Refusal> {
            let (name, from) = (Name::kept(name), from.parse().unwrap());
            self.tries.take(&name, from, is_known, self.now)
        }

        fn guess(&mut self, name: &str, from: &str, times: u16) {
            for _ in 0..times {
                self.take(name, from, false).unwrap();
            }
        }

        /// Whether the right password is looked at.
        fn may(&mut self, name: &str, from: &str, is_known: bool) -> bool {
            let may = self.take(name, from, is_known);
            may.map(|tried| self.tries.give_back(tried)).is_ok()
        }
    }

    #[test]
    fn whoever_guesses_waits_and_others_do_not() {
        let mut house = House::new();
        house.guess("alice", "2001:db8::1", TRIES_MAX - 1);
        assert!(house.may("alice", "2001:db8::2", false));
        house.guess("Alice", "2001:db8::2", 1);
        assert!(!house.may("alice", "2001:db8::3", false), "one network");
        assert!(house.may("bob", "2001:db8::3", false), "another name");
        assert!(house.may("alice", "2001:db8:0:1::1", false));
        assert!(house.may("alice", "192.0.2.1", false));
        house.now += 2 * PERIOD;
        assert!(house.may("alice", "2001:db8::1", false));
    }

    #[test]
    fn where_the_owner_came_in_before_the_right_password_always_passes() {
        let mut house = House::new();
        for _ in 0..TRIES_MAX {
            let tried = house.take("alice", "192.0.2.1", true).unwrap();
            assert!(!tried.is_beyond);
        }
        for _ in 0..5_000 {
            let tried = house.take("alice", "192.0.2.1", true).unwrap();
            assert!(tried.is_beyond, "and takes its time");
        }
        assert!(house.may("bob", "192.0.2.1", false));
        assert!(house.may("alice", "192.0.2.2", false));
    }

    #[test]
    fn a_name_that_many_guess_is_open_to_whoever_never_erred() {
        let mut house = House::new();
        for guesser in 0..10 {
            house.guess("alice", &format!("192.0.2.{guesser}"), TRIES_MAX);
        }
        assert!(house.may("alice", "198.51.100.1", false));
        house.guess("alice", "198.51.100.1", 1);
        assert!(
            !house.may("alice", "198.51.100.1", false),
            "once, not ten times"
        );
        assert!(house.may("alice", "198.51.100.2", false));
        assert!(house.may("bob", "198.51.100.1", false));
    }

    #[test]
    fn whoever_tries_many_names_from_one_address_has_fewer_tries_for_each_and_none_in_the_end() {
        let mut house = House::new();
        for name in 0..ADDRESS_TRIES_END {
            house.guess(&format!("name{name}"), "192.0.2.1", 1);
        }
        assert!(!house.may("alice", "192.0.2.1", false));
        assert!(house.may("alice", "192.0.2.1", true));
        assert!(house.may("alice", "192.0.2.2", false));
    }

    #[test]
    fn one_address_registers_a_class_and_no_more() {
        let mut house = House::new();
        let from = "192.0.2.1".parse().unwrap();
        for _ in 0..REGISTRATIONS_MAX {
            house.tries.register(from, house.now).unwrap();
        }
        assert!(house.tries.register(from, house.now).is_err());
        assert!(house.may("alice", "192.0.2.1", false));
    }
}
