//! The start of a server: it opens the file of lines, checks the latest ones, and begins an epoch.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use parlor_core::model::{End, RoomName, WallTime};

use super::archive::is_alone;
use super::checkpoints::checkpoint;
use super::fault::UnusableFile;
use super::row::stored_room;
use super::rows::Unchecked;
use super::snapshot::{PackedSnapshot, stored_snapshot};
use super::store::{BUSY_TIME, Store};
use crate::config::Keep;
use crate::journal::epoch::passing_epoch;

/// The stored state with which a server starts.
pub(crate) struct Startup {
    /// The epoch until the next start.
    pub(crate) epoch: String,
    /// The end of each room's lines.
    pub(crate) ends: HashMap<RoomName, End>,
    /// The time when the previous server ended; none if nothing is stored yet.
    pub(crate) last_run: Option<WallTime>,
    /// The position in the order of several nodes up to which everything is stored.
    pub(crate) position: Option<u64>,
    /// The snapshot of the ledger of several nodes.
    pub(crate) snapshot: Option<PackedSnapshot>,
}

/// The name with which what is in the file can begin the log of several nodes; none if it has nothing.
pub(super) fn log_of_past(path: &Path) -> Result<Option<String>, UnusableFile> {
    is_alone(path)?;
    Store::open(path, Keep::Synced)?.log_of_past()
}

/// Opens the file for writing, and prepares it for this start.
pub(super) fn start(
    path: &Path,
    keep: Keep,
    log: Option<&str>,
) -> Result<(Store, Startup, Unchecked), UnusableFile> {
    is_alone(path)?;
    let mut store = Store::open(path, keep)?;
    let position = log.map(|log| store.join(log)).transpose()?;
    if log.is_none() && store.leave_nodes()? {
        tracing::warn!(
            "this was the directory of a node, and is that of a server of its own from now on; \
             as a node again, the server needs an empty --data, or begins another house"
        );
    }
    let snapshot = if log.is_some() { stored_snapshot(&store.connection)? } else { None };
    store.remove_noted(path)?;
    let ends = store.ends()?;
    let older = store.check_latest(&ends)?;
    // Without an epoch the server still starts: even on a full disk, people can enter and read.
    let epoch = store.begin_epoch().unwrap_or_else(|error| {
        tracing::warn!(%error, "after the next start nobody can continue exactly where they stopped reading");
        passing_epoch()
    });
    // If the disk is full, it refuses lines too, and their authors are told.
    if store.make_room_ahead().is_err() {
        // Leaves all remaining space to lines.
        checkpoint(&store.connection, "TRUNCATE", BUSY_TIME).ok();
    } else if let Ok(ahead) = File::open(path.with_extension("db-wal")) {
        ahead.sync_data().ok();
    }
    let named = |(name, end): (String, End)| {
        let room = stored_room(&name);
        if room.is_none() {
            tracing::warn!(room = ?name, "there are lines of a room with an invalid name: nobody can enter it");
        }
        Some((room?, end))
    };
    let ends = ends.into_iter().filter_map(named).collect();
    let last_run = store.last_run()?;
    Ok((store, Startup { epoch, ends, last_run, position, snapshot }, older))
}
