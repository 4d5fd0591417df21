//! The journal on disk: a directory with a file of lines. Commits happen in a thread of their own, so no connection
//! ever waits for a disk.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parlor_core::batch::Batch;
use parlor_core::journal::{Commit, End, Journal, NotKept, Past};
use parlor_core::name::RoomName;
use parlor_core::time::WallTime;
use tokio::sync::oneshot;

use super::codes::CODE_LIFE;
use super::committer::{Committer, Job, Signals, Work, tell_not_moved};
use super::errands::{ERRANDS_MAX, Errands};
use super::fault::Unusable;
use super::history::History;
use super::inspection::{Inspection, is_alone};
use super::retention::Retention;
use super::search::{self, Search};
use super::store::Store;
use super::takings::{Own, TakingId};
use crate::clock;
use crate::config::Keep;

/// The file of lines in its directory.
pub(crate) const FILE: &str = "parlor.db";

/// Held by the one server that may write there.
const LOCK: &str = "parlor.lock";

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

/// Why a directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory cannot be made or written to.
    #[error("cannot keep lines in {}: {error}; give --data a directory that this user may write to, or keep nothing with --memory", path.display())]
    Directory {
        /// Which directory.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Another server writes there.
    #[error("another server keeps its lines in {}; stop it, or give this one a directory of its own with --data DIR", .0.display())]
    Taken(PathBuf),
    /// The file in it is of no use.
    #[error("{} {error}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        error: Unusable,
    },
}

/// What a journal has of former times.
#[derive(Debug)]
pub struct Kept {
    /// Which log this is: never the same for two.
    pub identity: String,
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
    _lock: File,
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
        make_private(directory).map_err(in_directory)?;
        let lock = File::create(directory.join(LOCK)).map_err(in_directory)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::Taken(directory.to_owned())),
            Err(TryLockError::Error(error)) => return Err(in_directory(error)),
        }
        let path = directory.join(FILE);
        // The broadcaster has one commit under way, and there is one end.
        let (work, queue) = sync_channel(ERRANDS_MAX + 2);
        let errands = Errands::new(work.clone());
        let signals = Arc::new(Signals::default());
        let opened = open(&path, keep, &signals, errands).map_err(|error| OpenError::File {
            path: path.clone(),
            error,
        });
        let (store, kept, inspection, follow) = opened?;
        let committer = Committer {
            path: path.clone(),
            keep,
            store: Some(store),
            signals: Arc::clone(&signals),
        };
        let (checkpoints, is_over) = channel();
        let (inspects, inspection_ends) = channel();
        let checkpointer = {
            let signals = Arc::clone(&signals);
            move || checkpoint_now_and_then(&path, keep, &signals, &is_over)
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
            _lock: lock,
        };
        Ok((disk, kept))
    }
}

/// Opens the file: what has it, what is in it, and the work of the threads that look at it.
fn open(
    path: &Path,
    keep: Keep,
    signals: &Arc<Signals>,
    errands: Errands,
) -> Result<(Store, Kept, Inspection, impl FnOnce() + Send + use<>), Unusable> {
    is_alone(path)?;
    let mut store = Store::open(path, keep)?;
    let ends = store.ends()?;
    let damages = Arc::default();
    let inspection = Inspection {
        path: path.to_owned(),
        older: store.look_at_latest(&ends)?,
        damages: Arc::clone(&damages),
    };
    // Whoever says something is told if there is no room for lines either.
    if store.make_room_ahead().is_err() {
        store.checkpoint("TRUNCATE").ok(); // what room there is, is for lines
    } else if let Ok(ahead) = File::open(path.with_extension("db-wal")) {
        ahead.sync_data().ok();
    }
    store.let_codes_die(WallTime(clock::wall().0 + CODE_LIFE.as_millis() as i64))?;
    let named = |(name, end): (String, End)| Some((RoomName::parse(&name).ok()?, end));
    let (identity, history) = (store.identity()?, History::open(path, damages)?);
    let (search, follow) = Search::new(
        path,
        identity.clone(),
        history.clone(),
        Arc::clone(signals),
        ends.clone(),
    );
    let kept = Kept {
        identity,
        past: Past {
            ends: ends.into_iter().filter_map(named).collect(),
            owned: store.owned()?,
            keepers: store.keepers()?,
            bans: store.bans()?,
        },
        history,
        search,
        takings: store.takings()?,
        errands,
    };
    Ok((store, kept, inspection, follow))
}

/// Makes the directory if there is none, and keeps others out: what people say, and what stands for their passwords, is for
/// this user to read. The files in it are nobody else's either, whoever may enter: SQLite gives its others the mode of the
/// first.
fn make_private(directory: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)?;
    for name in [FILE, search::FILE] {
        let path = directory.join(name);
        let mut options = OpenOptions::new();
        options.append(true).mode(0o600);
        match options.open(&path) {
            Ok(file) => file.set_permissions(Permissions::from_mode(0o600))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                options.create_new(true).open(&path)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(work)
}

/// Moves what has been written ahead to its place, until the house ends.
fn checkpoint_now_and_then(path: &Path, keep: Keep, signals: &Signals, ends: &Receiver<()>) {
    let mut store = None;
    while ends.recv_timeout(CHECKPOINT_EVERY) == Err(RecvTimeoutError::Timeout) {
        if signals.written.load(Ordering::Relaxed) < WRITTEN_AHEAD_MIN {
            continue;
        }
        signals.written.store(0, Ordering::Relaxed);
        if store.is_none() {
            store = Store::open(path, keep).ok(); // the committer says what is wrong
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
        let (kept, outcome) = oneshot::channel();
        let batches = batches.to_vec();
        let work = Work::Commit(Job { batches, kept });
        self.work.try_send(work).ok(); // else the thread has ended, and the sender with it
        Box::pin(async {
            outcome
                .await
                .unwrap_or(Err(NotKept("the journal has ended")))
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
                tracing::error!("a thread of the journal ended by a panic: this is a bug");
            }
        }
    }
}
