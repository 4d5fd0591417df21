//! The limits on connections, in all and from each address, and the file descriptors for them.
//! Knows no dialect.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::fs::File;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use parlor_core::model::network;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::waiting::quarter;

/// The number of clients that can read at the same time that the server is full.
const SPARE_PLACES: usize = 32;

/// The number of seconds after which a client should try again when the server is full.
pub(crate) const RETRY_SECONDS: u32 = 30;

/// Hands out permits to connect.
pub(crate) struct Admission {
    connections: Arc<Mutex<Connections>>,
    spare: Arc<Semaphore>,
}

/// The connections that there are, and how many there may be.
#[derive(Default)]
struct Connections {
    count: usize,
    max: usize,
    /// How many each network has, if it has any.
    by_network: HashMap<IpAddr, usize>,
    network_max: usize,
    /// Whether this machine's own connections count among those of a network.
    limit_loopback: bool,
}

/// The right to be connected, until it is dropped.
pub(crate) struct Permit {
    connections: Arc<Mutex<Connections>>,
}

/// A connection that counts among those of its address, until it is dropped.
pub(crate) struct AddressShare {
    connections: Arc<Mutex<Connections>>,
    /// The network whose connections are limited.
    network: Option<IpAddr>,
}

/// The reason why a client may not connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TurnedAway {
    /// The server has as many connections as it may have.
    Full,
    /// The address has as many connections as it may have: this number.
    Address(usize),
}

impl Admission {
    pub(crate) fn new(connections: usize, per_address: usize, limit_loopback: bool) -> Admission {
        let spare = Arc::new(Semaphore::new(SPARE_PLACES));
        let admission = Admission { connections: Arc::default(), spare };
        admission.set(connections, per_address, limit_loopback);
        admission
    }

    /// Changes the limits. Existing connections beyond them stay.
    pub(crate) fn set(&self, connections: usize, per_address: usize, limit_loopback: bool) {
        let mut present = lock(&self.connections);
        (present.max, present.network_max) = (connections, per_address);
        present.limit_loopback = limit_loopback;
    }

    /// A place for a connection.
    pub(crate) fn admit(&self) -> Result<Permit, TurnedAway> {
        let mut present = lock(&self.connections);
        if present.count >= present.max {
            return Err(TurnedAway::Full);
        }
        present.count += 1;
        Ok(Permit { connections: Arc::clone(&self.connections) })
    }

    /// Counts a connection among those from `ip`. Without an address it counts nowhere.
    pub(crate) fn share(&self, ip: Option<IpAddr>) -> Result<AddressShare, TurnedAway> {
        let mut present = lock(&self.connections);
        let limited = ip.filter(|ip| !ip.is_loopback() || present.limit_loopback);
        let network = limited.map(network);
        if let Some(network) = network {
            let count = present.by_network.get(&network).copied().unwrap_or_default();
            if count >= present.network_max {
                return Err(TurnedAway::Address(present.network_max));
            }
            present.by_network.insert(network, count + 1);
        }
        Ok(AddressShare { connections: Arc::clone(&self.connections), network })
    }

    /// Whether fewer than a quarter of the places are free.
    pub(crate) fn is_nearly_full(&self) -> bool {
        let present = lock(&self.connections);
        present.max.saturating_sub(present.count) < quarter(present.max)
    }

    /// A place for a client that reads why it may not connect.
    pub(crate) fn spare_place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.spare).try_acquire_owned().ok()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        lock(&self.connections).count -= 1;
    }
}

impl Drop for AddressShare {
    fn drop(&mut self) {
        let Some(network) = self.network else {
            return;
        };
        let mut present = lock(&self.connections);
        if let Entry::Occupied(mut count) = present.by_network.entry(network) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

fn lock(connections: &Mutex<Connections>) -> MutexGuard<'_, Connections> {
    connections.lock().unwrap_or_else(PoisonError::into_inner)
}

impl TurnedAway {
    /// The name of the limit in the metrics.
    pub(crate) fn limit(self) -> &'static str {
        match self {
            TurnedAway::Full => "connections",
            TurnedAway::Address(_) => "address",
        }
    }
}

