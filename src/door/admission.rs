//! Who may come in: so many connections, so many from one address. Knows no socket.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use parlor_core::model::network;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So many of those who find the house full are told so at the same time.
const SPARE_PLACES: usize = 32;

/// Those who find the house full are asked to come back after this long, in seconds.
pub(crate) const RETRY_SECONDS: u32 = 30;

/// Hands out permits to come in.
pub(crate) struct Admission {
    places: Arc<Places>,
    spare: Arc<Semaphore>,
    addresses: Arc<Addresses>,
    limit_loopback: AtomicBool,
}

/// The right to be connected; given back when dropped.
pub(crate) struct Permit {
    _place: Place,
    _share: Option<Share>,
}

/// Why somebody may not come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// No more connections.
    Full,
    /// No more connections from this address; so many it may have.
    Address(usize),
}

impl Admission {
    pub(crate) fn new(connections: usize, per_address: usize, limit_loopback: bool) -> Admission {
        Admission {
            places: Arc::new(Places {
                taken: AtomicUsize::new(0),
                max: AtomicUsize::new(connections),
            }),
            spare: Arc::new(Semaphore::new(SPARE_PLACES)),
            addresses: Arc::new(Addresses {
                counts: Mutex::default(),
                max: AtomicUsize::new(per_address),
            }),
            limit_loopback: AtomicBool::new(limit_loopback),
        }
    }

    /// From now on these limits hold. Whoever is in stays, also where that is more than may come in.
    pub(crate) fn set(&self, connections: usize, per_address: usize, limit_loopback: bool) {
        self.places.max.store(connections, Ordering::Relaxed);
        self.addresses.max.store(per_address, Ordering::Relaxed);
        self.limit_loopback.store(limit_loopback, Ordering::Relaxed);
    }

    /// A permit for a connection from `ip`.
    pub(crate) fn admit(&self, ip: IpAddr) -> Result<Permit, Refused> {
        let place = self.places.take().ok_or(Refused::Full)?;
        let exempt = ip.is_loopback() && !self.limit_loopback.load(Ordering::Relaxed);
        let share = if exempt {
            None
        } else {
            Some(self.addresses.take_share(network(ip))?)
        };
        Ok(Permit {
            _place: place,
            _share: share,
        })
    }

    /// A place in which to be told that one may not come in.
    pub(crate) fn spare_place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.spare).try_acquire_owned().ok()
    }
}

impl Refused {
    /// As the metrics call it.
    pub(crate) fn limit(self) -> &'static str {
        match self {
            Refused::Full => "connections",
            Refused::Address(_) => "address",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Full => write!(f, "The server is full; try again in {RETRY_SECONDS} s"),
            Refused::Address(max) => {
                write!(
                    f,
                    "Your address has {max} connections, the most allowed; close one and try again"
                )
            }
        }
    }
}

/// How many connections there are.
struct Places {
    taken: AtomicUsize,
    max: AtomicUsize,
}

/// One connection's place in the house; given back when dropped.
struct Place(Arc<Places>);

impl Places {
    fn take(self: &Arc<Places>) -> Option<Place> {
        let max = self.max.load(Ordering::Relaxed);
        let one_more = |taken| (taken < max).then_some(taken + 1);
        let taken = self
            .taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        taken.is_ok().then(|| Place(Arc::clone(self)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How many connections each address has. An address without any is not in it.
struct Addresses {
    counts: Mutex<HashMap<IpAddr, usize>>,
    max: AtomicUsize,
}

/// One connection's share of its address; given back when dropped.
struct Share {
    addresses: Arc<Addresses>,
    network: IpAddr,
}

impl Addresses {
    fn take_share(self: &Arc<Addresses>, network: IpAddr) -> Result<Share, Refused> {
        let max = self.max.load(Ordering::Relaxed);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.get(&network).copied().unwrap_or_default();
        if count >= max {
            return Err(Refused::Address(max));
        }
        counts.insert(network, count + 1);
        Ok(Share {
            addresses: Arc::clone(self),
            network,
        })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut counts = self
            .addresses
            .counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut count) = counts.entry(self.network) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    const HERE: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 7));
    const NEXT_DOOR: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 9, 9, 9, 9));
    const ELSEWHERE: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 2, 0, 0, 0, 7));
    const LOOPBACK: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

    #[test]
    fn a_network_gets_its_share_back() {
        let admission = Admission::new(100, 2, false);
        let first = admission.admit(HERE);
        let second = admission.admit(NEXT_DOOR);
        assert!(first.is_ok() && second.is_ok());
        assert_eq!(admission.admit(HERE).err(), Some(Refused::Address(2)));
        assert!(admission.admit(ELSEWHERE).is_ok());
        drop(first);
        assert!(admission.admit(HERE).is_ok());
    }

    #[test]
    fn loopback_is_exempt_unless_told_otherwise() {
        let admission = Admission::new(100, 1, false);
        let permits: Vec<_> = (0..3).map(|_| admission.admit(LOOPBACK)).collect();
        assert!(permits.iter().all(Result::is_ok));
        let admission = Admission::new(100, 1, true);
        let _permit = admission.admit(LOOPBACK);
        assert_eq!(admission.admit(LOOPBACK).err(), Some(Refused::Address(1)));
    }

    #[test]
    fn limits_that_change_hold_for_whoever_comes_next() {
        let admission = Admission::new(2, 100, false);
        let mut permits: Vec<_> = (0..2).map(|_| admission.admit(HERE)).collect();
        admission.set(1, 2, false);
        assert_eq!(admission.admit(HERE).err(), Some(Refused::Full));
        permits.pop();
        assert_eq!(
            admission.admit(HERE).err(),
            Some(Refused::Full),
            "one is in"
        );
        admission.set(9, 2, false);
        permits.push(admission.admit(HERE));
        assert_eq!(admission.admit(HERE).err(), Some(Refused::Address(2)));
        assert!(permits.iter().all(Result::is_ok));
    }

    #[test]
    fn a_full_house_has_room_again_when_somebody_leaves() {
        let admission = Admission::new(1, 100, false);
        let permit = admission.admit(HERE);
        assert_eq!(admission.admit(ELSEWHERE).err(), Some(Refused::Full));
        drop(permit);
        assert!(admission.admit(ELSEWHERE).is_ok());
    }
}
