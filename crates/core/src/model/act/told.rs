//! What people read of something done with authority, as values. Knows no wording.

use super::ban::Whom;
use super::{By, Reach};
use crate::model::line::Line;
use crate::model::name::Name;
use crate::model::time::WallTime;

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
