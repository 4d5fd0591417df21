//! Rows that are emptied: their numbers and times stay. Knows no reason to do so.

use parlor_core::model::RoomName;
use rusqlite::params;

use super::remains::leave;
use crate::journal::sqlite::{GONE, Store, sum};

/// A row that is to be emptied.
pub(crate) struct Row {
    room: i64,
    /// Its number in the room.
    pub(crate) seq: i64,
    at: i64,
}

impl Store {
    /// Those rows of a room from number `first` to `last` that are not empty, and whose speaker is meant.
    pub(crate) fn rows(
        &mut self,
        room: &RoomName,
        first: u64,
        last: u64,
        mut is_meant: impl FnMut(&str) -> bool,
    ) -> rusqlite::Result<Vec<Row>> {
        let mut look = self.connection().prepare_cached(
            "SELECT room, seq, at, name FROM lines WHERE room = (SELECT id FROM rooms WHERE name = ?1)
             AND seq BETWEEN ?2 AND ?3 AND manner != ?4",
        )?;
        let mut found = look.query(params![room.as_str(), first as i64, last as i64, GONE])?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            if is_meant(row.get_ref(3)?.as_str().unwrap_or_default()) {
                rows.push(Row {
                    room: row.get(0)?,
                    seq: row.get(1)?,
                    at: row.get(2)?,
                });
            }
        }
        Ok(rows)
    }

    /// Empties these rows, all or none of them.
    pub(crate) fn empty(&mut self, rows: &[Row]) -> rusqlite::Result<()> {
        let transaction = self.connection().transaction()?;
        let mut empty = transaction.prepare_cached(
            "UPDATE lines SET manner = ?3, name = '', text = '', sum = ?4 WHERE room = ?1 AND seq = ?2",
        )?;
        for Row { room, seq, at } in rows {
            empty.execute(params![room, seq, GONE, sum(*seq, *at, GONE, "", "")])?;
        }
        drop(empty);
        leave(&transaction)?;
        transaction.commit()
    }
}
