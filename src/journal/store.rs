//! The file in which lines are kept: its tables, its rows and their checksums. Knows no thread.
//!
//! A row is a line. Its number is dense in its room; a line that has been taken out leaves an empty row, so that numbers
//! stay what they were.

use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use crc32fast::Hasher;
use parlor_core::entry::{Manner, PersonId, Said, Who};
use parlor_core::journal::{End, RoomBatch};
use parlor_core::line::Line;
use parlor_core::name::{Name, RoomName};
use parlor_core::time::WallTime;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, named_params, params};

use crate::config::Keep;

/// Marks a SQLite file as one of Parlor's: "Parl", as the file's header has it.
const APPLICATION_ID: i32 = 0x5061_726C;

/// The version of the tables. A file with a higher one was written by a later Parlor.
const SCHEMA: i32 = 2;

/// Whoever finds the file locked for a moment, by a checkpoint or a backup, waits so long.
pub(super) const BUSY_TIME: Duration = Duration::from_secs(5);

/// At the start so many of the latest lines are looked at, those of the room that spoke last first.
const LATEST_LINES: u64 = 10_000;

/// Bytes: more than SQLite holds back in memory, so that the file grows by it.
const ROOM_AHEAD: i64 = 8 << 20;

/// What makes tables of one version those of the next, beginning with a file that has none.
const MIGRATIONS: [&str; SCHEMA as usize] = [LINES, PEOPLE];

/// Version 1: what was said.
const LINES: &str = "
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    INSERT INTO meta VALUES ('identity', lower(hex(randomblob(8))));
    CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE lines (
        room INTEGER NOT NULL REFERENCES rooms,
        seq INTEGER NOT NULL,
        at INTEGER NOT NULL,
        manner INTEGER NOT NULL,
        name TEXT NOT NULL,
        text TEXT NOT NULL,
        sum INTEGER NOT NULL,
        PRIMARY KEY (room, seq)
    ) STRICT, WITHOUT ROWID;
";

