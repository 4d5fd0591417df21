//! The thread that writes: one commit after the other, and the way back after one that failed.

use std::collections::VecDeque;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use parlor_core::journal::NotKept;
use parlor_core::log::Batch;
use rusqlite::ErrorCode;
use rusqlite::ffi::{SQLITE_IOERR_DIR_FSYNC, SQLITE_IOERR_FSYNC};
use tokio::sync::oneshot;

use super::errands::Errand;
use super::fault::Unusable;
use super::files::{Displaced, Files};
use super::refused;
use super::store::Store;
use crate::config::Keep;

/// After a failure the file is tried again after this long at first, and after this long at last.
const RETRY_MIN: Duration = Duration::from_millis(50);
const RETRY_MAX: Duration = Duration::from_secs(1);

/// While nobody says anything, it looks so often whether the files are still in their places.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Nobody waits longer for a disk. One that takes three seconds for a sync is slow and keeps lines all the same.
pub(crate) const ANSWER_TIME: Duration = Duration::from_secs(8);

/// Why lines are not kept where the disk takes longer.
pub(crate) const NO_ANSWER: NotKept = NotKept("the disk does not answer");

/// Commits wait so long for somebody who reads, before what is written ahead begins anew; a backup reads for longer, and
/// it grows meanwhile.
const PATIENCE: Duration = Duration::from_millis(20);

/// A commit writes one at the least.
const PAGE_BYTES: u64 = 4096;

/// What the thread is to do.
pub(crate) enum Work {
    /// To keep lines, before anything else.
    Commit(Job),
    /// Something else, when no lines wait.
    Errand(Errand),
    /// To end, when all that was asked for before is done.
    End,
}

/// What is to be kept, and who waits for it. Whoever waits no longer has refused it: then it is not kept.
pub(crate) struct Job {
    pub(crate) batches: Vec<Arc<Batch>>,
    pub(crate) kept: oneshot::Sender<Result<(), NotKept>>,
}

/// What the committer shares with those who started it.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    /// The house ends: nobody waits any more.
    pub(crate) ends: AtomicBool,
    /// About so many bytes have been written ahead since somebody last moved them to their place.
    pub(crate) written: AtomicU64,
    /// Goes up with each commit: there is something new to read.
    pub(crate) commits: AtomicU64,
    /// Goes up when a commit fails, and again when what it left behind has been taken out: while it is odd, there may be
    /// lines in the file that nobody has seen.
    pub(crate) failures: AtomicU64,
    /// So much is written ahead that it must begin anew before more is.
    pub(crate) is_long: AtomicBool,
    /// Since when the committer has been at its present piece of work; none while it waits for one.
    pub(crate) began: Mutex<Option<Instant>>,
}

impl Signals {
    /// Whether the disk has not answered for so long that nobody waits for it any more.
    pub(crate) fn is_stuck(&self) -> bool {
        let began = *self.began.lock().unwrap_or_else(PoisonError::into_inner);
        began.is_some_and(|began| began.elapsed() >= ANSWER_TIME)
    }

    fn works(&self, since: Option<Instant>) {
        *self.began.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }
}

/// Writes lines into the file.
pub(crate) struct Committer {
    pub(crate) files: Arc<Files>,
    pub(crate) keep: Keep,
    /// None after a failure, until the file can be opened again.
    pub(crate) store: Option<Store>,
    pub(crate) signals: Arc<Signals>,
    /// What keeps it from writing, if anything.
    pub(crate) trouble: Option<Trouble>,
    /// The operator knows that lines are refused.
    pub(crate) is_told: bool,
}

/// A failure that is not mended. Until it is, everything is refused.
pub(crate) struct Trouble {
    why: NotKept,
    /// What the file may have of lines that nobody has seen.
    unseen: Vec<Arc<Batch>>,
    /// A sync has failed.
    rewrite: bool,
    pause: Duration,
    again: Instant,
}

