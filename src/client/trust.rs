//! The reasons to trust the certificate of a server, or not to. Knows no connection.

use std::path::PathBuf;
use std::sync::Arc;

use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{
    WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme,
};

use super::known_servers::{KnownServer, KnownServers};
use crate::tls::{Fingerprint, authorities, provider, system_roots};

/// The proof that a server is the right one. Only its own key can use a certificate, whatever the
/// reason to trust the certificate.
#[derive(Debug)]
pub(super) struct ServerTrust {
    /// The server's address, for people and in the file of known servers.
    server: String,
    reasons: TrustReasons,
    algorithms: WebPkiSupportedAlgorithms,
}

#[derive(Debug)]
enum TrustReasons {
    /// The certificate has this fingerprint. Nothing else counts.
    Pin(Fingerprint),
    /// An authority of the system has signed the certificate, or the person has accepted it.
    Any { authorities: Option<Arc<WebPkiServerVerifier>>, known: Option<KnownServer> },
}

/// The reason why a certificate is not trusted, as sentences for the person.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Distrust {
    #[error(
        "The certificate of {server} is not the one of --pin, so nothing was sent. Its SHA256 fingerprint is\n{shown}\nand --pin says\n{pinned}\nAsk the operator for the fingerprint of the present certificate."
    )]
    NotPinned { server: String, shown: Fingerprint, pinned: Fingerprint },
    #[error(
        "The certificate of {server} has changed, so nothing was sent: the server has a new one, or another server answers in its place. Its SHA256 fingerprint is\n{shown}\nand it was\n{known}\nIf the operator confirms the new one, remove line {line} of {} and join again.", file.display()
    )]
    Changed { server: String, shown: Fingerprint, known: Fingerprint, line: usize, file: PathBuf },
    #[error(
        "The certificate of {server} is not known, so nothing was sent: {reason}. If the operator confirms its SHA256 fingerprint, join with\n--pin {shown}"
    )]
    Unknown { server: String, shown: Fingerprint, reason: String },
}

impl ServerTrust {
    /// The trust in a server: in this fingerprint, if one is given; otherwise in what the
    /// authorities of the system have signed, and in what the person has accepted before.
    ///
    /// # Errors
    /// The known servers cannot be read; the error is a sentence.
    pub(super) fn of_server(server: &str, pin: Option<Fingerprint>) -> anyhow::Result<ServerTrust> {
        let reasons = match pin {
            Some(pin) => TrustReasons::Pin(pin),
            None => TrustReasons::Any {
                authorities: authorities(system_roots()),
                known: KnownServers::usual().find(server)?,
            },
        };
        let algorithms = provider().signature_verification_algorithms;
        Ok(ServerTrust { server: server.to_owned(), reasons, algorithms })
    }

    /// Judges a certificate. `is_signed` asks an authority.
    fn judge(
        &self,
        shown: Fingerprint,
        is_signed: impl Fn(&WebPkiServerVerifier) -> Result<ServerCertVerified, Error>,
    ) -> Result<ServerCertVerified, Distrust> {
        let server = self.server.clone();
        let (authorities, known) = match &self.reasons {
            TrustReasons::Pin(pinned) if *pinned == shown => {
                return Ok(ServerCertVerified::assertion());
            }
            TrustReasons::Pin(pinned) => {
                return Err(Distrust::NotPinned { server, shown, pinned: *pinned });
            }
            TrustReasons::Any { authorities, known } => (authorities, known),
        };
        // The authorities come first: a server that was known by its own certificate may have got
        // one from them, and gets another one every few weeks then.
        let reason = match authorities.as_deref().map(is_signed) {
            Some(Ok(signed)) => return Ok(signed),
            Some(Err(error)) => reason(&error),
            None => "this system has no list of authorities".to_owned(),
        };
        match known {
            Some(known) if known.fingerprint == shown => Ok(ServerCertVerified::assertion()),
            Some(KnownServer { fingerprint, line, file }) => Err(Distrust::Changed {
                server,
                shown,
                known: *fingerprint,
                line: *line,
                file: file.clone(),
            }),
            None => Err(Distrust::Unknown { server, shown, reason }),
        }
    }
}

/// The reason why the authorities are no reason for trust.
fn reason(error: &Error) -> String {
    let Error::InvalidCertificate(error) = error else {
        return error.to_string();
    };
    let reason = match error {
        CertificateError::UnknownIssuer => "no authority that this system trusts has signed it",
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet, or the clock of this machine is wrong"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another name"
        }
        CertificateError::Other(OtherError(error)) => {
            return format!("it is not one for a server ({error})");
        }
        error => return format!("it is not valid ({error})"),
    };
    reason.to_owned()
}

impl Distrust {
    /// The distrust for which a handshake has failed, if that is the reason.
    pub(super) fn in_error(error: &Error) -> Option<&Distrust> {
        match error {
            Error::InvalidCertificate(CertificateError::Other(OtherError(why))) => {
                why.downcast_ref()
            }
            _ => None,
        }
    }
}

impl ServerCertVerifier for ServerTrust {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let is_signed = |authorities: &WebPkiServerVerifier| {
            authorities.verify_server_cert(certificate, chain, name, ocsp, now)
        };
        self.judge(Fingerprint::of(certificate), is_signed)
            .map_err(|distrust| CertificateError::Other(OtherError(Arc::new(distrust))).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
