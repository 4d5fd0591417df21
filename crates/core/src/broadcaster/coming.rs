//! Entering and leaving: seats, connections that come back, and listeners.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::pending::{Absent, Happening, RETURN_TIME, Ticket};
use super::rooms::{Hearer, Maker};
use super::state::Broadcaster;
use crate::link::{Client, Listener, Listening, Outcome, Place, Refusal, Replay, View};
use crate::model::{Act, By, Claim, Deed, Line, Now, PersonId, RoomId, RoomName, Verb, Who, Whom};

impl Broadcaster {
    pub(super) fn enter(
        &mut self,
        client: &Arc<Client>,
        name: Claim,
        room: RoomName,
        replay: u64,
        now: Now,
    ) -> Result<(), Refusal> {
        if let Some(room) = self.room_of(client.id) {
            return Err(Refusal::AlreadyIn(room.name.clone()));
        }
        self.people.enter(client, name)?;
        let seated = self
            .room_to_join(client.id, room, now)
            .and_then(|room| self.promise_seat(client, room, replay, true, false));
        if seated.is_err() {
            self.people.leave(client.id);
        }
        seated
    }

    pub(super) fn join(
        &mut self,
        client: &Arc<Client>,
        name: RoomName,
        replay: u64,
        now: Now,
    ) -> Result<(), Refusal> {
        let person = self.people.get(client.id).ok_or(Refusal::NotThere)?;
        if let Some(room) = self.rooms_by_name.get(&name)
            && person.sits_in(*room)
        {
            return Err(Refusal::AlreadyIn(name));
        }
        let room = self.room_to_join(client.id, name, now)?;
        let is_back = self.is_back_in(client.id, room);
        self.promise_seat(client, room, replay, false, is_back)
    }

    fn promise_seat(
        &mut self,
        client: &Arc<Client>,
        room: RoomId,
        replay: u64,
        first: bool,
        is_back: bool,
    ) -> Result<(), Refusal> {
        let is_untold = is_back || self.people.is_accompanied(client.id, room);
        let there = self.rooms.get(&room).ok_or(Refusal::NotThere)?;
        let place = there.place(client.id);
        let person = self.people.get_mut(client.id).ok_or(Refusal::NotThere)?;
        person.seats.push(Arc::clone(&place));
        let who = Who { id: client.id, name: person.name.clone() };
        self.happen(
            room,
            Happening::Arrival {
                who,
                ticket: Ticket { client: Arc::clone(client), place, replay, first },
                is_untold,
            },
        );
        Ok(())
    }

    pub(super) fn depart(&mut self, place: &Arc<Place>, words: Option<Line>, now: Now) {
        let Some(who) = self.give_up_seat(place) else {
            return;
        };
        let words = words.filter(|_| self.may_speak(&who, place.room, now).is_ok());
        if self.people.get(who.id).is_none() {
            self.give_up_absent(|absent| absent.heir == who.id);
        }
        let is_untold = self.people.is_worn_in(&who.name, place.room);
        let member = self.rooms.get(&place.room);
        let member = member.and_then(|room| room.members.get(who.id));
        let removal = member.and_then(|member| member.client.removed());
        let removal = removal.or(place.removed()).cloned();
        // After a change of password the others read no reason: it concerns only this person.
        let removal = removal.filter(|act| act.by != By::NewPassword);
        let departure = Happening::Departure { who, words, removal, is_untold };
        self.happen(place.room, departure);
    }

    /// Frees the seat, and with the last seat the name, for requests after this departure.
    fn give_up_seat(&mut self, place: &Place) -> Option<Who> {
        let who = self.people.who(place.person)?;
        let person = self.people.get_mut(place.person)?;
        person.seats.retain(|other| other.room != place.room);
        if person.seats.is_empty() {
            self.people.leave(place.person);
        }
        Some(who)
    }

    /// Leaves without an entry, at the end of the log, while the server stops. Returns whether the
    /// person was in the room.
    pub(super) fn leave_silently(&mut self, place: &Arc<Place>) -> bool {
        let Some(room) = self.rooms.get_mut(&place.room) else {
            return false;
        };
        let Some(member) = room.members.remove(place.person) else {
            return false;
        };
        place.departed.set(room.log.end()).ok();
        member.client.ring();
        self.give_up_seat(place);
        self.forget_if_empty(place.room);
        true
    }

