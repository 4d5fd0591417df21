//! Order in the house: what is done with authority, and what comes of it. Knows no wording, and not who may.

pub mod ban;
mod record;
mod told;

pub use ban::{Ban, Whom};
pub use record::{Deed, Record};
pub use told::{Mute, Removal, Rule, Ruling, Until, Word};

use std::net::SocketAddr;
use std::time::Duration;

use crate::model::line::Line;
use crate::model::name::{Name, RoomName};
use crate::model::time::WallTime;

/// How far somebody's authority goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// All rooms, and the door.
    Server,
    /// One room.
    Room(RoomName),
}

/// Who acts with authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// Whoever runs the server.
    Operator,
    /// The same person, on another connection.
    Oneself,
    /// Whoever changed the password of the name.
    NewPassword,
    /// A keeper of the room or of the server.
    Keeper(Name),
}

/// What somebody with authority wants done, where that reaches.
#[derive(Clone, Debug)]
pub enum Order {
    /// To know everybody in the house.
    List,
    /// To say something to everybody.
    Broadcast(Line),
    /// To remove somebody.
    Remove {
        /// The name, as typed.
        whom: Line,
        /// For the person concerned and for the others.
        reason: Option<Line>,
    },
    /// To remove somebody and not let them in again.
    Ban {
        /// The name or the address.
        whom: Whom,
        /// For how long; none is for good.
        time: Option<Duration>,
        /// For the person concerned and for the others.
        reason: Option<Line>,
    },
    /// To let somebody in again.
    Unban(Whom),
    /// To know the bans.
    Bans,
    /// To have somebody say nothing.
    Mute {
        /// The name, as typed.
        whom: Line,
        /// For how long.
        time: Duration,
    },
    /// To let somebody speak again; the name, as typed.
    Unmute(Line),
    /// To have nobody but keepers change the topic, or everybody again.
    LockTopic(bool),
    /// To know the keepers: anybody may.
    Keepers,
    /// To make the owner of a name a keeper; as typed.
    AddKeeper(Line),
    /// To have somebody be a keeper no longer; as typed.
    RemoveKeeper(Line),
}

/// What has come of an order.
#[derive(Clone, Debug)]
pub enum Done {
    /// These people are in the house.
    Everybody(Vec<Visitor>),
    /// Everybody has been told.
    Told {
        /// How many that were.
        people: usize,
        /// And how many are not reading, and have not been told.
        deaf: usize,
    },
    /// Somebody is removed.
    Removed(Name),
    /// Somebody is not let in any more.
    Banned(Ban),
    /// These are let in again.
    Unbanned(Whom),
    /// These are not let in.
    Bans {
        /// The newest first.
        bans: Vec<Ban>,
        /// How many there are beside them.
        others: usize,
    },
    /// Somebody may not speak until then.
    Muted(Name, WallTime),
    /// Somebody may speak again.
    Unmuted(Name),
    /// Whether the topic is for keepers alone.
    Locked(bool),
    /// Those who keep order.
    Keepers {
        /// The room and its keepers, where one was asked about.
        room: Option<(RoomName, Vec<Name>)>,
        /// Those of the server.
        server: Vec<Name>,
    },
    /// Somebody is a keeper from now on, or no longer.
    Keeper(Name, bool),
    /// It is done, and holds until the server ends: it could not be written down.
    Unwritten(Box<Done>),
}

impl Done {
    /// What it takes in memory, in bytes; an estimate.
    pub(crate) fn weight(&self) -> usize {
        let reason = |ban: &Ban| ban.reason.as_ref().map_or(0, Line::len);
        match self {
            Done::Bans { bans, .. } => bans.iter().map(|ban| size_of::<Ban>() + reason(ban)).sum(),
            Done::Keepers { room, server } => {
                let room = room.as_ref().map_or(0, |(_, keepers)| keepers.len());
                (room + server.len()) * size_of::<Name>()
            }
            _ => 64,
        }
    }
}

/// So many bans are answered to somebody in a room: they fit a mailbox with usual reasons.
pub const BANS_SHOWN_MAX: usize = 50;

/// Somebody in the house, as whoever keeps it sees them.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The name worn.
    pub name: Name,
    /// Where the connection comes from.
    pub address: Option<SocketAddr>,
    /// The rooms in which they sit.
    pub rooms: Vec<RoomName>,
    /// How long they have said nothing.
    pub silent: Duration,
}

/// Whether a word is meant for a time, be it one or not: a ban for `30min` must not become one for good.
pub fn is_meant_as_time(typed: &str) -> bool {
    let digits = typed.strip_prefix(['-', '+']).unwrap_or(typed);
    digits.starts_with(|c: char| c.is_ascii_digit())
}

/// Times as people type them: `90s`, `30m`, `2h`, `7d`, `4w`. At most ten years.
pub fn parse_time(typed: &str) -> Option<Duration> {
    const TIME_MAX: u64 = 3650 * 86_400;
    let unit = typed.chars().last()?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => return None,
    };
    let number = typed.strip_suffix(unit)?;
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = digits.then(|| number.parse().ok()).flatten()?;
    let seconds = number.checked_mul(seconds)?;
    (1..=TIME_MAX)
        .contains(&seconds)
        .then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::parse_time;

    #[test]
    fn times_are_a_number_and_a_unit() {
        for (typed, seconds) in [
            ("90s", 90),
            ("30m", 1_800),
            ("2h", 7_200),
            ("7d", 604_800),
            ("4w", 2_419_200),
        ] {
            assert_eq!(parse_time(typed).map(|time| time.as_secs()), Some(seconds));
        }
        for typed in [
            "",
            "m",
            "0m",
            "-1m",
            "+1m",
            "1.5h",
            "30",
            "30 m",
            "2y",
            "é",
            "9999999999999999999d",
            "9999d",
        ] {
            assert_eq!(parse_time(typed), None, "{typed}");
        }
    }
}
