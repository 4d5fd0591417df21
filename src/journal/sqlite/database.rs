//! The database: the file of SQLite, for code that has its own tables in it. Knows no table.

use std::io;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use super::files::{Files, OpenError, failed};
use super::reader::ReaderThread;
use super::signals::Signals;
use super::writer::{FileChange, Work};

/// How many changes may wait; further callers wait for a permit.
pub(super) const CHANGES_MAX: usize = 64;

/// How often a caller that waits for a change checks whether the disk still answers.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The file cannot be read or written. The log says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the file cannot be written")]
pub(crate) struct DatabaseFailed;

/// The file of SQLite, for code that reads or deletes what the journal has stored. That code gets a
/// connection of rusqlite and nothing else of the journal; it runs in one of the two threads that
/// have the file open, after waiting commits. Clones share the threads.
///
/// [`open`](crate::journal::open) opens it together with the journal. A journal that stores lines
/// elsewhere still needs it for the other tables.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    work: SyncSender<Work>,
    permits: Arc<Semaphore>,
    signals: Arc<Signals>,
    reader: ReaderThread,
    files: Arc<Files>,
}

impl Database {
    pub(super) fn new(
        work: SyncSender<Work>,
        signals: Arc<Signals>,
        reader: ReaderThread,
        files: Arc<Files>,
    ) -> Database {
        Database { work, permits: Arc::new(Semaphore::new(CHANGES_MAX)), signals, reader, files }
    }

    /// Makes a change when no lines wait to be stored, and waits for it. A change must be short and
    /// atomic: one transaction.
    ///
    /// # Errors
    ///
    /// The change failed, or its outcome is unknown.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, DatabaseFailed> {
        let permit = self.unless_stuck(Arc::clone(&self.permits).acquire_owned());
        let permit = permit.await?;
        let (answer, answered) = oneshot::channel();
        self.begin(Box::new(move |connection| {
            let Some(connection) = connection.filter(|_| !answer.is_closed()) else {
                return Ok(());
            };
            let done = change(connection)?;
            answer.send(done).ok(); // perhaps the caller has stopped waiting
            drop(permit);
            Ok(())
        }))?;
        self.unless_stuck(answered).await?.map_err(|_| DatabaseFailed)
    }

    /// Reads, even while the disk accepts no change.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, DatabaseFailed> {
        self.reader.ask(|store| query(store.connection())).await.map_err(|_| DatabaseFailed)
    }

    /// Reads or changes something at the start of the server, and blocks until it is done.
    ///
    /// # Errors
    /// The file cannot be used.
    pub(crate) fn at_start<T: Send + 'static>(
        &self,
        what: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, OpenError> {
        let (answer, answered) = mpsc::channel();
        let begun = self.begin(Box::new(move |connection| {
            answer.send(connection.map(what)).ok();
            Ok(())
        }));
        let done = begun.ok().and_then(|()| answered.recv().ok().flatten());
        let stopped = || failed(self.path())(io::Error::other("the journal has stopped"));
        done.ok_or_else(stopped)?
            .map_err(|error| OpenError::File { path: self.path().to_owned(), error: error.into() })
    }

    /// Waits until another node's deletion is noted in the file.
    pub(crate) async fn deletion_noted(&self) {
        self.signals.deletion_noted.notified().await;
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        self.files.path()
    }

    fn begin(&self, change: FileChange) -> Result<(), DatabaseFailed> {
        // Each permit has a place in the queue; without a free place, the thread has ended.
        let begun = self.work.try_send(Work::Change(change));
        begun.map_err(|_| DatabaseFailed)
    }

    /// Waits for something, but gives up on a disk that does not answer.
    async fn unless_stuck<T>(&self, what: impl Future<Output = T>) -> Result<T, DatabaseFailed> {
        let mut what = pin!(what);
        loop {
            if self.signals.is_stuck() {
                return Err(DatabaseFailed);
            }
            if let Ok(done) = timeout(LOOK_EVERY, what.as_mut()).await {
                return Ok(done);
            }
        }
    }
}
