//! A certificate with its chain and its key, read from PEM. Knows no connection.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;

use super::settings::provider;

/// The largest file that is read: a long chain has 20 KiB.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// The reason why a certificate cannot be used, for the operator.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoCertificate {
    #[error("cannot read {}: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("cannot write {}: {error}", path.display())]
    Unwritable { path: PathBuf, error: io::Error },
    #[error("{} is larger than 256 KiB, so it is no certificate and no key", .0.display())]
    TooLarge(PathBuf),
    #[error("{} has no certificate in the form PEM (-----BEGIN CERTIFICATE-----)", .0.display())]
    NoChain(PathBuf),
    #[error("{} has no private key in the form PEM; name the file with the key with --tls-key or key=", .0.display())]
    NoKey(PathBuf),
    #[error("the certificate in {} cannot be used with the key in {}: {error}", chain.display(), key.display())]
    Mismatch { chain: PathBuf, key: PathBuf, error: rustls::Error },
    #[error("the certificate of the authority is not for {0}")]
    OtherNames(String),
    #[error("cannot make a certificate: {0}")]
    Own(String),
}

/// Reads a chain from one file, and its key from another one or the same.
pub(super) fn read(chain: &Path, key: &Path) -> Result<Arc<CertifiedKey>, NoCertificate> {
    let chain_text = read_file(chain)?;
    match key == chain {
        true => parse((&chain_text, chain), (&chain_text, key)),
        false => parse((&chain_text, chain), (&read_file(key)?, key)),
    }
}

/// The pair of a chain and its key in these texts, which are or will be in these files.
pub(super) fn parse(
    (chain_text, chain): (&[u8], &Path),
    (key_text, key): (&[u8], &Path),
) -> Result<Arc<CertifiedKey>, NoCertificate> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain_text).collect();
    let certificates = certificates.unwrap_or_default();
    if certificates.is_empty() {
        return Err(NoCertificate::NoChain(chain.to_owned()));
    }
    let private = PrivateKeyDer::from_pem_slice(key_text)
        .map_err(|_| NoCertificate::NoKey(key.to_owned()))?;
    let pair = CertifiedKey::from_der(certificates, private, &provider());
    let mismatch =
        |error| NoCertificate::Mismatch { chain: chain.to_owned(), key: key.to_owned(), error };
    pair.map(Arc::new).map_err(mismatch)
}

pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, NoCertificate> {
    let io = |error| NoCertificate::Unreadable { path: path.to_owned(), error };
    if fs::metadata(path).map_err(io)?.len() > FILE_BYTES_MAX {
        return Err(NoCertificate::TooLarge(path.to_owned()));
    }
    fs::read(path).map_err(io)
}
