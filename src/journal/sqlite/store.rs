//! The file in which lines are kept: opened, written to, and moved to its place. Knows no thread.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parlor_core::log::Batch;
use parlor_core::model::RoomName;
use rusqlite::{Connection, OpenFlags, OptionalExtension, named_params, params};

use super::fault::Unusable;
use super::rows::{code, sum};
use super::schema::{MIGRATIONS, SCHEMA};
use super::times::date_back;
use crate::config::Keep;

/// Marks a SQLite file as one of Parlor's: "Parl", as the file's header has it.
const APPLICATION_ID: i32 = 0x5061_726C;

/// Whoever finds the file locked for a moment, by a checkpoint or a backup, waits so long.
pub(crate) const BUSY_TIME: Duration = Duration::from_secs(5);

/// Bytes: more than SQLite holds back in memory, so that the file grows by it.
const ROOM_AHEAD: i64 = 8 << 20;

/// When the log that is written ahead begins anew, it is cut to this: it is longer only where somebody has read for long,
/// as a backup does.
const AHEAD_BYTES_MAX: i64 = 2 * ROOM_AHEAD;

/// What a checkpoint came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Checkpoint {
    /// Somebody read or wrote meanwhile, so it could not do all that it was to do.
    pub(crate) was_hindered: bool,
    /// So many pages are written ahead, moved or not.
    pub(crate) pages_ahead: i64,
}

/// A connection to the file.
pub(crate) struct Store {
    pub(crate) connection: Connection,
}

impl Store {
    /// Opens the file to write in it. It is there, be it empty: one that is made here would be another one.
    pub(crate) fn open(path: &Path, keep: Keep) -> Result<Store, Unusable> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NOFOLLOW
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
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
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Store::to_read(Connection::open_with_flags(path, flags)?)
    }

    /// Opens a file to read in it to which nobody writes and for which nothing is written ahead: then SQLite needs
    /// nothing beside it.
    pub(crate) fn open_unchanging(path: &Path) -> Result<Store, Unusable> {
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
        Store::to_read(Connection::open_with_flags(
            address + "?immutable=1",
            flags,
        )?)
    }

    fn to_read(connection: Connection) -> Result<Store, Unusable> {
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
    pub(crate) fn append(&mut self, batches: &[Arc<Batch>]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        for batch in batches {
            if batch.said().next().is_none() {
                continue;
            }
            let room = make_room(&transaction, batch.room())?;
            if batch.goes_back() {
                date_back(&transaction, batch.room(), batch.at())?;
            }
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

    /// Takes out what these batches may have left behind, after a failure whose extent nobody knows: these lines,
    /// which nobody has seen, and no others.
    pub(crate) fn take_back(&mut self, batches: &[Arc<Batch>]) -> rusqlite::Result<()> {
        if batches.is_empty() {
            return Ok(());
        }
        let transaction = self.connection.transaction()?;
        for (room, said) in batches
            .iter()
            .flat_map(|batch| batch.said().map(|said| (batch.room(), said)))
        {
            let (seq, manner) = (said.seq as i64, code(said.manner));
            let (name, text) = (said.who.name.as_str(), said.text.as_str());
            let sum = sum(seq, said.at.0, manner, name, text);
            let mut delete = transaction.prepare_cached(
                "DELETE FROM lines WHERE room = (SELECT id FROM rooms WHERE name = ?1) AND seq = ?2 AND sum = ?3",
            )?;
            delete.execute(params![room.as_str(), seq, sum])?;
        }
        // What is written ahead and was never synced shows to nobody, until somebody opens the file after the end of this
        // program. A write that changes nothing stands in its place.
        transaction.pragma_update(None, "user_version", SCHEMA)?;
        transaction.commit()
    }

    /// Lets the log that is written ahead have room from the beginning: where a file grows, a disk writes twice for each
    /// sync. What is written here is taken back at once.
    pub(crate) fn make_room_ahead(&mut self) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        transaction.execute("CREATE TABLE scratch (bytes BLOB) STRICT", [])?;
        transaction.execute("INSERT INTO scratch VALUES (zeroblob(?1))", [ROOM_AHEAD])?;
        transaction.rollback()
    }

    /// Moves what has been written ahead to its place, as far as nobody reads it there.
    pub(crate) fn checkpoint(&self, how: &str) -> rusqlite::Result<Checkpoint> {
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
    pub(crate) fn begin_anew(&self, patience: Duration) -> rusqlite::Result<Checkpoint> {
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a step that fails, fails the test")]
mod tests {
    use std::fs::File;
    use std::sync::Arc;

    use parlor_core::log::Batch;
    use parlor_core::log::Cursor;
    use parlor_core::model::Entry;
    use parlor_core::model::Line;
    use parlor_core::model::Manner;
    use parlor_core::model::Name;
    use parlor_core::model::PersonId;
    use parlor_core::model::RoomName;
    use parlor_core::model::Said;
    use parlor_core::model::WallTime;
    use parlor_core::model::Who;

    use super::super::refused;
    use super::Store;
    use crate::config::Keep;

    fn batch(texts: &[&str]) -> Arc<Batch> {
        let said = texts.iter().zip(1..).map(|(text, seq)| {
            Entry::Said(Said {
                seq,
                at: WallTime(1_000),
                who: Who {
                    id: PersonId::BYGONE,
                    name: Name::kept("alice"),
                },
                manner: Manner::Plain,
                text: Line::sanitise(text.as_bytes()),
            })
        });
        let (room, start, at) = (RoomName::lobby(), Cursor::default(), WallTime(1_000));
        Arc::new(Batch::new(room, start, at, said.collect()))
    }

    fn texts(store: &Store) -> Vec<String> {
        let mut query = store.connection.prepare("SELECT text FROM lines").unwrap();
        let rows = query.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    #[test]
    fn what_is_taken_back_is_what_was_refused_and_nothing_that_has_its_number() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("parlor.db");
        File::create(&path).unwrap();
        let mut store = Store::open(&path, Keep::Written).unwrap();
        store.append(&[batch(&["one", "two", "three"])]).unwrap();
        let refused = batch(&["uno", "two", "tres", "quattro"]);
        store.take_back(&[Arc::clone(&refused)]).unwrap();
        assert_eq!(texts(&store), ["one", "three"]);
        // The same for what a server before this one has noted down.
        refused::note(&path, &[refused, batch(&["one"])]).unwrap();
        store.take_back_noted(&path).unwrap();
        assert_eq!(texts(&store), ["three"]);
        assert!(!path.with_file_name(refused::FILE).exists());
    }
}
