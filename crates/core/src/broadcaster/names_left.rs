//! Where names were given up: a reader of several rooms is told of that once, and has to read it
//! before somebody else comes under such a name. Knows no person.

use std::collections::{HashMap, VecDeque};

use crate::model::{Name, PersonEvent, RoomId};

/// The number of names that are remembered; the latest count. A reader who is further behind has
/// fallen off the logs.
const NAMES_MAX: usize = 1_000;

/// The number of rooms of one name; the latest count.
const ROOMS_MAX: usize = 100;

/// The rooms in which people have given their names up, because they left the server or took other
/// names: by the first key of the name, each with the number of that event.
#[derive(Debug, Default)]
pub(crate) struct NamesLeft {
    rooms: HashMap<Box<str>, Vec<(RoomId, u64)>>,
    /// The keys, the earliest first.
    order: VecDeque<Box<str>>,
}

impl NamesLeft {
    fn of(&self, name: &Name) -> &[(RoomId, u64)] {
        self.rooms.get(name.keys()[0]).map_or(&[], Vec::as_slice)
    }

    /// Notes that nobody has this name any more, once each of these rooms is read up to that event.
    pub(crate) fn give_up(&mut self, name: &Name, rooms: &[(RoomId, u64)]) {
        if rooms.is_empty() || name.is_address() {
            return; // nobody takes an address
        }
        let [key, _] = name.keys();
        if !self.rooms.contains_key(key) {
            if self.order.len() == NAMES_MAX
                && let Some(earliest) = self.order.pop_front()
            {
                self.rooms.remove(&earliest);
            }
            self.order.push_back(key.into());
        }
        let left = self.rooms.entry(key.into()).or_default();
        left.retain(|(room, _)| rooms.iter().all(|(new, _)| new != room));
        left.extend_from_slice(rooms);
        left.drain(..left.len().saturating_sub(ROOMS_MAX));
    }

    /// The event of an arrival in a room under this name, if it was given up in other rooms.
    pub(crate) fn event_of_arrival(
        &self,
        number: u64,
        room: RoomId,
        name: &Name,
    ) -> Option<PersonEvent> {
        let left = self.of(name);
        let is_elsewhere = left.iter().any(|(other, _)| *other != room);
        is_elsewhere.then(|| PersonEvent::new(number, [room], left.iter().copied()))
    }

    /// The event with which somebody takes this name: it stands behind those that gave it up.
    pub(crate) fn behind(&self, event: PersonEvent, name: &Name) -> PersonEvent {
        match self.of(name) {
            [] => event,
            left => {
                let rooms = event.rooms().iter().chain(left).copied();
                PersonEvent::new(event.number, [], rooms)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> Name {
        Name::stored(name)
    }

    #[test]
    fn an_arrival_stands_behind_the_events_that_gave_the_name_up_in_other_rooms() {
        let [lobby, tea, den] = [1, 2, 3].map(RoomId);
        let mut left = NamesLeft::default();
        let rooms = |left: &NamesLeft, number, room, who| {
            let event = left.event_of_arrival(number, room, &name(who));
            event.map(|event| event.rooms().to_vec())
        };
        assert_eq!(rooms(&left, 4, lobby, "bob"), None);
        left.give_up(&name("bob"), &[(tea, 5), (den, 5)]);
        let behind_both = vec![(lobby, 6), (tea, 5), (den, 5)];
        assert_eq!(rooms(&left, 6, lobby, "Bob"), Some(behind_both));
        left.give_up(&name("bob"), &[(den, 7)]);
        assert_eq!(rooms(&left, 8, den, "bob"), Some(vec![(tea, 5), (den, 8)]));
        let taken = left.behind(PersonEvent::new(9, [lobby], []), &name("bob"));
        assert_eq!(taken.rooms(), [(lobby, 9), (tea, 5), (den, 7)]);
        assert_eq!(rooms(&left, 9, tea, "rob"), None, "nobody gave that name up");
    }

    #[test]
    fn the_latest_names_and_rooms_are_remembered() {
        let mut left = NamesLeft::default();
        for number in 0..=NAMES_MAX {
            left.give_up(&name(&format!("guest-{number}")), &[(RoomId(1), 1)]);
        }
        assert!(left.of(&name("guest-0")).is_empty(), "the earliest");
        assert_eq!(left.of(&name("guest-1")), [(RoomId(1), 1)]);
        assert_eq!((left.rooms.len(), left.order.len()), (NAMES_MAX, NAMES_MAX));
        (0..=ROOMS_MAX as u64).for_each(|n| left.give_up(&name("bob"), &[(RoomId(n), n)]));
        let of_bob = left.of(&name("bob"));
        assert_eq!((of_bob.len(), of_bob[0]), (ROOMS_MAX, (RoomId(1), 1)));
    }
}
