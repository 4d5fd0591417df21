//! Events of people: departures, new names and other changes. All rooms of a person get their
//! entries about an event together, so all rooms have events in one order.

use std::sync::Arc;

use super::pending::{Departure, Happening, Sequel};
use super::rooms::{Connection, Seated};
use super::state::Broadcaster;
use crate::ledger::Parting;
use crate::link::Notice;
use crate::model::{
    Act, ActOf, By, Deed, Entry, Line, Name, PersonChange, PersonEvent, PersonId, Reach, Renaming,
    RoomId, RoomName, Verb, WallTime, Who, Whom,
};

impl Broadcaster {
    /// A person has left a room.
    pub(super) fn left(
        &mut self,
        number: u64,
        who: Who,
        parting: Parting,
        removal: Option<Arc<ActOf>>,
    ) {
        let Parting { room, words, is_untold } = parting;
        self.remove_own_listeners(&room, &who);
        let place = self.take_place(&room, who.id);
        let connection = self.connections.get(&who.id);
        if let (Some(connection), Some(place), Some(act)) = (connection, place, &removal) {
            let client = Arc::clone(&connection.client);
            let removal = Sequel::Removal { client, place: Some(place), act: Arc::clone(act) };
            self.gathering.sequels.push(removal);
        }
        let Some(room) = self.room_that_is_told(&room, who.id) else {
            return;
        };
        if self.ledger.people.get(who.id).is_some() {
            self.rooms_left.leave(who.id, room, number);
        }
        let event = Arc::new(PersonEvent::new(number, [room], []));
        let (is_from_server, stays) = (false, false);
        let who = Arc::new(who);
        let departure = Departure { who, words, removal, is_from_server, event, is_untold, stays };
        self.happen(room, Happening::Departure(departure.into()));
    }

    /// A person has left the server, or the owner of a name has with one of several connections: for
    /// the others, the owner has left these rooms then. If only the boot of this node has ended, the
    /// connection stays, and reads on.
    pub(super) fn left_server(
        &mut self,
        number: u64,
        who: Who,
        (rooms, companion): (Vec<Parting>, Option<PersonId>),
        removal: Option<Arc<ActOf>>,
    ) {
        let (stays, who) = (self.is_exile(who.id), Arc::new(who));
        let connection = if stays { None } else { self.connections.remove(&who.id) };
        if let Some(Connection { client, .. }) = &connection {
            self.watches.forget(who.id);
            client.forget();
        }
        if let (Some(Connection { client, .. }), Some(act)) = (connection, &removal) {
            let act = Arc::clone(act);
            self.gathering.sequels.push(Sequel::Removal { client, place: None, act });
        }
        let told = |parting: Parting| {
            let room = match stays {
                true => self.rooms_by_name.get(&parting.room).copied(),
                false => self.room_that_is_told(&parting.room, who.id),
            };
            Some((room?, parting))
        };
        let told: Vec<_> = rooms.into_iter().filter_map(told).collect();
        let event = self.event_of(who.id, number, told.iter().map(|(room, _)| *room));
        let event = Arc::new(event);
        if companion.is_none() {
            self.names_left.give_up(&who.name, event.rooms());
        }
        let left = told.iter().filter(|(_, parting)| !parting.is_untold);
        self.leave_rooms(who.id, companion, number, left.map(|(room, _)| *room).collect());
        for (_, parting) in &told {
            self.remove_own_listeners(&parting.room, &who);
        }
        for (room, Parting { words, is_untold, .. }) in told {
            let (who, removal, event) = (Arc::clone(&who), removal.clone(), Arc::clone(&event));
            let is_from_server = companion.is_none();
            let departure =
                Departure { who, words, removal, is_from_server, event, is_untold, stays };
            self.happen(room, Happening::Departure(departure.into()));
        }
    }

    /// Ends the listeners of an owner who has left a room that people outside may not read.
    fn remove_own_listeners(&self, room: &RoomName, who: &Who) {
        if who.account.is_some() {
            let deed = Deed::to(Verb::Kick, Whom::Name(who.name.clone()));
            let act = Act {
                reach: Reach::Room(room.clone()),
                ..Act::by(By::Operator, deed, WallTime(i64::MAX))
            };
            self.remove_outsiders(room, &Arc::new(act));
        }
    }

