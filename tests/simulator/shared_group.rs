//! A group of readers that share a bell, as on the server, and a count of its rings.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use parlor_core::log::{Group, Rung};
use parlor_core::model::{PersonId, RoomId};

#[derive(Default)]
pub(crate) struct SharedGroup {
    pub(crate) group: Arc<Group>,
    counts: RefCell<Counts>,
}

#[derive(Default)]
struct Counts {
    people: HashMap<PersonId, u64>,
    rooms: HashMap<RoomId, u64>,
}

impl SharedGroup {
    /// The number of rings for this person, or for all readers in one of these rooms.
    pub(crate) fn rings(&self, person: PersonId, rooms: &[RoomId]) -> u64 {
        let mut counts = self.counts.borrow_mut();
        let mut rung = Rung::default();
        self.group.take(&mut rung);
        for person in rung.people {
            *counts.people.entry(person).or_default() += 1;
        }
        for room in rung.rooms {
            *counts.rooms.entry(room).or_default() += 1;
        }
        let in_rooms: u64 = rooms.iter().filter_map(|room| counts.rooms.get(room)).sum();
        counts.people.get(&person).unwrap_or(&0) + in_rooms
    }
}
