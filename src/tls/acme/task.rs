//! The task that gets the certificate from an authority, and renews it while the server runs. Knows
//! no door.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::select;
use tokio::sync::watch;

use super::authority::{AcmeAuthority, host};
use super::challenges::Challenges;
use super::client::{AuthorityClient, NoAnswer};
use super::failed::TryFailed;
use super::renewal::two_thirds;
use super::tries::AcmeTries;
use crate::clock::sleep;
use crate::config::AcmeOptions;
use crate::tls::certificate::Certificate;
use crate::tls::issued::{Issued, IssuedPlace};

/// How often the task looks at the time of day, in seconds: it may be set while the task waits.
const LOOK_EVERY: i64 = 60;

const TRIES_FILE: &str = "tries.json";

/// The task, with its knowledge about the certificate.
pub(crate) struct AcmeTask {
    authority: AcmeAuthority,
    /// The names in the certificate, for the log.
    names: String,
    /// The operator's mail address.
    contact: watch::Receiver<Option<String>>,
    issued: Option<Issued>,
    tries: AcmeTries,
    /// When the authority wants the certificate to be renewed, in seconds since 1970.
    wanted: Option<i64>,
}

impl AcmeTask {
    /// A task for the certificate in a place, which doors show, with answers at the doors.
    ///
    /// # Errors
    /// The certificates by which the authority is known cannot be read.
    pub(crate) fn new(
        options: AcmeOptions,
        contact: watch::Receiver<Option<String>>,
        place: IssuedPlace,
        shown: Arc<Certificate>,
        challenges: Arc<Challenges>,
    ) -> Result<AcmeTask, NoAnswer> {
        let AcmeOptions { names, directory, ca } = options;
        let client = AuthorityClient::new(ca.as_deref())?;
        let issued = place.load(Timestamp::now());
        let tries = std::fs::read(place.file(TRIES_FILE)).unwrap_or_default();
        Ok(AcmeTask {
            authority: AcmeAuthority { directory, client, place, challenges, shown },
            names: names.join(", "),
            contact,
            issued,
            tries: AcmeTries::read(&tries),
            wanted: None,
        })
    }

    /// Gets the certificate, and renews it, until it is aborted.
    pub(crate) async fn run(mut self) {
        self.announce(now());
        self.tell_contact().await; // it may have changed since the last start
        loop {
            let now = now();
            self.tries.bound(now);
            let next = self.tries.next(self.due());
            let wait = match next <= now {
                true => self.try_now(now).await,
                false if self.ask_if_due(now).await => 0,
                false => (next - now).min(LOOK_EVERY),
            };
            select! {
                () = sleep(Duration::from_secs(wait.unsigned_abs())) => {}
                Ok(()) = self.contact.changed() => self.tell_contact().await,
            }
        }
    }

    /// Logs what the server has at its start, and when the next try is if it has started too often.
    fn announce(&mut self, now: i64) {
        let names = &self.names;
        if let Some(Issued { from, facts, has_all_names, .. }) = &self.issued {
            let (host, end) = (host(from), time(facts.not_after));
            let some = if *has_all_names { "" } else { "some of " };
            tracing::info!("the certificate for {some}{names} is from {host}, valid until {end}");
        }
        self.tries.bound(now);
        let next = self.tries.next(self.due());
        if self.due() <= now && next > now {
            let wait = minutes(next - now);
            tracing::warn!(
                "four tries for the certificate for {names} were made within an hour; the next one is in {wait} min"
            );
        }
    }

    /// When the certificate is due, in seconds since 1970: at once without one for all names from this
    /// authority.
    fn due(&self) -> i64 {
        self.own_issued()
            .map_or(0, |issued| two_thirds(&issued.facts).min(self.wanted.unwrap_or(i64::MAX)))
    }

    /// The certificate, if it is for all names, and from this authority.
    fn own_issued(&self) -> Option<&Issued> {
        let is_own = |issued: &&Issued| issued.from == self.authority.directory;
        self.issued.as_ref().filter(is_own).filter(|issued| issued.has_all_names)
    }

    /// Tries to get a certificate, and logs the outcome. Returns how many seconds to wait.
    async fn try_now(&mut self, begin: i64) -> i64 {
        // An authority may refuse this for its own reasons, so only the first try says it.
        let says_it = self.wanted.is_some() && !self.tries.has_failed();
        let replaced = self.own_issued().filter(|_| says_it);
        let replaces = replaced.and_then(|issued| issued.facts.renewal_id.clone());
        let contact = self.contact.borrow_and_update().clone();
        self.tries.begin(begin);
        let outcome = match self.store_tries().await {
            Ok(()) => self.authority.order(contact, replaces).await,
            Err(error) => Err(error), // it would not be counted
        };
        let (names, host) = (&self.names, self.authority.host());
        match outcome {
            Ok(issued) => {
                let end = time(issued.facts.not_after);
                let print = self.authority.shown.fingerprint();
                tracing::info!(
                    "the certificate for {names} is new, from {host}, valid until {end}: SHA256 fingerprint {print}"
                );
                self.tries.succeed();
                self.tries.ask(begin);
                self.store_tries().await.ok(); // otherwise the authority is asked earlier
                (self.issued, self.wanted) = (Some(issued), None);
            }
            Err(error) => {
                let end = now();
                self.tries.fail(end);
                let wait = minutes(self.tries.next(self.due()) - end);
                tracing::warn!(
                    "{host} has given no certificate for {names}: {error}; the next try is in {wait} min"
                );
            }
        }
        0
    }

    /// Asks the authority from time to time whether the certificate should be renewed early.
    /// Returns whether it has asked.
    async fn ask_if_due(&mut self, now: i64) -> bool {
        if self.issued.is_none() || !self.tries.ask(now) || self.store_tries().await.is_err() {
            return false;
        }
        if let Some(issued) = &self.issued {
            match self.authority.wanted(issued).await {
                Ok(wanted) => self.wanted = wanted,
                Err(error) => tracing::debug!(%error, "the authority does not say when to renew"),
            }
        }
        true
    }

    /// Tells the authority the mail address, if it knows another one. Without an account, or if that
    /// fails, the next try does it.
    async fn tell_contact(&mut self) {
        let contact = self.contact.borrow_and_update().clone();
        if !self.authority.has_other_contact(contact.as_deref()) {
            return;
        }
        let host = self.authority.host();
        match self.authority.tell_contact(contact.as_deref()).await {
            Ok(()) => tracing::info!("{host} knows the new acme-contact"),
            Err(error) => tracing::warn!(
                "{host} does not know the new acme-contact: {error}; it is told with the next certificate"
            ),
        }
    }

    async fn store_tries(&self) -> Result<(), TryFailed> {
        Ok(self.authority.place.write_aside(TRIES_FILE, self.tries.to_json()).await?)
    }
}

/// The time of day, in seconds since 1970.
fn now() -> i64 {
    Timestamp::now().as_second()
}

/// Seconds in minutes, rounded up.
fn minutes(seconds: i64) -> i64 {
    seconds / 60 + i64::from(seconds % 60 > 0)
}

/// A time for people.
fn time(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or_default()
}