impl fmt::Display for TurnedAway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TurnedAway::Full => write!(f, "The server is full; try again in {RETRY_SECONDS} s"),
            TurnedAway::Address(1) => f.write_str(
                "Your address has 1 connection, the most allowed; close it and try again",
            ),
            TurnedAway::Address(max) => write!(
                f,
                "Your address has {max} connections, the most allowed; close one and try again"
            ),
        }
    }
}

/// Raises the limit of open files as far as this process may, and returns it.
pub(crate) fn raise_limit() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    let before = limit.current;
    limit.current = limit.maximum;
    let now = if setrlimit(Resource::Nofile, limit).is_ok() { limit.current } else { before };
    now.map_or(usize::MAX, |now| usize::try_from(now).unwrap_or(usize::MAX))
}

/// An open file that does nothing. When no descriptor is left, it is closed for a moment, so that
/// the first connection in the queue can be accepted and closed, and does not wait for ever.
pub(super) struct Reserve(Option<File>);

impl Reserve {
    pub(super) fn new() -> Reserve {
        Reserve(File::open("/dev/null").ok())
    }

    /// Accepts one connection in place of the reserve, and closes it.
    pub(super) fn turn_one_away(&mut self, accepting: impl Future) {
        if self.0.take().is_some() {
            drop(accepting.now_or_never());
        }
        *self = Reserve::new();
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

    /// Admits a connection, as the accept loop does.
    fn admit(
        admission: &Admission,
        ip: Option<IpAddr>,
    ) -> Result<(Permit, AddressShare), TurnedAway> {
        let permit = admission.admit()?;
        Ok((permit, admission.share(ip)?))
    }

    #[test]
    fn a_network_gets_its_share_back() {
        let admission = Admission::new(100, 2, false);
        let first = admit(&admission, Some(HERE));
        let second = admit(&admission, Some(NEXT_DOOR));
        assert!(first.is_ok() && second.is_ok());
        assert_eq!(admit(&admission, Some(HERE)).err(), Some(TurnedAway::Address(2)));
        assert!(admit(&admission, Some(ELSEWHERE)).is_ok());
        drop(first);
        assert!(admit(&admission, Some(HERE)).is_ok());
    }

    #[test]
    fn loopback_is_exempt_unless_told_otherwise() {
        let admission = Admission::new(100, 1, false);
        let permits: Vec<_> = (0..3).map(|_| admit(&admission, Some(LOOPBACK))).collect();
        assert!(permits.iter().all(Result::is_ok));
        let admission = Admission::new(100, 1, true);
        let _permit = admit(&admission, Some(LOOPBACK));
        assert_eq!(admit(&admission, Some(LOOPBACK)).err(), Some(TurnedAway::Address(1)));
    }

    #[test]
    fn connections_without_an_address_take_places_and_no_share() {
        let admission = Admission::new(3, 1, true);
        let permits: Vec<_> = (0..3).map(|_| admit(&admission, None)).collect();
        assert!(permits.iter().all(Result::is_ok));
        assert_eq!(admit(&admission, None).err(), Some(TurnedAway::Full));
    }

    #[test]
    fn limits_that_change_hold_for_the_next_connection() {
        let admission = Admission::new(2, 100, false);
        let mut permits: Vec<_> = (0..2).map(|_| admit(&admission, Some(HERE))).collect();
        admission.set(1, 2, false);
        assert_eq!(admit(&admission, Some(HERE)).err(), Some(TurnedAway::Full));
        permits.pop();
        assert_eq!(admit(&admission, Some(HERE)).err(), Some(TurnedAway::Full), "one is in");
        admission.set(9, 2, false);
        permits.push(admit(&admission, Some(HERE)));
        assert_eq!(admit(&admission, Some(HERE)).err(), Some(TurnedAway::Address(2)));
        assert!(permits.iter().all(Result::is_ok));
    }

    #[test]
    fn a_full_server_has_room_again_when_a_connection_ends() {
        let admission = Admission::new(1, 100, false);
        let permit = admit(&admission, Some(HERE));
        assert_eq!(admit(&admission, Some(ELSEWHERE)).err(), Some(TurnedAway::Full));
        drop(permit);
        assert!(admit(&admission, Some(ELSEWHERE)).is_ok());
    }
}
