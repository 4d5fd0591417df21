//! The rooms in memory: the first person who enters a new room makes it, within a share of all
//! rooms, and its log sheds old lines. Knows no connection.

use std::cmp::Reverse;
use std::time::Duration;

use super::rooms::{Maker, Room};
use super::state::Broadcaster;
use crate::ledger::{Subject, is_within};
use crate::model::{Limits, Now, Reach, RoomId, RoomName};
use crate::refusal::Refusal;

/// How often old lines are removed. A line is shown for at most this time beyond its limit.
const EXPIRE_EVERY: Duration = Duration::from_secs(60);

/// One in this many rooms is reserved for people with registered names; strangers cannot make it.
const STRANGERS_LEAVE: usize = 4;

/// One in this many rooms is reserved for keepers of the server.
const OWNERS_LEAVE: usize = 20;

/// The number of rooms that one person may make, even if the limit of rooms is low.
const ROOMS_AT_LEAST: usize = 4;

impl Broadcaster {
    /// Whether the room does not exist, or only listeners wait for it.
    pub(super) fn is_new(&self, name: &RoomName) -> bool {
        self.room_called(name).is_none_or(Room::is_awaited)
    }

    /// Whether this person may make this room, if it does not exist. Strangers leave a quarter of
    /// the rooms to people with registered names, and these leave a twentieth to keepers of the
    /// server. Of the rest, each person may make a share. Strangers at one address count as one
    /// person, except at this machine's own address, where a proxy may be.
    pub(super) fn may_make(&self, subject: Subject<'_>, name: &RoomName) -> Result<(), Refusal> {
        match self.room_called(name) {
            Some(_) => Ok(()),
            None => self.may_make_another(subject),
        }
    }

    /// Whether this person may make one more room.
    pub(super) fn may_make_another(&self, subject: Subject<'_>) -> Result<(), Refusal> {
        let (all, limit) = (self.rooms.len(), self.limits.rooms);
        let max = match subject.account.is_some() {
            _ if !self.ledger.is_stored => limit, // without a journal nobody has a registered name
            _ if self.ledger.rules.keeps(&Reach::Server, subject) => {
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
        match is_within(own, all, max, ROOMS_AT_LEAST) {
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

    /// The room with this name. It is made for this person if it does not exist; `new` of its lines
    /// are in no log yet.
    pub(super) fn room_for(
        &mut self,
        name: &RoomName,
        maker: Option<Maker>,
        new: u64,
    ) -> Option<&mut Room> {
        if let Some(id) = self.rooms_by_name.get(name) {
            return self.rooms.get_mut(id);
        }
        let id = self.make_room(name, new);
        let room = self.rooms.get_mut(&id)?;
        room.maker = maker;
        Some(room)
    }

    /// Removes an empty room from memory; the lobby stays.
    pub(super) fn forget_if_empty(&mut self, id: RoomId) {
        let is_empty = |room: &Room| {
            room.members.is_empty() && room.pending == 0 && room.name != RoomName::lobby()
        };
        if self.rooms.get(&id).is_some_and(is_empty) {
            self.forget(id);
        }
    }

    /// Removes a room from memory. If nothing is stored, its lines and topic end with it.
    #[cold]
    fn forget(&mut self, id: RoomId) {
        let Some(room) = self.rooms.remove(&id) else {
            return;
        };
        self.logs_bytes -= room.weighed;
        if self.outside.remove_room(&room.name, id) {
            return;
        }
        self.rooms_by_name.remove(&room.name);
        if !self.ledger.is_stored {
            self.ended.push((room.name, room.log.end().seq));
        }
    }

    /// Sets the limits: at once for all logs together, for a room's log with its next batch. Rooms
    /// beyond the limit stay.
    pub(super) fn limit(&mut self, limits: Limits) {
        self.limits = limits;
        self.expire_at = limits.retain.map(|_| Duration::ZERO);
        self.shed_logs();
    }

    /// Sheds batches while all logs together are too large: always from the log with the most to
    /// shed, and from the older of two equal rooms, so that the same events always shed the same
    /// batches.
    pub(super) fn shed_logs(&mut self) {
        while self.logs_bytes > self.limits.logs_bytes {
            let rooms = self.rooms.values();
            let spare = rooms.map(|room| (room.log.spare(), Reverse(room.id)));
            let Some((1.., Reverse(id))) = spare.max() else {
                return; // each has only its newest batch
            };
            let Some(room) = self.rooms.get_mut(&id) else {
                return;
            };
            room.log.shed();
            room.weigh(&mut self.logs_bytes);
        }
    }

    /// Removes lines from the logs that are older than the limit.
    pub(super) fn expire(&mut self, now: Now) {
        let Some(retain) = self.limits.retain else {
            return;
        };
        let before = now.wall.before(retain);
        for room in self.rooms.values_mut() {
            room.log.expire(before);
            room.weigh(&mut self.logs_bytes);
        }
        self.expire_at = Some(now.monotonic + EXPIRE_EVERY);
    }
}
