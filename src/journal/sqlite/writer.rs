//! The thread that writes: it makes one commit after the other, and repairs the file after a failed
//! commit.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use parlor_core::journal::{NotStored, Record, Snapshot};
use parlor_core::log::Batch;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::append::delete_note;
use super::checkpoints::{checkpoint, needs_rewrite, tell_not_moved};
use super::disk_error::{has_failed, why};
use super::fate::Fate;
use super::fault::UnusableFile;
use super::files::{Displaced, Files};
use super::signals::{ANSWER_TIME, Signals};
use super::store::{BUSY_TIME, Store};
use super::undo::Undo;
use crate::config::Keep;
use crate::journal::recent::RecentMessages;

/// The pause before the first repair after a failure, and the longest pause before later ones.
const RETRY_MIN: Duration = Duration::from_millis(50);
const RETRY_MAX: Duration = Duration::from_secs(1);

/// How often an idle thread checks that the files are still in their places.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Why lines are refused if the disk takes longer than that.
pub(super) const NO_ANSWER: NotStored = NotStored("the disk does not answer");

/// How long commits wait for a reader before the write-ahead log starts over. A backup reads for
/// longer, and the log grows meanwhile.
const PATIENCE: Duration = Duration::from_millis(20);

/// A page of the file: a commit writes at least one.
const PAGE_BYTES: u64 = 4096;

/// A change to tables other than the lines. It gets no connection if the file cannot be used now.
/// It sends its own result.
pub(super) type FileChange =
    Box<dyn FnOnce(Option<&mut Connection>) -> rusqlite::Result<()> + Send>;

/// Work for the thread.
pub(super) enum Work {
    /// Store lines, before anything else.
    Commit(CommitJob),
    /// Store lines that are in the order of several nodes, after earlier ones.
    Behind(BehindJob),
    /// Change something else, when no lines wait.
    Change(FileChange),
    /// End, when all earlier work is done.
    End,
}

/// Lines and records to store. If the receiver of the answer is gone, they are refused already and are
/// not stored.
pub(super) struct CommitJob {
    pub(super) batches: Vec<Arc<Batch>>,
    pub(super) records: Vec<Record>,
    pub(super) answer: oneshot::Sender<Result<(), NotStored>>,
    pub(super) fate: Arc<Fate>,
}

/// Stores something, in a transaction that may be tried again.
pub(super) type MoreRows = Box<dyn Fn(&Connection) -> rusqlite::Result<()> + Send>;

/// Lines and records that are in the order of several nodes.
pub(super) struct BehindJob {
    pub(super) batches: Vec<Arc<Batch>>,
    pub(super) records: Vec<Record>,
    /// Stores something else before them.
    pub(super) more: Option<MoreRows>,
    /// The ledger at the position, in a job of its own.
    pub(super) snapshot: Option<Arc<Snapshot>>,
    /// The position in the order up to which this and earlier jobs have everything.
    pub(super) position: u64,
    /// The size of all that, in bytes.
    pub(super) bytes: usize,
}

impl BehindJob {
    /// The lines and records up to a position.
    pub(super) fn new(batches: &[Arc<Batch>], records: &[Record], position: u64) -> BehindJob {
        let bytes = batches.iter().map(|batch| batch.weight()).sum();
        let (batches, records) = (batches.to_vec(), records.to_vec());
        BehindJob { batches, records, more: None, snapshot: None, position, bytes }
    }
}

/// Writes lines into the file.
pub(super) struct FileWriter {
    files: Arc<Files>,
    keep: Keep,
    /// None after a failure, until the file can be opened again.
    store: Option<Store>,
    signals: Arc<Signals>,
    /// The messages of the order that the file does not have.
    recent: Arc<RecentMessages>,
    /// Jobs that the file does not have yet. A job stays until it is stored.
    behind: VecDeque<BehindJob>,
    /// A failure that is not repaired yet.
    breakdown: Option<Breakdown>,
    /// The operator was told that lines are refused.
    is_told: bool,
}

