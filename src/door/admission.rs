//! The limits on connections, in all and from each address, and the file descriptors for them.
//! Knows no dialect.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::fs::File;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use parlor_core::model::network;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The number of clients that can read at the same time that the server is full.
const SPARE_PLACES: usize = 32;

/// The number of seconds after which a client should try again when the server is full.
pub(crate) const RETRY_SECONDS: u32 = 30;

/// Hands out permits to connect.
pub(crate) struct Admission {
    connections: Arc<Connections>,
    spare: Arc<Semaphore>,
    addresses: Arc<Addresses>,
    limit_loopback: AtomicBool,
}

/// The right to be connected, until it is dropped.
pub(crate) struct Permit {
    _counted: CountedConnection,
    _share: Option<Share>,
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
        Admission {
            connections: Arc::new(Connections {
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

    /// Changes the limits. Existing connections beyond them stay.
    pub(crate) fn set(&self, connections: usize, per_address: usize, limit_loopback: bool) {
        self.connections.max.store(connections, Ordering::Relaxed);
        self.addresses.max.store(per_address, Ordering::Relaxed);
        self.limit_loopback.store(limit_loopback, Ordering::Relaxed);
    }

    /// A permit for a connection from `ip`.
    pub(crate) fn admit(&self, ip: IpAddr) -> Result<Permit, TurnedAway> {
        let counted = self.connections.take().ok_or(TurnedAway::Full)?;
        let exempt = ip.is_loopback() && !self.limit_loopback.load(Ordering::Relaxed);
        let share = if exempt { None } else { Some(self.addresses.take_share(network(ip))?) };
        Ok(Permit { _counted: counted, _share: share })
    }

    /// A place for a client that reads why it may not connect.
    pub(crate) fn spare_place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.spare).try_acquire_owned().ok()
    }
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
            TurnedAway::Address(max) => {
                write!(
                    f,
                    "Your address has {max} connections, the most allowed; close one and try again"
                )
            }
        }
    }
}

/// The number of connections.
struct Connections {
    taken: AtomicUsize,
    max: AtomicUsize,
}

/// One connection; it counts until it is dropped.
struct CountedConnection(Arc<Connections>);

impl Connections {
    fn take(self: &Arc<Connections>) -> Option<CountedConnection> {
        let max = self.max.load(Ordering::Relaxed);
        let one_more = |taken| (taken < max).then_some(taken + 1);
        let taken = self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        taken.is_ok().then(|| CountedConnection(Arc::clone(self)))
    }
}

impl Drop for CountedConnection {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The number of connections of each address that has any.
struct Addresses {
    counts: Mutex<HashMap<IpAddr, usize>>,
    max: AtomicUsize,
}

/// One connection's share of its address, until it is dropped.
struct Share {
    addresses: Arc<Addresses>,
    network: IpAddr,
}

impl Addresses {
    fn take_share(self: &Arc<Addresses>, network: IpAddr) -> Result<Share, TurnedAway> {
        let max = self.max.load(Ordering::Relaxed);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.get(&network).copied().unwrap_or_default();
        if count >= max {
            return Err(TurnedAway::Address(max));
        }
        counts.insert(network, count + 1);
        Ok(Share { addresses: Arc::clone(self), network })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut counts = self.addresses.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut count) = counts.entry(self.network) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
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
    pub(super) async fn turn_one_away(&mut self, listener: &TcpListener) {
        if self.0.take().is_some() {
            std::future::poll_fn(|cx| {
                let _closed_when_dropped = listener.poll_accept(cx);
                std::task::Poll::Ready(())
            })
            .await;
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

    #[test]
    fn a_network_gets_its_share_back() {
        let admission = Admission::new(100, 2, false);
        let first = admission.admit(HERE);
        let second = admission.admit(NEXT_DOOR);
        assert!(first.is_ok() && second.is_ok());
        assert_eq!(admission.admit(HERE).err(), Some(TurnedAway::Address(2)));
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
        assert_eq!(admission.admit(LOOPBACK).err(), Some(TurnedAway::Address(1)));
    }

    #[test]
    fn limits_that_change_hold_for_the_next_connection() {
        let admission = Admission::new(2, 100, false);
        let mut permits: Vec<_> = (0..2).map(|_| admission.admit(HERE)).collect();
        admission.set(1, 2, false);
        assert_eq!(admission.admit(HERE).err(), Some(TurnedAway::Full));
        permits.pop();
        assert_eq!(admission.admit(HERE).err(), Some(TurnedAway::Full), "one is in");
        admission.set(9, 2, false);
        permits.push(admission.admit(HERE));
        assert_eq!(admission.admit(HERE).err(), Some(TurnedAway::Address(2)));
        assert!(permits.iter().all(Result::is_ok));
    }

    #[test]
    fn a_full_server_has_room_again_when_a_connection_ends() {
        let admission = Admission::new(1, 100, false);
        let permit = admission.admit(HERE);
        assert_eq!(admission.admit(ELSEWHERE).err(), Some(TurnedAway::Full));
        drop(permit);
        assert!(admission.admit(ELSEWHERE).is_ok());
    }
}
