//! The way of a connection to its door: a proxy may name the client first. Knows no dialect.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use parlor_wire::proxy::{ProxyHeader, ProxyReader, V2_BYTES_MAX};
use tokio::io::AsyncReadExt;

use super::listener_options::ListenerOptions;
use super::tls_handshake::TlsHandshake;
use super::transport::Transport;
use crate::clock::timeout;
use crate::session::{Encryption, Peer};
use crate::telemetry::Told;
use crate::tls::Certificate;

/// The time in which a proxy must send its header: it does so at once.
const HEADER_TIME: Duration = Duration::from_secs(5);

/// The part between a listener and its door.
pub(crate) struct Approach {
    options: ListenerOptions,
    /// The handshakes of a listener with TLS.
    tls: Option<TlsHandshake>,
    /// Whether passwords are accepted even where others on the network can read them.
    allow_plain_passwords: bool,
    /// When the log had a warning about a missing header.
    told: Told<()>,
}

/// The reason why there is no PROXY header.
enum NoHeader {
    /// The connection ended before its first byte, as those of simple health checks do.
    Nothing,
    /// Something else came, or nothing in time.
    Bad,
}

impl Approach {
    /// The way with these options.
    pub(crate) fn new(
        options: ListenerOptions,
        tls: Option<TlsHandshake>,
        allow_plain_passwords: bool,
    ) -> Approach {
        Approach { options, tls, allow_plain_passwords, told: Told::default() }
    }

    /// The certificate of a listener with TLS.
    pub(crate) fn certificate(&self) -> Option<Arc<Certificate>> {
        self.tls.as_ref().map(TlsHandshake::certificate)
    }

    /// Whether the connection is ready for its door as it comes.
    pub(super) fn is_short(&self, from: Option<SocketAddr>) -> bool {
        self.tls.is_none() && !self.is_named_by_proxy(from)
    }

    /// Finds out who the client is, and shakes hands if the listener has TLS. If that fails, the
    /// caller closes the connection.
    pub(super) async fn meet(
        &self,
        mut stream: Transport,
        from: Option<SocketAddr>,
    ) -> Option<(Transport, Peer)> {
        let peer = self.find_client(&mut stream, from).await?;
        match (&self.tls, stream) {
            (Some(tls), Transport::Tcp(plain)) => {
                // Boxed, because it is over soon.
                let stream = Box::pin(tls.shake(plain)).await?;
                Some((stream, Peer { is_private: true, encryption: tls.encryption(), ..peer }))
            }
            (_, stream) => Some((stream, peer)),
        }
    }

    async fn find_client(&self, stream: &mut Transport, from: Option<SocketAddr>) -> Option<Peer> {
        let is_private = stream.is_private(from);
        if !self.is_named_by_proxy(from) {
            return Some(self.peer(from, is_private));
        }
        // Boxed, so that other connections have no memory for it.
        match Box::pin(read_header(stream)).await {
            Ok(ProxyHeader::Client { address, is_tls }) => {
                tracing::debug!(client = %address, "named by a proxy");
                let is_private = is_private && (is_tls || address.ip().is_loopback());
                Some(self.peer(Some(address), is_private))
            }
            Ok(ProxyHeader::OfItself) => {
                tracing::debug!("a proxy speaks for itself");
                Some(self.peer(from, false))
            }
            Err(NoHeader::Nothing) => None,
            Err(NoHeader::Bad) => {
                self.warn(from);
                None
            }
        }
    }

    /// Whether a proxy names the client of a connection from there.
    pub(super) fn is_named_by_proxy(&self, from: Option<SocketAddr>) -> bool {
        self.options.proxies.include(from.map(|from| from.ip()))
    }

    /// The address among whose connections one of this client counts. None for a web server, whose
    /// requests count one by one.
    pub(super) fn counted(&self, client: Option<SocketAddr>) -> Option<IpAddr> {
        let ip = client.map(|client| client.ip());
        ip.filter(|_| !self.options.forwarders.include(ip))
    }

    fn peer(&self, address: Option<SocketAddr>, is_private: bool) -> Peer {
        let is_private = is_private || self.allow_plain_passwords;
        Peer { address, is_private, encryption: Encryption::None }
    }

    fn warn(&self, from: Option<SocketAddr>) {
        if self.told.is_due(()) {
            let from = from.map_or("a Unix socket".to_owned(), |from| from.ip().to_string());
            tracing::warn!(
                "a connection from {from} was closed, because no PROXY header came first; let the proxy there send it (in haproxy: send-proxy-v2), or remove proxy= from the listener"
            );
        }
    }
}

/// Reads a header, and no byte behind it.
async fn read_header(stream: &mut Transport) -> Result<ProxyHeader, NoHeader> {
    let reading = async {
        let mut reader = ProxyReader::default();
        let mut buffer = [0; V2_BYTES_MAX];
        let mut has_begun = false;
        loop {
            let wanted = buffer.get_mut(..reader.wanted()).ok_or(NoHeader::Bad)?;
            let read = match stream.read(wanted).await {
                Ok(0) | Err(_) if !has_begun => return Err(NoHeader::Nothing),
                Ok(0) | Err(_) => return Err(NoHeader::Bad),
                Ok(read) => read,
            };
            has_begun = true;
            let bytes = buffer.get(..read).unwrap_or_default();
            if let Some(header) = reader.take(bytes).map_err(|_| NoHeader::Bad)? {
                return Ok(header);
            }
        }
    };
    timeout(HEADER_TIME, reading).await.unwrap_or(Err(NoHeader::Bad))
}
