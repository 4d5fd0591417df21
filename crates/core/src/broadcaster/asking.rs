//! Questions: they are answered on receipt, even while the journal works. Changes nothing.

use std::cmp::Reverse;
use std::ops::Bound;
use std::sync::Arc;

use super::rooms::{Room, Seated, first};
use super::state::Broadcaster;
use crate::link::{
    Answer, BYTES_MAX, Client, Mail, Outcome, Query, ROOMS_MAX, Refusal, RoomInfo, RoomsPage,
    Totals,
};
use crate::model::{
    Census, ConversationId, Line, Name, Now, PersonId, Reach, RoomId, RoomName, fold,
};

/// A page of rooms ends when it has this size: with one more topic it fits into a mailbox.
const ROOMS_BYTES_MAX: usize = BYTES_MAX / 4;

impl Broadcaster {
    /// Answers a question at once, unless another node has to answer it.
    pub(super) fn answer(&mut self, client: &Arc<Client>, query: Query, now: Now) {
        match self.try_to_answer(client, query, now) {
            Ok(Some(outcome)) => client.finish(outcome),
            Ok(None) => {}
            Err(refusal) => client.finish(refusal.into()),
        }
    }

    fn try_to_answer(
        &mut self,
        client: &Arc<Client>,
        query: Query,
        now: Now,
    ) -> Result<Option<Outcome>, Refusal> {
        let asker = client.id;
        let answer = match query {
            Query::WhoAmI => {
                let person = self.ledger.people.get(asker).ok_or(Refusal::NotThere)?;
                return Ok(Some(Outcome::You(person.claim())));
            }
            Query::Modes(of) => Answer::Modes(self.own_modes(asker, &of)?),
            Query::Topic(room) => self.topic(asker, room, now)?,
            Query::Rules(room) => self.rules(asker, room, now)?,
            Query::Who(room) => self.who(asker, room, now)?,
            Query::WhoIn(name) => match self.room_called(&name) {
                Some(room) if !room.is_awaited() => self.who(asker, room.id, now)?,
                _ => return Err(Refusal::NoRoom(name)),
            },
            Query::People { room, from } => {
                return self.people(asker, room, from, now).map(Some);
            }
            Query::Whois(typed) => self.whois(asker, typed, now)?,
            Query::Whowas(typed) => self.whowas(typed),
            Query::Present(typed) => self.present(typed),
            Query::Findable { from } => self.findable(asker, from),
            Query::Invitations => self.invitations(asker),
            Query::Rooms => self.list_rooms(asker, now)?,
            Query::AllRooms { after } => self.rooms_after(asker, after, now)?,
            Query::Totals => Answer::Totals(self.totals()),
            Query::Barred => {
                let subject = self.subject(asker).ok_or(Refusal::NotThere)?;
                return Ok(Some(Outcome::Barred(self.ledger.barred(subject, now.wall))));
            }
            Query::Ignore(typed) => match self.ledger.people.find(&key(&typed)) {
                Some(who) if who.id == asker => return Err(Refusal::Yourself),
                Some(who) => Answer::Ignore(who),
                None => return Err(Refusal::NobodyCalled(typed)),
            },
            Query::Private { to, lines, is_for_programs, may_be_own } => {
                let found = self.recipient(asker, to, may_be_own, now)?;
                match self.send_private(client, &found, lines, is_for_programs, now)? {
                    Some(answer) => answer,
                    None => return Ok(None),
                }
            }
            Query::Watch(watch) => self.watch(asker, watch),
            Query::Invite { to, room } => match self.invite(client, to, room, now)? {
                Some(answer) => answer,
                None => return Ok(None),
            },
            Query::Marker(conversation) => self.marker(asker, conversation),
            Query::Account(name) => {
                let account = self.ledger.people.accounts.of(&name);
                return Ok(Some(Outcome::Account(account.cloned())));
            }
            Query::Code { code, now } => {
                return Ok(self.ask_for_place(client, code, now)?.map(Outcome::Code));
            }
            Query::Everybody { node, from, is_silent } => {
                match self.everybody(client, node, (from, is_silent), now) {
                    Some(page) => Answer::Everybody(page),
                    None => return Ok(None),
                }
            }
            Query::Bans { here, skip } => self.bans(asker, (&here, skip), now)?,
            Query::Keepers { here } => self.keepers(asker, &here)?,
            Query::Nodes => {
                let (nodes, format) = (self.nodes(now), self.ledger.nodes.format());
                return Ok(Some(Outcome::Nodes { nodes, format }));
            }
            Query::Census => return Ok(Some(Outcome::Counted(self.census()))),
        };
        Ok(Some(Outcome::Answer(answer)))
    }

