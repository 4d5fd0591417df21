//! The doors: where connections come in. One accept loop serves them all.
//!
//! A door is a transport times a dialect. A new one is a file in this folder and an arm of
//! `Door::attend`.

mod accept;
mod admin;
mod admission;
mod descriptors;
pub mod kinds;
mod lines;
mod metrics;
mod question;
mod requests;
mod transport;
mod web;

pub use crate::session::Idle;
pub(crate) use admin::{AdminOptions, AdminOrder, NameOrder};
pub(crate) use admin::{Desk, LOOK_EVERY, SOCKET, Socket, read_password};
pub(crate) use admission::{Admission, Refused};
pub(crate) use descriptors::raise_limit;
pub use kinds::{DOORS, LINE_PORT, Names, Scheme, WEB_PORT};
pub(crate) use kinds::{find_door, read_options};
pub(crate) use lines::LineDoor;
pub(crate) use question::Questions;
pub(crate) use transport::bind;
pub(crate) use web::WebDoor;

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Duration;
use std::{future, io, panic};

use parlor_core::link::Inbox;
use parlor_wire::style::LineMode;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use tokio::io::{AsyncRead, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio::task::yield_now;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use self::descriptors::Reserve;
use crate::clock::timeout;
use crate::server::WayIn;
use crate::session::{Peer, Writers};
use crate::telemetry::Metrics;

/// An accept that failed is tried again after this long at first.
const BACK_OFF_MIN: Duration = Duration::from_millis(10);

/// And after this long at last, however often it fails.
const BACK_OFF_MAX: Duration = Duration::from_secs(1);

/// After so many connections those who came get to run: most of a burst of junk is gone before more of it comes in, and a small
/// house is not full meanwhile.
const ACCEPTED_MAX: usize = 8;

/// Whoever gives no name for this long is closed.
const QUESTION_TIME: Duration = Duration::from_secs(60);

/// Whoever is told something before entering has this long to take it.
const WORD_TIME: Duration = Duration::from_secs(10);

/// What all doors share.
pub(crate) struct House {
    /// Where connections reach the broadcaster.
    pub(crate) inbox: Arc<Inbox>,
    /// Who may come in.
    pub(crate) admission: Admission,
    /// Those who have not given a name yet.
    pub(crate) questions: Questions,
    /// Those at the web door whose request is not whole, or who have a socket and have not entered.
    pub(crate) requests: Questions,
    /// Those at the door of the operator's numbers.
    pub(crate) scrapes: Questions,
    /// Those who have read their last words, or are about to.
    pub(crate) leaving: Questions,
    /// At which port people join with lines; none where they cannot.
    pub(crate) line_port: OnceLock<u16>,
    /// The writing halves of all connections.
    pub(crate) writers: Writers,
    /// Every connection's task: shutdown knows of everyone.
    pub(crate) tasks: TaskTracker,
    /// Cancelled when everybody is to leave.
    pub(crate) closing: CancellationToken,
    /// What the operator is told in numbers.
    pub(crate) metrics: Arc<Metrics>,
    /// How many connections ended by a panic: a bug, each of them.
    pub(crate) panics: AtomicU64,
}

impl House {
    /// Reads what somebody who had entered still sends, where that is needed for the last words to arrive.
    async fn see_out<R: AsyncRead + Unpin>(&self, rest: Option<R>) {
        if let Some(mut rest) = rest {
            Box::pin(self.leaving.linger(&mut rest)).await; // boxed, as a session need not carry its room
        }
    }
}

/// The doors there are.
pub(crate) enum Door {
    /// Lines of text, for netcat and telnet.
    Lines(Box<LineDoor>),
    /// Pages, sockets and rooms over HTTP.
    Web(Arc<WebDoor>),
    /// Numbers for Prometheus.
    Metrics,
}

impl Door {
    /// Serves one connection until it ends.
    async fn attend(&self, house: &Arc<House>, stream: TcpStream, peer: SocketAddr) {
        match self {
            Door::Lines(door) => door.attend(house, stream, peer).await,
            Door::Web(door) => door.attend(house, stream, peer).await,
            Door::Metrics => {} // see `show_numbers`
        }
    }

    /// Says to somebody who may not come in why.
    async fn turn_away(&self, house: &House, stream: TcpStream, refused: Refused) {
        match self {
            Door::Lines(door) => door.turn_away(house, stream, refused).await,
            Door::Web(door) => door.turn_away(house, stream, refused).await,
            Door::Metrics => {}
        }
    }

    /// How people come in.
    pub(crate) fn way_in(&self) -> WayIn {
        match self {
            Door::Lines(door) if door.mode == LineMode::Classic => WayIn::Classic,
            Door::Lines(_) => WayIn::Netcat,
            Door::Web(_) => WayIn::Browser,
            Door::Metrics => WayIn::Nobody,
        }
    }

    /// As the log and the metrics call it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Door::Lines(_) => "tcp",
            Door::Web(_) => "http",
            Door::Metrics => "metrics",
        }
    }
}

