//! The journal on disk: a directory with a file of lines. Its own threads write and read the file,
//! so no connection waits for a disk.

use std::collections::HashMap;
use std::fs::File;
use std::future::ready;
use std::mem;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parlor_core::journal::{Commit, Journal, NotStored};
use parlor_core::log::Batch;
use parlor_core::model::{End, RoomName, WallTime};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::append::note_refused;
use super::archive::is_alone;
use super::database::{CHANGES_MAX, Database};
use super::fault::UnusableFile;
use super::files::{Files, OpenError, failed};
use super::holes::Holes;
use super::reader::{FileHistory, ReaderThread};
use super::row::stored_room;
use super::store::{BUSY_TIME, Store, checkpoint};
use super::verify::{Inspection, Unchecked};
use super::writer::{ANSWER_TIME, CommitJob, FileWriter, NO_ANSWER, Signals, Work, tell_not_moved};
use crate::config::Keep;
use crate::journal::epoch::passing_epoch;
use crate::journal::traits::History;

/// How often the write-ahead log is moved into the file.
const CHECKPOINT_EVERY: Duration = Duration::from_millis(250);

/// The least number of written bytes that is worth a sync.
const WRITTEN_AHEAD_MIN: u64 = 1 << 20;

/// If the log has more pages than this, 4 MiB, commits wait until it starts over: overwriting a
/// file costs one sync less than growing it.
const PAGES_AHEAD_MAX: i64 = 1_024;

/// How long a commit waits for more lines before a sync. However little it writes, a sync costs
/// tens of microseconds of a core in addition to the time of the disk: as much as fifty lines.
/// While many people talk, this pause saves syncs, and nobody notices it.
const SYNC_PAUSE: Duration = Duration::from_millis(1);

/// How long a refusal waits until its note is written, while the disk does not answer.
const NOTE_TIME: Duration = Duration::from_secs(1);

/// What a server starts with.
pub(crate) struct Startup {
    /// The epoch until the next start.
    pub(crate) epoch: String,
    /// The end of each room's lines.
    pub(crate) ends: HashMap<RoomName, End>,
    /// The time when the previous server ended; none if nothing is stored yet.
    pub(crate) last_run: Option<WallTime>,
}

/// A journal, and the parts that read and change its file.
pub(crate) struct OpenedDisk {
    pub(crate) disk: Disk,
    pub(crate) start: Startup,
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

impl Disk {
    /// Opens the journal in a directory, and creates a missing directory.
    ///
    /// # Errors
    ///
    /// The directory cannot be used; the error says why, and what to do.
    pub(crate) fn open(directory: &Path, keep: Keep) -> Result<OpenedDisk, OpenError> {
        let files = Arc::new(Files::claim(directory)?);
        let in_file = |error| OpenError::File { path: files.path().to_owned(), error };
        let (store, start, older) = open(files.path(), keep).map_err(in_file)?;
        let reader = ReaderThread::start(Arc::clone(&files))?;
        files.note_beside().map_err(|error| in_file(UnusableFile::Beside(error)))?;
        // The broadcaster has one commit under way, two refused ones may still be in the queue, and
        // there is one end.
        let (work, queue) = sync_channel(CHANGES_MAX + 4);
        let signals = Arc::new(Signals::default());
        let database =
            Database::new(work.clone(), Arc::clone(&signals), reader.clone(), Arc::clone(&files));
        let writer = FileWriter::new(Arc::clone(&files), keep, store, Arc::clone(&signals));
        let damages = Arc::default();
        let inspection = Inspection::new(files.path(), older, Arc::clone(&damages));
        let mut disk = Disk { work, keep, signals, threads: Vec::new(), files };
        disk.run("journal", move || writer.run(&queue), || ())?;
        let (files, signals) = (Arc::clone(&disk.files), Arc::clone(&disk.signals));
        let move_log = move |ends: &_| move_log_now_and_then(&files, keep, &signals, ends);
        disk.run_until_end("checkpoints", move_log)?;
        disk.run_until_end("inspection", move |ends| inspection.run(ends))?;
        let history = Arc::new(FileHistory { reader, damages, holes: Holes::default() });
        Ok(OpenedDisk { disk, start, history, database })
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

/// Opens the file for writing, and prepares it for this start.
fn open(path: &Path, keep: Keep) -> Result<(Store, Startup, Unchecked), UnusableFile> {
    is_alone(path)?;
    let mut store = Store::open(path, keep)?;
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
    Ok((store, Startup { epoch, ends, last_run }, older))
}

/// Moves the write-ahead log into the file at intervals, until the server ends.
fn move_log_now_and_then(files: &Files, keep: Keep, signals: &Signals, ends: &Receiver<()>) {
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

impl Journal for Disk {
    fn commit(&mut self, batches: &[Arc<Batch>]) -> Commit {
        if self.signals.is_stuck() {
            return Box::pin(ready(Err(NO_ANSWER)));
        }
        let (answer, mut outcome) = oneshot::channel();
        let (batches, noted) = (batches.to_vec(), batches.to_vec());
        let files = Arc::clone(&self.files);
        let work = Work::Commit(CommitJob { batches, answer });
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
            let noting = spawn_blocking(move || note_refused(files.path(), &noted));
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
