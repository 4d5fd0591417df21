//! The operator's socket: a door for lines in the server's own directory. Its commands have
//! authority over the whole server, and no seat.
//!
//! A program that may open the socket may do anything: only the server's own user has the rights to
//! open the file. Each line is a command as at every door for lines. A line of an answer begins
//! with `-- `, a refusal with `!`; a line with a dot follows the last answer.

mod command;
mod conversation;
mod socket;

pub(crate) use conversation::OperatorDoor;
pub(crate) use socket::{LOOK_EVERY, OperatorSocket};
