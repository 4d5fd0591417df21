//! Checkpoints move the write-ahead log into the file, in a separate thread beside the commits.
//! Knows no line.

use std::mem;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::ffi::{SQLITE_IOERR_DIR_FSYNC, SQLITE_IOERR_FSYNC};

use super::files::Files;
use super::signals::Signals;
use super::store::{BUSY_TIME, Store};
use crate::config::Keep;

/// How often the write-ahead log is moved into the file.
const CHECKPOINT_EVERY: Duration = Duration::from_millis(250);

/// The least number of written bytes that is worth a sync.
const WRITTEN_AHEAD_MIN: u64 = 1 << 20;

/// If the log has more pages than this, 4 MiB, commits wait until it starts over: overwriting a
/// file costs one sync less than growing it.
const PAGES_AHEAD_MAX: i64 = 1_024;

/// The result of a checkpoint.
#[derive(Debug, Clone, Copy)]
pub(super) struct Checkpoint {
    /// Another connection read or wrote meanwhile, so the checkpoint is not complete.
    pub(super) was_hindered: bool,
    /// How many pages the write-ahead log has, moved or not.
    pub(super) pages_ahead: i64,
}

/// Moves the write-ahead log into the file at intervals, until the server ends.
pub(super) fn move_log_now_and_then(
    files: &Files,
    keep: Keep,
    signals: &Signals,
    ends: &Receiver<()>,
) {
    let mut store = None;
    while ends.recv_timeout(CHECKPOINT_EVERY) == Err(RecvTimeoutError::Timeout) {
        if signals.written.load(Ordering::Relaxed) < WRITTEN_AHEAD_MIN {
            continue;
        }
        signals.written.store(0, Ordering::Relaxed);
        if files.is_emptied() {
            mem::forget(store); // as the writer does
            return;
        }
        if store.is_none() && files.are_in_place().is_ok() {
            store = Store::open(files.path(), keep).ok(); // the writer reports errors
        }
        match store.as_ref().map(|store| checkpoint(&store.connection, "PASSIVE", BUSY_TIME)) {
            // The log starts over by itself when all of it is moved. But while lines arrive without
            // a pause, there are always new ones.
            Some(Ok(done)) if done.pages_ahead > PAGES_AHEAD_MAX => {
                signals.is_long.store(true, Ordering::Relaxed);
            }
            Some(Ok(_)) | None => {}
            Some(Err(error)) => {
                tell_not_moved(&error);
                store = None;
            }
        }
    }
}

/// Moves the write-ahead log into the file, except for the part that another connection still
/// reads, and waits for others for up to `patience`. `how` is the mode, as SQLite calls it.
pub(super) fn checkpoint(
    connection: &Connection,
    how: &str,
    patience: Duration,
) -> rusqlite::Result<Checkpoint> {
    connection.busy_timeout(patience)?;
    let done = connection.query_row(&format!("PRAGMA wal_checkpoint({how})"), [], |row| {
        Ok(Checkpoint { was_hindered: row.get(0)?, pages_ahead: row.get(1)? })
    });
    connection.busy_timeout(BUSY_TIME)?;
    done
}

/// Logs that a checkpoint has failed. The write-ahead log stays and is moved later. But after a
/// failed sync, the system may believe that the data are on the disk.
pub(super) fn tell_not_moved(error: &rusqlite::Error) {
    if needs_rewrite(error) {
        tracing::error!(%error, "the disk has failed: stored lines may not survive a power cut; make a backup on another disk");
    } else {
        tracing::warn!(%error, "the write-ahead log cannot be moved into the database yet");
    }
}

/// Whether a sync has failed: then earlier writes may or may not be on disk, and the next sync may
/// report success. A failed write has written nothing.
pub(super) fn needs_rewrite(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    matches!(code, Some(SQLITE_IOERR_FSYNC | SQLITE_IOERR_DIR_FSYNC))
}
