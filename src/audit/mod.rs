//! The log of moderation: stores acts, one after the other. Knows no rule.

mod table;
mod writer;

pub(crate) use table::{latest, moment, past, put};
pub(crate) use writer::Recorder;
