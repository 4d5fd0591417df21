//! The answers with which this server proves to an authority that it has a name. Asks no authority.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rcgen::{CertificateParams, CustomExtension, KeyPair, PKCS_ECDSA_P256_SHA256};
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

use crate::config::AcmeChallenge;
use crate::tls::pair::NoCertificate;
use crate::tls::settings::provider;

/// The protocol in which an authority asks at a door with TLS (RFC 8737).
pub(crate) const ACME_TLS: &str = "acme-tls/1";

/// The answers that an authority can get at the doors now.
pub(crate) struct Challenges {
    /// Where the authority asks; none if the server asks no authority.
    way: Option<AcmeChallenge>,
    answers: Mutex<Answers>,
}

#[derive(Default)]
struct Answers {
    /// By name, for TLS-ALPN-01.
    certificates: HashMap<String, Arc<CertifiedKey>>,
    /// By token, for HTTP-01.
    texts: HashMap<String, String>,
}

impl Challenges {
    /// No answers yet, in this way.
    pub(crate) fn new(way: Option<AcmeChallenge>) -> Challenges {
        Challenges { way, answers: Mutex::default() }
    }

    /// Whether an authority may ask in the handshake of doors with TLS.
    pub(crate) fn are_at_tls(&self) -> bool {
        self.way == Some(AcmeChallenge::Tls)
    }

    /// The answer at a web door to a token (RFC 8555, section 8.3).
    pub(crate) fn answer_to(&self, token: &str) -> Option<String> {
        self.answers().texts.get(token).cloned()
    }

    /// Answers at doors with TLS for a name, with the digest of the expected text.
    ///
    /// # Errors
    /// The certificate for that cannot be made.
    pub(super) fn put_digest(&self, name: &str, digest: &[u8]) -> Result<(), NoCertificate> {
        let certificate = proof(name, digest)?;
        self.answers().certificates.insert(name.to_owned(), certificate);
        Ok(())
    }

    /// Answers at web doors to a token.
    pub(super) fn put_text(&self, token: &str, text: &str) {
        self.answers().texts.insert(token.to_owned(), text.to_owned());
    }

    /// Forgets all answers.
    pub(super) fn clear(&self) {
        *self.answers() = Answers::default();
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResolvesServerCert for Challenges {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name()?.to_ascii_lowercase();
        self.answers().certificates.get(&name).cloned()
    }
}

impl fmt::Debug for Challenges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenges").finish_non_exhaustive()
    }
}

/// The certificate with a digest that proves a name (RFC 8737, section 3).
fn proof(name: &str, digest: &[u8]) -> Result<Arc<CertifiedKey>, NoCertificate> {
    let failed = |error: rcgen::Error| NoCertificate::Own(error.to_string());
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
    let mut facts = CertificateParams::new([name.to_owned()]).map_err(failed)?;
    facts.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let certificate = facts.self_signed(&key).map_err(failed)?;
    let private = PrivateKeyDer::try_from(key.serialize_der())
        .map_err(|error| NoCertificate::Own(error.to_owned()))?;
    // Not `from_der`, which refuses the extension.
    let key = provider().key_provider.load_private_key(private);
    let key = key.map_err(|error| NoCertificate::Own(error.to_string()))?;
    Ok(Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key)))
}
