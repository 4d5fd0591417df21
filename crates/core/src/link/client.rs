//! The broadcaster's end of a connection, and the connection's end of the broadcaster.
//!
//! Knows no socket: a client is a place in a group, a mailbox, and a place for one outcome.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use super::inbox::{Inbox, Letter, Outcome, Request};
use super::mailbox::{Full, Item, Mailbox, Mark};
use crate::log::{AtomicUsize, Bell, Group, Mutex, Ordering, lock};
use crate::model::{Missed, PersonId, Removal, RoomId};

/// One connection, as the broadcaster knows it.
#[derive(Debug)]
pub struct Client {
    pub(crate) id: PersonId,
    /// Where it comes from, where a door knows that.
    address: Option<SocketAddr>,
    /// Rung for whoever writes: there are new lines, or new mail.
    group: Arc<Group>,
    /// Rung for whoever reads and asks: there is an outcome, or room in the mailbox.
    answered: Bell,
    mailbox: Mailbox,
    outcome: Mutex<Waiting>,
    /// What the last notice of skipped lines counted.
    missed: Mutex<Option<Box<Missed>>>,
    /// Whether it is to be known how far the connection has read: 0 or 1.
    is_tracked: AtomicUsize,
    /// The room that it reads, and the number of the last line that was written to it; where that is to be known.
    read_to: Mutex<Option<(RoomId, u64)>>,
    /// Set once, by the broadcaster: the connection is to end.
    removed: OnceLock<Box<Removal>>,
}

/// What has become of the one request that may be under way.
#[derive(Debug)]
enum Waiting {
    /// No outcome yet, or no request.
    Open,
    /// The outcome, to be fetched.
    Done(Box<Outcome>),
    /// The connection is gone: nobody will fetch anything.
    Gone,
}

impl Client {
    /// The person whose connection this is.
    pub fn id(&self) -> PersonId {
        self.id
    }

    /// Where the connection comes from; none where no door knows that.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// The group that the connection's writing half is in.
    pub fn group(&self) -> &Arc<Group> {
        &self.group
    }

    /// Rings for the connection's writing half.
    pub fn ring(&self) {
        self.group.ring(self.id);
    }

    /// The bell of the connection's reading half: rung when there is an outcome, or room for mail.
    pub fn answered(&self) -> &Bell {
        &self.answered
    }

    /// Puts an item into the mailbox from outside, and rings.
    ///
    /// # Errors
    /// The mailbox is full.
    pub fn send(&self, mark: Mark, item: Item) -> Result<(), Full> {
        self.mailbox.put(mark, item)?;
        self.ring();
        Ok(())
    }

    /// Puts an item into the mailbox that its owner waits for, who [asked for room](Link::room) before; and rings.
    pub(crate) fn send_wanted(&self, mark: Mark, item: Item) {
        self.mailbox.put_own(mark, item);
        self.ring();
    }

    /// Takes the next item, if `is_due` says so of it and its mark.
    pub fn take(&self, is_due: impl FnOnce(Mark, &Item) -> bool) -> Option<Item> {
        let item = self.mailbox.take(is_due)?;
        self.answered.ring(); // the reading half may wait for room
        Some(item)
    }

    /// Where the next item belongs, if one waits.
    pub fn next_mark(&self) -> Option<Mark> {
        self.mailbox.first_mark()
    }

    /// From now on mail is forgotten: nobody takes what is written any more.
    pub fn forget_mail(&self) {
        self.mailbox.close();
        self.answered.ring(); // the reading half may wait for room
    }

    /// What the last notice of skipped lines counted; none if there was no such notice.
    pub fn missed(&self) -> Option<Missed> {
        lock(&self.missed).as_deref().cloned()
    }

    pub(crate) fn set_missed(&self, missed: Missed) {
        *lock(&self.missed) = Some(Box::new(missed));
    }

    /// From now on it is to be known how far the connection has read.
    pub fn track_reading(&self) {
        self.is_tracked.store(1, Ordering::Relaxed);
    }

    /// The room that the connection reads, and the number of the last line that was written to it; none where that is not
    /// known.
    pub fn read_to(&self) -> Option<(RoomId, u64)> {
        *lock(&self.read_to)
    }

    /// So far has been written, if anybody wants to know.
    pub(crate) fn note_read(&self, room: RoomId, seq: u64) {
        if self.is_tracked.load(Ordering::Relaxed) != 0 {
            *lock(&self.read_to) = Some((room, seq));
        }
    }

    /// Has the connection end.
    pub(crate) fn remove(&self, removal: Removal) {
        self.removed.set(Box::new(removal)).ok(); // of two, the first is told
        self.answered.ring();
    }

