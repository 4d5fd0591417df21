//! A connection's view of a room: from the arrival up to the departure. Knows no seat and no
//! socket.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use smallvec::{SmallVec, smallvec};

use super::roster::FullRoster;
use crate::log::{Cursor, Fallen, Log, Slices};
use crate::model::{
    Act, ActOf, Damage, Keeping, Line, Missed, PersonId, RoomId, RoomName, RoomRules, Said,
    Together, TopicSet, WallTime, Who,
};

/// The data that the owner of a seat or listener, its reader and the broadcaster share.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) person: PersonId,
    pub(crate) room: RoomId,
    pub(crate) name: RoomName,
    pub(crate) log: Arc<Log>,
    /// The place of the departure in the log. The broadcaster sets it when it appends the
    /// departure; see [`Client::depart`](super::client::Client::depart).
    pub(crate) departed: OnceLock<Cursor>,
    /// The last words of the person, if there are any. The broadcaster sets them before the departure:
    /// a reader who has come to its place may see that before the log has the departure.
    pub(crate) last_words: OnceLock<Line>,
    /// The act that removes the person from this room. The broadcaster sets it once.
    pub(crate) removed: OnceLock<Arc<ActOf>>,
    /// Whether the person has left this room while on the server: the seat sets it before it asks for
    /// the departure.
    pub(crate) is_left: AtomicBool,
}

impl Place {
    /// The act that removed the person from this room; none while the person may stay.
    pub(crate) fn removed(&self) -> Option<&Arc<Act>> {
        self.removed.get().map(|removal| &removal.act)
    }
}

/// The place of mail among the lines: positions in the logs of some rooms. The mail is written when
/// the reader has come this far in all of them that it still reads.
///
/// The rooms stop there, so the mail stands behind all lines that were visible before, and before
/// the later ones. A mark in several rooms stops them if its positions were read between two batches:
/// nothing before them waits for anything behind them. If a batch was appended meanwhile, it stops none
/// of them while one waits for another to come to an event: otherwise they could wait in a circle. A
/// mark in no room is for a person without a seat, and stands behind the departures from all rooms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    places: SmallVec<[(RoomId, u64); 1]>,
    /// Whether no batch was appended between reading one position and reading another.
    is_of_one_moment: bool,
}

impl Mark {
    /// The mark at this position in the log of one room.
    pub fn at(room: RoomId, position: u64) -> Mark {
        Mark { places: smallvec![(room, position)], is_of_one_moment: true }
    }

    /// The mark at these positions, which were read between two batches.
    pub(crate) fn of_one_moment(places: impl Iterator<Item = (RoomId, u64)>) -> Mark {
        let places: SmallVec<_> = places.collect();
        Mark { places, is_of_one_moment: false }.at_one_moment()
    }

    /// The same, where its positions were read between two batches.
    pub(super) fn at_one_moment(self) -> Mark {
        Mark { is_of_one_moment: !self.places.is_empty(), ..self }
    }

    /// The mark behind everything that a person reads in a room.
    pub fn behind(room: RoomId) -> Mark {
        Mark::at(room, u64::MAX)
    }

    /// The position in this room, if it is one of the rooms.
    pub(crate) fn place_in(&self, room: RoomId) -> Option<u64> {
        self.places.iter().find(|(marked, _)| *marked == room).map(|(_, position)| *position)
    }

    /// Whether a reader at this position in this room has come to the mail there.
    pub(crate) fn is_reached_in(&self, room: RoomId, position: u64) -> bool {
        match self.place_in(room) {
            Some(place) => position >= place,
            None => !self.places.is_empty(), // without a seat, the room is read up to the departure
        }
    }

    /// The position at which this room stops for the mail, if it does. `is_waiting` tells whether a
    /// room waits for another.
    pub(crate) fn stop_in(&self, room: RoomId, is_waiting: impl FnOnce() -> bool) -> Option<u64> {
        let place = self.place_in(room)?;
        (self.is_of_one_moment || !is_waiting()).then_some(place)
    }

    /// Its size in memory outside the mailbox, in bytes.
    pub(crate) fn weight(&self) -> usize {
        if self.places.spilled() { size_of_val(self.places.as_slice()) } else { 0 }
    }
}

/// All these places together.
impl FromIterator<Mark> for Mark {
    fn from_iter<I: IntoIterator<Item = Mark>>(marks: I) -> Mark {
        let mut marks = marks.into_iter().filter(|mark| !mark.places.is_empty());
        let mut all = marks.next().unwrap_or_default();
        for mark in marks {
            all.places.extend(mark.places);
            all.is_of_one_moment = false;
        }
        all
    }
}

/// The lines that a person reads in a seat: the room's log, between the arrival and the departure.
#[derive(Clone, Debug)]
pub struct View {
    place: Arc<Place>,
    /// The place after the arrival, where reading begins.
    pub arrived: Cursor,
}

impl View {
    pub(crate) fn new(place: Arc<Place>, arrived: Cursor) -> View {
        View { place, arrived }
    }

    pub(crate) fn place(&self) -> Arc<Place> {
        Arc::clone(&self.place)
    }

    /// Whether this is the view of the same seat.
    pub(crate) fn is_of_same_seat(&self, other: &View) -> bool {
        Arc::ptr_eq(&self.place, &other.place)
    }

