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
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::yield_now;
use tokio::time::sleep;
use tracing::Instrument;
use tracing::field::display;

use super::admission::{AddressShare, Permit, Reserve, TurnedAway};
use super::approach::Approach;
use super::listener::DoorListener;
use super::opening::{DoorInUse, DoorKind};
use super::reception::{Peer, Reception, Serving};
use super::transport::{Transport, say_last};

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

/// A door at a URL, with one of its listeners.
pub(crate) struct BoundDoor {
    pub(crate) door: DoorInUse,
    pub(crate) approach: Arc<Approach>,
    pub(crate) listener: DoorListener,
}

impl ListeningDoor for BoundDoor {
    type Connection = (Transport, Option<SocketAddr>);

    fn kind(&self) -> &'static DoorKind {
        self.door.kind
    }

    async fn accept(&mut self) -> io::Result<Self::Connection> {
        self.listener.accept().await
    }

    fn begin(&self, reception: &Arc<Reception>, (stream, from): Self::Connection) {
        let kind = self.door.kind;
        let admitted = match self.admit(reception, from) {
            Ok(admitted) => Ok(admitted),
            Err(refused) => match reception.turn_away(kind, refused) {
                Some(spare) => Err((refused, spare)),
                None => return, // the connection closes without a message
            },
        };
        // The span costs nothing at the default level, and events at that level name the peer
        // themselves.
        let peer = from.map(display);
        let span = tracing::debug_span!("connection", door = kind.scheme, peer);
        let connection = NewConnection { stream, from, admitted };
        let (door, approach) = (self.door.clone(), Arc::clone(&self.approach));
        let serving = connection.serve(door, approach, Arc::clone(reception));
        reception.tasks.spawn(serving.instrument(span));
    }
}

impl BoundDoor {
    /// Gives a connection its place, and counts it among those of its address if that is the
    /// client's: here, so that those who come first are those who get in.
    fn admit(
        &self,
        reception: &Reception,
        from: Option<SocketAddr>,
    ) -> Result<Permits, TurnedAway> {
        if !self.door.kind.is_for_people {
            return Ok(Permits { permit: None, share: None });
        }
        let permit = Some(reception.admit()?);
        let share = match self.approach.is_named_by_proxy(from) {
            false => Some(reception.admission.share(self.approach.counted(from))?),
            true => None,
        };
        Ok(Permits { permit, share })
    }
}

/// The rights of a connection.
struct Permits {
    /// Its place among those for people; none for the operator, who is never turned away.
    permit: Option<Permit>,
    /// Its share of an address; none until the client is known.
    share: Option<AddressShare>,
}

/// A connection that was accepted.
struct NewConnection {
    stream: Transport,
    from: Option<SocketAddr>,
    /// Its rights, or the reason why it is turned away and the place in which the client reads it.
    admitted: Result<Permits, (TurnedAway, OwnedSemaphorePermit)>,
}

impl NewConnection {
    /// Serves the connection until it ends, or tells the client why it may not connect.
    async fn serve(self, door: DoorInUse, approach: Arc<Approach>, reception: Arc<Reception>) {
        let NewConnection { stream, from, admitted } = self;
        let met = match approach.is_short(from) {
            true => approach.meet(stream, from).await,
            // Boxed, because it is over soon.
            false => Box::pin(meet_in_place(&approach, stream, from, &reception)).await,
        };
        let Some((stream, peer)) = met else {
            return;
        };
        let Permits { permit, share } = match admitted {
            Ok(admitted) => admitted,
            Err((refused, _spare)) => return tell_why(&reception, &door, stream, refused).await,
        };
        let share = match share {
            None if permit.is_some() => {
                reception.admission.share(approach.counted(peer.address)).map(Some)
            }
            share => Ok(share),
        };
        match share {
            Err(refused) => {
                drop(permit);
                if let Some(_spare) = reception.turn_away(door.kind, refused) {
                    tell_why(&reception, &door, stream, refused).await;
                }
            }
            Ok(_share) => {
                let _connected = permit.is_some().then(|| reception.metrics.come(door.kind.scheme));
                let connection = door.door.serve(Arc::clone(&reception), stream, peer);
                contain(&reception.panics, peer, connection).await;
            }
        }
    }
}

/// Waits for a client at the beginning of its way, in a place that it loses when others need it.
async fn meet_in_place(
    approach: &Approach,
    stream: Transport,
    from: Option<SocketAddr>,
    reception: &Reception,
) -> Option<(Transport, Peer)> {
    let mut waiter = reception.questions.waiter();
    select! {
        biased;
        met = approach.meet(stream, from) => met,
        () = poll_fn(|cx| waiter.poll_pushed_out(cx)) => None,
        () = reception.closing.cancelled() => None,
    }
}

impl Reception {
    /// Notes that a connection is turned away. Returns a place in which it reads why, if one is
    /// free.
    fn turn_away(&self, kind: &DoorKind, refused: TurnedAway) -> Option<OwnedSemaphorePermit> {
        self.metrics.met(refused.limit());
        tracing::debug!(door = kind.scheme, %refused, "turned away");
        self.admission.spare_place()
    }
}

/// Tells a client why it may not connect, and closes.
async fn tell_why(reception: &Reception, door: &DoorInUse, stream: Transport, refused: TurnedAway) {
    let words = door.door.words(refused);
    say_last(stream, words.as_bytes(), &reception.leaving).await;
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
