//! Accounts in the file: names, the hashes that prove their owners, and the networks from which the
//! owners came. Does not know which changes are allowed.

use std::collections::HashSet;
use std::sync::Arc;

use parlor_core::ledger::{Account, OwnerVisit, Snapshot};
use parlor_core::model::{Hashed, Name, Proof, WallTime};
use rusqlite::{Connection, params};

use super::sql::Sql;

/// The number of remembered networks of one owner: home, work, and those of a phone.
const NETWORKS_MAX: i64 = 16;

/// All accounts, the earliest registration first.
pub(super) fn load(connection: &Connection) -> rusqlite::Result<Vec<Account>> {
    let query = "SELECT name, since, password, token FROM accounts ORDER BY id";
    connection.all(query, [], |row| {
        Ok(Account {
            name: Name::stored(&row.get::<_, String>(0)?),
            since: WallTime(row.get(1)?),
            password: row.get::<_, Arc<str>>(2)?.into(),
            token: row.get::<_, Option<_>>(3)?.map(|token| Hashed(token).into()),
            proof: Proof::default(),
        })
    })
}

/// Makes the accounts those of a ledger.
pub(super) fn replace(connection: &Connection, ledger: &Snapshot) -> rusqlite::Result<()> {
    let owned = ledger.accounts.iter().map(|account| (key(&account.name), account.since.0));
    let owned: HashSet<_> = owned.collect();
    for account in load(connection)? {
        // One that was registered at another time has another owner.
        if !owned.contains(&(key(&account.name), account.since.0)) {
            release(connection, &account.name)?;
        }
    }
    let mut by_age: Vec<_> = ledger.accounts.iter().collect();
    by_age.sort_by_key(|account| account.since);
    by_age.into_iter().try_for_each(|account| put(connection, account))
}

/// Stores an account.
pub(super) fn put(connection: &Connection, account: &Account) -> rusqlite::Result<()> {
    let Account { name, since, password, token, proof: _ } = account;
    let token = token.as_ref().map(|token| token.value.0);
    connection.run(
        "INSERT INTO accounts (name, fold, password, since, token) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (fold) DO UPDATE SET password = excluded.password, token = excluded.token",
        params![name.as_str(), key(name), password.value, since.0, token],
    )?;
    Ok(())
}

/// Stores the token of an owner.
pub(super) fn put_token(
    connection: &Connection,
    name: &Name,
    token: Hashed,
) -> rusqlite::Result<()> {
    let put = "UPDATE accounts SET token = ?2 WHERE fold = ?1";
    connection.run(put, params![key(name), token.0]).map(drop)
}

/// Stores an account with a new password, and forgets the networks of the owner.
pub(super) fn put_password(connection: &Connection, account: &Account) -> rusqlite::Result<()> {
    put(connection, account)?;
    delete_of(connection, "places", &account.name)
}

/// Deletes an account, and everything that belongs to its owner.
pub(super) fn release(connection: &Connection, name: &Name) -> rusqlite::Result<()> {
    for table in ["letters", "places", "keepers", "makers", "markers"] {
        delete_of(connection, table, name)?;
    }
    connection.run("DELETE FROM accounts WHERE fold = ?1", [key(name)]).map(drop)
}

/// Notes a visit of an owner. The least recent networks are forgotten.
pub(super) fn put_visit(connection: &Connection, visit: &OwnerVisit) -> rusqlite::Result<()> {
    let OwnerVisit { owner, at, network, origin } = visit;
    let (key, origin) = (key(owner), origin.map(|origin| origin.0));
    connection.run(
        "UPDATE accounts SET seen = ?2, origin = ifnull(?3, origin) WHERE fold = ?1",
        params![key, at.0, origin],
    )?;
    connection.run(
        "INSERT INTO places SELECT id, ?2, ?3 FROM accounts WHERE fold = ?1
         ON CONFLICT (account, place) DO UPDATE SET at = excluded.at",
        params![key, network.0, at.0],
    )?;
    connection.run(
        "DELETE FROM places WHERE account = (SELECT id FROM accounts WHERE fold = ?1)
         AND place NOT IN
         (SELECT place FROM places WHERE account = (SELECT id FROM accounts WHERE fold = ?1)
          ORDER BY at DESC LIMIT ?2)",
        params![key, NETWORKS_MAX],
    )?;
    Ok(())
}

/// Deletes the rows of an owner in a table.
fn delete_of(connection: &Connection, table: &str, name: &Name) -> rusqlite::Result<()> {
    let delete =
        format!("DELETE FROM {table} WHERE account = (SELECT id FROM accounts WHERE fold = ?1)");
    connection.run(&delete, [key(name)]).map(drop)
}

/// The key that finds the account of a name.
fn key(name: &Name) -> &str {
    name.keys()[0]
}
