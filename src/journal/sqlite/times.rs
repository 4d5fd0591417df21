//! When lines were said, where the clock was wrong: how late it was at last, and lines that are dated back. Knows no clock.

use parlor_core::model::{RoomName, WallTime};
use rusqlite::{Connection, OptionalExtension, params};

use super::rows::sum;
use super::store::Store;
use crate::clock::LOOK_EVERY;

/// So many lines are dated back in one go.
const SLICE_ROWS: i64 = 1_000;

impl Store {
    /// How late it was when the server before this one ended, as far as is known: else its last line says so.
    pub(crate) fn clock(&self) -> rusqlite::Result<Option<WallTime>> {
        let noted = "SELECT value FROM meta WHERE key = 'clock'";
        let noted = self.connection.query_row(noted, [], |row| {
            let noted: String = row.get(0)?;
            Ok(noted.parse().ok().map(WallTime))
        });
        Ok(match noted.optional()?.flatten() {
            None => self.ends()?.first().map(|(_, end)| end.at),
            noted => noted,
        })
    }

    /// Notes how late it is at least, and dates back what was said, and what was registered, later than it can be.
    pub(crate) fn note_clock(&mut self, now: WallTime, latest: WallTime) -> rusqlite::Result<()> {
        let ends = self.ends()?;
        let transaction = self.connection.transaction()?;
        transaction.execute(
            "INSERT INTO meta VALUES ('clock', ?1) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            [now.0.to_string()],
        )?;
        for (room, end) in ends {
            if let (true, Ok(room)) = (end.at.was_ahead(latest), RoomName::parse(&room)) {
                date_back(&transaction, &room, latest)?;
            }
        }
        transaction.execute(
            "UPDATE accounts SET since = ?2 WHERE since > ?1",
            [latest.0, latest.before(LOOK_EVERY).0],
        )?;
        transaction.commit()
    }

    /// So often lines have been dated back.
    pub(crate) fn dated_back(&self) -> rusqlite::Result<i64> {
        let query = "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'dated-back'";
        let found = self.connection.query_row(query, [], |row| row.get(0));
        Ok(found.optional()?.unwrap_or_default())
    }
}

/// Dates the last lines of a room back that were said later than this, as the clock had it: in this transaction, so that
/// times never decrease in a room. How many they were. What is damaged stays as it is.
pub(crate) fn date_back(
    connection: &Connection,
    room: &RoomName,
    at: WallTime,
) -> rusqlite::Result<usize> {
    let mut slice = connection.prepare_cached(
        "SELECT room, seq, at, manner, name, text, sum FROM lines
         WHERE room = (SELECT id FROM rooms WHERE name = ?1) AND seq < ?2 ORDER BY seq DESC LIMIT ?3",
    )?;
    let mut put = connection
        .prepare_cached("UPDATE lines SET at = ?3, sum = ?4 WHERE room = ?1 AND seq = ?2")?;
    let (mut lines, mut before) = (0, i64::MAX);
    loop {
        let mut rows = slice.query(params![room.as_str(), before, SLICE_ROWS])?;
        let mut later = Vec::new();
        let mut is_over = true;
        while let Some(row) = rows.next()? {
            let (seq, was): (i64, i64) = (row.get(1)?, row.get(2)?);
            is_over = was <= at.0;
            if is_over {
                break;
            }
            before = seq;
            let (id, manner): (i64, i64) = (row.get(0)?, row.get(3)?);
            let (name, text): (String, String) = (row.get(4)?, row.get(5)?);
            if row.get::<_, i64>(6)? == sum(seq, was, manner, &name, &text) {
                later.push((id, seq, sum(seq, at.0, manner, &name, &text)));
            }
        }
        drop(rows);
        for (id, seq, sum) in &later {
            put.execute(params![id, seq, at.0, sum])?;
        }
        lines += later.len();
        if is_over {
            break;
        }
    }
    if lines > 0 {
        connection.execute(
            "INSERT INTO meta VALUES ('dated-back', '1') ON CONFLICT (key) DO UPDATE SET value = value + 1",
            [],
        )?;
        tracing::warn!(
            lines,
            "the clock was ahead and has gone back: the last lines of {room} are dated back"
        );
    }
    Ok(lines)
}
