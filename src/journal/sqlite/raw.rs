//! The latest messages of the order of several nodes, as they came. Knows no thread.

use std::sync::Arc;

use parlor_core::model::WallTime;
use rusqlite::{Connection, params};

use super::leftovers::note_leftovers;
use super::sql::Sql;
use crate::journal::recent::{MESSAGES_BYTES_MAX, MESSAGES_MAX, RawMessage, Taken};

/// How many of the oldest messages are looked at together.
const SLICE: usize = 500;

/// The key of the position behind which all messages are there.
const AFTER: &str = "messages_after";

/// The key of the sum of their bytes.
const BYTES: &str = "messages_bytes";

/// Begins to keep messages behind this position.
pub(super) fn begin(connection: &Connection, position: u64) -> rusqlite::Result<()> {
    connection.run("DELETE FROM messages", [])?;
    set(connection, AFTER, position)?;
    set(connection, BYTES, 0)
}

/// Begins to keep messages behind this position, unless the file has them up to there.
pub(super) fn begin_unless_there(connection: &Connection, position: u64) -> rusqlite::Result<()> {
    let last = "SELECT ifnull(max(position), 0) FROM messages";
    let last: i64 = connection.query_row(last, [], |row| row.get(0))?;
    match get(connection, AFTER)?.max(last as u64) == position {
        true => Ok(()),
        false => begin(connection, position),
    }
}

/// Stores the next messages, and deletes the oldest if there are too many. In the transaction of the
/// caller.
pub(super) fn put(connection: &Connection, taken: &Taken) -> rusqlite::Result<()> {
    let Taken { messages, lost } = taken;
    lost.map_or(Ok(()), |lost| begin(connection, lost))?;
    let Some(last) = messages.last() else {
        return Ok(());
    };
    let mut insert = connection.prepare_cached(
        "INSERT OR REPLACE INTO messages (position, at, subject, bytes) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for RawMessage { position, at, subject, bytes } in messages {
        insert.execute(params![*position as i64, at.0, &**subject, &**bytes])?;
    }
    let new: usize = messages.iter().map(|message| message.bytes.len()).sum();
    let bytes = get(connection, BYTES)? + new as u64;
    let mut excess = bytes.saturating_sub(MESSAGES_BYTES_MAX as u64);
    let oldest = last.position.saturating_sub(MESSAGES_MAX as u64);
    let (after, freed) = drop_oldest(connection, |position, _, size| {
        let goes = position <= oldest || excess > 0;
        excess = excess.saturating_sub(size);
        goes
    })?;
    set(connection, BYTES, bytes.saturating_sub(freed))?;
    after.map_or(Ok(()), |after| set(connection, AFTER, after))
}

/// Deletes all messages, because some have lines that must go.
pub(crate) fn clear(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let last = "SELECT max(position) FROM messages";
    let last: Option<i64> = transaction.query_row(last, [], |row| row.get(0))?;
    let Some(last) = last else {
        return Ok(());
    };
    begin(&transaction, last as u64)?;
    note_leftovers(&transaction)?;
    transaction.commit()
}

/// Deletes some of the oldest messages that came before this time. Returns whether there may be
/// more.
pub(crate) fn delete_before(
    connection: &mut Connection,
    before: WallTime,
) -> rusqlite::Result<bool> {
    let transaction = connection.transaction()?;
    let mut count = 0;
    let (after, freed) = drop_oldest(&transaction, |_, at, _| {
        count += 1;
        at < before.0 && count <= SLICE
    })?;
    if let Some(after) = after {
        set(&transaction, AFTER, after)?;
        let bytes = get(&transaction, BYTES)?;
        set(&transaction, BYTES, bytes.saturating_sub(freed))?;
        note_leftovers(&transaction)?;
        transaction.commit()?;
    }
    Ok(count > SLICE)
}

/// The position behind which all messages are there.
pub(crate) fn after(connection: &Connection) -> rusqlite::Result<u64> {
    get(connection, AFTER)
}

/// The messages with positions from `first` to `last`, at most `count` of them.
pub(crate) fn range(
    connection: &Connection,
    (first, last): (u64, u64),
    count: usize,
) -> rusqlite::Result<Vec<RawMessage>> {
    let query = "SELECT position, at, subject, bytes FROM messages
                 WHERE position BETWEEN ?1 AND ?2 ORDER BY position LIMIT ?3";
    connection.all(query, params![first as i64, last as i64, count as i64], |row| {
        let (position, subject): (i64, String) = (row.get(0)?, row.get(2)?);
        Ok(RawMessage {
            position: position as u64,
            at: WallTime(row.get(1)?),
            subject: subject.into(),
            bytes: Arc::from(row.get_ref(3)?.as_blob()?),
        })
    })
}

