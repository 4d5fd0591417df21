//! The broadcaster's state. Its parts, one for each kind of request, are in the files beside this one.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::acts::PendingActs;
use super::pending::{Absent, Gathering, Happening};
use super::people::People;
use super::rooms::Room;
use super::rules::Rules;
use crate::journal::{Past, Topic};
use crate::link::{Inbox, Incoming, Mark};
use crate::model::{End, Limits, PersonId, Reach, RoomId, RoomName};

/// The owner of rooms, names and rosters.
#[derive(Debug)]
pub struct Broadcaster {
    pub(super) inbox: Arc<Inbox>,
    pub(super) limits: Limits,
    pub(super) rooms: HashMap<RoomId, Room>,
    pub(super) rooms_by_name: HashMap<RoomName, RoomId>,
    pub(super) rooms_made: u64,
    /// Where the lines of rooms end that are kept and not in memory. None where nothing is kept.
    pub(super) ends: Option<HashMap<RoomName, End>>,
    /// What those rooms are about that are not in memory, if they are about anything.
    pub(super) topics: HashMap<RoomName, Topic>,
    pub(super) people: People,
    pub(super) rules: Rules,
    /// The acts that are being stored.
    pub(super) pending: PendingActs,
    /// Those who are to leave as soon as that is stored, and from where.
    pub(super) leaving: Vec<(PersonId, Reach)>,
    /// The next batch.
    pub(super) gathering: Gathering,
    /// What has to wait because that batch is full: a request and a departure a connection, at most.
    pub(super) waiting: VecDeque<Incoming>,
    /// When the windows of crowds close, and in which rooms; the first to close first.
    pub(super) crowds: VecDeque<(Duration, RoomId)>,
    /// Seats whose owners came back on other connections a moment ago, elsewhere in the house; the first to be given up
    /// first. Each owner had a few.
    pub(super) absent: VecDeque<Absent>,
    /// The other half of the inbox's double buffer.
    pub(super) drained: Vec<Incoming>,
    /// What the logs of all rooms weigh, in bytes.
    pub(super) logs_bytes: usize,
    /// When the logs are looked at for what is to be shown no longer; none where everything is.
    pub(super) expire_at: Option<Duration>,
    pub(super) closing: bool,
}

impl Broadcaster {
    /// A house with an empty lobby, where nothing outlasts a room.
    pub fn new(inbox: Arc<Inbox>, limits: Limits) -> Broadcaster {
        Broadcaster::build(inbox, limits, None, HashMap::new())
    }

    /// A house that goes on where the lines end that a journal keeps: in each room the numbers
    /// follow on, also when it has been empty in between. Names that have an owner are the owner's.
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

    /// Where connections come from, and what they ask.
    pub fn inbox(&self) -> &Arc<Inbox> {
        &self.inbox
    }

    /// From now on departures are told to nobody: everybody leaves.
    pub fn close(&mut self) {
        self.closing = true;
    }

    /// From now on these limits hold: at once for all logs together, for one room's with its next batch. Rooms that
    /// are too many stay.
    pub(super) fn limit(&mut self, limits: Limits) {
        self.limits = limits;
        self.expire_at = limits.retain.map(|_| Duration::ZERO);
        self.shed_logs();
    }

    pub(super) fn room_called(&self, name: &RoomName) -> Option<&Room> {
        self.rooms.get(self.rooms_by_name.get(name)?)
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

    /// Whether the next batch takes no more.
    pub(super) fn is_full(&self) -> bool {
        self.gathering.is_full(&self.limits)
    }

    /// Puts something into the next batch.
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
