//! Questions: they are answered on receipt, even while the journal works. Changes nothing.

use std::cmp::Reverse;

use super::rooms::{Room, Seated, first};
use super::state::Broadcaster;
use crate::link::{Answer, Mail, Mark, Outcome, PrivateMessage, Query, ROOMS_MAX};
use crate::model::{Census, Claim, Line, Name, Now, PersonId, RoomId, RoomName, Spoken, fold};
use crate::refusal::Refusal;

impl Broadcaster {
    /// Answers a question at once.
    pub(super) fn answer(&mut self, asker: PersonId, query: Query, now: Now) -> Outcome {
        self.try_to_answer(asker, query, now).unwrap_or_else(Outcome::from)
    }

    fn try_to_answer(
        &mut self,
        asker: PersonId,
        query: Query,
        now: Now,
    ) -> Result<Outcome, Refusal> {
        let answer = match query {
            Query::WhoAmI => {
                let person = self.ledger.people.get(asker).ok_or(Refusal::NotThere)?;
                return Ok(Outcome::You(Claim { name: person.name.clone(), proof: person.proof }));
            }
            Query::Topic(room) => {
                let room = self.visible(asker, room, now)?;
                Answer::Topic { room: room.name.clone(), text: room.topic.clone() }
            }
            Query::Who(room) => self.who(asker, room, now)?,
            Query::WhoIn(name) => match self.room_called(&name) {
                Some(room) if !room.is_awaited() => self.who(asker, room.id, now)?,
                _ => return Err(Refusal::NoRoom(name)),
            },
            Query::People { room, from } => {
                self.send_people(asker, &room, from)?;
                return Ok(Outcome::Done);
            }
            Query::Rooms => self.list_rooms(asker, now)?,
            Query::Barred => {
                let subject = self.subject(asker).ok_or(Refusal::NotThere)?;
                return Ok(Outcome::Barred(self.ledger.barred(subject, now.wall)));
            }
            Query::Ignore(typed) => match self.ledger.people.find(&key(&typed)) {
                Some(who) if who.id == asker => return Err(Refusal::Yourself),
                Some(who) => Answer::Ignore(who),
                None => return Err(Refusal::NobodyCalled(typed)),
            },
            Query::Private { to, lines, is_for_programs, may_be_own } => {
                let found = self.recipient(asker, to, may_be_own, now)?;
                self.send_private(asker, found, lines, is_for_programs, now)?
            }
            Query::Account(name) => {
                let account = self.ledger.people.accounts.of(&name);
                return Ok(Outcome::Account(account.cloned()));
            }
            Query::Code { code, now } => return self.place_of_code(code, now).map(Outcome::Code),
            Query::Everybody => self.visitors(now),
            Query::Bans { here } => self.bans(asker, here, now)?,
            Query::Keepers { here } => self.keepers(asker, here)?,
            Query::Census => return Ok(Outcome::Counted(self.census())),
        };
        Ok(Outcome::Answer(answer))
    }

    fn who(&self, asker: PersonId, room: RoomId, now: Now) -> Result<Answer, Refusal> {
        let room = self.visible(asker, room, now)?;
        let person = self.ledger.people.get(asker);
        let reach = person.and_then(|person| self.ledger.may_keep(person, &room.name));
        Ok(room.who(now.monotonic, reach.is_some()))
    }

    /// Sends a page of names at once, so it stands exactly between the events before it and those
    /// after it.
    fn send_people(&self, asker: PersonId, room: &RoomName, from: u64) -> Result<(), Refusal> {
        let room = self.room_called(room).ok_or(Refusal::NotThere)?;
        let member = room.members.get(asker).ok_or(Refusal::NotThere)?;
        let Seated { client, .. } = member.seated.as_ref().ok_or(Refusal::NotThere)?;
        let people = room.people_from(from);
        let mark = Mark::at(room.id, people.position);
        let mail = Mail::Answer(Answer::People(people));
        client.send_own(mark, mail);
        Ok(())
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

    /// Sends a message to all connections of a person.
    fn send_private(
        &mut self,
        asker: PersonId,
        to: Name,
        lines: Vec<Spoken>,
        is_for_programs: bool,
        now: Now,
    ) -> Result<Answer, Refusal> {
        self.private_messages += 1;
        let number = self.private_messages;
        let from = self.ledger.people.who(asker).ok_or(Refusal::NotThere)?;
        let at = self.time(now);
        let message = PrivateMessage { number, at, from, to: to.clone(), lines, is_for_programs };
        let private = Answer::Private(message.into());
        let deliver = |id| {
            let (connection, mark) = self.connections.get(&id).zip(self.mark_of(id))?;
            let mail = Mail::Answer(private.clone());
            connection.client.send(mark, mail).ok()
        };
        match self.ledger.people.wearers(&to).filter_map(deliver).count() {
            0 => Err(Refusal::NotReading(to)),
            _ => Ok(private),
        }
    }

    fn list_rooms(&self, asker: PersonId, now: Now) -> Result<Answer, Refusal> {
        let subject = self.subject(asker).ok_or(Refusal::NotThere)?;
        let may_read = |room: &&Room| self.ledger.may_read(subject, &room.name, now.wall).is_ok();
        let used = self.rooms.values().filter(|room| !room.is_awaited());
        let visible: Vec<_> = used.filter(may_read).collect();
        let all = visible.len();
        let largest =
            first(visible, ROOMS_MAX, |room| (Reverse(room.members.len()), room.name.as_str()));
        let rooms: Vec<_> = largest.into_iter().map(Room::info).collect();
        Ok(Answer::Rooms { others: all - rooms.len(), rooms })
    }

    fn visible(&self, asker: PersonId, room: RoomId, now: Now) -> Result<&Room, Refusal> {
        let subject = self.subject(asker).ok_or(Refusal::NotThere)?;
        let room = self.rooms.get(&room).ok_or(Refusal::NotThere)?;
        self.ledger.may_read(subject, &room.name, now.wall)?;
        Ok(room)
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
            logs_bytes: rooms().map(|room| room.log.weight()).sum(),
        }
    }
}

/// The first key of a name, as typed.
fn key(typed: &Line) -> String {
    fold(typed.as_str().trim())
}
