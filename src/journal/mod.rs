//! All journals and searches, and the database with everything that is stored beside lines. They
//! know no session and no rule.
//!
//! Only `open` knows which journal a server has. In production this is a file of SQLite: one thread
//! writes it, another one reads it, and a third one keeps the search index up to date.

mod epoch;
mod erase;
mod memory;
mod recent;
mod search;
mod sqlite;
mod tail;
mod traits;

pub(crate) use epoch::passing_epoch;
pub(crate) use erase::{Eraser, Forgetting, Owner};
pub use memory::Memory;
pub(crate) use recent::RawMessage;
pub(crate) use sqlite::{Database, DatabaseFailed, FileView, OpenError, Sql, fill, rewind};
pub(crate) use sqlite::{WaitingMessage, waiting};
pub(crate) use sqlite::{check_directory, further_parts, has_own_past, log_of_past, take_over};
pub(crate) use sqlite::{end_codes, latest as latest_acts, moment, past};
pub(crate) use sqlite::{stored_position, stored_snapshot};
pub(crate) use tail::Tail;
pub(crate) use traits::{Ahead, Archive, Extent, Searcher, Unreadable};
pub(crate) use traits::{History, Search};

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parlor_core::journal::Journal;
use parlor_core::model::{End, RoomName, WallTime};

use self::search::IndexedSearch;
use self::sqlite::{Disk, FILE, OpenedDisk, PackedSnapshot, Startup, WrittenBehind, open_archive};
use crate::config::Keep;

/// A journal that stores lines, and everything that uses the stored lines.
pub(crate) struct Opened {
    pub(crate) journal: Box<dyn Journal>,
    /// The epoch: the name of the log until the next start.
    pub(crate) epoch: String,
    /// The position in the order of several nodes up to which everything is stored.
    pub(crate) position: Option<u64>,
    /// The snapshot of the ledger of several nodes.
    pub(crate) snapshot: Option<PackedSnapshot>,
    /// The latest messages of that order.
    pub(crate) tail: Tail,
    /// The way into the file of one of several nodes.
    pub(crate) view: Option<Arc<FileView>>,
    /// The end of each room's lines.
    pub(crate) ends: HashMap<RoomName, End>,
    pub(crate) stored: Stored,
    pub(crate) eraser: Eraser,
}

/// The parts of a journal that the rest of the server uses.
#[derive(Clone)]
pub(crate) struct Stored {
    /// The time when the previous server ended; none if nothing was stored yet.
    pub(crate) last_run: Option<WallTime>,
    pub(crate) history: Arc<dyn History>,
    pub(crate) search: Arc<dyn Search>,
    /// Deletes all lines of an owner.
    pub(crate) forgetting: Forgetting,
    /// The file, for those who read or delete in it.
    pub(crate) database: Database,
}

/// Opens the journal in a directory, with the search and the eraser beside it.
///
/// # Errors
///
/// The directory cannot be used; the error says why, and what to do.
///
/// As one of several nodes, the journal is the view of a log with this name, for which this many
/// bytes may wait.
pub(crate) fn open(
    directory: &Path,
    keep: Keep,
    node: Option<(&str, usize)>,
) -> Result<Opened, OpenError> {
    let log = node.map(|(log, _)| log);
    let OpenedDisk { mut disk, recent, startup, history, database } =
        Disk::open(directory, keep, log)?;
    let Startup { epoch, ends, last_run, position, snapshot } = startup;
    let (index, follow) = IndexedSearch::new(
        database.path(),
        epoch.clone(),
        Arc::clone(&history),
        Arc::clone(&disk.signals),
    );
    let index = Arc::new(index);
    let search: Arc<dyn Search> = index.clone();
    disk.run("search", follow, move || index.wake())?;
    let (eraser, forgetting) = Eraser::new(&database, &history, &search)?;
    let (journal, view): (Box<dyn Journal>, _) = match node {
        Some((_, waiting_bytes_max)) => {
            let journal = WrittenBehind::new(disk, waiting_bytes_max);
            let view = journal.view();
            (Box::new(journal), Some(view))
        }
        None => (Box::new(disk), None),
    };
    Ok(Opened {
        journal,
        epoch: log.map_or(epoch, str::to_owned),
        position,
        snapshot,
        tail: Tail::new(recent, Some(database.clone())),
        view,
        ends,
        stored: Stored { last_run, history, search, forgetting, database },
        eraser,
    })
}

/// Opens the lines that are stored in a directory for a command, whether or not a server runs;
/// returns their file, too.
///
/// # Errors
///
/// The lines are missing or unusable, in one sentence.
pub(crate) fn open_stored(directory: &Path) -> anyhow::Result<(Box<dyn Archive>, PathBuf)> {
    let file = directory.join(FILE);
    Ok((open_backup(&file)?, file))
}

/// Opens a backup.
///
/// # Errors
///
/// The backup cannot be used, in one sentence.
pub(crate) fn open_backup(file: &Path) -> anyhow::Result<Box<dyn Archive>> {
    Ok(Box::new(open_archive(file)?))
}
