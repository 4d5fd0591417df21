//! The files of a certificate. Reads none of them.

use std::path::PathBuf;

/// The files of a certificate, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CertificateFiles {
    /// The certificate, with its chain behind it.
    pub(crate) chain: PathBuf,
    /// The key; it may be in the same file.
    pub(crate) key: PathBuf,
}

impl CertificateFiles {
    /// The files, of which that of the key may be missing.
    pub(crate) fn new(chain: PathBuf, key: Option<PathBuf>) -> CertificateFiles {
        let key = key.unwrap_or_else(|| chain.clone());
        CertificateFiles { chain, key }
    }
}
