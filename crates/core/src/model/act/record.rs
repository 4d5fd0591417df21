//! What was done with authority, as it is written down. Knows no file.

use super::ban::{Ban, Whom};
use super::{By, Reach};
use crate::model::line::Line;
use crate::model::name::Name;
use crate::model::time::WallTime;

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
    /// The topic is locked: only keepers can change it, or for everybody.
    Lock(bool),
    /// A room has this topic, or none. Anybody may do that, so it is kept and not told of.
    Topic(Option<Line>),
    /// A room was made, and its maker keeps it.
    Make(Name),
    /// Somebody is a keeper.
    AddKeeper(Name),
    /// Somebody is a keeper no longer.
    RemoveKeeper(Name),
    /// A name has no owner any more.
    ReleaseName(Name),
    /// The owner of a name has another password.
    SetPassword(Name),
    /// The configuration was read again.
    Reload,
}
