//! Listeners outside a secret room, for whom it is like one that does not exist: they wait in a room
//! of their own, in which nothing happens. Knows no rule.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::link::Place;
use crate::model::{RoomId, RoomName};

/// The rooms in which listeners wait, by the names of the rooms for which they wait.
#[derive(Debug, Default)]
pub(super) struct Outside(BTreeMap<RoomName, WaitingOutside>);

#[derive(Debug)]
struct WaitingOutside {
    room: RoomId,
    places: Vec<Arc<Place>>,
}

impl Outside {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The room in which listeners wait for this one.
    pub(super) fn room(&self, name: &RoomName) -> Option<RoomId> {
        self.0.get(name).map(|waiting| waiting.room)
    }

    /// Adds a listener.
    pub(super) fn add(&mut self, place: &Arc<Place>) {
        let waiting = self.0.entry(place.name.clone());
        let waiting = waiting.or_insert(WaitingOutside { room: place.room, places: Vec::new() });
        waiting.places.push(Arc::clone(place));
    }

    /// The places of the listeners who wait for a room.
    pub(super) fn places(&self, name: &RoomName) -> Vec<Arc<Place>> {
        self.0.get(name).map(|waiting| waiting.places.clone()).unwrap_or_default()
    }

    /// Removes a listener.
    pub(super) fn remove(&mut self, place: &Place) {
        if let Some(waiting) = self.0.get_mut(&place.name) {
            waiting.places.retain(|other| other.person != place.person);
        }
    }

    /// Removes this room, if listeners wait in it. Returns whether it is such a room.
    pub(super) fn remove_room(&mut self, name: &RoomName, room: RoomId) -> bool {
        self.0.get(name).is_some_and(|waiting| waiting.room == room)
            && self.0.remove(name).is_some()
    }
}
