//! Messages for absent owners in the file: `letters`. Does not know how many may wait.

use std::collections::HashSet;

use parlor_core::ledger::{Kept, KeptMessage, Snapshot};
use parlor_core::model::{Hashed, Line, Name, Rank, Spoken, WallTime};
use rusqlite::{Connection, Row, params};

use super::row::{manner_code, manner_of};
use super::sql::Sql;

/// The bits of the column `standing` for the rank of the author. Above them is the manner, as the
/// column `manner` of a line has it.
const RANK: i64 = 0xff;

/// A message that waits for its owner.
#[derive(Debug)]
pub(crate) struct WaitingMessage {
    /// The number of the message, in the order of writing.
    pub(crate) number: u64,
    /// The time of writing.
    pub(crate) at: WallTime,
    /// The author.
    pub(crate) from: Name,
    /// The words, and how they are meant.
    pub(crate) spoken: Spoken,
}

/// The messages that wait for the owner of the name with this first key, the oldest first.
pub(crate) fn waiting(connection: &Connection, key: &str) -> rusqlite::Result<Vec<WaitingMessage>> {
    let query = "SELECT letters.id, at, sender, text, standing
                 FROM letters JOIN accounts ON account = accounts.id
                 WHERE fold = ?1 ORDER BY letters.id";
    connection.all(query, [key], message)
}

/// The highest number of a message, whether its owner has an account or not; 0 without messages.
pub(super) fn last(connection: &Connection) -> rusqlite::Result<u64> {
    let query = "SELECT ifnull(max(id), 0) FROM letters";
    connection.query_row(query, [], |row| Ok(row.get::<_, i64>(0)?.try_into().unwrap_or(0)))
}

/// The rank of the author in the column `standing`.
fn rank(standing: i64) -> Rank {
    match standing & RANK {
        ..=0 => Rank::Stranger,
        1 => Rank::Owner,
        2.. => Rank::Keeper,
    }
}

/// A message, the name that it is for, the hash of its author, if it is known, and the rank.
pub(super) type MessageRow = (WaitingMessage, Name, Option<Hashed>, Rank);

/// All messages for names that have an owner, the oldest first, with their texts.
pub(super) fn rows(connection: &Connection) -> rusqlite::Result<Vec<MessageRow>> {
    let query = "SELECT letters.id, at, sender, text, standing, name, writer
                 FROM letters JOIN accounts ON account = accounts.id ORDER BY letters.id";
    connection.all(query, [], |row| {
        let writer = row.get::<_, Option<[u8; 32]>>(6)?.map(Hashed);
        let owner = Name::stored(&row.get::<_, String>(5)?);
        Ok((message(row)?, owner, writer, rank(row.get(4)?)))
    })
}

/// The message in the columns `id`, `at`, `sender`, `text` and `standing`.
fn message(row: &Row<'_>) -> rusqlite::Result<WaitingMessage> {
    let text = Line::sanitise(row.get::<_, String>(3)?.as_bytes());
    Ok(WaitingMessage {
        number: row.get::<_, i64>(0)? as u64,
        at: WallTime(row.get(1)?),
        from: Name::stored(&row.get::<_, String>(2)?),
        spoken: Spoken::new(manner_of(row.get::<_, i64>(4)? >> RANK.count_ones()), text),
    })
}

/// All messages for names that have an owner, the oldest first, without their texts.
pub(super) fn load(connection: &Connection) -> rusqlite::Result<Vec<(Name, Kept)>> {
    let query = "SELECT letters.id, name, writer, standing
                 FROM letters JOIN accounts ON account = accounts.id ORDER BY letters.id";
    connection.all(query, [], |row| {
        let number = row.get::<_, i64>(0)? as u64;
        let writer: Option<[u8; 32]> = row.get(2)?;
        let writer = writer.map_or(number, |hash| Kept::writer(Hashed(hash)));
        let rank = rank(row.get(3)?);
        Ok((Name::stored(&row.get::<_, String>(1)?), Kept { number, writer, rank, key: 0 }))
    })
}

/// Deletes the messages that do not wait in a ledger: their owners have read them. The ledger does
/// not have the texts of others.
pub(super) fn replace(connection: &Connection, ledger: &Snapshot) -> rusqlite::Result<()> {
    let waiting: HashSet<u64> = ledger.kept.values().flatten().map(|kept| kept.number).collect();
    let numbers: Vec<i64> = connection.all("SELECT id FROM letters", [], |row| row.get(0))?;
    for number in numbers.into_iter().filter(|number| !waiting.contains(&(*number as u64))) {
        connection.run("DELETE FROM letters WHERE id = ?1", [number])?;
    }
    Ok(())
}

/// Stores a message.
pub(super) fn put(connection: &Connection, message: &KeptMessage) -> rusqlite::Result<()> {
    let KeptMessage { number, at, owner, from, spoken, writer, rank } = message;
    put_row(connection, *number, owner, (*at, from, spoken), (Some(*writer), *rank))
}

/// Stores a message whose author may be unknown.
pub(super) fn put_row(
    connection: &Connection,
    number: u64,
    owner: &Name,
    (at, from, spoken): (WallTime, &Name, &Spoken),
    (writer, rank): (Option<Hashed>, Rank),
) -> rusqlite::Result<()> {
    connection.run(
        "INSERT INTO letters (id, account, at, sender, text, writer, standing)
         SELECT ?1, id, ?3, ?4, ?5, ?6, ?7 FROM accounts WHERE fold = ?2",
        params![
            number as i64,
            owner.keys()[0],
            at.0,
            from.as_str(),
            spoken.text.as_str(),
            writer.map(|writer| writer.0),
            rank as i64 | manner_code(spoken.manner) << RANK.count_ones(),
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
