//! Notices and refusals while this node is out of touch with the others.

use std::collections::BTreeMap;

use super::node::Silence;
use super::state::Broadcaster;
use super::tickets::Wanted;
use crate::link::{Change, Contact, InboxItem, Notice, Refusal};
use crate::model::{NodeStatus, Now, PersonId, RoomName, WallTime};

impl Broadcaster {
    /// Tells people that the node is out of touch, or is back.
    pub(super) fn tell_contact(&mut self, now: Now) {
        let Some(node) = self.node.as_deref_mut() else {
            return;
        };
        let (told, silence) = (node.told, node.silence(now.monotonic));
        if silence > told {
            node.told = silence;
            if told < Silence::Lost && silence >= Silence::Lost {
                self.tell_loss(Contact::Lost);
            } else if told == Silence::None {
                self.tell_all(self.waiting_for_order(), Contact::Waiting);
            }
        } else if silence == Silence::None && node.is_in_touch() {
            node.told = Silence::None;
            let before = std::mem::take(&mut self.ends_at_loss);
            if told >= Silence::Lost {
                self.tell_back(&before);
            }
        }
    }

    /// Tells everybody that this node stops, because its ledger may be wrong.
    pub(super) fn tell_astray(&mut self) {
        self.tell_loss(Contact::Astray);
        if let Some(node) = &mut self.node {
            node.told = node.told.max(Silence::Lost);
        }
    }

    /// Tells everybody that nothing of the others comes here from now on.
    fn tell_loss(&mut self, contact: Contact) {
        if self.ends_at_loss.is_empty() {
            self.ends_at_loss = self.rooms.values().map(|room| self.end_of(&room.name)).collect();
        }
        self.tell_all(self.connections.keys().copied().collect(), contact);
    }

    fn end_of(&self, room: &RoomName) -> (RoomName, u64) {
        (room.clone(), self.ledger.rooms.end(room).seq)
    }

    /// The time of the last proposal that has come, if the node is out of touch: what it knows of
    /// others may be as old.
    pub(super) fn lost_contact_at(&self) -> Option<WallTime> {
        let node = self.node.as_ref().filter(|node| node.told >= Silence::Lost);
        node.map(|_| self.ledger.nodes.at())
    }

    /// The people whose requests wait for a place in the order.
    fn waiting_for_order(&self) -> Vec<PersonId> {
        let waiting = self.waiting.iter().filter_map(InboxItem::client);
        let tickets = self.tickets.iter().flatten().map(|ticket| &ticket.client);
        tickets.chain(waiting).map(|client| client.id).collect()
    }

    /// Tells everybody that the node is in touch again, and how much was said meanwhile.
    fn tell_back(&self, before: &BTreeMap<RoomName, u64>) {
        for (&id, connection) in &self.connections {
            let rooms = connection.places.iter().map(|place| self.end_of(&place.name));
            let lines = rooms
                .map(|(room, end)| end.saturating_sub(before.get(&room).map_or(end, |seq| *seq)));
            self.tell_one(id, Notice::Contact(Contact::Back { lines: lines.sum() }));
        }
    }

    /// Tells those whose lines are under way that it is not known whether they are sent. When it is
    /// known, they are told that, too.
    pub(super) fn tell_doubt(&mut self) {
        let under_way = self.node.as_ref().map_or(0, |node| node.under_way());
        let tickets = self.tickets.iter_mut().take(under_way).flatten();
        let said =
            tickets.filter(|ticket| matches!(ticket.wanted, Wanted::Say | Wanted::Once { .. }));
        let doubtful = said.map(|ticket| {
            ticket.is_in_doubt = true;
            ticket.client.id
        });
        let doubtful: Vec<_> = doubtful.collect();
        self.tell_all(doubtful, Contact::Unknown);
    }

    /// Tells these people of the contact with the other nodes.
    fn tell_all(&self, people: Vec<PersonId>, contact: Contact) {
        for id in people {
            self.tell_one(id, Notice::Contact(contact));
        }
    }

    /// Refuses all requests that are not under way, if the node is out of touch for too long.
    pub(super) fn refuse_waiting(&mut self) {
        if let Some(node) = self.node.as_ref().filter(|node| node.told == Silence::GivenUp) {
            let half_said = node.half_said();
            self.refuse(Refusal::NotSent, |intent| {
                intent.is_fact() || intent.is_said_by(half_said)
            });
        }
    }

    /// All nodes, by name; none without other nodes.
    pub(super) fn nodes(&self, now: Now) -> Vec<NodeStatus> {
        let Some(node) = &self.node else {
            return Vec::new();
        };
        let mut people: BTreeMap<u32, usize> = BTreeMap::new();
        for (_, person) in self.ledger.people.iter() {
            *people.entry(person.boot).or_default() += 1;
        }
        let nodes = self.ledger.nodes.all().map(|(number, boot)| NodeStatus {
            name: boot.node.clone(),
            is_own: number == node.boot,
            is_live: boot.is_live,
            program: boot.program.clone(),
            people: people.get(&number).copied().unwrap_or_default(),
            silent: node.silent(number, now.monotonic),
            behind: node.behind(number),
        });
        let mut nodes: Vec<_> = nodes.collect();
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        nodes
    }

    /// Whether a node that is out of touch, or stops, takes this request.
    ///
    /// # Errors
    /// It does not, and the person has to try again later.
    pub(super) fn may_propose(&self, change: &Change) -> Result<(), Refusal> {
        let Some(node) = &self.node else {
            return Ok(());
        };
        let is_closed = node.is_starting() || node.is_leaving();
        match change {
            Change::Listen { .. } | Change::Limit(_) => Ok(()),
            Change::Come { .. }
            | Change::Enter { .. }
            | Change::ComeBack { .. }
            | Change::SpeakOnce { .. }
                if is_closed || node.told >= Silence::Lost =>
            {
                Err(Refusal::OutOfTouch)
            }
            _ if is_closed || node.told == Silence::GivenUp => Err(Refusal::NotSent),
            _ => Ok(()),
        }
    }
}
