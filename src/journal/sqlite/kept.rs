//! Messages for absent owners in the file: `letters`. Does not know how many may wait.

use parlor_core::journal::KeptMessage;
use parlor_core::ledger::{Kept, Rank};
use parlor_core::model::{Hashed, Name};
use rusqlite::{Connection, params};

use super::sql::Sql;

/// The highest number of a message, whether its owner has an account or not; 0 without messages.
pub(super) fn last(connection: &Connection) -> rusqlite::Result<u64> {
    let query = "SELECT ifnull(max(id), 0) FROM letters";
    connection.query_row(query, [], |row| Ok(row.get::<_, i64>(0)?.try_into().unwrap_or(0)))
}

/// All messages for names that have an owner, the oldest first, without their texts.
pub(super) fn load(connection: &Connection) -> rusqlite::Result<Vec<(Name, Kept)>> {
    let query = "SELECT letters.id, name, writer, standing
                 FROM letters JOIN accounts ON account = accounts.id ORDER BY letters.id";
    connection.all(query, [], |row| {
        let number = row.get::<_, i64>(0)? as u64;
        let writer: Option<[u8; 32]> = row.get(2)?;
        let writer = writer.map_or(number, |hash| Kept::writer(Hashed(hash)));
        let rank = match row.get::<_, i64>(3)? {
            ..=0 => Rank::Stranger,
            1 => Rank::Owner,
            2.. => Rank::Keeper,
        };
        Ok((Name::stored(&row.get::<_, String>(1)?), Kept { number, writer, rank }))
    })
}

/// Stores a message.
pub(super) fn put(connection: &Connection, message: &KeptMessage) -> rusqlite::Result<()> {
    connection.run(
        "INSERT INTO letters (id, account, at, sender, text, writer, standing)
         SELECT ?1, id, ?3, ?4, ?5, ?6, ?7 FROM accounts WHERE fold = ?2",
        params![
            message.number as i64,
            message.owner.keys()[0],
            message.at.0,
            message.from.as_str(),
            message.text.as_str(),
            message.writer.0,
            message.rank as i64,
        ],
    )?;
    Ok(())
}

/// Stores the network from which a message came.
pub(super) fn put_origin(
    connection: &Connection,
    number: u64,
    network: Hashed,
) -> rusqlite::Result<()> {
    let update = "UPDATE letters SET origin = ?2 WHERE id = ?1";
    connection.run(update, params![number as i64, network.0]).map(drop)
}

/// Deletes the messages for an owner up to this number.
pub(super) fn delete(connection: &Connection, owner: &Name, last: u64) -> rusqlite::Result<()> {
    let delete = "DELETE FROM letters WHERE id <= ?2
                  AND account = (SELECT id FROM accounts WHERE fold = ?1)";
    let last = i64::try_from(last).unwrap_or(i64::MAX);
    connection.run(delete, params![owner.keys()[0], last]).map(drop)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a step that fails, fails the test")]
mod tests {
    use super::*;
    use crate::config::Keep;
    use crate::journal::sqlite::store::Store;

    #[test]
    fn a_message_whose_owner_is_gone_keeps_its_number() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("parlor.db");
        std::fs::File::create(&path).unwrap();
        let Store { connection, .. } = Store::open(&path, Keep::Written).unwrap();
        assert_eq!(last(&connection).unwrap(), 0);
        let rows = "PRAGMA foreign_keys = off;
                    INSERT INTO accounts (id, name, fold, password, since)
                        VALUES (1, 'alice', 'alice', 'hash', 7);
                    INSERT INTO letters (id, account, at, sender, text)
                        VALUES (3, 1, 8, 'bob', 'hi'), (5, 2, 9, 'bob', 'to nobody')";
        connection.execute_batch(rows).unwrap();
        let numbers: Vec<_> =
            load(&connection).unwrap().iter().map(|(_, kept)| kept.number).collect();
        assert_eq!((numbers, last(&connection).unwrap()), (vec![3], 5));
    }
}
