//! Permissions: every check of a person's rights, before anything happens. Changes nothing.

use super::people::Person;
use super::rules::Subject;
use super::state::Broadcaster;
use crate::link::{Client, Refusal};
use crate::model::{Claim, Name, Now, PersonId, Reach, RoomId, RoomName, Who};

impl Broadcaster {
    /// The reach of a person's authority in this room; none without authority.
    pub(super) fn may_keep(&self, person: &Person, room: &RoomName) -> Option<Reach> {
        let room = Reach::Room(room.clone());
        let subject = person.subject();
        [Reach::Server, room].into_iter().find(|reach| self.rules.keeps(reach, subject))
    }

    /// Whether a person may read a room, with or without a seat: the one question that every door,
    /// command and search asks.
    pub(super) fn may_read(
        &self,
        subject: Subject<'_>,
        room: &RoomName,
        now: Now,
    ) -> Result<(), Refusal> {
        self.is_let_in(subject, &Reach::Server, now)?;
        self.is_let_in(subject, &Reach::Room(room.clone()), now)
    }

    /// The rooms that bans keep this person from reading, for a search in all rooms.
    pub(super) fn barred(&self, id: PersonId, now: Now) -> Result<Vec<RoomName>, Refusal> {
        let person = self.people.get(id).ok_or(Refusal::NotThere)?;
        let subject = person.subject();
        let is_barred = |room: &&RoomName| self.may_read(subject, room, now).is_err();
        Ok(self.rules.rooms_with_bans().filter(is_barred).cloned().collect())
    }

    /// Whether a person may come back to a room, perhaps while the lost connection still exists.
    pub(super) fn may_come_back(
        &self,
        client: &Client,
        ghost: Option<PersonId>,
        claim: &Claim,
        room: &RoomName,
        now: Now,
    ) -> Result<(), Refusal> {
        let subject = Subject {
            name: &claim.name,
            is_owner: self.people.is_proven(claim),
            address: client.address(),
        };
        self.may_read(subject, room, now)?;
        self.may_be_renamed_in(ghost.unwrap_or(client.id), &claim.name, room, now)?;
        self.may_make(subject, room)
    }

    /// Whether a person may join a room. A ban forbids it, and so does a mute there under another
    /// name.
    pub(super) fn may_join(
        &self,
        id: PersonId,
        person: &Person,
        room: &RoomName,
        now: Now,
    ) -> Result<(), Refusal> {
        self.may_read(person.subject(), room, now)?;
        self.may_be_renamed_in(id, &person.name, room, now)
    }

    /// Whether a person may be in a room under this name. A person who was muted there under
    /// another name may not: a new name is a way to speak.
    fn may_be_renamed_in(
        &self,
        id: PersonId,
        name: &Name,
        room: &RoomName,
        now: Now,
    ) -> Result<(), Refusal> {
        match self.rules.muted_under_another_name(id, name, room, now.wall) {
            Some(mute) => Err(Refusal::Muted(Box::new(mute.clone()))),
            None => Ok(()),
        }
    }

    /// Whether a person may take a name, wherever they sit.
    pub(super) fn may_wear(&self, id: PersonId, name: &Name, now: Now) -> Result<(), Refusal> {
        let person = self.people.get(id).ok_or(Refusal::NotThere)?;
        let subject = Subject { name, ..person.subject() };
        self.is_let_in(subject, &Reach::Server, now)?;
        let who = Who { id, name: person.name.clone() };
        for place in &person.seats {
            self.is_let_in(subject, &Reach::Room(place.name.clone()), now)?;
            if *name != person.name {
                self.may_speak_in(&who, &place.name, now)?; // the others read a new name
            }
        }
        Ok(())
    }

    fn is_let_in(&self, subject: Subject<'_>, reach: &Reach, now: Now) -> Result<(), Refusal> {
        match self.rules.banned(reach, subject, now.wall) {
            Some(ban) => Err(Refusal::Banned(Box::new(ban.clone()))),
            None => Ok(()),
        }
    }

    fn everybody_may_speak(&self) -> bool {
        self.rules.nobody_is_muted() && self.leaving.is_empty()
    }

    /// Whether a person may say something in a room.
    pub(super) fn may_speak(&self, who: &Who, room: RoomId, now: Now) -> Result<(), Refusal> {
        if self.everybody_may_speak() {
            return Ok(()); // as nearly always
        }
        let room = self.rooms.get(&room).ok_or(Refusal::NotThere)?;
        self.may_speak_in(who, &room.name, now)
    }

    /// Like [`may_speak`](Self::may_speak), for a room that may not exist yet.
    pub(super) fn may_speak_in(&self, who: &Who, room: &RoomName, now: Now) -> Result<(), Refusal> {
        let is_leaving = |(id, from): &(PersonId, Reach)| *id == who.id && from.has(room);
        if self.leaving.iter().any(is_leaving) {
            return Err(Refusal::NotThere); // leaves as soon as the act is stored
        }
        match self.rules.muted(who.id, &who.name, room, now.wall) {
            Some(mute) => Err(Refusal::Muted(Box::new(mute.clone()))),
            None => Ok(()),
        }
    }

    /// Whether a person may choose the name of a new room: others read it, too.
    pub(super) fn may_name_room(
        &self,
        id: PersonId,
        room: &RoomName,
        now: Now,
    ) -> Result<(), Refusal> {
        let who = self.people.who(id).ok_or(Refusal::NotThere)?;
        let ends = self.ends.as_ref();
        let is_known = ends.is_some_and(|ends| ends.contains_key(room))
            || self.topics.contains_key(room)
            || !self.rules.keepers(&Reach::Room(room.clone())).is_empty();
        match self.rules.muted(id, &who.name, room, now.wall) {
            Some(mute) if !is_known && mute.reach == Reach::Server => {
                Err(Refusal::Muted(Box::new(mute.clone())))
            }
            _ => Ok(()),
        }
    }

    /// Whether a person may write to one other person. In each room where one of them sits, the
    /// writer must be allowed to speak, or the recipient must be a keeper.
    pub(super) fn may_write_to(&self, who: &Who, to: &Name, now: Now) -> Result<(), Refusal> {
        if self.everybody_may_speak() {
            return Ok(()); // as nearly always
        }
        let is_keeper = |room: &RoomName| {
            let reaches = [Reach::Server, Reach::Room(room.clone())];
            reaches.iter().any(|reach| self.rules.is_keeper(reach, to))
        };
        let people = self.people.wearers(to).chain([who.id]);
        let seats = people.filter_map(|id| self.people.get(id));
        let mut rooms = seats.flat_map(|person| &person.seats);
        rooms.try_for_each(|place| match is_keeper(&place.name) {
            true => Ok(()),
            false => self.may_speak_in(who, &place.name, now),
        })
    }

    /// Whether a person may set the topic of a room.
    pub(super) fn may_set_topic(&self, who: &Who, room: RoomId, now: Now) -> Result<(), Refusal> {
        self.may_speak(who, room, now)?;
        let (person, room) = (self.people.get(who.id), self.rooms.get(&room));
        let (person, room) = person.zip(room).ok_or(Refusal::NotThere)?;
        match room.topic.is_locked && self.may_keep(person, &room.name).is_none() {
            true => Err(Refusal::TopicLocked),
            false => Ok(()),
        }
    }
}
