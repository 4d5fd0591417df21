//! A connection to the file of lines: opens, migrates and checkpoints it. Knows no row and no
//! thread.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::fault::UnusableFile;
use super::keys::{KEYS, LineKeys, PAIRS};
use super::schema::{MIGRATIONS, PACKED, SCHEMA};
use super::undo::note_changes;
use crate::config::Keep;

/// Marks an SQLite file as one of Parlor's: "Parl", in the file's header.
pub(super) const APPLICATION_ID: i32 = 0x5061_726C;

/// How long to wait for a file that a checkpoint or a backup has locked for a moment.
pub(super) const BUSY_TIME: Duration = Duration::from_secs(5);

/// Bytes: more than SQLite buffers in memory, so that the write-ahead log grows to this size.
const ROOM_AHEAD: i64 = 8 << 20;

/// The write-ahead log is cut to this size when it starts over. It is longer only during a long
/// read, such as a backup.
const AHEAD_BYTES_MAX: i64 = 2 * ROOM_AHEAD;

/// How many statements stay prepared: more than the program has.
const STATEMENTS: usize = 128;

/// A connection to the file.
pub(crate) struct Store {
    pub(super) connection: Connection,
    /// How it finds lines.
    pub(super) keys: LineKeys,
    /// Whether it is the file of a node, which gets its lines a moment after people read them.
    pub(super) is_view: bool,
}

impl Store {
    /// Opens the file for writing. The file must exist, even if it is empty: a file that SQLite
    /// created would not be the locked one.
    pub(crate) fn open(path: &Path, keep: Keep) -> Result<Store, UnusableFile> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NOFOLLOW
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIME)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        // SQLite then overwrites deleted content.
        connection.pragma_update(None, "secure_delete", true)?;
        // Another thread makes the checkpoints, so a commit waits for one sync only.
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
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let mut store = Store { connection, keys: KEYS, is_view: false };
        store.migrate()?;
        note_changes(&store.connection)?;
        Ok(store)
    }

    /// Opens the file for reading only.
    pub(crate) fn open_to_read(path: &Path) -> Result<Store, UnusableFile> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Store::to_read(Connection::open_with_flags(path, flags)?)
    }

    /// Opens a file that has no write-ahead log and no writer. SQLite then needs no other file
    /// beside it.
    pub(super) fn open_unchanging(path: &Path) -> Result<Store, UnusableFile> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_URI;
        let mut address = "file:".to_owned();
        for &byte in path.as_os_str().as_bytes() {
            match byte {
                b'/' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => address.push(byte.into()),
                _ => address += &format!("%{byte:02X}"),
            }
        }
        Store::to_read(Connection::open_with_flags(address + "?immutable=1", flags)?)
    }

    fn to_read(connection: Connection) -> Result<Store, UnusableFile> {
        connection.busy_timeout(BUSY_TIME)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let store = Store { connection, keys: KEYS, is_view: false };
        match store.version()? {
            newer if newer > SCHEMA => Err(UnusableFile::Newer(newer)),
            PACKED.. => Ok(store),
            1.. => Ok(Store { keys: PAIRS, ..store }), // a command reads it as it is
            _ => Err(UnusableFile::Foreign),
        }
    }

    /// The version of the tables; 0 for a file without tables.
    fn version(&self) -> Result<i32, UnusableFile> {
        let number = |name| self.connection.pragma_query_value(None, name, |row| row.get(0));
        let (application, version): (i32, i32) =
            (number("application_id")?, number("user_version")?);
        if application == APPLICATION_ID {
            return Ok(version);
        }
        let tables = "SELECT count(*) FROM sqlite_schema";
        match self.connection.query_row(tables, [], |row| row.get(0))? {
            0 => Ok(0),
            _ => Err(UnusableFile::Foreign),
        }
    }

    /// Migrates the tables to this version, in one transaction.
    fn migrate(&mut self) -> Result<(), UnusableFile> {
        let version = self.version()?;
        if version > SCHEMA {
            return Err(UnusableFile::Newer(version));
        }
        let missing = MIGRATIONS.iter().skip(version as usize);
        if missing.len() == 0 {
            return Ok(());
        }
        if version > 0 {
            tracing::info!(version = SCHEMA, "the file is brought to a new version of its tables");
        }
        let transaction = self.connection.transaction()?;
        for tables in missing {
            transaction.execute_batch(tables)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", SCHEMA)?;
        transaction.commit()?;
        // The log may be longer than the file now. If somebody reads it, it becomes shorter later.
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).ok();
        Ok(())
    }

    /// The connection itself, for tables other than the lines.
    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Grows the write-ahead log to its final size: while a file grows, a disk writes twice for
    /// each sync. The written data are rolled back at once.
    pub(super) fn make_room_ahead(&mut self) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        transaction.execute("CREATE TABLE scratch (bytes BLOB) STRICT", [])?;
        transaction.execute("INSERT INTO scratch VALUES (zeroblob(?1))", [ROOM_AHEAD])?;
        transaction.rollback()
    }
}
