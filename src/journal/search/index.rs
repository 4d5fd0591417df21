//! The index for searching: a file of its own, made of the lines, and of no use without them. Knows no thread.
//!
//! It may be deleted at any time: it is made anew. Hence it need not be as careful as the journal is.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use parlor_core::model::{RoomName, Said, WallTime};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Params, Transaction, params};

use super::words::Phrase;
use super::{veil, words};
use crate::journal::sqlite::{make_private, scrub};

/// What the tables and the words in them are like. With another number the index is made anew.
const VERSION: i32 = 4;

/// Whoever finds the file locked waits so long: somebody looks at it from outside.
const BUSY_TIME: Duration = Duration::from_millis(100);

/// How often a search looks at the clock: after so many steps of SQLite's, a fraction of a millisecond.
const STEPS: i32 = 100;

/// So many bits of a line's place say which it is among those of one millisecond.
const COUNTER_BITS: u32 = 20;

/// Times that a place has room for: up to the year 2248.
const TIME_MAX: i64 = 1 << (63 - COUNTER_BITS);

/// Words of our own making, hence the plainest of tokenizers. The content is kept, so that a line can be removed by its number;
/// and what is removed is overwritten.
const TABLES: &str = "
    CREATE TABLE meta (epoch TEXT NOT NULL, probe TEXT NOT NULL, dated_back INTEGER NOT NULL DEFAULT 0) STRICT;
    CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, followed INTEGER NOT NULL) STRICT;
    CREATE TABLE places (id INTEGER PRIMARY KEY, room INTEGER NOT NULL, seq INTEGER NOT NULL, UNIQUE (room, seq)) STRICT;
    CREATE VIRTUAL TABLE words USING fts5(text, tokenize = 'ascii', columnsize = 0);
    INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
";

/// Lines that have been found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Their rooms and numbers, the newest first, as many as were wanted.
    pub(crate) lines: Vec<(RoomName, u64)>,
    /// How many there are beside them.
    pub(crate) more: u64,
    /// The time was over: there may be more of both.
    pub(crate) is_cut: bool,
    /// So many lines are not in the index yet.
    pub(crate) behind: u64,
}

/// A connection to the file.
pub(super) struct Index {
    connection: Connection,
}

