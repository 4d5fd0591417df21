//! core

mod line;
mod name;

pub use line::Line;
pub use name::{NAME_CHARS_MAX, Name, NameError, RoomName, fold};
