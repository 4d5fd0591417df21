//! Registered names: their owners, and the networks from which the owners came. Knows only the hash
//! of a password.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parlor_core::link::{Change, Inbox, Refusal};
use parlor_core::model::{Act, By, Deed, Name, PersonId, Proof, Verb, WallTime, Whom};
use rusqlite::{Connection, Transaction, params};

use super::hashed::Hashed;
use super::proofs::Proofs;
use super::return_codes::end_codes;
use crate::clock::bounded;
use crate::journal::{Database, DatabaseFailed, Sql};
use crate::{clock, journal};

/// An owner's visit is noted if the last noted visit was at least this long ago.
const SEEN_EVERY: Duration = Duration::from_secs(3_600);

/// The number of remembered networks of one owner: home, work, and those of a phone.
const NETWORKS_MAX: i64 = 16;

/// The names that have an owner.
pub(crate) struct OwnedNames {
    pub(super) database: Database,
    /// The broadcaster, which knows the names that have an owner.
    pub(super) inbox: Arc<Inbox>,
    pub(super) proofs: Arc<Proofs>,
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

/// The stored data about the owner of a name, for a person at some address.
#[derive(Debug)]
pub(super) struct Account {
    /// The hash of the password.
    pub(super) password: String,
    /// The hash of the token, if there is one.
    pub(super) token: Option<Hashed>,
    /// The time of the owner's last visit, if it is known.
    seen: Option<WallTime>,
    /// Whether the owner has come from that address before.
    pub(super) is_known: bool,
}

impl OwnedNames {
    /// The time at which a name was registered; it is at most the present time. None if the name
    /// has no owner.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) async fn owned_since(
        &self,
        name: Name,
        now: WallTime,
    ) -> Result<Option<WallTime>, Refusal> {
        let since = self.database.read(move |connection| {
            let query = "SELECT since FROM accounts WHERE fold = ?1";
            let key = [name.keys()[0]];
            connection.one(query, key, |row| row.get(0))
        });
        Ok(since.await?.map(|since| bounded(WallTime(since), now)))
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

    /// Removes the owner of a name, with the owner's data and rights, for the operator. Returns
    /// whether it had one.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) async fn release(&self, name: Name) -> Result<bool, DatabaseFailed> {
        let (proofs, inbox) = (Arc::clone(&self.proofs), Arc::clone(&self.inbox));
        let release = move |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            for table in ["letters", "places", "keepers", "makers"] {
                delete_of(&transaction, table, &name)?;
            }
            let delete = "DELETE FROM accounts WHERE fold = ?1";
            if transaction.run(delete, [name.keys()[0]])? == 0 {
                return Ok(false);
            }
            end_codes(&transaction, &name)?;
            put_act(&transaction, Verb::ReleaseName, &name)?;
            transaction.commit()?;
            let proof = proofs.renew(&name);
            inbox.connect().start(Change::Release { name, proof });
            Ok(true)
        };
        self.database.write(release).await
    }

    /// Changes the owner of a name or the owner's password, and tells the broadcaster. Both happen
    /// even if the caller stops waiting; otherwise the file could have an owner whom the
    /// broadcaster does not know. `change` returns the new proof, or the reason for none.
    pub(super) async fn own<E: Send + 'static>(
        &self,
        name: Name,
        by: Option<PersonId>,
        change: impl FnOnce(&mut Connection) -> rusqlite::Result<Result<Proof, E>> + Send + 'static,
    ) -> Result<Result<(), E>, DatabaseFailed> {
        let inbox = Arc::clone(&self.inbox);
        let own = move |connection: &mut Connection| {
            Ok(change(connection)?.map(|proof| {
                // Later requests to the broadcaster come after this one.
                let request = Change::Own { name, proof, by };
                inbox.connect().start(request);
            }))
        };
        self.database.write(own).await
    }

    /// The stored data about the owner of a name, for a person at that address who claims to be the
    /// owner, and the proof for that person if the claim is true.
    pub(super) async fn account(
        &self,
        name: &Name,
        address: IpAddr,
    ) -> Result<(Account, Proof), Refusal> {
        let (owned, network) = (name.clone(), Hashed::of_owner_at(name, address));
        let proofs = Arc::clone(&self.proofs);
        let account = self.database.read(move |connection| {
            let proof = proofs.of(&owned); // first: otherwise it could be newer than the password
            let account = connection.one(
                "SELECT password, token, seen,
                 EXISTS (SELECT 1 FROM places WHERE account = id AND place = ?2)
                 FROM accounts WHERE fold = ?1",
                params![owned.keys()[0], network],
                |row| {
                    Ok(Account {
                        password: row.get(0)?,
                        token: row.get(1)?,
                        seen: row.get::<_, Option<_>>(2)?.map(WallTime),
                        is_known: row.get(3)?,
                    })
                },
            )?;
            Ok(account.map(|account| (account, proof)))
        });
        account.await?.ok_or(Refusal::WrongPassword(name.clone()))
    }

    /// Notes that the owner of a name has come from that address.
    pub(super) async fn note_seen(&self, name: &Name, account: &Account, address: IpAddr) {
        let now = clock::wall();
        let is_fresh = |seen: WallTime| seen > now.before(SEEN_EVERY) && seen <= now;
        if account.is_known && account.seen.is_some_and(is_fresh) {
            return;
        }
        let (name, network) = (name.clone(), Hashed::of_owner_at(name, address));
        let note = move |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            put_seen(&transaction, &name, network, now)?;
            transaction.commit()
        };
        self.database.write(note).await.ok(); // if this fails, the next visit is noted
    }
}

/// All names that have an owner.
pub(super) fn owned(connection: &mut Connection) -> rusqlite::Result<Vec<Name>> {
    let query = "SELECT name FROM accounts";
    connection.all(query, [], |row| Ok(Name::stored(&row.get::<_, String>(0)?)))
}

/// Notes that the owner of a name has come from that network. The least recent networks are
/// forgotten.
pub(super) fn put_seen(
    transaction: &Transaction<'_>,
    name: &Name,
    network: Hashed,
    now: WallTime,
) -> rusqlite::Result<()> {
    let key = name.keys()[0];
    transaction.run("UPDATE accounts SET seen = ?2 WHERE fold = ?1", params![key, now.0])?;
    transaction.run(
        "INSERT OR REPLACE INTO places SELECT id, ?2, ?3 FROM accounts WHERE fold = ?1",
        params![key, network, now.0],
    )?;
    transaction.run(
        "DELETE FROM places WHERE account = (SELECT id FROM accounts WHERE fold = ?1)
         AND place NOT IN
         (SELECT place FROM places WHERE account = (SELECT id FROM accounts WHERE fold = ?1)
          ORDER BY at DESC LIMIT ?2)",
        params![key, NETWORKS_MAX],
    )?;
    Ok(())
}

/// Deletes the rows of an owner in a table.
pub(super) fn delete_of(connection: &Connection, table: &str, name: &Name) -> rusqlite::Result<()> {
    let delete =
        format!("DELETE FROM {table} WHERE account = (SELECT id FROM accounts WHERE fold = ?1)");
    connection.run(&delete, [name.keys()[0]]).map(drop)
}

/// Records an act of the operator on a name.
pub(super) fn put_act(
    transaction: &Transaction<'_>,
    verb: Verb,
    name: &Name,
) -> rusqlite::Result<()> {
    let deed = Deed::to(verb, Whom::Name(name.clone()));
    journal::put_act(transaction, &Act::by(By::Operator, deed, clock::wall()))
}
