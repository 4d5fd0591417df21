//! Making rooms: the first person who enters a new room makes it, within a share of all rooms.

use super::rooms::{Maker, Room};
use super::rules::Subject;
use super::share;
use super::state::Broadcaster;
use crate::link::Refusal;
use crate::model::{Now, PersonId, Reach, RoomId, RoomName};

/// One in this many rooms is reserved for people with registered names; strangers cannot make it.
const STRANGERS_LEAVE: usize = 4;

/// One in this many rooms is reserved for keepers of the server.
const OWNERS_LEAVE: usize = 20;

/// How many rooms one person may make, even if the limit of rooms is low.
const ROOMS_AT_LEAST: usize = 4;

impl Broadcaster {
    /// The room that a person may enter; it is made if it does not exist. Call this when nothing
    /// else can fail: a room that nobody enters would stay empty for ever.
    pub(super) fn room_to_join(
        &mut self,
        id: PersonId,
        name: RoomName,
        now: Now,
    ) -> Result<RoomId, Refusal> {
        let person = self.people.get(id).ok_or(Refusal::NotThere)?;
        self.may_join(id, person, &name, now)?;
        if self.is_new(&name) {
            self.may_name_room(id, &name, now)?;
        }
        let person = self.people.get(id).ok_or(Refusal::NotThere)?;
        self.may_make(person.subject(), &name)?;
        let maker = Maker::of(person.subject());
        Ok(self.room_for(name, maker))
    }

    /// Whether the room does not exist, or only listeners wait for it.
    pub(super) fn is_new(&self, name: &RoomName) -> bool {
        self.room_called(name).is_none_or(Room::is_awaited)
    }

    /// Whether this person may make this room, if it does not exist. Strangers leave a quarter of
    /// the rooms to people with registered names, and these leave a twentieth to keepers of the
    /// server. Of the rest, each person may make a share. Strangers at one address count as one
    /// person, except at this machine's own address, where a proxy may be.
    pub(super) fn may_make(&self, subject: Subject<'_>, name: &RoomName) -> Result<(), Refusal> {
        if self.room_called(name).is_some() {
            return Ok(());
        }
        let (all, limit) = (self.rooms.len(), self.limits.rooms);
        let max = match subject.is_owner {
            _ if self.ends.is_none() => limit, // without a journal nobody has a registered name
            _ if self.rules.keeps(&Reach::Server, subject) => {
                return self.may_have_more_than(limit);
            }
            true => limit - limit / OWNERS_LEAVE,
            false => limit - limit / STRANGERS_LEAVE,
        };
        self.may_have_more_than(max)?;
        let Some(maker) = Maker::of(subject) else {
            return Ok(());
        };
        let makers = self.rooms.values().filter_map(|room| room.maker.as_ref());
        let own = makers.filter(|other| **other == maker).count();
        match share::is_within(own, all, max, ROOMS_AT_LEAST) {
            true => Ok(()),
            false => Err(Refusal::RoomsShare(own)),
        }
    }

    fn may_have_more_than(&self, max: usize) -> Result<(), Refusal> {
        match self.rooms.len() < max {
            true => Ok(()),
            false => Err(Refusal::TooManyRooms(max)),
        }
    }

    pub(super) fn room_for(&mut self, name: RoomName, maker: Option<Maker>) -> RoomId {
        if let Some(&room) = self.rooms_by_name.get(&name) {
            return room;
        }
        let id = self.make_room(name);
        if let Some(room) = self.rooms.get_mut(&id) {
            room.maker = maker;
        }
        id
    }
}
