//! A group: writing halves that are woken together and served in turn. Knows no writer.
//!
//! A line in a room of thousands wakes a few groups, not thousands of tasks; and the task of a
//! group touches each of its writers once, one after the other.

use indexmap::IndexSet;

use super::bell::Bell;
use super::sync::{AtomicU64, Mutex, Ordering, lock};
use crate::model::{PersonId, RoomId};

/// The writing halves that share a bell, and for which of them it was rung.
#[derive(Debug, Default)]
pub struct Group {
    rung: Mutex<Rung>,
    bell: Bell,
    /// Lines that were written to its readers. Only the group's own task counts.
    delivered: AtomicU64,
    /// Lines that its readers skipped, as they were told. Only the group's own task counts.
    skipped: AtomicU64,
}

/// For whom a group's bell was rung. These are sets, so they grow with people and rooms, never with
/// rings.
#[derive(Debug, Default)]
pub struct Rung {
    /// These people have mail, or their sockets take more.
    pub people: IndexSet<PersonId>,
    /// These rooms have new entries in their logs.
    pub rooms: IndexSet<RoomId>,
}

impl Group {
    /// Rings for one person.
    pub fn ring(&self, person: PersonId) {
        lock(&self.rung).people.insert(person);
        self.bell.ring();
    }

    /// Rings for all readers of a room in the group.
    pub(crate) fn ring_room(&self, room: RoomId) {
        lock(&self.rung).rooms.insert(room);
        self.bell.ring();
    }

    /// Takes the people and rooms for which it was rung; the group goes on with `empty`.
    pub fn take(&self, empty: &mut Rung) {
        std::mem::swap(&mut *lock(&self.rung), empty);
    }

    /// How many lines were written to its readers, and how many its readers skipped.
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

    /// The bell that every ring rings.
    pub fn bell(&self) -> &Bell {
        &self.bell
    }
}

/// Only one task adds, so this need not be one atomic step.
fn add(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Ordering::Relaxed) + more, Ordering::Relaxed);
}