    /// How far a person has read a conversation.
    fn marker(&self, person: PersonId, conversation: ConversationId) -> Answer {
        let read = self.ledger.marker_of(person, &conversation);
        Answer::Marker { conversation, read }
    }

    fn who(&self, asker: PersonId, room: RoomId, now: Now) -> Result<Answer, Refusal> {
        let room = self.visible(asker, room, now)?;
        let person = self.ledger.people.get(asker);
        let keeping = person.and_then(|person| self.ledger.may_keep(person, &room.name));
        Ok(room.who(now.monotonic, keeping.is_some(), self.lost_contact_at()))
    }

    /// The topic of a room, which may be empty now.
    fn topic(&self, asker: PersonId, room: RoomName, now: Now) -> Result<Answer, Refusal> {
        let subject = self.subject(asker).ok_or(Refusal::NotThere)?;
        self.ledger.may_look_into(subject, &room, now.wall)?;
        let (text, set) = match self.room_called(&room) {
            Some(room) => (room.topic.clone(), room.topic_set.clone()),
            None if !self.ledger.rooms.is_known(&room) => return Err(Refusal::NoRoom(room)),
            None => (self.ledger.rooms.topic(&room).text, None),
        };
        Ok(Answer::Topic { room, text, set })
    }

    /// The rules of a room. Only people in the room read its password.
    fn rules(&self, asker: PersonId, room: RoomName, now: Now) -> Result<Answer, Refusal> {
        let subject = self.subject(asker).ok_or(Refusal::NotThere)?;
        self.ledger.may_be_in(subject, &room, now.wall)?;
        self.ledger.may_see(subject, &room)?;
        let mut rules = self.ledger.rooms.rules(&room).now.clone();
        if self.ledger.may_read(subject, &room, now.wall).is_err() {
            let hide =
                |password: Line| Line::sanitise("*".repeat(password.len().min(1)).as_bytes());
            rules.password = rules.password.map(hide);
        }
        let is_topic_locked = self.ledger.rooms.is_locked(&room);
        let here = self.room_called(&room).filter(|room| room.members.values().next().is_some());
        let since = here.and_then(|room| room.since);
        Ok(Answer::Rules { room, rules: Box::new(rules), is_topic_locked, since })
    }

    /// A page of the people in a room. A person who sits there gets it at once, so that it stands
    /// exactly between the events before it and those after it, in all rooms of the person.
    fn people(
        &self,
        asker: PersonId,
        room: RoomName,
        from: u64,
        now: Now,
    ) -> Result<Outcome, Refusal> {
        let Some(room) = self.room_called(&room).filter(|room| !room.is_awaited()) else {
            return Err(Refusal::NoRoom(room));
        };
        let people = self.visible(asker, room.id, now)?.people_from(from, &self.ledger);
        let seated = room.members.get(asker).and_then(|member| member.seated.as_ref());
        let Some(Seated { client, .. }) = seated else {
            return Ok(Outcome::Answer(Answer::People(people)));
        };
        let (mark, next) = (self.mark_in(asker, room.id, people.position), people.next);
        client.send_own(mark, Mail::Answer(Answer::People(people)));
        Ok(Outcome::Page(next))
    }

    /// The person on the server to whom the asker writes.
    fn recipient(
        &self,
        asker: PersonId,
        to: Line,
        may_be_own: bool,
        now: Now,
    ) -> Result<Name, Refusal> {
        let people = &self.ledger.people;
        let from = people.who(asker).ok_or(Refusal::NotThere)?;
        let Some(found) = people.find(&key(&to)) else {
            let Some(account) = people.accounts.called(&key(&to)) else {
                return Err(Refusal::NobodyCalled(to));
            };
            self.ledger.may_write_to(&from, &account.name, now.wall)?;
            return Err(Refusal::Away(account.name.clone()));
        };
        if found.name.is_same(&from.name) && !may_be_own {
            return Err(Refusal::Yourself);
        }
        self.ledger.may_write_to(&from, &found.name, now.wall)?;
        Ok(found.name)
    }

