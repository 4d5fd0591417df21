//! The broadcaster's end of a connection: a place in a group, a mailbox, and a place for one
//! outcome. Knows no socket.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use super::mailbox::{Full, Mail, Mailbox};
use super::outcome::Outcome;
use super::seat::{Leave, Stay};
use super::view::{Mark, Place, View};
use crate::log::{AtomicUsize, Bell, Cursor, Group, Mutex, Ordering, lock};
use crate::model::{Act, Missed, Name, PersonId, RoomId};

/// One connection, as the broadcaster knows it.
#[derive(Debug)]
pub struct Client {
    // The fields that each delivery reads come first and together, because the memory of most
    // clients is not in the cache.
    /// Wakes the writing half when there are new lines or new mail.
    group: Arc<Group>,
    /// The act that ends the connection. The broadcaster sets it once.
    removed: OnceLock<Arc<Act>>,
    /// Whether the client records how far the connection has read: 0 or 1.
    is_tracked: AtomicUsize,
    /// The number of places from which the connection has departed.
    departures: AtomicUsize,
    mailbox: Mailbox,
    pub(crate) id: PersonId,
    /// Its address, if its door knows it.
    address: Option<SocketAddr>,
    /// Wakes the reading half when there is an outcome, or space in the mailbox.
    answered: Bell,
    outcome: Mutex<Delivery>,
    /// The lines that the last notice of skipped lines counted.
    missed: Mutex<Option<Box<Missed>>>,
    /// Whether it wants the list of everybody in each room that it enters: 0 or 1.
    wants_roster: AtomicUsize,
    /// The room that it reads, and the number of the last line written to it, if this is recorded.
    read_to: Mutex<Option<(RoomId, u64)>>,
    house: Arc<dyn Leave>,
    /// Whether the connection is on the server: [`OUTSIDE`], [`PRESENT`] or [`LEFT`].
    presence: AtomicUsize,
    /// Whether the broadcaster knows that the connection has left: 0 or 1.
    is_forgotten: AtomicUsize,
}

/// The outcome of the one request that may be under way.
#[derive(Debug)]
enum Delivery {
    /// No outcome yet, or no request.
    Open,
    /// The outcome, which waits to be fetched.
    Done(Box<Outcome>),
    /// The connection is gone, and nobody fetches the outcome.
    Gone,
}

/// The connection was never on the server, like that of a listener.
const OUTSIDE: usize = 0;
/// The connection is on the server.
const PRESENT: usize = 1;
/// The connection was on the server, and has left it.
const LEFT: usize = 2;

/// The name of a person without one: the address, or `unix:7` for the connection with this number,
/// which has no address because it came through a Unix socket.
pub(crate) fn address_name(id: PersonId, address: Option<SocketAddr>) -> Name {
    match address {
        Some(address) => Name::of_address(&address.to_string()),
        None => Name::of_address(&format!("unix:{}", id.number())),
    }
}

impl Stay for Client {
    fn person(&self) -> PersonId {
        self.id
    }

    fn come(&self) {
        self.presence.store(PRESENT, Ordering::Release);
    }

    fn has_left(&self) -> bool {
        self.presence.load(Ordering::Acquire) == LEFT
    }

    fn leave(&self) -> bool {
        let was_present = self.presence.swap(LEFT, Ordering::AcqRel) == PRESENT;
        self.ring();
        was_present
    }
}

impl Client {
    pub(super) fn new(
        id: PersonId,
        address: Option<SocketAddr>,
        group: Arc<Group>,
        house: Arc<dyn Leave>,
    ) -> Client {
        Client {
            group,
            removed: OnceLock::new(),
            is_tracked: AtomicUsize::new(0),
            departures: AtomicUsize::new(0),
            mailbox: Mailbox::default(),
            id,
            address,
            answered: Bell::default(),
            outcome: Mutex::new(Delivery::Open),
            missed: Mutex::new(None),
            wants_roster: AtomicUsize::new(0),
            read_to: Mutex::new(None),
            house,
            presence: AtomicUsize::new(OUTSIDE),
            is_forgotten: AtomicUsize::new(0),
        }
    }

    /// The person of the connection.
    pub fn id(&self) -> PersonId {
        self.id
    }

