//! From the order to this process: the results of intents become entries, answers and removals for
//! its own connections.

use std::sync::Arc;

use super::pending::{Happening, Joined, Promised, RETURN_TIME, Sequel, Stake};
use super::rooms::{Connection, Maker};
use super::state::Broadcaster;
use super::tickets::{Return, Ticket, Wanted};
use crate::intent::{INTENTS_MAX, Intent, Stamp};
use crate::ledger::{Announcement, Before, Changed, Happened, Record};
use crate::link::{Answer, Client, Contact, Notice, Outcome, Presence};
use crate::model::{
    Act, By, ConversationId, Deed, Line, Manner, Name, Now, PersonId, Reach, RoomName, Said,
    Spoken, Verb, WallTime, Who, Whom,
};

impl Broadcaster {
    /// Applies an intent, and tells its client the outcome, unless that waits for a commit.
    pub(super) fn apply(&mut self, intent: Intent, ticket: Option<Ticket>, stamp: Stamp, now: Now) {
        let mut happened = std::mem::take(&mut self.happened);
        let applied = self.ledger.apply(intent, stamp, &mut happened);
        for event in happened.drain(..) {
            self.tell(event, ticket.as_ref(), stamp.at, now);
        }
        self.happened = happened;
        if let (Ok(()), Some(Ticket { client, is_in_doubt: true, .. })) = (&applied, &ticket) {
            self.tell_one(client.id, Notice::Contact(Contact::Sent));
        }
        match (applied, ticket) {
            (Err(refusal), Some(ticket)) => ticket.client.finish(refusal.into()),
            (Ok(()), Some(Ticket { client, wanted, .. })) => match wanted {
                Wanted::Say => self.gathering.promise(&client, Outcome::Done, Stake::Lines),
                Wanted::Signal => {
                    self.gathering.promise(&client, Outcome::Done, Stake::Nothing);
                }
                Wanted::Rename(name) => self.promise(&client, Answer::YouAre(name)),
                Wanted::LogIn(account) => self.promise(&client, Answer::LoggedIn(account)),
                Wanted::Away(text) => self.promise(&client, Answer::Away(text)),
                Wanted::Realname(realname) => self.promise(&client, Answer::Realname(realname)),
                Wanted::Modes(before) => {
                    let modes = self.modes_of(client.id);
                    let (set, removed) = (modes.without(before), before.without(modes));
                    self.promise(&client, Answer::ModesChanged { set, removed });
                }
                Wanted::Presence => self.came(&client, now),
                Wanted::Message { network } => {
                    let number = self.ledger.kept.last();
                    let beside = network.map(|network| Record::KeptFrom { number, network });
                    self.gathering.records.extend(beside);
                    self.gathering.promise(&client, Outcome::Done, Stake::Record);
                }
                Wanted::Stored { beside } => {
                    self.gathering.records.extend(beside);
                    self.gathering.promise(&client, Outcome::Done, Stake::Record);
                }
                Wanted::Marker(conversation) => {
                    let read = self.ledger.marker_of(client.id, &conversation);
                    client.finish(Outcome::Answer(Answer::Marker { conversation, read }));
                }
                // An event has told the client, or promised to.
                Wanted::Seat { .. }
                | Wanted::Once { .. }
                | Wanted::Topic
                | Wanted::Deletion
                | Wanted::Act => {}
            },
            (_, None) => {}
        }
    }

    /// Promises an answer, which does not depend on the journal.
    fn promise(&mut self, client: &Arc<Client>, answer: Answer) {
        self.gathering.promise(client, Outcome::Answer(answer), Stake::Nothing);
    }

