//! The way into the order: with several nodes, intents wait there while a proposal is under way.

use super::node::Node;
use super::state::Broadcaster;
use super::tickets::Ticket;
use crate::intent::{Intent, lines_bytes};
use crate::model::{Now, PersonId, RoomName, Spoken};
use crate::refusal::Refusal;

impl Broadcaster {
    /// Offers an intent for a place in the order. A node that proposes nothing any more refuses it.
    pub(super) fn offer(&mut self, intent: Intent, ticket: Option<Ticket>) {
        if self.node.as_ref().is_some_and(|node| node.is_over()) {
            return ticket.into_iter().for_each(|it| it.refuse(Refusal::NotSent));
        }
        self.tickets.push_back(ticket);
        if let Some(node) = &mut self.node {
            return node.push(intent);
        }
        let mut proposal = std::mem::take(&mut self.proposal);
        proposal.intents.push(intent);
        self.sequencer.offer(proposal);
    }

    /// Offers lines that are too large for one proposal in parts, except the last part, which is
    /// returned.
    pub(super) fn offer_all_but_last(
        &mut self,
        person: PersonId,
        room: &RoomName,
        mut lines: Vec<Spoken>,
    ) -> Vec<Spoken> {
        let Some(bytes_max) = self.node.as_ref().map(|node| node.bytes_max() / 2) else {
            return lines;
        };
        while lines_bytes(&lines) > bytes_max && lines.len() > 1 {
            let fits = |count: &usize| lines_bytes(&lines[..*count]) <= bytes_max;
            let count = (1..lines.len()).take_while(fits).last().unwrap_or(1);
            let rest = lines.split_off(count);
            let part = std::mem::replace(&mut lines, rest);
            self.offer(Intent::Say { person, room: room.clone(), lines: part.into() }, None);
        }
        lines
    }

    /// Offers the intents of this node that wait, unless a proposal is under way.
    pub(super) fn offer_next(&mut self, now: Now) {
        let Some(node) = &mut self.node else {
            return;
        };
        let before = self.ledger.nodes.last_of(&node.name).map(|(boot, _)| boot);
        if let Some(mut proposal) = node.next(before, now.monotonic) {
            self.ledger.plan_seals(&mut proposal.intents, |person| node.owner_in_exile(person));
            self.sequencer.offer(proposal);
        }
    }

    /// Removes the waiting intents that `stays` does not return true for. Returns the tickets of
    /// these intents.
    pub(super) fn sift(&mut self, mut stays: impl FnMut(&Intent) -> bool) -> Vec<Ticket> {
        let Some(node) = &mut self.node else {
            return Vec::new();
        };
        let tickets = self.tickets.split_off(node.under_way().min(self.tickets.len()));
        let mut removed = Vec::new();
        let waiting: Vec<_> = node.take_queue().zip(tickets).collect();
        for (intent, ticket) in waiting {
            if stays(&intent) {
                node.push(intent);
                self.tickets.push_back(ticket);
            } else {
                removed.extend(ticket);
            }
        }
        removed
    }

    /// Refuses the waiting requests that `stays` does not return true for.
    pub(super) fn refuse(&mut self, why: Refusal, stays: impl FnMut(&Intent) -> bool) {
        let tickets = self.sift(stays);
        tickets.into_iter().for_each(|ticket| ticket.refuse(why.clone()));
    }

    /// Offers an intent before all others that wait. Nobody may be under way.
    pub(super) fn offer_first(&mut self, intent: Intent, ticket: Option<Ticket>) {
        if let Some(node) = &mut self.node {
            debug_assert_eq!(node.under_way(), 0, "its tickets are the first");
            node.push_first(intent);
            self.tickets.push_front(ticket);
        }
    }

    /// This server as one of several nodes, if it is one.
    pub(super) fn node_mut(&mut self) -> Option<&mut Node> {
        self.node.as_deref_mut()
    }
}