    /// Has the reading half look whether something concerns it.
    pub(crate) fn look(&self) {
        self.answered.ring();
    }

    /// Whether, by whom and why the connection is to end.
    pub fn removed(&self) -> Option<&Removal> {
        self.removed.get().map(Box::as_ref)
    }

    /// Waits until the connection is to end. For the task that asks and waits for outcomes, and no other: they share a
    /// bell.
    pub async fn removal(&self) -> &Removal {
        poll_fn(|cx| {
            loop {
                let seen = self.answered.version();
                if let Some(removal) = self.removed() {
                    return Poll::Ready(removal);
                }
                ready!(self.answered.poll_rung(seen, cx));
            }
        })
        .await
    }

    /// Whether no item waits.
    pub fn has_no_mail(&self) -> bool {
        self.mailbox.is_empty()
    }

    /// Whether nobody will fetch an outcome any more.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(*lock(&self.outcome), Waiting::Gone)
    }

    /// Hands over the outcome of the request under way, and rings.
    pub(crate) fn finish(&self, outcome: Outcome) {
        let mut waiting = lock(&self.outcome);
        if matches!(*waiting, Waiting::Gone) {
            drop(waiting);
            return; // the outcome ends here; a seat in it leaves at once
        }
        *waiting = Waiting::Done(Box::new(outcome));
        drop(waiting);
        self.answered.ring();
    }

    fn poll_outcome(&self, cx: &mut Context<'_>) -> Poll<Outcome> {
        loop {
            let seen = self.answered.version();
            if let Some(outcome) = self.fetch() {
                return Poll::Ready(outcome);
            }
            ready!(self.answered.poll_rung(seen, cx));
        }
    }

    fn fetch(&self) -> Option<Outcome> {
        let mut waiting = lock(&self.outcome);
        match std::mem::replace(&mut *waiting, Waiting::Open) {
            Waiting::Done(outcome) => Some(*outcome),
            other => {
                *waiting = other;
                None
            }
        }
    }
}

/// The connection's end: through it one asks the broadcaster, one request at a time.
///
/// When it is dropped, nothing is handed over any more.
#[derive(Debug)]
pub struct Link {
    client: Arc<Client>,
    inbox: Arc<Inbox>,
}

impl Link {
    pub(crate) fn new(
        id: PersonId,
        address: Option<SocketAddr>,
        inbox: Arc<Inbox>,
        group: Arc<Group>,
    ) -> Link {
        let client = Client {
            id,
            address,
            group,
            answered: Bell::default(),
            mailbox: Mailbox::default(),
            outcome: Mutex::new(Waiting::Open),
            missed: Mutex::new(None),
            is_tracked: AtomicUsize::new(0),
            read_to: Mutex::new(None),
            removed: OnceLock::new(),
        };
        Link {
            client: Arc::new(client),
            inbox,
        }
    }

    /// What the broadcaster sees of this connection.
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// Asks the broadcaster, and waits for what becomes of it.
    pub async fn call(&mut self, request: Request) -> Outcome {
        self.start(request);
        poll_fn(|cx| self.client.poll_outcome(cx)).await
    }

    /// Asks the broadcaster without waiting; the outcome is to be [fetched](Link::outcome) before
    /// the next request. For whoever has no tasks, as a simulator.
    pub fn start(&mut self, request: Request) {
        self.inbox.put(Letter::Request {
            client: Arc::clone(&self.client),
            request,
        });
    }

    /// The outcome of the request under way, if there is one by now.
    pub fn outcome(&mut self) -> Option<Outcome> {
        self.client.fetch()
    }

    /// Puts an item into one's own mailbox. Never refused: ask [`Link::room`] first.
    pub fn reply(&self, mark: Mark, item: Item) {
        self.client.send_wanted(mark, item);
    }

    /// Waits until everything in one's own mailbox has been taken by whoever writes. False if that never happens, because
    /// nobody takes what is written any more.
    pub async fn drained(&self) -> bool {
        loop {
            let seen = self.client.answered.version();
            if self.client.mailbox.is_closed() {
                return false;
            }
            if self.client.mailbox.is_empty() {
                return true;
            }
            self.client.answered.rung(seen).await;
        }
    }

    /// Waits until one's own mailbox has room for an answer.
    pub async fn room(&self) {
        loop {
            let seen = self.client.answered.version();
            if self.client.mailbox.has_room() {
                return;
            }
            self.client.answered.rung(seen).await;
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let left = std::mem::replace(&mut *lock(&self.client.outcome), Waiting::Gone);
        drop(left); // outside the lock: a seat in it departs
    }
}
