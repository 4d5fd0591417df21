//! The broadcaster's state. Its parts, one for each kind of request, are in the files beside this
//! one.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::acts::PendingActs;
use super::pending::{Absent, Gathering, Happening};
use super::people::People;
use super::rooms::Room;
use super::rules::Rules;
use crate::journal::Past;
use crate::link::{Inbox, InboxItem, Mark};
use crate::model::{End, Limits, PersonId, Reach, RoomId, RoomName, Topic};

/// The owner of rooms, names and rosters.
#[derive(Debug)]
pub struct Broadcaster {
    pub(super) inbox: Arc<Inbox>,
    pub(super) limits: Limits,
    pub(super) rooms: HashMap<RoomId, Room>,
    pub(super) rooms_by_name: HashMap<RoomName, RoomId>,
    pub(super) rooms_made: u64,
    /// The ends of stored rooms that are not in memory. None if nothing is stored.
    pub(super) ends: Option<HashMap<RoomName, End>>,
    /// The topics of rooms that are not in memory.
    pub(super) topics: HashMap<RoomName, Topic>,
    pub(super) people: People,
    pub(super) rules: Rules,
    /// The acts that wait to be stored.
    pub(super) pending: PendingActs,
    /// The people who leave as soon as the act is stored, and the places that they leave.
    pub(super) leaving: Vec<(PersonId, Reach)>,
    /// The next batch.
    pub(super) gathering: Gathering,
    /// Requests that wait because that batch is full: at most a request and a departure for each
    /// connection.
    pub(super) waiting: VecDeque<InboxItem>,
    /// The times at which the windows of crowds close, and their rooms; the earliest first.
    pub(super) crowds: VecDeque<(Duration, RoomId)>,
    /// Seats of people who came back on another connection a moment ago and have not taken them
    /// again; the earliest first. Each of these people had a few.
    pub(super) absent: VecDeque<Absent>,
    /// The other half of the inbox's double buffer.
    pub(super) drained: Vec<InboxItem>,
    /// The size of the logs of all rooms, in bytes.
    pub(super) logs_bytes: usize,
    /// The next time at which old lines are removed from the logs; none if lines have no time
    /// limit.
    pub(super) expire_at: Option<Duration>,
    pub(super) closing: bool,
}

impl Broadcaster {
    /// A broadcaster with an empty lobby that stores nothing: the numbers of a room end with the
    /// room.
    pub fn new(inbox: Arc<Inbox>, limits: Limits) -> Broadcaster {
        Broadcaster::build(inbox, limits, None, HashMap::new())
    }

    /// A broadcaster that continues from the contents of a journal: the numbers of each room
    /// continue, even if the room was empty, and registered names belong to their owners.
    pub fn resume(inbox: Arc<Inbox>, limits: Limits, past: Past) -> Broadcaster {
        let mut broadcaster = Broadcaster::build(inbox, limits, Some(past.ends), past.topics);
        for name in past.owned {
            broadcaster.people.own(name);
        }
        broadcaster.rules = Rules::resume(past.keepers, past.makers, past.bans, past.mutes);
        broadcaster
    }

    pub(super) fn build(
        inbox: Arc<Inbox>,
        limits: Limits,
        ends: Option<HashMap<RoomName, End>>,
        topics: HashMap<RoomName, Topic>,
    ) -> Broadcaster {
        let mut broadcaster = Broadcaster {
            inbox,
            limits,
            rooms: HashMap::new(),
            rooms_by_name: HashMap::new(),
            rooms_made: 0,
            ends,
            topics,
            people: People::default(),
            rules: Rules::default(),
            pending: PendingActs::default(),
            leaving: Vec::new(),
            gathering: Gathering::default(),
            waiting: VecDeque::new(),
            crowds: VecDeque::new(),
            absent: VecDeque::new(),
            drained: Vec::new(),
            logs_bytes: 0,
            expire_at: limits.retain.map(|_| Duration::ZERO),
            closing: false,
        };
        broadcaster.make_room(RoomName::lobby());
        broadcaster
    }

    /// The inbox, where connections start and their requests arrive.
    pub fn inbox(&self) -> &Arc<Inbox> {
        &self.inbox
    }

    /// Stops telling people of departures: everybody leaves.
    pub fn close(&mut self) {
        self.closing = true;
    }

    /// Sets the limits: at once for all logs together, for a room's log with its next batch. Rooms
    /// beyond the limit stay.
    pub(super) fn limit(&mut self, limits: Limits) {
        self.limits = limits;
        self.expire_at = limits.retain.map(|_| Duration::ZERO);
        self.shed_logs();
    }

    pub(super) fn room_called(&self, name: &RoomName) -> Option<&Room> {
        self.rooms.get(self.rooms_by_name.get(name)?)
    }

    /// The room in which this person last took a seat.
    pub(crate) fn room_of(&self, id: PersonId) -> Option<&Room> {
        self.rooms.get(&self.people.get(id)?.seats.last()?.room)
    }

    /// The end of the log of a room in which this person sits; none for a person who is entering,
    /// and reads nothing before the answer to that.
    pub(crate) fn mark_of(&self, id: PersonId) -> Option<Mark> {
        let seats = &self.people.get(id)?.seats;
        let places = seats.iter().rev();
        let mut rooms = places.filter_map(|place| self.rooms.get(&place.room));
        let room = rooms.find(|room| room.members.contains(id))?;
        Some(Mark { room: room.id, position: room.log.watermark() })
    }

    /// Whether the next batch is full.
    pub(super) fn is_full(&self) -> bool {
        self.gathering.is_full(&self.limits)
    }

    /// Puts an event into the next batch. This decides the order of all events.
    pub(super) fn happen(&mut self, room: RoomId, happening: Happening) {
        if let Some(room) = self.rooms.get_mut(&room) {
            room.pending += 1;
            self.gathering.push(room.id, happening);
        }
    }

    pub(super) fn make_room(&mut self, name: RoomName) -> RoomId {
        self.rooms_made += 1;
        let id = RoomId(self.rooms_made);
        let end = self.ends.as_mut().and_then(|ends| ends.remove(&name));
        let end = end.unwrap_or_default();
        self.rooms_by_name.insert(name.clone(), id);
        let topic = self.topics.remove(&name).unwrap_or_default();
        self.rooms.insert(id, Room::new(id, name, end, topic));
        id
    }
}
