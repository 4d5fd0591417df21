//! Coming and leaving: seats, and those of people who come back on another connection.

use std::sync::Arc;

use super::event::Happened;
use super::state::{Absent, Ledger};
use crate::intent::Stamp;
use crate::model::{
    Act, By, Claim, Deed, Line, Looks, Name, PersonId, Reach, RoomName, Verb, WallTime, Who,
};
use crate::refusal::Refusal;

impl Ledger {
    pub(super) fn enter(
        &mut self,
        id: PersonId,
        (claim, looks): (Claim, Looks),
        room: RoomName,
        Stamp { boot, at }: Stamp,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        self.may_enter(id, None, (&claim, &looks), &room, at)?;
        self.people.enter(id, claim, looks, boot);
        self.take_seat(id, room, at, happened);
        Ok(())
    }

    /// A person enters again whose boot has ended while the connection was still there: under the
    /// same name, or if that is taken, under another one; in the same rooms, as far as the rules
    /// allow it now.
    pub(super) fn enter_again(
        &mut self,
        id: PersonId,
        (claim, looks): (Claim, Looks),
        (other_name, other_looks): (Name, Looks),
        rooms: Vec<RoomName>,
        Stamp { boot, at }: Stamp,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        self.is_not_here(id)?;
        let from = claim.name.clone();
        if self.people.may_claim(&[id], &claim, &looks).is_ok() {
            self.people.enter(id, claim, looks, boot);
        } else {
            let claim = other_name.into();
            self.people.may_claim(&[id], &claim, &other_looks)?;
            self.people.enter(id, claim, other_looks, boot);
            self.rules.rename(id, &from, |id| self.people.get(id).is_some());
        }
        let who = self.people.who(id).ok_or(Refusal::NotThere)?;
        let mut refused = Vec::new();
        for room in rooms {
            if let Err(refusal) = self.sit_down(id, room.clone(), at, happened) {
                refused.push((room, refusal));
            }
        }
        happened.push(Happened::Returned { who, from, refused });
        self.leave_house_without_seat(id, happened);
        Ok(())
    }

    pub(super) fn sit_down(
        &mut self,
        id: PersonId,
        room: RoomName,
        at: WallTime,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        let person = self.people.get(id).ok_or(Refusal::NotThere)?;
        if person.sits_in(&room) {
            return Err(Refusal::AlreadyIn(room));
        }
        self.may_join(id, person.subject(), &room, at)?;
        self.take_seat(id, room, at, happened);
        Ok(())
    }

    pub(super) fn take_seat(
        &mut self,
        id: PersonId,
        room: RoomName,
        at: WallTime,
        happened: &mut Vec<Happened>,
    ) {
        let Some(person) = self.people.get(id) else {
            return;
        };
        let who = Who { id, name: person.name.clone() };
        // A room is not new for a person who comes back to it.
        self.make_room(&who.name, person.is_owner(), &room, at, happened);
        let is_back = self.is_back_in(id, &room, happened);
        let is_untold = is_back || self.people.is_accompanied(id, &room);
        if let Some(person) = self.people.get_mut(id) {
            person.seats.push(room.clone());
            self.rooms.add_seat(&room);
        }
        happened.push(Happened::Arrived { room, who, is_untold });
    }

    /// A person who is the first in a new room, under a name that they own, becomes its keeper.
    pub(super) fn make_room(
        &mut self,
        name: &Name,
        is_owner: bool,
        room: &RoomName,
        at: WallTime,
        happened: &mut Vec<Happened>,
    ) {
        let is_new = self.rooms.is_new(room) && *room != RoomName::lobby();
        if is_new && is_owner && self.rules.make_room(room, name) {
            let deed = Deed::to_all(Verb::MakeRoom, None);
            let (by, reach) = (By::Keeper(name.clone()), Reach::Room(room.clone()));
            happened.push(Happened::RoomMade(Arc::new(Act { deed, by, reach, at })));
        }
    }

    /// A connection gives up a seat. It may have lost the seat before, because an act removed the
    /// person.
    pub(super) fn leave(
        &mut self,
        id: PersonId,
        room: &RoomName,
        (words, removal): (Option<Line>, Option<Arc<Act>>),
        at: WallTime,
        happened: &mut Vec<Happened>,
    ) {
        let Some(who) = self.people.who(id) else {
            return;
        };
        let words = words.filter(|_| self.may_speak(&who, room, at).is_ok());
        if self.free_seat(id, room) {
            let is_untold = self.people.is_worn_in(&who.name, room);
            happened.push(Happened::Left { room: room.clone(), who, words, removal, is_untold });
        }
    }

