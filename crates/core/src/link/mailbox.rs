//! A connection's mailbox: messages for this person alone. Knows nothing of the room's lines.

use std::collections::VecDeque;

use super::answer::Answer;
use super::asked::Asked;
use super::view::{Entered, Listening, Mark, Replay};
use crate::log::{AtomicUsize, Mutex, Ordering, lock};
use crate::model::RoomId;

/// A message for one person: it is written when the reader has reached its mark.
#[derive(Debug)]
pub enum Mail {
    /// An answer, a notice, or a message from another person.
    Answer(Answer),
    /// The person has a seat in one more room now, and reads there.
    Entered(Box<Entered>),
    /// The person has fallen off the log of a room, and reads there from its end on.
    EnteredAgain(Box<Entered>),
    /// The person now reads a room without a seat in it.
    Listening(Box<Listening>),
    /// Earlier lines.
    Replay(Replay),
    /// Bytes that the dialect's decoder asks to send.
    Raw(Box<[u8]>),
    /// The answers to a command follow. Mail from others may stand between them.
    Begin(Box<Asked>),
    /// The command is answered.
    End,
}

impl Mail {
    fn weight(&self) -> usize {
        match self {
            Mail::Answer(answer) => answer.weight(),
            Mail::Entered(entered) | Mail::EnteredAgain(entered) => 1024 + entered.replay.weight(),
            Mail::Listening(listening) => 1024 + listening.replay.weight(),
            Mail::Replay(replay) => replay.weight(),
            Mail::Raw(bytes) => bytes.len(),
            Mail::Begin(asked) => asked.weight(),
            Mail::End => 0,
        }
    }
}

/// The number of mails that a mailbox holds.
pub const ITEMS_MAX: usize = 64;

/// The number of bytes that a mailbox holds: 10,000 connections that do not read hold 320 MiB at
/// most.
pub const BYTES_MAX: usize = 32 * 1024;

/// The mailbox is full: its owner does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// The mails, in the order in which they were put.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    /// The number of mails. It saves taking the lock for every line.
    count: AtomicUsize,
    items: Mutex<Contents>,
}

#[derive(Debug, Default)]
struct Contents {
    /// The mails that can be taken.
    ready: Mails,
    /// The mails from others that are held back until the owner is let in; none if nothing is held
    /// back.
    held: Option<Box<Mails>>,
    /// Whether the reader is gone, so nothing is taken out.
    is_closed: bool,
}

/// Mails in their order.
#[derive(Debug, Default)]
struct Mails {
    queue: VecDeque<(Mark, Mail)>,
    bytes: usize,
}

impl Mails {
    fn push(&mut self, mark: Mark, mail: Mail, weight: usize) {
        self.queue.push_back((mark, mail));
        self.bytes += weight;
    }
}

impl Contents {
    /// The number and the bytes of all mails.
    fn size(&self) -> (usize, usize) {
        let Mails { queue, bytes } = &self.ready;
        match self.held.as_deref() {
            Some(held) => (queue.len() + held.queue.len(), bytes + held.bytes),
            None => (queue.len(), *bytes),
        }
    }
}

impl Mailbox {
    /// Holds mail from others back until the owner is [let in](Self::let_in).
    pub(crate) fn hold_back(&self) {
        lock(&self.items).held.get_or_insert_default();
    }

    /// Puts the mail that was held back behind what the owner asked for meanwhile.
    pub(crate) fn let_in(&self) {
        let mut items = lock(&self.items);
        if let Some(held) = items.held.take() {
            items.ready.queue.extend(held.queue);
            items.ready.bytes += held.bytes;
            self.count.store(items.ready.queue.len(), Ordering::Release);
        }
    }

    /// Puts mail from another person or the server.
    pub(crate) fn put(&self, mark: Mark, mail: Mail) -> Result<(), Full> {
        let weight = mail.weight() + mark.weight();
        let mut items = lock(&self.items);
        let (count, bytes) = items.size();
        if items.is_closed || count >= ITEMS_MAX || bytes + weight > BYTES_MAX {
            return Err(Full);
        }
        match &mut items.held {
            Some(held) => held.push(mark, mail, weight),
            None => self.push(&mut items, mark, mail, weight),
        }
        Ok(())
    }

    /// Puts mail that the owner asked for; owners ask only while the mailbox
    /// [`has_space`](Self::has_space).
    pub(crate) fn put_own(&self, mark: Mark, mail: Mail) {
        let weight = mail.weight() + mark.weight();
        self.push(&mut lock(&self.items), mark, mail, weight);
    }

    /// Discards the contents, and all mail that is put from now on.
    pub(crate) fn close(&self) {
        let mut items = lock(&self.items);
        let is_closed = true;
        let dropped = std::mem::replace(&mut *items, Contents { is_closed, ..Contents::default() });
        self.count.store(0, Ordering::Release);
        drop(items);
        drop(dropped);
    }

    fn push(&self, items: &mut Contents, mark: Mark, mail: Mail, weight: usize) {
        if items.is_closed {
            return;
        }
        items.ready.push(mark, mail, weight);
        self.count.store(items.ready.queue.len(), Ordering::Release);
    }

