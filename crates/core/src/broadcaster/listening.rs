//! Listeners: people who read a room without a seat in it. And readers who go on at its end.

use std::sync::Arc;

use super::rooms::{Hearer, Maker, Room, Seated};
use super::state::Broadcaster;
use crate::ledger::Subject;
use crate::link::{
    Client, Entered, FullRoster, Listener, Listening, Mail, Outcome, Place, Refusal, Replay, View,
};
use crate::model::{Claim, ConversationId, End, Line, Now, PersonId, RoomId, RoomName};

impl Broadcaster {
    /// Lets a client read a room without a seat, or wait for a room that does not exist. A secret room
    /// does not exist for a client that may not read it. A client with a password of the room does not
    /// wait: it knows of the room.
    pub(super) fn listen(
        &mut self,
        client: &Arc<Client>,
        (owner, password): (Option<Claim>, Option<Line>),
        (name, waits): (RoomName, bool),
        replay: u64,
        now: Now,
    ) -> Result<(), Refusal> {
        let waits = waits && password.is_none();
        if !waits && self.is_new(&name) && self.ledger.rooms.end(&name).seq == 0 {
            return Err(Refusal::NoRoom(name));
        }
        if let Some(claim) =
            owner.as_ref().filter(|claim| !self.ledger.people.accounts.proves(claim))
        {
            return Err(Refusal::WrongPassword(claim.name.clone())); // it was changed meanwhile
        }
        let hearer = Hearer::new(client, owner.map(|claim| claim.name), password);
        let (subject, maker) = (hearer.subject(), Maker::of(hearer.subject()));
        let with_password = (&name, hearer.password());
        let room = match self.ledger.may_read_with(subject, with_password, now.wall) {
            Err(Refusal::NoRoom(_)) if waits && self.ledger.rooms.rules(&name).now.is_secret => {
                self.room_outside(subject, &name, maker)?
            }
            readable => {
                readable?;
                self.may_make(subject, &name)?;
                self.room_for(&name, maker, 0).ok_or(Refusal::NotThere)?.id
            }
        };
        let room = self.rooms.get_mut(&room).ok_or(Refusal::NotThere)?;
        let is_outside = self.rooms_by_name.get(&name) != Some(&room.id);
        let place = room.place(client.id);
        room.members.listen(hearer, &place);
        if is_outside {
            self.outside.add(&place);
        }
        let arrived = room.log.end();
        let listening = Listening {
            replay: Replay::last(&room.name, &room.log, replay, arrived),
            view: View::new(Arc::clone(&place), arrived),
        };
        let listener = Listener::new(place, Arc::clone(&self.inbox) as _);
        client.finish(Outcome::Listening(listener, Box::new(listening)));
        Ok(())
    }

    /// The room in which people wait for a secret one. It counts as one that they make.
    fn room_outside(
        &mut self,
        subject: Subject<'_>,
        name: &RoomName,
        maker: Option<Maker>,
    ) -> Result<RoomId, Refusal> {
        if let Some(room) = self.outside.room(name) {
            return Ok(room);
        }
        self.may_make_another(subject)?;
        self.rooms_made += 1;
        let id = RoomId(self.rooms_made);
        let room = Room { maker, ..Room::new(id, name.clone(), End::default(), None) };
        self.rooms.insert(id, room);
        Ok(id)
    }

    /// Ends the views of those who wait for this room and may read it now: they come again.
    pub(super) fn end_waiting_outside(&self, name: &RoomName, now: Now) {
        let Some(room) = self.outside.room(name).and_then(|room| self.rooms.get(&room)) else {
            return;
        };
        for place in self.outside.places(name) {
            let Some(hearer) = room.members.hearer(place.person) else { continue };
            if self.ledger.may_read(hearer.subject(), name, now.wall).is_ok() {
                hearer.client.depart(&place, room.log.end());
                hearer.client.ring();
            }
        }
    }

    /// Ends the view of a listener.
    pub(super) fn stop_listening(&mut self, place: &Place) {
        self.outside.remove(place);
        let Some(room) = self.rooms.get_mut(&place.room) else {
            return;
        };
        if let Some(client) = room.members.stop_listening(place.person) {
            client.depart(place, room.log.end());
            client.ring();
        }
        self.forget_if_empty(place.room);
    }

    /// Adds what the room does not know of a person who enters it.
    pub(super) fn add_rules(&self, person: PersonId, entered: &mut Entered) {
        let room = &entered.room;
        entered.rules = self.ledger.rooms.rules(room).now.clone();
        entered.read = self.ledger.marker_of(person, &ConversationId::Room(room.clone()));
        let person = self.ledger.people.get(person);
        entered.away = person.and_then(|person| person.away.clone());
        entered.keeps = person.and_then(|person| self.ledger.may_keep(person, room));
        entered.has_voice = person.is_some_and(|person| person.voices.contains(room));
    }

    /// Tells a reader who has fallen off a log, or has arrived again, the end of the log, and who is
    /// in the room there, behind what is visible in the reader's other rooms: who has left there may be
    /// gone here already. A person who has left meanwhile reads of the departure instead.
    pub(super) fn enter_again(&self, place: &Arc<Place>) {
        let Some(room) = self.rooms.get(&place.room) else { return };
        let Some(member) = room.members.get(place.person) else { return };
        let seated = member.seated.as_ref().filter(|seated| Arc::ptr_eq(&seated.place, place));
        let Some(Seated { client, .. }) = seated else { return };
        let mut entered = room.entered(&member.who, place, room.log.end());
        if client.wants_roster() {
            let people = room.occupants(&self.ledger);
            let end = entered.view.arrived;
            entered.everybody = Some(FullRoster::at_end(&people, &room.name, end));
        }
        self.add_rules(client.id, &mut entered);
        let mark = self.mark_in(client.id, room.id, entered.view.arrived.position);
        client.send_own(mark, Mail::EnteredAgain(entered.into()));
    }
}
