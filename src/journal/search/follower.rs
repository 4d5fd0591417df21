//! The thread that puts into the index what has been said. It comes behind the journal, and holds up nobody.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use parlor_core::model::{End, RoomName, WallTime};
use tokio::sync::oneshot;

use super::index::Index;
use super::trouble::Trouble;
use crate::journal::sqlite::{Signals, Store, Wipes};

/// Looks so often for lines that are new, unless somebody searches meanwhile.
const FOLLOW_EVERY: Duration = Duration::from_millis(250);

/// After something has gone wrong it tries again after so long.
const RETRY_EVERY: Duration = Duration::from_secs(1);

/// So many lines go into the index in one go, and about so many bytes of text: a fraction of a second, which is how long
/// the house waits for it when it ends.
const SLICE_LINES: u64 = 2_000;
const SLICE_BYTES: usize = 128 * 1024;

/// Where lines come without a pause, it rests for so many times as long as it has worked.
const REST: u32 = 8;

/// But no longer than this: the house may end meanwhile.
const REST_MAX: Duration = Duration::from_millis(250);

/// As the scheduler has it: whoever serves people comes first.
const NICENESS: i32 = 5;

/// So many lines are taken out in one go.
const REMOVED_LINES: usize = 500;

/// What is asked of the thread: to have everything that was said until now, and then perhaps to take something out.
pub(super) struct Asked {
    pub(super) removal: Option<Removal>,
    /// Dropped where it cannot be done just now.
    pub(super) done: oneshot::Sender<()>,
}

/// What is to be found no longer.
pub(super) enum Removal {
    /// What was said earlier, now and whenever it is asked for anew.
    Before(WallTime),
    /// These lines of a room.
    Lines(RoomName, Vec<u64>),
    /// Nothing more; but of what was taken out before, nothing is to be left.
    Rest,
}

/// Follows a journal.
pub(super) struct Follower {
    pub(super) journal: PathBuf,
    /// What the log is called now.
    pub(super) epoch: String,
    pub(super) index: PathBuf,
    pub(super) signals: Arc<Signals>,
    /// What was said before is not to be found.
    pub(super) expired: WallTime,
    pub(super) wipes: Wipes,
}

impl Follower {
    /// Works until the house ends.
    pub(super) fn run(mut self, asked: &Receiver<Asked>) {
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
                        self.wipes.need(); // who knows what was left when the server ended
                    }
                    self.expired = at;
                }
            }
            let outcome = self.follow(&mut store, &mut index);
            match outcome.and_then(|()| self.remove(index.as_mut(), &asking)) {
                Ok(()) => {
                    (followed, wait) = (Some(commits), FOLLOW_EVERY);
                    for Asked { done, .. } in asking {
                        done.send(()).ok(); // perhaps nobody waits any more
                    }
                }
                Err(trouble) => {
                    if wait != RETRY_EVERY {
                        trouble.tell();
                    }
                    if matches!(trouble, Trouble::Useless) {
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

    /// Puts everything into the index that has been said until now.
    fn follow(
        &mut self,
        store: &mut Option<Store>,
        index: &mut Option<Index>,
    ) -> Result<(), Trouble> {
        let store = match store {
            Some(store) => store,
            None => store.insert(Store::open_to_read(&self.journal)?),
        };
        let ends = store.ends().map_err(|_| Trouble::Journal)?;
        let dated_back = store.dated_back().map_err(|_| Trouble::Journal)?;
        let index = match index {
            Some(index) if self.index.exists() && index.dated_back()? == dated_back => index,
            _ => index.insert(self.open(store)?),
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

    /// Takes out what is to be found no longer, and whatever is left of it.
    fn remove(&mut self, index: Option<&mut Index>, asking: &[Asked]) -> Result<(), Trouble> {
        let removals = asking.iter().filter_map(|asked| asked.removal.as_ref());
        let (Some(index), true) = (index, removals.clone().next().is_some()) else {
            return Ok(());
        };
        for removal in removals {
            match removal {
                Removal::Before(at) => {
                    while !self.ends() && index.remove_before(*at, REMOVED_LINES)? > 0 {
                        self.wipes.need();
                    }
                }
                Removal::Lines(room, seqs) => {
                    index.remove_lines(room, seqs)?;
                    self.wipes.need();
                }
                Removal::Rest => {}
            }
        }
        if self.wipes.is_due() && !self.ends() {
            let began = Instant::now();
            // An index that cannot be wiped is not damaged for that.
            if index.wipe().map_err(Trouble::Index)? {
                self.wipes.done(began);
            }
        }
        Ok(())
    }

    fn commits(&self) -> u64 {
        self.signals.commits.load(Ordering::Relaxed)
    }

    /// Puts some lines of a room into the index, from behind number `last` on. The number of the last one.
    fn follow_slice(
        &self,
        store: &Store,
        index: &mut Index,
        room: &RoomName,
        last: u64,
        end: End,
    ) -> Result<u64, Trouble> {
        let failures = self.signals.failures.load(Ordering::Acquire);
        let (mut lines, mut bytes) = (Vec::new(), 0);
        let slice_end = end.seq.min(last + SLICE_LINES);
        let read = store.read(room, last + 1, slice_end, |said| {
            // What is damaged says nothing that could be found.
            let said = said.ok().filter(|said| said.at >= self.expired);
            if let Some(said) = said {
                bytes += said.weight();
                lines.push(said);
            }
            bytes < SLICE_BYTES
        });
        let last = read.map_err(|_| Trouble::Journal)?;
        // After a commit that failed, there may be lines for a moment that nobody has seen.
        let is_settled = failures.is_multiple_of(2);
        if !is_settled || self.signals.failures.load(Ordering::Acquire) != failures {
            return Err(Trouble::Journal);
        }
        index.add(room, &lines, last)?;
        Ok(last)
    }

    /// Opens the index; one that is of no use is made anew.
    fn open(&self, store: &Store) -> Result<Index, Trouble> {
        let dated_back = store.dated_back().map_err(|_| Trouble::Journal)?;
        if let Some(mut index) = Index::open(&self.index, &self.epoch)?
            && index.dated_back()? == dated_back
            && self.is_of_this_log(&index, store)?
        {
            index.set(&self.epoch, dated_back)?;
            return Ok(index);
        }
        remove(&self.index);
        let mut index = Index::open(&self.index, &self.epoch)?.ok_or(Trouble::Useless)?;
        index.set(&self.epoch, dated_back)?;
        Ok(index)
    }

    /// Whether the lines in the index are those of the file: a copy that was put back may have others.
    fn is_of_this_log(&self, index: &Index, store: &Store) -> Result<bool, Trouble> {
        let epoch = index.epoch()?;
        for (room, followed) in index.followed()? {
            let Ok(room) = RoomName::parse(&room) else {
                continue;
            };
            let end = store.end_of(&epoch, &room).map_err(|_| Trouble::Journal)?;
            if end.is_none_or(|end| followed > end) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Takes the files of the index away: those who search in them are not disturbed.
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

/// Elsewhere it would be the whole program that stands back.
fn be_nice() {
    #[cfg(target_os = "linux")]
    rustix::process::nice(NICENESS).ok();
}
