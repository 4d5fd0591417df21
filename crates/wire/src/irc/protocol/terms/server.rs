//! The server as its clients of IRC see it. Knows no client.

use parlor_core::model::{Line, WallTime};

use super::msgid::{MsgId, MsgPlace};
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

impl IrcServer {
    /// The id of a message that is not stored: the broadcaster has counted it since the start.
    pub(crate) fn passing(&self, count: u64) -> MsgId<'_> {
        let start = u64::try_from(self.started.0).unwrap_or(0);
        MsgId { log: &self.log, place: MsgPlace::Passing { start, count } }
    }
}
