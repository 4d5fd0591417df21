//! Who may come in: so many connections, so many from one address. Knows no socket.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So many of those who find the house full are told so at the same time.
const SPARE_PLACES: usize = 32;

/// Those who find the house full are asked to come back after this long, in seconds.
const RETRY_SECONDS: u32 = 30;

/// Hands out permits to come in.
pub(crate) struct Admission {
    places: Arc<Semaphore>,
    spare: Arc<Semaphore>,
    addresses: Arc<Addresses>,
    limit_loopback: bool,
}

/// The right to be connected; given back when dropped.
pub(crate) struct Permit {
    _place: OwnedSemaphorePermit,
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
            places: Arc::new(Semaphore::new(connections)),
            spare: Arc::new(Semaphore::new(SPARE_PLACES)),
            addresses: Arc::new(Addresses {
                counts: Mutex::default(),
                max: per_address,
            }),
            limit_loopback,
        }
    }

    /// A permit for a connection from `ip`.
    pub(crate) fn admit(&self, ip: IpAddr) -> Result<Permit, Refused> {
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| Refused::Full)?;
        let exempt = ip.is_loopback() && !self.limit_loopback;
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

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Full => write!(f, "The server is full; try again in {RETRY_SECONDS} s"),
            Refused::Address(max) => {
                write!(
                    f,
                    "Your address has {max} connections, and may have no more; close one and try again"
                )
            }
        }
    }
}

/// How many connections each address has. An address without any is not in it.
struct Addresses {
    counts: Mutex<HashMap<IpAddr, usize>>,
    max: usize,
}

/// One connection's share of its address; given back when dropped.
struct Share {
    addresses: Arc<Addresses>,
    network: IpAddr,
}

impl Addresses {
    fn take_share(self: &Arc<Addresses>, network: IpAddr) -> Result<Share, Refused> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(network).or_insert(0);
        if *count >= self.max {
            return Err(Refused::Address(self.max));
        }
        *count += 1;
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

/// What counts as one address: in IPv6 a /64, which is what one household is given.
fn network(ip: IpAddr) -> IpAddr {
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
    fn a_full_house_has_room_again_when_somebody_leaves() {
        let admission = Admission::new(1, 100, false);
        let permit = admission.admit(HERE);
        assert_eq!(admission.admit(ELSEWHERE).err(), Some(Refused::Full));
        drop(permit);
        assert!(admission.admit(ELSEWHERE).is_ok());
    }
}
