//! Passwords of names: registers, changes and checks them. Knows no connection and no wording.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use parlor_core::link::{Command, Refusal};
use parlor_core::model::{Line, Name, PersonId, Proof, Verb, WallTime};
use rusqlite::{Connection, Transaction, params};

use super::hashed::Hashed;
use super::names::{Account, OwnedNames, delete_of, put_act, put_seen};
use super::password_tries::{Tries, Try};
use super::password_turns::{Party, PasswordTurns};
use super::return_codes::end_codes;
use super::typed_password::{Fit, TypedPassword};
use crate::clock;
use crate::journal::{DatabaseFailed, Sql};

/// How long a try takes after too many tries for a name, from an address of its owner. So people
/// there cannot guess fast, and the owner can enter.
const TRY_TIME: Duration = Duration::from_secs(1);

/// The smallest number of characters in a password.
const PASSWORD_CHARS_MIN: usize = 8;

/// The limit of registered names: each one is stored permanently, and takes memory in the
/// broadcaster.
const ACCOUNTS_MAX: i64 = 100_000;

/// The limit of names registered from one network: a hundredth of all.
const NAMES_FROM_ONE_MAX: i64 = 1_000;

/// Checks and changes the passwords of names.
pub(crate) struct Passwords {
    pub(super) names: Arc<OwnedNames>,
    pub(super) turns: Arc<PasswordTurns>,
    pub(super) tries: Mutex<Tries>,
}

impl From<DatabaseFailed> for Refusal {
    fn from(_: DatabaseFailed) -> Refusal {
        Refusal::NotWritten
    }
}

/// Whether a line can be the password of a name.
///
/// # Errors
///
/// It is not text, too short, or a command: a person who types a command does not want to answer.
pub(crate) fn good_password(password: &Line) -> Result<(), Refusal> {
    let typed = TypedPassword::new(password.as_str());
    if !typed.is_text() {
        return Err(Refusal::PasswordNotText);
    }
    if typed.chars() < PASSWORD_CHARS_MIN {
        return Err(Refusal::PasswordTooShort(PASSWORD_CHARS_MIN));
    }
    match Command::named(password.as_str()) {
        Some(_) => Err(Refusal::PasswordIsCommand),
        None => Ok(()),
    }
}

/// Whether two lines are the same password: a keyboard or a system may compose its letters
/// differently each time.
pub(crate) fn is_same_password(one: &str, other: &str) -> bool {
    TypedPassword::new(one).is_same(&TypedPassword::new(other))
}

impl Passwords {
    /// Registers a name for the person who has used it since that time, and tells the broadcaster.
    ///
    /// # Errors
    ///
    /// The password is not good, there are too many names, the name has another owner, or the file
    /// cannot be written.
    pub(crate) async fn register(
        &self,
        name: Name,
        password: Line,
        since: WallTime,
        address: IpAddr,
        by: PersonId,
    ) -> Result<(), Refusal> {
        good_password(&password)?;
        self.tries().register(address, Instant::now())?;
        let hash = self.hash(Party::stranger(address), password).await?;
        let (proofs, registered) = (Arc::clone(&self.names.proofs), name.clone());
        let put = move |connection: &mut Connection| {
            let put = put_account(connection, &registered, &hash, since, address)?;
            Ok(put.map(|()| proofs.of(&registered)))
        };
        self.names.own(name, Some(by), put).await?
    }

    /// Changes the password of a name, and ends everything that depends on the old one: codes, the
    /// token unless `keeps_token`, and all connections except the one that changes it.
    ///
    /// # Errors
    ///
    /// The password is not good, the proof is older than the last change, or the file cannot be
    /// written.
    pub(crate) async fn change(
        &self,
        (name, proof): (Name, Proof),
        password: Line,
        keeps_token: bool,
        address: IpAddr,
        by: PersonId,
    ) -> Result<(), Refusal> {
        good_password(&password)?;
        let hash = self.hash(Party::known(&name, address), password).await?;
        let (proofs, owned) = (Arc::clone(&self.names.proofs), name.clone());
        let change = move |connection: &mut Connection| {
            let is_changed = proofs.of(&owned) == proof
                && change_password(connection, &owned, &hash, keeps_token, |transaction| {
                    let network = Hashed::of_owner_at(&owned, address);
                    put_seen(transaction, &owned, network, clock::wall())
                })?;
            Ok(match is_changed {
                true => Ok(proofs.renew(&owned)),
                false => Err(Refusal::NotOwner),
            })
        };
        self.names.own(name, Some(by), change).await?
    }

