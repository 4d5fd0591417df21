//! A node that has stopped because its ledger differs from that of another one goes on: as it was,
//! or with another ledger. Then nothing of the first one stays, and all connections end: their
//! clients connect again.

use std::sync::Arc;

use super::state::Broadcaster;
use crate::ledger::{Ledger, Snapshot};
use crate::model::{Act, By, Deed, Name, Now, Verb, Whom};

impl Broadcaster {
    /// Goes on, because the ledger of this node was right. Does nothing unless it has stopped.
    pub fn go_on(&mut self, now: Now) {
        if let Some(node) = self.node_mut().filter(|node| node.is_astray()) {
            node.go_on(now.monotonic);
            self.inbox.bell().ring();
        }
    }

    /// Goes on with this ledger of the present position, because that of this node was wrong. Does
    /// nothing unless the node has stopped. Requests that wait are refused, except those of
    /// newcomers. [Gather](Broadcaster::gather) and append first: what has happened with the wrong
    /// ledger, and is not visible yet, is lost.
    pub fn begin_anew(&mut self, ledger: Snapshot) {
        let Some(node) = self.node.as_ref().filter(|node| node.is_astray()) else {
            return;
        };
        let (anew, under_way) = (node.anew(ledger.format), node.under_way());
        let ledger = Ledger::restore(Snapshot { is_stored: true, ..ledger });
        let inbox = Arc::clone(&self.inbox);
        let next = Broadcaster::build(inbox, self.limits, ledger, self.rooms_made);
        let before = std::mem::replace(self, next);
        let name = Name::stored(anew.name.as_str());
        self.node = Some(Box::new(anew));
        self.sequencer = before.sequencer;
        self.held = before.held;
        self.carrier = before.carrier; // questions to other nodes are answered soon
        (self.passing, self.people_max) = (before.passing, before.people_max);
        self.closing = before.closing;
        // Newcomers wait for the next boot; the connections of all others end.
        self.waiting = before.behind;
        self.waiting.extend(before.waiting);
        self.show_people();
        self.note_live();
        for (index, ticket) in before.tickets.into_iter().enumerate() {
            ticket.into_iter().for_each(|ticket| ticket.refuse_at_end(index < under_way));
        }
        let deed = Deed::to(Verb::Kick, Whom::Name(name));
        let act = Arc::new(Act::by(By::Node, deed, before.ledger.nodes.at()));
        before.connections.values().for_each(|connection| connection.end(&act));
        before.rooms.values().for_each(|room| room.end_listeners(&act));
        self.inbox.bell().ring();
    }
}
