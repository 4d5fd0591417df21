//! The accept loop, the same for all doors: each connection gets a permit and a task, or is turned
//! away. Knows no dialect.

use std::fmt::Display;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::select;
use tokio::task::yield_now;
use tokio::time::sleep;
use tracing::Instrument;

use super::admission::{Reserve, TurnedAway};
use super::listener::DoorListener;
use super::opening::{DoorInUse, DoorKind};
use super::reception::{Reception, Serving};
use super::transport::{Transport, say_last};
use crate::session::Peer;

/// The wait after the first accept that failed.
const BACK_OFF_MIN: Duration = Duration::from_millis(10);

/// The longest wait, however often accepting fails.
const BACK_OFF_MAX: Duration = Duration::from_secs(1);

/// The number of connections that are accepted before their tasks run. In a burst of scans, most
/// are gone before the next are accepted, so they do not fill a small server.
const ACCEPTED_MAX: usize = 8;

/// A door with one of its listeners.
pub(crate) trait ListeningDoor: Send + 'static {
    /// The type of its connections.
    type Connection: Send;

    /// The kind of door.
    fn kind(&self) -> &'static DoorKind;

    /// Accepts a connection. Cancelling the call loses none.
    fn accept(&mut self) -> impl Future<Output = io::Result<Self::Connection>> + Send;

    /// Gives a connection its permit and its task, or turns it away.
    fn begin(&self, reception: &Arc<Reception>, connection: Self::Connection);
}

/// Accepts connections until the server shuts down. No error ends it.
pub(crate) async fn accept_connections(reception: Arc<Reception>, mut door: impl ListeningDoor) {
    let scheme = door.kind().scheme;
    let mut back_off = BACK_OFF_MIN;
    let mut reserve = Reserve::new();
    let mut accepted_in_a_row = 0;
    loop {
        let accepted = select! {
            biased;
            () = reception.closing.cancelled() => return,
            accepted = door.accept() => accepted,
        };
        match accepted {
            Ok(connection) => {
                back_off = BACK_OFF_MIN;
                door.begin(&reception, connection);
                accepted_in_a_row += 1;
                if accepted_in_a_row == ACCEPTED_MAX {
                    accepted_in_a_row = 0;
                    yield_now().await;
                }
            }
            // The client went away before it was accepted: this is no failure of the server.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::ConnectionAborted | ErrorKind::Interrupted
                ) => {}
            Err(error) => {
                reception.metrics.cannot_accept(scheme);
                tracing::warn!(door = scheme, %error, "cannot accept; trying again in {back_off:?}");
                reserve.turn_one_away(door.accept());
                sleep(back_off).await;
                back_off = (back_off * 2).min(BACK_OFF_MAX);
            }
        }
    }
}

impl ListeningDoor for (DoorInUse, DoorListener) {
    type Connection = (Transport, Option<SocketAddr>);

    fn kind(&self) -> &'static DoorKind {
        self.0.kind
    }

    async fn accept(&mut self) -> io::Result<Self::Connection> {
        self.1.accept().await
    }

    fn begin(&self, reception: &Arc<Reception>, (stream, address): Self::Connection) {
        let (kind, door) = (self.0.kind, Arc::clone(&self.0.door));
        let is_private = reception.allow_plain_passwords || stream.is_private(address);
        let peer = Peer { address, is_private };
        let ip = address.map(|address| address.ip());
        let permit = match kind.is_for_people.then(|| reception.admit(ip)) {
            Some(Err(refused)) => return turn_away(reception, &self.0, (stream, peer), refused),
            admitted => admitted.and_then(Result::ok),
        };
        // The span costs nothing at the default level, and events at that level name the peer
        // themselves.
        let span = tracing::debug_span!("connection", door = kind.scheme, %peer);
        let (reception, tasks) = (Arc::clone(reception), reception.tasks.clone());
        let serving = async move {
            let connected = permit.as_ref().map(|_| reception.metrics.come(kind.scheme));
            let connection = door.serve(Arc::clone(&reception), stream, peer);
            contain(&reception.panics, peer, connection).await;
            drop(connected);
            drop(permit);
        };
        tasks.spawn(serving.instrument(span));
    }
}

/// Tells a client why it may not connect.
fn turn_away(
    reception: &Arc<Reception>,
    opened: &DoorInUse,
    (stream, peer): (Transport, Peer),
    refused: TurnedAway,
) {
    reception.metrics.met(refused.limit());
    tracing::debug!(door = opened.kind.scheme, %peer, %refused, "turned away");
    // Without a spare place, the connection closes without a message.
    let Some(place) = reception.admission.spare_place() else {
        return;
    };
    let (words, reception, tasks) =
        (opened.door.words(refused), Arc::clone(reception), reception.tasks.clone());
    tasks.spawn(async move {
        say_last(stream, words.as_bytes(), &reception.leaving).await;
        drop(place);
    });
}

/// Runs a connection; a panic in it ends this connection and nothing else, and is counted.
pub(super) async fn contain(panics: &AtomicU64, peer: impl Display, mut connection: Serving) {
    poll_fn(|cx| {
        let polled = catch_unwind(AssertUnwindSafe(|| connection.as_mut().poll(cx)));
        polled.unwrap_or_else(|_| {
            panics.fetch_add(1, Ordering::Relaxed);
            tracing::error!(%peer, "a connection ended with a panic; this is a bug");
            Poll::Ready(())
        })
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_ends_its_connection_and_is_counted() {
        let panics = AtomicU64::new(0);
        let bug = Box::pin(async { panic!("as a bug would") });
        contain(&panics, "a test", bug).await;
        contain(&panics, "a test", Box::pin(async {})).await;
        assert_eq!(panics.load(Ordering::Relaxed), 1);
    }
}
