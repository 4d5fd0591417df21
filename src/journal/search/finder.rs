//! Searches in the index. Knows no searcher.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use parlor_core::link::Refusal;
use parlor_core::model::RoomName;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use super::index::Index;
use super::indexer::{IndexRequest, Indexer};
use super::turns::SearchTurns;
use super::words;
use crate::journal::sqlite::{SEARCH_FILE, Signals};
use crate::journal::traits::{Answering, Found, History, Removal, Search, Searcher, Unreadable};

/// How many of the found lines are shown.
const FOUND_MAX: usize = 20;

/// The limit of time for a search, including the wait for the index.
const SEARCH_TIME: Duration = Duration::from_secs(2);

/// The limit of time for a search while others wait for a turn.
const SHARE_TIME: Duration = Duration::from_millis(250);

/// The limit of words in a search: more than a sentence has. In a large file they take a fraction
/// of a second, even if all of them are frequent.
const WORDS_MAX: usize = 32;

/// How many requests to the thread may wait.
const ASKED_MAX: usize = 8;

/// How many times, and after which pause, further callers try again.
const ASK_TRIES: usize = 100;
const ASK_EVERY: Duration = Duration::from_millis(100);

/// How long a search waits for the index to have the latest lines; a part of the whole limit.
const CATCH_UP_TIME: Duration = Duration::from_millis(500);

/// The index, for searchers.
#[derive(Debug)]
pub(crate) struct IndexedSearch {
    index: PathBuf,
    history: Arc<dyn History>,
    indexer: SyncSender<IndexRequest>,
    turns: SearchTurns,
}

impl IndexedSearch {
    /// A search in the lines of a file, which `history` reads; and the work of the thread that
    /// keeps the index up to date.
    pub(crate) fn new(
        lines: &Path,
        epoch: String,
        history: Arc<dyn History>,
        signals: Arc<Signals>,
    ) -> (IndexedSearch, impl FnOnce() + Send + use<>) {
        let (sender, asked) = sync_channel(ASKED_MAX);
        let index = lines.with_file_name(SEARCH_FILE);
        let indexer = Indexer::new(lines.to_owned(), epoch, index.clone(), signals);
        let search =
            IndexedSearch { index, history, indexer: sender, turns: SearchTurns::default() };
        (search, move || indexer.run(&asked))
    }

    /// Makes the thread notice that the server ends.
    pub(crate) fn wake(&self) {
        let (done, _) = oneshot::channel();
        self.indexer.try_send(IndexRequest { removal: None, done }).ok();
    }

    async fn try_to_find(
        &self,
        typed: &str,
        skip: u64,
        searcher: Searcher,
        may_read: Box<dyn Fn(&RoomName) -> bool + Send>,
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
            let _turn = turn; // held to the end, even if the caller stops waiting
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

    /// Waits a short time for the index to have all lines that were said until now. Returns the
    /// time that this took.
    async fn catch_up(&self) -> Duration {
        let begun = Instant::now();
        // The limit includes the wait for a place in the queue. A longer queue would take the time
        // that the thread needs to follow the lines.
        timeout(CATCH_UP_TIME, self.ask(None)).await.ok();
        begun.elapsed().min(CATCH_UP_TIME)
    }

    /// Sends a request to the thread as soon as there is a place, and waits until it is done.
    /// Returns whether it is.
    async fn ask(&self, removal: Option<Removal>) -> bool {
        let (done, answer) = oneshot::channel();
        let mut asked = IndexRequest { removal, done };
        for _ in 0..ASK_TRIES {
            match self.indexer.try_send(asked) {
                Ok(()) => return answer.await.is_ok(),
                Err(TrySendError::Full(back)) => asked = back,
                Err(TrySendError::Disconnected(_)) => return false,
            }
            sleep(ASK_EVERY).await;
        }
        false
    }
}

impl Search for IndexedSearch {
    fn find<'a>(
        &'a self,
        typed: &'a str,
        skip: u64,
        searcher: Searcher,
        may_read: Box<dyn Fn(&RoomName) -> bool + Send>,
    ) -> Answering<'a, Result<Found, Refusal>> {
        Box::pin(self.try_to_find(typed, skip, searcher, may_read))
    }

    fn remove(&self, what: Removal) -> Answering<'_, bool> {
        Box::pin(self.ask(Some(what)))
    }
}
