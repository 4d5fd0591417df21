//! The handshake of TLS: in turns, and with an end. Knows no certificate.

use std::future::poll_fn;
use std::io;
use std::num::NonZero;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::Poll;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::yield_now;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::server::{Acceptor, ClientHello};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor};

use super::http::refuse_clear_text;
use super::transport::{Eager, Transport, say_at_once};
use crate::clock::timeout;
use crate::session::Encryption;
use crate::tls::{ACME_TLS, Certificate, Challenges, server_settings};

/// HTTP/1.1, as clients name it (RFC 7301).
pub(super) const HTTP: &str = "http/1.1";

/// The limit of time for a handshake.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// The number of bytes that TLS holds for a client that does not read; without a limit it is 64 KiB.
const BUFFER_BYTES_MAX: usize = 16 * 1024;

/// The size of a request in clear text that is read for its host.
const CLEAR_BYTES_MAX: usize = 2 * 1024;

/// The turns of all handshakes, one for each core. The others wait in this queue, and not in that of
/// the runtime, where the people who talk would wait behind them.
static TURNS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(available_parallelism().map_or(1, NonZero::get)));

/// The server's side of the handshakes at one listener.
pub(crate) struct TlsHandshake {
    acceptor: TlsAcceptor,
    certificate: Arc<Certificate>,
    /// The settings for an authority that checks a name, if it does so at doors with TLS.
    for_authority: Option<Arc<ServerConfig>>,
    /// Whether browsers come here: one without TLS reads where to go.
    is_for_http: bool,
}

impl TlsHandshake {
    /// Handshakes that show this certificate, with clients that may name these protocols.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub(crate) fn new(
        certificate: Arc<Certificate>,
        protocols: &[&str],
        challenges: &Arc<Challenges>,
    ) -> anyhow::Result<TlsHandshake> {
        let acceptor = TlsAcceptor::from(server_settings(certificate.clone(), protocols)?);
        let is_for_http = protocols.contains(&HTTP);
        let for_authority = match challenges.are_at_tls() {
            true => Some(server_settings(challenges.clone(), &[ACME_TLS])?),
            false => None,
        };
        Ok(TlsHandshake { acceptor, certificate, for_authority, is_for_http })
    }

    /// The certificate that it shows.
    pub(super) fn certificate(&self) -> Arc<Certificate> {
        Arc::clone(&self.certificate)
    }

    /// The encryption after a handshake.
    pub(super) fn encryption(&self) -> Encryption {
        match self.certificate.is_trusted() {
            true => Encryption::TrustedCertificate,
            false => Encryption::OwnCertificate,
        }
    }

    /// Shakes hands with a client. None if that fails; a client without TLS gets an alert.
    pub(super) async fn shake(&self, stream: TcpStream) -> Option<Transport> {
        match timeout(HANDSHAKE_TIME, self.try_to_shake(stream)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                tracing::debug!(%error, "no TLS");
                None
            }
            Err(_) => {
                tracing::debug!("no TLS in time");
                None
            }
        }
    }

    async fn try_to_shake(&self, mut stream: TcpStream) -> io::Result<Option<Transport>> {
        let mut first = [0];
        let seen = stream.peek(&mut first).await?;
        // TLS begins with 22, and each method of HTTP with a letter.
        if self.is_for_http && seen > 0 && first.iter().all(u8::is_ascii_uppercase) {
            let mut head = Vec::new();
            (&mut stream).take(CLEAR_BYTES_MAX as u64).read_buf(&mut head).await?;
            say_at_once(&mut stream.into(), refuse_clear_text(&head).as_bytes());
            return Ok(None);
        }
        let Some(mut stream) = self.accept(Eager(stream)).await? else {
            return Ok(None);
        };
        stream.get_mut().1.set_buffer_limit(Some(BUFFER_BYTES_MAX));
        Ok(Some(Transport::Tls(Box::new(stream))))
    }

    /// Accepts a client. None if it is an authority: the certificate that it saw is all that it
    /// wants.
    async fn accept(
        &self,
        stream: Eager<TcpStream>,
    ) -> io::Result<Option<TlsStream<Eager<TcpStream>>>> {
        let Some(for_authority) = &self.for_authority else {
            return in_turns(self.acceptor.accept(stream)).await.map(Some);
        };
        let begun = in_turns(LazyConfigAcceptor::new(Acceptor::default(), stream)).await?;
        if !is_authority(&begun.client_hello()) {
            return in_turns(begun.into_stream(Arc::clone(self.acceptor.config()))).await.map(Some);
        }
        in_turns(begun.into_stream(Arc::clone(for_authority))).await?.shutdown().await?;
        tracing::debug!("an authority has checked a name");
        Ok(None)
    }
}

/// Whether a client names the protocol of an authority, and no other (RFC 8737, section 3).
fn is_authority(hello: &ClientHello<'_>) -> bool {
    let mut protocols = hello.alpn().into_iter().flatten();
    protocols.next() == Some(ACME_TLS.as_bytes()) && protocols.next().is_none()
}

/// Polls a future in turns. A turn is a place in the runtime's queue and one poll, and no wait for
/// the client.
async fn in_turns<F: Future + Unpin>(mut future: F) -> F::Output {
    loop {
        let turn = TURNS.acquire().await;
        yield_now().await; // others go first
        if let Poll::Ready(output) = poll_fn(|cx| Poll::Ready(Pin::new(&mut future).poll(cx))).await
        {
            return output;
        }
        drop(turn);
        // The future wakes this task, which it has been polled from.
        let mut is_woken = false;
        poll_fn(|_| match std::mem::replace(&mut is_woken, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }
}
