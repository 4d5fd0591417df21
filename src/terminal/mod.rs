//! A terminal: its raw mode, the editor, its text, and its colours. Knows no connection.

mod editor;
mod paint;
mod raw;
mod text;

pub(crate) use editor::{Editor, Typed};
pub(crate) use paint::{Colours, paint_line, sanitise};
pub(crate) use raw::RawMode;
pub(crate) use text::last_word;