    /// Changes the password of a name, for the operator, and ends everything that depends on the
    /// old one. Returns whether the name has an owner.
    ///
    /// # Errors
    ///
    /// The password is not good, or the file cannot be written.
    pub(crate) async fn set(&self, name: Name, password: Line) -> Result<bool, Refusal> {
        good_password(&password)?;
        let here = IpAddr::from(Ipv4Addr::LOCALHOST);
        let hash = self.hash(Party::known(&name, here), password).await?;
        let (proofs, owned) = (Arc::clone(&self.names.proofs), name.clone());
        let set = move |connection: &mut Connection| {
            let is_set = change_password(connection, &owned, &hash, false, |transaction| {
                put_act(transaction, Verb::SetPassword, &owned)
            })?;
            Ok(is_set.then(|| proofs.renew(&owned)).ok_or(()))
        };
        Ok(self.names.own(name, None, set).await?.is_ok())
    }

    /// The proof that a person at an address knows the password of a name.
    ///
    /// # Errors
    /// The password is wrong, was tried too often, or cannot be checked now.
    pub(crate) async fn prove(
        &self,
        name: &Name,
        password: Line,
        address: IpAddr,
    ) -> Result<Proof, Refusal> {
        let (account, proof) = self.names.account(name, address).await?;
        self.check(account, name, password, address).await?;
        Ok(proof)
    }

    /// Checks a password against an account.
    pub(super) async fn check(
        &self,
        account: Account,
        name: &Name,
        password: Line,
        address: IpAddr,
    ) -> Result<(), Refusal> {
        let is_known = account.is_known;
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
        let (typed, hash) = (Arc::clone(&password), account.password.clone());
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
            self.hash_anew(name, account.password.clone(), password, address).await;
        }
        self.names.note_seen(name, &account, address).await;
        Ok(())
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
    async fn hash_anew(
        &self,
        name: &Name,
        old: String,
        password: Arc<TypedPassword>,
        address: IpAddr,
    ) {
        let hash =
            self.turns.work(Party::known(name, address), Duration::ZERO, move || password.hash());
        let Ok(Ok(hash)) = hash.await else {
            return; // the next password tries again
        };
        let name = name.clone();
        let put = move |connection: &mut Connection| {
            connection.run(
                "UPDATE accounts SET password = ?3 WHERE fold = ?1 AND password = ?2",
                params![name.keys()[0], old, hash],
            )
        };
        self.names.database.write(put).await.ok(); // if this fails, the next password tries again
    }

    /// The hash of a password.
    async fn hash(&self, party: Party, password: Line) -> Result<String, Refusal> {
        let password = TypedPassword::new(password.as_str());
        let hash = self.turns.work(party, Duration::ZERO, move || password.hash());
        hash.await?.map_err(|error| {
            tracing::error!(%error, "a password cannot be stored");
            Refusal::NotWritten
        })
    }

    fn tries(&self) -> MutexGuard<'_, Tries> {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives a name an owner, unless it has one.
fn put_account(
    connection: &mut Connection,
    name: &Name,
    password: &str,
    since: WallTime,
    address: IpAddr,
) -> rusqlite::Result<Result<(), Refusal>> {
    let origin = Hashed::of_network(address);
    let transaction = connection.transaction()?;
    let count = "SELECT count(*) FROM accounts WHERE origin = ?1";
    let from_there: i64 = transaction.query_row(count, [origin], |row| row.get(0))?;
    if from_there >= NAMES_FROM_ONE_MAX {
        return Ok(Err(Refusal::TooManyNamesFromHere));
    }
    let count = "SELECT count(*) FROM accounts";
    let all: i64 = transaction.query_row(count, [], |row| row.get(0))?;
    if all >= ACCOUNTS_MAX {
        return Ok(Err(Refusal::TooManyNames));
    }
    let put = transaction.run(
        "INSERT OR IGNORE INTO accounts (name, fold, password, since, origin)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![name.as_str(), name.keys()[0], password, since.0, origin],
    )?;
    if put == 0 {
        return Ok(Err(Refusal::NameOwned(name.clone())));
    }
    let network = Hashed::of_owner_at(name, address);
    put_seen(&transaction, name, network, clock::wall())?;
    transaction.commit()?;
    Ok(Ok(()))
}

/// Changes the password of a name, and ends everything that depends on the old one: codes, the
/// token unless `keeps_token`, and the known networks of the owner. `then` runs in the same
/// transaction. Returns whether the name has an owner.
fn change_password(
    connection: &mut Connection,
    name: &Name,
    password: &str,
    keeps_token: bool,
    then: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<bool> {
    let transaction = connection.transaction()?;
    let changed = transaction.run(
        "UPDATE accounts SET password = ?2, token = iif(?3, token, NULL) WHERE fold = ?1",
        params![name.keys()[0], password, keeps_token],
    )?;
    if changed == 0 {
        return Ok(false);
    }
    end_codes(&transaction, name)?;
    delete_of(&transaction, "places", name)?;
    then(&transaction)?;
    transaction.commit()?;
    Ok(true)
}
