//! Ranges of a room's lines, by their numbers: where they end, which were missed, which are
//! damaged.

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

/// Stored lines of a room that cannot be read back intact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// The room.
    pub room: RoomName,
    /// The number of the first line.
    pub first: u64,
    /// The number of the last line, often the same.
    pub last: u64,
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
