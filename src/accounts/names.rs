//! Registered names: their owners, and the networks from which the owners came. Knows only the hash
//! of a password.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parlor_core::ledger::{Account, OwnerVisit};
use parlor_core::link::{AccountChange, Change, Inbox, Outcome, Query, Refusal};
use parlor_core::model::{Name, WallTime};
use rusqlite::params;

use super::hashed::{hash_of_network, hash_of_owner_at};
use crate::clock::{self, bounded};
use crate::journal::{Database, DatabaseFailed, Sql};

/// An owner's visit is noted if the last noted visit was at least this long ago.
const SEEN_EVERY: Duration = Duration::from_secs(3_600);

/// The limit of names registered from one network: a hundredth of all.
const NAMES_FROM_ONE_MAX: i64 = 1_000;

/// The names that have an owner.
pub(crate) struct OwnedNames {
    pub(super) database: Database,
    /// The broadcaster, which knows the accounts.
    pub(super) inbox: Arc<Inbox>,
}

/// A name that has an owner, as the operator reads it.
#[derive(Debug)]
pub(crate) struct Registered {
    pub(crate) name: Name,
    /// When it was registered.
    pub(crate) since: WallTime,
    /// The time of the owner's last visit, if it is known.
    pub(crate) seen: Option<WallTime>,
}

/// The account of a name, for a person at some address who claims to be the owner.
#[derive(Debug)]
pub(super) struct Claimed {
    pub(super) account: Arc<Account>,
    /// The time of the owner's last visit, if it is known.
    seen: Option<WallTime>,
    /// Whether the owner has come from that address before.
    pub(super) is_known: bool,
}

impl OwnedNames {
    /// The time at which a name was registered; it is at most the present time. None if the name
    /// has no owner.
    pub(crate) async fn owned_since(&self, name: Name, now: WallTime) -> Option<WallTime> {
        self.account(name).await.map(|account| bounded(account.since, now))
    }

    /// Whether a name has an owner.
    pub(crate) async fn has_owner(&self, name: Name) -> bool {
        self.account(name).await.is_some()
    }

    /// All names that have an owner, in alphabetical order.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) async fn registered(&self) -> Result<Vec<Registered>, DatabaseFailed> {
        let names = self.database.read(|connection| {
            let query = "SELECT name, since, seen FROM accounts ORDER BY fold";
            connection.all(query, [], |row| {
                Ok(Registered {
                    name: Name::stored(&row.get::<_, String>(0)?),
                    since: WallTime(row.get(1)?),
                    seen: row.get::<_, Option<_>>(2)?.map(WallTime),
                })
            })
        });
        names.await
    }

    /// Removes the owner of a name, with the owner's data and rights, for the operator.
    ///
    /// # Errors
    /// The name has no owner, or this cannot be stored.
    pub(crate) async fn release(&self, name: Name) -> Result<(), Refusal> {
        self.change(AccountChange::Release(name)).await
    }

    /// Changes an account, and waits until the change is stored. It happens even if the caller
    /// stops waiting.
    pub(super) async fn change(&self, change: AccountChange) -> Result<(), Refusal> {
        self.inbox.connect().call(Change::Account(Box::new(change))).await.done()
    }

    /// The account of a name.
    pub(super) async fn account(&self, name: Name) -> Option<Arc<Account>> {
        match self.inbox.connect().call(Query::Account(name)).await {
            Outcome::Account(account) => account,
            _ => None,
        }
    }

    /// The account of a name, for a person at that address who claims to be the owner. None if the
    /// name has no owner.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) async fn claimed(
        &self,
        name: &Name,
        address: IpAddr,
    ) -> Result<Option<Claimed>, DatabaseFailed> {
        let Some(account) = self.account(name.clone()).await else {
            return Ok(None);
        };
        let (owned, network) = (name.clone(), hash_of_owner_at(name, address));
        let visits = self.database.read(move |connection| {
            let query = "SELECT seen,
                         EXISTS (SELECT 1 FROM places WHERE account = id AND place = ?2)
                         FROM accounts WHERE fold = ?1";
            connection.one(query, params![owned.keys()[0], network.0], |row| {
                Ok((row.get::<_, Option<_>>(0)?.map(WallTime), row.get(1)?))
            })
        });
        let (seen, is_known) = visits.await?.unwrap_or_default();
        Ok(Some(Claimed { account, seen, is_known }))
    }

    /// Notes that the owner of a name has come from that address.
    pub(super) fn note_seen(&self, claimed: &Claimed, address: IpAddr) {
        let now = clock::wall();
        let is_fresh = |seen: WallTime| seen > now.before(SEEN_EVERY) && seen <= now;
        if claimed.is_known && claimed.seen.is_some_and(is_fresh) {
            return;
        }
        let visit = visit(&claimed.account.name, address);
        self.inbox.connect().start(Change::Visited(Box::new(visit)));
    }

    /// Whether one more name may be registered from this address.
    pub(super) async fn may_register_from(&self, address: IpAddr) -> Result<(), Refusal> {
        let Some(origin) = hash_of_network(address) else {
            return Ok(());
        };
        let from_there = self.database.read(move |connection| {
            let count = "SELECT count(*) FROM accounts WHERE origin = ?1";
            connection.query_row(count, [origin.0], |row| row.get::<_, i64>(0))
        });
        match from_there.await? < NAMES_FROM_ONE_MAX {
            true => Ok(()),
            false => Err(Refusal::TooManyNamesFromHere),
        }
    }
}

/// A visit of the owner of a name at this address, now.
pub(super) fn visit(name: &Name, address: IpAddr) -> OwnerVisit {
    let network = hash_of_owner_at(name, address);
    OwnerVisit { owner: name.clone(), at: clock::wall(), network, origin: None }
}
