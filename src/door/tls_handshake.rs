//! The handshake of TLS: in turns, and with an end. Knows no certificate.

use std::future::poll_fn;
use std::io;
use std::num::NonZero;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::Poll;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::yield_now;
use tokio_rustls::TlsAcceptor;

use super::http::refuse_clear_text;
use super::transport::{Eager, Transport, say_at_once};
use crate::clock::timeout;
use crate::session::Encryption;
use crate::tls::{Certificate, server_settings};

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
    ) -> anyhow::Result<TlsHandshake> {
        let settings = server_settings(certificate.clone(), protocols)?;
        let is_for_http = protocols.contains(&HTTP);
        Ok(TlsHandshake { acceptor: TlsAcceptor::from(settings), certificate, is_for_http })
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
        let mut stream = in_turns(self.acceptor.accept(Eager(stream))).await?;
        stream.get_mut().1.set_buffer_limit(Some(BUFFER_BYTES_MAX));
        Ok(Some(Transport::Tls(Box::new(stream))))
    }
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
