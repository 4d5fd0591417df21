//! What a connection reads of a room: from the arrival on, up to the departure. Knows no seat and
//! no socket.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use crate::log::{Cursor, Fallen, Log, Slice};
use crate::model::{
    Act, Damaged, Line, Missed, PersonId, Reach, RoomId, RoomName, Said, Together, Who,
};

/// What the owner of a seat or listener, its reader and the broadcaster share.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) person: PersonId,
    pub(crate) room: RoomId,
    pub(crate) name: RoomName,
    pub(crate) log: Arc<Log>,
    /// Where the departure stands in the log. The broadcaster sets it when it appends the
    /// departure.
    pub(crate) departed: OnceLock<Cursor>,
    /// Set once, by the broadcaster: the person has to leave this room.
    pub(crate) removed: OnceLock<Arc<Act>>,
}

impl Place {
    /// Who removed the person from this room, and why; none while the person may stay.
    pub(crate) fn removed(&self) -> Option<&Arc<Act>> {
        self.removed.get()
    }
}

/// Where mail belongs: it is written when the reader of its room's log has come this far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The room in whose log the position is.
    pub room: RoomId,
    /// The position in it.
    pub position: u64,
}

/// What a person reads from a seat: the room's log, between the arrival and the departure.
#[derive(Clone, Debug)]
pub struct View {
    place: Arc<Place>,
    /// Behind the arrival: where reading begins.
    pub arrived: Cursor,
}

impl View {
    pub(crate) fn new(place: Arc<Place>, arrived: Cursor) -> View {
        View { place, arrived }
    }

    /// The person who reads.
    pub fn person(&self) -> PersonId {
        self.place.person
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

    /// Reads the entries behind `from` into `out`, up to the departure: at most `batches_max`
    /// batches.
    ///
    /// # Errors
    /// `from` has fallen off the log: where to go on, and how many lines the reader missed.
    pub fn read(
        &self,
        from: Cursor,
        batches_max: usize,
        out: &mut impl Extend<Slice>,
    ) -> Result<(), Fallen> {
        // Not asked for earlier: the departure may be appended between the question and the read.
        self.place
            .log
            .read_until(from, || self.departed(), batches_max, out)
    }

    /// Reads the memory that [`read`](Self::read) is going to read; see
    /// [`super::backlog::Backlog::prefetch`].
    pub(crate) fn prefetch(&self) -> usize {
        usize::from(self.departed().is_some()) ^ Arc::as_ptr(self.log()).addr()
    }

    /// The departure, where reading ends; none while the person sits here.
    pub fn departed(&self) -> Option<Cursor> {
        self.place.departed.get().copied()
    }
}

/// What a person learns on entering a room.
#[derive(Debug)]
pub struct Entered {
    /// The person, under the name worn.
    pub who: Who,
    /// The room.
    pub room: RoomName,
    /// The topic.
    pub topic: Option<Line>,
    /// Who is here already, without this person.
    pub roster: Together,
    /// How far the person's authority goes here, if they have any.
    pub keeps: Option<Reach>,
    /// Whether this is the person's first room: then the name is shown too.
    pub first: bool,
    /// Whether the first lines go on where the person stopped reading.
    pub resumed: Resumed,
    /// The last earlier lines.
    pub replay: Replay,
    /// What the person reads from now on.
    pub view: View,
}

/// Whether a person goes on where reading was broken off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resumed {
    /// Nobody asked for that.
    #[default]
    No,
    /// Yes: with the very next line, or with a count of the lines that are left out.
    Exactly,
    /// No: the number is from another log, and means nothing here.
    AnotherLog,
}

/// What a listener reads.
#[derive(Debug)]
pub struct Listening {
    /// The last earlier lines.
    pub replay: Replay,
    /// What the listener reads from now on.
    pub view: View,
}

/// Earlier lines: those that the log still has, and older ones from a journal.
#[derive(Clone, Debug)]
pub struct Replay {
    /// The room.
    pub room: RoomName,
    /// Lines that are left out before it, if the reader is told of them.
    pub passed_over: Option<Missed>,
    /// Lines from before [`Replay::from`], oldest first; damaged ones are errors.
    pub older: VecDeque<Result<Said, Damaged>>,
    /// The log.
    pub log: Arc<Log>,
    /// Where the part of the log begins.
    pub from: Cursor,
    /// Where the part of the log ends.
    pub to: Cursor,
}

impl Replay {
    /// The last `lines` lines of a room before `to`, or as many as its log has.
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

    /// How many lines with words are in it.
    pub fn words(&self) -> u64 {
        self.older.len() as u64 + self.log.words(self.from, self.to)
    }

    /// What it takes in memory beside the log, in bytes; an estimate.
    pub(crate) fn weight(&self) -> usize {
        let weight = |line: &Result<Said, _>| match line {
            Ok(said) => said.weight(),
            Err(_) => size_of::<Said>(),
        };
        size_of::<Replay>() + self.older.iter().map(weight).sum::<usize>()
    }
}
