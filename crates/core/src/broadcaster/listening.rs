//! Listeners: people who read a room without a seat in it.

use std::sync::Arc;

use super::rooms::{Hearer, Maker};
use super::state::Broadcaster;
use crate::link::{Client, Listener, Listening, Outcome, Place, Replay, View};
use crate::model::{Claim, Now, RoomName};
use crate::refusal::Refusal;

impl Broadcaster {
    /// Lets a client read a room without a seat, or wait for a room that does not exist.
    pub(super) fn listen(
        &mut self,
        client: &Arc<Client>,
        owner: Option<Claim>,
        (name, waits): (RoomName, bool),
        replay: u64,
        now: Now,
    ) -> Result<(), Refusal> {
        if !waits && self.is_new(&name) && self.ledger.rooms.end(&name).seq == 0 {
            return Err(Refusal::NoRoom(name));
        }
        if let Some(claim) =
            owner.as_ref().filter(|claim| !self.ledger.people.accounts.proves(claim))
        {
            return Err(Refusal::WrongPassword(claim.name.clone())); // it was changed meanwhile
        }
        let hearer = Hearer::new(client, owner.map(|claim| claim.name));
        self.ledger.may_read(hearer.subject(), &name, now.wall)?;
        self.may_make(hearer.subject(), &name)?;
        let maker = Maker::of(hearer.subject());
        let room = self.room_for(&name, maker, 0).ok_or(Refusal::NotThere)?;
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
        if let Some(client) = room.members.stop_listening(place.person) {
            client.depart(place, room.log.end());
            client.ring();
        }
        self.forget_if_empty(place.room);
    }
}
