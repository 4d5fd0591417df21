//! Runs of a room's lines, by their numbers: where they end, which were missed, which are damaged.

use super::name::RoomName;
use super::time::WallTime;

/// Where a room's lines end in a journal: the next line follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// The number of the last line.
    pub seq: u64,
    /// When it was said: no later line has an earlier time.
    pub at: WallTime,
}

/// Stored lines of a room that cannot be read any more as they were said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// The room.
    pub room: RoomName,
    /// The number of the first of them.
    pub first: u64,
    /// The number of the last, often the same.
    pub last: u64,
}

/// Lines that a reader skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// Their room.
    pub room: RoomName,
    /// The number of the first.
    pub first: u64,
    /// The number of the last.
    pub last: u64,
}

impl Missed {
    /// The lines behind number `before`, up to `last`.
    pub fn between(room: &RoomName, before: u64, last: u64) -> Missed {
        Missed {
            room: room.clone(),
            first: before + 1,
            last,
        }
    }

    /// How many lines these are.
    pub fn lines(&self) -> u64 {
        self.last + 1 - self.first
    }
}
