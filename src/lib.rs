//! Parlor: a chat server that people join with what they already have.

pub mod logging;
