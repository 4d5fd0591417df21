//! The registry: whose names are whose, and what waits for those who are away. Knows no connection and no wording.

mod codes;
mod tokens;
mod tries;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use parlor_core::answer::Refusal;
use parlor_core::command::Command;
use parlor_core::inbox::Claim;
use parlor_core::line::Line;
use parlor_core::name::Name;
use parlor_core::time::WallTime;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::journal::{Errands, Letter, Put, Undone};
use codes::Living;
pub(crate) use codes::{Code, Returned};
use tries::Tries;

/// So many passwords are worked on at once: each takes 19 MiB and tens of milliseconds.
const HASHES_MAX: usize = 2;

/// A password has so many characters at the least.
pub(crate) const PASSWORD_CHARS_MIN: usize = 8;

/// So many messages wait for one person.
const LETTERS_MAX: usize = 100;

/// And so many of these from one name: nobody fills the letterbox alone.
const LETTERS_FROM_ONE_MAX: usize = 20;

/// So many names can have an owner: each is kept for good, and known to the broadcaster.
const ACCOUNTS_MAX: usize = 100_000;

/// Whose names are whose.
pub(crate) struct Registry {
    errands: Errands,
    hashing: Arc<Semaphore>,
    tries: Mutex<Tries>,
    living: Living,
}

/// What cannot be done because the disk does not take it.
impl From<Undone> for Refusal {
    fn from(_: Undone) -> Refusal {
        Refusal::NotWritten
    }
}

/// Whether a line can be the password of a name.
///
/// # Errors
/// It is too short, or a command: somebody wants out of the question.
pub(crate) fn good_password(password: &Line) -> Result<(), Refusal> {
    let password = password.as_str();
    if password.chars().count() < PASSWORD_CHARS_MIN {
        return Err(Refusal::PasswordTooShort(PASSWORD_CHARS_MIN));
    }
    match Command::named(password) {
        Some(_) => Err(Refusal::PasswordIsCommand),
        None => Ok(()),
    }
}

impl Registry {
    /// As it is kept where errands are done.
    pub(crate) fn new(errands: Errands) -> Registry {
        Registry {
            errands,
            hashing: Arc::new(Semaphore::new(HASHES_MAX)),
            tries: Mutex::default(),
            living: Living::default(),
        }
    }

    /// Since when a name has its owner; none where it has none.
    ///
    /// # Errors
    /// The disk does not say.
    pub(crate) async fn owned_since(&self, name: Name) -> Result<Option<WallTime>, Refusal> {
        Ok(self
            .errands
            .run(move |store| store.owned_since(&name))
            .await?)
    }

    /// Keeps a password for a name, which has been worn since then; another one, if it is the own name already. Other codes
    /// to come back as its owner are none any more then.
    ///
    /// # Errors
    /// It is too short, there are too many names, somebody else owns this one, or it cannot be kept.
    pub(crate) async fn register(
        &self,
        name: Claim,
        password: Line,
        since: WallTime,
        address: IpAddr,
        code: Option<&Code>,
    ) -> Result<(), Refusal> {
        good_password(&password)?;
        self.tries().register(address, Instant::now())?;
        let hash = move || {
            let hash = Argon2::default().hash_password(password.as_str().as_bytes());
            hash.map(|hash| hash.to_string())
        };
        let stored = self.work(hash).await?.map_err(|error| {
            tracing::error!(%error, "a password cannot be stored");
            Refusal::NotWritten
        })?;
        let Claim { name, is_proven } = name;
        let code = code.map(Code::hash);
        let wanted = name.clone();
        let put = self.errands.run(move |store| match is_proven {
            true => store
                .change_password(&wanted, &stored, code)
                .map(|()| Put::Done),
            false => store.put_password(&wanted, &stored, since, ACCOUNTS_MAX),
        });
        match put.await? {
            Put::Done => Ok(()),
            Put::Taken => Err(Refusal::NameOwned(name)),
            Put::Full => Err(Refusal::TooManyNames),
        }
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
        self.tries().take(name, address, Instant::now())?;
        let owned = name.clone();
        let stored = self.errands.run(move |store| store.password(&owned));
        let stored = stored.await?;
        let is_it = move || {
            let stored = PasswordHash::new(stored.as_deref()?).ok()?;
            let password = password.as_str().as_bytes();
            Argon2::default().verify_password(password, &stored).ok()
        };
        match self.work(is_it).await? {
            Some(()) => {
                self.tries().give_back(name, address);
                Ok(())
            }
            None => Err(Refusal::WrongPassword(name.clone())),
        }
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
        let put = self.errands.run(move |store| {
            store.put_letter(&to, &from, &text, at, LETTERS_MAX, LETTERS_FROM_ONE_MAX)
        });
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
        let turn = Arc::clone(&self.hashing).acquire_owned().await;
        let work = move || {
            let done = what();
            drop(turn); // also where nobody waits for it any more
            done
        };
        spawn_blocking(work).await.map_err(|_| Undone)
    }

    fn tries(&self) -> std::sync::MutexGuard<'_, Tries> {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
