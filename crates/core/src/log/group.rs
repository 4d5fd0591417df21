//! A group: writing halves that wake together and take turns. Knows no writer.
//!
//! A line in a room of thousands wakes a few groups, not thousands of tasks. The task of a group
//! visits each of its writers once, one after the other.

use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

use super::bell::Bell;
use super::sync::{AtomicU64, Mutex, Ordering, lock};
use crate::model::{PersonId, RoomId};

/// The writing halves that share a bell, and the people and rooms it was rung for.
#[derive(Debug, Default)]
pub struct Group {
    rung: Mutex<Rung>,
    bell: Bell,
    /// The number of lines written to its readers. Only the group's own task counts.
    delivered: AtomicU64,
    /// The number of lines that its readers skipped and were told about. Only the group's own task
    /// counts.
    skipped: AtomicU64,
}

/// The people and rooms for which a group's bell rang. These are sets, so they grow with people and
/// rooms, never with rings. The server itself counts these numbers: nobody can choose some that
/// collide, so the fastest hash is enough.
#[derive(Debug, Default)]
pub struct Rung {
    /// People who have mail, or whose sockets accept more bytes.
    pub people: IndexSet<PersonId, FxBuildHasher>,
    /// Rooms with new entries in their logs.
    pub rooms: IndexSet<RoomId, FxBuildHasher>,
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

    /// Takes the people and rooms for which the bell rang, and leaves `empty` in their place.
    pub fn take(&self, empty: &mut Rung) {
        std::mem::swap(&mut *lock(&self.rung), empty);
    }

    /// The numbers of lines written to its readers and skipped by them.
    pub fn counted(&self) -> (u64, u64) {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (count(&self.delivered), count(&self.skipped))
    }

    #[inline]
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

/// Adds to a counter. Only one task adds, so this need not be one atomic step.
fn add(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Ordering::Relaxed) + more, Ordering::Relaxed);
}