    /// Removes people from the reach of an act, also from seats that they have not taken again yet.
    /// A person whom the act removes from the last room stays on the server until the connection
    /// gives up its last seat.
    pub(super) fn remove(
        &mut self,
        people: &[PersonId],
        act: &Arc<Act>,
        happened: &mut Vec<Happened>,
    ) {
        for &id in people {
            let Some((who, seats)) = self.people.who(id).zip(self.seats_within(id, &act.reach))
            else {
                continue;
            };
            for room in seats {
                self.free_seat(id, &room);
                let is_untold = self.people.is_worn_in(&who.name, &room);
                let (who, removal) = (who.clone(), Some(Arc::clone(act)));
                happened.push(Happened::Left { room, who, words: None, removal, is_untold });
            }
            let is_meant = |heir, room: &RoomName| heir == id && act.reach.has(room);
            self.give_up_absent(is_meant, Some(act), happened);
            if act.reach == Reach::Server {
                self.leave_house_without_seat(id, happened);
            }
        }
    }

    /// A person leaves all rooms and the server.
    pub(super) fn leave_everywhere(&mut self, id: PersonId, happened: &mut Vec<Happened>) {
        let Some((who, seats)) = self.people.who(id).zip(self.seats_within(id, &Reach::Server))
        else {
            return;
        };
        for room in seats {
            self.free_seat(id, &room);
            let is_untold = self.people.is_worn_in(&who.name, &room);
            let (who, words, removal) = (who.clone(), None, None);
            happened.push(Happened::Left { room, who, words, removal, is_untold });
        }
        self.leave_house_without_seat(id, happened);
    }

    /// The seats that a person has within reach.
    pub(super) fn seats_within(&self, id: PersonId, reach: &Reach) -> Option<Vec<RoomName>> {
        let seats = self.people.get(id)?.seats.iter();
        Some(seats.filter(|room| reach.has(room)).cloned().collect())
    }

    /// Whether a person came back on this connection, and has not taken a seat again within reach.
    pub(super) fn is_absent_within(&self, heir: PersonId, reach: &Reach) -> bool {
        self.absent.iter().any(|absent| absent.heir == heir && reach.has(&absent.room))
    }

    /// Frees a seat. Returns whether the person had it.
    fn free_seat(&mut self, id: PersonId, room: &RoomName) -> bool {
        let Some(person) = self.people.get_mut(id).filter(|person| person.sits_in(room)) else {
            return false;
        };
        person.seats.retain(|seat| seat != room);
        self.rooms.remove_seat(room);
        true
    }

    /// Frees the name of a person who has no seat.
    pub(super) fn leave_house_without_seat(&mut self, id: PersonId, happened: &mut Vec<Happened>) {
        if self.people.get(id).is_some_and(|person| person.seats.is_empty()) {
            self.people.leave(id);
            self.give_up_absent(|heir, _| heir == id, None, happened);
            happened.push(Happened::Gone(id));
        }
    }

    /// Ends a connection whose person comes back on another one. The new connection gets the same
    /// seats in a moment, so the others are told nothing.
    pub(super) fn move_seats(
        &mut self,
        from: PersonId,
        heir: PersonId,
        happened: &mut Vec<Happened>,
    ) {
        let Some(who) = self.people.who(from) else {
            return;
        };
        let person = self.people.get_mut(from);
        let rooms = person.map(|person| std::mem::take(&mut person.seats)).unwrap_or_default();
        self.people.leave(from);
        for absent in self.absent.iter_mut().filter(|absent| absent.heir == from) {
            absent.heir = heir;
        }
        let absent = |room: &RoomName| Absent { who: who.clone(), heir, room: room.clone() };
        self.absent.extend(rooms.iter().map(absent));
        happened.push(Happened::Moved { who, heir, rooms });
    }

    /// Takes the seat again that this person had a moment ago on another connection. Returns
    /// whether there was one. If so, no departure is announced.
    fn is_back_in(
        &mut self,
        heir: PersonId,
        room: &RoomName,
        happened: &mut Vec<Happened>,
    ) -> bool {
        let mut absent = self.absent.iter();
        let place = absent.position(|absent| absent.heir == heir && absent.room == *room);
        let absent = place.map(|place| self.absent.remove(place));
        let is_back = absent.is_some();
        if let Some(absent) = absent {
            self.depart_absent(absent, true, None, happened);
        }
        is_back
    }

    /// Gives up seats that were not taken again, and tells the others. `is_meant` gets the new
    /// connection and the room; an act may be the reason.
    pub(super) fn give_up_absent(
        &mut self,
        is_meant: impl Fn(PersonId, &RoomName) -> bool,
        removal: Option<&Arc<Act>>,
        happened: &mut Vec<Happened>,
    ) {
        let is_meant = |absent: &mut Absent| is_meant(absent.heir, &absent.room);
        let gone: Vec<_> = self.absent.extract_if(.., is_meant).collect();
        for absent in gone {
            let is_untold = self.people.is_worn_in(&absent.who.name, &absent.room);
            self.depart_absent(absent, is_untold, removal, happened);
        }
    }

    fn depart_absent(
        &mut self,
        absent: Absent,
        is_untold: bool,
        removal: Option<&Arc<Act>>,
        happened: &mut Vec<Happened>,
    ) {
        let Absent { who, room, .. } = absent;
        self.rooms.remove_seat(&room);
        let (words, removal) = (None, removal.cloned());
        happened.push(Happened::Left { room, who, words, removal, is_untold });
    }
}
