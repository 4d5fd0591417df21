//! The server as its clients of IRC see it. Knows no client.

use parlor_core::model::{Line, WallTime};

use crate::style::LocalClock;

/// The facts about a server that its clients read.
#[derive(Clone, Debug)]
pub struct IrcServer {
    /// Its name, in front of every numeric; see [`is_server_name`](super::name::is_server_name).
    pub name: String,
    /// The name of the network.
    pub network: String,
    /// The name and version of the program, in one word.
    pub version: String,
    /// When it started.
    pub started: WallTime,
    /// The operator's message of the day.
    pub motd: Vec<Line>,
    /// The name of the log to which the numbers of lines belong. It has no dot.
    pub log: String,
    /// The largest number of rooms in which one person sits.
    pub rooms_max: usize,
    /// The largest number of bans in a room.
    pub bans_max: usize,
    /// The clock by which people read times.
    pub clock: LocalClock,
}
