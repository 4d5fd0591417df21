//! The web door: a page, a socket, and rooms to follow and to speak in with curl. HTTP/1.1, until a socket is opened.

mod follow;
mod pages;
mod router;
mod site;
mod socket;
mod speak;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use hyper::body::Incoming;
use parlor_wire::style::{LocalClock, Storage};
use tokio::net::TcpStream;
use tower::ServiceExt;

use self::site::Names;
use self::socket::{Newcomer, WebArrival};
use self::speak::Paces;
use crate::door::admission::Refused;
use crate::door::requests::{Port, Turn};
use crate::door::{House, peer_at, requests, say_last};
use crate::session;
use crate::session::{Peer, SessionSettings};

/// Whoever has not sent the head of a request for this long, also behind another one, is closed.
const HEAD_TIME: Duration = Duration::from_secs(30);

/// A listener for HTTP.
pub(crate) struct WebDoor {
    /// What it wants of its sessions.
    settings: SessionSettings,
    /// Whether passwords are asked for whoever can read them on their way.
    allow_plain_passwords: bool,
    /// For times in sentences.
    clock: LocalClock,
    /// How fast each address may speak without a session.
    paces: Paces,
    router: Router,
}

/// One connection, for those who answer its requests.
#[derive(Clone)]
struct Visit {
    house: Arc<House>,
    door: Arc<WebDoor>,
    from: SocketAddr,
    peer: Peer,
    /// Whether the connection is a socket from now on.
    becomes_socket: tokio_util::sync::CancellationToken,
    /// Whether the connection is waited for.
    turn: Turn,
}

impl WebDoor {
    pub(crate) fn new(
        settings: SessionSettings,
        allow_plain_passwords: bool,
        clock: LocalClock,
        hosts: Vec<String>,
    ) -> WebDoor {
        WebDoor {
            settings,
            allow_plain_passwords,
            clock,
            paces: Paces::default(),
            router: router::router(Names::new(hosts)),
        }
    }

    /// Where lines are kept, and for how long just now.
    fn keeping(&self) -> Storage {
        self.settings.keeping()
    }

    pub(crate) async fn attend(
        self: &Arc<Self>,
        house: &Arc<House>,
        stream: TcpStream,
        from: SocketAddr,
    ) {
        // Boxed: it is over soon where there is a session, which need not carry its room.
        let Some(arrival) = Box::pin(self.receive(house, stream, from)).await else {
            return tracing::debug!("gone, or never entered");
        };
        let (settings, closing) = (&self.settings, &house.closing);
        let (ended, rest) = session::run(arrival, settings, closing, &house.writers).await;
        tracing::debug!(%ended, "session ended");
        house.see_out(rest).await;
    }

    /// Answers requests; and where one of them opens a socket, whoever comes in by it.
    async fn receive(
        self: &Arc<Self>,
        house: &Arc<House>,
        stream: TcpStream,
        from: SocketAddr,
    ) -> Option<WebArrival> {
        let visit = Visit {
            house: Arc::clone(house),
            door: Arc::clone(self),
            peer: peer_at(&stream, from, self.allow_plain_passwords),
            from,
            becomes_socket: Default::default(),
            turn: Turn::new(&house.requests),
        };
        let (stream, held) = visit.answer_requests(stream).await?;
        Newcomer::new(&visit, stream, held).come_in(&visit).await
    }

    pub(crate) async fn turn_away(&self, house: &House, stream: TcpStream, refused: Refused) {
        let words = router::unavailable(&refused);
        say_last(stream, words.as_bytes(), &house.leaving).await;
    }
}

impl Visit {
    /// Answers one request after the other. If one of them has made the connection a socket, it is that, with what has come
    /// in already.
    async fn answer_requests(&self, stream: TcpStream) -> Option<(TcpStream, Bytes)> {
        let answer = |request: hyper::Request<Incoming>| {
            let mut request: Request = request.map(Body::new);
            request.extensions_mut().insert(self.clone());
            self.door.router.clone().oneshot(request)
        };
        let port = Port {
            head_time: HEAD_TIME,
            purpose: &|| self.purpose(),
            closing: &self.house.closing,
            leaving: &self.house.leaving,
        };
        let (stream, held) = requests::answer_requests(stream, &self.turn, port, answer).await?;
        if self.becomes_socket.is_cancelled() {
            return Some((stream, held));
        }
        requests::close(stream, &self.house.leaving).await;
        None
    }

    /// For people who come with netcat.
    fn purpose(&self) -> String {
        match self.house.line_port.get() {
            Some(port) => format!(
                "This port is for browsers and curl; with netcat, telnet or parlor join, use port {port}"
            ),
            None => "This port is for browsers and curl".to_owned(),
        }
    }
}
