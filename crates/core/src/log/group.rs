//! A group: writing halves that are woken together and looked after in turn. Knows no writer.
//!
//! A line in a room of thousands wakes a few groups, not thousands of tasks; and whoever runs a
//! group touches each of its writers once, one after the other.

use indexmap::IndexSet;

use super::bell::Bell;
use super::sync::{AtomicU64, Mutex, Ordering, lock};
use crate::model::{PersonId, RoomId};

/// Those who share a bell, and for whom it was rung.
#[derive(Debug, Default)]
pub struct Group {
    rung: Mutex<Rung>,
    bell: Bell,
    /// Lines that were written to its readers. Counted by whoever looks after it, and nobody else.
    delivered: AtomicU64,
    /// Lines that its readers were told to have skipped; the same holds.
    skipped: AtomicU64,
}

/// For whom a group's bell was rung. Sets: so it grows with people and rooms, never with rings.
#[derive(Debug, Default)]
pub struct Rung {
    /// For these people: there is mail, or their socket takes more.
    pub people: IndexSet<PersonId>,
    /// For all who read in these rooms: there is more in the log.
    pub rooms: IndexSet<RoomId>,
}

impl Group {
    /// Rings for one person.
    pub fn ring(&self, person: PersonId) {
        lock(&self.rung).people.insert(person);
        self.bell.ring();
    }

    /// Rings for everybody in the group who reads in this room.
    pub(crate) fn ring_room(&self, room: RoomId) {
        lock(&self.rung).rooms.insert(room);
        self.bell.ring();
    }

    /// Takes for whom it was rung; `empty` is what the group goes on with.
    pub fn take(&self, empty: &mut Rung) {
        std::mem::swap(&mut *lock(&self.rung), empty);
    }

    /// How many lines have been written to its readers, and how many they were told to have skipped.
    pub fn counted(&self) -> (u64, u64) {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (count(&self.delivered), count(&self.skipped))
    }

    pub(crate) fn count_delivered(&self, lines: u64) {
        add(&self.delivered, lines);
    }

    pub(crate) fn count_skipped(&self, lines: u64) {
        add(&self.skipped, lines);
    }

    /// Rung with every ring.
    pub fn bell(&self) -> &Bell {
        &self.bell
    }
}

/// One task alone adds, so that it need not be one step.
fn add(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Ordering::Relaxed) + more, Ordering::Relaxed);
}
