//! The client's side of TLS: the handshake, and the sentences about its failures. Knows no line.

use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use tokio::io::{AsyncRead, ReadBuf, ReadHalf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::ServerName;

use super::trust::{Distrust, ServerTrust};
use crate::config::{Address, Host};
use crate::tls::{Fingerprint, client_settings};

/// The limit of time for a handshake, as on the server's side.
const HANDSHAKE_SECONDS_MAX: Duration = Duration::from_secs(10);

/// The handshakes with one server.
pub(super) struct ClientTls {
    connector: TlsConnector,
    /// The certificate has to be for this name. It is sent to the server (SNI), unless it is an
    /// address.
    name: ServerName<'static>,
    /// The server's address, for people.
    server: String,
}

impl ClientTls {
    /// Handshakes with the server at this address, whose certificate has this fingerprint if one is
    /// given.
    ///
    /// # Errors
    /// The known servers cannot be read; the error is a sentence.
    pub(super) fn new(address: &Address, pin: Option<Fingerprint>) -> anyhow::Result<ClientTls> {
        let server = address.to_string();
        let name = match &address.host {
            Host::Ip(ip) => ServerName::from(*ip),
            Host::Scoped(ip, _) => ServerName::from(IpAddr::from(*ip)),
            host => ServerName::try_from(host.to_string())
                .with_context(|| format!("{host} cannot be the name in a certificate"))?,
        };
        let settings = client_settings(Arc::new(ServerTrust::of_server(&server, pin)?))?;
        Ok(ClientTls { connector: TlsConnector::from(settings), name, server })
    }

    /// Shakes hands within [`HANDSHAKE_SECONDS_MAX`]. Until then the server gets nothing else.
    ///
    /// # Errors
    /// There is no reason to trust the certificate (a [`Distrust`]), or the handshake fails; the
    /// error is a sentence.
    pub(super) async fn shake(&self, stream: TcpStream) -> anyhow::Result<TlsStream<TcpStream>> {
        let shaking = self.connector.connect(self.name.clone(), stream);
        match timeout(HANDSHAKE_SECONDS_MAX, shaking).await {
            Ok(shaken) => shaken.map_err(|error| self.explain(&error)),
            Err(_) => Err(anyhow!(
                "The server at {0} does not answer in TLS within 10 seconds; if it speaks none, try parlor join {0}.",
                self.server
            )),
        }
    }

    fn explain(&self, error: &io::Error) -> anyhow::Error {
        let server = &self.server;
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
        if let Some(distrust) = cause.and_then(Distrust::in_error) {
            return distrust.clone().into();
        }
        match cause {
            Some(rustls::Error::InvalidMessage(_)) => {
                anyhow!("The server at {server} does not speak TLS; try parlor join {server}.")
            }
            None if error.kind() == ErrorKind::UnexpectedEof => anyhow!(
                "The server at {server} closed the connection in the handshake of TLS; if it speaks none, try parlor join {server}."
            ),
            _ => anyhow!("The handshake of TLS with {server} failed: {error}."),
        }
    }
}

/// The reading half of a connection over TLS. Its end needs no farewell of TLS (`close_notify`): a
/// server that is killed sends none, and without TLS everybody on the way can end a connection, too.
pub(super) struct TlsInput(pub(super) ReadHalf<TlsStream<TcpStream>>);

impl AsyncRead for TlsInput {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        read: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match ready!(Pin::new(&mut self.0).poll_read(cx, read)) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Poll::Ready(Ok(())),
            other => Poll::Ready(other),
        }
    }
}
