//! What everything else speaks of: lines, names, times, entries, acts and limits. Knows no log and no
//! connection.

pub mod act;
pub mod entry;
pub mod keys;
pub mod line;
pub mod name;
pub mod nearest;
pub mod rate;
pub mod time;

pub use act::{
    BANS_SHOWN_MAX, Ban, By, Deed, Done, Mute, Order, Reach, Record, Removal, Rule, Ruling, Until,
    Visitor, Whom, Word, is_meant_as_time, parse_time,
};
pub use entry::{Entry, Manner, PersonId, RoomId, Said, Telling, Together, Who};
pub use line::Line;
pub(crate) use line::{is_picture, is_unseen};
pub use name::{NAME_CHARS_MAX, Name, NameError, RoomName, fold};
pub use nearest::nearest;
pub use rate::{Bucket, Rate, network};
pub use time::{Now, WallTime};
