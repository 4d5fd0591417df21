//! Reading a room without a seat in it: no arrival, no name, no voice.

use std::sync::Arc;

use super::Broadcaster;
use super::rooms::{Hearer, Maker};
use crate::link::{Client, Listener, Listening, Outcome, Place, Refusal, Replay, View};
use crate::model::{Claim, Now, RoomName};

impl Broadcaster {
    /// Somebody reads a room from now on, or waits for it where that is wanted: perhaps one who owns a name.
    pub(super) fn listen(
        &mut self,
        client: &Arc<Client>,
        owner: Option<Claim>,
        room: (RoomName, bool),
        replay: u64,
        now: Now,
    ) -> Outcome {
        match self.try_to_listen(client, owner, room, replay, now) {
            Ok((listener, listening)) => Outcome::Listening(listener, Box::new(listening)),
            Err(refusal) => refusal.into(),
        }
    }

    fn try_to_listen(
        &mut self,
        client: &Arc<Client>,
        owner: Option<Claim>,
        (name, waits): (RoomName, bool),
        replay: u64,
        now: Now,
    ) -> Result<(Listener, Listening), Refusal> {
        let is_kept = |ends: &std::collections::HashMap<RoomName, _>| ends.contains_key(&name);
        if !waits && self.is_new(&name) && !self.ends.as_ref().is_some_and(is_kept) {
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
        let inbox = Arc::clone(&self.inbox);
        Ok((Listener { place, inbox }, listening))
    }

    /// The view of whoever listened ends here.
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
}
