//! Messages of the server to one client, and the command that they answer.

mod labels;
mod open_command;
mod replies;

pub(crate) use labels::LabelledResponse;
pub(crate) use open_command::{BANS, OpenCommand};
pub(crate) use replies::{NO_NICK, Replies, complete};
