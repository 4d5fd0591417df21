//! Stored batches become visible: they go into the logs, seats are granted, bells ring.

use std::sync::Arc;

use super::pending::{Gathered, Promise, Promised, RoomShare, Sequel, Stake};
use super::rooms::{Member, Room, Seated};
use super::state::Broadcaster;
use crate::journal::NotStored;
use crate::ledger::Announcement;
use crate::link::{
    Client, Entered, FullRoster, Outcome, Place, Presence, Refusal, Replay, Resumed, Seat, View,
};
use crate::log::{Batch, Cursor};
use crate::model::{ActOf, Entry, Line, Now, Reach, RoomRules, Telling, TopicSet, Who};

impl Broadcaster {
    /// Makes a gathered batch visible and tells the clients that wait for it.
    ///
    /// If the journal could not store it, its lines, topics and changes of accounts are refused, and
    /// the numbers of its lines are used again. Arrivals, departures, new names and acts still
    /// happen, in their order.
    pub fn append(&mut self, gathered: Gathered, kept: Result<(), NotStored>, now: Now) {
        // With other nodes, everything with a place in the order has happened, stored here or not.
        let kept = if self.node.is_some() { Ok(()) } else { kept };
        if kept.is_err() {
            for event in gathered.correct(&mut self.ledger, now.wall) {
                self.tell(event, None, now.wall, now); // with the next batch
            }
            self.end_usurpers(&gathered, now);
        }
        let announcements = self.follow_up(gathered.sequels, kept.is_ok());
        let (mut granted, mut returned) = (Vec::new(), Vec::new());
        let inbox = Arc::clone(&self.inbox);
        let appending = inbox.begin_append();
        for (batch, share) in gathered.batches.into_iter().zip(gathered.shares) {
            let batch = if kept.is_ok() { batch } else { without_lines(&batch) };
            let (grants, places) = self.append_to_room(share, batch, now);
            granted.extend(grants);
            returned.extend(places);
        }
        drop(appending);
        // Behind the entries of all rooms: a newcomer's list of people may be without somebody who has
        // left another room of the newcomer in this batch.
        granted.into_iter().for_each(|grant| self.seat(grant));
        returned.iter().for_each(|place| self.enter_again(place));
        for Promise { client, outcome, stake } in gathered.promises {
            client.finish(match (kept, stake) {
                (Err(NotStored(why)), Stake::Lines) => Refusal::NotStored(why).into(),
                (Err(_), Stake::Record) => Refusal::NotWritten.into(),
                (Ok(()), _) | (Err(_), Stake::Nothing) => outcome,
            });
        }
        for (client, announcement) in announcements {
            let outcome = self.announce(announcement, kept.is_ok());
            if let Some(client) = client {
                client.finish(outcome);
            }
        }
        self.is_committing = false;
        self.shed_logs();
        self.end_rooms(now);
        self.settle();
        self.carry_out_waiting(now);
        if std::mem::take(&mut self.is_behind) {
            self.inbox.bell().ring();
        }
    }

    /// Tells people of acts, and removes people. Returns the acts that are announced when the batch
    /// is visible.
    fn follow_up(
        &mut self,
        sequels: Vec<Sequel>,
        is_stored: bool,
    ) -> Vec<(Option<Arc<Client>>, Announcement)> {
        let mut announcements = Vec::new();
        for sequel in sequels {
            match sequel {
                Sequel::Announce(client, announcement) => {
                    for &id in &announcement.people {
                        self.tell_of(id, &announcement.act); // they read it before the others do
                    }
                    announcements.push((client, announcement));
                }
                Sequel::Removal { client, place, act } => {
                    remove(&client, place.as_deref(), act);
                }
                Sequel::LoseName { name, people, act } if is_stored => {
                    self.end_wearers(&name, &people, &act);
                }
                Sequel::LoseName { .. } | Sequel::Undo(_) => {}
            }
        }
        announcements
    }

