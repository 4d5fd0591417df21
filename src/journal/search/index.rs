//! The file of the index, which is made from the lines and useless without them. Knows no thread.
//!
//! Anybody may delete it at any time; it is then rebuilt. So it can be less careful than the
//! journal.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use parlor_core::model::{RoomName, WallTime};
use rusqlite::{Connection, ErrorCode, OpenFlags, Params, Row, Transaction, params};

use super::words::{self, Phrase};
use crate::journal::sqlite::{LineRow, Sql, UnusableFile, create_private, empty_log, scrub_slice};
use crate::journal::traits::Found;

/// The version of the tables and of the words in them. An index with another version is rebuilt.
const VERSION: i32 = 5;

/// How long to wait for a file that another program has locked.
const BUSY_TIME: Duration = Duration::from_millis(100);

/// After this many steps of SQLite, a fraction of a millisecond, a search checks the time.
const STEPS: i32 = 100;

/// The number of bits in a line's position that differ between lines of the same millisecond.
const COUNTER_BITS: u32 = 20;

/// The latest time that fits into a position: the year 2248.
const TIME_MAX: i64 = 1 << (63 - COUNTER_BITS);

/// The words are hashes, so the simplest tokenizer is enough. The content is stored, so that a line
/// can be removed by its number; removed content is overwritten.
const TABLES: &str = "
    CREATE TABLE meta (epoch TEXT NOT NULL, probe TEXT NOT NULL, dated_back INTEGER NOT NULL DEFAULT 0) STRICT;
    CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, followed INTEGER NOT NULL) STRICT;
    CREATE TABLE places (id INTEGER PRIMARY KEY, room INTEGER NOT NULL, seq INTEGER NOT NULL, UNIQUE (room, seq)) STRICT;
    CREATE VIRTUAL TABLE words USING fts5(text, tokenize = 'ascii', columnsize = 0);
    INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
";

/// A connection to the file.
pub(super) struct Index {
    connection: Connection,
}

impl Index {
    /// Opens the index for writing, and creates a missing one in this epoch. None if it is
    /// useless.
    pub(super) fn open(path: &Path, epoch: &str) -> rusqlite::Result<Option<Index>> {
        create_private(path).ok(); // SQLite reports errors
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
                [epoch, &words::probe()],
            )?;
            transaction.pragma_update(None, "user_version", VERSION)?;
            transaction.commit()?;
            return Ok(Some(Index { connection }));
        }
        if version != VERSION {
            return Ok(None);
        }
        let probe = connection.one("SELECT probe FROM meta", [], |row| row.get::<_, String>(0))?;
        Ok((probe == Some(words::probe())).then_some(Index { connection }))
    }

    /// The epoch when the index was last written, and the number of times that lines had been dated
    /// back when it was built: that changes their positions.
    pub(super) fn origin(&self) -> rusqlite::Result<(String, i64)> {
        let origin = "SELECT epoch, dated_back FROM meta";
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        self.connection.query_row(origin, [], read)
    }

    /// Notes the present epoch, and how many times its lines have been dated back.
    pub(super) fn set(&mut self, epoch: &str, dated_back: i64) -> rusqlite::Result<()> {
        let set = "UPDATE meta SET epoch = ?1, dated_back = ?2";
        self.connection.run(set, params![epoch, dated_back])?;
        Ok(())
    }

    /// Opens the index for one search, which stops when `is_over` returns true.
    pub(super) fn open_to_read(
        path: &Path,
        is_over: impl FnMut() -> bool + Send + 'static,
    ) -> rusqlite::Result<Index> {
        let mut connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(BUSY_TIME)?;
        connection.progress_handler(STEPS, Some(is_over))?;
        Ok(Index { connection })
    }

    /// The number up to which it has the lines of each room.
    pub(super) fn followed(&self) -> rusqlite::Result<HashMap<String, u64>> {
        let query = "SELECT name, followed FROM rooms";
        let rooms = self
            .connection
            .all(query, [], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?;
        Ok(rooms.into_iter().collect())
    }

    /// Adds lines of a room. The index then has all of them up to number `followed`.
    pub(super) fn add(
        &mut self,
        room: &RoomName,
        lines: &[LineRow],
        followed: u64,
    ) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        let room: i64 = transaction.query_row(
            "INSERT INTO rooms (name, followed) VALUES (?1, ?2)
             ON CONFLICT DO UPDATE SET followed = excluded.followed RETURNING id",
            params![room.as_str(), followed as i64],
            |row| row.get(0),
        )?;
        put(&transaction, room, lines)?;
        transaction.commit()
    }

    /// Removes up to `max` lines that were said before this time. Returns their number.
    pub(super) fn remove_before(
        &mut self,
        before: WallTime,
        max: usize,
    ) -> rusqlite::Result<usize> {
        let position = before.0.clamp(0, TIME_MAX - 1) << COUNTER_BITS;
        let transaction = self.connection.transaction()?;
        let which = "SELECT id FROM places WHERE id < ?1 ORDER BY id LIMIT ?2";
        let removed = remove(&transaction, which, params![position, max as i64])?;
        transaction.commit()?;
        Ok(removed)
    }

    /// Removes the lines of a room with these numbers, where it has them.
    pub(super) fn remove_lines(&mut self, room: &RoomName, seqs: &[u64]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        let which = "SELECT places.id FROM places JOIN rooms ON rooms.id = room WHERE name = ?1 AND seq = ?2";
        for seq in seqs {
            remove(&transaction, which, params![room.as_str(), *seq as i64])?;
        }
        transaction.commit()
    }

    /// Overwrites the leftovers of removed lines in the file, and empties the write-ahead log.
    /// Returns whether it did all of that; it cannot during a search.
    pub(super) fn scrub(&mut self) -> rusqlite::Result<bool> {
        let mut next = Some(1);
        while let Some(first) = next {
            next = scrub_slice(&mut self.connection, first)?;
        }
        empty_log(&self.connection)
    }

    /// Finds up to `lines_max` lines in readable rooms, the newest first, and counts the others.
    pub(super) fn find(
        &self,
        phrases: &[Phrase],
        skip: u64,
        lines_max: usize,
        may_read: impl Fn(&RoomName) -> bool,
    ) -> rusqlite::Result<Found> {
        let rooms = self.rooms(may_read)?;
        let mut search = self.connection.prepare(
            "SELECT room, seq FROM words CROSS JOIN places ON id = words.rowid
             WHERE words MATCH ?1 ORDER BY words.rowid DESC",
        )?;
        let lines = search.query_map([words::query(phrases)], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })?;
        let (mut found, mut readable) = (Found::default(), 0);
        for line in lines {
            let (room, seq) = match line {
                Err(error) if is_interrupted(&error) => {
                    found.is_cut = true;
                    break;
                }
                line => line?,
            };
            let Some(room) = rooms.get(&room) else {
                continue;
            };
            readable += 1;
            if readable > skip && found.lines.len() < lines_max {
                found.lines.push((room.clone(), seq as u64));
            } else if readable > skip {
                found.more += 1;
            }
        }
        Ok(found)
    }

    fn rooms(
        &self,
        may_read: impl Fn(&RoomName) -> bool,
    ) -> rusqlite::Result<HashMap<i64, RoomName>> {
        let rooms = self.connection.all("SELECT id, name FROM rooms", [], |row| {
            Ok((row.get(0)?, RoomName::parse(&row.get::<_, String>(1)?)))
        })?;
        let readable = |(id, room): (_, Result<_, _>)| Some((id, room.ok().filter(&may_read)?));
        Ok(rooms.into_iter().filter_map(readable).collect())
    }
}

