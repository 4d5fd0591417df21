//! Making rooms: a room is made for the first person who goes there, within the person's share.

use super::rooms::{Maker, Room};
use super::rules::Subject;
use super::share;
use super::state::Broadcaster;
use crate::link::Refusal;
use crate::model::{Now, PersonId, Reach, RoomId, RoomName};

/// Of the rooms, this part is for people who own their names: strangers leave it to them.
const STRANGERS_LEAVE: usize = 4;

/// And this part is for keepers of the server: owners leave it to them.
const OWNERS_LEAVE: usize = 20;

/// So many rooms one person may make, however few there may be.
const ROOMS_AT_LEAST: usize = 4;

impl Broadcaster {
    /// The room, made if there is none, where somebody is let in, at whatever door. To be called when nothing else is in the
    /// way: a room that is made for nobody would stay empty for good.
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

    /// Whether nobody has a room of this name, those aside who wait for it.
    pub(super) fn is_new(&self, name: &RoomName) -> bool {
        self.room_called(name).is_none_or(Room::is_awaited)
    }

    /// Whether there is room for one more, if it is one more. Strangers together leave a quarter to those who own their
    /// names, and these a twentieth to the keepers of the server. Of what they have, one person makes a share: an owner, or
    /// all at one address, this machine's own aside, where a proxy may stand.
    pub(super) fn may_make(&self, subject: Subject<'_>, name: &RoomName) -> Result<(), Refusal> {
        if self.room_called(name).is_some() {
            return Ok(());
        }
        let (all, limit) = (self.rooms.len(), self.limits.rooms);
        let max = match subject.is_owner {
            _ if self.ends.is_none() => limit, // nobody owns a name
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