    /// Appends a room's share of a batch. Returns the seats that it grants, and the places of people
    /// who arrive again.
    fn append_to_room(
        &mut self,
        share: RoomShare,
        batch: Arc<Batch>,
        now: Now,
    ) -> (Vec<Grant>, Vec<Arc<Place>>) {
        let Some(room) = self.rooms.get_mut(&share.room) else {
            return Default::default();
        };
        room.pending = room.pending.saturating_sub(share.happenings);
        let before = share.wants_roster().then(|| room.occupants(&self.ledger));
        let roster = before.map(|before| (before, Arc::clone(&batch)));
        // The entries take effect before they become visible, so nobody reads beyond their own
        // departure, and each roster is that of the arrival.
        let staying = share.fenced.as_ref().map_or(&[][..], |fenced| &fenced.staying);
        let Effects { mut granted, departed, returned } =
            room.take_effect(&batch, share.promised, staying, now);
        if batch.goes_back() {
            room.log.date_back(batch.at());
            room.was_ahead = batch.lines() == 0; // a journal stores only lines
        }
        if !batch.entries().is_empty() {
            room.log.append(batch, self.limits.log);
        }
        room.weigh(&mut self.logs_bytes);
        room.ring();
        if let Some(fenced) = share.fenced {
            room.lose(fenced.lost);
        }
        for client in departed {
            client.ring();
        }
        for grant in &mut granted {
            if let Some((before, batch)) = roster.as_ref().filter(|_| grant.client.wants_roster()) {
                let after = batch.index_of(grant.entered.view.arrived.position);
                grant.entered.everybody =
                    Some(FullRoster::new(before, batch, after.saturating_sub(1)));
            }
        }
        if !self.outside.is_empty()
            && let Some(room) = self.rooms.get(&share.room)
        {
            self.end_waiting_outside(&room.name, now);
        }
        self.forget_if_empty(share.room);
        (granted, returned)
    }

    /// Grants a seat to a person whose arrival is visible, even if the person has to leave at once.
    fn seat(&self, grant: Grant) {
        let Grant { client, place, replay, mut entered } = grant;
        entered.replay = Replay::last(&place.name, &place.log, replay, entered.view.arrived);
        self.add_rules(client.id, &mut entered);
        let (stay, house) = (Arc::clone(&client) as Arc<_>, Arc::clone(&self.inbox) as Arc<_>);
        let is_first = entered.first;
        let seat = Seat::new(place, Arc::clone(&stay), Arc::clone(&house));
        let seat = (seat, Box::new(entered));
        client.finish(match is_first {
            true => Outcome::Came(Presence::new(stay, house), Some(seat)),
            false => Outcome::Entered(seat),
        });
    }
}

/// Ends a connection, or its stay in one room, because of an act.
fn remove(client: &Client, place: Option<&Place>, act: Arc<ActOf>) {
    match place.filter(|_| act.reach != Reach::Server) {
        None => client.remove(&act.act),
        Some(place) => {
            place.removed.set(act).ok(); // the first of two acts is told
            client.wake_reader();
        }
    }
}

/// A seat that is granted when its arrival is visible.
struct Grant {
    client: Arc<Client>,
    place: Arc<Place>,
    replay: u64,
    entered: Entered,
}

/// The effects of a batch on connections of this node.
#[derive(Default)]
struct Effects {
    /// The seats that it grants.
    granted: Vec<Grant>,
    /// The people who leave.
    departed: Vec<Arc<Client>>,
    /// The places of people who arrive again, and have read on.
    returned: Vec<Arc<Place>>,
}

