//! The registry: whose names are whose, and what waits for those who are away. Knows no connection and no wording.

mod code_table;
mod codes;
mod counts;
mod passwords;
mod proofs;
mod table;
mod tokens;
mod tries;
mod turns;

pub(crate) use code_table::{CODE_LIFE, Standing};
pub(crate) use codes::{Code, Returned};
pub(crate) use table::{Letter, Registered};

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use blake2::{Blake2s256, Digest};
use parlor_core::link::{Command, Inbox, Refusal, Request};
use parlor_core::model::{
    By, Claim, Deed, Line, Name, PersonId, Proof, Reach, Record, WallTime, network,
};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use self::codes::Living;
use self::passwords::{Fit, Password};
use self::proofs::Proofs;
use self::table::{Account, Changer, Place, Put, Writer};
use self::tries::{Tries, Try};
use self::turns::{Party, Turns};
use crate::clock;
use crate::journal::{Database, DatabaseFailed, OpenError, Store};

/// Where a name was tried too often already, but its owner came in before, a try takes this long: so that nobody there
/// guesses fast, and the owner gets in.
const TRY_TIME: Duration = Duration::from_secs(1);

/// When an owner came in is noted where it is known to be this long ago, and not each time.
const SEEN_EVERY: Duration = Duration::from_secs(3_600);

/// A password has so many characters at the least.
pub(crate) const PASSWORD_CHARS_MIN: usize = 8;

/// So many names can have an owner: each is kept for good, and known to the broadcaster.
const ACCOUNTS_MAX: usize = 100_000;

/// Whose names are whose.
pub(crate) struct Registry {
    database: Database,
    /// Since when it is kept here: connections are numbered from then on.
    since: WallTime,
    /// Where the broadcaster is told whose names are whose.
    inbox: Arc<Inbox>,
    proofs: Arc<Proofs>,
    turns: Arc<Turns>,
    tries: Mutex<Tries>,
    living: Living,
}

/// What cannot be done because the disk does not take it.
impl From<DatabaseFailed> for Refusal {
    fn from(_: DatabaseFailed) -> Refusal {
        Refusal::NotWritten
    }
}

