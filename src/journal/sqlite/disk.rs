//! The journal on disk: a directory with a file of lines. Its own threads write and read the file,
//! so no connection waits for a disk.

use std::future::ready;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parlor_core::journal::{Commit, Journal, NotStored, Record};
use parlor_core::log::Batch;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::append::note_refused;
use super::checkpoints::move_log_now_and_then;
use super::database::{CHANGES_MAX, Database};
use super::fate::Fate;
use super::fault::UnusableFile;
use super::files::{Files, OpenError, failed};
use super::holes::Holes;
use super::reader::{FileHistory, ReaderThread};
use super::signals::{ANSWER_TIME, Signals};
use super::startup::{self, Startup, start};
use super::verify::check_older;
use super::writer::{CommitJob, FileWriter, NO_ANSWER, Work};
use crate::config::Keep;
use crate::journal::recent::RecentMessages;
use crate::journal::traits::History;

/// How long a commit waits for more lines before a sync. However little it writes, a sync costs
/// tens of microseconds of a core in addition to the time of the disk: as much as fifty lines.
/// While many people talk, this pause saves syncs, and nobody notices it.
const SYNC_PAUSE: Duration = Duration::from_millis(1);

/// How many commits of a node may wait for its file.
const BEHIND_MAX: usize = 4_096;

/// How long a refusal waits until its note is written, while the disk does not answer.
const NOTE_TIME: Duration = Duration::from_secs(1);

/// A journal, and the parts that read and change its file.
pub(crate) struct OpenedDisk {
    /// The messages of an order that the file does not have.
    pub(crate) recent: Arc<RecentMessages>,
    pub(crate) disk: Disk,
    pub(crate) startup: Startup,
    pub(crate) history: Arc<dyn History>,
    pub(crate) database: Database,
}

/// Stores lines in a directory. Dropping it finishes the work that has begun.
pub(crate) struct Disk {
    work: SyncSender<Work>,
    keep: Keep,
    pub(crate) signals: Arc<Signals>,
    threads: Vec<JournalThread>,
    /// The files, locked while the journal is open.
    files: Arc<Files>,
}

/// A thread that ends with the journal.
struct JournalThread {
    thread: JoinHandle<()>,
    /// Makes the thread notice that it must end.
    wake: Box<dyn Fn() + Send>,
}

/// Checks that no other server uses a directory, and creates it if it is missing.
///
/// # Errors
/// The directory cannot be used; the error says why, and what to do.
pub(crate) fn check_directory(directory: &Path) -> Result<(), OpenError> {
    Files::claim(directory).map(drop)
}

/// The name with which what is in a directory can begin the log of several nodes; none if it has
/// nothing.
///
/// # Errors
/// The directory cannot be used, or is that of a node already.
pub(crate) fn log_of_past(directory: &Path) -> Result<Option<String>, OpenError> {
    let files = Files::claim(directory)?;
    let in_file = |error| OpenError::File { path: files.path().to_owned(), error };
    startup::log_of_past(files.path()).map_err(in_file)
}

