//! This process follows the order: it applies each proposal that has its place, its own and those
//! of other nodes, and does what is due as one of several nodes.

use std::sync::Arc;
use std::time::Duration;

use super::node::{Node, NodeStart, Settled, Silence, Standing};
use super::rooms::Member;
use super::state::Broadcaster;
use super::tickets::Ticket;
use crate::intent::{Intent, Stamp};
use crate::ledger::{Ledger, Snapshot};
use crate::link::{Contact, Inbox, Notice, Refusal};
use crate::model::{Limits, Now};
use crate::sequencer::{Decided, Sequencer};

/// How many keys one intent reports as deleted.
const ERASED_MAX: usize = 4_096;

impl Broadcaster {
    /// A broadcaster of a server that is one of several nodes. Their sequencer, which all of them
    /// share, continues after the position of the ledger.
    pub fn one_of_several(
        inbox: Arc<Inbox>,
        limits: Limits,
        start: NodeStart,
        sequencer: Box<dyn Sequencer>,
    ) -> Broadcaster {
        let node = Box::new(Node::new(&start));
        let snapshot = Snapshot { is_stored: true, ..start.ledger }; // in the order
        let mut broadcaster = Broadcaster::build(inbox, limits, Ledger::restore(snapshot), 0);
        broadcaster.sequencer = sequencer;
        broadcaster.node = Some(node);
        broadcaster.show_people();
        broadcaster
    }

    /// Lets the people of a restored ledger be members of their rooms.
    pub(super) fn show_people(&mut self) {
        let people = self.ledger.people.iter();
        let seats = people.flat_map(|(id, person)| {
            let who = person.who(id);
            person.seats.iter().map(move |room| (room.clone(), who.clone()))
        });
        let absent = self.ledger.absent.iter().map(|of| (of.room.clone(), of.who.clone()));
        for (room, who) in seats.chain(absent).collect::<Vec<_>>() {
            let member = Member { who: who.into(), seated: None, active: Duration::ZERO };
            if let Some(room) = self.room_for(&room, None, 0) {
                room.members.insert(member);
            }
        }
    }

    /// Puts an intent in order, and applies all intents that have their place now.
    pub(super) fn put_in_order(&mut self, intent: Intent, ticket: Option<Ticket>, now: Now) {
        let node = self.node.as_ref().filter(|node| node.told >= Silence::Waiting);
        if let (Some(node), Some(ticket)) = (node, &ticket) {
            let why = if node.is_astray() { Contact::Astray } else { Contact::Waiting };
            self.tell_one(ticket.client.id, Notice::Contact(why));
        }
        self.offer(intent, ticket);
        self.offer_next(now);
        self.apply_decided(now);
    }

    /// Applies all intents that have their place now: those of this process, and of others.
    pub(super) fn apply_decided(&mut self, now: Now) {
        if self.node.is_some() {
            return self.follow_order(now);
        }
        while let Some(Decided { at, mut proposal, .. }) = self.sequencer.poll_decided(now.wall) {
            for intent in proposal.intents.drain(..) {
                let ticket = self.tickets.pop_front().flatten();
                self.apply(intent, ticket, Stamp { boot: 0, at }, now);
            }
            self.proposal = proposal; // so that its memory is used again
        }
    }

    /// Applies proposals of all nodes, as many as a batch has space for. The rest follows when that
    /// batch is visible.
    fn follow_order(&mut self, now: Now) {
        if self.node.as_ref().is_some_and(|node| node.is_astray()) {
            return;
        }
        while let Some(id) = self.sequencer.poll_refused() {
            if let Some(intents) = self.node_mut().and_then(|node| node.refused(id)) {
                self.refuse_void(intents, &Refusal::StoreFull);
            }
        }
        loop {
            if self.gathering.is_full(&self.limits) {
                self.is_behind = true;
                return;
            }
            let Some(decided) = self.held.take().or_else(|| self.sequencer.poll_decided(now.wall))
            else {
                return;
            };
            if decided.proposal.deletes_lines() && !self.is_all_visible() {
                self.held = Some(decided);
                self.is_behind = true;
                return;
            }
            if self.goes_astray(&decided, now) {
                self.held = Some(decided);
                return;
            }
            self.follow(decided, now);
            self.offer_next(now);
        }
    }

    /// Whether no lines are on their way into the logs.
    fn is_all_visible(&self) -> bool {
        !self.is_committing && self.gathering.lines == 0
    }

    /// Applies a proposal of one of several nodes, if it counts.
    fn follow(&mut self, Decided { position, at, proposal }: Decided, now: Now) {
        if !self.node.as_ref().is_some_and(|node| node.is_new(position)) {
            return;
        }
        if let Ok(stamp) = self.ledger.admit(&proposal, at) {
            let Some(node) = self.node.as_deref_mut() else {
                return;
            };
            let settled = node.settle(&proposal, now.monotonic);
            let is_own = matches!(settled, Settled::Own) && stamp.boot > 0;
            let is_late = !matches!(settled, Settled::No) && !node.is_in_touch();
            if let Settled::Void(intents) = settled {
                self.refuse_void(intents, &Refusal::NotSent);
            }
            if is_own {
                self.apply_own(proposal.intents, stamp, now);
            } else {
                proposal.intents.into_iter().for_each(|it| self.apply(it, None, stamp, now));
            }
            if is_late {
                self.forget_accusations();
            }
            self.tell_contact(now);
        }
        if let Some(node) = &mut self.node {
            node.note_format(self.ledger.nodes.format());
            node.applied(position, || self.ledger.digest());
        }
    }

