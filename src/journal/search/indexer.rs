//! The thread that adds lines to the index. It follows the file of lines, and no commit waits for
//! it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use parlor_core::model::{End, RoomName, WallTime};
use tokio::sync::oneshot;

use super::index::{Index, IndexTrouble};
use crate::journal::sqlite::{ScrubSchedule, Signals, Store};
use crate::journal::traits::Removal;

/// How often it checks for new lines. A search makes it check at once.
const FOLLOW_EVERY: Duration = Duration::from_millis(250);

/// How long it waits after a failure.
const RETRY_EVERY: Duration = Duration::from_secs(1);

/// How many lines, and about how many bytes of text, one slice adds. A slice takes a fraction of a
/// second, and the server waits for it when it ends.
const SLICE_LINES: u64 = 2_000;
const SLICE_BYTES: usize = 128 * 1024;

/// How long it rests while lines arrive without a pause, in multiples of its working time.
const REST: u32 = 8;

/// The longest rest, because the server may end meanwhile.
const REST_MAX: Duration = Duration::from_millis(250);

/// For the scheduler: threads that serve people have priority.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 5;

/// How many lines one slice removes.
const REMOVED_LINES: usize = 500;

/// A request to the thread: index everything that was said until now, and then perhaps remove
/// something.
pub(super) struct IndexRequest {
    pub(super) removal: Option<Removal>,
    /// Dropped if the request cannot be done now.
    pub(super) done: oneshot::Sender<()>,
}

/// Keeps the index up to date with a file of lines.
pub(super) struct Indexer {
    lines: PathBuf,
    /// The present epoch of the log.
    epoch: String,
    index: PathBuf,
    signals: Arc<Signals>,
    /// Searches must not find lines that were said before this time.
    expired: WallTime,
    schedule: ScrubSchedule,
}

impl Indexer {
    pub(super) fn new(
        lines: PathBuf,
        epoch: String,
        index: PathBuf,
        signals: Arc<Signals>,
    ) -> Indexer {
        Indexer {
            lines,
            epoch,
            index,
            signals,
            expired: WallTime(i64::MIN),
            schedule: ScrubSchedule::default(),
        }
    }

