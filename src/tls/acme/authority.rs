//! An authority, and everything that the server asks it. Decides nothing.

use std::sync::Arc;
use std::time::Duration;

use instant_acme::Error;
use tokio::task::{JoinSet, spawn_blocking};

use super::challenges::Challenges;
use super::client::AuthorityClient;
use super::failed::TryFailed;
use super::{account, order, renewal};
use crate::clock::timeout;
use crate::tls::certificate::Certificate;
use crate::tls::issued::{Issued, IssuedPlace};

/// The limit of time for a try, from the account to the chain.
const TRY_TIME: Duration = Duration::from_mins(5);

/// An authority, with the place of its certificate.
pub(super) struct AcmeAuthority {
    /// The address of its directory.
    pub(super) directory: String,
    pub(super) client: AuthorityClient,
    pub(super) place: IssuedPlace,
    /// The answers that it can get at the doors.
    pub(super) challenges: Arc<Challenges>,
    /// The certificate that doors show.
    pub(super) shown: Arc<Certificate>,
}

impl AcmeAuthority {
    /// Its host, as its name in the log.
    pub(super) fn host(&self) -> String {
        host(&self.directory)
    }

    /// Orders a certificate, stores it, and shows it. `replaces` is the name of an earlier one.
    pub(super) async fn order(
        &self,
        contact: Option<String>,
        replaces: Option<String>,
    ) -> Result<Issued, TryFailed> {
        let ordered = self.pem(contact, replaces).await;
        self.challenges.clear();
        let (pem, place, from) = (ordered?, self.place.clone(), self.directory.clone());
        let shown = Arc::clone(&self.shown);
        let storing = spawn_blocking(move || {
            let issued = place.store(&from, &pem)?;
            shown.reload(None)?;
            Ok(issued)
        });
        storing.await.unwrap_or(Err(TryFailed::Bug))
    }

    async fn pem(
        &self,
        contact: Option<String>,
        replaces: Option<String>,
    ) -> Result<String, TryFailed> {
        let (place, client) = (self.place.clone(), self.client.clone());
        let (directory, challenges) = (self.directory.clone(), Arc::clone(&self.challenges));
        let mut trying = JoinSet::new(); // a bug ends this try, and no further one
        trying.spawn(async move {
            let once = async || {
                let account =
                    account::open(&place, &client, &directory, contact.as_deref()).await?;
                order::run(&account, &place.names, replaces.as_deref(), &challenges).await
            };
            match once().await {
                Err(error) if error.is_of_account() => {
                    account::forget(&place);
                    once().await // with a new one
                }
                outcome => outcome,
            }
        });
        match timeout(TRY_TIME, trying.join_next()).await {
            Ok(Some(Ok(pem))) => pem,
            Ok(_) => Err(TryFailed::Bug),
            Err(_) => Err(TryFailed::TooLate),
        }
    }

    /// When it wants a certificate to be renewed, in seconds since 1970. None if it does not say.
    pub(super) async fn wanted(&self, issued: &Issued) -> Result<Option<i64>, Error> {
        renewal::ask(&self.client, &self.directory, &issued.facts).await
    }

    /// Whether it knows another mail address than this one.
    pub(super) fn has_other_contact(&self, contact: Option<&str>) -> bool {
        account::has_other_contact(&self.place, &self.directory, contact)
    }

    /// Tells it the mail address.
    pub(super) async fn tell_contact(&self, contact: Option<&str>) -> Result<(), TryFailed> {
        let told = account::open(&self.place, &self.client, &self.directory, contact);
        timeout(TRY_TIME, told).await.unwrap_or(Err(TryFailed::TooLate)).map(drop)
    }
}

/// The host in an address.
pub(super) fn host(address: &str) -> String {
    let address: Option<hyper::Uri> = address.parse().ok();
    address.and_then(|address| address.host().map(str::to_owned)).unwrap_or_default()
}
