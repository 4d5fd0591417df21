//! The way into the file of a node, for its broadcaster and for another reader of the order, who
//! writes what the file has missed. Knows no order.

use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use parlor_core::broadcaster::Gathered;
use rusqlite::Connection;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::following::FileState;
use super::signals::Signals;
use super::writer::{BehindJob, Work};

/// How much of another reader of the order may wait for the file, in bytes.
const READ_BYTES_MAX: usize = 4 << 20;

/// How often that reader looks whether the file has less to do.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The way into the file of a node, for its broadcaster and for another reader of the order, who
/// writes what the file has missed.
pub(crate) struct FileView {
    state: Mutex<FileState<BehindJob>>,
    /// How much may wait for the file, in bytes. A disk that is that late does not follow any more.
    waiting_bytes_max: usize,
    work: SyncSender<Work>,
    signals: Arc<Signals>,
    stopped: Notify,
}

/// The file has stopped again.
#[derive(Debug, thiserror::Error)]
#[error("the disk is too slow")]
pub(crate) struct StoppedAgain;

impl FileView {
    /// The way to the thread that writes, for which this many bytes may wait.
    pub(super) fn new(
        work: SyncSender<Work>,
        signals: &Arc<Signals>,
        waiting_bytes_max: usize,
    ) -> FileView {
        let (state, stopped) = (Mutex::new(FileState::Following), Notify::new());
        FileView { state, waiting_bytes_max, work, signals: Arc::clone(signals), stopped }
    }

    fn state(&self) -> MutexGuard<'_, FileState<BehindJob>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a job of the broadcaster.
    pub(super) fn take(&self, job: BehindJob) {
        let mut state = self.state();
        let bytes = job.bytes;
        let Some(job) = state.take(job, bytes, self.waiting_bytes_max) else {
            return;
        };
        let waiting = self.signals.behind.load(Ordering::Relaxed);
        if (waiting > self.waiting_bytes_max || !self.push(job)) && state.stop() {
            tracing::error!(
                "the files of this node do not follow any more, because the disk is full, too slow or broken: \
                 its history ends here until the disk works"
            );
            self.stopped.notify_one();
        }
    }

    /// Notes that the jobs so far have everything up to a position.
    pub(super) fn give(&self, position: u64) {
        self.state().give(position);
    }

    /// Gives a job to the thread that writes. Returns whether there was space for it.
    fn push(&self, job: BehindJob) -> bool {
        let bytes = job.bytes;
        self.signals.behind.fetch_add(bytes, Ordering::Relaxed);
        let is_taken = self.work.try_send(Work::Behind(job)).is_ok();
        if !is_taken {
            self.signals.behind.fetch_sub(bytes, Ordering::Relaxed);
        }
        is_taken
    }

    /// Waits until the file stops.
    pub(crate) async fn stopped(&self) {
        while !matches!(*self.state(), FileState::Stopped) {
            self.stopped.notified().await;
        }
    }

    /// Waits until the file has at most this much to do, in bytes.
    async fn until_waiting(&self, bytes_max: usize) {
        while self.signals.behind.load(Ordering::Relaxed) > bytes_max {
            sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until everything that was given to the file is written.
    pub(crate) async fn until_written(&self) {
        self.until_waiting(0).await;
    }

    /// Writes what another reader has gathered, when the file has little to do.
    ///
    /// # Errors
    /// The server ends.
    pub(crate) async fn write(&self, gathered: &Gathered) -> Result<(), StoppedAgain> {
        let (batches, records) = (gathered.batches(), gathered.records());
        self.write_job(BehindJob::new(batches, records, gathered.position())).await
    }

    /// Lets the file have everything up to a position by storing something, for a message of this size in
    /// bytes, before there is a broadcaster.
    ///
    /// # Errors
    /// As above.
    pub(crate) async fn write_rows(
        &self,
        (position, bytes): (u64, usize),
        more: impl Fn(&Connection) -> rusqlite::Result<()> + Send + 'static,
    ) -> Result<(), StoppedAgain> {
        let more = Some(Box::new(more) as _);
        self.write_job(BehindJob { more, bytes, ..BehindJob::new(&[], &[], position) }).await
    }

    async fn write_job(&self, job: BehindJob) -> Result<(), StoppedAgain> {
        self.until_waiting(READ_BYTES_MAX).await;
        match self.push(job) {
            true => Ok(()),
            false => Err(StoppedAgain),
        }
    }

    /// Offers to read up to a position, or a later one. Returns the position at which the
    /// broadcaster has taken over, if it has.
    pub(crate) fn offer(&self, position: u64) -> Option<u64> {
        self.state().offer(position)
    }

    /// Lets the file follow the broadcaster again: everything up to the place where it has taken
    /// over was written.
    ///
    /// # Errors
    /// The file has stopped again.
    pub(crate) fn follow(&self) -> Result<(), StoppedAgain> {
        let mut state = self.state();
        let jobs = state.follow().ok_or(StoppedAgain)?;
        for (job, _) in jobs {
            if !self.push(job) {
                state.stop();
                return Err(StoppedAgain);
            }
        }
        Ok(())
    }

    /// Stops the file, for another try.
    pub(crate) fn stop(&self) {
        self.state().stop();
    }
}