/// Version 2: whose names are whose, and what is kept for people.
const PEOPLE: &str = "
    CREATE TABLE accounts (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        fold TEXT NOT NULL UNIQUE,
        password TEXT NOT NULL,
        since INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE letters (
        id INTEGER PRIMARY KEY,
        account INTEGER NOT NULL REFERENCES accounts,
        at INTEGER NOT NULL,
        sender TEXT NOT NULL,
        text TEXT NOT NULL
    ) STRICT;
    CREATE INDEX letters_of ON letters (account);
    CREATE TABLE codes (
        hash BLOB PRIMARY KEY,
        name TEXT NOT NULL,
        owner INTEGER NOT NULL,
        room TEXT NOT NULL,
        seq INTEGER NOT NULL,
        until INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE keepers (
        room TEXT NOT NULL,
        account INTEGER NOT NULL REFERENCES accounts,
        PRIMARY KEY (room, account)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE bans (
        id INTEGER PRIMARY KEY,
        room TEXT NOT NULL,
        whom TEXT NOT NULL,
        at INTEGER NOT NULL,
        until INTEGER,
        keeper TEXT NOT NULL,
        reason TEXT NOT NULL,
        UNIQUE (room, whom)
    ) STRICT;
    CREATE TABLE audit (
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        keeper TEXT NOT NULL,
        room TEXT NOT NULL,
        deed TEXT NOT NULL,
        whom TEXT NOT NULL,
        reason TEXT NOT NULL
    ) STRICT;
";

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// Some other program's.
    #[error("is a database, but none of Parlor's; give --data another directory")]
    Foreign,
    /// A later version's.
    #[error("was written by a later version of Parlor (its tables have version {0}); use that one")]
    Newer(i32),
    /// It is not what was written.
    #[error("{0}; restore a backup, or move the file away to begin anew")]
    Damaged(#[from] Damage),
    /// SQLite says so.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

/// Something in the file is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// A line has changed.
    #[error("line {seq} of {room} is damaged: it does not match its checksum")]
    Line {
        /// Its room.
        room: String,
        /// Its number.
        seq: i64,
    },
    /// SQLite does not find its way in it.
    #[error("the file's structure is damaged: {0}")]
    Structure(String),
    /// A line is not there.
    #[error("line {seq} of {room} is missing")]
    Missing {
        /// Its room.
        room: String,
        /// Its number.
        seq: i64,
    },
}

/// What a checkpoint came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Checkpoint {
    /// Somebody read or wrote meanwhile, so it could not do all that it was to do.
    pub(super) was_hindered: bool,
    /// So many pages are written ahead, moved or not.
    pub(super) pages_ahead: i64,
}

/// A connection to the file.
pub(crate) struct Store {
    connection: Connection,
}

impl Store {
    /// Opens the file to write in it, and makes it if there is none.
    pub(super) fn open(path: &Path, keep: Keep) -> Result<Store, Unusable> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_TIME)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        // What was kept is overwritten when it is taken out.
        connection.pragma_update(None, "secure_delete", true)?;
        // Checkpoints are another thread's business: a commit waits for one sync and no more.
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        connection.pragma_update(
            None,
            "synchronous",
            match keep {
                Keep::Synced => "full",
                Keep::Written => "normal",
            },
        )?;
        let mut store = Store { connection };
        store.migrate()?;
        Ok(store)
    }

    /// Opens the file to read in it alone.
    pub(crate) fn open_to_read(path: &Path) -> Result<Store, Unusable> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(BUSY_TIME)?;
        let store = Store { connection };
        match store.version()? {
            newer if newer > SCHEMA => Err(Unusable::Newer(newer)),
            1.. => Ok(store), // lines are the same in all of them
            _ => Err(Unusable::Foreign),
        }
    }

    /// The version of its tables; 0 where there are none yet.
    fn version(&self) -> Result<i32, Unusable> {
        let number = |name| {
            self.connection
                .pragma_query_value(None, name, |row| row.get(0))
        };
        let (application, version): (i32, i32) =
            (number("application_id")?, number("user_version")?);
        if application == APPLICATION_ID {
            return Ok(version);
        }
        let tables = "SELECT count(*) FROM sqlite_schema";
        match self.connection.query_row(tables, [], |row| row.get(0))? {
            0 => Ok(0),
            _ => Err(Unusable::Foreign),
        }
    }

    /// Makes the tables what this version expects. All or nothing, in one transaction.
    fn migrate(&mut self) -> Result<(), Unusable> {
        let version = self.version()?;
        if version > SCHEMA {
            return Err(Unusable::Newer(version));
        }
        let missing = MIGRATIONS.iter().skip(version as usize);
        if missing.len() == 0 {
            return Ok(());
        }
        let transaction = self.connection.transaction()?;
        for tables in missing {
            transaction.execute_batch(tables)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", SCHEMA)?;
        Ok(transaction.commit()?)
    }

    /// The connection itself, for what is kept beside lines: those tables are no business of this file.
    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Keeps what was said in these batches, all of it or nothing.
    pub(super) fn append(&mut self, batches: &[RoomBatch]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        for RoomBatch { room, batch } in batches {
            if batch.said().next().is_none() {
                continue;
            }
            let room = make_room(&transaction, room)?;
            let mut insert = transaction.prepare_cached(
                "INSERT INTO lines VALUES (:room, :seq, :at, :manner, :name, :text, :sum)",
            )?;
            for said in batch.said() {
                let (seq, manner) = (said.seq as i64, code(said.manner));
                let (name, text) = (said.who.name.as_str(), said.text.as_str());
                insert.execute(named_params! {
                    ":room": room, ":seq": seq, ":at": said.at.0, ":manner": manner, ":name": name, ":text": text,
                    ":sum": sum(seq, said.at.0, manner, name, text),
                })?;
            }
        }
        transaction.commit()
    }

    /// Takes out what these batches may have left behind, after a failure whose extent nobody knows: all lines that
    /// nobody has seen.
    pub(super) fn take_back(&mut self, batches: &[RoomBatch]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        for RoomBatch { room, batch } in batches {
            let seen = batch.start().seq as i64;
            transaction.execute(
                "DELETE FROM lines WHERE room = (SELECT id FROM rooms WHERE name = ?1) AND seq > ?2",
                params![room.as_str(), seen],
            )?;
        }
        transaction.commit()
    }

    /// Lets the log that is written ahead have room from the beginning: where a file grows, a disk writes twice for each
    /// sync. What is written here is taken back at once.
    pub(super) fn make_room_ahead(&mut self) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        transaction.execute("CREATE TABLE scratch (bytes BLOB) STRICT", [])?;
        transaction.execute("INSERT INTO scratch VALUES (zeroblob(?1))", [ROOM_AHEAD])?;
        transaction.rollback()
    }

    /// Moves what has been written ahead to its place, as far as nobody reads it there.
    pub(super) fn checkpoint(&self, how: &str) -> rusqlite::Result<Checkpoint> {
        let checkpoint = format!("PRAGMA wal_checkpoint({how})");
        self.connection.query_row(&checkpoint, [], |row| {
            let (busy, pages_ahead): (i64, i64) = (row.get(0)?, row.get(1)?);
            Ok(Checkpoint {
                was_hindered: busy != 0,
                pages_ahead,
            })
        })
    }

    /// Which log this is: never the same for two.
    pub(super) fn identity(&self) -> rusqlite::Result<String> {
        let query = "SELECT value FROM meta WHERE key = 'identity'";
        self.connection.query_row(query, [], |row| row.get(0))
    }

    /// Where the lines of each room end.
    pub(crate) fn ends(&self) -> rusqlite::Result<Vec<(String, End)>> {
        let mut query = self.connection.prepare(
            "SELECT rooms.name, seq, at FROM rooms JOIN lines ON room = id
             AND seq = (SELECT max(seq) FROM lines WHERE room = id) ORDER BY at DESC",
        )?;
        let rows = query.query_map([], |row| {
            let (seq, at): (i64, i64) = (row.get(1)?, row.get(2)?);
            let (seq, at) = (seq as u64, WallTime(at));
            Ok((row.get(0)?, End { seq, at }))
        })?;
        rows.collect()
    }

    /// Looks at the latest lines of the rooms that end so: whether all are there, and as they were written.
    pub(super) fn look_at_latest(&self, ends: &[(String, End)]) -> Result<(), Unusable> {
        let mut left = LATEST_LINES;
        let mut damaged = None;
        for (room, end) in ends {
            let first = end.seq.saturating_sub(left) + 1;
            self.look_at(room, first, end.seq, |damage| {
                damaged.get_or_insert(damage);
            })?;
            left -= end.seq + 1 - first;
            if left == 0 {
                break;
            }
        }
        damaged.map_or(Ok(()), |damage| Err(damage.into()))
    }

    /// Looks at these lines of a room, and hands over what is wrong with them.
    pub(crate) fn look_at(
        &self,
        room: &str,
        first: u64,
        last: u64,
        mut found: impl FnMut(Damage),
    ) -> rusqlite::Result<()> {
        let mut query = self.connection.prepare_cached(SELECT)?;
        let mut rows = query.query(params![room, first as i64, last as i64])?;
        let mut expected = first as i64;
        let missing = |seqs: Range<i64>, found: &mut dyn FnMut(Damage)| {
            for seq in seqs {
                let room = room.to_owned();
                found(Damage::Missing { room, seq });
            }
        };
        while let Some(row) = rows.next()? {
            let row = Kept::read(row)?;
            missing(expected..row.seq, &mut found);
            if row.sum != sum(row.seq, row.at, row.manner, &row.name, &row.text) {
                let room = room.to_owned();
                found(Damage::Line { room, seq: row.seq });
            }
            expected = row.seq + 1;
        }
        missing(expected..last as i64 + 1, &mut found);
        Ok(())
    }

    /// Has SQLite look at its own part of the file.
    pub(crate) fn look_at_structure(&self, mut found: impl FnMut(Damage)) -> rusqlite::Result<()> {
        let mut check = self.connection.prepare("PRAGMA integrity_check")?;
        let mut rows = check.query([])?;
        while let Some(row) = rows.next()? {
            let words: String = row.get(0)?;
            if words != "ok" {
                found(Damage::Structure(words));
            }
        }
        Ok(())
    }

    /// Lines of a room with these numbers, oldest first, as long as `more` says so. Those that have been taken out are
    /// left out. The number of the last one looked at.
    pub(crate) fn read(
        &self,
        room: &RoomName,
        first: u64,
        last: u64,
        mut more: impl FnMut(Said) -> bool,
    ) -> rusqlite::Result<u64> {
        let mut query = self.connection.prepare_cached(SELECT)?;
        let mut rows = query.query(params![room.as_str(), first as i64, last as i64])?;
        while let Some(row) = rows.next()? {
            let row = Kept::read(row)?;
            let seq = row.seq as u64;
            if let Some(said) = row.said()
                && !more(said)
            {
                return Ok(seq);
            }
        }
        Ok(last)
    }

    /// The number of the first line of a room that was said at this time or later: times never decrease in a room, so
    /// the numbers lead to it.
    pub(crate) fn first_since(
        &self,
        room: &RoomName,
        at: WallTime,
    ) -> rusqlite::Result<Option<u64>> {
        let mut bounds = self.connection.prepare_cached(
            "SELECT min(seq), max(seq) FROM lines WHERE room = (SELECT id FROM rooms WHERE name = ?1)",
        )?;
        let (Some(mut low), Some(last)) = bounds.query_row([room.as_str()], |row| {
            Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?))
        })?
        else {
            return Ok(None);
        };
        let mut look = self.connection.prepare_cached(
            "SELECT at FROM lines WHERE room = (SELECT id FROM rooms WHERE name = ?1) AND seq = ?2",
        )?;
        let mut high = last + 1;
        while low < high {
            let middle = low.midpoint(high);
            let said: Option<i64> = look
                .query_row(params![room.as_str(), middle], |row| row.get(0))
                .optional()?;
            match said {
                Some(said) if said >= at.0 => high = middle,
                _ => low = middle + 1,
            }
        }
        Ok((low <= last).then_some(low as u64))
    }
}