    /// The address of the connection; none if its door does not know it.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// The name of a person without one.
    pub fn address_name(&self) -> Name {
        address_name(self.id, self.address)
    }

    /// The group of the connection's writing half.
    pub fn group(&self) -> &Arc<Group> {
        &self.group
    }

    /// Whether the connection is on the server.
    pub(crate) fn is_present(&self) -> bool {
        self.presence.load(Ordering::Acquire) == PRESENT
    }

    /// Whether the connection has left the server, and the others can know it.
    pub(crate) fn is_forgotten(&self) -> bool {
        self.has_left() && self.is_forgotten.load(Ordering::Acquire) != 0
    }

    /// The broadcaster knows that the connection leaves, or has left.
    pub(crate) fn forget(&self) {
        self.is_forgotten.store(1, Ordering::Release);
        self.ring();
    }

    /// Wakes the connection's writing half.
    pub fn ring(&self) {
        self.group.ring(self.id);
    }

    /// The bell of the connection's reading half. It rings when there is an outcome, or space for
    /// mail.
    pub fn answered(&self) -> &Bell {
        &self.answered
    }

    /// Holds mail from others back, while the connection writes its welcome.
    pub fn hold_back(&self) {
        self.mailbox.hold_back();
    }

    /// Lets the mail in that was [held back](Self::hold_back), and rings.
    pub fn let_in(&self) {
        self.mailbox.let_in();
        self.ring();
    }

    /// Puts mail from others into the mailbox, and rings.
    ///
    /// # Errors
    /// The mailbox is full.
    pub fn send(&self, mark: Mark, mail: Mail) -> Result<(), Full> {
        self.mailbox.put(mark, mail)?;
        self.ring();
        Ok(())
    }

    /// Puts mail into the mailbox that its owner asked for after waiting for space, and rings.
    pub(crate) fn send_own(&self, mark: Mark, mail: Mail) {
        self.mailbox.put_own(mark, mail);
        self.ring();
    }

    /// Takes the next mail, if `is_due` returns true for it and its mark.
    #[inline]
    pub fn take(&self, is_due: impl FnOnce(&Mark, &Mail) -> bool) -> Option<Mail> {
        let mail = self.mailbox.take(is_due)?;
        self.answered.ring(); // the reading half may wait for space
        Some(mail)
    }

    /// The position at which the next mail stops this room, if it does; see [`Mark::stop_in`].
    #[inline]
    pub(crate) fn stop_in(&self, room: RoomId, is_waiting: impl FnOnce() -> bool) -> Option<u64> {
        self.mailbox.stop_in(room, is_waiting)
    }

    /// Discards all mail from now on: there is no writer.
    pub fn forget_mail(&self) {
        self.mailbox.close();
        self.answered.ring(); // the reading half may wait for space
    }

    /// The lines that the last notice of skipped lines counted; none if there was no such notice.
    pub fn missed(&self) -> Option<Missed> {
        lock(&self.missed).as_deref().cloned()
    }

    pub(crate) fn set_missed(&self, missed: Missed) {
        *lock(&self.missed) = Some(Box::new(missed));
    }

    /// Asks for [mail](Mail::EnteredAgain) with the end of the log off which this reader has fallen.
    pub(crate) fn enter_again(&self, view: &View) {
        self.house.enter_again(view.place());
    }

    /// Whether the connection gets the list of everybody in each room that it enters from now on.
    pub fn want_roster(&self, wants: bool) {
        self.wants_roster.store(usize::from(wants), Ordering::Relaxed);
    }

    pub(crate) fn wants_roster(&self) -> bool {
        self.wants_roster.load(Ordering::Relaxed) != 0
    }

    /// Records from now on how far the connection has read.
    pub fn track_reading(&self) {
        self.is_tracked.store(1, Ordering::Relaxed);
    }

    /// The number of the last line of this room that was written to the connection; none if the
    /// connection reads another room, or if this is not recorded.
    pub fn read_to(&self, room: RoomId) -> Option<u64> {
        let read_to = *lock(&self.read_to);
        read_to.filter(|(read, _)| *read == room).map(|(_, seq)| seq)
    }

