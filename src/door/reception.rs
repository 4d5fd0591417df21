//! The parts that all doors share, and the traits of a door. Knows no door.

use std::num::NonZero;
use std::pin::Pin;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::thread::available_parallelism;

use parlor_core::link::Inbox;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::admission::{Admission, Permit, TurnedAway};
pub(super) use super::transport::Transport;
use super::waiting::WaitingList;
use crate::config::ConnectionLimits;
pub(super) use crate::session::Peer;
use crate::session::Writers;
use crate::telemetry::Metrics;
use crate::tls::Certificate;

/// How many connections for metrics are kept open between requests: two servers of Prometheus have
/// one each.
const SCRAPERS_MAX: usize = 32;

/// The parts that all doors share.
pub(crate) struct Reception {
    /// The way to the broadcaster.
    pub(crate) inbox: Arc<Inbox>,
    /// The limits on connections.
    pub(crate) admission: Admission,
    /// The clients that have not given a name yet.
    pub(crate) questions: WaitingList,
    /// The clients of the web door whose request is incomplete, or that have opened a socket and
    /// have not entered.
    pub(crate) requests: WaitingList,
    /// The clients of the metrics door.
    pub(crate) scrapes: WaitingList,
    /// The clients that have been sent their final message.
    pub(crate) leaving: WaitingList,
    /// The port of the line door, if there is one.
    pub(crate) line_port: OnceLock<u16>,
    /// The port of the IRC door, if there is one.
    pub(crate) irc_port: OnceLock<u16>,
    /// The ports of the IRC doors with TLS, each with its certificate.
    pub(crate) irc_tls_ports: OnceLock<Vec<(u16, Arc<Certificate>)>>,
    /// The port of the web door with TLS, if there is one.
    pub(crate) https_port: OnceLock<u16>,
    /// The writing halves of all connections.
    pub(crate) writers: Writers,
    /// The tasks of all connections: shutting down waits for them.
    pub(crate) tasks: TaskTracker,
    /// Cancelled when the server shuts down.
    pub(crate) closing: CancellationToken,
    /// The operator's metrics.
    pub(crate) metrics: Arc<Metrics>,
    /// The number of connections that ended with a panic: each one is a bug.
    pub(crate) panics: AtomicU64,
}

impl Reception {
    /// A reception without connections.
    pub(crate) fn new(inbox: Arc<Inbox>, limits: ConnectionLimits, metrics: Metrics) -> Reception {
        let ConnectionLimits { all, per_address, limit_loopback } = limits;
        Reception {
            inbox,
            admission: Admission::new(all, per_address, limit_loopback),
            questions: WaitingList::new(all),
            requests: WaitingList::new(all),
            scrapes: WaitingList::with_places(SCRAPERS_MAX),
            leaving: WaitingList::new(all),
            line_port: OnceLock::new(),
            irc_port: OnceLock::new(),
            irc_tls_ports: OnceLock::new(),
            https_port: OnceLock::new(),
            writers: Writers::new(available_parallelism().map_or(1, NonZero::get)),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
            metrics: Arc::new(metrics),
            panics: AtomicU64::new(0),
        }
    }

    /// The port of an IRC door with TLS that has a certificate which clients can trust now.
    pub(super) fn trusted_irc_port(&self) -> Option<u16> {
        let mut ports = self.irc_tls_ports.get()?.iter();
        ports.find(|(_, certificate)| certificate.is_trusted()).map(|(port, _)| *port)
    }

    /// Changes the limits. Existing connections beyond them stay.
    pub(crate) fn set_limits(&self, limits: ConnectionLimits) {
        let ConnectionLimits { all, per_address, limit_loopback } = limits;
        self.admission.set(all, per_address, limit_loopback);
        for list in self.silent() {
            list.set(all);
        }
    }

    /// A permit for a connection. If the server has few places left, silent clients make room for it.
    pub(crate) fn admit(&self) -> Result<Permit, TurnedAway> {
        let permit = self.admission.admit()?;
        if self.admission.is_nearly_full() {
            self.silent().into_iter().for_each(WaitingList::make_room);
        }
        Ok(permit)
    }

    /// The lists of clients that could fill the server.
    fn silent(&self) -> [&WaitingList; 3] {
        [&self.questions, &self.requests, &self.leaving]
    }
}

/// The service of one connection, from its beginning to its end.
pub(crate) type Serving = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A door that is open.
pub(crate) trait OpenDoor: Send + Sync {
    /// Serves one connection until it ends.
    fn serve(self: Arc<Self>, reception: Arc<Reception>, stream: Transport, peer: Peer) -> Serving;

    /// The message to a client that may not connect, in the door's dialect.
    fn words(&self, refused: TurnedAway) -> String;
}
