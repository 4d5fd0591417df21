//! Reading and searching stored lines, as traits. Sessions, doors and commands know only these.
//!
//! A second kind of journal implements [`Journal`](parlor_core::journal::Journal), [`History`] and
//! [`Archive`], and needs its own eraser, because the present one deletes lines with SQL. A second
//! kind of search implements [`Search`]. [`open`](super::open) chooses. Everything beside lines is in the
//! [`Database`](super::Database) with any journal.

use std::collections::VecDeque;
use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::pin::Pin;

use parlor_core::link::{Refusal, Replay};
use parlor_core::model::{Counting, Damage, End, PersonId, RoomName, Said, WallTime};

/// An answer that may wait for a disk or another server.
pub(crate) type Answering<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The result of a query of stored lines.
pub(crate) type Lookup<'a, T> = Answering<'a, Result<T, Unreadable>>;

/// Stored lines cannot be read. The log says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stored lines cannot be read")]
pub(crate) struct Unreadable;

/// The stored lines of all rooms, for a running server.
///
/// The promises of an implementation:
/// - It reads what the journal has committed, and nothing else.
/// - It delays no commit, and answers within ten seconds, if only with [`Unreadable`].
/// - Numbers are dense in a room. A deleted line keeps its number and its time; only `page`, `back`
///   and `ahead` pass over it. A missing line is damage, and readers are told so.
/// - One answer looks at a bounded number of rows, so that no reader waits long for another one.
pub(crate) trait History: fmt::Debug + Send + Sync {
    /// The lines of a room from number `first` to `last`, or as many of them as fit into a page.
    fn page<'a>(&'a self, room: &'a RoomName, first: u64, last: u64) -> Lookup<'a, StoredPage>;

    /// The number of the first line of the last lines or messages of a room up to number `last`, as
    /// many as `count` says; 1 if the room has fewer.
    fn back<'a>(&'a self, room: &'a RoomName, last: u64, count: (u64, Counting))
    -> Lookup<'a, u64>;

    /// Counts lines or messages of a room after number `seq` and up to number `last`, at most as
    /// many as `count` says.
    fn ahead<'a>(
        &'a self,
        room: &'a RoomName,
        seq: u64,
        last: u64,
        count: (u64, Counting),
    ) -> Lookup<'a, Ahead>;

    /// The number of the first line of a room that was said at this time or later.
    fn first_since<'a>(&'a self, room: &'a RoomName, at: WallTime) -> Lookup<'a, Option<u64>>;

    /// The number of the line after which the lines up to number `last` take `bytes` bytes on a
    /// screen.
    fn before<'a>(&'a self, room: &'a RoomName, last: u64, bytes: u64) -> Lookup<'a, u64>;

    /// The number of a room's last line at the end of an epoch. The present epoch has no limit.
    /// None for an epoch that the journal does not know.
    fn end_of<'a>(&'a self, epoch: &'a str, room: &'a RoomName) -> Lookup<'a, Option<u64>>;

    /// The end of each room's lines.
    fn ends(&self) -> Lookup<'_, Vec<(String, End)>>;

    /// Puts stored lines in front of a replay, so that it has `lines` lines. If they cannot be
    /// read, the replay stays unchanged: the server's log has the reason, and the reader has the
    /// room itself.
    fn complete<'a>(
        &'a self,
        replay: &'a mut Replay,
        room: &'a RoomName,
        lines: u64,
    ) -> Answering<'a, ()> {
        Box::pin(async move {
            let missing = lines.saturating_sub(replay.lines_with_words());
            let last = replay.from.seq;
            if missing == 0 || last == 0 {
                return;
            }
            let Ok(mut next) = self.back(room, last, (missing, Counting::Lines)).await else {
                return;
            };
            while next <= last {
                let Ok(page) = self.page(room, next, last).await else {
                    return;
                };
                next = page.next;
                replay.older.extend(page.lines);
            }
        })
    }
}

/// Lines of a room, and where to continue.
#[derive(Debug)]
pub(crate) struct StoredPage {
    /// Oldest first; damage in the place of damaged lines.
    pub(crate) lines: VecDeque<Result<Said, Damage>>,
    /// The number after the last one examined.
    pub(crate) next: u64,
}

