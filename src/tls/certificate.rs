//! The certificate that doors show: where it comes from, and how it is exchanged while the server
//! runs. Knows no connection.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use jiff::{SignedDuration, Timestamp};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

use super::fingerprint::Fingerprint;
use super::issued::IssuedPlace;
use super::own;
use super::pair::{self, NoCertificate};
use crate::config::CertificateFiles;

/// How long the server waits before it tries again to make a certificate. The log has an error for
/// each try.
const RETRY_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// The source of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CertificateSource {
    /// Files of the operator.
    Files(CertificateFiles),
    /// The server makes it, and keeps it in this directory, if it has one.
    Own(Option<PathBuf>),
    /// An authority has issued it; until then, the server makes it.
    Issued(IssuedPlace),
}

/// A certificate as the doors show it: to each new connection the newest.
pub(crate) struct Certificate {
    shown: RwLock<Shown>,
    state: Mutex<CertificateState>,
}

#[derive(Clone)]
struct Shown {
    pair: Arc<CertifiedKey>,
    /// Whether others can trust it: the server has not made it itself.
    is_trusted: bool,
}

struct CertificateState {
    source: CertificateSource,
    /// The state of its files when it was read.
    stamps: Vec<FileStamp>,
    /// The time from which on the server makes another one; none if others do that.
    renewed_at: Option<Timestamp>,
}

/// The time and size of a file, by which a new one is noticed. None if there is no file.
type FileStamp = Option<(i64, i64, u64, u64)>;

impl Certificate {
    /// The certificate of a source.
    ///
    /// # Errors
    /// It cannot be read or made; the error is a sentence.
    pub(crate) fn open(source: CertificateSource) -> Result<Certificate, NoCertificate> {
        let (shown, state) = source.load(Timestamp::now())?;
        Ok(Certificate { shown: RwLock::new(shown), state: Mutex::new(state) })
    }

    /// Reads the certificate again, if the files have changed or `source` is another one than before,
    /// or makes the server's own anew, if it is old. Returns whether there is a new one. On an error
    /// the old one stays.
    ///
    /// # Errors
    /// It cannot be read or made; the error is a sentence.
    pub(crate) fn reload(&self, source: Option<CertificateSource>) -> Result<bool, NoCertificate> {
        self.reload_at(Timestamp::now(), source)
    }

    fn reload_at(
        &self,
        now: Timestamp,
        source: Option<CertificateSource>,
    ) -> Result<bool, NoCertificate> {
        let mut state = self.state();
        let source = source.unwrap_or_else(|| state.source.clone());
        let stamps = source.stamps();
        let is_old = state.renewed_at.is_some_and(|at| at <= now);
        if source == state.source && stamps == state.stamps && !is_old {
            return Ok(false);
        }
        // An error is reported once, or once an hour.
        state.stamps = stamps;
        state.renewed_at = state.renewed_at.map(|_| now + RETRY_AFTER);
        let (next, loaded) = source.load(now)?;
        *state = loaded;
        let mut shown = self.shown.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = shown.pair.cert != next.pair.cert;
        *shown = next;
        Ok(is_new)
    }

    /// Whether others can trust it: the server has not made it itself.
    pub(crate) fn is_trusted(&self) -> bool {
        self.shown().is_trusted
    }

