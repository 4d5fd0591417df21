//! Counts wrong passwords and registered names, so that people who guess must wait, and others need
//! not. Knows no clock.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use parlor_core::link::Refusal;
use parlor_core::model::{Name, network};

use super::counts::{Counts, Period};

/// The number of wrong passwords for one name that one network may send. They are counted in
/// [periods](super::counts::PERIOD), for ten minutes at most.
const TRIES_MAX: u16 = 10;

/// After this many wrong passwords for one name from unknown networks, each such network has one
/// try instead of ten: an owner on a new network needs only one.
const NAME_TRIES_MAX: u16 = 100;

/// After this many wrong passwords for any names from one network, it has one try for each name
/// instead of ten: in a class that enters for the first time, most passwords are right.
const ADDRESS_TRIES_MAX: u16 = 100;

/// After this many wrong passwords, a network has no more tries, except for names whose owners have
/// come from it before.
const ADDRESS_TRIES_END: u16 = 1_000;

/// The number of names that one network may register in a short time: enough for a class behind one
/// address.
const REGISTRATIONS_MAX: u16 = 30;

/// The subject of a count.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Counted {
    /// Wrong passwords for this name from this network.
    Pair(Box<str>, IpAddr),
    /// Wrong passwords for any name from this network.
    Address(IpAddr),
    /// Wrong passwords for this name from all unknown networks.
    Name(Box<str>),
    /// Names that were registered from this network.
    Registering(IpAddr),
}

/// The counts.
#[derive(Default)]
pub(super) struct Tries {
    failed: Counts,
}

/// A try. It counts as wrong until it is [given back](Tries::give_back), so that many simultaneous
/// tries are limited like successive ones.
#[derive(Debug)]
pub(super) struct Try {
    counted: Vec<(Counted, Period)>,
    /// Whether there were too many already: the right password is accepted, but the try is slow.
    pub(super) is_beyond: bool,
}

impl Tries {
    /// Counts a try for this name from this address. If its owner has come from there before
    /// (`is_known`), the right password is always accepted.
    ///
    /// # Errors
    /// There were too many.
    pub(super) fn take(
        &mut self,
        name: &Name,
        address: IpAddr,
        is_known: bool,
        now: Instant,
    ) -> Result<Try, Refusal> {
        let (address, name) = (network(address.to_canonical()), name.keys()[0]);
        let pair = Counted::Pair(name.into(), address);
        let tried = self.failed.count(&pair, now);
        if is_known {
            return Ok(Try { is_beyond: tried >= TRIES_MAX, counted: self.count([pair], now) });
        }
        let (name, from) = (Counted::Name(name.into()), Counted::Address(address));
        let of_name = self.failed.count(&name, now);
        // Behind a web server on this machine, everybody has its address.
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
        Ok(Try { is_beyond: false, counted: self.count([pair, name, from], now) })
    }

    /// Undoes the count of a try that was not a wrong password.
    pub(super) fn give_back(&mut self, tried: Try) {
        for (key, period) in tried.counted {
            self.failed.undo(&key, period);
        }
    }

    /// Counts a name that is registered from this address.
    ///
    /// # Errors
    /// There were too many.
    pub(super) fn register(&mut self, address: IpAddr, now: Instant) -> Result<(), Refusal> {
        let key = Counted::Registering(network(address.to_canonical()));
        if self.failed.count(&key, now) >= REGISTRATIONS_MAX {
            return Err(self.too_many(now));
        }
        self.failed.add(&key, now);
        Ok(())
    }

    /// The refusal of a try, with the time until the next one may be made.
    pub(super) fn too_many(&self, now: Instant) -> Refusal {
        wait_for(&self.failed, now)
    }

    fn count<const KEYS: usize>(
        &mut self,
        keys: [Counted; KEYS],
        now: Instant,
    ) -> Vec<(Counted, Period)> {
        let count = |key: Counted| {
            let period = self.failed.add(&key, now);
            (key, period)
        };
        keys.into_iter().map(count).collect()
    }
}