    pub(super) fn tell(
        &mut self,
        happened: Happened,
        ticket: Option<&Ticket>,
        at: WallTime,
        now: Now,
    ) {
        match happened {
            Happened::Said { room, who, lines } => self.said(&room, who, lines, ticket, at, now),
            Happened::Signal { room, who, extras } => {
                self.passing += 1;
                let (who, number) = (who.into(), self.passing);
                self.happen_in(&room, Happening::Signal { who, extras, number });
            }
            Happened::ProfileChanged(who) => self.show_person(&who),
            Happened::ServerRanked { id, is_keeper } => {
                self.tell_one(id, Notice::ServerRanked { is_keeper });
            }
            Happened::Came(who) => self.tell_watchers(&who.name),
            Happened::Arrived { event, room, who, is_keeper, is_untold } => {
                self.arrived(event, &room, who, (is_keeper, is_untold), ticket, now)
            }
            Happened::Left { event, who, parting, removal } => {
                let removal = removal.map(|act| self.with_author(act).into());
                self.left(event, who, parting, removal);
            }
            Happened::LeftServer { event, who, rooms, removal, companion } => {
                self.remember(who.clone(), at);
                self.tell_watchers(&who.name);
                let removal = removal.map(|act| self.with_author(act).into());
                self.left_server(event, who, (rooms, companion), removal);
            }
            Happened::Moved { who, heir, rooms } => {
                self.rooms_left.pass(who.id, heir);
                self.moved(&who, now);
                if ticket.is_some() {
                    let until = now.monotonic + RETURN_TIME;
                    self.returns.extend(rooms.into_iter().map(|room| Return { heir, room, until }));
                }
            }
            Happened::Renamed { event, who, from, rooms } => {
                self.remember(Who { name: from.clone(), ..who.clone() }, at);
                self.tell_watchers(&from);
                self.tell_watchers(&who.name);
                self.renamed(event, who, &from, rooms);
            }
            Happened::PersonChanged { event, who, change, rooms } => {
                self.person_changed(event, who, &change, &rooms);
            }
            Happened::Ranked { room, who, change } => {
                self.happen_in(&room, Happening::Ranked { who: who.into(), change });
            }
            Happened::Topic { who, act, before } => self.topic_changed(who, act, before, ticket),
            Happened::RoomMade(act) => {
                let before = Before::Maker(Arc::clone(&act));
                self.gathering.store(Record::Act(act), Some(Sequel::Undo(before)));
            }
            Happened::Changed(changed) => {
                let Changed { record, before } = *changed;
                self.gathering.store(record, before.map(Sequel::Undo));
            }
            Happened::LinesDeleted { who, since } => {
                let ends = self.delete_lines(&who, since);
                self.node_mut().into_iter().for_each(|node| node.note_deletion());
                match ticket {
                    Some(ticket) => ticket.client.finish(Outcome::LinesDeleted(ends)),
                    None => {
                        let (owner, ends) = (who.name, ends.into());
                        self.gathering.store(Record::LinesDeleted { owner, since, ends }, None);
                    }
                }
            }
            Happened::Marked { owner, by, conversation, at } => {
                self.tell_marker(&owner, by, conversation, at);
            }
            Happened::NameLost { name, people, act } => {
                self.gathering.sequels.push(Sequel::LoseName { name, people, act });
            }
            Happened::Act(announcement) => self.act_holds(announcement, ticket),
            Happened::RuleEnded(act) => self.rule_ended(act),
            Happened::BootBegan { boot, node, nonce } => self.boot_began(boot, &node, nonce, now),
            Happened::BootRefused { node, nonce } => {
                self.node_mut().into_iter().for_each(|own| own.refuse_boot(&node, nonce));
            }
            Happened::BootEnded { boot, people } => self.boot_ended(boot, people),
            Happened::Returned { who, from, refused } => {
                self.tell_watchers(&who.name);
                self.returned(&who, from, refused);
            }
        }
    }

    fn said(
        &mut self,
        room: &RoomName,
        who: Who,
        lines: Vec<Spoken>,
        ticket: Option<&Ticket>,
        at: WallTime,
        now: Now,
    ) {
        let maker = ticket.and_then(Ticket::maker);
        let count = lines.len();
        let Some(room) = self.room_for(room, maker, count as u64) else {
            return;
        };
        let who = match room.members.get_mut(who.id) {
            Some(member) => {
                member.active = now.monotonic;
                if *member.who == who { Arc::clone(&member.who) } else { Arc::new(who) }
            }
            None => Arc::new(who),
        };
        let id = room.id;
        room.pending += count;
        self.gathering.happenings.reserve(count);
        for spoken in lines {
            self.gathering.push(id, Happening::Said { who: Arc::clone(&who), spoken, at });
        }
        if let Some(Ticket { client, wanted: Wanted::Once { .. }, .. }) = ticket {
            let promise = self.gathering.next_promise();
            self.gathering.promise(client, Outcome::Done, Stake::Lines);
            self.happen(id, Happening::Receipt { promise, lines: count as u64 });
        }
    }