    /// Its SHA-256 fingerprint.
    pub(crate) fn fingerprint(&self) -> String {
        let shown = self.shown().pair;
        shown.cert.first().map(|first| Fingerprint::of(first).to_string()).unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, CertificateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shown(&self) -> Shown {
        self.shown.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl CertificateSource {
    /// Reads or makes the certificate at this time.
    fn load(&self, now: Timestamp) -> Result<(Shown, CertificateState), NoCertificate> {
        let stamps = self.stamps(); // before reading, so that no change is missed
        let issued = match self {
            CertificateSource::Issued(place) => place.load(now),
            _ => None,
        };
        let (pair, renewed_at) = match (self, &issued) {
            (_, Some(issued)) => (Arc::clone(&issued.pair), None),
            (CertificateSource::Files(files), _) => (pair::read(&files.chain, &files.key)?, None),
            (CertificateSource::Own(directory), _) => own::find_or_make(directory.as_deref(), now)?,
            (CertificateSource::Issued(place), _) => {
                own::find_or_make(Some(&place.directory), now)?
            }
        };
        let is_trusted = issued.is_some() || matches!(self, CertificateSource::Files(_));
        let source = self.clone();
        Ok((Shown { pair, is_trusted }, CertificateState { source, stamps, renewed_at }))
    }

    fn stamps(&self) -> Vec<FileStamp> {
        let files = match self {
            CertificateSource::Files(files) => vec![files.chain.clone(), files.key.clone()],
            CertificateSource::Own(Some(directory)) => own::files(directory).into(),
            CertificateSource::Own(None) => Vec::new(),
            CertificateSource::Issued(place) => vec![place.certificate()],
        };
        let stamp = |path: &PathBuf| {
            let file = fs::metadata(path).ok()?;
            Some((file.mtime(), file.mtime_nsec(), file.size(), file.ino()))
        };
        files.iter().map(stamp).collect()
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.shown().pair)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn own(directory: &std::path::Path) -> Certificate {
        Certificate::open(CertificateSource::Own(Some(directory.to_owned()))).unwrap()
    }

    #[test]
    fn the_own_certificate_stays_the_same_until_its_last_third() {
        let place = tempfile::tempdir().unwrap();
        let first = own(place.path());
        let [chain, key] = own::files(place.path());
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(own(place.path()).fingerprint(), first.fingerprint());
        assert!(!first.reload(None).unwrap() && !first.is_trusted());
        let text = fs::read_to_string(&chain).unwrap();
        let (_, rest) = text.split_once(',').unwrap();
        fs::write(&chain, format!("# Made by Parlor at 2020-01-01T00:00:00Z,{rest}")).unwrap();
        let before = first.fingerprint();
        assert!(first.reload(None).unwrap());
        assert_ne!(first.fingerprint(), before);
        assert_eq!(own(place.path()).fingerprint(), first.fingerprint());
    }

    #[test]
    fn the_own_certificate_is_renewed_in_time_without_a_change_of_its_files() {
        let place = tempfile::tempdir().unwrap();
        let days = |days: i64| Timestamp::now() + SignedDuration::from_hours(days * 24);
        let memory = Certificate::open(CertificateSource::Own(None)).unwrap();
        for shown in [own(place.path()), memory] {
            let before = shown.fingerprint();
            assert!(!shown.reload_at(days(263), None).unwrap());
            assert_eq!(shown.fingerprint(), before);
            assert!(shown.reload_at(days(265), None).unwrap());
            assert_ne!(shown.fingerprint(), before);
            assert!(!shown.reload_at(days(500), None).unwrap());
        }
    }

    #[test]
    fn a_certificate_that_cannot_be_written_is_tried_again_after_an_hour() {
        let place = tempfile::tempdir().unwrap();
        let shown = own(place.path());
        fs::create_dir(place.path().join("tls-key.pem.new")).unwrap();
        let later = Timestamp::now() + SignedDuration::from_hours(300 * 24);
        let refused = shown.reload_at(later, None).unwrap_err().to_string();
        let key = place.path().join("tls-key.pem");
        assert!(refused.starts_with(&format!("cannot write {}: ", key.display())), "{refused}");
        let minutes = |minutes: i64| later + SignedDuration::from_mins(minutes);
        assert!(!shown.reload_at(minutes(59), None).unwrap());
        assert!(shown.reload_at(minutes(61), None).is_err());
        fs::remove_dir(place.path().join("tls-key.pem.new")).unwrap();
        assert!(shown.reload_at(minutes(122), None).unwrap());
    }

    #[test]
    fn new_files_are_noticed_and_broken_ones_change_nothing() {
        let [one, two] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let (first, second) = (own(one.path()), own(two.path()));
        let [chain, key] = own::files(one.path());
        let files = CertificateFiles { chain: chain.clone(), key: key.clone() };
        let shown = Certificate::open(CertificateSource::Files(files)).unwrap();
        assert!(shown.is_trusted() && !shown.reload(None).unwrap());
        assert_eq!(shown.fingerprint(), first.fingerprint());
        let [new_chain, new_key] = own::files(two.path());
        fs::copy(new_chain, &chain).unwrap();
        assert!(
            shown.reload(None).unwrap_err().to_string().contains("cannot be used with the key")
        );
        assert_eq!(shown.fingerprint(), first.fingerprint());
        assert!(!shown.reload(None).unwrap(), "broken files are reported once");
        fs::copy(new_key, &key).unwrap();
        assert!(shown.reload(None).unwrap());
        assert_eq!(shown.fingerprint(), second.fingerprint());
        fs::remove_file(&chain).unwrap();
        assert!(shown.reload(None).is_err());
        assert_eq!(shown.fingerprint(), second.fingerprint());
    }
}
