//! The rooms that one connection reads, how far it has read each, and the events of people that it
//! waits for. Knows no bytes and no mail.
//!
//! An event of a person, such as a new name, has an entry in each room of that person. A reader of
//! several of these rooms can be told of it once: it stands before the entry in each room until it
//! has come there in all of them. It waits only for entries that are older or twins, so rooms never
//! wait for each other in a circle.

use std::sync::Arc;

use smallvec::SmallVec;

use super::view::View;
use crate::log::{Cursor, Log, Slice, Slices};
use crate::model::{Entry, PersonEvent, RoomId, RoomName};

/// A room that the connection reads, and how far it has read.
#[derive(Debug)]
pub(super) struct Reading {
    // The room and its log are those of the view. Most rooms of a reader have nothing new, and this
    // memory says so.
    pub(super) room: RoomId,
    log: Arc<Log>,
    pub(super) cursor: Cursor,
    /// The number of the event before which it waits for the other rooms; a number that is passed
    /// has no meaning.
    waits_at: u64,
    /// Whether it has fallen off the log, and waits for a place where it can go on.
    pub(super) is_lost: bool,
    /// Whether the person has left the room for the others, and reads on: until the people in it are
    /// known again, nobody is seen coming or going.
    pub(super) is_apart: bool,
    /// The number of the last event that was read in another room before this room was entered, and
    /// the end of this room's log then. The numbers are 0 unless something happened to people between
    /// the arrival in the log and the entrance, and the dialect tells an event of several rooms once.
    late: (u64, u64),
    pub(super) view: View,
}

impl Reading {
    /// Touches the memory that the next read reads; see
    /// [`prefetch`](super::backlog::Backlog::prefetch).
    #[inline]
    pub(super) fn prefetch(&self) -> usize {
        if self.has_news() { self.view.prefetch() } else { 0 }
    }

    /// Whether the next entries may be about events behind which the reader is in another room. They are
    /// told in this room alone.
    #[inline]
    pub(super) fn is_late(&self) -> bool {
        self.cursor.position < self.late.1
    }

    /// Whether this is such an entry.
    pub(super) fn is_late_at(&self, entry: &Entry) -> bool {
        self.is_late() && entry.event().is_some_and(|event| event.number <= self.late.0)
    }

    /// Whether there is an entry that was not read.
    #[inline]
    pub(super) fn has_news(&self) -> bool {
        self.log.watermark() > self.cursor.position
    }

    /// Whether the person's own departure is reached, or lost with the entries before it.
    #[inline]
    fn is_over(&self) -> bool {
        let is_reached = |position| self.cursor.position >= position || self.is_lost;
        self.view.departed().is_some_and(|departed| is_reached(departed.position))
    }

    pub(super) fn is_up_to_date(&self) -> bool {
        !self.has_news() || self.is_over()
    }

    /// Whether the reader has come to this event here: it stands before the entry, or does not read
    /// it.
    fn has_come_to(&self, event: &PersonEvent) -> bool {
        let needed = event.needs(self.room);
        let waits = self.waits_at == event.number;
        self.is_lost || needed.is_none_or(|number| self.cursor.event >= number || waits)
    }
}

/// All rooms that a connection reads: nearly always one. Rooms take turns, so a busy room delays no
/// other.
#[derive(Debug, Default)]
pub(super) struct Readings {
    rooms: SmallVec<[Reading; 1]>,
    /// The index of the room whose turn it is. It is valid while there is a room.
    turn: usize,
    /// The index of the room that was read last, while that room is read.
    latest: usize,
    /// The number of rooms that were read up to the person's departure.
    departed: usize,
    /// The number of changes of the list of rooms.
    changes: u64,
}

impl Readings {
    /// Starts to read a room. `tells_once`: whether the dialect tells an event of several rooms once.
    pub(super) fn follow(&mut self, view: View, tells_once: bool) {
        let (room, log, cursor) = (view.room(), Arc::clone(view.log()), view.arrived);
        let others = self.rooms.iter().filter(|reading| !reading.is_lost);
        let read = others.map(|reading| reading.cursor.event).max().unwrap_or_default();
        let is_late = tells_once && read > view.arrived.event;
        let late = if is_late { (read, log.watermark()) } else { (0, 0) };
        self.rooms.push(Reading {
            room,
            log,
            cursor,
            waits_at: 0,
            is_lost: false,
            is_apart: false,
            late,
            view,
        });
        self.changes += 1;
    }

    /// The number of rooms that were added to the list or removed from it so far.
    #[inline]
    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    #[inline]
    pub(super) fn iter(&self) -> impl Iterator<Item = &Reading> {
        self.rooms.iter()
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.rooms.len()
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.rooms.is_empty()
    }

    /// The room of this view, if the reader does not know who is in it.
    pub(super) fn out_of(&mut self, view: &View) -> Option<&mut Reading> {
        let mut out = self.rooms.iter_mut().filter(|reading| reading.is_lost || reading.is_apart);
        out.find(|reading| reading.view.is_of_same_seat(view))
    }

    /// Notes that the person has left the rooms that were read up to this event: for the others.
    pub(super) fn part_after(&mut self, event: &PersonEvent) {
        for Reading { room, cursor, is_lost, is_apart, .. } in &mut self.rooms {
            let is_left = !*is_lost && cursor.event >= event.number;
            *is_apart |= is_left && event.needs(*room) == Some(event.number);
        }
    }