    /// Whether this node stops before a proposal, because its ledger may be wrong. Then everybody is
    /// told.
    fn goes_astray(&mut self, decided: &Decided, now: Now) -> bool {
        let live = self.ledger.nodes.live();
        let Some(node) = self.node.as_deref_mut().filter(|node| node.is_new(decided.position))
        else {
            return false;
        };
        let is_astray = node.goes_astray(&decided.proposal, live, now.monotonic);
        if is_astray {
            self.tell_astray();
        }
        is_astray
    }

    /// Applies a proposal of this process. Its tickets are taken first: the rest are those of the
    /// intents that wait.
    fn apply_own(&mut self, intents: Vec<Intent>, stamp: Stamp, now: Now) {
        let count = intents.len().min(self.tickets.len());
        let mut tickets = self.tickets.drain(..count).collect::<Vec<_>>().into_iter();
        for intent in intents {
            let ticket = tickets.next().flatten();
            if let (Some(node), Some(person)) = (self.node_mut(), intent.speaker()) {
                node.sent(person, ticket.is_some());
            }
            self.apply(intent, ticket, stamp, now);
        }
    }

    /// Refuses the requests of a void proposal. What has happened on this node is proposed again,
    /// and so is the rest of lines that have counted in part.
    fn refuse_void(&mut self, intents: Vec<Intent>, why: &Refusal) {
        let half_sent = self.node.as_ref().and_then(|node| node.half_sent());
        let speaker = intents.last().and_then(Intent::speaker);
        let mut stay = Vec::new();
        for intent in intents {
            let ticket = self.tickets.pop_front().flatten();
            if intent.is_fact() || intent.is_said_by(half_sent) {
                stay.push((intent, ticket));
            } else if let Some(ticket) = ticket {
                ticket.refuse(why.clone());
            }
        }
        if speaker != half_sent {
            self.refuse(why.clone(), |intent| !intent.is_said_by(speaker)); // their first lines are void
        }
        for (intent, ticket) in stay.into_iter().rev() {
            self.offer_first(intent, ticket);
        }
    }

    /// Does what is due as one of several nodes.
    pub(super) fn tick_node(&mut self, now: Now) {
        let Some(node) = self.node.as_deref_mut() else {
            return;
        };
        if node.wake(now.monotonic) || node.silence(now.monotonic) >= Silence::Waiting {
            self.forget_accusations();
        }
        self.tell_contact(now);
        self.refuse_waiting();
        let Some(node) = self.node.as_deref_mut().filter(|node| !node.is_astray()) else {
            return;
        };
        if let Some(empty) = node.give_up(now.monotonic) {
            self.sequencer.offer(empty);
            self.tell_doubt();
        }
        self.offer_what_is_due(now);
        self.erase_keys();
        self.offer_next(now);
    }

    /// Lets the keys be deleted that nobody needs any more. The first of the live nodes does it.
    fn erase_keys(&mut self) {
        if self.first_boot().is_none() {
            return;
        }
        if self.node.as_ref().is_some_and(|node| node.is_in_touch()) {
            self.sequencer.erase(&self.ledger.seals.to_erase);
        }
        let erased = std::iter::from_fn(|| self.sequencer.poll_erased());
        let erased: Vec<_> = erased.take(ERASED_MAX).collect();
        if !erased.is_empty() {
            self.offer(Intent::KeysErased(erased), None);
        }
    }

    /// Accuses nobody for the time up to now, in which this node was out of touch or asleep: so may
    /// the others have been, and they need not be down.
    fn forget_accusations(&mut self) {
        self.node_mut().into_iter().for_each(Node::lose_touch);
        self.sift(|intent| !matches!(intent, Intent::Down { .. }));
    }

    /// Tells the other nodes that this one stops, if it does.
    pub(super) fn propose_to_leave(&mut self, now: Now) {
        let closing = self.closing;
        if self.node_mut().is_some_and(|node| closing && node.leave()) {
            self.offer(Intent::Leaving, None);
        }
        // Nothing is applied any more, so nobody's departure comes.
        if closing && self.node.as_ref().is_some_and(|node| node.is_over() || node.is_astray()) {
            for connection in self.connections.values() {
                connection.part();
                connection.client.ring();
            }
        }
        if self.node.as_ref().is_some_and(|node| node.standing == Standing::Left) {
            self.refuse(Refusal::NotSent, |_| false); // nothing is proposed any more
        }
        self.offer_next(now);
    }

    fn offer_what_is_due(&mut self, now: Now) {
        let is_first = self.first_boot().is_some();
        let Some(node) = self.node.as_deref_mut() else {
            return;
        };
        let live = self.ledger.nodes.live().map(|(boot, of)| (boot, of.last));
        let mut due = node.accuse(live, now.monotonic);
        if is_first {
            due.extend(node.switch(self.ledger.nodes.agreed(), now.monotonic));
        }
        if due.is_empty() && node.is_quiet(now.monotonic) {
            due.push(Intent::Alive);
        }
        due.into_iter().for_each(|intent| self.offer(intent, None));
    }
}