    /// The room.
    pub fn room(&self) -> RoomId {
        self.place.room
    }

    /// The room's name.
    pub fn room_name(&self) -> &RoomName {
        &self.place.name
    }

    /// The room's log.
    pub fn log(&self) -> &Arc<Log> {
        &self.place.log
    }

    /// Reads the entries after `from` into `out`, up to the departure: at most `batches_max`
    /// batches.
    ///
    /// # Errors
    /// `from` has fallen off the log. The error says where to continue, and how many lines the
    /// reader missed.
    #[inline]
    pub fn read(&self, from: Cursor, batches_max: usize, out: &mut Slices) -> Result<(), Fallen> {
        // The departure is read under the lock, because it may be appended just before the log is
        // read.
        self.place.log.read_until(from, || self.departed(), batches_max, out)
    }

    /// Touches the memory that [`read`](Self::read) reads next; see
    /// [`super::backlog::Backlog::prefetch`].
    #[inline]
    pub(crate) fn prefetch(&self) -> usize {
        usize::from(self.departed().is_some()) ^ Arc::as_ptr(self.log()).addr()
    }

    /// The last words of the person in the room, if there are any.
    pub(crate) fn last_words(&self) -> Option<&Line> {
        self.place.last_words.get()
    }

    /// The act that removed the person from the room, if one did.
    pub(crate) fn removal(&self) -> Option<&Arc<ActOf>> {
        self.place.removed.get()
    }

    /// Whether the person has left the room alone, or was removed from it, before leaving the server.
    pub(crate) fn has_ended_alone(&self) -> bool {
        self.removal().is_some() || self.place.is_left.load(Ordering::Relaxed)
    }

    /// The departure, where reading ends; none while the person has the seat.
    #[inline]
    pub fn departed(&self) -> Option<Cursor> {
        self.place.departed.get().copied()
    }
}

/// The information for a person who enters a room.
#[derive(Debug)]
pub struct Entered {
    /// The person, with the present name.
    pub who: Who,
    /// The room.
    pub room: RoomName,
    /// The topic.
    pub topic: Option<Line>,
    /// The last change of it, if that is known.
    pub topic_set: Option<TopicSet>,
    /// The rules of the room.
    pub rules: RoomRules,
    /// The other people in the room.
    pub roster: Together,
    /// All of them, for a client that [wants](super::client::Client::want_roster) the list.
    pub everybody: Option<FullRoster>,
    /// The person's authority here, if they have any.
    pub keeps: Option<Keeping>,
    /// Whether the person has a voice here, as another connection of the owner has it.
    pub has_voice: bool,
    /// How far the person has read the room before, if that is marked.
    pub read: Option<WallTime>,
    /// The text with which the person is away on this connection.
    pub away: Option<Line>,
    /// Whether this is the person's first room, so the name is shown too.
    pub first: bool,
    /// Whether the first lines continue at the place where the person stopped reading.
    pub resumed: Resumed,
    /// The most recent earlier lines.
    pub replay: Replay,
    /// The lines that the person reads from now on.
    pub view: View,
}

/// Whether a person continues where reading was interrupted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resumed {
    /// It was not requested.
    #[default]
    No,
    /// Yes: the very next line follows, or a count of the skipped lines.
    Exactly,
    /// No: the number is from another log, and has no meaning here.
    AnotherLog,
}

/// The lines that a listener reads.
#[derive(Debug)]
pub struct Listening {
    /// The most recent earlier lines.
    pub replay: Replay,
    /// The lines that the listener reads from now on.
    pub view: View,
}

/// Earlier lines: the ones in the log, and older ones from a journal.
#[derive(Clone, Debug)]
pub struct Replay {
    /// The room.
    pub room: RoomName,
    /// The skipped lines before it, if the reader is told of them.
    pub passed_over: Option<Missed>,
    /// The lines before [`Replay::from`], oldest first; damaged ones are errors.
    pub older: VecDeque<Result<Said, Damage>>,
    /// The log.
    pub log: Arc<Log>,
    /// Where the replayed part of the log begins.
    pub from: Cursor,
    /// Where the replayed part of the log ends.
    pub to: Cursor,
}

impl Replay {
    /// The last `lines` lines of a room before `to`, or fewer if its log has fewer.
    pub fn last(room: &RoomName, log: &Arc<Log>, lines: u64, to: Cursor) -> Replay {
        Replay::between(room, log, log.back(to, lines), to)
    }

    /// The lines between these two places of a room.
    pub fn between(room: &RoomName, log: &Arc<Log>, from: Cursor, to: Cursor) -> Replay {
        Replay {
            room: room.clone(),
            passed_over: None,
            older: VecDeque::new(),
            log: Arc::clone(log),
            from,
            to,
        }
    }

    /// The number of its lines that have words.
    pub fn lines_with_words(&self) -> u64 {
        self.older.len() as u64 + self.log.lines_with_words(self.from, self.to)
    }

    /// Its size in memory apart from the log, in bytes; an estimate.
    pub(crate) fn weight(&self) -> usize {
        let weight = |line: &Result<Said, _>| match line {
            Ok(said) => said.weight(),
            Err(_) => size_of::<Said>(),
        };
        size_of::<Replay>() + self.older.iter().map(weight).sum::<usize>()
    }
}
