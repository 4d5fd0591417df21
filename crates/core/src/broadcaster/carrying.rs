//! Private messages: to the connections of this node at once, and to other nodes beside the order.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::carrier::{Carrier, Leaving, WhoAsked};
use super::state::Broadcaster;
use crate::link::{
    Answer, CarriedMessage, Client, Mail, Neighbours, NodeQuestion, PrivateMessage, Refusal,
};
use crate::model::{Name, Now, PersonId, RoomName, Spoken, Who};

impl Broadcaster {
    /// The same broadcaster, with a way to other nodes.
    #[must_use]
    pub fn with_neighbours(self, neighbours: Box<dyn Neighbours>) -> Broadcaster {
        Broadcaster { carrier: Some(Carrier::new(neighbours)), ..self }
    }

    /// Sends a message to all connections of a person. None if the outcome comes later, from
    /// other nodes.
    pub(super) fn send_private(
        &mut self,
        client: &Arc<Client>,
        to: &Name,
        lines: Vec<Spoken>,
        is_for_programs: bool,
        now: Now,
    ) -> Result<Option<Answer>, Refusal> {
        let from = self.ledger.people.who(client.id).ok_or(Refusal::NotThere)?;
        let away = self.ledger.people.wearers(to).next();
        let away = away.and_then(|id| self.ledger.people.away(id).cloned());
        let (mut sent, read) = self.deliver((from, to), lines, is_for_programs, now);
        if away.is_some() {
            Arc::make_mut(&mut sent).away = away;
        }
        let elsewhere = self.nodes_of(to);
        if !elsewhere.is_empty() {
            let PrivateMessage { from, to, lines, .. } = (*sent).clone();
            let (after, invitation) = (self.position(), None);
            let carried = CarriedMessage { after, from, to, invitation, lines, is_for_programs };
            self.carry(client, carried, elsewhere, (Answer::Private(sent), read > 0))?;
            return Ok(None);
        }
        match read {
            0 => Err(Refusal::NotReading(to.clone())),
            _ => Ok(Some(Answer::Private(sent))),
        }
    }

    /// Delivers a message to the connections of this node. Returns how many have space for it.
    pub(super) fn deliver(
        &mut self,
        (from, to): (Who, &Name),
        lines: Vec<Spoken>,
        is_for_programs: bool,
        now: Now,
    ) -> (Arc<PrivateMessage>, usize) {
        self.passing += 1;
        let (number, at) = (self.passing, self.time(now));
        let (to, away) = (to.clone(), None);
        let sent = PrivateMessage { number, at, from, to, lines, is_for_programs, away };
        let sent = Arc::new(sent);
        let private = Answer::Private(Arc::clone(&sent));
        let deliver = |id: PersonId| {
            let (connection, mark) = self.connections.get(&id).zip(self.mark_of(id))?;
            connection.client.send(mark, Mail::Answer(private.clone())).ok()
        };
        let read = self.ledger.people.wearers(&sent.to).filter_map(deliver).count();
        (sent, read)
    }

    /// The processes of other nodes with connections of this person, by their random numbers.
    pub(super) fn nodes_of(&self, name: &Name) -> BTreeSet<u64> {
        let Some(node) = &self.node else {
            return BTreeSet::new();
        };
        let boots = self.ledger.people.wearers(name).filter_map(|id| self.ledger.people.get(id));
        let others = boots.map(|person| person.boot).filter(|boot| *boot != node.boot);
        others.filter_map(|boot| self.ledger.nodes.nonce_of(boot)).collect()
    }

    /// The process with the connection of a person, by its random number, if that is another node.
    pub(super) fn other_node_of(&self, person: PersonId) -> Option<u64> {
        let own = self.node.as_ref()?.boot;
        let boot = self.ledger.people.get(person)?.boot;
        self.ledger.nodes.nonce_of(boot).filter(|_| boot != own)
    }

    /// Invites a person on other nodes. `is_told` says whether a connection of this node was told.
    ///
    /// # Errors
    /// There is no way to the other nodes.
    pub(super) fn carry_invitation(
        &mut self,
        client: &Arc<Client>,
        (from, to): (Who, Name),
        room: RoomName,
        is_told: bool,
    ) -> Result<(), Refusal> {
        let answer = Answer::Invited { who: to.clone(), room: room.clone() };
        let (after, nodes) = (self.position(), self.nodes_of(&to));
        let (invitation, lines) = (Some(room), Vec::new());
        let carried = CarriedMessage { after, from, to, invitation, lines, is_for_programs: false };
        self.carry(client, carried, nodes, (answer, is_told))
    }

    /// Sends a message to other nodes. The client gets the answer if somebody there, or on this
    /// node, reads it.
    fn carry(
        &mut self,
        client: &Arc<Client>,
        message: CarriedMessage,
        nodes: BTreeSet<u64>,
        (answer, is_read): (Answer, bool),
    ) -> Result<(), Refusal> {
        let Some(carrier) = &mut self.carrier else {
            return Err(Refusal::NoAnswer(message.to));
        };
        let (waiting, to, client) = (nodes.len(), message.to.clone(), Arc::clone(client));
        let leaving = Leaving { client, to, answer, waiting, is_read, is_unknown: false };
        carrier.ask(nodes, &NodeQuestion::Message(message), WhoAsked::Message(leaving));
        Ok(())
    }
}
