//! The web door: a page, a socket, and rooms to follow and to speak in with curl. HTTP/1.1, until a socket is opened.

mod follow;
mod http;
mod pages;
mod site;
mod socket;
mod speak;

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use parlor_wire::lines::{Clock, Keeping};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::select;
use tokio::time::timeout;
use tower::ServiceExt;

use super::{House, Refused, peer_at, say_last};
use crate::session::{self, Manners, Peer};
use site::Names;
use socket::{Newcomer, WebArrival};
use speak::Paces;

/// Whoever has not sent the head of a request for this long, also behind another one, is closed.
const HEAD_TIME: Duration = Duration::from_secs(30);

/// A head may have so many bytes: a long address, and what browsers say of themselves.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// What is being answered when the server ends has this long.
const FAREWELL_TIME: Duration = Duration::from_secs(10);

/// A listener for HTTP.
pub(crate) struct WebDoor {
    /// What it wants of its sessions.
    manners: Manners,
    /// Whether passwords are asked for whoever can read them on their way.
    allow_plain_passwords: bool,
    /// For times in sentences.
    clock: Clock,
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
    /// Cancelled when nobody takes the answer any more.
    is_given_up: tokio_util::sync::CancellationToken,
}

impl WebDoor {
    pub(crate) fn new(
        manners: Manners,
        allow_plain_passwords: bool,
        clock: Clock,
        hosts: Vec<String>,
    ) -> WebDoor {
        WebDoor {
            manners,
            allow_plain_passwords,
            clock,
            paces: Paces::default(),
            router: http::router(Names::new(hosts)),
        }
    }

    /// Where lines are kept, and for how long just now.
    fn keeping(&self) -> Keeping {
        self.manners.keeping()
    }

    pub(super) async fn attend(
        self: &Arc<Self>,
        house: &Arc<House>,
        stream: TcpStream,
        from: SocketAddr,
    ) {
        // Boxed: it is over soon where there is a session, which need not carry its room.
        let Some(arrival) = Box::pin(self.receive(house, stream, from)).await else {
            return tracing::debug!("gone, or never entered");
        };
        let (manners, closing) = (&self.manners, &house.closing);
        let ended = session::run(arrival, manners, closing, &house.writers).await;
        tracing::debug!(%ended, "session ended");
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
            is_given_up: Default::default(),
        };
        let (stream, held) = visit.answer_requests(stream).await?;
        Newcomer::new(&visit, stream, held).come_in(&visit).await
    }

    pub(super) async fn turn_away(&self, stream: TcpStream, refused: Refused) {
        say_last(stream, http::unavailable(&refused).as_bytes()).await;
    }
}

impl Visit {
    /// Answers one request after the other. If one of them has made the connection a socket, it is that, with what has come
    /// in already.
    async fn answer_requests(&self, stream: TcpStream) -> Option<(TcpStream, Bytes)> {
        let service = service_fn(|request: hyper::Request<Incoming>| {
            let mut request: Request = request.map(Body::new);
            request.extensions_mut().insert(self.clone());
            // Unpinned, as the connection is to be taken back.
            Box::pin(self.door.router.clone().oneshot(request))
        });
        let mut connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .max_buf_size(HEAD_BYTES_MAX)
            .serve_connection(TokioIo::new(stream), service);
        let served = select! {
            biased;
            served = poll_fn(|cx| connection.poll_without_shutdown(cx)) => served,
            () = self.is_given_up.cancelled() => return None,
            () = self.house.closing.cancelled() => {
                Pin::new(&mut connection).graceful_shutdown();
                let rest = poll_fn(|cx| connection.poll_without_shutdown(cx));
                timeout(FAREWELL_TIME, rest).await.unwrap_or(Ok(()))
            }
        };
        if let Err(error) = served {
            tracing::debug!(%error, "no further request");
            return None;
        }
        let parts = connection.into_parts();
        let mut stream = parts.io.into_inner();
        if self.becomes_socket.is_cancelled() {
            return Some((stream, parts.read_buf));
        }
        if let Ok(Ok(())) = timeout(FAREWELL_TIME, stream.shutdown()).await {
            session::linger(&mut stream).await;
        }
        None
    }
}
