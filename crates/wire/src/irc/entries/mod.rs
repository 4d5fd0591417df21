//! Entries of rooms and private messages as lines of IRC.

mod event;
mod private;
mod said;

pub use event::IrcEncoding;
pub(crate) use private::PrivateReader;
pub(crate) use said::{AuthorTags, tagged};