/// Deletes the oldest messages for which `goes` returns true, given position, time and size.
/// Returns the position of the last of them, and their bytes.
fn drop_oldest(
    connection: &Connection,
    mut goes: impl FnMut(u64, i64, u64) -> bool,
) -> rusqlite::Result<(Option<u64>, u64)> {
    let mut oldest = connection
        .prepare_cached("SELECT position, at, length(bytes) FROM messages ORDER BY position")?;
    let mut rows = oldest.query([])?;
    let (mut last, mut freed) = (None, 0);
    while let Some(row) = rows.next()? {
        let (position, size): (i64, i64) = (row.get(0)?, row.get(2)?);
        if !goes(position as u64, row.get(1)?, size as u64) {
            break;
        }
        last = Some(position);
        freed += size as u64;
    }
    drop(rows);
    if let Some(last) = last {
        connection.run("DELETE FROM messages WHERE position <= ?1", [last])?;
    }
    Ok((last.map(|last| last as u64), freed))
}

fn get(connection: &Connection, key: &str) -> rusqlite::Result<u64> {
    let query = "SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?1";
    Ok(connection.one(query, [key], |row| row.get::<_, i64>(0))?.unwrap_or_default() as u64)
}

fn set(connection: &Connection, key: &str, value: u64) -> rusqlite::Result<()> {
    let note = "INSERT INTO meta VALUES (?1, CAST(?2 AS TEXT))
                ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    connection.run(note, params![key, value as i64]).map(drop)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a step that fails, fails the test")]
mod tests {
    use std::fs::File;

    use parlor_core::model::WallTime;

    use super::super::store::Store;
    use super::{
        MESSAGES_BYTES_MAX, MESSAGES_MAX, RawMessage, Taken, after, begin, clear, delete_before,
        range,
    };
    use crate::config::Keep;

    fn message(position: u64, bytes: usize) -> RawMessage {
        let (at, bytes) = (WallTime(position as i64 * 10), vec![7; bytes].into());
        RawMessage { position, at, subject: "0".into(), bytes }
    }

    fn put(store: &Store, messages: &[RawMessage]) {
        let taken = Taken { messages: messages.to_vec(), lost: None };
        super::put(&store.connection, &taken).unwrap();
    }

    fn store(directory: &tempfile::TempDir) -> Store {
        let path = directory.path().join("parlor.db");
        File::create(&path).unwrap();
        let store = Store::open(&path, Keep::Written).unwrap();
        begin(&store.connection, 1).unwrap();
        store
    }

    fn positions(store: &Store) -> Vec<u64> {
        let all = range(&store.connection, (0, u64::MAX >> 1), 1_000).unwrap();
        all.iter().map(|message| message.position).collect()
    }

    #[test]
    fn messages_come_back_as_they_came_and_the_oldest_go() {
        let directory = tempfile::tempdir().unwrap();
        let mut store = store(&directory);
        let first = [message(2, 3), message(4, 0)];
        put(&store, &first);
        assert_eq!(range(&store.connection, (1, 9), 9).unwrap(), first);
        assert_eq!(after(&store.connection).unwrap(), 1);
        put(&store, &[message(5, MESSAGES_BYTES_MAX - 2)]);
        assert_eq!(positions(&store), [4, 5]);
        put(&store, &[message(6, 3)]);
        assert_eq!((positions(&store), after(&store.connection).unwrap()), (vec![6], 5));
        let far = 6 + MESSAGES_MAX as u64;
        put(&store, &[message(far, 3), message(far + 1, 1)]);
        assert_eq!(positions(&store), [far, far + 1]);
        while delete_before(&mut store.connection, WallTime(far as i64 * 10 + 1)).unwrap() {}
        assert_eq!((positions(&store), after(&store.connection).unwrap()), (vec![far + 1], far));
        let taken = Taken { messages: vec![message(far + 3, 1)], lost: Some(far + 2) };
        super::put(&store.connection, &taken).unwrap();
        assert_eq!(
            (positions(&store), after(&store.connection).unwrap()),
            (vec![far + 3], far + 2)
        );
        clear(&mut store.connection).unwrap();
        assert_eq!((positions(&store), after(&store.connection).unwrap()), (vec![], far + 3));
    }

    #[test]
    fn old_messages_are_deleted_in_slices() {
        let directory = tempfile::tempdir().unwrap();
        let mut store = store(&directory);
        let all: Vec<_> = (2..1_202).map(|position| message(position, 1)).collect();
        put(&store, &all);
        let mut slices = 1;
        while delete_before(&mut store.connection, WallTime(12_000)).unwrap() {
            slices += 1;
        }
        assert_eq!((slices, positions(&store)), (3, vec![1_200, 1_201]));
    }
}