    /// Records that this line was written to the connection, if reading is tracked.
    #[inline]
    pub(crate) fn note_read(&self, room: RoomId, seq: u64) {
        if self.is_tracked.load(Ordering::Relaxed) != 0 {
            *lock(&self.read_to) = Some((room, seq));
        }
    }

    /// Ends the view of a room in which the connection has this place. Make it visible later: who
    /// reads an entry behind the departure must find the departure.
    pub(crate) fn depart(&self, place: &Place, departed: Cursor) {
        if place.departed.set(departed).is_ok() {
            self.departures.fetch_add(1, Ordering::Release);
        }
    }

    /// The number of rooms whose views have an end. So a reader of many rooms looks for ends only
    /// while there are more of them than it has come to.
    #[inline]
    pub(crate) fn departures(&self) -> usize {
        self.departures.load(Ordering::Acquire)
    }

    /// Ends the connection, with this reason.
    pub(crate) fn remove(&self, act: &Arc<Act>) {
        self.removed.set(Arc::clone(act)).ok(); // the first of two acts counts
        self.answered.ring();
    }

    /// Wakes the reading half, which then looks at its seats.
    pub(crate) fn wake_reader(&self) {
        self.answered.ring();
    }

    /// The act that ended the connection; none while it may stay.
    #[inline]
    pub fn removed(&self) -> Option<&Arc<Act>> {
        self.removed.get()
    }

    /// Waits until the connection has to end. Only the task that asks and waits for outcomes may
    /// wait here: both waits share a bell.
    pub async fn removal(&self) -> &Arc<Act> {
        poll_fn(|cx| {
            loop {
                let seen = self.answered.version();
                if let Some(act) = self.removed() {
                    return Poll::Ready(act);
                }
                ready!(self.answered.poll_rung(seen, cx));
            }
        })
        .await
    }

    /// Whether no mail waits.
    #[inline]
    pub fn has_no_mail(&self) -> bool {
        self.mailbox.is_empty()
    }

    /// Touches the memory that a delivery reads; see [`super::backlog::Backlog::prefetch`].
    #[inline]
    pub(crate) fn prefetch(&self) -> usize {
        usize::from(self.has_no_mail()) ^ usize::from(self.removed().is_some())
    }

    /// Whether the connection is gone, so nobody fetches an outcome.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(*lock(&self.outcome), Delivery::Gone)
    }

    /// Delivers the outcome of the request under way, and rings.
    pub(crate) fn finish(&self, outcome: Outcome) {
        let mut waiting = lock(&self.outcome);
        if matches!(*waiting, Delivery::Gone) {
            drop(waiting);
            return; // the outcome ends here; a seat in it leaves at once
        }
        *waiting = Delivery::Done(Box::new(outcome));
        drop(waiting);
        self.answered.ring();
    }

    /// Waits until the mailbox is empty. False if its reader is gone.
    pub(super) async fn drained(&self) -> bool {
        loop {
            let seen = self.answered.version();
            if self.mailbox.is_closed() {
                return false;
            }
            if self.mailbox.is_empty() {
                return true;
            }
            self.answered.rung(seen).await;
        }
    }

    /// Waits until the mailbox has space for an answer.
    pub(super) async fn wait_for_space(&self) {
        loop {
            let seen = self.answered.version();
            if self.mailbox.has_space() {
                return;
            }
            self.answered.rung(seen).await;
        }
    }

    /// Delivers no outcome from now on.
    pub(super) fn hang_up(&self) {
        let left = std::mem::replace(&mut *lock(&self.outcome), Delivery::Gone);
        drop(left); // outside the lock: a seat in it departs
    }

    pub(super) fn poll_outcome(&self, cx: &mut Context<'_>) -> Poll<Outcome> {
        loop {
            let seen = self.answered.version();
            if let Some(outcome) = self.fetch_outcome() {
                return Poll::Ready(outcome);
            }
            ready!(self.answered.poll_rung(seen, cx));
        }
    }

    pub(super) fn fetch_outcome(&self) -> Option<Outcome> {
        let mut waiting = lock(&self.outcome);
        match std::mem::replace(&mut *waiting, Delivery::Open) {
            Delivery::Done(outcome) => Some(*outcome),
            other => {
                *waiting = other;
                None
            }
        }
    }
}
