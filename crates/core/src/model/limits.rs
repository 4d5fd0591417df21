//! What the broadcaster may hold, and what it holds.

use std::time::Duration;

/// How much a room's log stores in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Lines.
    pub lines: usize,
    /// Bytes of memory, as estimated by the weight of its entries.
    pub bytes: usize,
}

/// How much the broadcaster may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many rooms there may be.
    pub rooms: usize,
    /// What the log of one room stores.
    pub log: Capacity,
    /// What the logs of all rooms store together, in bytes.
    pub logs_bytes: usize,
    /// How long lines are shown; without an end if this is none.
    pub retain: Option<Duration>,
    /// A batch is full at this many entries; what comes then waits for the commit under way.
    pub batch_entries: usize,
    /// A batch is full at this many bytes of text.
    pub batch_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        let log = Capacity {
            lines: 16_384,
            bytes: 4 << 20,
        };
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

/// What the broadcaster holds, counted now: for tests and for the operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// People who wear a name, including those who wait for their first seat.
    pub people: usize,
    /// Keys of names that nobody else can take.
    pub name_keys: usize,
    /// Seats whose arrival is in a log and whose departure is not.
    pub seats: usize,
    /// People who read a room without a seat in it.
    pub listeners: usize,
    /// Rooms, the lobby included.
    pub rooms: usize,
    /// Happenings that are in no log yet, and requests that wait for a place in a batch.
    pub under_way: usize,
    /// What all logs weigh, in bytes, as it was counted while they grew and shrank.
    pub logs_bytes_counted: usize,
    /// The same, weighed now.
    pub logs_bytes: usize,
}