impl Room {
    /// Applies a batch to the room.
    fn take_effect(
        &mut self,
        batch: &Batch,
        promised: Vec<Option<Promised>>,
        staying: &[usize],
        now: Now,
    ) -> Effects {
        let mut promised = promised.into_iter();
        let Effects { mut granted, mut departed, mut returned } = Effects::default();
        let mut cursor = batch.start();
        for (index, entry) in batch.entries().iter().enumerate() {
            let after = cursor.after(entry);
            match entry {
                Entry::Said(_)
                | Entry::Signal { .. }
                | Entry::Arrived { telling: Telling::Late, .. }
                | Entry::Left { telling: Telling::Late, .. } => {}
                Entry::ArrivedTogether(_)
                | Entry::LeftTogether(_)
                | Entry::Ranked { .. }
                | Entry::LinesDeleted { .. }
                | Entry::Invited { .. }
                | Entry::Act(_) => {}
                Entry::Arrived { who, .. } => {
                    let mut member =
                        Member { who: who.clone().into(), seated: None, active: now.monotonic };
                    if self.members.values().next().is_none() {
                        self.since = Some(batch.at());
                    }
                    let promised = promised.next().flatten();
                    let seat = promised.as_ref().and_then(|promised| promised.seat);
                    let has_read_on = promised.is_some() && seat.is_none();
                    if let Some(Promised { client, place, .. }) = promised {
                        let seated = Seated { client, place };
                        granted.extend(seat.map(|seat| self.grant(who, &seated, seat, after)));
                        member.seated = Some(seated);
                    }
                    match has_read_on {
                        true => {
                            let place = member.seated.as_ref().map(|seated| &seated.place);
                            returned.extend(place.cloned());
                            self.members.insert_reader(member);
                        }
                        false => self.members.insert(member),
                    }
                }
                Entry::Left { who, .. } if staying.contains(&index) => {
                    self.members.remove_and_read_on(who.id);
                }
                Entry::Left { who, words, .. } => {
                    departed.extend(self.let_go(who, words.as_ref(), cursor));
                }
                Entry::Renamed { who, .. } | Entry::Changed { who, .. } => self.members.change(who),
                Entry::Topic { who, text } => {
                    let set = TopicSet { by: who.name.clone(), at: batch.at() };
                    self.topic_set = text.is_some().then_some(set);
                    self.topic.clone_from(text);
                }
            }
            cursor = after;
        }
        Effects { granted, departed, returned }
    }

    /// A seat for a newcomer who is not a member yet.
    fn grant(
        &self,
        who: &Who,
        Seated { client, place }: &Seated,
        (replay, is_first): (u64, bool),
        arrived: Cursor,
    ) -> Grant {
        let (client, place) = (Arc::clone(client), Arc::clone(place));
        let entered = Entered { first: is_first, ..self.entered(who, &place, arrived) };
        Grant { client, place, replay, entered }
    }

    /// The room, for a person who reads on from here.
    pub(super) fn entered(&self, who: &Who, place: &Arc<Place>, arrived: Cursor) -> Entered {
        Entered {
            who: who.clone(),
            room: self.name.clone(),
            topic: self.topic.clone(),
            topic_set: self.topic_set.clone(),
            roster: self.roster(who),
            everybody: None,
            rules: RoomRules::default(), // set later: the room does not know the rules
            away: None,
            keeps: None,      // set later, too
            has_voice: false, // this, too
            read: None,       // and this
            first: false,
            resumed: Resumed::No,
            replay: Replay::between(&self.name, &self.log, arrived, arrived),
            view: View::new(Arc::clone(place), arrived),
        }
    }

    /// Ends the seats of people who have left already: they read no further.
    fn lose(&mut self, seats: Vec<Seated>) {
        for Seated { client, place } in seats {
            client.depart(&place, self.log.end());
            self.members.discount_reader(&client);
            client.ring();
        }
    }

    fn let_go(&mut self, who: &Who, words: Option<&Line>, departed: Cursor) -> Option<Arc<Client>> {
        let Seated { client, place } = self.members.remove(who.id)?.seated?;
        if let Some(words) = words {
            place.last_words.set(words.clone()).ok(); // a place has one departure
        }
        client.depart(&place, departed);
        Some(client)
    }
}

/// The same batch without its lines and topics. The numbers of the lines are used again.
fn without_lines(batch: &Batch) -> Arc<Batch> {
    let is_refused = |entry: &&Entry| matches!(entry, Entry::Said(_) | Entry::Topic { .. });
    let rest = batch.entries().iter().filter(|entry| !is_refused(entry)).cloned().collect();
    let rest = Batch::new(batch.room().clone(), batch.start(), batch.at(), rest);
    Arc::new(if batch.goes_back() { rest.going_back() } else { rest })
}
