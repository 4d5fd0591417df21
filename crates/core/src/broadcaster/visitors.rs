//! Everybody, for the operator: a node knows the addresses of its own people, and asks the others
//! for theirs.

use std::sync::Arc;
use std::time::Duration;

use super::carrier::WhoAsked;
use super::state::Broadcaster;
use crate::ledger::Person;
use crate::link::{Client, ConnectionFacts, NodeQuestion, VISITORS_MAX, Visitor, VisitorPage};
use crate::model::{NodeName, Now, PersonId};

/// The most bytes of one connection in the answer of a node.
const FACTS_BYTES_MAX: usize = 64;

impl Broadcaster {
    /// A page of the people on a node, or of everybody on a server without other nodes. None if the
    /// client gets it later, because the node is asked for their addresses.
    pub(super) fn everybody(
        &mut self,
        client: &Arc<Client>,
        node: Option<NodeName>,
        (from, is_silent): (PersonId, bool),
        now: Now,
    ) -> Option<VisitorPage> {
        let page = self.visitors(node.as_ref(), from, now);
        let own = self.node.as_ref().map(|node| node.boot);
        let other = node.and_then(|node| self.ledger.nodes.last_of(&node));
        let other = other.filter(|(boot, of)| of.is_live && Some(*boot) != own);
        let Some(nonce) = other.map(|(_, boot)| boot.nonce) else {
            return Some(page);
        };
        let (false, Some(carrier)) = (is_silent, &mut self.carrier) else {
            return Some(page.of_silent_node());
        };
        let people = page.people.iter().map(|visitor| visitor.id).collect();
        let after = self.node.as_ref().map_or(0, |node| node.position());
        let question = NodeQuestion::Connections { after, people };
        carrier.ask([nonce], &question, WhoAsked::Visitors { client: Arc::clone(client), page });
        None
    }

    /// A page of people, in order of arrival, as far as this node knows them.
    fn visitors(&self, node: Option<&NodeName>, from: PersonId, now: Now) -> VisitorPage {
        let boot = node.map(|node| self.ledger.nodes.last_of(node).map(|(boot, _)| boot));
        let is_meant = |person: &Person| boot.is_none_or(|boot| boot == Some(person.boot));
        let bytes_max = self.node.as_ref().map_or(usize::MAX, |node| node.bytes_max());
        let people_max = (bytes_max / FACTS_BYTES_MAX).clamp(1, VISITORS_MAX);
        let mut all = self.ledger.people.from(from).filter(|(_, person)| is_meant(person));
        let visitor = |(id, person): (PersonId, &Person)| Visitor {
            id,
            name: person.name.clone(),
            node: node.cloned(),
            address: self.connections.get(&id).and_then(|of| of.client.address()),
            rooms: person.seats.clone(),
            silent: self.silence_of(id, person, now),
        };
        let people = all.by_ref().take(people_max).map(visitor).collect();
        VisitorPage { people, next: all.next().map(|(id, _)| id), is_silent: false }
    }

    /// The connections of these people, as far as they are on this node.
    pub(super) fn facts_of(&self, people: &[PersonId], now: Now) -> Vec<Option<ConnectionFacts>> {
        let facts = |id: &PersonId| {
            let (connection, person) = self.connections.get(id).zip(self.ledger.people.get(*id))?;
            let silent = self.silence_of(*id, person, now);
            Some(ConnectionFacts { address: connection.client.address(), silent })
        };
        people.iter().map(facts).collect()
    }

    /// The time since a person said something in any room, as far as this node knows.
    fn silence_of(&self, id: PersonId, person: &Person, now: Now) -> Duration {
        let rooms = person.seats.iter().filter_map(|room| self.room_called(room));
        let active = rooms.filter_map(|room| room.members.get(id));
        let active = active.map(|member| member.active).max().unwrap_or(now.monotonic);
        now.monotonic.saturating_sub(active)
    }
}
