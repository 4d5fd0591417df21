//! The file in which lines are kept: its tables, its rows and their checksums. Knows no thread.
//!
//! A row is a line. Its number is dense in its room; a line that has been taken out leaves an empty row, so that numbers
//! stay what they were.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crc32fast::Hasher;
use parlor_core::entry::{Manner, PersonId, Said, Who};
use parlor_core::journal::{End, RoomBatch};
use parlor_core::line::Line;
use parlor_core::name::{Name, RoomName};
use parlor_core::time::WallTime;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Row, named_params, params};

use crate::config::Keep;

/// Marks a SQLite file as one of Parlor's: "Parl", as the file's header has it.
const APPLICATION_ID: i32 = 0x5061_726C;

/// The version of the tables. A file with a higher one was written by a later Parlor.
const SCHEMA: i32 = 2;

/// Whoever finds the file locked for a moment, by a checkpoint or a backup, waits so long.
pub(super) const BUSY_TIME: Duration = Duration::from_secs(5);

/// At the start so many of the latest lines are looked at, those of the room that spoke last first.
const LATEST_LINES: u64 = 10_000;

/// So many rows are looked at in one go: whoever writes meanwhile is held up by none.
const SLICE_ROWS: usize = 1_000;

/// Bytes: more than SQLite holds back in memory, so that the file grows by it.
const ROOM_AHEAD: i64 = 8 << 20;

/// When the log that is written ahead begins anew, it is cut to this: it is longer only where somebody has read for long,
/// as a backup does.
const AHEAD_BYTES_MAX: i64 = 2 * ROOM_AHEAD;

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
    /// It has been put in the place of another file, whose log is still there.
    #[error(
        "is a backup, and {} beside it is what was written ahead for another file; move that away first",
        .0.display()
    )]
    OthersLog(PathBuf),
    /// It is not what was written.
    #[error("{0}; restore a backup, or move the file away to begin anew")]
    Damaged(#[from] Damage),
    /// It does not begin as a database does.
    #[error(
        "is no database, or its beginning is damaged; restore a backup, or move the file away to begin anew"
    )]
    NoDatabase,
    /// SQLite does not find its way in it.
    #[error("is damaged in its structure; restore a backup, or move the file away to begin anew")]
    Broken,
    /// SQLite says so.
    #[error("{0}")]
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Unusable {
    fn from(error: rusqlite::Error) -> Unusable {
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Unusable::NoDatabase,
            Some(ErrorCode::DatabaseCorrupt) => Unusable::Broken,
            _ => Unusable::Sqlite(error),
        }
    }
}

/// Lines that were kept are not as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Their room.
    pub room: String,
    /// The number of the first of them.
    pub first: u64,
    /// That of the last, often the same.
    pub last: u64,
    /// They are not there; or else it is one, and has changed.
    pub is_missing: bool,
}