    /// Whether nobody is seen coming or going in any of the rooms that stand before this event; if
    /// each of them is told, in the room whose turn it is.
    pub(super) fn are_apart_at(&self, event: &PersonEvent, entry: &Entry) -> bool {
        if entry.is_told_by_room() {
            return self.current().is_some_and(|reading| reading.is_apart);
        }
        let stands = |reading: &&Reading| reading.waits_at == event.number && !reading.is_lost;
        let mut standing = self.rooms.iter().filter(stands);
        standing.all(|reading| reading.is_apart || reading.cursor.event >= event.number)
    }

    /// The room with this name.
    pub(super) fn called(&self, name: &RoomName) -> Option<&Reading> {
        self.rooms.iter().find(|reading| reading.view.room_name() == name)
    }

    /// The room whose turn it is.
    #[inline]
    pub(super) fn current(&self) -> Option<&Reading> {
        self.rooms.get(self.turn)
    }

    /// The room whose turn it is.
    #[inline]
    pub(super) fn current_mut(&mut self) -> Option<&mut Reading> {
        self.rooms.get_mut(self.turn)
    }

    /// Passes the turn to the next room.
    #[inline]
    pub(super) fn pass_turn(&mut self) {
        self.turn += 1;
        if self.turn >= self.rooms.len() {
            self.turn = 0;
        }
    }

    /// Passes the turn to the next room, after this one was read.
    #[inline]
    pub(super) fn pass_turn_after_read(&mut self) {
        self.latest = self.turn;
        self.pass_turn();
    }

    /// Gives the turn to the room that was read last, as no room has anything to read: most readers
    /// of many rooms get the next lines there, and find them at the first look.
    #[inline]
    pub(super) fn rest(&mut self) {
        if self.latest < self.rooms.len() {
            self.turn = self.latest;
        }
    }

    /// Whether the room whose turn it is may have something to read, or an end. No is certain.
    /// `departures` is the number of [`Client::departures`](super::client::Client::departures).
    #[inline]
    pub(super) fn may_go_on(&self, departures: usize) -> bool {
        departures != self.departed || self.current().is_some_and(Reading::has_news)
    }

    /// Stops reading the room whose turn it is, if the person's departure is reached. Returns also
    /// the number of the last line that was read.
    #[inline]
    pub(super) fn part_if_over(&mut self) -> Option<(View, u64)> {
        self.current().filter(|reading| reading.is_over())?;
        let reading = self.rooms.remove(self.turn);
        if self.turn >= self.rooms.len() {
            self.turn = 0;
        }
        self.departed += 1;
        self.changes += 1;
        Some((reading.view, reading.cursor.seq))
    }

    /// Cuts the slices of the room whose turn it is at the first event that concerns another room,
    /// too. Returns the event if it comes first: then it is all that is left of the slices.
    pub(super) fn cut_at_event(&self, slices: &mut Slices) -> Option<Arc<PersonEvent>> {
        let (slice, index, event) = self.next_shared_event(slices)?;
        slices.truncate(slice + 1);
        let last = slices.last_mut()?;
        let is_first = slice == 0 && last.entries.start == index;
        last.entries.end = if is_first { index + 1 } else { index };
        if last.entries.is_empty() {
            slices.pop();
        }
        is_first.then_some(event)
    }

    /// The first event that concerns another room, too: the index of its slice, its own, and the
    /// event.
    fn next_shared_event(&self, slices: &[Slice]) -> Option<(usize, usize, Arc<PersonEvent>)> {
        let with_events = slices.iter().enumerate().filter(|(_, slice)| slice.batch.has_events());
        for (place, Slice { batch, entries }) in with_events {
            let indices = entries.clone();
            for (index, entry) in indices.zip(batch.entries().get(entries.clone())?) {
                if let Some(event) = entry.event().filter(|event| self.shares(event)) {
                    return Some((place, index, Arc::clone(event)));
                }
            }
        }
        None
    }

    /// Whether a room waits for another to come to an event.
    pub(super) fn is_waiting(&self) -> bool {
        let waits = |reading: &Reading| reading.waits_at > reading.cursor.event;
        self.rooms.iter().any(|reading| !reading.is_lost && waits(reading))
    }

    fn shares(&self, event: &PersonEvent) -> bool {
        let others = self.rooms.iter().enumerate().filter(|(index, _)| *index != self.turn);
        let mut others = others.map(|(_, reading)| reading.room);
        others.any(|room| event.needs(room).is_some())
    }

    /// Stands before an event in the room whose turn it is. Returns whether the reader has come to
    /// it in all rooms.
    pub(super) fn come_to(&mut self, event: &PersonEvent) -> bool {
        if let Some(reading) = self.current_mut() {
            reading.waits_at = event.number;
        }
        self.rooms.iter().all(|reading| reading.has_come_to(event))
    }

    /// Goes on after an event in all rooms that stand before it; if each of them is told, only in the
    /// room whose turn it is.
    pub(super) fn go_on_after(&mut self, event: &PersonEvent, entry: &Entry) {
        let (turn, is_one) = (self.turn, entry.is_told_by_room());
        let rooms = self.rooms.iter_mut().enumerate();
        for (_, reading) in rooms.filter(|(index, _)| !is_one || *index == turn) {
            let Reading { cursor, waits_at, is_lost, .. } = reading;
            if !*is_lost && *waits_at == event.number && cursor.event < event.number {
                *cursor = cursor.after(entry);
            }
        }
    }
}