    fn arrived(
        &mut self,
        number: u64,
        name: &RoomName,
        who: Who,
        (is_keeper, is_untold): (bool, bool),
        ticket: Option<&Ticket>,
        now: Now,
    ) {
        let Some(room) = self.room_for(name, ticket.and_then(Ticket::maker), 0) else {
            return;
        };
        let (id, person, mut promised) = (room.id, who.id, None);
        if let Some(Ticket { client, wanted: Wanted::Seat { replay, is_first, .. }, .. }) = ticket {
            let place = room.place(who.id);
            let connection = self.connection_of(client, now);
            connection.invited_to.end(name);
            connection.places.push(Arc::clone(&place));
            let (client, replay, is_first) = (Arc::clone(client), *replay, *is_first);
            promised = Some(Promised { client, place, seat: Some((replay, is_first)) });
        } else if let Some(connection) = self.connections.get(&who.id) {
            // The person enters again after another boot of this node, and reads on.
            let place = connection.places.iter().find(|place| place.room == id);
            let client = &connection.client;
            promised = place.map(|place| Promised {
                client: Arc::clone(client),
                place: Arc::clone(place),
                seat: None,
            });
        }
        self.rooms_left.sit(who.id, id);
        let event = self.names_left.event_of_arrival(number, id, &who.name);
        let event = event.filter(|_| !is_untold).map(Arc::new);
        let joined = Joined { who, is_keeper, is_untold, event, promised };
        self.happen(id, Happening::Arrival(joined.into()));
        self.remove_if_barred(person, Some(name));
    }

    /// The connection of a person on the server.
    fn connection_of(&mut self, client: &Arc<Client>, now: Now) -> &mut Connection {
        self.people_max = self.people_max.max(self.ledger.people.len());
        self.connections.entry(client.id).or_insert_with(|| Connection::new(client, now))
    }

    /// A person comes to the server, without a seat.
    fn came(&mut self, client: &Arc<Client>, now: Now) {
        self.connection_of(client, now);
        self.remove_if_barred(client.id, None);
        let presence = Presence::new(Arc::clone(client) as _, Arc::clone(&self.inbox) as _);
        client.finish(Outcome::Came(presence, None));
    }

    /// Ends the connection of a person who continues on another one.
    fn moved(&mut self, who: &Who, now: Now) {
        self.watches.forget(who.id);
        if let Some(Connection { client, places, .. }) = self.connections.remove(&who.id) {
            for place in places {
                // From now on the person reads on the new connection.
                client.depart(&place, place.log.end());
            }
            let deed = Deed::to(Verb::Kick, Whom::Name(who.name.clone()));
            client.remove(&Arc::new(Act::by(By::Oneself, deed, now.wall)));
            client.forget();
        }
    }

    fn topic_changed(
        &mut self,
        who: Who,
        act: Arc<Act>,
        text: Option<Line>,
        ticket: Option<&Ticket>,
    ) {
        if let Some(room) = act.reach.room() {
            let (who, text) = (who.into(), act.deed.text.clone());
            self.happen_in(room, Happening::Topic { who, text });
        }
        let before = Before::Topic { act: Arc::clone(&act), text };
        self.gathering.store(Record::Act(act), Some(Sequel::Undo(before)));
        if let Some(Ticket { client, .. }) = ticket {
            self.gathering.promise(client, Outcome::Done, Stake::Record);
        }
    }

    /// Lets an act be stored with the batch that shows it. Only this process knows the addresses
    /// of its people, and removes those that a ban of addresses means.
    fn act_holds(&mut self, mut announcement: Announcement, ticket: Option<&Ticket>) {
        let act = Arc::clone(&announcement.act);
        let people = self.people_at(&act);
        if !people.is_empty() {
            announcement.room = None; // they are seen leaving
            announcement.is_seen = self.ledger.is_seen(announcement.here.as_ref(), &people);
            announcement.people.extend(self.ledger.absentees(&people, &act.reach));
        }
        if let Some(room) = announcement.room.as_ref() {
            let rules_before = announcement.rules_before.take().map(Arc::new);
            let mut act = self.with_author(Arc::clone(&act));
            act.rules_before = rules_before;
            self.happen_in(room, Happening::Act(act.into()));
        }
        let client = ticket.map(|ticket| Arc::clone(&ticket.client));
        let announce = Sequel::Announce(client, announcement);
        self.gathering.store(Record::Act(Arc::clone(&act)), Some(announce));
        for people in people.chunks(INTENTS_MAX) {
            let (people, act) = (people.to_vec(), Arc::clone(&act));
            self.offer(Intent::Remove { people, act }, None);
        }
    }