/// Why lines are not stored.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Disk(#[from] rusqlite::Error),
    #[error(transparent)]
    Unusable(#[from] Unusable),
    #[error(transparent)]
    Displaced(#[from] Displaced),
    #[error("the disk took longer than {} s, and the lines have been refused", ANSWER_TIME.as_secs())]
    TooLate,
}

impl Committer {
    /// Works until it is told to end.
    pub(crate) fn run(mut self, work: &Receiver<Work>) {
        let mut errands = VecDeque::new();
        loop {
            let next = work.recv_timeout(self.patience(errands.is_empty()));
            self.signals.works(Some(Instant::now()));
            match next {
                Ok(Work::Commit(job)) => {
                    self.commit(job);
                    self.begin_anew_if_long();
                }
                Ok(Work::Errand(errand)) => errands.push_back(errand),
                Err(RecvTimeoutError::Timeout) => match errands.pop_front() {
                    Some(errand) => self.run_errand(errand),
                    None => self.look_after_files(),
                },
                Ok(Work::End) | Err(RecvTimeoutError::Disconnected) => break,
            }
            self.signals.works(None);
        }
        errands
            .into_iter()
            .for_each(|errand| self.run_errand(errand));
        self.mend();
        match self.store.take() {
            // Where the last connection is closed, SQLite moves what is written ahead: this one stays open.
            Some(store) if self.files.is_emptied() => mem::forget(store),
            Some(store) => {
                store.checkpoint("TRUNCATE").ok(); // it is done at the next start otherwise
            }
            None => {}
        }
    }

    /// How long it waits for lines before it does something else.
    fn patience(&self, is_idle: bool) -> Duration {
        match &self.trouble {
            _ if !is_idle => Duration::ZERO,
            Some(trouble) => trouble.again.saturating_duration_since(Instant::now()),
            None => LOOK_EVERY,
        }
    }

    fn begin_anew_if_long(&self) {
        if self.trouble.is_none()
            && self.signals.is_long.swap(false, Ordering::Relaxed)
            && let Some(store) = &self.store
            && let Err(error) = store.begin_anew(PATIENCE)
        {
            tell_not_moved(&error);
        }
    }

    /// Runs an errand; with no file where that cannot be written to.
    fn run_errand(&mut self, errand: Errand) {
        self.look_after_files();
        let store = self.store.as_mut().filter(|_| self.trouble.is_none());
        match errand(store) {
            Ok(()) => {
                let written = &self.signals.written;
                written.fetch_add(PAGE_BYTES, Ordering::Relaxed);
            }
            Err(error) if has_failed(&error) => self.fail(error.into(), Vec::new()),
            Err(error) => tracing::error!(%error, "a change cannot be stored"),
        }
    }

    /// Makes sure that the files are usable, as far as that can be done.
    fn look_after_files(&mut self) {
        self.mend();
        if self.trouble.is_none()
            && let Err(displaced) = self.files.are_in_place()
        {
            self.fail(displaced.into(), Vec::new());
        }
    }

    fn commit(&mut self, Job { batches, kept }: Job) {
        self.mend();
        if kept.is_closed() {
            // Refused while it waited: nothing of it is in the file.
            if self.trouble.is_none() {
                refused::is_gone(self.files.path());
            }
            return;
        }
        if let Some(trouble) = &self.trouble {
            kept.send(Err(trouble.why)).ok(); // perhaps the house is closed
            return;
        }
        if let Err(failure) = self.store(&batches) {
            let why = failure.why();
            self.fail(failure, batches);
            kept.send(Err(why)).ok();
            return;
        }
        if kept.send(Ok(())).is_err() {
            return self.fail(Failure::TooLate, batches);
        }
        let written: usize = batches.iter().map(|batch| batch.weight()).sum();
        let written = PAGE_BYTES + written as u64;
        self.signals.written.fetch_add(written, Ordering::Relaxed);
        self.signals.commits.fetch_add(1, Ordering::Release);
        if mem::take(&mut self.is_told) {
            tracing::info!("lines are stored again");
        }
    }

    fn store(&mut self, batches: &[Arc<Batch>]) -> Result<(), Failure> {
        let store = self.store.as_mut();
        store.ok_or(Failure::TooLate)?.append(batches)?;
        Ok(self.files.are_in_place()?)
    }

    /// Tells the operator, and tries at once to mend it.
    fn fail(&mut self, failure: Failure, unseen: Vec<Arc<Batch>>) {
        self.tell(&failure);
        self.signals.failures.fetch_add(1, Ordering::AcqRel);
        if let Failure::Disk(_) = failure {
            self.store = None; // and with it what SQLite believes to be on disk
        }
        self.trouble = Some(Trouble {
            why: failure.why(),
            unseen,
            rewrite: failure.needs_rewrite(),
            pause: RETRY_MIN,
            again: Instant::now(),
        });
        self.mend();
    }

    /// The operator is told once, however many lines are refused then.
    fn tell(&mut self, failure: &Failure) {
        if !mem::replace(&mut self.is_told, true) {
            tracing::error!(error = %failure, "lines cannot be stored");
        }
    }

    /// Makes the file usable again, if it is not: whatever failed commits have left in it is taken out, before anything
    /// else is kept. Their outcome is unknown, and their numbers are going to be used again.
    fn mend(&mut self) {
        let Some(mut trouble) = self.trouble.take() else {
            return;
        };
        let Err(failure) = self.try_to_mend(&mut trouble) else {
            refused::is_gone(self.files.path());
            self.signals.failures.fetch_add(1, Ordering::AcqRel);
            return;
        };
        self.tell(&failure);
        trouble.why = failure.why();
        trouble.rewrite |= failure.needs_rewrite();
        trouble.again = Instant::now() + trouble.pause;
        trouble.pause = (trouble.pause * 2).min(RETRY_MAX);
        self.trouble = Some(trouble);
    }

    fn try_to_mend(&mut self, trouble: &mut Trouble) -> Result<(), Failure> {
        let in_place = self.files.are_in_place();
        if let Err(Displaced::Emptied(_)) = in_place {
            in_place.clone()?; // nothing is mended by what is written behind the hole
        }
        let store = match &mut self.store {
            Some(store) => store,
            None => {
                in_place.clone()?; // else it would be another file that is opened
                let store = Store::open(self.files.path(), self.keep)?;
                self.store.insert(store)
            }
        };
        // After a sync that failed, nobody knows what of the log that is written ahead is on disk; and a gap in it would
        // hide all that follows. And one that is no longer in its place is lost. So it is moved, synced, and begun anew.
        let rewrite = trouble.rewrite || in_place.is_err();
        if let Err(error) = take_back(store, &trouble.unseen, rewrite) {
            self.store.take_if(|_| has_failed(&error));
            return Err(error.into());
        }
        (trouble.unseen, trouble.rewrite) = (Vec::new(), false);
        Ok(in_place?)
    }
}

impl Failure {
    /// Why lines are not kept, as a clause for those who said them.
    fn why(&self) -> NotKept {
        match self {
            Failure::Disk(error) | Failure::Unusable(Unusable::Sqlite(error)) => {
                NotKept(why(error))
            }
            Failure::Unusable(_) => NotKept("the file of lines is damaged"),
            Failure::Displaced(_) => NotKept("the server's files have been moved or deleted"),
            Failure::TooLate => NO_ANSWER,
        }
    }

    fn needs_rewrite(&self) -> bool {
        match self {
            Failure::Disk(error) | Failure::Unusable(Unusable::Sqlite(error)) => {
                needs_rewrite(error)
            }
            Failure::Unusable(_) | Failure::Displaced(_) | Failure::TooLate => false,
        }
    }
}

/// Takes out lines that nobody has seen, and perhaps has the log that is written ahead begin anew.
fn take_back(store: &mut Store, unseen: &[Arc<Batch>], rewrite: bool) -> rusqlite::Result<()> {
    store.take_back(unseen)?;
    if rewrite && store.checkpoint("TRUNCATE")?.was_hindered {
        return Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
            Some("another process is reading the file".to_owned()),
        ));
    }
    Ok(())
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
pub(crate) fn tell_not_moved(error: &rusqlite::Error) {
    if needs_rewrite(error) {
        tracing::error!(%error, "the disk has failed: stored lines may not survive a power cut; make a backup on another disk");
    } else {
        tracing::warn!(%error, "the write-ahead log cannot be moved into the database yet");
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
            "the disk cannot be written"
        }
        _ => "the disk has failed",
    }
}