impl Error for Damage {}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Damage {
            room, first, last, ..
        } = self;
        if !self.is_missing {
            return write!(
                f,
                "line {first} of {room} is damaged: it does not match its checksum"
            );
        }
        if first == last {
            return write!(f, "line {first} of {room} is missing");
        }
        write!(f, "lines {first} to {last} of {room} are missing")
    }
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
        connection.pragma_update(None, "journal_size_limit", AHEAD_BYTES_MAX)?;
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

    /// Has the log that is written ahead begin anew, unless somebody reads in it for longer than this.
    pub(super) fn begin_anew(&self, patience: Duration) -> rusqlite::Result<Checkpoint> {
        self.connection.busy_timeout(patience)?;
        let done = self.checkpoint("RESTART");
        self.connection.busy_timeout(BUSY_TIME)?;
        done
    }

    /// Copies what is kept at this moment, and nothing of what has been taken out, into an empty file. Whoever writes
    /// meanwhile waits for nothing.
    pub(crate) fn copy_to(&self, path: &Path) -> Result<(), Unusable> {
        let path = path
            .to_str()
            .ok_or_else(|| rusqlite::Error::InvalidPath(path.to_owned()))?;
        self.connection.execute("VACUUM INTO ?1", [path])?;
        Ok(())
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

    /// Looks at the latest lines of the rooms that end so: whether all are there, and as they were written. Where the
    /// older ones end, which it has not looked at.
    pub(super) fn look_at_latest(
        &self,
        ends: &[(String, End)],
    ) -> Result<Vec<(String, u64)>, Unusable> {
        let mut left = LATEST_LINES;
        let mut damaged = None;
        let mut older = Vec::new();
        for (room, end) in ends {
            let before = end.seq.saturating_sub(left);
            left -= end.seq - before;
            if before > 0 {
                older.push((room.clone(), before));
            }
            let mut next = before + 1;
            while next <= end.seq {
                next = self.look_at(room, next, end.seq, |damage| {
                    damaged.get_or_insert(damage);
                })?;
            }
        }
        damaged.map_or(Ok(older), |damage| Err(damage.into()))
    }

    /// Looks at these lines of a room, a slice of them at most, and hands over what is wrong with them. The number to
    /// go on with.
    pub(crate) fn look_at(
        &self,
        room: &str,
        first: u64,
        last: u64,
        mut found: impl FnMut(Damage),
    ) -> rusqlite::Result<u64> {
        let mut left = SLICE_ROWS;
        let looked_at = self.walk(room, first, last, |row| {
            left -= 1;
            if let Err(damage) = row {
                found(damage);
            }
            left > 0
        })?;
        Ok(looked_at + 1)
    }

    /// Has SQLite look at its own part of the file, and hands over what it finds wrong.
    pub(crate) fn look_at_structure(&self, mut found: impl FnMut(String)) -> rusqlite::Result<()> {
        let mut check = self.connection.prepare("PRAGMA integrity_check")?;
        let mut rows = check.query([])?;
        while let Some(row) = rows.next()? {
            let words: String = row.get(0)?;
            if words != "ok" {
                found(words);
            }
        }
        Ok(())
    }

    /// Lines of a room with these numbers, oldest first, as long as `more` says so; and what is wrong where they are
    /// damaged. Those that have been taken out are left out. The number of the last one looked at.
    pub(crate) fn read(
        &self,
        room: &RoomName,
        first: u64,
        last: u64,
        mut more: impl FnMut(Result<Said, Damage>) -> bool,
    ) -> rusqlite::Result<u64> {
        self.walk(room.as_str(), first, last, |row| {
            let said = row.map(Kept::said).transpose();
            said.is_none_or(&mut more)
        })
    }

    /// Goes through these lines of a room, each as it was written or else what is wrong with it, as long as `more` says
    /// so. The number of the last one looked at.
    fn walk(
        &self,
        room: &str,
        first: u64,
        last: u64,
        mut more: impl FnMut(Result<Kept, Damage>) -> bool,
    ) -> rusqlite::Result<u64> {
        let damage = |first: u64, last: u64, is_missing: bool| Damage {
            room: room.to_owned(),
            first,
            last,
            is_missing,
        };
        let mut query = self.connection.prepare_cached(SELECT)?;
        let mut rows = query.query(params![room, first as i64, last as i64])?;
        let mut next = first;
        while let Some(row) = rows.next()? {
            let seq = row.get::<_, i64>(0)? as u64;
            if next < seq && !more(Err(damage(next, seq - 1, true))) {
                return Ok(seq - 1);
            }
            if !more(Kept::read(row).ok_or_else(|| damage(seq, seq, false))) {
                return Ok(seq);
            }
            next = seq + 1;
        }
        if next <= last {
            more(Err(damage(next, last, true)));
        }
        Ok(last)
    }

    /// The number of the line behind which the lines of a room up to number `last` take so many bytes as a dialect shows
    /// them, or a little more.
    pub(crate) fn before(&self, room: &RoomName, last: u64, bytes: u64) -> rusqlite::Result<u64> {
        let mut lines = self.connection.prepare_cached(
            "SELECT seq, length(CAST(name AS BLOB)) + length(CAST(text AS BLOB)) FROM lines
             WHERE room = (SELECT id FROM rooms WHERE name = ?1) AND seq <= ?2 ORDER BY seq DESC",
        )?;
        let mut rows = lines.query(params![room.as_str(), last as i64])?;
        let mut left = bytes;
        while let Some(row) = rows.next()? {
            let (seq, length): (i64, i64) = (row.get(0)?, row.get(1)?);
            left = left.saturating_sub(length as u64);
            if left == 0 {
                return Ok((seq as u64).saturating_sub(1));
            }
        }
        Ok(0)
    }

    /// The number of the first line of a room that was said at this time or later, or of damage before it: times never
    /// decrease in a room, so the numbers lead to it.
    pub(crate) fn first_since(
        &self,
        room: &RoomName,
        at: WallTime,
    ) -> rusqlite::Result<Option<u64>> {
        let mut end = self.connection.prepare_cached(
            "SELECT max(seq) FROM lines WHERE room = (SELECT id FROM rooms WHERE name = ?1)",
        )?;
        let end: Option<i64> = end.query_row([room.as_str()], |row| row.get(0))?;
        let Some(last) = end.and_then(|end| u64::try_from(end).ok()) else {
            return Ok(None);
        };
        let mut low = 1;
        let mut high = last + 1;
        while low < high {
            let middle = low.midpoint(high);
            // What is damaged has no time: the line behind it answers, and where there is none it may be later.
            let mut is_earlier = false;
            self.walk(room.as_str(), middle, high - 1, |row| match row {
                Ok(kept) => {
                    is_earlier = kept.at < at.0;
                    false
                }
                Err(_) => true,
            })?;
            if is_earlier {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok((low <= last).then_some(low))
    }
}

const SELECT: &str = "SELECT seq, at, manner, name, text, sum FROM lines
    WHERE room = (SELECT id FROM rooms WHERE name = ?1) AND seq BETWEEN ?2 AND ?3 ORDER BY seq";

/// A row, as it was written.
struct Kept {
    seq: i64,
    at: i64,
    manner: i64,
    name: String,
    text: String,
}

impl Kept {
    /// None where it is not as it was written.
    fn read(row: &Row<'_>) -> Option<Kept> {
        let number = |column| row.get_ref(column).ok()?.as_i64().ok();
        let text = |column| Some(row.get_ref(column).ok()?.as_str().ok()?.to_owned());
        let kept = Kept {
            seq: number(0)?,
            at: number(1)?,
            manner: number(2)?,
            name: text(3)?,
            text: text(4)?,
        };
        (number(5)? == kept.sum()).then_some(kept)
    }

    fn sum(&self) -> i64 {
        sum(self.seq, self.at, self.manner, &self.name, &self.text)
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