    /// Lets a client read a room without a seat, or wait for a room that does not exist.
    pub(super) fn listen(
        &mut self,
        client: &Arc<Client>,
        owner: Option<Claim>,
        (name, waits): (RoomName, bool),
        replay: u64,
        now: Now,
    ) -> Result<(), Refusal> {
        let is_stored = |ends: &HashMap<RoomName, _>| ends.contains_key(&name);
        if !waits && self.is_new(&name) && !self.ends.as_ref().is_some_and(is_stored) {
            return Err(Refusal::NoRoom(name));
        }
        if let Some(claim) = owner.as_ref().filter(|claim| !self.people.is_proven(claim)) {
            return Err(Refusal::WrongPassword(claim.name.clone())); // it was changed meanwhile
        }
        let hearer = Hearer::new(client, owner.map(|claim| claim.name));
        self.may_read(hearer.subject(), &name, now)?;
        self.may_make(hearer.subject(), &name)?;
        let maker = Maker::of(hearer.subject());
        let id = self.room_for(name, maker);
        let room = self.rooms.get_mut(&id).ok_or(Refusal::NotThere)?;
        room.members.listen(hearer);
        let place = room.place(client.id);
        let arrived = room.log.end();
        let listening = Listening {
            replay: Replay::last(&room.name, &room.log, replay, arrived),
            view: View::new(Arc::clone(&place), arrived),
        };
        let listener = Listener::new(place, Arc::clone(&self.inbox) as _);
        client.finish(Outcome::Listening(listener, Box::new(listening)));
        Ok(())
    }

    /// Ends the view of a listener.
    pub(super) fn stop_listening(&mut self, place: &Place) {
        let Some(room) = self.rooms.get_mut(&place.room) else {
            return;
        };
        place.departed.set(room.log.end()).ok();
        if let Some(client) = room.members.stop_listening(place.person) {
            client.ring();
        }
        self.forget_if_empty(place.room);
    }

    pub(super) fn come_back(
        &mut self,
        client: &Arc<Client>,
        name: Claim,
        room: RoomName,
        ghost: Option<PersonId>,
        now: Now,
    ) -> Result<(), Refusal> {
        if name.proof.is_some() && !self.people.is_proven(&name) {
            return Err(Refusal::NoSuchCode); // the password has been changed meanwhile
        }
        let ghost = ghost.filter(|&ghost| ghost != client.id);
        self.may_come_back(client, ghost, &name, &room, now)?; // before the lost connection ends
        if let Some(ghost) = ghost {
            self.rules.follow(ghost, client.id);
        }
        if let Some(ghost) = ghost {
            self.take_out(ghost, client.id, now);
        }
        let entered = self.people.enter(client, name);
        let seated = entered.and_then(|()| {
            let room = self.room_to_join(client.id, room, now)?;
            let is_back = self.is_back_in(client.id, room);
            self.promise_seat(client, room, 0, true, is_back)
        });
        if seated.is_err() {
            self.people.leave(client.id);
            self.give_up_absent(|absent| absent.heir == client.id);
        }
        seated
    }

    /// Ends a connection whose person comes back on another one. The new connection gets the same
    /// seats in a moment, so the others are told nothing.
    fn take_out(&mut self, ghost: PersonId, heir: PersonId, now: Now) {
        let Some(who) = self.people.who(ghost) else {
            return;
        };
        let Some(person) = self.people.get_mut(ghost) else {
            return;
        };
        let seats = std::mem::take(&mut person.seats);
        let deed = Deed::to(Verb::Kick, Whom::Name(who.name.clone()));
        person.client.remove(&Arc::new(Act::by(By::Oneself, deed, now.wall)));
        self.people.leave(ghost);
        for absent in &mut self.absent {
            if absent.heir == ghost {
                absent.heir = heir;
            }
        }
        for place in seats {
            // From now on the person reads on the new connection.
            if let Some(room) = self.rooms.get(&place.room) {
                place.departed.set(room.log.end()).ok();
            }
            self.absent.push_back(Absent {
                who: who.clone(),
                heir,
                room: place.room,
                until: now.monotonic + RETURN_TIME,
            });
        }
    }

    /// Takes the seat again that this person had a moment ago on another connection. Returns
    /// whether there was one. If so, the others are told of no departure.
    pub(super) fn is_back_in(&mut self, heir: PersonId, room: RoomId) -> bool {
        let mut absent = self.absent.iter();
        let place = absent.position(|absent| absent.heir == heir && absent.room == room);
        let absent = place.and_then(|place| self.absent.remove(place));
        let is_back = absent.is_some();
        if let Some(absent) = absent {
            self.depart_absent(absent, true);
        }
        is_back
    }

    /// Gives up seats that were not taken again, and tells the others.
    pub(super) fn give_up_absent(&mut self, is_meant: impl Fn(&Absent) -> bool) {
        if !self.absent.iter().any(&is_meant) {
            return; // nearly always
        }
        let absent = std::mem::take(&mut self.absent);
        let (gone, absent) = absent.into_iter().partition::<VecDeque<_>, _>(is_meant);
        self.absent = absent;
        for absent in gone {
            let is_untold = self.people.is_worn_in(&absent.who.name, absent.room);
            self.depart_absent(absent, is_untold);
        }
    }

    fn depart_absent(&mut self, Absent { who, room, .. }: Absent, is_untold: bool) {
        let departure = Happening::Departure { who, words: None, removal: None, is_untold };
        self.happen(room, departure);
    }
}