    /// Which rooms a person may know, with their people and topics.
    fn may_look(&self, asker: PersonId, now: Now) -> Result<impl Fn(&&Room) -> bool, Refusal> {
        let subject = self.subject(asker).ok_or(Refusal::NotThere)?;
        Ok(move |room: &&Room| self.ledger.may_look_into(subject, &room.name, now.wall).is_ok())
    }

    fn list_rooms(&self, asker: PersonId, now: Now) -> Result<Answer, Refusal> {
        let may_look = self.may_look(asker, now)?;
        let visible: Vec<_> = self.used_rooms().filter(may_look).collect();
        let all = visible.len();
        let largest =
            first(visible, ROOMS_MAX, |room| (Reverse(room.members.len()), room.name.as_str()));
        let rooms: Vec<_> = largest.into_iter().map(Room::info).collect();
        Ok(Answer::Rooms { others: all - rooms.len(), rooms, as_of: self.lost_contact_at() })
    }

    /// A page of the rooms by name, as many as fit into a mailbox.
    fn rooms_after(
        &self,
        asker: PersonId,
        after: Option<RoomName>,
        now: Now,
    ) -> Result<Answer, Refusal> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let ids = self.rooms_by_name.range((from, Bound::Unbounded)).map(|(_, id)| id);
        let rooms = ids.filter_map(|id| self.rooms.get(id)).filter(|room| !room.is_awaited());
        let may_look = self.may_look(asker, now)?;
        let mut rooms = rooms.filter(may_look).map(Room::info).peekable();
        let (mut page, mut bytes) = (Vec::new(), 0);
        while page.is_empty() || page.len() < ROOMS_MAX && bytes < ROOMS_BYTES_MAX {
            let Some(room) = rooms.next() else { break };
            bytes += room.weight();
            page.push(room);
        }
        let last = page.last().filter(|_| rooms.peek().is_some());
        let next = last.map(|info: &RoomInfo| info.room.clone());
        Ok(Answer::AllRooms(RoomsPage { rooms: page, next }))
    }

    /// The rooms that do not only wait for their first person.
    fn used_rooms(&self) -> impl Iterator<Item = &Room> {
        self.rooms.values().filter(|room| !room.is_awaited())
    }

    fn visible(&self, asker: PersonId, room: RoomId, now: Now) -> Result<&Room, Refusal> {
        let subject = self.subject(asker).ok_or(Refusal::NotThere)?;
        let room = self.rooms.get(&room).ok_or(Refusal::NotThere)?;
        self.ledger.may_look_into(subject, &room.name, now.wall)?;
        Ok(room)
    }

    /// Counts people and rooms. The time grows with the number of rooms.
    fn totals(&self) -> Totals {
        let people = &self.ledger.people;
        let keepers = self.ledger.rules.keepers(&Reach::Server).iter();
        let is_here = |keeper: &&Name| people.of_account(keeper).next().is_some();
        let keeps = |name: &Name| self.ledger.rules.is_keeper(&Reach::Server, name);
        let is_else = |id| {
            let own = people.get(id).and_then(|person| person.account());
            !own.is_some_and(keeps)
        };
        let lent = people.operators().filter(|(id, name)| keeps(name) && is_else(*id));
        Totals {
            people: people.len(),
            invisible: people.invisible(),
            people_max: self.people_max,
            server_keepers: keepers.filter(is_here).count() + lent.count(),
            rooms: self.used_rooms().count(),
        }
    }

    /// Counts everything on the server. The time grows with the number of rooms.
    pub fn census(&self) -> Census {
        let rooms = || self.rooms.values();
        Census {
            people: self.ledger.people.len(),
            name_keys: self.ledger.people.keys_len(),
            seats: rooms().map(|room| room.members.len()).sum(),
            listeners: rooms().map(|room| room.members.listening()).sum(),
            rooms: self.rooms.len(),
            under_way: self.behind.len()
                + self.waiting.len()
                + rooms().map(|room| room.pending).sum::<usize>(),
            logs_bytes_counted: self.logs_bytes,
            logs_bytes: rooms().map(|room| room.weighed).sum(),
        }
    }
}

/// The first key of a name, as typed.
pub(super) fn key(typed: &Line) -> String {
    fold(typed.as_str().trim())
}
