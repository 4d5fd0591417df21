//! Messages for absent owners in the file: `letters`. Does not know how many may wait.

use std::collections::BTreeMap;

use parlor_core::ledger::{Kept, KeptMessage, SealedMessage, Snapshot};
use parlor_core::model::{Hashed, Line, Manner, Name, Rank, Spoken, WallTime};
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
        let kept = Kept { number, writer, rank, key: 0, sealed: None };
        Ok((Name::stored(&row.get::<_, String>(1)?), kept))
    })
}

/// Makes the messages those that wait in a ledger. Others were read. Those that the file does not have
/// are stored if their seals are open: the rest was read later in the order.
pub(super) fn replace(connection: &Connection, ledger: &Snapshot) -> rusqlite::Result<()> {
    let waiting = ledger.kept.iter();
    let waiting = waiting.flat_map(|(owner, kept)| kept.iter().map(move |kept| (owner, kept)));
    let mut missing: BTreeMap<u64, _> = waiting.map(|it| (it.1.number, it)).collect();
    let numbers: Vec<i64> = connection.all("SELECT id FROM letters", [], |row| row.get(0))?;
    for number in numbers {
        if missing.remove(&(number as u64)).is_none() {
            connection.run("DELETE FROM letters WHERE id = ?1", [number])?;
        }
    }
    for (owner, Kept { number, rank, sealed, .. }) in missing.into_values() {
        let Some(SealedMessage { at, from, writer, spoken }) = sealed.as_deref() else {
            continue;
        };
        if spoken.value.manner != Manner::Gone {
            let said = (*at, from, &spoken.value);
            put_row(connection, *number, owner, said, (*writer, *rank))?;
        }
    }
    Ok(())
}

/// Stores a message.
pub(super) fn put(connection: &Connection, message: &KeptMessage) -> rusqlite::Result<()> {
    let KeptMessage { number, at, owner, from, spoken, writer, rank } = message;
    let owner = owner.keys()[0];
    put_row(connection, *number, owner, (*at, from, spoken), (Some(*writer), *rank))
}

/// Stores a message for the owner of the name with this first key. Its author may be unknown.
pub(super) fn put_row(
    connection: &Connection,
    number: u64,
    owner: &str,
    (at, from, spoken): (WallTime, &Name, &Spoken),
    (writer, rank): (Option<Hashed>, Rank),
) -> rusqlite::Result<()> {
    connection.run(
        "INSERT INTO letters (id, account, at, sender, text, writer, standing)
         SELECT ?1, id, ?3, ?4, ?5, ?6, ?7 FROM accounts WHERE fold = ?2",
        params![
            number as i64,
            owner,
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

    /// A message that waits in a ledger, with these words; none if its seal is not open.
    fn waiting_in_ledger(number: u64, words: Option<&str>) -> Kept {
        let spoken = |words: &str| Spoken::new(Manner::Action, Line::sanitise(words.as_bytes()));
        let spoken = words.map_or_else(Spoken::gone, spoken).into();
        let (at, from) = (WallTime(9), Name::stored("bob"));
        let sealed = SealedMessage { at, from, writer: Some(Hashed([7; 32])), spoken };
        Kept { number, writer: 7, rank: Rank::Owner, key: number, sealed: Some(sealed.into()) }
    }

    #[test]
    fn a_file_gets_the_messages_of_a_ledger_that_it_lacks_and_loses_those_that_were_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("parlor.db");
        std::fs::File::create(&path).unwrap();
        let Store { connection, .. } = Store::open(&path, Keep::Written).unwrap();
        let rows = "INSERT INTO accounts (id, name, fold, password, since)
                        VALUES (1, 'alice', 'alice', 'hash', 7);
                    INSERT INTO letters (id, account, at, sender, text)
                        VALUES (1, 1, 8, 'bob', 'was read'), (2, 1, 8, 'bob', 'stays')";
        connection.execute_batch(rows).unwrap();
        let kept = [(2, Some("other words")), (3, Some("is new")), (4, None)];
        let mut kept = kept.map(|(number, words)| waiting_in_ledger(number, words)).to_vec();
        kept.push(Kept { sealed: None, ..waiting_in_ledger(5, None) });
        let ledger = Snapshot { kept: [("alice".into(), kept)].into(), ..Snapshot::default() };
        replace(&connection, &ledger).unwrap();
        let rows = rows_of(&connection);
        assert_eq!(rows[0], (2, WallTime(8), Manner::Plain, "stays".to_owned(), Rank::Stranger));
        assert_eq!(rows[1], (3, WallTime(9), Manner::Action, "is new".to_owned(), Rank::Owner));
        assert_eq!(rows.len(), 2, "the others were read later");
        assert_eq!(load(&connection).unwrap()[1].1.writer, Kept::writer(Hashed([7; 32])));
    }

    fn rows_of(connection: &Connection) -> Vec<(u64, WallTime, Manner, String, Rank)> {
        let row = |(message, _, _, rank): MessageRow| {
            let WaitingMessage { number, at, spoken, .. } = message;
            (number, at, spoken.manner, spoken.text.as_str().to_owned(), rank)
        };
        rows(connection).unwrap().into_iter().map(row).collect()
    }
}
