//! The journal on disk: a directory with a file of lines. Commits happen in a thread of their own, so no connection
//! ever waits for a disk.

use std::fs::File;
use std::future::ready;
use std::io;
use std::mem;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parlor_core::journal::{Commit, Journal, NotKept, Past};
use parlor_core::log::Batch;
use parlor_core::model::{End, WallTime};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::epochs::passing_epoch;
use super::errands::{ERRANDS_MAX, Errands};
use super::fault::Unusable;
use super::files::{Files, OpenError};
use super::reader::History;
use super::refused;
use super::store::Store;
use super::verify::{Inspection, is_alone};
use super::writer::{ANSWER_TIME, Committer, Job, NO_ANSWER, Signals, Work, tell_not_moved};
use crate::accounts::CODE_LIFE;
use crate::audit::kept_room;
use crate::clock;
use crate::config::Keep;
use crate::journal::erase::{Own, Retention, TakingId};
use crate::journal::search::Search;

/// So often what has been written ahead is moved to its place.
const CHECKPOINT_EVERY: Duration = Duration::from_millis(250);

/// Less than this is not worth a sync.
const WRITTEN_AHEAD_MIN: u64 = 1 << 20;

/// More than this, 4 MiB, and commits wait until it has begun anew: a file that is written over again costs a sync
/// less than one that grows.
const PAGES_AHEAD_MAX: i64 = 1_024;

/// A sync takes tens of microseconds of a core beside the time of the disk, however little is written: so much as fifty
/// lines. While many talk, they are worth this wait, which nobody sees.
const SYNC_PAUSE: Duration = Duration::from_millis(1);

/// Whoever is refused because the disk does not answer waits no longer than this until that is noted down.
const NOTE_TIME: Duration = Duration::from_secs(1);

/// What a journal has of former times.
#[derive(Debug)]
pub struct Kept {
    /// How late it was when the server before this one ended; none where nothing was kept.
    pub(crate) clock: Option<WallTime>,
    /// What the log is called until the next start.
    pub epoch: String,
    /// What the house goes on with.
    pub past: Past,
    /// How to read them.
    pub history: History,
    /// How to search in them.
    pub search: Search,
    /// What somebody takes back and a server before this one has not taken out.
    pub(crate) takings: Vec<(TakingId, Own)>,
    /// How to change what is kept beside them.
    pub errands: Errands,
}

impl Kept {
    /// What takes out lines that are too old.
    pub(crate) fn retention(&self) -> Retention {
        let (errands, history) = (self.errands.clone(), self.history.clone());
        Retention::new(errands, history, self.search.clone())
    }
}

/// Keeps lines in a directory. When it is dropped, what it has begun is finished.
#[derive(Debug)]
pub struct Disk {
    work: SyncSender<Work>,
    pause: Duration,
    signals: Arc<Signals>,
    /// Dropped to end the threads that have work of their own.
    running: Vec<Sender<()>>,
    /// Woken to end the thread that follows.
    search: Search,
    threads: Vec<JoinHandle<()>>,
    /// Held as long as the journal is open.
    files: Arc<Files>,
}

impl Disk {
    /// Opens the journal in a directory, which is made if there is none.
    ///
    /// # Errors
    /// It cannot be used: why, and what to do.
    pub fn open(directory: &Path, keep: Keep) -> Result<(Disk, Kept), OpenError> {
        let in_directory = |error| OpenError::Directory {
            path: directory.to_owned(),
            error,
        };
        let files = Arc::new(Files::claim(directory)?);
        // The broadcaster has one commit under way, two that were refused may be left, and there is one end.
        let (work, queue) = sync_channel(ERRANDS_MAX + 4);
        let signals = Arc::new(Signals::default());
        let opened = open(&files, keep, &signals, &work).map_err(|error| OpenError::File {
            path: files.path().to_owned(),
            error,
        });
        let (store, kept, inspection, follow) = opened?;
        let committer = Committer {
            files: Arc::clone(&files),
            keep,
            store: Some(store),
            signals: Arc::clone(&signals),
            trouble: None,
            is_told: false,
        };
        let (checkpoints, is_over) = channel();
        let (inspects, inspection_ends) = channel();
        let checkpointer = {
            let (files, signals) = (Arc::clone(&files), Arc::clone(&signals));
            move || checkpoint_now_and_then(&files, keep, &signals, &is_over)
        };
        let disk = Disk {
            work,
            pause: match keep {
                Keep::Synced => SYNC_PAUSE,
                Keep::Written => Duration::ZERO,
            },
            signals,
            running: vec![checkpoints, inspects],
            search: kept.search.clone(),
            threads: vec![
                spawn("journal", move || committer.run(&queue)).map_err(in_directory)?,
                spawn("checkpoints", checkpointer).map_err(in_directory)?,
                spawn("inspection", move || inspection.run(&inspection_ends))
                    .map_err(in_directory)?,
                spawn("search", follow).map_err(in_directory)?,
            ],
            files,
        };
        Ok((disk, kept))
    }
}

