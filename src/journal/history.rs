//! Reading what a journal has kept: page by page, in a thread of its own. Knows nobody who reads.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use parlor_core::entry::Said;
use parlor_core::journal::{Damaged, End};
use parlor_core::name::RoomName;
use parlor_core::seat::Replay;
use parlor_core::time::WallTime;
use tokio::sync::{mpsc, oneshot};

use super::fault::Unusable;
use super::inspection::Damages;
use super::store::Store;

/// A page has at most so many bytes of lines, as they are in memory: half of what a mailbox holds.
const PAGE_BYTES_MAX: usize = 12 * 1024;

/// So many questions may wait; whoever has another one waits for a place.
const QUESTIONS_MAX: usize = 64;

/// What is kept cannot be read: the log says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what is kept cannot be read")]
pub struct Unreadable;

/// Lines of a room, and where to go on.
#[derive(Debug)]
pub(crate) struct Page {
    /// Oldest first, and what stands where they are damaged.
    pub(crate) lines: VecDeque<Result<Said, Damaged>>,
    /// The number after the last one looked at.
    pub(crate) next: u64,
}

/// A question to the file: what is to be done, with the answer's way back in it.
type Question = Box<dyn FnOnce(&Store) + Send>;

/// What a journal keeps, for those who want to read it. Cloned, it is the same.
#[derive(Clone, Debug)]
pub struct History {
    questions: mpsc::Sender<Question>,
    damages: Arc<Damages>,
}

impl History {
    /// Opens the file once more, to read.
    pub(super) fn open(path: &Path, damages: Arc<Damages>) -> Result<History, Unusable> {
        let store = Store::open_to_read(path)?;
        let (questions, mut queue) = mpsc::channel::<Question>(QUESTIONS_MAX);
        // It ends with the last who could ask.
        thread::Builder::new()
            .name("history".to_owned())
            .spawn(move || {
                while let Some(question) = queue.blocking_recv() {
                    question(&store);
                }
            })
            .map_err(|error| {
                rusqlite::Error::ToSqlConversionFailure(Box::new(error)) // no thread: as good as no file
            })?;
        Ok(History { questions, damages })
    }

    /// The lines of a room from number `first` to `last`, or the beginning of them: as many as make a page.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) async fn page(
        &self,
        room: &RoomName,
        first: u64,
        last: u64,
    ) -> Result<Page, Unreadable> {
        let room = room.clone();
        let damages = Arc::clone(&self.damages);
        self.ask(move |store| {
            let mut lines = VecDeque::new();
            let mut bytes = 0;
            let looked_at = store.read(&room, first, last, |line| {
                bytes += line.as_ref().map_or(size_of::<Said>(), Said::weight);
                lines.push_back(line.map_err(|damage| {
                    damages.tell(&damage);
                    let (first, last) = (damage.first, damage.last);
                    let room = room.clone();
                    Damaged { room, first, last }
                }));
                bytes < PAGE_BYTES_MAX
            })?;
            let next = looked_at + 1;
            Ok(Page { lines, next })
        })
        .await
    }

    /// The number of the first line of a room that was said at this time or later.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) async fn first_since(
        &self,
        room: &RoomName,
        at: WallTime,
    ) -> Result<Option<u64>, Unreadable> {
        let room = room.clone();
        self.ask(move |store| store.first_since(&room, at)).await
    }

    /// The number of the line behind which the lines up to number `last` take so many bytes when they are shown.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) async fn before(
        &self,
        room: &RoomName,
        last: u64,
        bytes: u64,
    ) -> Result<u64, Unreadable> {
        let room = room.clone();
        self.ask(move |store| store.before(&room, last, bytes))
            .await
    }

    /// The first of these numbers of a room whose line has not been taken out.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) async fn first_kept(
        &self,
        room: &RoomName,
        first: u64,
        last: u64,
    ) -> Result<Option<u64>, Unreadable> {
        let room = room.clone();
        self.ask(move |store| {
            let mut kept = None;
            store.read(&room, first, last, |said| {
                kept = Some(match said {
                    Ok(said) => said.seq,
                    Err(damage) => damage.first,
                });
                false
            })?;
            Ok(kept)
        })
        .await
    }

    /// Where the lines of each room end.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) async fn ends(&self) -> Result<Vec<(String, End)>, Unreadable> {
        self.ask(Store::ends).await
    }

    /// Puts lines from before in front of a replay, so that it has so many.
    pub(crate) async fn complete(&self, replay: &mut Replay, room: &RoomName, lines: u64) {
        let missing = lines.saturating_sub(replay.to.seq - replay.from.seq);
        let last = replay.from.seq;
        let mut next = last.saturating_sub(missing) + 1;
        while next <= last {
            // Where they cannot be read, the operator's log says so; whoever enters has the room itself.
            let Ok(page) = self.page(room, next, last).await else {
                return;
            };
            next = page.next;
            replay.older.extend(page.lines);
        }
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Store) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Unreadable> {
        let (answer, answered) = oneshot::channel();
        let question: Question = Box::new(move |store| {
            answer.send(question(store)).ok(); // perhaps the asker is gone
        });
        self.questions
            .send(question)
            .await
            .map_err(|_| Unreadable)?;
        match answered.await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(error)) => {
                tracing::error!(%error, "what is kept cannot be read");
                Err(Unreadable)
            }
            Err(_) => Err(Unreadable),
        }
    }
}
