//! Earlier lines, as a client that has some of them asks for others: by a line or by a time. Knows
//! no log.

use crate::model::WallTime;

/// A place among the lines of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spot {
    /// A line: the name of the log that counts it, and its number there.
    Line {
        /// The log.
        log: String,
        /// The number.
        seq: u64,
    },
    /// A time.
    Time(WallTime),
}

/// Some messages of a room. Lines that were sent together are one message, and come together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recall {
    /// The last ones, if a place is given only those after it.
    Latest(Option<Spot>),
    /// The last ones before a place.
    Before(Spot),
    /// The first ones after a place.
    After(Spot),
    /// Those at a place, and about as many before it as after it.
    Around(Spot),
    /// Those between two places, beginning at the first place.
    Between(Spot, Spot),
}
