//! Passwords of names: registers, changes and checks them. Knows no connection and no wording.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use parlor_core::ledger::{Account, OwnerVisit};
use parlor_core::link::{AccountChange, Command, Refusal};
use parlor_core::model::{Line, Name, PersonId, Proof, ProvenAccount, WallTime};

use super::hashed::hash_of_network;
use super::names::{Claimed, OwnedNames, visit};
use super::password_tries::{Tries, Try};
use super::password_turns::{Party, PasswordTurns};
use super::typed_password::{Fit, TypedPassword};
use crate::journal::DatabaseFailed;

/// How long a try takes after too many tries for a name, from an address of its owner. So people
/// there cannot guess fast, and the owner can enter.
const TRY_TIME: Duration = Duration::from_secs(1);

/// Checks and changes the passwords of names.
pub(crate) struct Passwords {
    /// The smallest number of characters in a password that is set.
    pub(crate) chars_min: usize,
    pub(super) names: Arc<OwnedNames>,
    pub(super) turns: Arc<PasswordTurns>,
    pub(super) tries: Mutex<Tries>,
}

impl From<DatabaseFailed> for Refusal {
    fn from(_: DatabaseFailed) -> Refusal {
        Refusal::NotWritten
    }
}

/// Whether two lines are the same password: a keyboard or a system may compose its letters
/// differently each time.
pub(crate) fn is_same_password(one: &str, other: &str) -> bool {
    TypedPassword::new(one).is_same(&TypedPassword::new(other))
}

impl Passwords {
    /// Whether a line can be the password of a name from now on.
    ///
    /// # Errors
    ///
    /// It is not text, too short, or a command: a person who types a command does not want to
    /// answer.
    pub(crate) fn can_be_set(&self, password: &Line) -> Result<(), Refusal> {
        let typed = TypedPassword::new(password.as_str());
        if !typed.is_text() {
            return Err(Refusal::PasswordNotText);
        }
        if typed.chars() < self.chars_min {
            return Err(Refusal::PasswordTooShort(self.chars_min));
        }
        match Command::named(password.as_str()) {
            Some(_) => Err(Refusal::PasswordIsCommand),
            None => Ok(()),
        }
    }

    /// Registers a name for the person who has used it since that time.
    ///
    /// # Errors
    ///
    /// The password is not good, there are too many names, the name has another owner, or this
    /// cannot be stored.
    pub(crate) async fn register(
        &self,
        name: Name,
        password: Line,
        since: WallTime,
        address: IpAddr,
        by: PersonId,
    ) -> Result<(), Refusal> {
        self.can_be_set(&password)?;
        self.tries().register(address, Instant::now())?;
        self.names.may_register_from(address).await?;
        let password = self.hash(Party::stranger(address), password).await?;
        let visit = OwnerVisit { origin: hash_of_network(address), ..visit(&name, address) };
        let change = AccountChange::Register { name, since, password, by, visit };
        self.names.change(change).await
    }

    /// Changes the password of a name, and ends everything that depends on the old one: codes, the
    /// token unless `keeps_token`, and all connections except the one that changes it.
    ///
    /// # Errors
    ///
    /// The password is not good, the proof is older than the last change, or this cannot be stored.
    pub(crate) async fn change(
        &self,
        (name, proof): (Name, Proof),
        password: Line,
        keeps_token: bool,
        address: IpAddr,
        by: PersonId,
    ) -> Result<(), Refusal> {
        self.can_be_set(&password)?;
        let password = self.hash(Party::known(&name, address), password).await?;
        let (proof, by, visit) = (Some(proof), Some(by), Some(visit(&name, address)));
        let change =
            AccountChange::ChangePassword { name, proof, password, keeps_token, by, visit };
        self.names.change(change).await
    }

    /// Changes the password of a name, for the operator, and ends everything that depends on the
    /// old one.
    ///
    /// # Errors
    ///
    /// The password is not good, the name has no owner, or this cannot be stored.
    pub(crate) async fn set(&self, name: Name, password: Line) -> Result<(), Refusal> {
        self.can_be_set(&password)?;
        let here = IpAddr::from(Ipv4Addr::LOCALHOST);
        let password = self.hash(Party::known(&name, here), password).await?;
        let (proof, keeps_token, by, visit) = (None, false, None, None);
        let change =
            AccountChange::ChangePassword { name, proof, password, keeps_token, by, visit };
        self.names.change(change).await
    }

