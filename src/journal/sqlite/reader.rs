//! Reads stored lines, in a separate thread.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use parlor_core::model::{Damaged, End, RoomName, Said, WallTime};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::fault::UnusableFile;
use super::files::Files;
use super::holes::Holes;
use super::rows::{Count, Way};
use super::store::Store;
use super::verify::Damages;
use crate::journal::traits::{Ahead, History, Lookup, StoredPage, Unreadable};

/// The limit of bytes of a page's lines, as they are in memory: half of a mailbox.
const PAGE_BYTES_MAX: usize = 12 * 1024;

/// How many queries may wait; further callers wait for a place.
const QUERIES_MAX: usize = 64;

/// How long a caller waits for a disk that does not answer.
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// A query, which sends its answer by itself.
type Question = Box<dyn FnOnce(&mut Store) + Send>;

/// The thread that reads. Clones share it; it ends with the last clone.
#[derive(Clone, Debug)]
pub(super) struct ReaderThread {
    queries: mpsc::Sender<Question>,
}

impl ReaderThread {
    /// Opens another connection to the file, for reading.
    pub(super) fn start(files: Arc<Files>) -> Result<ReaderThread, UnusableFile> {
        let mut store = Store::open_to_read(files.path())?;
        let (queries, mut queue) = mpsc::channel::<Question>(QUERIES_MAX);
        thread::Builder::new()
            .name("history".to_owned())
            .spawn(move || {
                while let Some(query) = queue.blocking_recv() {
                    query(&mut store);
                }
                drop(store);
                drop(files); // after the last connection to them
            })
            .map_err(|error| {
                // Treated like a missing file.
                rusqlite::Error::ToSqlConversionFailure(Box::new(error))
            })?;
        Ok(ReaderThread { queries })
    }

    /// Runs a query, and waits for its answer.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        query: impl FnOnce(&mut Store) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Unreadable> {
        let (answer, answered) = oneshot::channel();
        let query: Question = Box::new(move |store| {
            if !answer.is_closed() {
                answer.send(query(store)).ok(); // perhaps the caller is gone
            }
        });
        let answered = async {
            self.queries.send(query).await.ok()?;
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

/// The lines in the file, for readers.
#[derive(Debug)]
pub(super) struct FileHistory {
    pub(super) reader: ReaderThread,
    pub(super) damages: Arc<Damages>,
    pub(super) holes: Holes,
}

impl FileHistory {
    async fn count(
        &self,
        room: &RoomName,
        range: (u64, u64),
        lines: u64,
        way: Way,
    ) -> Result<Count, Unreadable> {
        let named = room.clone();
        let count = move |store: &mut Store| store.count(&named, range, lines, way);
        let count = self.reader.ask(count).await?;
        if let Some(looked_at) = count.looked_at {
            let (first, last) = match way {
                Way::Up => (range.0, looked_at),
                Way::Down => (looked_at, range.1),
            };
            // Missing rows are damage, and readers are told so.
            if count.lines == 0 && count.rows == last - first + 1 {
                self.holes.note(room, first, last);
            }
        }
        Ok(count)
    }
}

impl History for FileHistory {
    fn page<'a>(&'a self, room: &'a RoomName, first: u64, last: u64) -> Lookup<'a, StoredPage> {
        let first = self.holes.up(room, first);
        Box::pin(async move {
            let (mut lines, mut bytes) = (VecDeque::new(), 0);
            if first > last {
                return Ok(StoredPage { lines, next: first });
            }
            let (room, damages) = (room.clone(), Arc::clone(&self.damages));
            let read = move |store: &mut Store| {
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
                Ok(StoredPage { lines, next })
            };
            self.reader.ask(read).await
        })
    }

    fn back<'a>(&'a self, room: &'a RoomName, last: u64, lines: u64) -> Lookup<'a, u64> {
        Box::pin(async move {
            let (mut next, mut left) = (last, lines);
            while left > 0 {
                next = self.holes.down(room, next);
                let count = self.count(room, (1, next), left, Way::Down).await?;
                left -= count.lines;
                let Some(looked_at) = count.looked_at else {
                    return Ok(1); // missing rows are damage, and readers are told so
                };
                if left == 0 {
                    return Ok(looked_at);
                }
                next = looked_at.saturating_sub(1);
            }
            Ok(last.saturating_add(1))
        })
    }

    fn ahead<'a>(
        &'a self,
        room: &'a RoomName,
        seq: u64,
        last: u64,
        lines: u64,
    ) -> Lookup<'a, Ahead> {
        Box::pin(async move {
            let mut next = seq.saturating_add(1);
            let (mut left, mut end) = (lines, last);
            while left > 0 {
                next = self.holes.up(room, next);
                let count = self.count(room, (next, last), left, Way::Up).await?;
                left -= count.lines;
                let Some(looked_at) = count.looked_at else {
                    break;
                };
                if left == 0 {
                    end = looked_at;
                }
                next = looked_at.saturating_add(1);
            }
            Ok(Ahead { lines: lines - left, last: end })
        })
    }

    fn first_since<'a>(&'a self, room: &'a RoomName, at: WallTime) -> Lookup<'a, Option<u64>> {
        let room = room.clone();
        Box::pin(self.reader.ask(move |store| store.first_since(&room, at)))
    }

    fn before<'a>(&'a self, room: &'a RoomName, last: u64, bytes: u64) -> Lookup<'a, u64> {
        let room = room.clone();
        Box::pin(self.reader.ask(move |store| store.before(&room, last, bytes)))
    }

    fn end_of<'a>(&'a self, epoch: &'a str, room: &'a RoomName) -> Lookup<'a, Option<u64>> {
        let (epoch, room) = (epoch.to_owned(), room.clone());
        Box::pin(self.reader.ask(move |store| store.end_of(&epoch, &room)))
    }

    fn ends(&self) -> Lookup<'_, Vec<(String, End)>> {
        Box::pin(self.reader.ask(|store| store.ends()))
    }
}
