//! The limits of the broadcaster's memory, and a count of its use.

use std::time::Duration;

/// The capacity of a room's log in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Lines.
    pub lines: usize,
    /// Bytes of memory, estimated by the weight of the entries.
    pub bytes: usize,
}

/// The limits of the broadcaster.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest number of rooms.
    pub rooms: usize,
    /// The capacity of each room's log.
    pub log: Capacity,
    /// The capacity of all logs together, in bytes.
    pub logs_bytes: usize,
    /// How long lines are shown; forever if this is none.
    pub retain: Option<Duration>,
    /// A batch is full at this many entries; later requests wait until the current commit has
    /// finished.
    pub batch_entries: usize,
    /// A batch is full at this many bytes of text.
    pub batch_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        let log = Capacity { lines: 16_384, bytes: 4 << 20 };
        Limits {
            rooms: 1_000,
            log,
            logs_bytes: 256 << 20,
            retain: None,
            batch_entries: 8_192,
            batch_bytes: 1 << 20,
        }
    }
}

/// The broadcaster's present contents, counted for tests and for the operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// People who have a name, including those who wait for their first seat.
    pub people: usize,
    /// Keys of names that nobody else can take.
    pub name_keys: usize,
    /// Seats whose arrival is in a log and whose departure is not.
    pub seats: usize,
    /// People who read a room without a seat in it.
    pub listeners: usize,
    /// Rooms, the lobby included.
    pub rooms: usize,
    /// Events that are in no log yet, and requests that wait for a place in a batch.
    pub under_way: usize,
    /// The size of all logs in bytes, from a running count.
    pub logs_bytes_counted: usize,
    /// The size of all logs in bytes, measured now.
    pub logs_bytes: usize,
}
