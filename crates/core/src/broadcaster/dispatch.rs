//! Incoming requests: decides which of them wait for a batch, and which function handles each.

use std::collections::VecDeque;
use std::time::Duration;

use super::pending::{Gathered, Happening};
use super::state::Broadcaster;
use crate::link::{InboxItem, Notice, Request};
use crate::model::Now;

impl Broadcaster {
    /// Takes in all requests, and all intents of other processes, since the last call.
    pub fn drain(&mut self, now: Now) {
        self.apply_decided(now);
        if self.node.is_some() {
            self.carry_out_waiting(now); // they may wait for the order
            self.propose_to_leave(now);
            self.take_carried(now);
        }
        let mut drained = std::mem::take(&mut self.drained);
        self.inbox.take(&mut drained);
        for incoming in drained.drain(..) {
            self.receive(incoming, now);
        }
        self.drained = drained;
        self.tell_late_watchers();
        self.end_rooms(now);
    }

    /// Handles a request now, or makes it wait: for the outcome of changes on which it builds, or
    /// for a place in a batch.
    fn receive(&mut self, incoming: InboxItem, now: Now) {
        let (builds_on_others, needs_place) = match &incoming {
            InboxItem::Request { request: Request::Change(change), .. } => {
                (change.builds_on_others(), change.needs_place())
            }
            InboxItem::LeftRoom { .. } | InboxItem::LeftServer { .. } => (false, !self.closing),
            InboxItem::Request { .. }
            | InboxItem::ListenerGone { .. }
            | InboxItem::FellOff { .. } => (false, false),
        };
        if builds_on_others && self.may_be_undone {
            wait(&mut self.behind, incoming);
        } else if needs_place && (self.is_full() || !self.waiting.is_empty()) {
            wait(&mut self.waiting, incoming);
        } else {
            self.carry_out(incoming, now);
        }
    }

    /// The batch that was being stored has its outcome: requests that waited for it are the first
    /// that wait for a place.
    pub(super) fn settle(&mut self) {
        self.may_be_undone = false;
        if !self.behind.is_empty() {
            self.behind.append(&mut self.waiting);
            std::mem::swap(&mut self.behind, &mut self.waiting);
        }
    }

    /// Handles requests that wait, until the next batch is full again.
    pub(super) fn carry_out_waiting(&mut self, now: Now) {
        while !self.is_full()
            && let Some(incoming) = self.waiting.pop_front()
        {
            self.carry_out(incoming, now);
        }
    }

    /// Handles a request. Only this function says which function handles which request.
    pub(super) fn carry_out(&mut self, incoming: InboxItem, now: Now) {
        match incoming {
            incoming if incoming.is_void() => {}
            InboxItem::Request { client, request: Request::Change(change) } => {
                if let Err(refusal) = self.change(&client, change, now) {
                    client.finish(refusal.into());
                }
            }
            InboxItem::Request { client, request: Request::Query(query) } => {
                self.answer(&client, query, now);
            }
            InboxItem::LeftRoom { place, words } => self.leave_room(&place, words, now),
            InboxItem::LeftServer { person, words } => self.leave_server(person, words, now),
            InboxItem::ListenerGone { place } => self.stop_listening(&place),
            InboxItem::FellOff { place } => self.enter_again(&place),
        }
    }

    /// When [`tick`](Broadcaster::tick) is due, on the monotonic clock.
    pub fn deadline(&self) -> Option<Duration> {
        let crowd = self.crowds.front().map(|&(until, _)| until);
        let late = self.returns.front().map(|late| late.until);
        let node = self.node.as_ref().map(|node| node.due());
        let deadlines = [crowd, late, self.expire_at, node];
        deadlines.into_iter().flatten().min()
    }

    /// Does the work that is due by now.
    pub fn tick(&mut self, now: Now) {
        while let Some(&(until, room)) = self.crowds.front()
            && until <= now.monotonic
        {
            self.crowds.pop_front();
            if self.rooms.contains_key(&room) {
                self.happen(room, Happening::CrowdIsOver);
            }
        }
        self.give_up_returns(now);
        if self.expire_at.is_some_and(|at| at <= now.monotonic) {
            self.expire(now);
        }
        if self.node.as_ref().is_some_and(|node| node.due() <= now.monotonic) {
            self.apply_decided(now); // before silence is noticed
            self.tick_node(now);
        }
    }

    /// Tells everybody who waits for the journal that it is slow.
    pub fn tell_slow(&self, gathered: &Gathered) {
        let waiting = self.behind.iter().chain(&self.waiting).filter_map(InboxItem::client);
        for client in gathered.waiting().chain(self.gathering.waiting()).chain(waiting) {
            self.tell_one(client.id, Notice::DiskSlow);
        }
    }
}

/// Puts a request behind the others that wait.
///
/// A client that gives up and connects again leaves a request each time. Before the queue grows,
/// such requests are discarded.
fn wait(queue: &mut VecDeque<InboxItem>, incoming: InboxItem) {
    if queue.len() == queue.capacity() {
        queue.retain(|incoming| !incoming.is_void());
    }
    queue.push_back(incoming);
}