    /// Tells a room that a rule has ended. It was never stored.
    fn rule_ended(&mut self, act: Arc<Act>) {
        if let Some(room) = act.reach.room().cloned() {
            let act = self.with_author(act);
            self.happen_in(&room, Happening::Act(act.into()));
        }
    }

    /// The people of this process whom a ban of addresses removes.
    fn people_at(&self, act: &Act) -> Vec<PersonId> {
        let (Verb::Ban, Whom::Net(_)) = (act.deed.verb, &act.deed.whom) else {
            return Vec::new();
        };
        let is_barred = |id: &PersonId| {
            self.subject(*id).is_some_and(|subject| self.ledger.rules.bars(act, subject))
        };
        let barred = self.connections.keys().copied().filter(is_barred);
        let mut people = self.ledger.within(barred, &act.reach);
        people.sort();
        people
    }

    /// Removes a person of this node who has come to the server or a room, if a ban of addresses has
    /// its place before the arrival, which was under way then.
    fn remove_if_barred(&mut self, id: PersonId, room: Option<&RoomName>) {
        if self.node.is_none() || !self.connections.contains_key(&id) {
            return; // checked a moment ago, or on another node
        }
        let (Some(subject), at) = (self.subject(id), self.ledger.nodes.at()) else {
            return;
        };
        let mut reaches = [Reach::Server].into_iter().chain(room.cloned().map(Reach::Room));
        let ban = reaches.find_map(|reach| self.ledger.rules.banned(&reach, subject, at).cloned());
        if let Some(act) = ban.map(Arc::new) {
            self.offer(Intent::Remove { people: vec![id], act }, None);
        }
    }

    /// Tells the other connections of an owner how far a conversation is read now.
    fn tell_marker(&self, owner: &Name, by: PersonId, conversation: ConversationId, at: WallTime) {
        let others = self.ledger.people.of_account(owner).filter(|id| *id != by);
        for id in others {
            let (conversation, read) = (conversation.clone(), Some(at));
            self.tell_one(id, Answer::Marker { conversation, read });
        }
    }

    /// Deletes the words of all lines that the owner of a name has said under it since `since`.
    /// Tells the rooms that had such lines, and the rooms in which the owner has a seat. Returns
    /// the end of each room with lines since then, in memory or not: later lines stay.
    fn delete_lines(&mut self, owner: &Who, since: WallTime) -> Vec<(RoomName, u64)> {
        let key = owner.name.keys()[0];
        let is_own = |said: &Said| said.manner != Manner::Gone && said.who.name.keys()[0] == key;
        let stored = self.ledger.rooms.iter().filter(|_| self.ledger.is_stored);
        let bygone = stored.filter(|(room, state)| {
            state.end.at >= since && !self.rooms_by_name.contains_key(*room)
        });
        let mut ends: Vec<_> = bygone.map(|(room, state)| (room.clone(), state.end.seq)).collect();
        let mut told = Vec::new();
        for room in self.rooms.values_mut() {
            if room.log.forget(since, is_own) || room.members.contains(owner.id) {
                told.push(room.id);
            }
            room.weigh(&mut self.logs_bytes);
            ends.push((room.name.clone(), room.log.end().seq));
        }
        for room in told {
            self.happen(room, Happening::LinesDeleted { who: owner.clone() });
        }
        ends
    }
}

impl Ticket {
    /// The share in which a new room counts.
    fn maker(&self) -> Option<Maker> {
        match &self.wanted {
            Wanted::Once { maker } | Wanted::Seat { maker, .. } => maker.clone(),
            Wanted::Say
            | Wanted::Signal
            | Wanted::Presence
            | Wanted::Rename(_)
            | Wanted::LogIn(_)
            | Wanted::Away(_)
            | Wanted::Realname(_)
            | Wanted::Modes(_)
            | Wanted::Topic
            | Wanted::Deletion
            | Wanted::Act
            | Wanted::Marker(_)
            | Wanted::Message { .. }
            | Wanted::Stored { .. } => None,
        }
    }
}
