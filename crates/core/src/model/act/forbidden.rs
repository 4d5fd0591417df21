//! Why an order is not carried out, or why somebody may not do something. Knows no wording.

use super::Reach;
use super::ban::{Ban, Whom};
use super::told::Mute;
use crate::model::line::Line;
use crate::model::name::{Name, RoomName};

/// Why an order is not carried out, or why somebody may not do something.
#[derive(Clone, Debug)]
pub enum Forbidden {
    /// Only keepers may do that here.
    NoKeeper,
    /// Whoever keeps the same cannot be removed, banned or muted.
    Keeps(Name),
    /// The operator is to take that from a keeper first.
    KeepsStill(Name),
    /// Somebody who keeps it comes from there.
    LocksOut(Name),
    /// What was typed is no address.
    NoAddress(Line),
    /// The address is that of this machine.
    ThisMachine,
    /// Somebody sits in another room.
    Elsewhere(Name, RoomName),
    /// One is not let in.
    Banned(Ban),
    /// One may not speak.
    Muted(Mute),
    /// The topic is locked: only keepers can change it.
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
        let is_for_all = |ban: &Ban| ban.reach == Reach::Server && matches!(ban.whom, Whom::Net(_));
        matches!(self, Forbidden::Banned(ban) if is_for_all(ban))
    }
}
