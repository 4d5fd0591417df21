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

/// Stored lines of a room that have changed since they were written, or are missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The room.
    pub room: RoomName,
    /// The number of the first line.
    pub first: u64,
    /// The number of the last line, often the same.
    pub last: u64,
    /// Whether the lines are missing. Otherwise it is one line, and it has changed.
    pub is_missing: bool,
}

impl Error for Damage {}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (room, first, last) = (&self.room, self.first, self.last);
        match self.is_missing {
            false => write!(f, "line {first} of {room} is damaged: it does not match its checksum"),
            true if first == last => write!(f, "line {first} of {room} is missing"),
            true => write!(f, "lines {first} to {last} of {room} are missing"),
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
