//! A terminal: the editor, its text, and its colours. Knows no connection.

mod editor;
pub(crate) mod paint;
mod text;

pub(crate) use editor::{Editor, Typed};
pub(crate) use paint::Colours;
pub(crate) use text::last_word;
