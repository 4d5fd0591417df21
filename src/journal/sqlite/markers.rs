//! Read markers in the file: how far owners have read. Does not know how many they may have.

use parlor_core::ledger::{Markers, Snapshot};
use parlor_core::model::{Name, WallTime};
use rusqlite::{Connection, params};

use super::sql::Sql;

/// All markers of names that have an owner: the name, the key of the conversation, and the time.
pub(super) fn load(connection: &Connection) -> rusqlite::Result<Vec<(Name, Box<str>, WallTime)>> {
    let query = "SELECT name, conversation, at FROM markers JOIN accounts ON account = accounts.id
                 ORDER BY account, conversation";
    connection.all(query, [], |row| {
        let (name, key): (String, String) = (row.get(0)?, row.get(1)?);
        Ok((Name::stored(&name), key.into(), WallTime(row.get(2)?)))
    })
}

/// Makes the markers those of a ledger.
pub(super) fn replace(connection: &Connection, ledger: &Snapshot) -> rusqlite::Result<()> {
    connection.run("DELETE FROM markers", [])?;
    for account in &ledger.accounts {
        let Some(Markers(of_owner)) = ledger.markers.get(account.name.keys()[0]) else {
            continue;
        };
        for (conversation, at) in of_owner {
            put(connection, &account.name, conversation, Some(*at))?;
        }
    }
    Ok(())
}

/// Stores a marker; without a time, deletes it.
pub(super) fn put(
    connection: &Connection,
    owner: &Name,
    conversation: &str,
    at: Option<WallTime>,
) -> rusqlite::Result<()> {
    let owner = owner.keys()[0];
    let Some(at) = at else {
        let delete = "DELETE FROM markers WHERE conversation = ?2
                      AND account = (SELECT id FROM accounts WHERE fold = ?1)";
        return connection.run(delete, params![owner, conversation]).map(drop);
    };
    let put = "INSERT INTO markers (account, conversation, at)
               SELECT id, ?2, ?3 FROM accounts WHERE fold = ?1
               ON CONFLICT (account, conversation) DO UPDATE SET at = excluded.at";
    connection.run(put, params![owner, conversation, at.0]).map(drop)
}

/// Deletes the markers of an owner.
pub(super) fn delete(connection: &Connection, owner: &Name) -> rusqlite::Result<()> {
    let delete = "DELETE FROM markers
                  WHERE account = (SELECT id FROM accounts WHERE fold = ?1)";
    connection.run(delete, [owner.keys()[0]]).map(drop)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a step that fails, fails the test")]
mod tests {
    use super::*;
    use crate::config::Keep;
    use crate::journal::sqlite::schema::MIGRATIONS;
    use crate::journal::sqlite::store::{APPLICATION_ID, Store};

    /// The last version of the tables without markers.
    const UNMARKED: usize = 10;

    #[test]
    fn a_file_without_markers_gets_a_table_for_them_and_keeps_its_owners() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("parlor.db");
        let old = Connection::open(&path).unwrap();
        for tables in MIGRATIONS.iter().take(UNMARKED) {
            old.execute_batch(tables).unwrap();
        }
        old.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        old.pragma_update(None, "user_version", UNMARKED as i64).unwrap();
        let owners = "INSERT INTO accounts (id, name, fold, password, since)
                      VALUES (1, 'Alice', 'alice', 'hash', 7), (2, 'bob', 'bob', 'hash', 7)";
        old.execute_batch(owners).unwrap();
        drop(old);

        let Store { connection, .. } = Store::open(&path, Keep::Written).unwrap();
        assert_eq!(load(&connection).unwrap(), []);
        let [alice, bob, carol] = ["alice", "bob", "carol"].map(Name::stored);
        for (owner, conversation, at) in [
            (&alice, "#tea", Some(5)),
            (&alice, "bob", Some(6)),
            (&alice, "#tea", Some(7)),
            (&bob, "#den", Some(8)),
            (&bob, "#tea", Some(9)),
            (&bob, "#tea", None),
            (&carol, "#tea", Some(10)),
        ] {
            put(&connection, owner, conversation, at.map(WallTime)).unwrap();
        }
        let marker = |owner: &str, conversation: &str, at| {
            (Name::stored(owner), conversation.into(), WallTime(at))
        };
        let of_bob = marker("bob", "#den", 8);
        let all = vec![marker("Alice", "#tea", 7), marker("Alice", "bob", 6), of_bob.clone()];
        assert_eq!(load(&connection).unwrap(), all);
        delete(&connection, &alice).unwrap();
        assert_eq!(load(&connection).unwrap(), [of_bob]);
    }
}