const SELECT: &str = "SELECT seq, at, manner, name, text, sum FROM lines
    WHERE room = (SELECT id FROM rooms WHERE name = ?1) AND seq BETWEEN ?2 AND ?3 ORDER BY seq";

/// A row, as it stands in the file.
struct Kept {
    seq: i64,
    at: i64,
    manner: i64,
    name: String,
    text: String,
    sum: i64,
}

impl Kept {
    fn read(row: &Row<'_>) -> rusqlite::Result<Kept> {
        Ok(Kept {
            seq: row.get(0)?,
            at: row.get(1)?,
            manner: row.get(2)?,
            name: row.get(3)?,
            text: row.get(4)?,
            sum: row.get(5)?,
        })
    }

    /// The line; none where it has been taken out.
    fn said(self) -> Option<Said> {
        Some(Said {
            seq: self.seq as u64,
            at: WallTime(self.at),
            who: Who {
                id: PersonId::BYGONE,
                name: Name::kept(&self.name),
            },
            manner: manner(self.manner)?,
            text: Line::sanitise(self.text.as_bytes()),
        })
    }
}

fn make_room(connection: &Connection, room: &RoomName) -> rusqlite::Result<i64> {
    let mut find = connection.prepare_cached("SELECT id FROM rooms WHERE name = ?1")?;
    let found = find
        .query_row([room.as_str()], |row| row.get(0))
        .optional()?;
    if let Some(id) = found {
        return Ok(id);
    }
    connection.execute("INSERT INTO rooms (name) VALUES (?1)", [room.as_str()])?;
    Ok(connection.last_insert_rowid())
}

/// What stands in the column `manner`.
fn code(manner: Manner) -> i64 {
    match manner {
        Manner::Plain => 0,
        Manner::Action => 1,
    }
}

/// What stands there where the line has been taken out.
pub(super) const GONE: i64 = 2;

/// What is meant by it; none where the line has been taken out.
fn manner(code: i64) -> Option<Manner> {
    match code {
        0 => Some(Manner::Plain),
        1 => Some(Manner::Action),
        _ => None,
    }
}

/// A checksum of all that a row says, but for its room: that has another number in each file.
pub(super) fn sum(seq: i64, at: i64, manner: i64, name: &str, text: &str) -> i64 {
    let mut hasher = Hasher::new();
    for number in [seq, at, manner, name.len() as i64] {
        hasher.update(&number.to_le_bytes());
    }
    hasher.update(name.as_bytes());
    hasher.update(text.as_bytes());
    i64::from(hasher.finalize())
}
