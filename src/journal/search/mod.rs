//! Searching what was said. Knows nobody who searches.
//!
//! An index of its own follows the journal ([`follower`]); it never shares a transaction with it, so no commit waits for
//! it. Where it lags, whoever searches is told by how much.

mod follower;
mod index;
mod trouble;
mod turns;
mod veil;
mod words;

pub(crate) use index::Found;
pub(crate) use turns::Searcher;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use parlor_core::link::Refusal;
use parlor_core::model::{RoomName, WallTime};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use self::follower::{Asked, Follower, Removal};
use self::index::Index;
use self::turns::Turns;
use crate::journal::sqlite::{History, Signals, Unreadable, Wipes};

/// The index, beside the file of lines.
pub(super) const FILE: &str = "parlor-search.db";

/// So many lines are shown of those that are found.
pub(crate) const FOUND_MAX: usize = 20;

/// A search takes no longer, with what it waits for the index.
const SEARCH_TIME: Duration = Duration::from_secs(2);

/// Nor longer than this, where others wait for a turn.
const SHARE_TIME: Duration = Duration::from_millis(250);

/// So many words may be looked for at once: more than a sentence has, and a fraction of a second in a large file, even
/// where all of them are frequent.
const WORDS_MAX: usize = 32;

/// So many may ask the thread for something.
const ASKED_MAX: usize = 8;

/// Who comes then waits for a place: so often, and so long each time.
const ASK_TRIES: usize = 100;
const ASK_EVERY: Duration = Duration::from_millis(100);

/// Of this time, the index has so long to take in what was said last, before a search goes without.
const CATCH_UP_TIME: Duration = Duration::from_millis(500);

/// The index, for those who search. Cloned, it is the same.
#[derive(Clone, Debug)]
pub struct Search {
    index: PathBuf,
    history: History,
    follower: SyncSender<Asked>,
    turns: Turns,
}

impl Search {
    /// For the journal in this file, which `history` reads; and the work of the thread that follows it.
    pub(super) fn new(
        journal: &Path,
        epoch: String,
        history: History,
        signals: Arc<Signals>,
    ) -> (Search, impl FnOnce() + Send + use<>) {
        let (follower, asked) = sync_channel(ASKED_MAX);
        let index = journal.with_file_name(FILE);
        let work = Follower {
            journal: journal.to_owned(),
            epoch,
            index: index.clone(),
            signals,
            expired: WallTime(i64::MIN),
            wipes: Wipes::default(),
        };
        let search = Search {
            index,
            history,
            follower,
            turns: Turns::default(),
        };
        (search, move || work.run(&asked))
    }

    /// Has the thread look up: perhaps the house ends.
    pub(super) fn wake(&self) {
        drop(self.ask(None));
    }

    /// From now on, what was said earlier is not found, and gone from the index. Whether that is done.
    pub(super) async fn expire(&self, before: WallTime) -> bool {
        self.have_removed(Removal::Before(before)).await
    }

    /// Takes lines of a room out of the index. Whether that is done.
    pub(super) async fn forget(&self, room: RoomName, seqs: Vec<u64>) -> bool {
        self.have_removed(Removal::Lines(room, seqs)).await
    }

    /// Has what was left of lines wiped that have been taken out.
    pub(super) async fn tidy(&self) {
        self.ask(Some(Removal::Rest)).await.ok(); // else it is done next time
    }

    /// Looks for lines in which all these words stand, and what is in quotes as it stands there: in all rooms that
    /// `may_read` agrees to, and of those the ones behind the first `skip`.
    ///
    /// # Errors
    /// It is nothing that can be looked for, or what is kept cannot be read.
    pub(crate) async fn find(
        &self,
        typed: &str,
        skip: u64,
        searcher: Searcher,
        may_read: impl Fn(&RoomName) -> bool + Send + 'static,
    ) -> Result<Found, Refusal> {
        let phrases = words::looked_for(typed);
        let words: usize = phrases.iter().map(|phrase| phrase.words.len()).sum();
        match words {
            0 => return Err(Refusal::NothingToFind),
            1..=WORDS_MAX => {}
            _ => return Err(Refusal::TooManyWords(WORDS_MAX)),
        }
        let ends = self.history.ends().await;
        let ends = ends.map_err(|Unreadable| Refusal::Unreadable)?;
        let time = SEARCH_TIME - self.catch_up().await;
        let turn = self.turns.take(searcher).await;
        let (path, turns) = (self.index.clone(), self.turns.clone());
        let searching = spawn_blocking(move || {
            let _turn = turn; // held even where nobody waits for the answer any more
            let began = Instant::now();
            let is_over = move || {
                let passed = began.elapsed();
                passed >= time || (passed >= SHARE_TIME && turns.are_wanted())
            };
            let index = Index::open_to_read(&path, is_over)?;
            let followed = index.followed()?;
            Ok((index.find(&phrases, skip, FOUND_MAX, may_read)?, followed))
        });
        let outcome: rusqlite::Result<_> = searching.await.map_err(|_| Refusal::Unreadable)?;
        let (mut found, followed) = outcome.unwrap_or_else(|error| {
            tracing::debug!(%error, "there is no search index yet");
            Default::default()
        });
        let behind = ends.iter().map(|(room, end)| {
            let followed = followed.get(room).copied().unwrap_or_default();
            end.seq.saturating_sub(followed)
        });
        found.behind = behind.sum();
        Ok(found)
    }

    /// Waits until the index has what was said until now, but not for long. How long it was.
    async fn catch_up(&self) -> Duration {
        let begun = Instant::now();
        // Where many wait already, this one waits as long: else searches would take the time that the thread needs.
        timeout(CATCH_UP_TIME, self.ask_in_turn(None)).await.ok();
        begun.elapsed().min(CATCH_UP_TIME)
    }

    /// Has something taken out, and waits until it is. Whether it is.
    async fn have_removed(&self, removal: Removal) -> bool {
        self.ask_in_turn(Some(removal)).await
    }

    /// Asks the thread as soon as there is a place, and waits until it is done. Whether it is.
    async fn ask_in_turn(&self, removal: Option<Removal>) -> bool {
        let (done, answer) = oneshot::channel();
        let mut asked = Asked { removal, done };
        for _ in 0..ASK_TRIES {
            match self.follower.try_send(asked) {
                Ok(()) => return answer.await.is_ok(),
                Err(TrySendError::Full(back)) => asked = back,
                Err(TrySendError::Disconnected(_)) => return false,
            }
            sleep(ASK_EVERY).await;
        }
        false
    }

    /// Asks the thread; where it has too much to do already, it is as if it could not.
    fn ask(&self, removal: Option<Removal>) -> oneshot::Receiver<()> {
        let (done, answer) = oneshot::channel();
        self.follower.try_send(Asked { removal, done }).ok();
        answer
    }
}
