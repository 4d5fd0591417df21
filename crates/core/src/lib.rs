//! core

mod line;
mod name;
mod nearest;

pub use line::Line;
pub use name::{NAME_CHARS_MAX, Name, NameError, RoomName, fold};
pub use nearest::nearest;