impl Disk {
    /// Opens the journal in a directory, and creates a missing directory.
    ///
    /// # Errors
    ///
    /// The directory cannot be used; the error says why, and what to do.
    ///
    /// As one of several nodes, it is the view of a log with the name `log`.
    pub(crate) fn open(
        directory: &Path,
        keep: Keep,
        log: Option<&str>,
    ) -> Result<OpenedDisk, OpenError> {
        let files = Arc::new(Files::claim(directory)?);
        let in_file = |error| OpenError::File { path: files.path().to_owned(), error };
        let (store, startup, older) = start(files.path(), keep, log).map_err(in_file)?;
        let reader = ReaderThread::start(Arc::clone(&files), log.is_some())?;
        files.note_beside().map_err(|error| in_file(UnusableFile::Beside(error)))?;
        // The broadcaster has one commit under way, two refused ones may still be in the queue, and
        // there is one end.
        let behind = if log.is_some() { BEHIND_MAX } else { 0 };
        let (work, queue) = sync_channel(CHANGES_MAX + 4 + behind);
        let signals = Arc::new(Signals::default());
        let database =
            Database::new(work.clone(), Arc::clone(&signals), reader.clone(), Arc::clone(&files));
        let recent = Arc::new(RecentMessages::new(None));
        let writer = FileWriter::new(
            Arc::clone(&files),
            keep,
            store,
            Arc::clone(&signals),
            Arc::clone(&recent),
        );
        let damages = Arc::default();
        let mut disk = Disk { work, keep, signals, threads: Vec::new(), files };
        disk.run("journal", move || writer.run(&queue), || ())?;
        let (files, signals) = (Arc::clone(&disk.files), Arc::clone(&disk.signals));
        let move_log = move |ends: &_| move_log_now_and_then(&files, keep, &signals, ends);
        disk.run_until_end("checkpoints", move_log)?;
        let (path, told) = (database.path().to_owned(), Arc::clone(&damages));
        let check = move |ends: &_| check_older(&path, &older, &told, ends);
        disk.run_until_end("inspection", check)?;
        let history = Arc::new(FileHistory { reader, damages, holes: Holes::default() });
        Ok(OpenedDisk { disk, recent, startup, history, database })
    }

    /// The way to the thread that writes.
    pub(super) fn work(&self) -> SyncSender<Work> {
        self.work.clone()
    }

    /// Runs work that reads the files, in a thread that ends with the journal: when
    /// [`Signals::ends`] is set and `wake` was called.
    ///
    /// # Errors
    ///
    /// The system cannot start another thread.
    pub(crate) fn run(
        &mut self,
        name: &str,
        work: impl FnOnce() + Send + 'static,
        wake: impl Fn() + Send + 'static,
    ) -> Result<(), OpenError> {
        let spawned = thread::Builder::new().name(name.to_owned()).spawn(work);
        let thread = spawned.map_err(failed(self.files.path()))?;
        let wake = Box::new(wake);
        self.threads.push(JournalThread { thread, wake });
        Ok(())
    }

    fn run_until_end(
        &mut self,
        name: &str,
        work: impl FnOnce(&Receiver<()>) + Send + 'static,
    ) -> Result<(), OpenError> {
        let (end, ends) = channel::<()>();
        let wake = move || {
            end.send(()).ok(); // it may have ended by itself
        };
        self.run(name, move || work(&ends), wake)
    }
}

impl Journal for Disk {
    fn commit(&mut self, batches: &[Arc<Batch>], records: &[Record]) -> Commit {
        if self.signals.is_stuck() {
            return Box::pin(ready(Err(NO_ANSWER)));
        }
        let (answer, mut outcome) = oneshot::channel();
        let (batches, noted, records) = (batches.to_vec(), batches.to_vec(), records.to_vec());
        let files = Arc::clone(&self.files);
        let fate = Arc::new(Fate::default());
        let job = CommitJob { batches, records, answer, fate: Arc::clone(&fate) };
        let work = Work::Commit(job);
        self.work.try_send(work).ok(); // on failure the thread has ended, and drops the sender
        Box::pin(async move {
            let ended = |_| Err(NotStored("the journal has stopped"));
            if let Ok(answer) = timeout(ANSWER_TIME, &mut outcome).await {
                return answer.unwrap_or_else(ended);
            }
            // From here on the writer treats the lines as refused, unless it has just answered.
            outcome.close();
            if let Ok(answer) = outcome.try_recv() {
                return answer;
            }
            let undo = fate.refuse();
            let noting = spawn_blocking(move || note_refused(files.path(), &noted, undo.as_ref()));
            timeout(NOTE_TIME, noting).await.ok(); // on failure the disk is still stuck
            Err(NO_ANSWER)
        })
    }

    fn pause(&self) -> Duration {
        match self.keep {
            Keep::Synced => SYNC_PAUSE,
            Keep::Written => Duration::ZERO,
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.signals.ends.store(true, Ordering::Relaxed);
        self.work.send(Work::End).ok(); // it may have ended by itself
        for JournalThread { wake, .. } in &self.threads {
            wake();
        }
        for JournalThread { thread, .. } in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the journal ended with a panic; this is a bug");
            }
        }
    }
}