    /// The proof that a person at an address knows the password of a name that was registered a
    /// moment ago.
    ///
    /// # Errors
    /// The password is wrong, was tried too often, or cannot be checked now; or the name has no
    /// owner any more.
    pub(crate) async fn prove(
        &self,
        name: &Name,
        password: Line,
        address: IpAddr,
    ) -> Result<Proof, Refusal> {
        let released = || Refusal::NameReleased(name.clone());
        let claimed = self.names.claimed(name, address).await?.ok_or_else(released)?;
        self.check(claimed, name, password, address).await
    }

    /// The account of a name, and the proof that a person at an address knows its password.
    ///
    /// # Errors
    /// The password is wrong, was tried too often, or cannot be checked now; or the name has no
    /// owner.
    pub(crate) async fn log_in(
        &self,
        name: &Name,
        password: Line,
        address: IpAddr,
    ) -> Result<ProvenAccount, Refusal> {
        let nobody = || Refusal::NoAccount(name.clone());
        let claimed = self.names.claimed(name, address).await?.ok_or_else(nobody)?;
        let registered = claimed.account.name.clone();
        let proof = self.check(claimed, name, password, address).await?;
        Ok(ProvenAccount { name: registered, proof })
    }

    /// Checks a password against the account of a name. Returns the proof.
    pub(super) async fn check(
        &self,
        claimed: Claimed,
        name: &Name,
        password: Line,
        address: IpAddr,
    ) -> Result<Proof, Refusal> {
        let is_known = claimed.is_known;
        let taken = self.tries().take(name, address, is_known, Instant::now());
        let tried = taken?;
        let party = match is_known {
            true => Party::known(name, address),
            false => Party::stranger(address),
        };
        let time = match tried.is_beyond {
            true => TRY_TIME,
            false => Duration::ZERO,
        };
        let password = Arc::new(TypedPassword::new(password.as_str()));
        let (typed, hash) = (Arc::clone(&password), Arc::clone(&claimed.account.password.value));
        let fit = self.turns.work(party, time, move || typed.fits(&hash));
        let fit = match fit.await {
            Ok(fit) => fit,
            Err(refusal) => {
                self.tries().give_back(tried); // the password was not checked
                return Err(refusal);
            }
        };
        let Some(fit) = fit else {
            return Err(self.wrong(name, &tried));
        };
        self.tries().give_back(tried);
        if fit == Fit::Otherwise {
            self.hash_anew(&claimed.account, password, address).await;
        }
        self.names.note_seen(&claimed, address);
        Ok(claimed.account.proof)
    }

    /// The answer to a wrong password. After too many tries, it does not say whether the password
    /// was wrong.
    fn wrong(&self, name: &Name, tried: &Try) -> Refusal {
        match tried.is_beyond {
            true => self.tries().too_many(Instant::now()),
            false => Refusal::WrongPassword(name.clone()),
        }
    }

    /// Stores the hash of a password in the present form.
    async fn hash_anew(&self, account: &Account, password: Arc<TypedPassword>, address: IpAddr) {
        let (name, proof) = (account.name.clone(), account.proof);
        let hash =
            self.turns.work(Party::known(&name, address), Duration::ZERO, move || password.hash());
        let Ok(Ok(password)) = hash.await else {
            return; // the next password tries again
        };
        let rehash = AccountChange::Rehash { name, proof, password: password.into() };
        self.names.change(rehash).await.ok(); // if this fails, the next password tries again
    }

    /// The hash of a password.
    async fn hash(&self, party: Party, password: Line) -> Result<Arc<str>, Refusal> {
        let password = TypedPassword::new(password.as_str());
        let hash = self.turns.work(party, Duration::ZERO, move || password.hash());
        let hash = hash.await?.map_err(|error| {
            tracing::error!(%error, "a password cannot be stored");
            Refusal::NotWritten
        });
        hash.map(Arc::from)
    }

    fn tries(&self) -> MutexGuard<'_, Tries> {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
