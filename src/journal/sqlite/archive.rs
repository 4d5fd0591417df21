//! Opens a file of lines for a command, whether or not a server runs.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Context, bail};
use parlor_core::model::{Damage, End, RoomName, Said, WallTime};
use rusqlite::ErrorCode;

use super::fault::UnusableFile;
use super::row::LineRow;
use super::sql::Sql;
use super::store::Store;
use crate::journal::traits::{Archive, Extent};

/// The offset of the byte in an SQLite file that says whether it has a write-ahead log, and the
/// value of that byte without one.
const AHEAD_OFFSET: u64 = 18;
const NOTHING_AHEAD: u8 = 1;

/// Opens a file of lines to read in it.
///
/// # Errors
///
/// The file is missing or unusable, in one sentence.
pub(crate) fn open_archive(file: &Path) -> anyhow::Result<Store> {
    let is_there = File::open(file).map(drop).map_err(|error| error.kind());
    if let Err(ErrorKind::NotFound | ErrorKind::NotADirectory) = is_there {
        bail!(
            "there is no {}; give --data the server's directory, which it logs when it starts",
            file.display()
        );
    }
    let opened = match is_there {
        Err(ErrorKind::PermissionDenied) => Err(UnusableFile::Forbidden),
        _ => is_alone(file).and_then(|()| open_where_it_is(file)),
    };
    opened.with_context(|| file.display().to_string())
}

/// To read the write-ahead log, SQLite needs an index of it, and creates a missing one. Some users
/// and some disks do not allow that.
fn open_where_it_is(file: &Path) -> Result<Store, UnusableFile> {
    match Store::open_to_read(file) {
        Err(UnusableFile::Sqlite(error))
            if matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied)
            ) =>
        {
            match fs::metadata(file.with_extension("db-wal")) {
                Ok(ahead) if ahead.len() > 0 => Err(UnusableFile::NoRoomBeside(file.to_owned())),
                Err(error) if error.kind() != ErrorKind::NotFound => Err(UnusableFile::Forbidden),
                _ => Store::open_unchanging(file),
            }
        }
        opened => opened,
    }
}

/// Makes sure that a file and the write-ahead log beside it belong together, before SQLite opens
/// the file. If a backup had replaced the file, SQLite would apply the old file's log to it; and it
/// would delete the log of a missing file.
pub(super) fn is_alone(path: &Path) -> Result<(), UnusableFile> {
    let ahead = path.with_extension("db-wal");
    let is_empty = fs::metadata(&ahead).is_ok_and(|ahead| ahead.len() == 0);
    let is_ahead = ahead.exists() && !is_empty;
    let mut mark = [0];
    let file = File::open(path).and_then(|file| file.read_at(&mut mark, AHEAD_OFFSET));
    match file {
        Ok(0) if is_ahead && fs::metadata(path).is_ok_and(|file| file.len() == 0) => {
            Err(UnusableFile::OnlyLog(ahead))
        }
        Ok(_) if is_ahead && mark == [NOTHING_AHEAD] => Err(UnusableFile::OthersLog(ahead)),
        _ => Ok(()),
    }
}

impl Archive for Store {
    fn ends(&self) -> anyhow::Result<Vec<(String, End)>> {
        Ok(Store::ends(self).map_err(UnusableFile::from)?)
    }

    fn first_since(&self, room: &RoomName, at: WallTime) -> anyhow::Result<Option<u64>> {
        Ok(Store::first_since(self, room, at).map_err(UnusableFile::from)?)
    }

    fn read(
        &self,
        room: &RoomName,
        first: u64,
        last: u64,
        more: &mut dyn FnMut(Result<Said, Damage>) -> bool,
    ) -> anyhow::Result<u64> {
        let read = Store::read(self, room, first, last, |row| more(row.map(LineRow::said)));
        Ok(read.map_err(UnusableFile::from)?)
    }

    fn verify(&self, found: &mut dyn FnMut(String)) -> anyhow::Result<Extent> {
        self.check_structure(|words| found(format!("the file's structure is damaged: {words}")))
            .map_err(UnusableFile::from)?;
        let ends = Archive::ends(self)?;
        for (room, end) in &ends {
            self.check_all(room, (1, end.seq), |damage| found(damage.to_string()))
                .map_err(UnusableFile::from)?;
        }
        Ok(Extent { rooms: ends.len(), lines: ends.iter().map(|(_, end)| end.seq).sum() })
    }

    fn copy_to(&self, path: &Path) -> anyhow::Result<()> {
        let path = path.to_str().ok_or_else(|| rusqlite::Error::InvalidPath(path.to_owned()));
        // Writers do not wait for this.
        let copied = path.and_then(|path| self.connection.run("VACUUM INTO ?1", [path]));
        copied.map_err(UnusableFile::from)?;
        Ok(())
    }
}
