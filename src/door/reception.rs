//! What all doors share, and what a door is to those who open it. Knows no door.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use parlor_core::link::Inbox;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::admission::{Admission, TurnedAway};
use super::waiting::WaitingList;
use crate::session::Writers;
use crate::telemetry::Metrics;

/// What all doors share.
pub(crate) struct Reception {
    /// The way to the broadcaster.
    pub(crate) inbox: Arc<Inbox>,
    /// Who may connect.
    pub(crate) admission: Admission,
    /// Clients that have not given a name yet.
    pub(crate) questions: WaitingList,
    /// Clients of the web door whose request is not whole, or that have a socket and have not
    /// entered.
    pub(crate) requests: WaitingList,
    /// Clients of the metrics door.
    pub(crate) scrapes: WaitingList,
    /// Clients that have been sent their last words.
    pub(crate) leaving: WaitingList,
    /// The port at which people join with lines; none if there is no such door.
    pub(crate) line_port: OnceLock<u16>,
    /// The writing halves of all connections.
    pub(crate) writers: Writers,
    /// The tasks of all connections: shutting down waits for them.
    pub(crate) tasks: TaskTracker,
    /// Cancelled when the server shuts down.
    pub(crate) closing: CancellationToken,
    /// The operator's metrics.
    pub(crate) metrics: Arc<Metrics>,
    /// How many connections ended with a panic: each one is a bug.
    pub(crate) panics: AtomicU64,
}

/// The service of one connection, from its beginning to its end.
pub(crate) type Serving = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A door that is open.
pub(crate) trait OpenDoor: Send + Sync {
    /// Serves one connection until it ends.
    fn serve(
        self: Arc<Self>,
        reception: Arc<Reception>,
        stream: TcpStream,
        from: SocketAddr,
    ) -> Serving;

    /// What a client reads that may not connect, in the door's dialect.
    fn words(&self, refused: TurnedAway) -> String;
}