/// A failure that is not repaired yet. Until then, everything is refused.
struct Breakdown {
    why: NotStored,
    /// The file may have these lines and records, which nobody has seen.
    unseen: Unseen,
    /// A sync has failed.
    rewrite: bool,
    pause: Duration,
    again: Instant,
}

/// A commit of which the file may have everything or nothing.
#[derive(Default)]
struct Unseen {
    batches: Vec<Arc<Batch>>,
    /// The way back from its records.
    undo: Option<Undo>,
}

/// Why lines are not stored.
#[derive(Debug, thiserror::Error)]
enum CommitFailure {
    #[error(transparent)]
    Disk(#[from] rusqlite::Error),
    #[error(transparent)]
    Unusable(#[from] UnusableFile),
    #[error(transparent)]
    Displaced(#[from] Displaced),
    #[error("the disk took longer than {} s, and the lines have been refused", ANSWER_TIME.as_secs())]
    TooLate,
}

impl FileWriter {
    pub(super) fn new(
        files: Arc<Files>,
        keep: Keep,
        store: Store,
        signals: Arc<Signals>,
        recent: Arc<RecentMessages>,
    ) -> Self {
        let (store, behind) = (Some(store), VecDeque::new());
        FileWriter { files, keep, store, signals, recent, behind, breakdown: None, is_told: false }
    }

    /// Works until it receives the end.
    pub(super) fn run(mut self, work: &Receiver<Work>) {
        let mut changes = VecDeque::new();
        loop {
            let next = work.recv_timeout(self.patience(changes.is_empty()));
            self.signals.works(Some(Instant::now()));
            match next {
                Ok(Work::Commit(job)) => {
                    self.commit(job);
                    self.begin_anew_if_long();
                }
                Ok(Work::Behind(job)) => {
                    self.behind.push_back(job);
                    self.write_behind();
                    self.begin_anew_if_long();
                }
                Ok(Work::Change(change)) => changes.push_back(change),
                Err(RecvTimeoutError::Timeout) => {
                    self.write_behind();
                    match changes.pop_front() {
                        Some(change) => self.change(change),
                        None => self.look_after_files(),
                    }
                }
                Ok(Work::End) | Err(RecvTimeoutError::Disconnected) => break,
            }
            self.signals.works(None);
        }
        self.write_behind();
        changes.into_iter().for_each(|change| self.change(change));
        self.repair();
        match self.store.take() {
            // When the last connection is closed, SQLite moves the log into the file. So this
            // connection stays open.
            Some(store) if self.files.is_emptied() => mem::forget(store),
            Some(store) => {
                // If this fails, the next start does it.
                checkpoint(&store.connection, "TRUNCATE", BUSY_TIME).ok();
            }
            None => {}
        }
    }

    /// How long to wait for lines before other work.
    fn patience(&self, is_idle: bool) -> Duration {
        match &self.breakdown {
            _ if !is_idle => Duration::ZERO,
            Some(breakdown) => breakdown.again.saturating_duration_since(Instant::now()),
            None => LOOK_EVERY,
        }
    }

    fn begin_anew_if_long(&self) {
        if self.breakdown.is_none()
            && self.signals.is_long.swap(false, Ordering::Relaxed)
            && let Some(store) = &self.store
            && let Err(error) = checkpoint(&store.connection, "RESTART", PATIENCE)
        {
            tell_not_moved(&error);
        }
    }

    /// Makes a change; it gets no file if the file is not writable.
    fn change(&mut self, change: FileChange) {
        self.look_after_files();
        self.write_behind(); // a deletion may be about lines that wait
        let store = self.store.as_mut().filter(|_| self.breakdown.is_none());
        match change(store.map(Store::connection)) {
            Ok(()) => {
                let written = &self.signals.written;
                written.fetch_add(PAGE_BYTES, Ordering::Relaxed);
            }
            Err(error) if has_failed(&error) => self.fail(error.into(), Unseen::default()),
            Err(error) => tracing::error!(%error, "a change cannot be stored"),
        }
    }

    /// Makes the files usable, as far as possible.
    fn look_after_files(&mut self) {
        self.repair();
        if self.breakdown.is_none()
            && let Err(displaced) = self.files.are_in_place()
        {
            self.fail(displaced.into(), Unseen::default());
        }
    }

    fn commit(&mut self, CommitJob { batches, records, answer, fate }: CommitJob) {
        self.repair();
        if answer.is_closed() {
            return self.forget_refused();
        }
        if let Some(breakdown) = &self.breakdown {
            answer.send(Err(breakdown.why)).ok(); // perhaps the server has ended
            return;
        }
        match self.store(&batches, &records, &fate) {
            Ok(true) => {}
            Ok(false) => return self.forget_refused(),
            Err(failure) => {
                let why = failure.why();
                self.fail(failure, Unseen { batches, undo: fate.undo() });
                answer.send(Err(why)).ok();
                return;
            }
        }
        if answer.send(Ok(())).is_err() {
            let undo = fate.undo();
            return self.fail(CommitFailure::TooLate, Unseen { batches, undo });
        }
        let written: usize = batches.iter().map(|batch| batch.weight()).sum();
        let written = PAGE_BYTES + written as u64;
        self.signals.written.fetch_add(written, Ordering::Relaxed);
        self.signals.commits.fetch_add(1, Ordering::Release);
        if mem::take(&mut self.is_told) {
            tracing::info!("lines are stored again");
        }
    }

    /// Stores jobs in their order, until one fails: it is tried again after the repair. A
    /// transaction of unknown outcome does no harm, because it has the position of its job.
    fn write_behind(&mut self) {
        while let Some(job) = self.behind.pop_front() {
            self.repair();
            if self.breakdown.is_some() {
                return self.behind.push_front(job);
            }
            if let Err(failure) = self.store_behind(&job) {
                self.behind.push_front(job);
                return self.fail(failure, Unseen::default());
            }
            self.signals.behind.fetch_sub(job.bytes, Ordering::Relaxed);
            self.signals.written.fetch_add(PAGE_BYTES + job.bytes as u64, Ordering::Relaxed);
            self.signals.commits.fetch_add(1, Ordering::Release);
            if job.records.iter().any(|record| matches!(record, Record::LinesDeleted { .. })) {
                self.signals.deletion_noted.notify_one();
            }
            if mem::take(&mut self.is_told) {
                tracing::info!("lines are stored again");
            }
        }
    }

    fn store_behind(&mut self, job: &BehindJob) -> Result<(), CommitFailure> {
        let store = self.store.as_mut().ok_or(CommitFailure::TooLate)?;
        let taken = self.recent.take(job.position);
        store.append_behind(job, &taken)?;
        self.recent.stored(job.position);
        Ok(self.files.are_in_place()?)
    }

    /// Stores lines and records, unless they are refused already. Returns whether it has tried.
    fn store(
        &mut self,
        batches: &[Arc<Batch>],
        records: &[Record],
        fate: &Fate,
    ) -> Result<bool, CommitFailure> {
        let store = self.store.as_mut().ok_or(CommitFailure::TooLate)?;
        let is_made = store.append(batches, records, |undo| fate.begin(undo))?;
        self.files.are_in_place()?;
        Ok(is_made)
    }

    /// Forgets lines that were refused while they waited, so none is in the file.
    fn forget_refused(&self) {
        if self.breakdown.is_none() {
            delete_note(self.files.path());
        }
    }

    /// Tells the operator, and tries a repair at once.
    fn fail(&mut self, failure: CommitFailure, unseen: Unseen) {
        self.tell(&failure);
        self.signals.failures.fetch_add(1, Ordering::AcqRel);
        if let CommitFailure::Disk(_) = failure {
            self.store = None; // so that SQLite forgets what it believes to be on disk
        }
        self.breakdown = Some(Breakdown {
            why: failure.why(),
            unseen,
            rewrite: failure.needs_rewrite(),
            pause: RETRY_MIN,
            again: Instant::now(),
        });
        self.repair();
    }

    /// Tells the operator once, however many lines are refused.
    fn tell(&mut self, failure: &CommitFailure) {
        if !mem::replace(&mut self.is_told, true) {
            tracing::error!(error = %failure, "lines cannot be stored");
        }
    }

    /// Repairs the file, if it is not usable. Leftovers of failed commits are removed before
    /// anything else is stored: their outcome is unknown, and their numbers will be used again.
    fn repair(&mut self) {
        let Some(mut breakdown) = self.breakdown.take() else {
            return;
        };
        let Err(failure) = self.try_to_repair(&mut breakdown) else {
            delete_note(self.files.path());
            self.signals.failures.fetch_add(1, Ordering::AcqRel);
            return;
        };
        self.tell(&failure);
        breakdown.why = failure.why();
        breakdown.rewrite |= failure.needs_rewrite();
        breakdown.again = Instant::now() + breakdown.pause;
        breakdown.pause = (breakdown.pause * 2).min(RETRY_MAX);
        self.breakdown = Some(breakdown);
    }

    fn try_to_repair(&mut self, breakdown: &mut Breakdown) -> Result<(), CommitFailure> {
        let in_place = self.files.are_in_place();
        if let Err(Displaced::Emptied(_)) = in_place {
            in_place.clone()?; // writing after the hole repairs nothing
        }
        let store = match &mut self.store {
            Some(store) => store,
            None => {
                in_place.clone()?; // otherwise this would open another file
                let store = Store::open(self.files.path(), self.keep)?;
                self.store.insert(store)
            }
        };
        // After a failed sync, nobody knows which part of the write-ahead log is on disk, and a gap
        // in it would hide everything after it. A log that was deleted or replaced is lost. So the
        // log is moved into the file, synced, and started over.
        let rewrite = breakdown.rewrite || in_place.is_err();
        if let Err(error) = remove_unseen(store, &breakdown.unseen, rewrite) {
            self.store.take_if(|_| has_failed(&error));
            return Err(error.into());
        }
        (breakdown.unseen, breakdown.rewrite) = (Unseen::default(), false);
        Ok(in_place?)
    }
}

impl CommitFailure {
    /// Why lines are refused, as a clause for their speakers.
    fn why(&self) -> NotStored {
        match self {
            CommitFailure::Disk(error) | CommitFailure::Unusable(UnusableFile::Sqlite(error)) => {
                NotStored(why(error))
            }
            CommitFailure::Unusable(_) => NotStored("the file of lines is damaged"),
            CommitFailure::Displaced(_) => {
                NotStored("the server's files have been moved or deleted")
            }
            CommitFailure::TooLate => NO_ANSWER,
        }
    }

    fn needs_rewrite(&self) -> bool {
        match self {
            CommitFailure::Disk(error) | CommitFailure::Unusable(UnusableFile::Sqlite(error)) => {
                needs_rewrite(error)
            }
            _ => false,
        }
    }
}

/// Removes lines and records that nobody has seen, and makes the write-ahead log start over if
/// `rewrite`.
fn remove_unseen(store: &mut Store, unseen: &Unseen, rewrite: bool) -> rusqlite::Result<()> {
    store.remove_unseen(&unseen.batches, unseen.undo.as_ref())?;
    if rewrite && checkpoint(&store.connection, "TRUNCATE", BUSY_TIME)?.was_hindered {
        return Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
            Some("another process is reading the file".to_owned()),
        ));
    }
    Ok(())
}
