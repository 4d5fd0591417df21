//! The rooms of the server: the ends of their lines, and their topics. Knows no log.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::room_rules::RulesOfRoom;
use crate::model::{End, PersonId, RoomName, Topic, WallTime};

/// A room, from its first seat or line on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RoomState {
    pub(crate) end: End,
    pub(crate) topic: Topic,
    /// Whether the topic is locked only as long as somebody sits here.
    pub(super) is_locked_for_now: bool,
    pub(super) rules: RulesOfRoom,
    /// The number of its seats.
    pub(super) seats: usize,
}

/// All rooms that have a seat, lines, a topic or rules.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RoomStates(BTreeMap<RoomName, RoomState>);

impl RoomState {
    fn add_lines(&mut self, lines: usize, at: WallTime) {
        let end = &mut self.end;
        let at = if end.at.was_ahead(at) { at } else { end.at.max(at) };
        *end = End { seq: end.seq + lines as u64, at };
    }
}

impl RoomStates {
    /// The rooms from a snapshot, without seats.
    pub(super) fn restore(
        ends: impl IntoIterator<Item = (RoomName, End)>,
        topics: impl IntoIterator<Item = (RoomName, Topic)>,
        locked_for_now: Vec<RoomName>,
        rules: BTreeMap<RoomName, RulesOfRoom>,
    ) -> RoomStates {
        let mut rooms = RoomStates::default();
        for (room, end) in ends {
            rooms.of(&room).end = end;
        }
        for (room, topic) in topics {
            rooms.of(&room).topic = topic;
        }
        for room in locked_for_now {
            rooms.of(&room).is_locked_for_now = true;
        }
        for (room, rules) in rules {
            rooms.of(&room).rules = rules;
        }
        rooms
    }

    fn of(&mut self, room: &RoomName) -> &mut RoomState {
        self.0.entry(room.clone()).or_default()
    }

    /// All of them, by name.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&RoomName, &RoomState)> {
        self.0.iter()
    }

    /// The end of a room's lines.
    pub(crate) fn end(&self, room: &RoomName) -> End {
        self.0.get(room).map(|state| state.end).unwrap_or_default()
    }

    /// The topic of a room.
    pub(crate) fn topic(&self, room: &RoomName) -> Topic {
        self.0.get(room).map(|state| state.topic.clone()).unwrap_or_default()
    }

    /// The rules of a room.
    pub(crate) fn rules(&self, room: &RoomName) -> &RulesOfRoom {
        static NONE: LazyLock<RulesOfRoom> = LazyLock::new(RulesOfRoom::default);
        self.0.get(room).map_or(&NONE, |state| &state.rules)
    }

    /// Whether not everybody may speak in a room. Each line asks this.
    pub(super) fn is_moderated(&self, room: &RoomName) -> bool {
        self.0.get(room).is_some_and(|state| state.rules.now.is_moderated)
    }

    /// The rooms with rules.
    pub(crate) fn with_rules(&self) -> impl Iterator<Item = &RoomName> {
        let rooms = self.0.iter().filter(|(_, state)| !state.rules.now.is_nothing());
        rooms.map(|(room, _)| room)
    }

    pub(super) fn set_rules(&mut self, room: &RoomName, set: impl FnOnce(&mut RulesOfRoom)) {
        set(&mut self.of(room).rules);
        self.forget_if_nothing(room);
    }

    /// Moves invitations to the new connection of a person.
    pub(super) fn follow(&mut self, from: PersonId, to: PersonId) {
        self.0.values_mut().for_each(|state| state.rules.follow(from, to));
    }

    /// Whether only keepers may change the topic of a room.
    pub(crate) fn is_locked(&self, room: &RoomName) -> bool {
        self.0.get(room).is_some_and(|state| state.topic.is_locked)
    }

    /// Whether nobody sits in a room, and nothing was ever said there.
    pub(crate) fn is_new(&self, room: &RoomName) -> bool {
        self.0.get(room).is_none_or(|state| state.seats == 0 && state.end.seq == 0)
    }

    /// Whether a room has a seat, lines, a topic, a lock or rules.
    pub(crate) fn is_known(&self, room: &RoomName) -> bool {
        self.0.contains_key(room)
    }

    /// Whether a room has a topic or a lock.
    pub(crate) fn has_topic(&self, room: &RoomName) -> bool {
        self.0.get(room).is_some_and(|state| !state.topic.is_nothing())
    }

    pub(crate) fn add_seat(&mut self, room: &RoomName) {
        self.of(room).seats += 1;
    }

    /// Frees a seat. Returns whether it was the last one.
    pub(crate) fn remove_seat(&mut self, room: &RoomName) -> bool {
        let state = self.of(room);
        state.seats = state.seats.saturating_sub(1);
        let is_empty = state.seats == 0;
        if is_empty {
            state.rules.end_for_now();
        }
        if is_empty && state.is_locked_for_now {
            (state.topic.is_locked, state.is_locked_for_now) = (false, false);
        }
        self.forget_if_nothing(room);
        is_empty
    }

    /// Whether the lock of a topic does not end with the room.
    pub(super) fn is_locked_for_good(&self, room: &RoomName) -> bool {
        self.0.get(room).is_some_and(|state| state.topic.is_locked && !state.is_locked_for_now)
    }

    /// Locks a topic, for now or for good. A lock for good stays one.
    pub(crate) fn lock(&mut self, room: &RoomName, is_for_now: bool) {
        let state = self.of(room);
        let is_for_good = state.topic.is_locked && !state.is_locked_for_now;
        (state.topic.is_locked, state.is_locked_for_now) = (true, is_for_now && !is_for_good);
    }

    /// Lets everybody change a topic.
    pub(crate) fn unlock(&mut self, room: &RoomName) {
        let state = self.of(room);
        (state.topic.is_locked, state.is_locked_for_now) = (false, false);
        self.forget_if_nothing(room);
    }

    /// Counts lines that are said now.
    pub(crate) fn add_lines(&mut self, room: &RoomName, lines: usize, at: WallTime) {
        if lines == 0 {
            return; // no room begins with nothing
        }
        // The room of a line is nearly always known.
        match self.0.get_mut(room) {
            Some(state) => state.add_lines(lines, at),
            None => self.of(room).add_lines(lines, at),
        }
    }

    /// Takes over lines up to this end.
    pub(super) fn set_end(&mut self, room: &RoomName, end: End) {
        self.of(room).end = end;
    }

    /// Uses the numbers of the last lines again: they were not stored.
    pub(crate) fn remove_lines(&mut self, room: &RoomName, lines: u64) {
        let end = &mut self.of(room).end;
        end.seq = end.seq.saturating_sub(lines);
        self.forget_if_nothing(room);
    }

    pub(crate) fn set_topic(&mut self, room: &RoomName, set: impl FnOnce(&mut Topic)) {
        set(&mut self.of(room).topic);
        self.forget_if_nothing(room);
    }

    /// Ends a room, with its lines and topic, unless somebody sits there or another line was said.
    pub(crate) fn end_room(&mut self, room: &RoomName, last: u64) {
        if self.0.get(room).is_some_and(|state| state.seats == 0 && state.end.seq == last) {
            self.0.remove(room);
        }
    }

    fn forget_if_nothing(&mut self, room: &RoomName) {
        let has_no_lines = |state: &RoomState| state.seats == 0 && state.end.seq == 0;
        let is_nothing = |state: &RoomState| {
            has_no_lines(state) && state.topic.is_nothing() && state.rules.is_nothing()
        };
        if self.0.get(room).is_some_and(is_nothing) {
            self.0.remove(room);
        }
    }
}
