//! Requests that only read, or that concern one other person: they have no place in the order of
//! things, and are answered on receipt, whatever the journal does.

use std::cmp::Reverse;

use super::Broadcaster;
use super::rooms::{Room, first};
use crate::link::{Answer, Item, Mark, Outcome, ROOMS_MAX, Refusal, Request};
use crate::model::{Claim, Line, Now, PersonId, RoomId};

impl Broadcaster {
    pub(crate) fn answer(&mut self, asker: PersonId, request: Request, now: Now) -> Outcome {
        let answer = match request {
            Request::Private { to, text } => self.send_private(asker, to, text, now),
            Request::Topic(room) => self.visible(asker, room, now).map(|room| Answer::Topic {
                room: room.name.clone(),
                text: room.topic.text.clone(),
            }),
            Request::Who { here, room: None } => self.who(asker, here, now),
            Request::Who {
                room: Some(name), ..
            } => match self.room_called(&name) {
                Some(room) if !room.is_awaited() => self.who(asker, room.id, now),
                _ => Err(Refusal::NoRoom(name)),
            },
            Request::Rooms => self.list_rooms(asker, now),
            Request::Barred => match self.barred(asker, now) {
                Ok(rooms) => return Outcome::Barred(rooms),
                Err(refusal) => Err(refusal),
            },
            Request::People { room, from } => match self.send_people(asker, room, from) {
                Ok(()) => return Outcome::Done,
                Err(refusal) => Err(refusal),
            },
            Request::WhoAmI => match self.people.get(asker) {
                Some(person) => {
                    return Outcome::You(Claim {
                        name: person.name.clone(),
                        proof: person.proof,
                    });
                }
                None => Err(Refusal::NotThere),
            },
            Request::Owned { name, proof, by } => {
                self.own(name, proof, by);
                return Outcome::Done;
            }
            Request::Released { name, proof } => {
                self.release(&name, proof);
                return Outcome::Done;
            }
            Request::TakeBack { whose, since } => match self.take_back(whose, since) {
                Ok(ends) => return Outcome::TookBack(ends),
                Err(refusal) => Err(refusal),
            },
            Request::Find(typed) => match self.people.find(typed.as_str()) {
                Some(who) if who.id == asker => Err(Refusal::Yourself),
                Some(who) => Ok(Answer::Ignoring(who)),
                None => Err(Refusal::NobodyCalled(typed)),
            },
            Request::Census => return Outcome::Counted(self.census()),
            Request::Limit(limits) => {
                self.limit(limits);
                return Outcome::Done;
            }
            // These have a place in the order of things: see `admit`.
            Request::Enter { .. }
            | Request::ComeBack { .. }
            | Request::Join { .. }
            | Request::Post { .. }
            | Request::Speak { .. }
            | Request::Listen { .. }
            | Request::Rename(_)
            | Request::SetTopic { .. }
            // As its answer waits until it is written down: see `order`.
            | Request::Order { .. } => {
                return Outcome::Done;
            }
        };
        Outcome::Answer(answer.unwrap_or_else(Answer::Refused))
    }

    fn who(&self, asker: PersonId, room: RoomId, now: Now) -> Result<Answer, Refusal> {
        let room = self.visible(asker, room, now)?;
        let person = self.people.get(asker);
        let reach = person.and_then(|person| self.may_keep(person, &room.name));
        Ok(room.who(now.monotonic, reach.is_some()))
    }

    /// Sent at once: so it stands exactly between what happened before and what happens after.
    fn send_people(&self, asker: PersonId, room: RoomId, from: u64) -> Result<(), Refusal> {
        let room = self.rooms.get(&room).ok_or(Refusal::NotThere)?;
        let member = room.members.get(asker).ok_or(Refusal::NotThere)?;
        let people = room.people_from(from);
        let mark = Mark {
            room: room.id,
            position: people.position,
        };
        let item = Item::Answer(Answer::People(people));
        member.client.send_wanted(mark, item);
        Ok(())
    }

    fn send_private(
        &self,
        asker: PersonId,
        to: Line,
        text: Line,
        now: Now,
    ) -> Result<Answer, Refusal> {
        let from = self.people.who(asker).ok_or(Refusal::NotThere)?;
        let Some(found) = self.people.find(to.as_str()) else {
            let Some(name) = self.people.owned(to.as_str()) else {
                return Err(Refusal::NobodyCalled(to));
            };
            self.may_write_to(&from, name, now)?;
            return Err(Refusal::Away(name.clone()));
        };
        if found.name.is_same(&from.name) {
            return Err(Refusal::Yourself);
        }
        self.may_write_to(&from, &found.name, now)?;
        let private = Answer::Private {
            from,
            to: found.name.clone(),
            text,
        };
        let deliver = |id| {
            let (person, mark) = self.people.get(id).zip(self.mark_of(id))?;
            let item = Item::Answer(private.clone());
            person.client.send(mark, item).ok()
        };
        match self.people.wearers(&found.name).filter_map(deliver).count() {
            0 => Err(Refusal::NotReading(found.name)),
            _ => Ok(private),
        }
    }

    /// The room in which this person has last taken a seat.
    pub(crate) fn room_of(&self, id: PersonId) -> Option<&Room> {
        self.rooms.get(&self.people.get(id)?.seats.last()?.room)
    }

    /// The end of what has been said where this person sits; none for somebody who is entering, and
    /// is to read nothing before the own name.
    pub(crate) fn mark_of(&self, id: PersonId) -> Option<Mark> {
        let seats = &self.people.get(id)?.seats;
        let places = seats.iter().rev();
        let mut rooms = places.filter_map(|place| self.rooms.get(&place.room));
        let room = rooms.find(|room| room.members.contains(id))?;
        Some(Mark {
            room: room.id,
            position: room.log.watermark(),
        })
    }

    fn list_rooms(&self, asker: PersonId, now: Now) -> Result<Answer, Refusal> {
        let person = self.people.get(asker).ok_or(Refusal::NotThere)?;
        let may_read = |room: &&Room| self.may_read(person.subject(), &room.name, now).is_ok();
        let used = self.rooms.values().filter(|room| !room.is_awaited());
        let visible: Vec<_> = used.filter(may_read).collect();
        let all = visible.len();
        let largest = first(visible, ROOMS_MAX, |room| {
            (Reverse(room.members.len()), room.name.as_str())
        });
        let rooms: Vec<_> = largest.into_iter().map(Room::info).collect();
        Ok(Answer::Rooms {
            others: all - rooms.len(),
            rooms,
        })
    }

    fn visible(&self, asker: PersonId, room: RoomId, now: Now) -> Result<&Room, Refusal> {
        let person = self.people.get(asker).ok_or(Refusal::NotThere)?;
        let room = self.rooms.get(&room).ok_or(Refusal::NotThere)?;
        self.may_read(person.subject(), &room.name, now)?;
        Ok(room)
    }
}
