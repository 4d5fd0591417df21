//! Reads stored lines, in a separate thread.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use parlor_core::model::{Counting, End, Extras, RoomName, Said, WallTime};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::files::{Files, OpenError, failed};
use super::holes::Holes;
use super::rows::Way;
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
    /// Opens another connection to the file, for reading. `is_view` says whether it is the file of a
    /// node.
    ///
    /// # Errors
    /// The file cannot be read, or the system cannot start another thread.
    pub(super) fn start(files: Arc<Files>, is_view: bool) -> Result<ReaderThread, OpenError> {
        let path = files.path().to_owned();
        let store = Store::open_to_read(&path);
        let store = store.map_err(|error| OpenError::File { path: path.clone(), error })?;
        let mut store = Store { is_view, ..store };
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
            .map_err(failed(&path))?;
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
    /// Counts up to `most` lines or messages of a room between these two numbers, in one direction. Returns
    /// how many there are, and the number of the last of them if none is lacking.
    async fn count(
        &self,
        room: &RoomName,
        (mut first, mut last): (u64, u64),
        (most, counting): (u64, Counting),
        way: Way,
    ) -> Result<(u64, Option<u64>), Unreadable> {
        let mut left = most;
        while left > 0 {
            match way {
                Way::Up => first = self.holes.up(room, first),
                Way::Down => last = self.holes.down(room, last),
            }
            let (named, wanted) = (room.clone(), (left, counting));
            let count = move |store: &mut Store| store.count(&named, (first, last), wanted, way);
            let count = self.reader.ask(count).await?;
            let Some(looked_at) = count.looked_at else {
                break;
            };
            left -= count.lines;
            if left == 0 {
                return Ok((most, Some(looked_at)));
            }
            let (from, to) = match way {
                Way::Up => (first, looked_at),
                Way::Down => (looked_at, last),
            };
            // Missing rows are damage, and readers are told so.
            if count.lines == 0 && count.rows == to - from + 1 {
                self.holes.note(room, from, to);
            }
            match way {
                Way::Up => first = looked_at.saturating_add(1),
                Way::Down => last = looked_at.saturating_sub(1),
            }
        }
        Ok((most - left, None))
    }
}

/// The logs that have numbered the earlier lines of a room: the last line in each, and what a line
/// of it says of that.
struct EarlierLogs(Vec<(u64, Option<Arc<Extras>>)>);

impl EarlierLogs {
    fn new(logs: Vec<(u64, Option<Arc<str>>)>) -> EarlierLogs {
        let extras = |log| Arc::new(Extras { log: Some(log), ..Extras::default() });
        EarlierLogs(logs.into_iter().map(|(last, log)| (last, log.map(extras))).collect())
    }

    /// The line, with the log that has numbered it, unless that is the present one.
    fn note_in(&self, mut said: Said) -> Said {
        let index = self.0.partition_point(|(last, _)| *last < said.seq);
        if let Some((_, Some(extras))) = self.0.get(index) {
            said.extras = Some(match said.group() {
                None => Arc::clone(extras), // nothing else is stored
                group => Arc::new(Extras { group, log: extras.log.clone(), ..Extras::default() }),
            });
        }
        said
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
                let logs = EarlierLogs::new(store.earlier_logs(&room, first)?);
                let looked_at = store.read(&room, first, last, |row| {
                    let line = row.map(|row| logs.note_in(row.said()));
                    bytes += line.as_ref().map_or(size_of::<Said>(), Said::weight);
                    lines.push_back(line.inspect_err(|damage| damages.tell(damage)));
                    bytes < PAGE_BYTES_MAX
                })?;
                let next = looked_at + 1;
                Ok(StoredPage { lines, next })
            };
            self.reader.ask(read).await
        })
    }

    fn back<'a>(
        &'a self,
        room: &'a RoomName,
        last: u64,
        (count, counting): (u64, Counting),
    ) -> Lookup<'a, u64> {
        Box::pin(async move {
            let (_, first) = self.count(room, (1, last), (count, counting), Way::Down).await?;
            Ok(first.unwrap_or(if count == 0 { last.saturating_add(1) } else { 1 }))
        })
    }

    fn ahead<'a>(
        &'a self,
        room: &'a RoomName,
        seq: u64,
        last: u64,
        (count, counting): (u64, Counting),
    ) -> Lookup<'a, Ahead> {
        Box::pin(async move {
            let range = (seq.saturating_add(1), last);
            let (counted, end) = self.count(room, range, (count, counting), Way::Up).await?;
            Ok(Ahead { count: counted, last: end.unwrap_or(last) })
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
