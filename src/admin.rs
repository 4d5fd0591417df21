//! What the operator does while the server runs, through a socket in the server's own directory. Knows no room.
//!
//! Who may open the socket may do anything: it has the rights of a file, and those of the server's user alone.
//!
//! The protocol is small. Whoever connects sends one line, an [`AdminOrder`] as JSON (`"list"`,
//! `{"kick":{"name":"bob","reason":["spam"]}}`), and reads lines of text: each that begins with a blank is a part of the
//! answer; the one that does not is the last, `.` if it was done, or `!` and the sentence that says why not.

mod ask;
mod desk;
mod socket;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use serde::{Deserialize, Serialize};

pub use ask::ask;
pub(crate) use desk::Desk;
pub(crate) use socket::Socket;

/// The socket in the server's directory.
const SOCKET: &str = "parlor.sock";

/// What `admin` takes.
#[derive(Debug, Args)]
pub struct AdminOptions {
    /// The directory in which the server keeps its lines [default: as for serve]
    #[arg(long, env = "PARLOR_DATA", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub data: Option<PathBuf>,
    /// What is to be done.
    #[command(subcommand)]
    pub order: AdminOrder,
}

/// What the operator wants done.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdminOrder {
    /// Have the server read its configuration again
    Reload,
    /// List everybody: name, address, rooms, and for how long silent
    List,
    /// Say something to everybody, in all rooms
    Broadcast {
        /// The words
        #[arg(required = true)]
        text: Vec<String>,
    },
    /// Have somebody leave
    Kick {
        /// The name worn
        name: String,
        /// Why: the person and the others read it
        reason: Vec<String>,
    },
}