/// The refusal of a try until these counts are forgotten, in whole minutes.
pub(super) fn wait_for(counts: &Counts, now: Instant) -> Refusal {
    let minutes = counts.left(now).as_millis().div_ceil(60_000).max(1);
    Refusal::TooManyTries(Duration::from_secs(minutes as u64 * 60))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::super::counts::PERIOD;
    use super::*;

    struct Door {
        tries: Tries,
        now: Instant,
    }

    impl Door {
        fn new() -> Door {
            Door { tries: Tries::default(), now: Instant::now() }
        }

        fn take(&mut self, name: &str, from: &str, is_known: bool) -> Result<Try, Refusal> {
            let (name, from) = (Name::stored(name), from.parse().unwrap());
            self.tries.take(&name, from, is_known, self.now)
        }

        fn guess(&mut self, name: &str, from: &str, times: u16) {
            for _ in 0..times {
                self.take(name, from, false).unwrap();
            }
        }

        /// Whether the password of this try is checked.
        fn may(&mut self, name: &str, from: &str, is_known: bool) -> bool {
            let may = self.take(name, from, is_known);
            may.map(|tried| self.tries.give_back(tried)).is_ok()
        }
    }

    #[test]
    fn people_who_guess_wait_and_others_do_not() {
        let mut door = Door::new();
        door.guess("alice", "2001:db8::1", TRIES_MAX - 1);
        assert!(door.may("alice", "2001:db8::2", false));
        door.guess("Alice", "2001:db8::2", 1);
        assert!(!door.may("alice", "2001:db8::3", false), "one network");
        assert!(door.may("bob", "2001:db8::3", false), "another name");
        assert!(door.may("alice", "2001:db8:0:1::1", false));
        assert!(door.may("alice", "192.0.2.1", false));
        door.now += 2 * PERIOD;
        assert!(door.may("alice", "2001:db8::1", false));
    }

    #[test]
    fn the_right_password_always_passes_from_where_the_owner_came_in_before() {
        let mut door = Door::new();
        for _ in 0..TRIES_MAX {
            let tried = door.take("alice", "192.0.2.1", true).unwrap();
            assert!(!tried.is_beyond);
        }
        for _ in 0..5_000 {
            let tried = door.take("alice", "192.0.2.1", true).unwrap();
            assert!(tried.is_beyond, "and takes its time");
        }
        assert!(door.may("bob", "192.0.2.1", false));
        assert!(door.may("alice", "192.0.2.2", false));
    }

    #[test]
    fn a_name_that_many_guess_is_open_to_networks_that_never_erred() {
        let mut door = Door::new();
        for guesser in 0..10 {
            door.guess("alice", &format!("192.0.2.{guesser}"), TRIES_MAX);
        }
        assert!(door.may("alice", "198.51.100.1", false));
        door.guess("alice", "198.51.100.1", 1);
        assert!(!door.may("alice", "198.51.100.1", false), "once, not ten times");
        assert!(door.may("alice", "198.51.100.2", false));
        assert!(door.may("bob", "198.51.100.1", false));
    }

    #[test]
    fn many_wrong_names_from_one_address_leave_fewer_tries_for_each_and_none_in_the_end() {
        let mut door = Door::new();
        for name in 0..ADDRESS_TRIES_END {
            door.guess(&format!("name{name}"), "192.0.2.1", 1);
        }
        assert!(!door.may("alice", "192.0.2.1", false));
        assert!(door.may("alice", "192.0.2.1", true));
        assert!(door.may("alice", "192.0.2.2", false));
    }

    #[test]
    fn one_address_registers_a_class_and_no_more() {
        let mut door = Door::new();
        let from = "192.0.2.1".parse().unwrap();
        for _ in 0..REGISTRATIONS_MAX {
            door.tries.register(from, door.now).unwrap();
        }
        assert!(door.tries.register(from, door.now).is_err());
        assert!(door.may("alice", "192.0.2.1", false));
    }
}
