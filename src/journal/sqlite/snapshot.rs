//! The snapshot of the ledger in the file of a node, from which its next start continues. Knows no
//! order.

use crc32fast::hash;
use parlor_core::journal::Snapshot;
use parlor_wire::pack::snapshot::{NEWEST, pack};
use rusqlite::{Connection, params};

use super::sql::Sql;
use super::store::Store;

/// The size of a part, in bytes. SQLite does not take a snapshot of the largest size as one value.
const PART_BYTES: usize = 1 << 20;

/// A rough size of what a snapshot has of one person, account, code or room in memory, in bytes.
const ITEM_BYTES: usize = 256;

/// A snapshot at a position in the order, packed.
pub(crate) type PackedSnapshot = (u64, Vec<u8>);

/// Stores a snapshot in the place of the one before, in one transaction, and in it also what `rest`
/// stores. The file has everything up to its position.
pub(super) fn put(
    connection: &mut Connection,
    position: u64,
    ledger: &Snapshot,
    rest: impl FnOnce(&Connection) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let bytes = match pack(ledger, NEWEST) {
        Ok(bytes) => bytes,
        Err(error) => {
            tracing::warn!(
                "the file gets no snapshot, so the next start reads more of the stream: {error}"
            );
            return rest(connection);
        }
    };
    let transaction = connection.transaction()?;
    put_packed(&transaction, position, &bytes)?;
    note_position(&transaction, position)?;
    rest(&transaction)?;
    transaction.commit()
}

/// Stores a packed snapshot, in the transaction of the caller.
fn put_packed(connection: &Connection, position: u64, bytes: &[u8]) -> rusqlite::Result<()> {
    connection.run("DELETE FROM snapshot", [])?;
    for part in bytes.chunks(PART_BYTES) {
        connection.run("INSERT INTO snapshot (bytes) VALUES (?1)", [part])?;
    }
    let note = "INSERT INTO meta VALUES ('snapshot', ?1)
                ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    connection.run(note, [format!("{position} {}", hash(bytes))]).map(drop)
}

/// Stores a snapshot, and sets the file back to its position, in the transaction of the caller.
pub(super) fn set_back(
    connection: &Connection,
    position: u64,
    ledger: &Snapshot,
) -> rusqlite::Result<()> {
    match pack(ledger, NEWEST) {
        Ok(bytes) => put_packed(connection, position, &bytes)?,
        Err(_) => delete_snapshot(connection)?,
    }
    let set = "UPDATE meta SET value = CAST(?1 AS TEXT) WHERE key = 'node_position'";
    connection.run(set, [position as i64]).map(drop)
}

fn delete_snapshot(connection: &Connection) -> rusqlite::Result<()> {
    connection.run("DELETE FROM meta WHERE key = 'snapshot'", [])?;
    connection.run("DELETE FROM snapshot", []).map(drop)
}

/// Notes that the file has everything up to a position, in the transaction of the caller. Returns
/// whether that is new.
pub(super) fn note_position(connection: &Connection, position: u64) -> rusqlite::Result<bool> {
    let set = "UPDATE meta SET value = CAST(?1 AS TEXT)
               WHERE key = 'node_position' AND CAST(value AS INTEGER) < ?1";
    Ok(connection.run(set, params![position as i64])? > 0)
}

/// A rough size of a snapshot in memory, in bytes.
pub(super) fn weight(ledger: &Snapshot) -> usize {
    let Snapshot { people, accounts, codes, ends, .. } = ledger;
    (people.len() + accounts.len() + codes.len() + ends.len()) * ITEM_BYTES
}

/// The snapshot in the file; none if there is none, or if it is damaged.
pub(crate) fn stored_snapshot(connection: &Connection) -> rusqlite::Result<Option<PackedSnapshot>> {
    let query = "SELECT value FROM meta WHERE key = 'snapshot'";
    let noted: Option<String> = connection.one(query, [], |row| row.get(0))?;
    let noted = noted.as_deref().and_then(|noted| noted.split_once(' '));
    let noted = noted.and_then(|(at, sum)| Some((at.parse().ok()?, sum.parse::<u32>().ok()?)));
    let Some((position, sum)) = noted else {
        return Ok(None);
    };
    let parts = "SELECT bytes FROM snapshot ORDER BY part";
    let parts: Vec<Vec<u8>> = connection.all(parts, [], |row| row.get(0))?;
    let bytes = parts.concat();
    if hash(&bytes) != sum {
        tracing::warn!("the snapshot in the file is damaged, and is passed over");
        return Ok(None);
    }
    Ok(Some((position, bytes)))
}

/// The position up to which the file has everything.
pub(crate) fn stored_position(connection: &Connection) -> rusqlite::Result<u64> {
    let query = "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'node_position'";
    let position: Option<i64> = connection.one(query, [], |row| row.get(0))?;
    Ok(position.unwrap_or_default() as u64)
}

impl Store {
    /// Deletes the snapshot: the file is not that of a node any more.
    pub(super) fn delete_snapshot(&self) -> rusqlite::Result<()> {
        delete_snapshot(&self.connection)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a step that fails, fails the test")]
mod tests {
    use parlor_core::journal::Snapshot;
    use parlor_wire::pack::snapshot::{NEWEST, pack};

    use super::{put, stored_snapshot};
    use crate::config::Keep;
    use crate::journal::sqlite::store::Store;

    #[test]
    fn the_latest_snapshot_comes_back_and_a_damaged_one_does_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("parlor.db");
        std::fs::File::create(&path).unwrap();
        let mut store = Store::open(&path, Keep::Written).unwrap();
        assert_eq!(store.join("log").unwrap(), 1);
        assert_eq!(stored_snapshot(&store.connection).unwrap(), None);
        for events in [300, 400] {
            let ledger = Snapshot { events, ..Snapshot::default() };
            put(&mut store.connection, events, &ledger, |_| Ok(())).unwrap();
            assert_eq!(
                stored_snapshot(&store.connection).unwrap(),
                Some((events, pack(&ledger, NEWEST).unwrap()))
            );
            assert_eq!(store.join("log").unwrap(), events);
        }
        store.connection.execute_batch("UPDATE snapshot SET bytes = X'0102'").unwrap();
        assert_eq!(stored_snapshot(&store.connection).unwrap(), None);
        store.leave_nodes().unwrap();
        let rows =
            store.connection.query_row("SELECT count(*) FROM snapshot", [], |row| row.get(0));
        assert_eq!(rows, Ok(0));
    }
}
