//! The operator's socket: a door for lines in the server's own directory. Commands have authority
//! there over the whole server, and no seat.
//!
//! A program that may open the socket may do anything: it has the rights of a file, and those of the
//! server's user alone. Each line is a command as at every door for lines. A line of an answer begins
//! with `-- `, a refusal with `!`; behind the last answer comes a line with a dot.

mod command;
mod conversation;
mod socket;

pub(crate) use conversation::OperatorDoor;
pub(crate) use socket::{LOOK_EVERY, OperatorSocket};
