//! The certificates of all doors with TLS, from the start to the end. Knows no connection.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

use crate::config::{AcmeOptions, CertificateFiles};
use crate::tls::{AcmeTask, Certificate, CertificateSource, Challenges, IssuedPlace};

/// How often the server checks whether the files have changed, so that programs that renew them
/// need not tell it.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// The certificates. Doors with the same source share one.
pub(super) struct Certificates {
    /// The server's directory, if it has one.
    directory: Option<PathBuf>,
    /// The files that the configuration named at the start, for listeners that name none.
    usual: Option<CertificateFiles>,
    /// How an authority is asked for a certificate, if one is asked.
    acme: Option<AcmeOptions>,
    /// The answers that the authority can get at the doors.
    pub(super) challenges: Arc<Challenges>,
    /// The mail address for the authority.
    contact: watch::Sender<Option<String>>,
    all: Mutex<Vec<InUse>>,
}

/// A certificate that doors show.
#[derive(Clone)]
struct InUse {
    /// The files that a listener names; none for the certificate of all other listeners.
    named: Option<CertificateFiles>,
    shown: Arc<Certificate>,
}

impl Certificates {
    pub(super) fn new(directory: Option<PathBuf>, usual: Option<CertificateFiles>) -> Certificates {
        Certificates {
            directory,
            usual,
            acme: None,
            challenges: Arc::new(Challenges::new(None)),
            contact: watch::Sender::default(),
            all: Mutex::default(),
        }
    }

    /// The same, with a certificate from an authority if one is asked, which gets its answers from
    /// these challenges, and knows the operator's mail address.
    pub(super) fn with_authority(
        self,
        acme: Option<AcmeOptions>,
        challenges: Challenges,
        contact: Option<String>,
    ) -> Certificates {
        let (contact, challenges) = (watch::Sender::new(contact), Arc::new(challenges));
        Certificates { acme, challenges, contact, ..self }
    }

    /// The task that gets the certificate from an authority; none if no authority is asked.
    ///
    /// # Errors
    /// The authority cannot be known: why, and what to do.
    pub(super) fn acme_task(&self) -> anyhow::Result<Option<AcmeTask>> {
        let (Some(options), Some(place)) = (&self.acme, self.issued_place()) else {
            return Ok(None);
        };
        let shown = self.of_listener(None)?;
        let (contact, challenges) = (self.contact.subscribe(), Arc::clone(&self.challenges));
        Ok(Some(AcmeTask::new(options.clone(), contact, place, shown, challenges)?))
    }

    /// Changes the mail address for the authority.
    pub(super) fn set_contact(&self, contact: Option<String>) {
        self.contact.send_if_modified(|known| {
            let is_other = *known != contact;
            *known = contact;
            is_other
        });
    }

    fn issued_place(&self) -> Option<IssuedPlace> {
        let (acme, directory) = (self.acme.as_ref()?, self.directory.clone()?);
        Some(IssuedPlace::new(directory, acme.names.clone()))
    }

    /// The certificate of a listener that names these files, if it names some; otherwise that of
    /// the usual files, or the server's own.
    ///
    /// # Errors
    /// It cannot be read or made.
    pub(super) fn of_listener(
        &self,
        named: Option<&CertificateFiles>,
    ) -> anyhow::Result<Arc<Certificate>> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.iter().find(|known| known.named.as_ref() == named) {
            return Ok(Arc::clone(&known.shown));
        }
        let shown = Arc::new(Certificate::open(self.source(named.or(self.usual.as_ref())))?);
        all.push(InUse { named: named.cloned(), shown: Arc::clone(&shown) });
        Ok(shown)
    }

    fn source(&self, files: Option<&CertificateFiles>) -> CertificateSource {
        match (files, self.issued_place()) {
            (Some(files), _) => CertificateSource::Files(files.clone()),
            (None, Some(place)) => CertificateSource::Issued(place),
            (None, None) => CertificateSource::Own(self.directory.clone()),
        }
    }

    /// Logs which certificate people see that nobody else knows.
    pub(super) fn announce(&self) {
        for InUse { shown, .. } in self.in_use().iter().filter(|one| !one.shown.is_trusted()) {
            let fingerprint = shown.fingerprint();
            tracing::info!("the certificate is our own: SHA256 fingerprint {fingerprint}");
        }
    }

    /// Reads all certificates again whose files have changed. `usual` are the usual files, if the
    /// configuration was read again. Returns a sentence for each new certificate, and an error for
    /// each that cannot be used: then the earlier one stays.
    pub(super) async fn reload(
        &self,
        usual: Option<Option<CertificateFiles>>,
    ) -> Vec<Result<String, String>> {
        let mut sentences = Vec::new();
        for InUse { named, shown } in self.in_use() {
            let source = match (&named, &usual) {
                (None, Some(usual)) => Some(self.source(usual.as_ref())),
                _ => None,
            };
            let certificate = Arc::clone(&shown);
            // In a separate thread, because reading a file may take long.
            let sentence = match spawn_blocking(move || certificate.reload(source)).await {
                Ok(Ok(false)) => continue,
                Ok(Ok(true)) => Ok(format!(
                    "the certificate is new: SHA256 fingerprint {}",
                    shown.fingerprint()
                )),
                Ok(Err(error)) => Err(format!("{error}; the earlier certificate stays in use")),
                Err(error) => Err(format!("a certificate cannot be read: {error}")),
            };
            sentences.push(sentence);
        }
        sentences
    }

    /// Looks after the files, until it is aborted.
    pub(super) async fn look_after(self: Arc<Certificates>) {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            for sentence in self.reload(None).await {
                match sentence {
                    Ok(sentence) => tracing::info!("{sentence}"),
                    Err(sentence) => tracing::error!("{sentence}"),
                }
            }
        }
    }

    fn in_use(&self) -> Vec<InUse> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use std::fs;

    use tokio::time::sleep;

    use super::*;

    /// The names of chain and key in the directory of a server.
    const FILES: [&str; 2] = ["tls-cert.pem", "tls-key.pem"];

    #[tokio::test(start_paused = true)]
    async fn changed_files_are_noticed_without_a_reload() {
        let [first, next] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let own = |directory: PathBuf| {
            let certificates = Certificates::new(Some(directory), None);
            certificates.of_listener(None).unwrap().fingerprint()
        };
        let (before, after) = (own(first.path().into()), own(next.path().into()));
        let [chain, key] = FILES.map(|file| first.path().join(file));
        let files = CertificateFiles::new(chain, Some(key));
        let certificates = Arc::new(Certificates::new(None, Some(files)));
        let shown = certificates.of_listener(None).unwrap();
        let looking = tokio::spawn(certificates.look_after());
        sleep(LOOK_EVERY / 2).await; // the first look is at once
        for file in FILES {
            fs::copy(next.path().join(file), first.path().join(file)).unwrap();
        }
        assert_eq!(shown.fingerprint(), before);
        sleep(LOOK_EVERY).await;
        assert_eq!(shown.fingerprint(), after);
        looking.abort();
    }
}
