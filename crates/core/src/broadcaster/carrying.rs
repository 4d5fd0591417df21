//! Private messages: to the connections of this node at once, and to other nodes beside the order.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::carrier::{ARRIVING_MAX, Carrier, Leaving};
use super::state::Broadcaster;
use crate::link::{
    Answer, Carried, CarriedMessage, Client, Mail, Neighbours, Outcome, PrivateMessage,
};
use crate::model::{Name, Now, PersonId, Spoken, Who};
use crate::refusal::Refusal;

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
        Arc::make_mut(&mut sent).away = away;
        let elsewhere = self.nodes_of(to);
        if !elsewhere.is_empty() {
            self.carry(client, sent, elsewhere, read > 0)?;
            return Ok(None);
        }
        match read {
            0 => Err(Refusal::NotReading(to.clone())),
            _ => Ok(Some(Answer::Private(sent))),
        }
    }

    /// Delivers a message to the connections of this node. Returns how many have space for it.
    fn deliver(
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
    fn nodes_of(&self, name: &Name) -> BTreeSet<u64> {
        let Some(node) = &self.node else {
            return BTreeSet::new();
        };
        let boots = self.ledger.people.wearers(name).filter_map(|id| self.ledger.people.get(id));
        let others = boots.map(|person| person.boot).filter(|boot| *boot != node.boot);
        others.filter_map(|boot| self.ledger.nodes.nonce_of(boot)).collect()
    }

    /// Sends a message to other nodes.
    fn carry(
        &mut self,
        client: &Arc<Client>,
        message: Arc<PrivateMessage>,
        nodes: BTreeSet<u64>,
        is_read: bool,
    ) -> Result<(), Refusal> {
        let after = self.position();
        let Some(carrier) = &mut self.carrier else {
            return Err(Refusal::NoAnswer(message.to.clone()));
        };
        carrier.last += 1;
        let waiting = nodes.len();
        for nonce in nodes {
            let PrivateMessage { from, to, lines, is_for_programs, .. } = (*message).clone();
            let carried = CarriedMessage { after, from, to, lines, is_for_programs };
            carrier.neighbours.send(nonce, carrier.last, carried);
        }
        let client = Arc::clone(client);
        let leaving = Leaving { client, message, waiting, is_read, is_unknown: false };
        carrier.sent.insert(carrier.last, leaving);
        Ok(())
    }

    /// Takes messages and answers from other nodes.
    pub(super) fn take_carried(&mut self, now: Now) {
        while let Some(carried) = self.carrier.as_mut().and_then(|it| it.neighbours.poll()) {
            match carried {
                Carried::Answer(number, is_read) => self.answered(number, is_read),
                Carried::Message(number, message) => {
                    if let Some(carrier) = &mut self.carrier
                        && carrier.arriving.len() < ARRIVING_MAX
                    {
                        carrier.arriving.push_back((number, message));
                    }
                }
            }
        }
        let position = self.position();
        while let Some((number, message)) = self.carrier.as_mut().and_then(|carrier| {
            carrier.arriving.pop_front_if(|(_, message)| message.after <= position)
        }) {
            let CarriedMessage { from, to, lines, is_for_programs, .. } = message;
            let (_, read) = self.deliver((from, &to), lines, is_for_programs, now);
            if let Some(carrier) = &mut self.carrier {
                carrier.neighbours.answer(number, read > 0);
            }
        }
    }

    fn answered(&mut self, number: u64, is_read: Option<bool>) {
        let Some(carrier) = &mut self.carrier else {
            return;
        };
        let Some(leaving) = carrier.sent.get_mut(&number) else {
            return;
        };
        leaving.waiting -= 1;
        leaving.is_read |= is_read == Some(true);
        leaving.is_unknown |= is_read.is_none();
        if leaving.waiting > 0 {
            return;
        }
        if let Some(Leaving { client, message, is_read, is_unknown, .. }) =
            carrier.sent.remove(&number)
        {
            client.finish(match (is_read, is_unknown) {
                (true, _) => Outcome::Answer(Answer::Private(message)),
                (false, true) => Refusal::NoAnswer(message.to.clone()).into(),
                (false, false) => Refusal::NotReading(message.to.clone()).into(),
            });
        }
    }
}
