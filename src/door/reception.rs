//! The parts that all doors share, and the traits of a door. Knows no door.

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

    /// The message to a client that may not connect, in the door's dialect.
    fn words(&self, refused: TurnedAway) -> String;
}
