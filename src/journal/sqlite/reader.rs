//! Reading what a journal has kept: page by page, in a thread of its own. Knows nobody who reads.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use parlor_core::link::Replay;
use parlor_core::model::{Damaged, End, RoomName, Said, WallTime};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::fault::Unusable;
use super::files::Files;
use super::holes::Holes;
use super::rows::{Count, Way};
use super::store::Store;
use super::verify::Damages;

/// A page has at most so many bytes of lines, as they are in memory: half of what a mailbox holds.
const PAGE_BYTES_MAX: usize = 12 * 1024;

/// So many questions may wait; whoever has another one waits for a place.
const QUESTIONS_MAX: usize = 64;

/// Nobody waits longer for a disk that does not answer.
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// What is kept cannot be read: the log says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stored lines cannot be read")]
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
type Question = Box<dyn FnOnce(&mut Store) + Send>;

/// What a journal keeps, for those who want to read it. Cloned, it is the same.
#[derive(Clone, Debug)]
pub struct History {
    questions: mpsc::Sender<Question>,
    damages: Arc<Damages>,
    holes: Arc<Holes>,
}

/// Lines of a room that were counted upwards.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ahead {
    /// How many there are, of those that were wanted.
    pub(crate) lines: u64,
    /// The number of the last, or of the last that was looked at.
    pub(crate) last: u64,
}

impl History {
    /// Opens the file once more, to read.
    pub(crate) fn open(files: Arc<Files>, damages: Arc<Damages>) -> Result<History, Unusable> {
        let mut store = Store::open_to_read(files.path())?;
        let (questions, mut queue) = mpsc::channel::<Question>(QUESTIONS_MAX);
        // It ends with the last who could ask.
        thread::Builder::new()
            .name("history".to_owned())
            .spawn(move || {
                while let Some(question) = queue.blocking_recv() {
                    question(&mut store);
                }
                drop(store);
                drop(files); // after the last connection to them
            })
            .map_err(|error| {
                rusqlite::Error::ToSqlConversionFailure(Box::new(error)) // no thread: as good as no file
            })?;
        Ok(History {
            questions,
            damages,
            holes: Arc::default(),
        })
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
        let first = self.holes.up(room, first);
        if first > last {
            let (lines, next) = (VecDeque::new(), first);
            return Ok(Page { lines, next });
        }
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

    /// The number from which on there are so many lines up to number `last`; the first where there are fewer.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) async fn back(
        &self,
        room: &RoomName,
        last: u64,
        lines: u64,
    ) -> Result<u64, Unreadable> {
        let (mut next, mut left) = (last, lines);
        while left > 0 {
            next = self.holes.down(room, next);
            let count = self.count(room, (1, next), left, Way::Down).await?;
            left -= count.lines;
            let Some(looked_at) = count.looked_at else {
                return Ok(1); // what is missing there is damage, and shown
            };
            self.note_hole(room, (looked_at, next), count);
            if left == 0 {
                return Ok(looked_at);
            }
            next = looked_at.saturating_sub(1);
        }
        Ok(last.saturating_add(1))
    }

    /// So many lines behind number `seq`, and up to number `last`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) async fn ahead(
        &self,
        room: &RoomName,
        seq: u64,
        last: u64,
        lines: u64,
    ) -> Result<Ahead, Unreadable> {
        let mut next = seq.saturating_add(1);
        let (mut left, mut end) = (lines, last);
        while left > 0 {
            next = self.holes.up(room, next);
            let count = self.count(room, (next, last), left, Way::Up).await?;
            left -= count.lines;
            let Some(looked_at) = count.looked_at else {
                break;
            };
            self.note_hole(room, (next, looked_at), count);
            if left == 0 {
                end = looked_at;
            }
            next = looked_at.saturating_add(1);
        }
        Ok(Ahead {
            lines: lines - left,
            last: end,
        })
    }

    /// Where rows are missing, that is damage, and shown.
    fn note_hole(&self, room: &RoomName, (first, last): (u64, u64), count: Count) {
        if count.lines == 0 && count.rows == last - first + 1 {
            self.holes.note(room, first, last);
        }
    }

    async fn count(
        &self,
        room: &RoomName,
        (first, last): (u64, u64),
        lines: u64,
        way: Way,
    ) -> Result<Count, Unreadable> {
        let room = room.clone();
        self.ask(move |store| store.count(&room, first, last, lines, way))
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
    pub(crate) async fn first_kept(
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

    /// The number of the last line of a room that was said while the log was called so; see [`Store::end_of`].
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) async fn end_of(
        &self,
        epoch: &str,
        room: &RoomName,
    ) -> Result<Option<u64>, Unreadable> {
        let (epoch, room) = (epoch.to_owned(), room.clone());
        self.ask(move |store| store.end_of(&epoch, &room)).await
    }

    /// Where the lines of each room end.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) async fn ends(&self) -> Result<Vec<(String, End)>, Unreadable> {
        self.ask(|store| store.ends()).await
    }

    /// Puts lines from before in front of a replay, so that it has so many.
    pub(crate) async fn complete(&self, replay: &mut Replay, room: &RoomName, lines: u64) {
        let missing = lines.saturating_sub(replay.words());
        let last = replay.from.seq;
        if missing == 0 || last == 0 {
            return;
        }
        // Where they cannot be read, the operator's log says so; whoever enters has the room itself.
        let Ok(mut next) = self.back(room, last, missing).await else {
            return;
        };
        while next <= last {
            let Ok(page) = self.page(room, next, last).await else {
                return;
            };
            next = page.next;
            replay.older.extend(page.lines);
        }
    }

    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Store) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Unreadable> {
        let (answer, answered) = oneshot::channel();
        let question: Question = Box::new(move |store| {
            if !answer.is_closed() {
                answer.send(question(store)).ok(); // perhaps the asker is gone
            }
        });
        let answered = async {
            self.questions.send(question).await.ok()?;
            answered.await.ok()
        };
        match timeout(ANSWER_TIME, answered).await {
            Ok(Some(Ok(found))) => Ok(found),
            Ok(Some(Err(error))) => {
                tracing::error!(%error, "stored lines cannot be read");
                Err(Unreadable)
            }
            Ok(None) => Err(Unreadable),
            Err(_) => {
                tracing::warn!("the disk does not answer: stored lines cannot be read now");
                Err(Unreadable)
            }
        }
    }
}
