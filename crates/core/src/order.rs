//! Order in the house: what is done with authority, and what comes of it. Knows no wording, and not who may.

use std::net::SocketAddr;
use std::time::Duration;

use crate::ban::{Ban, Whom};
use crate::line::Line;
use crate::name::{Name, RoomName};
use crate::time::WallTime;

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

/// Why an order is not carried out, or why somebody may not do something.
#[derive(Clone, Debug)]
pub enum Forbidden {
    /// Only keepers may do that here.
    NoKeeper,
    /// Whoever keeps the same cannot be removed, banned or muted.
    Keeps(Name),
    /// Somebody who keeps it comes from there.
    LocksOut(Name),
    /// The address is that of this machine.
    ThisMachine,
    /// Somebody sits in another room.
    Elsewhere(Name, RoomName),
    /// One is not let in.
    Banned(Ban),
    /// One may not speak.
    Muted(Mute),
    /// The topic is for keepers alone.
    TopicLocked,
    /// A keeper needs a name with an owner.
    NotRegistered(Line),
    /// Somebody is a keeper already.
    KeepsAlready(Name),
    /// Somebody is no keeper.
    KeepsNot(Line),
    /// A room needs one keeper.
    LastKeeper(Name),
    /// Nobody names keepers of the lobby: the server's keep it.
    Lobby,
    /// That is not banned.
    NotBanned(Whom),
    /// That person is not muted.
    NotMuted(Name),
    /// There are as many as there may be: bans, mutes or keepers.
    TooMany(usize),
}

impl Forbidden {
    /// Whether another name would be of no use: it is the address that is not let in.
    pub fn is_for_any_name(&self) -> bool {
        matches!(self, Forbidden::Banned(ban) if matches!(ban.whom, Whom::Net(_)))
    }
}

/// That somebody is removed, for the person concerned and for the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// From where.
    pub reach: Reach,
    /// Who did it.
    pub by: By,
    /// Why, if that was said.
    pub reason: Option<Line>,
    /// Whether, and until when, they are not let in again.
    pub ban: Option<Until>,
}

/// The end of something that may have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Until(pub Option<WallTime>);

/// That somebody may not speak.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mute {
    /// Where.
    pub reach: Reach,
    /// Who did it.
    pub by: By,
    /// Until when.
    pub until: WallTime,
}

/// A word with authority that nobody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// The operator says something to everybody.
    Says(Line),
    /// One is removed.
    Removed(Removal),
    /// One may not speak.
    Muted(Mute),
    /// One may speak again.
    Unmuted(By),
}

/// What all in a room read of something that was done with authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// Who did it.
    pub by: By,
    /// What it is.
    pub rule: Rule,
}

impl Ruling {
    /// What it takes in memory, in bytes; an estimate.
    pub(crate) fn weight(&self) -> usize {
        let text = match &self.rule {
            Rule::Banned { reason, .. } => reason.as_ref().map_or(0, Line::len),
            _ => 0,
        };
        size_of::<Ruling>() + text
    }
}

/// What holds in a room from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Somebody is not let in.
    Banned {
        /// Who.
        whom: Whom,
        /// Until when.
        until: Option<WallTime>,
        /// Why, if that was said.
        reason: Option<Line>,
    },
    /// Somebody is let in again.
    Unbanned(Whom),
    /// Somebody may not speak until then.
    Muted(Name, WallTime),
    /// Somebody may speak again.
    Unmuted(Name),
    /// Whether the topic is for keepers alone.
    Locked(bool),
    /// Somebody is a keeper, or no longer.
    Keeper(Name, bool),
}

/// Something that was done with authority, as it is to be written down.
#[derive(Clone, Debug)]
pub struct Record {
    /// When.
    pub at: WallTime,
    /// By whom.
    pub by: By,
    /// How far it reaches.
    pub reach: Reach,
    /// What.
    pub deed: Deed,
}

/// What was done with authority.
#[derive(Clone, Debug)]
pub enum Deed {
    /// Something was said to everybody.
    Broadcast(Line),
    /// Somebody was removed.
    Remove(Name, Option<Line>),
    /// Somebody is not let in any more.
    Ban(Ban),
    /// Somebody is let in again.
    Unban(Whom),
    /// Somebody may not speak until then.
    Mute(Name, WallTime),
    /// Somebody may speak again.
    Unmute(Name),
    /// The topic is for keepers alone, or for everybody.
    Lock(bool),
    /// A room was made, and its maker keeps it.
    Make(Name),
    /// Somebody is a keeper.
    AddKeeper(Name),
    /// Somebody is a keeper no longer.
    RemoveKeeper(Name),
    /// The configuration was read again.
    Reload,
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
