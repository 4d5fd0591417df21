//! The journals there are. Each keeps lines in its own way; none knows a connection.
//!
//! [`Disk`] is the one for use: a file of SQLite's, written by one thread and read by another; and a third follows it, for
//! [`Search`].

pub mod erase;
mod memory;
mod search;
pub mod sqlite;

pub(crate) use erase::{Forgetting, Owner};
pub use memory::Memory;
pub use search::Search;
pub(crate) use search::{Found, Searcher};
pub(crate) use sqlite::{Ahead, FILE, Store, Undone, passing_epoch};
pub use sqlite::{Damage, Disk, Errands, History, Kept, OpenError, Unreadable, Unusable};

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, bail};
use rusqlite::ErrorCode;

/// Opens a file of lines to read in it, whether or not a server runs.
///
/// # Errors
/// There is none, or it is of no use: in one sentence.
pub(crate) fn open_to_read(file: &Path) -> anyhow::Result<Store> {
    let is_there = File::open(file).map(drop).map_err(|error| error.kind());
    if let Err(ErrorKind::NotFound | ErrorKind::NotADirectory) = is_there {
        bail!(
            "there is no {}; give --data the server's directory, which it logs when it starts",
            file.display()
        );
    }
    let opened = match is_there {
        Err(ErrorKind::PermissionDenied) => Err(Unusable::Forbidden),
        _ => sqlite::is_alone(file).and_then(|()| open_where_it_is(file)),
    };
    opened.with_context(|| file.display().to_string())
}

/// To read what is written ahead, SQLite needs an index of it, which it has to make where there is none. Not everybody
/// can do that, and not on every disk.
fn open_where_it_is(file: &Path) -> Result<Store, Unusable> {
    match Store::open_to_read(file) {
        Err(Unusable::Sqlite(error))
            if matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied)
            ) =>
        {
            match fs::metadata(file.with_extension("db-wal")) {
                Ok(ahead) if ahead.len() > 0 => Err(Unusable::NoRoomBeside(file.to_owned())),
                Err(error) if error.kind() != ErrorKind::NotFound => Err(Unusable::Forbidden),
                _ => Store::open_unchanging(file),
            }
        }
        opened => opened,
    }
}
