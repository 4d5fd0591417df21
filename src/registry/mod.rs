//! The registry: whose names are whose, and what waits for those who are away. Knows no connection and no wording.

mod codes;
mod tries;

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use parlor_core::answer::Refusal;
use parlor_core::line::Line;
use parlor_core::name::Name;
use parlor_core::time::WallTime;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::journal::{Errands, Letter, Undone};
use codes::Living;
pub(crate) use codes::{Code, Returned};
use tries::Tries;

/// So many passwords are worked on at once: each takes 19 MiB and tens of milliseconds.
const HASHES_MAX: usize = 2;

/// A password has so many characters at the least.
pub(crate) const PASSWORD_CHARS_MIN: usize = 8;

/// So many messages wait for one person.
const LETTERS_MAX: usize = 100;

/// Whose names are whose.
pub(crate) struct Registry {
    errands: Errands,
    hashing: Semaphore,
    tries: Mutex<Tries>,
    living: Living,
}

/// What cannot be done because the disk does not take it.
impl From<Undone> for Refusal {
    fn from(_: Undone) -> Refusal {
        Refusal::NotWritten
    }
}

impl Registry {
    /// As it is kept where errands are done.
    pub(crate) fn new(errands: Errands) -> Registry {
        Registry {
            errands,
            hashing: Semaphore::new(HASHES_MAX),
            tries: Mutex::default(),
            living: Living::default(),
        }
    }

    /// Keeps a password for a name, which has been worn since then.
    ///
    /// # Errors
    /// It is too short, or cannot be kept.
    pub(crate) async fn register(
        &self,
        name: Name,
        password: Line,
        since: WallTime,
    ) -> Result<(), Refusal> {
        if password.as_str().chars().count() < PASSWORD_CHARS_MIN {
            return Err(Refusal::PasswordTooShort(PASSWORD_CHARS_MIN));
        }
        let hash = move || {
            let hash = Argon2::default().hash_password(password.as_str().as_bytes());
            hash.map(|hash| hash.to_string())
        };
        let stored = self.work(hash).await?.map_err(|error| {
            tracing::error!(%error, "a password cannot be stored");
            Refusal::NotWritten
        })?;
        let put =
            move |store: &mut crate::journal::Store| store.put_password(&name, &stored, since);
        Ok(self.errands.run(put).await?)
    }

    /// Whether somebody at an address knows the password of a name.
    ///
    /// # Errors
    /// That is not the password, has been tried too often, or cannot be told now.
    pub(crate) async fn prove(
        &self,
        name: &Name,
        password: Line,
        address: IpAddr,
    ) -> Result<(), Refusal> {
        self.tries().may_try(name, address, Instant::now())?;
        let owned = name.clone();
        let stored = self.errands.run(move |store| store.password(&owned));
        let stored = stored.await?;
        let is_it = move || {
            let stored = PasswordHash::new(stored.as_deref()?).ok()?;
            let password = password.as_str().as_bytes();
            Argon2::default().verify_password(password, &stored).ok()
        };
        if self.work(is_it).await?.is_none() {
            self.tries().failed(name, address, Instant::now());
            return Err(Refusal::WrongPassword(name.clone()));
        }
        Ok(())
    }

    /// Keeps a message for the owner of a name, who is away.
    ///
    /// # Errors
    /// Too many wait already, or it cannot be kept.
    pub(crate) async fn keep_letter(
        &self,
        to: Name,
        from: Name,
        text: Line,
        at: WallTime,
    ) -> Result<(), Refusal> {
        let name = to.clone();
        let put = self
            .errands
            .run(move |store| store.put_letter(&to, &from, &text, at, LETTERS_MAX));
        match put.await? {
            true => Ok(()),
            false => Err(Refusal::LettersFull(name)),
        }
    }

    /// The messages that wait for the owner of a name, oldest first.
    pub(crate) async fn letters(&self, to: &Name) -> Result<Vec<Letter>, Undone> {
        let to = to.clone();
        self.errands.run(move |store| store.letters(&to)).await
    }

    /// Takes out the messages for the owner of a name up to this one.
    pub(crate) async fn take_letters(&self, to: &Name, last: i64) -> Result<(), Undone> {
        let to = to.clone();
        self.errands
            .run(move |store| store.take_letters(&to, last))
            .await
    }

    /// Works on a password, when it is its turn, where that holds up nobody.
    async fn work<T: Send + 'static>(
        &self,
        what: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Undone> {
        let _turn = self.hashing.acquire().await.map_err(|_| Undone)?;
        spawn_blocking(what).await.map_err(|_| Undone)
    }

    fn tries(&self) -> std::sync::MutexGuard<'_, Tries> {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