impl Index {
    /// Opens an index to write in it; one of a log that is called so, where there is none. None where it is of no use.
    pub(super) fn open(path: &Path, epoch: &str) -> rusqlite::Result<Option<Index>> {
        make_private(path).ok(); // SQLite says what is wrong
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_TIME)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.pragma_update(None, "secure_delete", true)?;
        let version: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version == 0 {
            let transaction = connection.transaction()?;
            transaction.execute_batch(TABLES)?;
            transaction.execute(
                "INSERT INTO meta (epoch, probe) VALUES (?1, ?2)",
                [epoch, &veil::probe()],
            )?;
            transaction.pragma_update(None, "user_version", VERSION)?;
            transaction.commit()?;
            return Ok(Some(Index { connection }));
        }
        if version != VERSION {
            return Ok(None);
        }
        let probe = "SELECT probe FROM meta";
        let probe: Option<String> = connection
            .query_row(probe, [], |row| row.get(0))
            .optional()?;
        Ok((probe == Some(veil::probe())).then_some(Index { connection }))
    }

    /// What the log was called of which it was made last.
    pub(super) fn epoch(&self) -> rusqlite::Result<String> {
        let epoch = "SELECT epoch FROM meta";
        self.connection.query_row(epoch, [], |row| row.get(0))
    }

    /// How often lines had been dated back when it was made: their place in it is their time.
    pub(super) fn dated_back(&self) -> rusqlite::Result<i64> {
        let dated_back = "SELECT dated_back FROM meta";
        self.connection.query_row(dated_back, [], |row| row.get(0))
    }

    /// It has been seen that it is of the log that is called so now, and in which lines have been dated back so often.
    pub(super) fn set(&mut self, epoch: &str, dated_back: i64) -> rusqlite::Result<()> {
        let set = "UPDATE meta SET epoch = ?1, dated_back = ?2";
        let set = self.connection.execute(set, params![epoch, dated_back]);
        set.map(drop)
    }

    /// Opens the index to search in it, until that is over.
    pub(super) fn open_to_read(
        path: &Path,
        is_over: impl FnMut() -> bool + Send + 'static,
    ) -> rusqlite::Result<Index> {
        let mut connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(BUSY_TIME)?;
        connection.progress_handler(STEPS, Some(is_over))?;
        Ok(Index { connection })
    }

    /// Up to which number the lines of each room are in it.
    pub(super) fn followed(&self) -> rusqlite::Result<HashMap<String, u64>> {
        let mut query = self
            .connection
            .prepare_cached("SELECT name, followed FROM rooms")?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?;
        rows.collect()
    }

    /// Puts lines of a room into it: now it has all up to number `followed`.
    pub(super) fn add(
        &mut self,
        room: &RoomName,
        lines: &[Said],
        followed: u64,
    ) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        let room: i64 = transaction.query_row(
            "INSERT INTO rooms (name, followed) VALUES (?1, ?2)
             ON CONFLICT DO UPDATE SET followed = excluded.followed RETURNING id",
            params![room.as_str(), followed as i64],
            |row| row.get(0),
        )?;
        for said in lines {
            // Those who search read the newest first, of all rooms: so the place in the index is that in time.
            let at = said.at.0.clamp(0, TIME_MAX - 1);
            let first = at << COUNTER_BITS;
            let mut place = transaction.prepare_cached(
                "INSERT INTO places VALUES (
                     1 + coalesce((SELECT max(id) FROM places WHERE id BETWEEN ?1 AND ?1 + ?2), ?1), ?3, ?4)
                 RETURNING id",
            )?;
            let width = (1_i64 << COUNTER_BITS) - 1;
            let place: i64 = place
                .query_row(params![first, width, room, said.seq as i64], |row| {
                    row.get(0)
                })?;
            let mut insert =
                transaction.prepare_cached("INSERT INTO words (rowid, text) VALUES (?1, ?2)")?;
            let words = words::said(said.text.as_str());
            insert.execute(params![place, veil::veiled_all(&words)])?;
        }
        transaction.commit()
    }

    /// Takes out lines that were said earlier, up to so many. How many it were.
    pub(super) fn remove_before(
        &mut self,
        before: WallTime,
        max: usize,
    ) -> rusqlite::Result<usize> {
        let place = before.0.clamp(0, TIME_MAX - 1) << COUNTER_BITS;
        let transaction = self.connection.transaction()?;
        let which = "SELECT id FROM places WHERE id < ?1 ORDER BY id LIMIT ?2";
        let removed = remove(&transaction, which, params![place, max as i64])?;
        transaction.commit()?;
        Ok(removed)
    }

    /// Takes out the lines of a room with these numbers, as far as they are there.
    pub(super) fn remove_lines(&mut self, room: &RoomName, seqs: &[u64]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        let which = "SELECT places.id FROM places JOIN rooms ON rooms.id = room WHERE name = ?1 AND seq = ?2";
        for seq in seqs {
            remove(&transaction, which, params![room.as_str(), *seq as i64])?;
        }
        transaction.commit()
    }

    /// Wipes what was left of lines that have been taken out, and what is written ahead. Whether all of it could be: not
    /// while somebody searches.
    pub(super) fn wipe(&mut self) -> rusqlite::Result<bool> {
        let mut next = Some(1);
        while let Some(first) = next {
            next = scrub::wipe(&mut self.connection, first)?;
        }
        scrub::truncate(&self.connection)
    }

    /// Looks for lines, the newest first: so many of those in rooms that may be read, and counts the others.
    pub(super) fn find(
        &self,
        phrases: &[Phrase],
        skip: u64,
        lines_max: usize,
        may_read: impl Fn(&RoomName) -> bool,
    ) -> rusqlite::Result<Found> {
        let mut rooms = self.rooms()?;
        rooms.retain(|_, room| may_read(room));
        let mut found = Found::default();
        let mut skipped = 0;
        let mut search = self.connection.prepare(
            "SELECT room, seq FROM words CROSS JOIN places ON id = words.rowid
             WHERE words MATCH ?1 ORDER BY words.rowid DESC",
        )?;
        let mut rows = search.query([veil::query(phrases)])?;
        loop {
            match rows.next() {
                Ok(Some(row)) => {
                    let Some(room) = rooms.get(&row.get(0)?) else {
                        continue;
                    };
                    if skipped < skip {
                        skipped += 1;
                    } else if found.lines.len() < lines_max {
                        let seq: i64 = row.get(1)?;
                        found.lines.push((room.clone(), seq as u64));
                    } else {
                        found.more += 1;
                    }
                }
                Ok(None) => return Ok(found),
                Err(error) if is_interrupted(&error) => {
                    found.is_cut = true;
                    return Ok(found);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn rooms(&self) -> rusqlite::Result<HashMap<i64, RoomName>> {
        let mut query = self.connection.prepare("SELECT id, name FROM rooms")?;
        let mut rows = query.query([])?;
        let mut rooms = HashMap::new();
        while let Some(row) = rows.next()? {
            let name: String = row.get(1)?;
            if let Ok(room) = RoomName::parse(&name) {
                rooms.insert(row.get(0)?, room);
            }
        }
        Ok(rooms)
    }
}

/// Takes out the lines whose places a query finds. How many they are.
fn remove(
    transaction: &Transaction<'_>,
    which: &str,
    params: impl Params,
) -> rusqlite::Result<usize> {
    let mut query = transaction.prepare_cached(which)?;
    let places = query.query_map(params, |row| row.get(0))?;
    let places: Vec<i64> = places.collect::<Result<_, _>>()?;
    for place in &places {
        for from in [
            "DELETE FROM words WHERE rowid = ?1",
            "DELETE FROM places WHERE id = ?1",
        ] {
            transaction.prepare_cached(from)?.execute([place])?;
        }
    }
    Ok(places.len())
}

fn is_interrupted(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted)
}
