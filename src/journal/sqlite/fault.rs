//! What can be wrong with a file, as sentences for whoever runs the server. Knows no file.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use rusqlite::ErrorCode;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// Some other program's.
    #[error("is a database of another program; give --data another directory")]
    Foreign,
    /// A later version's.
    #[error(
        "was written by a newer version of Parlor (its tables have version {0}); use that version"
    )]
    Newer(i32),
    /// It has been put in the place of another file, whose log is still there.
    #[error(
        "is a backup, and {} beside it belongs to another file; move that one away first",
        .0.display()
    )]
    OthersLog(PathBuf),
    /// It is gone, and the log of it is still there.
    #[error(
        "is missing or empty, and {} beside it is what was written ahead for it; put the file back, or move that away \
         to begin anew",
        .0.display()
    )]
    OnlyLog(PathBuf),
    /// What SQLite keeps beside it is not there.
    #[error("has lost a file beside it while it was opened: {0}; start the server again")]
    Beside(io::Error),
    /// This user may not read it.
    #[error("cannot be read by this user; run the command as the server's user, or as root")]
    Forbidden,
    /// SQLite has to make a file beside it to read what is written ahead, and cannot.
    #[error(
        "cannot be read where it is: nothing can be written beside it, and {} is not there; copy {} and {} to a \
         directory of your own, and name that with --data", .0.with_extension("db-shm").display(), .0.display(),
         .0.with_extension("db-wal").display()
    )]
    NoRoomBeside(PathBuf),
    /// It is not what was written.
    #[error("{0}; restore a backup, or move the file away to start afresh")]
    Damaged(#[from] Damage),
    /// It does not begin as a database does.
    #[error(
        "is not a database, or its beginning is damaged; restore a backup, or move the file away to start afresh"
    )]
    NoDatabase,
    /// SQLite does not find its way in it.
    #[error("is damaged in its structure; restore a backup, or move the file away to start afresh")]
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
