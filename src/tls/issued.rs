//! The certificate that an authority has given to the server, and its file. Asks no authority.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use parlor_wire::certificate::CertificateFacts;
use tokio::task::spawn_blocking;
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::sign::CertifiedKey;

use super::own;
use super::pair::{self, NoCertificate};

/// The folder in the server's directory with everything about the authority.
const FOLDER: &str = "acme";

/// The file in that folder with the key, the certificate and its chain.
const FILE: &str = "certificate.pem";

/// The beginning of the line in the file that says which authority has issued the certificate.
const FROM: &str = "# From ";

/// The place of the certificate with these names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IssuedPlace {
    /// The server's directory.
    pub(super) directory: PathBuf,
    pub(super) names: Vec<String>,
}

/// A certificate from an authority.
#[derive(Clone)]
pub(super) struct Issued {
    pub(super) pair: Arc<CertifiedKey>,
    /// The address of the authority's directory.
    pub(super) from: String,
    pub(super) facts: CertificateFacts,
    /// Whether it is for all names of the server, and not only for some of them.
    pub(super) has_all_names: bool,
}

impl IssuedPlace {
    pub(crate) fn new(directory: PathBuf, names: Vec<String>) -> IssuedPlace {
        IssuedPlace { directory, names }
    }

    /// The path of a file in the folder.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.directory.join(FOLDER).join(name)
    }

    /// The path of the certificate.
    pub(super) fn certificate(&self) -> PathBuf {
        self.file(FILE)
    }

    /// The certificate that is stored. None if there is none, it is for none of the names, or its life
    /// is over.
    pub(super) fn load(&self, now: Timestamp) -> Option<Issued> {
        let path = self.certificate();
        let text = pair::read_file(&path).ok()?;
        let issued = Issued::parse(&text, &path, &self.names).ok()?;
        (issued.facts.not_after > now.as_second()).then_some(issued)
    }

    /// Stores a key with its chain, in PEM, as the authority with this directory has issued it.
    ///
    /// # Errors
    /// They do not belong together, are for other names, or cannot be written.
    pub(super) fn store(&self, from: &str, pem: &str) -> Result<Issued, NoCertificate> {
        let text = format!("{FROM}{from}\n{pem}");
        let issued = Issued::parse(text.as_bytes(), &self.certificate(), &self.names)?;
        if !issued.has_all_names {
            return Err(NoCertificate::OtherNames(self.names.join(", ")));
        }
        self.write(FILE, &text)?;
        Ok(issued)
    }

    /// Writes a file in the folder that only this user can read, in another thread.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) async fn write_aside(
        &self,
        name: &'static str,
        text: String,
    ) -> Result<(), NoCertificate> {
        let place = self.clone();
        let writing = spawn_blocking(move || place.write(name, &text));
        writing.await.unwrap_or_else(|error| Err(NoCertificate::Own(error.to_string())))
    }

    fn write(&self, name: &str, text: &str) -> Result<(), NoCertificate> {
        let folder = self.directory.join(FOLDER);
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.map_err(|error| NoCertificate::Unwritable { path: folder, error })?;
        own::write(&self.file(name), text)
    }
}

impl Issued {
    fn parse(text: &[u8], path: &Path, names: &[String]) -> Result<Issued, NoCertificate> {
        let pair = pair::parse((text, path), (text, path))?;
        let facts = pair.cert.first().and_then(|own| CertificateFacts::read(own));
        let own_names = names_in(&pair, names);
        let Some(facts) = facts.filter(|_| own_names > 0) else {
            return Err(NoCertificate::OtherNames(names.join(", ")));
        };
        let text = String::from_utf8_lossy(text);
        let from = text.lines().find_map(|line| line.strip_prefix(FROM)).unwrap_or_default();
        let has_all_names = own_names == names.len();
        Ok(Issued { pair, from: from.to_owned(), facts, has_all_names })
    }
}

/// The number of these names for which clients accept a certificate.
fn names_in(pair: &CertifiedKey, names: &[String]) -> usize {
    let parsed = pair.cert.first().and_then(|own| ParsedCertificate::try_from(own).ok());
    let is_for = |parsed: &ParsedCertificate<'_>, name: &str| {
        let name = ServerName::try_from(name);
        name.is_ok_and(|name| verify_server_name(parsed, &name).is_ok())
    };
    parsed.map_or(0, |parsed| names.iter().filter(|name| is_for(&parsed, name)).count())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use std::fs;

    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn pem(names: &[&str], last_year: i32) -> String {
        let key = KeyPair::generate().unwrap();
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        let mut facts = CertificateParams::new(names).unwrap();
        facts.not_after = date_time_ymd(last_year, 1, 1);
        key.serialize_pem() + &facts.self_signed(&key).unwrap().pem()
    }

    #[test]
    fn a_stored_certificate_is_used_if_its_names_fit_and_it_is_alive() {
        let now = Timestamp::now();
        let data = tempfile::tempdir().unwrap();
        let place = |names: &[&str]| {
            let names = names.iter().map(ToString::to_string).collect();
            IssuedPlace::new(data.path().to_owned(), names)
        };
        let both = place(&["a.example", "b.example"]);
        assert!(both.load(now).is_none());
        let stored = both.store("https://ca/", &pem(&["b.example", "a.example"], 2400)).unwrap();
        for names in [&["a.example"][..], &["b.example", "a.example"]] {
            let loaded = place(names).load(now).unwrap();
            assert!(loaded.pair.cert == stored.pair.cert && loaded.from == "https://ca/");
            assert!(loaded.has_all_names);
        }
        assert!(place(&["c.example"]).load(now).is_none());
        let one_of_two = place(&["a.example", "c.example"]).load(now).unwrap();
        assert!(one_of_two.pair.cert == stored.pair.cert && !one_of_two.has_all_names);
        let refused = both.store("https://ca/", &pem(&["a.example"], 2400)).err().unwrap();
        assert!(refused.to_string().contains("a.example, b.example"), "{refused}");
        let two = pem(&["a.example"], 2400) + &pem(&["a.example"], 2400);
        let (key, chain) = (
            &two[..two.find("-----BEGIN CERT").unwrap()],
            &two[two.rfind("-----BEGIN CERT").unwrap()..],
        );
        assert!(place(&["a.example"]).store("https://ca/", &format!("{key}{chain}")).is_err());
        assert!(both.load(now).is_some(), "what does not fit changes nothing");
        both.store("https://ca/", &pem(&["a.example", "b.example"], 2001)).unwrap();
        assert!(both.load(now).is_none());
        fs::write(both.certificate(), "nonsense").unwrap();
        assert!(both.load(now).is_none());
    }
}
