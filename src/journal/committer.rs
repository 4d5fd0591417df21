//! The thread that writes: one commit after the other, and the way back after one that failed.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::thread;
use std::time::Duration;

use parlor_core::batch::Batch;
use parlor_core::journal::NotKept;
use rusqlite::ErrorCode;
use rusqlite::ffi::{SQLITE_IOERR_DIR_FSYNC, SQLITE_IOERR_FSYNC};
use tokio::sync::oneshot;

use super::errands::Errand;
use super::fault::Unusable;
use super::store::Store;
use crate::config::Keep;

/// After a failure the file is tried again after this long at first, and after this long at last.
const RETRY_MIN: Duration = Duration::from_millis(50);
const RETRY_MAX: Duration = Duration::from_secs(1);

/// Commits wait so long for somebody who reads, before what is written ahead begins anew; a backup reads for longer, and
/// it grows meanwhile.
const PATIENCE: Duration = Duration::from_millis(20);

/// A commit writes one at the least.
const PAGE_BYTES: u64 = 4096;

/// What the thread is to do.
pub(super) enum Work {
    /// To keep lines, before anything else.
    Commit(Job),
    /// Something else, when no lines wait.
    Errand(Errand),
    /// To end, when all that was asked for before is done.
    End,
}

/// What is to be kept, and who waits for it.
pub(super) struct Job {
    pub(super) batches: Vec<Arc<Batch>>,
    pub(super) kept: oneshot::Sender<Result<(), NotKept>>,
}

/// What the committer shares with those who started it.
#[derive(Debug, Default)]
pub(super) struct Signals {
    /// The house ends: nobody waits any more.
    pub(super) ends: AtomicBool,
    /// About so many bytes have been written ahead since somebody last moved them to their place.
    pub(super) written: AtomicU64,
    /// Goes up with each commit: there is something new to read.
    pub(super) commits: AtomicU64,
    /// Goes up when a commit fails, and again when what it left behind has been taken out: while it is odd, there may be
    /// lines in the file that nobody has seen.
    pub(super) failures: AtomicU64,
    /// So much is written ahead that it must begin anew before more is.
    pub(super) is_long: AtomicBool,
}

/// Writes lines into the file.
pub(super) struct Committer {
    pub(super) path: PathBuf,
    pub(super) keep: Keep,
    /// None after a failure, until the file is known to hold nothing that nobody has seen.
    pub(super) store: Option<Store>,
    pub(super) signals: Arc<Signals>,
}

impl Committer {
    /// Works until it is told to end.
    pub(super) fn run(mut self, work: &Receiver<Work>) {
        let mut errands = VecDeque::new();
        loop {
            let next = match errands.is_empty() {
                true => work.recv().map_err(|_| TryRecvError::Disconnected),
                false => work.try_recv(),
            };
            match next {
                Ok(Work::Commit(Job { batches, kept })) => {
                    let outcome = self.commit(&batches);
                    kept.send(outcome).ok(); // perhaps the house is closed
                    self.begin_anew_if_long();
                }
                Ok(Work::Errand(errand)) => errands.push_back(errand),
                Err(TryRecvError::Empty) => {
                    if let Some(errand) = errands.pop_front() {
                        self.run_errand(errand);
                    }
                }
                Ok(Work::End) | Err(TryRecvError::Disconnected) => break,
            }
        }
        errands
            .into_iter()
            .for_each(|errand| self.run_errand(errand));
        if let Some(store) = &self.store {
            store.checkpoint("TRUNCATE").ok(); // it is done at the next start otherwise
        }
    }

    fn begin_anew_if_long(&self) {
        if self.signals.is_long.swap(false, Ordering::Relaxed)
            && let Some(store) = &self.store
            && let Err(error) = store.begin_anew(PATIENCE)
        {
            tell_not_moved(&error);
        }
    }

    fn run_errand(&mut self, errand: Errand) {
        match errand(self.store.as_mut()) {
            Ok(()) => {
                let written = &self.signals.written;
                written.fetch_add(PAGE_BYTES, Ordering::Relaxed);
            }
            Err(error) => {
                tracing::error!(%error, "something cannot be kept");
                if has_failed(&error) {
                    self.store = None;
                    self.take_back(&[], needs_rewrite(&error));
                }
            }
        }
    }

    fn commit(&mut self, batches: &[Arc<Batch>]) -> Result<(), NotKept> {
        let Some(store) = &mut self.store else {
            return Err(NotKept("the server ends"));
        };
        let Err(error) = store.append(batches) else {
            let written: usize = batches.iter().map(|batch| batch.weight()).sum();
            let written = PAGE_BYTES + written as u64;
            self.signals.written.fetch_add(written, Ordering::Relaxed);
            self.signals.commits.fetch_add(1, Ordering::Release);
            return Ok(());
        };
        tracing::error!(%error, "lines cannot be kept");
        self.signals.failures.fetch_add(1, Ordering::AcqRel);
        self.store = None; // and with it what SQLite believes to be on disk
        self.take_back(batches, needs_rewrite(&error));
        self.signals.failures.fetch_add(1, Ordering::AcqRel);
        Err(NotKept(why(&error)))
    }

    /// Whatever the failed commit has left in the file is taken out, before anybody is told and anything else is kept:
    /// its outcome is unknown, and its numbers are going to be used again.
    fn take_back(&mut self, batches: &[Arc<Batch>], rewrite: bool) {
        let mut pause = RETRY_MIN;
        while !self.signals.ends.load(Ordering::Relaxed) {
            match self.try_to_take_back(batches, rewrite) {
                Ok(store) => {
                    self.store = Some(store);
                    return;
                }
                Err(error) => {
                    tracing::error!(%error, "the journal cannot go on; trying again in {pause:?}")
                }
            }
            thread::sleep(pause);
            pause = (pause * 2).min(RETRY_MAX);
        }
    }

    fn try_to_take_back(&self, batches: &[Arc<Batch>], rewrite: bool) -> Result<Store, Unusable> {
        let mut store = Store::open(&self.path, self.keep)?;
        store.take_back(batches)?;
        // After a sync that failed, nobody knows what of the log that is written ahead is on disk; and a gap in it would
        // hide all that follows. So it is moved to its place, synced there, and begun anew.
        if rewrite && store.checkpoint("TRUNCATE")?.was_hindered {
            return Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
                Some("somebody reads the file".to_owned()),
            )
            .into());
        }
        Ok(store)
    }
}

/// Whether it is the disk, and not what was to be written.
fn has_failed(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::SystemIoFailure | ErrorCode::DiskFull)
    )
}

/// Says that a checkpoint has failed. What is written ahead stays and is moved later; but of what a sync was to bring to
/// the disk, the system may believe from now on that it is there.
pub(super) fn tell_not_moved(error: &rusqlite::Error) {
    if needs_rewrite(error) {
        tracing::error!(%error, "the disk has failed: what was kept may not survive a power cut; make a backup on another one");
    } else {
        tracing::warn!(%error, "what is written ahead cannot be moved to its place yet");
    }
}

/// A write that failed has refused, and nothing follows it. After a sync that failed, what was written before may or may
/// not be on disk; and the next one may say that all is well.
fn needs_rewrite(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    matches!(code, Some(SQLITE_IOERR_FSYNC | SQLITE_IOERR_DIR_FSYNC))
}

/// Why lines are not kept, as a clause for those who said them.
fn why(error: &rusqlite::Error) -> &'static str {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "the disk is full",
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            "the disk cannot be written to"
        }
        _ => "the disk has failed",
    }
}