/// Who is at the other end, as far as secrets go.
fn peer_at(stream: &TcpStream, from: SocketAddr, allow_plain_passwords: bool) -> Peer {
    let address = from.ip();
    let here = stream.local_addr().map(|here| here.ip().to_canonical());
    let is_here = here.is_ok_and(|here| here == address);
    Peer {
        address,
        is_private: allow_plain_passwords || address.is_loopback() || is_here,
    }
}

/// Says the last words to somebody who has not entered, and closes.
async fn say_last(mut stream: TcpStream, words: &[u8], leaving: &Questions) {
    let said = async {
        stream.write_all(words).await?;
        stream.shutdown().await
    };
    if let Ok(Ok(())) = timeout(WORD_TIME, said).await {
        leaving.linger(&mut stream).await;
    }
}

/// The same to somebody who gives way to others, without waiting for anything: the next one needs the place. What has come in
/// is read first, so that closing resets nothing.
fn say_at_once(stream: &TcpStream, words: &[u8]) {
    let mut ignored = [0; 4 * 1024];
    recv(stream, &mut ignored, RecvFlags::DONTWAIT).ok();
    send(stream, words, SendFlags::DONTWAIT | SendFlags::NOSIGNAL).ok();
}

/// Accepts connections until the house closes. It ends for no error.
pub(crate) async fn serve(house: Arc<House>, door: Arc<Door>, listener: TcpListener) {
    let mut back_off = BACK_OFF_MIN;
    let mut reserve = Reserve::new();
    let mut accepted_in_a_row = 0;
    loop {
        let accepted = select! {
            biased;
            () = house.closing.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                back_off = BACK_OFF_MIN;
                receive(&house, &door, stream, peer);
                accepted_in_a_row += 1;
                if accepted_in_a_row == ACCEPTED_MAX {
                    accepted_in_a_row = 0;
                    yield_now().await;
                }
            }
            // The client went away before it was accepted: nothing is wrong here.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted
                ) => {}
            Err(error) => {
                house.metrics.cannot_accept(door.name());
                tracing::warn!(door = door.name(), %error, "cannot accept; trying again in {back_off:?}");
                reserve.turn_one_away(&listener).await;
                sleep(back_off).await;
                back_off = (back_off * 2).min(BACK_OFF_MAX);
            }
        }
    }
}

/// Gives a connection its permit and its task; or turns it away.
fn receive(house: &Arc<House>, door: &Arc<Door>, stream: TcpStream, peer: SocketAddr) {
    if matches!(**door, Door::Metrics) {
        return show_numbers(house, stream);
    }
    let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
    match house.admission.admit(peer.ip()) {
        Ok(permit) => {
            // At the default level it costs nothing; what is logged there names the peer itself.
            let span = tracing::debug_span!("connection", door = door.name(), %peer);
            let (house, door) = (Arc::clone(house), Arc::clone(door));
            let tasks = house.tasks.clone();
            tasks.spawn(
                async move {
                    // Boxed, as it would otherwise be held twice: here and in the guard.
                    let connection = Box::pin(door.attend(&house, stream, peer));
                    let here = house.metrics.come(door.name());
                    contain(&house.panics, peer, connection).await;
                    drop(here);
                    drop(permit);
                }
                .instrument(span),
            );
        }
        Err(refused) => {
            house.metrics.met(refused.limit());
            tracing::debug!(door = door.name(), %peer, %refused, "turned away");
            // Beyond the spare places there is no word, only the end.
            let Some(place) = house.admission.spare_place() else {
                return;
            };
            let tasks = house.tasks.clone();
            let (house, door) = (Arc::clone(house), Arc::clone(door));
            tasks.spawn(async move {
                door.turn_away(&house, stream, refused).await;
                drop(place);
            });
        }
    }
}

/// The operator looks also when the house is full: in a place that nobody else has.
fn show_numbers(house: &Arc<House>, stream: TcpStream) {
    let tasks = house.tasks.clone();
    let house = Arc::clone(house);
    tasks.spawn(async move { metrics::attend(&house, stream).await });
}

/// Runs a connection; a panic in it ends this connection and nothing else, and is counted.
async fn contain(
    panics: &AtomicU64,
    peer: SocketAddr,
    mut connection: Pin<Box<impl Future<Output = ()>>>,
) {
    future::poll_fn(|cx| {
        let polled = panic::catch_unwind(AssertUnwindSafe(|| connection.as_mut().poll(cx)));
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
        let peer = SocketAddr::from(([127, 0, 0, 1], 64208));
        let bug = Box::pin(async { panic!("as a bug would") });
        contain(&panics, peer, bug).await;
        contain(&panics, peer, Box::pin(async {})).await;
        assert_eq!(panics.load(Ordering::Relaxed), 1);
    }
}
