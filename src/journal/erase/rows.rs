//! The SQL of deletion. Knows no reason for a deletion.
//!
//! The row of a deleted line stays, with its number and its time, so that numbers are dense. A row
//! in `takings` is an unfinished deletion that an owner asked for.

use std::collections::HashMap;

use parlor_core::model::{Name, RoomName, WallTime};
use rusqlite::{Connection, params};

use crate::journal::sqlite::{GONE, KEYS, Sql, note_leftovers, range, sum};

/// The lines of an owner to delete.
#[derive(Clone, Debug)]
pub(super) struct OwnLines {
    /// The name they were said under.
    pub(super) name: Name,
    /// When this person registered the name.
    pub(super) since: WallTime,
    /// The rooms, and the last number to delete in each.
    pub(super) ends: HashMap<RoomName, u64>,
}

impl OwnLines {
    /// A check whether a name is the owner's, in any spelling that counts as the same name.
    pub(super) fn is_own(&self) -> impl FnMut(&str) -> bool + use<> {
        let name = self.name.clone();
        let mut known: HashMap<String, bool> = HashMap::new();
        move |used| match known.get(used) {
            Some(is_own) => *is_own,
            None => {
                let is_own = Name::stored(used).keys()[0] == name.keys()[0];
                known.insert(used.to_owned(), is_own);
                is_own
            }
        }
    }
}

/// The number of a deletion in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct DeletionId(i64);

/// A row to empty.
pub(super) struct FullRow {
    key: i64,
    /// Its number in the room.
    pub(super) seq: i64,
    at: i64,
}

/// The rows of a room with these numbers that are not empty and whose name matches.
pub(super) fn full_rows(
    connection: &mut Connection,
    room: &RoomName,
    numbers: (u64, u64),
    mut is_meant: impl FnMut(&str) -> bool,
) -> rusqlite::Result<Vec<FullRow>> {
    let (room, first, last) = range(room.as_str(), numbers);
    let rows = connection.all(
        &format!(
            "SELECT key, {}, at, name FROM lines WHERE {} AND manner & 255 != ?4",
            KEYS.seq, KEYS.range
        ),
        params![room, first, last, GONE],
        |row| {
            if !is_meant(row.get_ref(3)?.as_str().unwrap_or_default()) {
                return Ok(None);
            }
            Ok(Some(FullRow { key: row.get(0)?, seq: row.get(1)?, at: row.get(2)? }))
        },
    )?;
    Ok(rows.into_iter().flatten().collect())
}

/// Empties these rows, in one transaction.
pub(super) fn empty(connection: &mut Connection, rows: &[FullRow]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for FullRow { key, seq, at } in rows {
        transaction.run(
            "UPDATE lines SET manner = ?2, name = '', text = '', sum = ?3 WHERE key = ?1",
            params![key, GONE, sum(*seq, *at, GONE, "", "")],
        )?;
    }
    note_leftovers(&transaction)?;
    transaction.commit()
}

/// Notes a deletion, so that the next server continues it if this one is killed.
pub(super) fn note_deletion(
    connection: &mut Connection,
    own: &OwnLines,
) -> rusqlite::Result<DeletionId> {
    let transaction = connection.transaction()?;
    let next = "SELECT ifnull(max(id), 0) + 1 FROM takings";
    let id: i64 = transaction.query_row(next, [], |row| row.get(0))?;
    for (room, last) in &own.ends {
        transaction.run(
            "INSERT INTO takings (id, name, since, room, last) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![id, own.name.as_str(), own.since.0, room.as_str(), *last as i64],
        )?;
    }
    transaction.commit()?;
    Ok(DeletionId(id))
}

/// The noted deletions.
pub(super) fn deletions(
    connection: &mut Connection,
) -> rusqlite::Result<Vec<(DeletionId, OwnLines)>> {
    let mut deletions: HashMap<DeletionId, OwnLines> = HashMap::new();
    let rows = "SELECT id, name, since, room, last FROM takings";
    connection.all(rows, [], |row| {
        let (name, room): (String, String) = (row.get(1)?, row.get(3)?);
        let (since, last): (i64, i64) = (row.get(2)?, row.get(4)?);
        let id = DeletionId(row.get(0)?);
        let own = deletions.entry(id).or_insert_with(|| OwnLines {
            name: Name::stored(&name),
            since: WallTime(since),
            ends: HashMap::new(),
        });
        if let Ok(room) = RoomName::parse(&room) {
            own.ends.insert(room, last as u64);
        }
        Ok(())
    })?;
    Ok(deletions.into_iter().collect())
}

impl DeletionId {
    /// Whether another node has decided it.
    pub(super) fn is_of_another_node(self) -> bool {
        self.0 < 0
    }
}

/// Removes a deletion that is complete or no longer wanted.
pub(super) fn drop_deletion(connection: &mut Connection, id: DeletionId) -> rusqlite::Result<()> {
    let delete = "DELETE FROM takings WHERE id = ?1";
    connection.run(delete, [id.0]).map(drop)
}