    /// The room in memory that a person leaves. None if nobody is told: while the server stops,
    /// people leave without an entry, at the end of the log.
    fn room_that_is_told(&mut self, name: &RoomName, leaver: PersonId) -> Option<RoomId> {
        let id = *self.rooms_by_name.get(name)?;
        if self.closing
            && let Some(room) = self.rooms.get_mut(&id)
            && let Some(Seated { client, place }) =
                room.members.remove(leaver).and_then(|m| m.seated)
        {
            client.depart(&place, room.log.end());
            client.ring();
            self.forget_if_empty(id);
            return None;
        }
        Some(id)
    }

    /// A person has another name.
    pub(super) fn renamed(
        &mut self,
        number: u64,
        who: Who,
        from: &Name,
        rooms: Vec<(RoomName, Renaming)>,
    ) {
        let room = |(name, seen)| Some((*self.rooms_by_name.get(&name)?, seen));
        let rooms: Vec<_> = rooms.into_iter().filter_map(room).collect();
        let event = self.event_of(who.id, number, rooms.iter().map(|(room, _)| *room));
        if rooms.iter().all(|(_, seen)| !seen.is_of_room()) {
            self.names_left.give_up(from, event.rooms());
        }
        let event = self.names_left.behind(event, &who.name);
        let seen_beside =
            rooms.iter().filter(|(_, seen)| seen.is_still_worn || seen.is_accompanied);
        let companions =
            seen_beside.filter_map(|(id, seen)| Some((self.rooms.get(id)?.name.clone(), *seen)));
        let event = Arc::new(event.with_companions(companions, self.left_away(who.id, from)));
        if rooms.iter().any(|(_, seen)| seen.old_name_stays) {
            let left = rooms.iter().filter(|(_, seen)| seen.leaves());
            let heir = self.ledger.people.wearers(from).find(|heir| *heir != who.id);
            self.leave_rooms(who.id, heir, number, left.map(|(room, _)| *room).collect());
        }
        let who = Arc::new(who);
        for (room, seen) in rooms {
            let (who, from, event) = (Arc::clone(&who), from.clone(), Arc::clone(&event));
            self.happen(room, Happening::Renamed { who, from, seen, event });
        }
    }

    /// The text with which another connection of the owner, which keeps this name, is away. None if
    /// the person who has given the name up was not away, too: then the rooms read it as a change.
    fn left_away(&self, person: PersonId, name: &Name) -> Option<Line> {
        let people = &self.ledger.people;
        people.get(person)?.away.as_ref()?;
        people.away(people.owner_beside(person, name)?).cloned()
    }

    /// Something else about a person has changed.
    pub(super) fn person_changed(
        &mut self,
        number: u64,
        who: Who,
        change: &PersonChange,
        rooms: &[RoomName],
    ) {
        if let (PersonChange::Account { before: Some(before) }, None) = (change, &who.account)
            && !before.is_same(&who.name)
        {
            self.tell_one(who.id, Notice::LoggedOut(before.clone()));
        }
        let rooms = rooms.iter().filter_map(|room| self.rooms_by_name.get(room).copied());
        let rooms: Vec<_> = rooms.collect();
        let event = Arc::new(self.event_of(who.id, number, rooms.iter().copied()));
        let who = Arc::new(who);
        self.tell_watchers_apart(&who, || {
            let (who, change, event) = (Arc::clone(&who), change.clone(), Arc::clone(&event));
            Entry::Changed { who, change, event }
        });
        for room in rooms {
            let (who, change, event) = (Arc::clone(&who), change.clone(), Arc::clone(&event));
            self.happen(room, Happening::Changed { who, change, event });
        }
    }

    /// An event of a person in these rooms.
    fn event_of(
        &self,
        person: PersonId,
        number: u64,
        rooms: impl Iterator<Item = RoomId>,
    ) -> PersonEvent {
        let rooms: Vec<_> = rooms.collect();
        let left = self.rooms_left.of(person).filter(|(room, _)| !rooms.contains(room));
        PersonEvent::new(number, rooms.iter().copied(), left.collect::<Vec<_>>())
    }

    /// A connection leaves the server or gives up its name, and with this event the name leaves these
    /// rooms. The heir is another connection of the owner, whose events come after that.
    fn leave_rooms(
        &mut self,
        person: PersonId,
        heir: Option<PersonId>,
        event: u64,
        rooms: Vec<RoomId>,
    ) {
        let before = self.rooms_left.end(person);
        let left = before.into_iter().chain(rooms.into_iter().map(|room| (room, event)));
        if let Some(heir) = heir {
            left.for_each(|(room, event)| self.rooms_left.leave(heir, room, event));
        }
    }
}
