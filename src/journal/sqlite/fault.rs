//! The reasons why a file cannot be used, as sentences for the operator. Knows no file.

use std::io;
use std::path::PathBuf;

use parlor_core::model::Damage;
use rusqlite::ErrorCode;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnusableFile {
    /// The file of a node of another house.
    #[error(
        "is the file of a node that shares other rooms; give --data another directory, or name that house with --house"
    )]
    OfAnotherHouse,
    /// The file of a node, where a house has not begun.
    #[error(
        "is the file of a node, and the stream of its house is not in NATS: restore the backup of the streams, or name \
         the right house with --house; give --data an empty directory to begin a new house"
    )]
    OfLostHouse,
    /// The file of a server without other nodes, and the house has begun without it.
    #[error(
        "has the lines of a server without other nodes, and that house has begun without them; give --data an empty \
         directory, or begin another house with --house"
    )]
    OfOneServer,
    /// Another program's database.
    #[error("is a database of another program; give --data another directory")]
    Foreign,
    /// A newer version's file.
    #[error(
        "was written by a newer version of Parlor (its tables have version {0}); use that version"
    )]
    Newer(i32),
    /// The file has replaced another one, whose write-ahead log is still there.
    #[error(
        "is a backup, and {} beside it belongs to another file; move that one away first",
        .0.display()
    )]
    OthersLog(PathBuf),
    /// The file is gone, and its write-ahead log is still there.
    #[error(
        "is missing or empty, and {} beside it is what was written ahead for it; put the file back, or move that away \
         to begin anew",
        .0.display()
    )]
    OnlyLog(PathBuf),
    /// A file that SQLite keeps beside it is missing.
    #[error("has lost a file beside it while it was opened: {0}; start the server again")]
    Beside(io::Error),
    /// This user may not read the file.
    #[error("cannot be read by this user; run the command as the server's user, or as root")]
    Forbidden,
    /// SQLite has to create a file beside it to read the write-ahead log, and cannot.
    #[error(
        "cannot be read where it is: nothing can be written beside it, and {} is not there; copy {} and {} to a \
         directory of your own, and name that with --data", .0.with_extension("db-shm").display(), .0.display(),
         .0.with_extension("db-wal").display()
    )]
    NoRoomBeside(PathBuf),
    /// Lines in it have changed since they were written.
    #[error("{0}; restore a backup, or move the file away to start afresh")]
    Damaged(#[from] Damage),
    /// Its beginning is not that of a database.
    #[error(
        "is not a database, or its beginning is damaged; restore a backup, or move the file away to start afresh"
    )]
    NoDatabase,
    /// SQLite cannot read its structure.
    #[error("is damaged in its structure; restore a backup, or move the file away to start afresh")]
    Broken,
    /// Any other error that SQLite reports.
    #[error("{0}")]
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for UnusableFile {
    fn from(error: rusqlite::Error) -> UnusableFile {
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => UnusableFile::NoDatabase,
            // A key of another type is found when a file is brought to this version.
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::TypeMismatch) => UnusableFile::Broken,
            _ => UnusableFile::Sqlite(error),
        }
    }
}
