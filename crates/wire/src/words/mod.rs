//! All sentences of the server, word for word. Knows no line ending and no connection.

mod act;
mod answer;
mod event;
mod help;
mod refusal;

pub(crate) use act::{act_row, name_of};
pub(crate) use answer::{PrivateLine, answer, private};
pub(crate) use event::{entered, happening, is_told, said, stored};
pub(crate) use refusal::name_rule;
pub use refusal::{RefusalRow, limit_of, refusal_row};
