//! The settings of TLS, the same for all connections. Knows no certificate.

use std::sync::Arc;

use anyhow::Context;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::client::danger::ServerCertVerifier;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::server::ResolvesServerCert;
use tokio_rustls::rustls::{ClientConfig, ServerConfig};

/// The cryptography: always this provider, so that no second one gets into the program.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// The server's side of TLS 1.2 and 1.3: with tickets, so coming back is cheap, and without early
/// data and certificates of clients. `protocols` are those that a client may name (ALPN).
///
/// # Errors
/// The system gives no random bytes.
pub(crate) fn server_settings(
    shown: Arc<dyn ResolvesServerCert>,
    protocols: &[&str],
) -> anyhow::Result<Arc<ServerConfig>> {
    let mut settings = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(shown);
    settings.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    settings.ticketer = aws_lc_rs::Ticketer::new().context("cannot make keys for TLS")?;
    settings.send_tls13_tickets = 1; // a client comes back once at a time
    Ok(Arc::new(settings))
}

/// The client's side of TLS 1.2 and 1.3. Each connection begins anew, without a ticket, so that the
/// verifier sees the certificate of each.
///
/// # Errors
/// The provider lacks one of these versions.
pub(crate) fn client_settings(
    verifier: Arc<dyn ServerCertVerifier>,
) -> anyhow::Result<Arc<ClientConfig>> {
    let mut settings = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .dangerous() // that is, with a verifier other than the library's
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    settings.resumption = Resumption::disabled();
    Ok(Arc::new(settings))
}
