//! What the operator does while the server runs, through a socket in the server's own directory.
//! Knows no room.
//!
//! Who may open the socket may do anything: it has the rights of a file, and those of the server's
//! user alone.
//!
//! The protocol is small. Whoever connects sends one line, an [`AdminOrder`] as JSON (`"list"`,
//! `{"kick":{"name":"bob","reason":["spam"]}}`), and reads lines of text: each that begins with a
//! blank is a part of the answer; the one that does not is the last, `.` if it was done, or `!` and
//! the sentence that says why not.

mod desk;
mod secret;
mod socket;

pub(crate) use desk::Desk;
pub(crate) use secret::read_password;
pub(crate) use socket::{LOOK_EVERY, Socket};

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use serde::{Deserialize, Serialize};

/// The socket in the server's directory.
pub(crate) const SOCKET: &str = "parlor.sock";

/// What `admin` takes.
#[derive(Debug, Args)]
pub struct AdminOptions {
    /// The directory in which the server stores its lines [default: as for serve]
    #[arg(long, global = true, env = "PARLOR_DATA", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub data: Option<PathBuf>,
    /// What is to be done.
    #[command(subcommand)]
    pub order: AdminOrder,
}

/// What the operator wants done.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdminOrder {
    /// Read the configuration again
    Reload,
    /// List everybody: name, address, rooms, time since the last line
    List,
    /// Send a notice to everybody, in all rooms
    Broadcast {
        /// The text
        #[arg(required = true)]
        text: Vec<String>,
    },
    /// Remove somebody
    Kick {
        /// The person's name
        name: String,
        /// The reason; the person and the others read it
        reason: Vec<String>,
    },
    /// Ban somebody and remove them
    Ban {
        /// The name, or the address: 192.0.2.7, 192.0.2.0/24, 2001:db8::/32
        whom: String,
        /// How long, as 30m, 2h or 7d, else for good; and the reason
        #[arg(value_name = "TIME|REASON")]
        words: Vec<String>,
    },
    /// Lift a ban
    Unban {
        /// The name, or the address
        whom: String,
    },
    /// List the bans
    Bans,
    /// Silence somebody
    Mute {
        /// The person's name
        name: String,
        /// How long, as 30m, 2h or 7d
        #[arg(default_value = "10m")]
        time: String,
    },
    /// Let somebody speak again
    Unmute {
        /// The name
        name: String,
    },
    /// List, add or remove keepers of the server
    Keeper {
        /// What is to be done.
        #[command(subcommand)]
        order: KeeperOrder,
    },
    /// List registered names, release one, or set a new password for its owner
    Name {
        /// What is to be done.
        #[command(subcommand)]
        order: NameOrder,
    },
    /// Print the log of moderation, oldest first
    Log {
        /// How many of the latest entries
        #[arg(default_value_t = LOG_ROWS)]
        rows: usize,
    },
}

/// So much of the log is printed where nothing else is said.
const LOG_ROWS: usize = 100;

/// What the operator wants to know of keepers, or of one.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeeperOrder {
    /// Make somebody a keeper of the server; the name must be registered
    Add {
        /// The name
        name: String,
    },
    /// Remove somebody as a keeper
    Remove {
        /// The name
        name: String,
    },
    /// List the keepers of the server
    List,
}

/// What the operator wants done with a registered name.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NameOrder {
    /// List the registered names: since when, and when the owner was last here
    List,
    /// Make a name free again: its password, token, return codes, waiting messages and keeper roles
    /// are deleted
    Release {
        /// The name
        name: String,
    },
    /// Set a new password for the owner of a name; it is read from the terminal or from standard
    /// input
    Password {
        /// The name
        name: String,
        /// What was typed, and never stands among the arguments.
        #[arg(skip)]
        password: String,
    },
}
