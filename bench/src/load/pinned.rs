//! Clients of TLS that accept the certificate of their own server and no other. Knows no connection.

use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::Context;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::version::TLS13;
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme};

/// Makes the connections of all clients of one server.
#[derive(Clone)]
pub(super) struct PinnedServer(Arc<ClientConfig>);

impl PinnedServer {
    /// The server that shows the first certificate in this text (PEM). Each connection is a whole
    /// handshake: tickets are not kept.
    pub(super) fn with(pem: &str) -> anyhow::Result<PinnedServer> {
        let pin = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|error| anyhow::anyhow!("no certificate to pin: {error}"))?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = Arc::new(Pin { pin, provider: Arc::clone(&provider) });
        let mut settings = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        settings.resumption = Resumption::disabled();
        settings.enable_secret_extraction = true;
        Ok(PinnedServer(Arc::new(settings)))
    }

    /// A connection that has yet to shake hands.
    pub(super) fn connection(&self) -> anyhow::Result<ClientConnection> {
        let name = ServerName::IpAddress(Ipv4Addr::LOCALHOST.into());
        ClientConnection::new(Arc::clone(&self.0), name).context("no handshake can begin")
    }
}

/// Accepts one certificate, whatever names it has.
#[derive(Debug)]
struct Pin {
    pin: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pin {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _others: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _stapled: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match *shown == self.pin {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(Error::General("this is not the certificate of the server".into())),
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _shown: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("the load speaks TLS 1.3 only".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, shown, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
