//! Names of people and rooms: which are allowed, and which are too alike.

mod error;
mod keys;
mod looks;
mod person;
mod room;
mod rules;

pub use error::{NAME_CHARS_MAX, NameError};
pub use keys::fold;
pub use looks::{Looks, OwnedName};
pub use person::Name;
pub use room::RoomName;

#[cfg(test)]
mod tests;
