//! Handles a wrong clock: stores the latest known time, and dates lines back. Knows no clock.

use parlor_core::model::{RoomName, WallTime};
use rusqlite::{Connection, params};

use super::keys::{KEYS, range};
use super::row::sum;
use super::rows::ends;
use super::sql::Sql;
use super::store::Store;
use crate::clock::LOOK_EVERY;

impl Store {
    /// The time when the previous server ended, if it is known. Otherwise the time of the last
    /// line.
    pub(super) fn last_run(&self) -> rusqlite::Result<Option<WallTime>> {
        let noted =
            self.connection.one("SELECT value FROM meta WHERE key = 'clock'", [], |row| {
                Ok(row.get::<_, String>(0)?.parse().ok().map(WallTime))
            })?;
        Ok(match noted.flatten() {
            None => self.ends()?.first().map(|(_, end)| end.at),
            noted => noted,
        })
    }

    /// How many times lines have been dated back.
    pub(crate) fn dated_back(&self) -> rusqlite::Result<i64> {
        let found = self.connection.one(
            "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'dated-back'",
            [],
            |row| row.get(0),
        );
        Ok(found?.unwrap_or_default())
    }
}

/// Notes the earliest possible present time. Dates back lines and accounts with a time later than
/// possible.
pub(crate) fn note_clock(
    connection: &mut Connection,
    now: WallTime,
    latest: WallTime,
) -> rusqlite::Result<()> {
    let ends = ends(connection, &KEYS)?;
    let transaction = connection.transaction()?;
    transaction.run(
        "INSERT INTO meta VALUES ('clock', ?1)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [now.0.to_string()],
    )?;
    for (room, end) in ends {
        if let (true, Ok(room)) = (end.at.was_ahead(latest), RoomName::parse(&room)) {
            date_back(&transaction, &room, latest)?;
        }
    }
    transaction.run(
        "UPDATE accounts SET since = ?2 WHERE since > ?1",
        [latest.0, latest.before(LOOK_EVERY).0],
    )?;
    transaction.commit()
}

/// Notes that lines of the file are others than before, so that the search index is made anew.
pub(super) fn note_other_lines(connection: &Connection) -> rusqlite::Result<()> {
    let note = "INSERT INTO meta VALUES ('dated-back', '1')
                ON CONFLICT (key) DO UPDATE SET value = value + 1";
    connection.run(note, []).map(drop)
}

/// Dates back the last lines of a room that have a later time than `at`, in this transaction, so
/// that times never decrease in a room. Damaged lines stay unchanged.
pub(super) fn date_back(
    connection: &Connection,
    room: &RoomName,
    at: WallTime,
) -> rusqlite::Result<()> {
    let mut lines = 0;
    let mut query = connection.prepare_cached(&format!(
        "SELECT key, {}, at, manner, name, text, sum FROM lines WHERE {} ORDER BY {} DESC",
        KEYS.seq, KEYS.range, KEYS.order
    ))?;
    let mut rows = query.query(range(room.as_str(), (0, u64::MAX)))?;
    // Each row is changed after it was read, and keeps its place in this order.
    while let Some(row) = rows.next()? {
        let (key, seq, was): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if was <= at.0 {
            break;
        }
        let (manner, name, text): (i64, String, String) = (row.get(3)?, row.get(4)?, row.get(5)?);
        let sum_at = |at| sum(seq, at, manner, &name, &text);
        if row.get::<_, i64>(6)? == sum_at(was) {
            lines += connection.run(
                "UPDATE lines SET at = ?2, sum = ?3 WHERE key = ?1",
                params![key, at.0, sum_at(at.0)],
            )?;
        }
    }
    if lines > 0 {
        note_other_lines(connection)?;
        tracing::warn!(
            lines,
            "the clock was ahead and has gone back: the last lines of {room} are dated back"
        );
    }
    Ok(())
}