    /// Whether all mail that is put is discarded.
    pub(crate) fn is_closed(&self) -> bool {
        lock(&self.items).is_closed
    }

    /// Whether the owner may ask for more: at least half of the mailbox is free.
    pub(crate) fn has_space(&self) -> bool {
        let Contents { ready, .. } = &*lock(&self.items); // mail that is held back frees no space by itself
        ready.queue.len() < ITEMS_MAX / 2 && ready.bytes < BYTES_MAX / 2
    }

    /// Takes the first mail, if `is_due` returns true for it and its mark.
    #[inline]
    pub(crate) fn take(&self, is_due: impl FnOnce(&Mark, &Mail) -> bool) -> Option<Mail> {
        if self.count.load(Ordering::Acquire) == 0 {
            return None;
        }
        let mut items = lock(&self.items);
        let ready = &mut items.ready;
        let (mark, mail) = ready.queue.front()?;
        if !is_due(mark, mail) {
            return None;
        }
        let (mark, mail) = ready.queue.pop_front()?;
        ready.bytes -= mail.weight() + mark.weight();
        if ready.queue.is_empty() {
            *ready = Mails::default(); // an idle connection holds no memory for it
        }
        self.count.store(ready.queue.len(), Ordering::Release);
        Some(mail)
    }

    /// The position at which the first mail stops this room, if it does; see [`Mark::stop_in`]. The later
    /// ones do not: the first may wait for the end of another room, which may wait for this one.
    #[inline]
    pub(crate) fn stop_in(&self, room: RoomId, is_waiting: impl FnOnce() -> bool) -> Option<u64> {
        if self.is_empty() {
            return None;
        }
        let items = lock(&self.items);
        items.ready.queue.front().and_then(|(mark, _)| mark.stop_in(room, is_waiting))
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;

    fn bytes(count: usize) -> Mail {
        Mail::Raw(vec![b'x'; count].into())
    }

    fn mark(position: u64) -> Mark {
        Mark::at(RoomId(1), position)
    }

    fn fill(mailbox: &Mailbox, item: impl Fn() -> Mail) -> usize {
        (0..).take_while(|_| mailbox.put(mark(0), item()).is_ok()).count()
    }

    #[test]
    fn others_put_sixty_four_mails() {
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
    fn mail_that_does_not_fit_is_refused_whole() {
        let mailbox = Mailbox::default();
        assert_eq!(mailbox.put(mark(0), bytes(BYTES_MAX + 1)), Err(Full));
        assert!(mailbox.is_empty());
    }

    #[test]
    fn own_mail_is_never_refused_and_asked_for_while_half_is_free() {
        let mailbox = Mailbox::default();
        for items in 0..ITEMS_MAX * 2 {
            assert_eq!(mailbox.has_space(), items < ITEMS_MAX / 2);
            mailbox.put_own(mark(0), bytes(1));
        }
        assert_eq!(mailbox.put(mark(0), bytes(1)), Err(Full));
        let mailbox = Mailbox::default();
        mailbox.put_own(mark(0), bytes(BYTES_MAX / 2));
        assert!(!mailbox.has_space());
    }

    #[test]
    fn mail_from_others_is_held_back_until_the_owner_is_let_in() {
        let mailbox = Mailbox::default();
        mailbox.hold_back();
        assert_eq!(fill(&mailbox, || bytes(2)), ITEMS_MAX);
        assert!(mailbox.is_empty() && mailbox.has_space(), "the owner waits for nobody");
        mailbox.put_own(mark(0), bytes(1));
        mailbox.let_in();
        assert_eq!(mailbox.put(mark(0), bytes(2)), Err(Full));
        let mut sizes = Vec::new();
        while let Some(mail) = mailbox.take(|_, _| true) {
            sizes.push(mail.weight());
        }
        assert_eq!(sizes, [vec![1], vec![2; ITEMS_MAX]].concat());
        mailbox.put(mark(0), bytes(3)).unwrap();
        assert!(mailbox.take(|_, _| true).is_some(), "nothing is held back any more");
    }

    #[test]
    fn mail_that_is_held_back_ends_with_the_mailbox() {
        let mailbox = Mailbox::default();
        mailbox.hold_back();
        mailbox.put(mark(0), bytes(1)).unwrap();
        mailbox.close();
        mailbox.let_in();
        assert!(mailbox.is_empty() && mailbox.put(mark(0), bytes(1)) == Err(Full));
    }

    #[test]
    fn mail_comes_out_in_order_and_none_before_the_first_is_due() {
        let mailbox = Mailbox::default();
        for (position, count) in [(5, 1), (2, 2), (7, 3)] {
            mailbox.put_own(mark(position), bytes(count));
        }
        let mut sizes = Vec::new();
        for read in 0..10 {
            while let Some(item) = mailbox.take(|mark, _| mark.place_in(RoomId(1)) <= Some(read)) {
                sizes.push((read, item.weight()));
            }
        }
        assert_eq!(sizes, [(5, 1), (5, 2), (7, 3)]);
        assert!(mailbox.is_empty());
    }
}
