//! A connection's mailbox: what is for this person alone. Knows nothing of the room's lines.

use std::collections::VecDeque;

use super::answer::Answer;
use super::seat::{Entered, Listening, Replay};
use crate::log::{AtomicUsize, Mutex, Ordering, lock};
use crate::model::RoomId;

/// An item is written when the reader of its room's log has come this far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The room in whose log the position is.
    pub room: RoomId,
    /// The position in it.
    pub position: u64,
}

/// Something for one person.
#[derive(Debug)]
pub enum Item {
    /// A word from the server or from another person.
    Answer(Answer),
    /// One sits in one more room now, and reads there.
    Entered(Box<Entered>),
    /// One reads a room now without a seat in it.
    Listening(Box<Listening>),
    /// Lines that were said before.
    Replay(Replay),
    /// Bytes that the dialect's decoder wants to be sent.
    Raw(Box<[u8]>),
}

impl Item {
    fn weight(&self) -> usize {
        match self {
            Item::Answer(answer) => answer.weight(),
            Item::Entered(entered) => 1024 + entered.replay.weight(),
            Item::Listening(listening) => 1024 + listening.replay.weight(),
            Item::Replay(replay) => replay.weight(),
            Item::Raw(bytes) => bytes.len(),
        }
    }
}

/// A mailbox holds this many items.
pub const ITEMS_MAX: usize = 64;

/// A mailbox holds this many bytes: 10,000 connections that do not read hold 320 MiB at most.
pub const BYTES_MAX: usize = 32 * 1024;

/// The mailbox is full: its owner does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// Items in the order in which they were put.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    items: Mutex<Items>,
    /// How many items there are: a hint that saves the lock on the way of every line.
    count: AtomicUsize,
}

#[derive(Debug, Default)]
struct Items {
    queue: VecDeque<(Mark, Item)>,
    bytes: usize,
    /// Nobody reads it any more.
    is_closed: bool,
}

impl Mailbox {
    /// Puts what somebody else sends.
    pub(crate) fn put(&self, mark: Mark, item: Item) -> Result<(), Full> {
        let weight = item.weight();
        let mut items = lock(&self.items);
        let is_full = items.queue.len() >= ITEMS_MAX || items.bytes + weight > BYTES_MAX;
        if items.is_closed || is_full {
            return Err(Full);
        }
        self.push(&mut items, mark, item, weight);
        Ok(())
    }

    /// Puts what the owner asked for, who asks only while the box [`has_room`](Self::has_room).
    pub(crate) fn put_own(&self, mark: Mark, item: Item) {
        let weight = item.weight();
        self.push(&mut lock(&self.items), mark, item, weight);
    }

    /// From now on everything that is put is forgotten, as is what lies here.
    pub(crate) fn close(&self) {
        let mut items = lock(&self.items);
        let is_closed = true;
        let forgotten = std::mem::replace(
            &mut *items,
            Items {
                is_closed,
                ..Items::default()
            },
        );
        self.count.store(0, Ordering::Release);
        drop(items);
        drop(forgotten);
    }

    fn push(&self, items: &mut Items, mark: Mark, item: Item, weight: usize) {
        if items.is_closed {
            return;
        }
        items.queue.push_back((mark, item));
        items.bytes += weight;
        self.count.store(items.queue.len(), Ordering::Release);
    }

    /// Whether everything is forgotten that is put.
    pub(crate) fn is_closed(&self) -> bool {
        lock(&self.items).is_closed
    }

    /// Whether the owner may ask for more: half the box is free.
    pub(crate) fn has_room(&self) -> bool {
        let items = lock(&self.items);
        items.queue.len() < ITEMS_MAX / 2 && items.bytes < BYTES_MAX / 2
    }

    /// Takes the first item, if `is_due` says so of it and its mark.
    pub(crate) fn take(&self, is_due: impl FnOnce(Mark, &Item) -> bool) -> Option<Item> {
        if self.count.load(Ordering::Acquire) == 0 {
            return None;
        }
        let mut items = lock(&self.items);
        let (mark, item) = items.queue.front()?;
        if !is_due(*mark, item) {
            return None;
        }
        let (_, item) = items.queue.pop_front()?;
        items.bytes -= item.weight();
        if items.queue.is_empty() {
            *items = Items::default(); // an idle connection holds no memory for it
        }
        self.count.store(items.queue.len(), Ordering::Release);
        Some(item)
    }

    /// Where the first item belongs, if there is one.
    pub(crate) fn first_mark(&self) -> Option<Mark> {
        if self.is_empty() {
            return None;
        }
        lock(&self.items).queue.front().map(|(mark, _)| *mark)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(count: usize) -> Item {
        Item::Raw(vec![b'x'; count].into())
    }

    fn mark(position: u64) -> Mark {
        let room = RoomId(1);
        Mark { room, position }
    }

    fn fill(mailbox: &Mailbox, item: impl Fn() -> Item) -> usize {
        (0..)
            .take_while(|_| mailbox.put(mark(0), item()).is_ok())
            .count()
    }

    #[test]
    fn others_put_sixty_four_items() {
        let mailbox = Mailbox::default();
        assert_eq!(fill(&mailbox, || bytes(1)), ITEMS_MAX);
        assert!(mailbox.take(|_, _| true).is_some());
        assert_eq!(fill(&mailbox, || bytes(1)), 1);
    }

    #[test]
    fn others_put_thirty_two_kibibytes() {
        let mailbox = Mailbox::default();
        assert_eq!(fill(&mailbox, || bytes(BYTES_MAX / 4)), 4);
        assert_eq!(fill(&mailbox, || bytes(1)), 0);
        while mailbox.take(|_, _| true).is_some() {}
        assert_eq!(fill(&mailbox, || bytes(BYTES_MAX)), 1);
    }

    #[test]
    fn what_does_not_fit_is_refused_whole() {
        let mailbox = Mailbox::default();
        assert_eq!(mailbox.put(mark(0), bytes(BYTES_MAX + 1)), Err(Full));
        assert!(mailbox.is_empty());
    }

    #[test]
    fn ones_own_is_never_refused_and_asked_for_while_half_is_free() {
        let mailbox = Mailbox::default();
        for items in 0..ITEMS_MAX * 2 {
            assert_eq!(mailbox.has_room(), items < ITEMS_MAX / 2);
            mailbox.put_own(mark(0), bytes(1));
        }
        assert_eq!(mailbox.put(mark(0), bytes(1)), Err(Full));
        let mailbox = Mailbox::default();
        mailbox.put_own(mark(0), bytes(BYTES_MAX / 2));
        assert!(!mailbox.has_room());
    }

    #[test]
    fn items_come_out_in_order_and_none_before_the_first_is_due() {
        let mailbox = Mailbox::default();
        for (position, count) in [(5, 1), (2, 2), (7, 3)] {
            mailbox.put_own(mark(position), bytes(count));
        }
        let mut sizes = Vec::new();
        for read in 0..10 {
            while let Some(item) = mailbox.take(|mark, _| mark.position <= read) {
                sizes.push((read, item.weight()));
            }
        }
        assert_eq!(sizes, [(5, 1), (5, 2), (7, 3)]);
        assert!(mailbox.is_empty());
    }
}