/// Opens the file: what has it, what is in it, and the work of the threads that look at it.
fn open(
    files: &Arc<Files>,
    keep: Keep,
    signals: &Arc<Signals>,
    work: &SyncSender<Work>,
) -> Result<(Store, Kept, Inspection, impl FnOnce() + Send + use<>), Unusable> {
    let path = files.path();
    is_alone(path)?;
    let mut store = Store::open(path, keep)?;
    store.take_back_noted(path)?;
    let ends = store.ends()?;
    let damages = Arc::default();
    let inspection = Inspection {
        path: path.to_owned(),
        older: store.look_at_latest(&ends)?,
        damages: Arc::clone(&damages),
    };
    // Where the disk is full, people can come in and read all the same.
    let epoch = store.begin_epoch().unwrap_or_else(|error| {
        tracing::warn!(%error, "after the next start nobody can continue exactly where they stopped reading");
        passing_epoch()
    });
    // Whoever says something is told if there is no room for lines either.
    if store.make_room_ahead().is_err() {
        store.checkpoint("TRUNCATE").ok(); // what room there is, is for lines
    } else if let Ok(ahead) = File::open(path.with_extension("db-wal")) {
        ahead.sync_data().ok();
    }
    let clock = store.clock()?;
    let now = clock.map_or(clock::wall(), |clock| clock.max(clock::wall()));
    store.let_codes_die(WallTime(now.0 + CODE_LIFE.as_millis() as i64))?;
    let named = |(name, end): (String, End)| {
        let room = kept_room(&name);
        if room.is_none() {
            tracing::warn!(
                room = ?name,
                "there are lines of a room with an invalid name: nobody can enter it"
            );
        }
        Some((room?, end))
    };
    let history = History::open(Arc::clone(files), damages)?;
    files.note_beside().map_err(Unusable::Beside)?;
    let (search, follow) = Search::new(path, epoch.clone(), history.clone(), Arc::clone(signals));
    // What was in force when the server before this one ended is not over because this clock says so.
    let now = clock.map_or(clock::wall(), |clock| clock.min(clock::wall()));
    let kept = Kept {
        clock,
        epoch,
        past: Past {
            ends: ends.into_iter().filter_map(named).collect(),
            owned: store.owned()?,
            keepers: store.keepers()?,
            makers: store.makers()?,
            bans: store.bans(now)?,
            mutes: store.mutes(now)?,
            topics: store.topics()?,
        },
        errands: Errands::new(work.clone(), Arc::clone(signals), history.clone()),
        history,
        search,
        takings: store.takings()?,
    };
    Ok((store, kept, inspection, follow))
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(work)
}

/// Moves what has been written ahead to its place, until the house ends.
fn checkpoint_now_and_then(files: &Files, keep: Keep, signals: &Signals, ends: &Receiver<()>) {
    let mut store = None;
    while ends.recv_timeout(CHECKPOINT_EVERY) == Err(RecvTimeoutError::Timeout) {
        if signals.written.load(Ordering::Relaxed) < WRITTEN_AHEAD_MIN {
            continue;
        }
        signals.written.store(0, Ordering::Relaxed);
        if files.is_emptied() {
            mem::forget(store); // as the committer does
            return;
        }
        if store.is_none() && files.are_in_place().is_ok() {
            store = Store::open(files.path(), keep).ok(); // the committer says what is wrong
        }
        match store.as_ref().map(|store| store.checkpoint("PASSIVE")) {
            // It begins anew by itself once all has been moved; but where lines come without a pause, more have come
            // until then.
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
        let (kept, mut outcome) = oneshot::channel();
        let (batches, noted) = (batches.to_vec(), batches.to_vec());
        let files = Arc::clone(&self.files);
        let work = Work::Commit(Job { batches, kept });
        self.work.try_send(work).ok(); // else the thread has ended, and the sender with it
        Box::pin(async move {
            let ended = |_| Err(NotKept("the journal has stopped"));
            if let Ok(kept) = timeout(ANSWER_TIME, &mut outcome).await {
                return kept.unwrap_or_else(ended);
            }
            // From here on the committer knows that the lines are refused, unless it has answered in the last moment.
            outcome.close();
            if let Ok(kept) = outcome.try_recv() {
                return kept;
            }
            let noting = spawn_blocking(move || refused::note(files.path(), &noted));
            timeout(NOTE_TIME, noting).await.ok(); // else the disk does not answer to that either
            Err(NO_ANSWER)
        })
    }

    fn pause(&self) -> Duration {
        self.pause
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.signals.ends.store(true, Ordering::Relaxed);
        self.work.send(Work::End).ok(); // it may have ended by itself
        self.running.clear();
        self.search.wake();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the journal ended with a panic; this is a bug");
            }
        }
    }
}