/// Puts lines of a room into the tables.
///
/// No statement here may change several rows, as one with RETURNING might: SQLite prepares to undo
/// such a statement by itself, and for that the index writes all words so far to the disk.
fn put(transaction: &Transaction<'_>, room: i64, lines: &[LineRow]) -> rusqlite::Result<()> {
    let last = "SELECT max(id) FROM places WHERE id BETWEEN ?1 AND ?1 + ?2";
    let mut last = transaction.prepare_cached(last)?;
    let mut put_place = transaction.prepare_cached("INSERT INTO places VALUES (?1, ?2, ?3)")?;
    let put_words = "INSERT INTO words (rowid, text) VALUES (?1, ?2)";
    let mut put_words = transaction.prepare_cached(put_words)?;
    let (mut moment, mut position) = (None, 0);
    for line in lines {
        // A search reads the newest lines of all rooms first, so the position in the index is the
        // time.
        let first = line.at.clamp(0, TIME_MAX - 1) << COUNTER_BITS;
        if moment != Some(first) {
            let width = (1_i64 << COUNTER_BITS) - 1;
            let last = last.query_row([first, width], |row| row.get::<_, Option<i64>>(0))?;
            (moment, position) = (Some(first), last.unwrap_or(first));
        }
        position += 1;
        put_place.execute([position, room, line.seq])?;
        let words = words::hashed_all(&words::said(&line.text));
        put_words.execute(params![position, words])?;
    }
    Ok(())
}

/// Removes the lines whose positions a query finds. Returns their number.
fn remove(
    transaction: &Transaction<'_>,
    which: &str,
    params: impl Params,
) -> rusqlite::Result<usize> {
    let positions: Vec<i64> = transaction.all(which, params, |row| row.get(0))?;
    for position in &positions {
        transaction.run("DELETE FROM words WHERE rowid = ?1", [position])?;
        transaction.run("DELETE FROM places WHERE id = ?1", [position])?;
    }
    Ok(positions.len())
}

fn is_interrupted(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted)
}

/// Why the index cannot follow the lines.
pub(super) enum IndexTrouble {
    /// Lines cannot be read: the journal's own threads log why.
    Journal,
    /// The index cannot be written now.
    Index(rusqlite::Error),
    /// It is damaged, belongs to another log, or is ahead of the lines, which were restored from a
    /// backup.
    Useless,
}

impl From<rusqlite::Error> for IndexTrouble {
    fn from(error: rusqlite::Error) -> IndexTrouble {
        match error.sqlite_error_code() {
            Some(
                ErrorCode::DiskFull
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::ReadOnly
                | ErrorCode::SystemIoFailure
                | ErrorCode::OutOfMemory,
            ) => IndexTrouble::Index(error),
            _ => IndexTrouble::Useless,
        }
    }
}

impl From<UnusableFile> for IndexTrouble {
    fn from(_: UnusableFile) -> IndexTrouble {
        IndexTrouble::Journal
    }
}

impl IndexTrouble {
    /// Tells the operator, in the log.
    pub(super) fn tell(&self) {
        match self {
            IndexTrouble::Index(error) => {
                tracing::warn!(%error, "the search index cannot be written");
            }
            IndexTrouble::Useless => tracing::warn!("the search index is damaged"),
            IndexTrouble::Journal => {}
        }
    }
}
