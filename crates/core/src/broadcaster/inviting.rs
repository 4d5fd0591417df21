//! Invitations: a person in a room asks somebody else to come there. That of a keeper also lets
//! them in, whatever the rules of the room are.

use std::sync::Arc;

use super::invitations::TooSoon;
use super::pending::Happening;
use super::state::Broadcaster;
use crate::intent::Intent;
use crate::link::{Answer, Client, Notice, Refusal};
use crate::model::{Line, Name, Now, PersonId, RoomName, Who, fold};

impl Broadcaster {
    /// Tells a person that the asker invites them to a room. Those in the room who want it read of
    /// it, too. None if the outcome comes later, from other nodes.
    pub(super) fn invite(
        &mut self,
        client: &Arc<Client>,
        typed: Line,
        room: RoomName,
        now: Now,
    ) -> Result<Option<Answer>, Refusal> {
        let asker = client.id;
        let people = &self.ledger.people;
        let from = people.who(asker).ok_or(Refusal::NotThere)?;
        if let Err(refusal) = self.ledger.seated(asker, &room) {
            let subject = self.subject(asker).ok_or(Refusal::NotThere)?;
            self.ledger.may_see(subject, &room)?;
            return Err(refusal);
        }
        let found =
            people.find(&fold(typed.as_str().trim())).ok_or(Refusal::NobodyCalled(typed))?;
        if people.is_worn_in(&found.name, &room) {
            return Err(Refusal::IsThere(found.name, room));
        }
        self.ledger.may_write_to(&from, &found.name, now.wall)?;
        let rules = &self.ledger.rooms.rules(&room).now;
        let person = people.get(asker).ok_or(Refusal::NotThere)?;
        let lets_in = self.ledger.may_keep(person, &room).is_some() && !rules.is_nothing();
        if rules.is_invited_only && !lets_in {
            return Err(Refusal::NotKeeper);
        }
        let [key, _] = found.name.keys();
        if let Some(connection) = self.connections.get_mut(&asker) {
            connection.invitations.check(key, now.monotonic).map_err(|why| match why {
                TooSoon::Again(wait) => Refusal::InvitedBefore(found.name.clone(), wait),
                TooSoon::Many(wait) => Refusal::TooManyInvitations(wait),
            })?;
        }
        if lets_in {
            let (to, room) = (found.name.clone(), room.clone());
            self.put_in_order(Intent::Invite { by: asker, to, room }, None, now);
        }
        let told = self.tell_of_invitation(from.clone(), &found.name, &room);
        let is_elsewhere = !self.nodes_of(&found.name).is_empty();
        if told == 0 && !is_elsewhere {
            return Err(Refusal::NotReading(found.name));
        }
        if let Some(connection) = self.connections.get_mut(&asker) {
            connection.invitations.note(key, now.monotonic);
        }
        let to = found.name.clone();
        self.happen_in(&room, Happening::Invited { who: Arc::new(from.clone()), to });
        if is_elsewhere {
            self.carry_invitation(client, (from, found.name), room, told > 0)?;
            return Ok(None);
        }
        Ok(Some(Answer::Invited { who: found.name, room }))
    }

    /// Tells the connections of a person on this node of an invitation. Returns how many have space
    /// for it.
    pub(super) fn tell_of_invitation(&mut self, by: Who, to: &Name, room: &RoomName) -> usize {
        let notice = Notice::Invited { by, room: room.clone() };
        let is_told = |id: &PersonId| self.tell_one(*id, notice.clone()) == Some(true);
        let told: Vec<_> = self.ledger.people.wearers(to).filter(is_told).collect();
        for id in &told {
            if let Some(connection) = self.connections.get_mut(id) {
                connection.invited_to.add(room.clone());
            }
        }
        told.len()
    }

    /// The rooms to which the asker is invited on this connection.
    pub(super) fn invitations(&self, asker: PersonId) -> Answer {
        let connection = self.connections.get(&asker).into_iter();
        let rooms = connection.flat_map(|connection| connection.invited_to.rooms());
        Answer::Invitations(rooms.cloned().collect())
    }
}
