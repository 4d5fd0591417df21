//! Incoming requests: decides which of them wait for a batch, and which function handles each.

use std::sync::Arc;
use std::time::Duration;

use super::pending::{Gathered, Happening};
use super::state::Broadcaster;
use crate::link::{Answer, Change, Client, InboxItem, Mail, Notice, Outcome, Refusal, Request};
use crate::model::Now;

/// How often old lines are removed. A line is shown for at most this time beyond its limit.
const EXPIRE_EVERY: Duration = Duration::from_secs(60);

impl Broadcaster {
    /// Takes in all requests since the last call.
    pub fn drain(&mut self, now: Now) {
        let mut drained = std::mem::take(&mut self.drained);
        self.inbox.take(&mut drained);
        for incoming in drained.drain(..) {
            self.receive(incoming, now);
        }
        self.drained = drained;
    }

    /// Handles a request now, or makes it wait for a place in a batch.
    fn receive(&mut self, incoming: InboxItem, now: Now) {
        match &incoming {
            InboxItem::Request { request: Request::Change(change), .. } if change.needs_place() => {
            }
            InboxItem::Departure { place, .. } => {
                if self.closing && self.leave_silently(place) {
                    return;
                }
            }
            InboxItem::Request { .. }
            | InboxItem::ListenerGone { .. }
            | InboxItem::ActStored { .. } => {
                return self.carry_out(incoming, now);
            }
        }
        if self.is_full() || !self.waiting.is_empty() {
            self.wait(incoming);
        } else {
            self.admit(incoming, now);
        }
    }

    /// Puts a request behind the others that wait.
    ///
    /// A client that gives up and connects again leaves a request each time. Before the queue
    /// grows, such requests are discarded.
    fn wait(&mut self, incoming: InboxItem) {
        if self.waiting.len() == self.waiting.capacity() {
            self.waiting.retain(|incoming| !incoming.is_void());
        }
        self.waiting.push_back(incoming);
    }

    /// Gives a request its place in the next batch, or makes it wait until an act is stored.
    pub(super) fn admit(&mut self, incoming: InboxItem, now: Now) {
        if incoming.is_void() {
            return;
        }
        if let Some(incoming) = self.keep_new_room(incoming, now) {
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
                client.finish(self.answer(client.id, query, now))
            }
            InboxItem::Departure { place, words } => self.depart(&place, words, now),
            InboxItem::ListenerGone { place } => self.stop_listening(&place),
            InboxItem::ActStored { number, is_stored } => self.go_on(number, is_stored, now),
        }
    }

    /// Makes a change. The client learns the outcome now, or when the batch is appended.
    ///
    /// # Errors
    /// Nothing is changed, for this reason.
    fn change(&mut self, client: &Arc<Client>, change: Change, now: Now) -> Result<(), Refusal> {
        match change {
            Change::Post { room, lines } => self.post(client, room, lines, now),
            Change::Speak { name, room, lines } => self.speak(client, name, room, lines, now),
            Change::Enter { name, room, replay } => self.enter(client, name, room, replay, now),
            Change::ComeBack { name, room, ghost } => {
                self.come_back(client, name, room, ghost, now)
            }
            Change::Join { room, replay } => self.join(client, room, replay, now),
            Change::Rename(name) => self.rename(client, name, now),
            Change::SetTopic { room, text } => self.set_topic(client, room, text, now),
            Change::Listen { owner, room, waits, replay } => {
                self.listen(client, owner, (room, waits), replay, now)
            }
            Change::Owned { name, proof, by } => {
                self.own(name, proof, by, now);
                client.finish(Outcome::Done);
                Ok(())
            }
            Change::Released { name, proof } => {
                self.release(&name, proof, now);
                client.finish(Outcome::Done);
                Ok(())
            }
            Change::DeleteLines { whose, since } => {
                client.finish(Outcome::LinesDeleted(self.delete_lines(whose, since)?));
                Ok(())
            }
            Change::Limit(limits) => {
                self.limit(limits);
                client.finish(Outcome::Done);
                Ok(())
            }
            Change::Act { here, deed } => self.act(client, here, deed, now),
        }
    }

    /// When [`tick`](Broadcaster::tick) is due, on the monotonic clock.
    pub fn deadline(&self) -> Option<Duration> {
        let crowd = self.crowds.front().map(|&(until, _)| until);
        let absent = self.absent.front().map(|absent| absent.until);
        let deadlines = [crowd, absent, self.expire_at];
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
        self.give_up_absent(|absent| absent.until <= now.monotonic);
        if self.expire_at.is_some_and(|at| at <= now.monotonic) {
            self.expire(now);
        }
    }

    /// Removes lines from the logs that are older than the limit.
    fn expire(&mut self, now: Now) {
        let Some(retain) = self.limits.retain else {
            return;
        };
        let before = now.wall.before(retain);
        for room in self.rooms.values() {
            let weight = room.log.weight();
            room.log.expire(before);
            self.logs_bytes -= weight - room.log.weight();
        }
        self.expire_at = Some(now.monotonic + EXPIRE_EVERY);
    }

    /// Tells everybody who waits for the journal that it is slow.
    pub fn tell_slow(&self, gathered: &Gathered) {
        let waiting = self.waiting.iter().filter_map(|incoming| match incoming {
            InboxItem::Request { client, .. } => Some(client),
            InboxItem::Departure { .. }
            | InboxItem::ListenerGone { .. }
            | InboxItem::ActStored { .. } => None,
        });
        for client in gathered.waiting().chain(self.gathering.waiting()).chain(waiting) {
            let Some(mark) = self.mark_of(client.id) else {
                continue;
            };
            // A person whose mailbox is full does not read this notice either.
            client.send(mark, Mail::Answer(Answer::Notice(Notice::DiskSlow))).ok();
        }
    }
}