/// Whether a line can be the password of a name.
///
/// # Errors
/// It is not text, too short, or a command: somebody wants out of the question.
pub(crate) fn good_password(password: &Line) -> Result<(), Refusal> {
    let typed = Password::typed(password.as_str());
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

/// Whether a password was typed twice alike: keyboards and systems may compose its letters otherwise the second time.
pub(crate) fn is_same_password(one: &str, other: &str) -> bool {
    Password::typed(one).is_same(&Password::typed(other))
}

impl Registry {
    /// The accounts in a file, for the broadcaster of this inbox; and the names that have an owner.
    /// `clock` says how late it was when the server before this one ended.
    ///
    /// # Errors
    /// The file cannot be used.
    pub(crate) fn open(
        database: Database,
        clock: Option<WallTime>,
        inbox: Arc<Inbox>,
    ) -> Result<(Registry, Vec<Name>), OpenError> {
        let now = clock.map_or(clock::wall(), |clock| clock.max(clock::wall()));
        let until = WallTime(now.0 + CODE_LIFE.as_millis() as i64);
        let owned = database.at_start(move |store| {
            store.let_codes_die(until)?;
            store.owned()
        })?;
        let registry = Registry {
            database,
            since: clock::wall(),
            inbox,
            proofs: Arc::default(),
            turns: Turns::new(),
            tries: Mutex::default(),
            living: Living::default(),
        };
        Ok((registry, owned))
    }

    /// Since when a name has its owner, now that it is so late; none where it has none.
    ///
    /// # Errors
    /// The disk does not say.
    pub(crate) async fn owned_since(
        &self,
        name: Name,
        now: WallTime,
    ) -> Result<Option<WallTime>, Refusal> {
        Ok(self
            .database
            .read(move |store| store.owned_since(&name, now))
            .await?)
    }

    /// Makes a name somebody's own who has worn it since then, and says so to the broadcaster.
    ///
    /// # Errors
    /// The password is too short, there are too many names, somebody else owns this one, or it cannot be kept.
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
        let party = Party::Stranger(network(address.to_canonical()));
        let stored = self.stored(party, password).await?;
        let places = (place(&name, address), from(address));
        let (proofs, now) = (Arc::clone(&self.proofs), clock::wall());
        let wanted = name.clone();
        let put = move |store: &mut Store| {
            let put = store.put_password(&wanted, &stored, since, places, now, ACCOUNTS_MAX)?;
            Ok((put, proofs.of(&wanted)))
        };
        match self.own(name.clone(), Some(by), put).await? {
            Put::Done => Ok(()),
            Put::Taken => Err(Refusal::NameOwned(name)),
            Put::Full => Err(Refusal::TooManyNames),
            Put::ShareFull => Err(Refusal::TooManyNamesFromHere),
        }
    }

    /// Gives a name another password, and ends what the one before has opened: connections but the one by which it is
    /// done, codes, and the token, unless that is to be kept.
    ///
    /// # Errors
    /// The password is too short, the proof is of one that has been changed meanwhile, or it cannot be kept.
    pub(crate) async fn change_password(
        &self,
        (name, proof): (Name, Proof),
        password: Line,
        keeps_token: bool,
        address: IpAddr,
        by: PersonId,
    ) -> Result<(), Refusal> {
        good_password(&password)?;
        let stored = self.stored(known(&name, address), password).await?;
        let by_owner = Changer::Owner(place(&name, address), clock::wall());
        let (proofs, wanted) = (Arc::clone(&self.proofs), name.clone());
        let put = move |store: &mut Store| {
            let is_changed = proofs.of(&wanted) == proof
                && store.change_password(&wanted, &stored, keeps_token, by_owner)?;
            Ok(match is_changed {
                true => (Put::Done, proofs.renew(&wanted)),
                false => (Put::Taken, proof),
            })
        };
        match self.own(name, Some(by), put).await? {
            Put::Done => Ok(()),
            _ => Err(Refusal::NotOwner),
        }
    }

    /// Gives the owner of a name another password, as the operator wants it: all that the one before has opened ends.
    /// Whether the name has an owner.
    ///
    /// # Errors
    /// The password is too short, or it cannot be kept.
    pub(crate) async fn set_password(&self, name: Name, password: Line) -> Result<bool, Refusal> {
        good_password(&password)?;
        let here = IpAddr::from(Ipv4Addr::LOCALHOST);
        let stored = self.stored(known(&name, here), password).await?;
        let (proofs, wanted) = (Arc::clone(&self.proofs), name.clone());
        let put = move |store: &mut Store| {
            let by = Changer::Operator(record(Deed::SetPassword(wanted.clone())));
            Ok(match store.change_password(&wanted, &stored, false, by)? {
                true => (Put::Done, proofs.renew(&wanted)),
                false => (Put::Taken, proofs.of(&wanted)),
            })
        };
        Ok(self.own(name, None, put).await? == Put::Done)
    }

    /// Makes a name anybody's, as the operator wants it. Whether it had an owner.
    ///
    /// # Errors
    /// It cannot be written down.
    pub(crate) async fn release(&self, name: Name) -> Result<bool, DatabaseFailed> {
        let (proofs, inbox) = (Arc::clone(&self.proofs), Arc::clone(&self.inbox));
        let release = move |store: &mut Store| {
            let is_released = store.release(&name, &record(Deed::ReleaseName(name.clone())))?;
            if is_released {
                let proof = proofs.renew(&name);
                inbox.connect().start(Request::Released { name, proof });
            }
            Ok(is_released)
        };
        self.database.write(release).await
    }

    /// All names that have an owner.
    pub(crate) async fn registered(&self) -> Result<Vec<Registered>, DatabaseFailed> {
        self.database.read(Store::registered).await
    }

    /// Has something about the owner of a name written down, and tells the broadcaster: both, also where nobody waits for it
    /// any more. Else the file might have an owner whom the broadcaster does not know.
    async fn own(
        &self,
        name: Name,
        by: Option<PersonId>,
        put: impl FnOnce(&mut Store) -> rusqlite::Result<(Put, Proof)> + Send + 'static,
    ) -> Result<Put, DatabaseFailed> {
        let inbox = Arc::clone(&self.inbox);
        let own = move |store: &mut Store| {
            let (put, proof) = put(store)?;
            if put == Put::Done {
                // What is asked of the broadcaster from now on comes behind this.
                let request = Request::Owned { name, proof, by };
                inbox.connect().start(request);
            }
            Ok(put)
        };
        self.database.write(own).await
    }

    /// What is to be stored of a password.
    async fn stored(&self, party: Party, password: Line) -> Result<String, Refusal> {
        let password = Password::typed(password.as_str());
        let stored = self.work(party, Duration::ZERO, move || password.stored());
        stored.await?.map_err(|error| {
            tracing::error!(%error, "a password cannot be stored");
            Refusal::NotWritten
        })
    }

    /// That somebody at an address knows the password of a name.
    ///
    /// # Errors
    /// That is not the password, has been tried too often, or cannot be told now.
    pub(crate) async fn prove(
        &self,
        name: &Name,
        password: Line,
        address: IpAddr,
    ) -> Result<Proof, Refusal> {
        let (account, proof) = self.account(name, address).await?;
        self.prove_to(account, name, password, address).await?;
        Ok(proof)
    }

    async fn prove_to(
        &self,
        account: Account,
        name: &Name,
        password: Line,
        address: IpAddr,
    ) -> Result<(), Refusal> {
        let Account { is_known, .. } = account;
        let taken = self.tries().take(name, address, is_known, Instant::now());
        let tried = taken?;
        let party = match is_known {
            true => known(name, address),
            false => Party::Stranger(network(address.to_canonical())),
        };
        let time = match tried.is_beyond {
            true => TRY_TIME,
            false => Duration::ZERO,
        };
        let password = Arc::new(Password::typed(password.as_str()));
        let (typed, stored) = (Arc::clone(&password), account.password.clone());
        let fit = self.work(party, time, move || typed.fits(&stored));
        let fit = match fit.await {
            Ok(fit) => fit,
            Err(refusal) => {
                self.tries().give_back(tried); // nobody has looked at it
                return Err(refusal);
            }
        };
        let Some(fit) = fit else {
            return Err(self.wrong(name, &tried));
        };
        self.tries().give_back(tried);
        if fit == Fit::Otherwise {
            self.store_anew(name, account.password.clone(), password, address)
                .await;
        }
        self.note_seen(name, &account, address).await;
        Ok(())
    }

    /// What is told of a try that was wrong. Where there were too many nobody is told what was wrong with it.
    fn wrong(&self, name: &Name, tried: &Try) -> Refusal {
        match tried.is_beyond {
            true => self.tries().too_many(Instant::now()),
            false => Refusal::WrongPassword(name.clone()),
        }
    }

    /// What is kept of the owner of a name, for somebody at that address who says to be it; and what shows it, if they are.
    async fn account(&self, name: &Name, address: IpAddr) -> Result<(Account, Proof), Refusal> {
        let (owned, place) = (name.clone(), place(name, address));
        let proofs = Arc::clone(&self.proofs);
        let account = self.database.read(move |store| {
            let proof = proofs.of(&owned); // first: else it might be newer than the password
            let account = store.account(&owned, &place)?;
            Ok(account.map(|account| (account, proof)))
        });
        account.await?.ok_or(Refusal::WrongPassword(name.clone()))
    }

    /// Stores a password in the form in which passwords are compared, which it was not when it was kept.
    async fn store_anew(&self, name: &Name, old: String, password: Arc<Password>, address: IpAddr) {
        let stored = self.work(known(name, address), Duration::ZERO, move || {
            password.stored()
        });
        let Ok(Ok(stored)) = stored.await else {
            return; // next time
        };
        let name = name.clone();
        let put = move |store: &mut Store| store.store_anew(&name, &old, &stored);
        self.database.write(put).await.ok(); // else next time
    }

    /// The owner of a name has come in from there.
    async fn note_seen(&self, name: &Name, account: &Account, address: IpAddr) {
        let now = clock::wall();
        let is_fresh = |seen: WallTime| seen > now.before(SEEN_EVERY) && seen <= now;
        if account.is_known && account.seen.is_some_and(is_fresh) {
            return;
        }
        let (owned, place) = (name.clone(), place(name, address));
        let put = move |store: &mut Store| store.put_seen(&owned, place, now);
        self.database.write(put).await.ok(); // else next time
    }

    /// Keeps a message for the owner of a name, who is away.
    ///
    /// # Errors
    /// Too many wait already, or it cannot be kept.
    pub(crate) async fn keep_letter(
        &self,
        to: Name,
        (from, id, address): (Claim, PersonId, IpAddr),
        text: Line,
        at: WallTime,
    ) -> Result<(), Refusal> {
        let name = to.clone();
        let is_owner = from.is_proven();
        let person = match is_owner {
            true => format!("owner {}", from.name.keys()[0]),
            false => format!("{} {id:?}", self.since.0),
        };
        let writer = Writer {
            name: from.name,
            is_owner,
            person: hashed(&person),
            place: self::from(address),
        };
        let put = self
            .database
            .write(move |store| store.put_letter(&to, &writer, &text, at));
        match put.await? {
            true => Ok(()),
            false => Err(Refusal::LettersFull(name)),
        }
    }

    /// The messages that wait for the owner of a name, oldest first.
    pub(crate) async fn letters(&self, to: &Name) -> Result<Vec<Letter>, DatabaseFailed> {
        let to = to.clone();
        self.database.read(move |store| store.letters(&to)).await
    }

    /// Takes out the messages for the owner of a name up to this one.
    pub(crate) async fn take_letters(&self, to: &Name, last: i64) -> Result<(), DatabaseFailed> {
        let to = to.clone();
        self.database
            .write(move |store| store.take_letters(&to, last))
            .await
    }

    /// Works on a password, when it is its turn and `time` has passed, where that holds up nobody.
    async fn work<T: Send + 'static>(
        &self,
        party: Party,
        time: Duration,
        what: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let place = self.turns.queue(party).await?;
        sleep(time).await;
        let turn = place.turn().await?;
        let work = move || {
            let done = what();
            drop(turn); // also where nobody waits for it any more
            done
        };
        Ok(spawn_blocking(work).await.map_err(|_| DatabaseFailed)?)
    }

    fn tries(&self) -> std::sync::MutexGuard<'_, Tries> {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Those at an address from which the owner of a name came in before.
fn known(name: &Name, address: IpAddr) -> Party {
    Party::Known(name.keys()[0].into(), network(address.to_canonical()))
}

/// What is kept of an address from which the owner of a name came in: to be known again, and not to be read.
fn place(name: &Name, address: IpAddr) -> Place {
    let address = network(address.to_canonical());
    hashed(&format!("{} {address}", name.keys()[0]))
}

/// What is kept of an address that has a share; none of this machine, from which everybody comes who has a web server
/// between.
fn from(address: IpAddr) -> Option<Place> {
    let address = network(address.to_canonical());
    (!address.is_loopback()).then(|| hashed(&address.to_string()))
}

fn hashed(what: &str) -> Place {
    Place(Blake2s256::digest(what).into())
}

/// Something that the operator does.
fn record(deed: Deed) -> Record {
    Record {
        at: clock::wall(),
        by: By::Operator,
        reach: Reach::Server,
        deed,
    }
}