/// Lines or messages of a room, counted upwards.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ahead {
    /// Their number, of those requested.
    pub(crate) count: u64,
    /// The number of the last line that was counted, or of the last row examined.
    pub(crate) last: u64,
}

/// Search in stored lines.
///
/// The promises of an implementation:
/// - It follows the journal by itself; no commit waits for it. [`Found::behind`] counts the lines
///   that it does not know yet.
/// - It finds no line of a commit that failed.
/// - When a removal has succeeded, the line is never found again, even after a crash.
/// - It can be rebuilt from the journal, so its files may be lost.
pub(crate) trait Search: fmt::Debug + Send + Sync {
    /// Finds lines with all these words, and with quoted words exactly as they are quoted: the
    /// newest first, without the first `skip`, in all rooms that `may_read` allows.
    ///
    /// # Errors
    ///
    /// `typed` has no word, or stored lines cannot be read.
    fn find<'a>(
        &'a self,
        typed: &'a str,
        skip: u64,
        searcher: Searcher,
        may_read: Box<dyn Fn(&RoomName) -> bool + Send>,
    ) -> Answering<'a, Result<Found, Refusal>>;

    /// Removes lines or their leftovers. Returns whether it has succeeded.
    fn remove(&self, what: Removal) -> Answering<'_, bool>;
}

/// The lines that a search must no longer find.
#[derive(Clone, Debug)]
pub(crate) enum Removal {
    /// Lines that were said before this time, now and after each rebuild.
    Before(WallTime),
    /// The lines of a room with these numbers.
    Lines(RoomName, Vec<u64>),
    /// The leftovers of removed lines in the files, which are overwritten when it is due.
    Leftovers,
}

/// The person who searches.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Searcher {
    /// The connection.
    pub(crate) person: PersonId,
    /// The network of the connection, unless it is this machine: all its connections share a turn.
    pub(crate) network: Option<IpAddr>,
}

/// The result of a search.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Rooms and numbers of lines, the newest first.
    pub(crate) lines: Vec<(RoomName, u64)>,
    /// The number of further lines.
    pub(crate) more: u64,
    /// Whether the search ran out of time: if so, there may be more of both.
    pub(crate) is_cut: bool,
    /// The number of lines that the search does not know yet.
    pub(crate) behind: u64,
}

/// The stored lines of all rooms, for a command that runs with or without a server. It writes
/// nothing in the server's directory and delays no commit.
pub(crate) trait Archive {
    /// The end of each room's lines.
    ///
    /// # Errors
    /// The files cannot be read, in one sentence. The same holds for the functions below.
    fn ends(&self) -> anyhow::Result<Vec<(String, End)>>;

    /// The number of the first line of a room that was said at this time or later.
    ///
    /// # Errors
    /// As above.
    fn first_since(&self, room: &RoomName, at: WallTime) -> anyhow::Result<Option<u64>>;

    /// Passes the lines of a room with these numbers to `more`, oldest first, and damage in the
    /// place of damaged lines, until `more` returns false. Returns the number of the last line
    /// examined.
    ///
    /// # Errors
    /// As above.
    fn read(
        &self,
        room: &RoomName,
        first: u64,
        last: u64,
        more: &mut dyn FnMut(Result<Said, Damage>) -> bool,
    ) -> anyhow::Result<u64>;

    /// Checks every line and the structure of the files, and passes each error to `found`.
    ///
    /// # Errors
    /// As above.
    fn verify(&self, found: &mut dyn FnMut(String)) -> anyhow::Result<Extent>;

    /// Copies everything in its present state, without anything that was deleted, into an empty
    /// file.
    ///
    /// # Errors
    /// As above, or the copy cannot be written.
    fn copy_to(&self, file: &Path) -> anyhow::Result<()>;
}

/// The amount of stored lines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    /// The number of rooms that have lines.
    pub(crate) rooms: usize,
    /// The number of lines.
    pub(crate) lines: u64,
}