    /// Works until the server ends.
    pub(super) fn run(mut self, asked: &Receiver<IndexRequest>) {
        be_nice();
        let (mut store, mut index) = (None, None);
        let (mut followed, mut wait) = (None, Duration::ZERO);
        loop {
            let asking: Vec<_> = match asked.recv_timeout(wait) {
                Ok(first) => [first].into_iter().chain(asked.try_iter()).collect(),
                Err(RecvTimeoutError::Timeout) => Vec::new(),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if self.ends() {
                return;
            }
            let commits = self.signals.commits.load(Ordering::Acquire);
            if asking.is_empty() && followed == Some(commits) {
                continue;
            }
            for asked in &asking {
                if let Some(Removal::Before(at)) = asked.removal
                    && at > self.expired
                {
                    if self.expired == WallTime(i64::MIN) {
                        self.schedule.need(); // the previous server may have left some
                    }
                    self.expired = at;
                }
            }
            let outcome = self.follow(&mut store, &mut index);
            match outcome.and_then(|()| self.remove(index.as_mut(), &asking)) {
                Ok(()) => {
                    (followed, wait) = (Some(commits), FOLLOW_EVERY);
                    for IndexRequest { done, .. } in asking {
                        done.send(()).ok(); // perhaps the caller has stopped waiting
                    }
                }
                Err(trouble) => {
                    if wait != RETRY_EVERY {
                        trouble.tell();
                    }
                    if matches!(trouble, IndexTrouble::Useless) {
                        remove(&self.index);
                    }
                    (store, index) = (None, None);
                    (followed, wait) = (None, RETRY_EVERY);
                }
            }
        }
    }

    fn ends(&self) -> bool {
        self.signals.ends.load(Ordering::Relaxed)
    }

    /// Adds everything that was said until now to the index.
    fn follow(
        &mut self,
        store: &mut Option<Store>,
        index: &mut Option<Index>,
    ) -> Result<(), IndexTrouble> {
        let store = match store {
            Some(store) => store,
            None => store.insert(Store::open_to_read(&self.lines)?),
        };
        let ends = store.ends().map_err(|_| IndexTrouble::Journal)?;
        let dated_back = store.dated_back().map_err(|_| IndexTrouble::Journal)?;
        let index = match index {
            Some(index) if self.index.exists() && index.origin()?.1 == dated_back => index,
            _ => index.insert(self.open(store, dated_back)?),
        };
        let followed = index.followed()?;
        for (name, end) in ends {
            let Ok(room) = RoomName::parse(&name) else {
                continue;
            };
            let mut last = followed.get(&name).copied().unwrap_or_default();
            while last < end.seq && !self.ends() {
                let (began, commits) = (Instant::now(), self.commits());
                last = self.follow_slice(store, index, &room, last, end)?;
                if self.commits() != commits {
                    thread::sleep((began.elapsed() * REST).min(REST_MAX));
                }
            }
        }
        Ok(())
    }

    /// Removes lines from the index, and overwrites their leftovers.
    fn remove(
        &mut self,
        index: Option<&mut Index>,
        asking: &[IndexRequest],
    ) -> Result<(), IndexTrouble> {
        let removals = asking.iter().filter_map(|asked| asked.removal.as_ref());
        let (Some(index), true) = (index, removals.clone().next().is_some()) else {
            return Ok(());
        };
        for removal in removals {
            match removal {
                Removal::Before(at) => {
                    while !self.ends() && index.remove_before(*at, REMOVED_LINES)? > 0 {
                        self.schedule.need();
                    }
                }
                Removal::Lines(room, seqs) => {
                    index.remove_lines(room, seqs)?;
                    self.schedule.need();
                }
                Removal::Leftovers => {}
            }
        }
        if self.schedule.is_due() && !self.ends() {
            let began = Instant::now();
            // A failure to scrub does not mean that the index is damaged.
            if index.scrub().map_err(IndexTrouble::Index)? {
                self.schedule.done(began);
            }
        }
        Ok(())
    }

    fn commits(&self) -> u64 {
        self.signals.commits.load(Ordering::Relaxed)
    }

    /// Adds some lines of a room to the index, from after number `last` on. Returns the number of
    /// the last one.
    fn follow_slice(
        &self,
        store: &Store,
        index: &mut Index,
        room: &RoomName,
        last: u64,
        end: End,
    ) -> Result<u64, IndexTrouble> {
        let failures = self.signals.failures.load(Ordering::Acquire);
        let (mut lines, mut bytes) = (Vec::new(), 0);
        let slice_end = end.seq.min(last + SLICE_LINES);
        let read = store.read(room, last + 1, slice_end, |row| {
            // A damaged line has no words.
            let row = row.ok().filter(|row| row.at >= self.expired.0);
            if let Some(row) = row {
                bytes += row.text.len();
                lines.push(row);
            }
            bytes < SLICE_BYTES
        });
        let last = read.map_err(|_| IndexTrouble::Journal)?;
        // After a failed commit, the file may for a moment have lines that nobody has seen.
        let is_settled = failures.is_multiple_of(2);
        if !is_settled || self.signals.failures.load(Ordering::Acquire) != failures {
            return Err(IndexTrouble::Journal);
        }
        index.add(room, &lines, last)?;
        Ok(last)
    }

    /// Opens the index, and rebuilds a useless one.
    fn open(&self, store: &Store, dated_back: i64) -> Result<Index, IndexTrouble> {
        if let Some(mut index) = Index::open(&self.index, &self.epoch)?
            && index.origin()?.1 == dated_back
            && self.is_of_this_log(&index, store)?
        {
            index.set(&self.epoch, dated_back)?;
            return Ok(index);
        }
        remove(&self.index);
        let mut index = Index::open(&self.index, &self.epoch)?.ok_or(IndexTrouble::Useless)?;
        index.set(&self.epoch, dated_back)?;
        Ok(index)
    }

    /// Whether the lines in the index are those of the file: a restored copy may have others.
    fn is_of_this_log(&self, index: &Index, store: &Store) -> Result<bool, IndexTrouble> {
        let (epoch, _) = index.origin()?;
        for (room, followed) in index.followed()? {
            let Ok(room) = RoomName::parse(&room) else {
                continue;
            };
            let end = store.end_of(&epoch, &room).map_err(|_| IndexTrouble::Journal)?;
            if end.is_none_or(|end| followed > end) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Deletes the files of the index, without disturbing searches that have them open.
fn remove(index: &Path) {
    tracing::info!("the search index is rebuilt");
    for extension in ["db", "db-wal", "db-shm"] {
        match fs::remove_file(index.with_extension(extension)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, "cannot remove {}", index.display());
            }
            _ => {}
        }
    }
}

/// Lowers the priority of this thread. On other systems the call would affect the whole program.
fn be_nice() {
    #[cfg(target_os = "linux")]
    rustix::process::nice(NICENESS).ok();
}
