//! Ranges of a room's lines, by their numbers: where they end, which were missed, which are
//! damaged.

use std::error::Error;
use std::fmt;

use super::name::RoomName;
use super::time::WallTime;

/// The end of a room's lines in a journal. The next line follows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// The number of the last line.
    pub seq: u64,
    /// When it was said: no later line has an earlier time.
    pub at: WallTime,
}

/// Why stored lines cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// One line has changed since it was written.
    Changed,
    /// The lines are missing.
    Missing,
    /// The file of a node does not have the lines yet: its history ends before them.
    NotYet,
}

/// Stored lines of a room that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The room.
    pub room: RoomName,
    /// The number of the first line.
    pub first: u64,
    /// The number of the last line, often the same.
    pub last: u64,
    /// Why they cannot be read.
    pub flaw: Flaw,
}

impl Error for Damage {}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (room, first, last) = (&self.room, self.first, self.last);
        match self.flaw {
            Flaw::Changed => {
                write!(f, "line {first} of {room} is damaged: it does not match its checksum")
            }
            Flaw::Missing if first == last => write!(f, "line {first} of {room} is missing"),
            Flaw::Missing => write!(f, "lines {first} to {last} of {room} are missing"),
            Flaw::NotYet => write!(f, "lines {first} to {last} of {room} are not stored yet"),
        }
    }
}

/// Lines that a reader skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// Their room.
    pub room: RoomName,
    /// The number of the first line.
    pub first: u64,
    /// The number of the last line.
    pub last: u64,
}

impl Missed {
    /// The lines after number `before`, up to `last`.
    pub fn between(room: &RoomName, before: u64, last: u64) -> Missed {
        Missed { room: room.clone(), first: before + 1, last }
    }

    /// The number of lines.
    pub fn lines(&self) -> u64 {
        self.last + 1 - self.first
    }
}
