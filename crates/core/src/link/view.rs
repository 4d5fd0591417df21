//! What a connection reads of a room: from the arrival on, up to the departure. Knows no seat and no socket.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use crate::log::{Cursor, Fallen, Log, Slice};
use crate::model::{
    Act, Damaged, Line, Missed, PersonId, Reach, RoomId, RoomName, Said, Together, Who,
};

/// What the seat's owner, its reader and the broadcaster share.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) person: PersonId,
    pub(crate) room: RoomId,
    pub(crate) name: RoomName,
    pub(crate) log: Arc<Log>,
    /// Where the departure stands in the log; set by the broadcaster when it is appended.
    pub(crate) departed: OnceLock<Cursor>,
    /// Set once, by the broadcaster: one is to leave this room.
    pub(crate) removed: OnceLock<Arc<Act>>,
}

impl Place {
    /// Whether, by whom and why one is to leave this room.
    pub(crate) fn removed(&self) -> Option<&Arc<Act>> {
        self.removed.get()
    }
}

/// An item is written when the reader of its room's log has come this far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The room in whose log the position is.
    pub room: RoomId,
    /// The position in it.
    pub position: u64,
}

/// What somebody reads from a seat: the room's log, between the arrival and the departure.
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

    /// Reads what stands behind `from`, up to the departure: at most `batches_max` batches, into
    /// `out`.
    ///
    /// # Errors
    /// `from` has fallen off the log: where to go on, and how many lines were passed over.
    pub fn read(
        &self,
        from: Cursor,
        batches_max: usize,
        out: &mut impl Extend<Slice>,
    ) -> Result<(), Fallen> {
        // Not asked for beforehand: the departure may be appended between the question and the look.
        self.place
            .log
            .read_until(from, || self.departed(), batches_max, out)
    }

    /// Reads what [`read`](Self::read) is going to read; see [`super::backlog::Backlog::prefetch`].
    pub(crate) fn prefetch(&self) -> usize {
        usize::from(self.departed().is_some()) ^ Arc::as_ptr(self.log()).addr()
    }

    /// The departure, where reading ends; none while seated.
    pub fn departed(&self) -> Option<Cursor> {
        self.place.departed.get().copied()
    }
}

/// What somebody learns who has entered a room.
#[derive(Debug)]
pub struct Entered {
    /// The person, under the name worn.
    pub who: Who,
    /// The room.
    pub room: RoomName,
    /// What it is about.
    pub topic: Option<Line>,
    /// Who is here already.
    pub roster: Together,
    /// How far the person's authority goes here, if there is any.
    pub keeps: Option<Reach>,
    /// Whether this is the person's first room: then the name is told too.
    pub first: bool,
    /// Whether the lines that come first go on where the person had read to.
    pub resumed: Resumed,
    /// The last lines said before.
    pub replay: Replay,
    /// What is to be read from now on.
    pub view: View,
}

/// Whether somebody goes on reading where that was broken off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resumed {
    /// It was not asked for.
    #[default]
    No,
    /// With the very next line, or with a count of those that are passed over.
    Exactly,
    /// That was another log, whose numbers mean nothing here.
    AnotherLog,
}

/// What somebody reads who listens.
#[derive(Debug)]
pub struct Listening {
    /// The last lines said before.
    pub replay: Replay,
    /// What is to be read from now on.
    pub view: View,
}

/// A piece of the history: what a log still keeps, and what a journal has from before that.
#[derive(Clone, Debug)]
pub struct Replay {
    /// The room.
    pub room: RoomName,
    /// What is left out in front of it, if its reader is to be told.
    pub passed_over: Option<Missed>,
    /// Lines from before [`Replay::from`], oldest first; and what stands where they are damaged.
    pub older: VecDeque<Result<Said, Damaged>>,
    /// The log it is read from.
    pub log: Arc<Log>,
    /// Where it begins.
    pub from: Cursor,
    /// Where it ends.
    pub to: Cursor,
}

impl Replay {
    /// The last `lines` lines of a room before `to`, or as many as are kept.
    pub fn last(room: &RoomName, log: &Arc<Log>, lines: u64, to: Cursor) -> Replay {
        Replay::between(room, log, log.back(to, lines), to)
    }

    /// What stands between these two places of a room.
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

    /// How many lines are in it that have not been taken back.
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
