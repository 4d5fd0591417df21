//! Handles a wrong clock: stores the latest known time, and dates lines back. Knows no clock.

use parlor_core::model::{RoomName, WallTime};
use rusqlite::{Connection, params};

use super::row::sum;
use super::rows::ends;
use super::sql::Sql;
use super::store::Store;
use crate::clock::LOOK_EVERY;

/// How many lines one slice dates back.
const SLICE_ROWS: i64 = 1_000;

impl Store {
    /// The time when the previous server ended, if it is known. Otherwise the time of the last
    /// line.
    pub(super) fn clock(&self) -> rusqlite::Result<Option<WallTime>> {
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
    let ends = ends(connection)?;
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

/// Dates back the last lines of a room that have a later time than `at`, in this transaction, so
/// that times never decrease in a room. Damaged lines stay unchanged. Returns the number of changed
/// lines.
pub(super) fn date_back(
    connection: &Connection,
    room: &RoomName,
    at: WallTime,
) -> rusqlite::Result<usize> {
    let (mut lines, mut before) = (0, i64::MAX);
    loop {
        let rows = connection.all(
            "SELECT room, seq, at, manner, name, text, sum FROM lines
             WHERE room = (SELECT id FROM rooms WHERE name = ?1) AND seq < ?2
             ORDER BY seq DESC LIMIT ?3",
            params![room.as_str(), before, SLICE_ROWS],
            |row| {
                let (id, seq, was): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
                if was <= at.0 {
                    return Ok(None);
                }
                let manner = row.get(3)?;
                let (name, text): (String, String) = (row.get(4)?, row.get(5)?);
                let is_whole = row.get::<_, i64>(6)? == sum(seq, was, manner, &name, &text);
                let sum = is_whole.then(|| sum(seq, at.0, manner, &name, &text));
                Ok(Some((id, seq, sum)))
            },
        )?;
        let later: Vec<_> = rows.into_iter().map_while(|row| row).collect();
        let is_over = (later.len() as i64) < SLICE_ROWS;
        for (id, seq, sum) in later {
            before = seq;
            if let Some(sum) = sum {
                lines += connection.run(
                    "UPDATE lines SET at = ?3, sum = ?4 WHERE room = ?1 AND seq = ?2",
                    params![id, seq, at.0, sum],
                )?;
            }
        }
        if is_over {
            break;
        }
    }
    if lines > 0 {
        connection.run(
            "INSERT INTO meta VALUES ('dated-back', '1')
             ON CONFLICT (key) DO UPDATE SET value = value + 1",
            [],
        )?;
        tracing::warn!(
            lines,
            "the clock was ahead and has gone back: the last lines of {room} are dated back"
        );
    }
    Ok(lines)
}
