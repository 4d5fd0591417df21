//! The contents of a journal, with which a ledger starts.

use std::collections::BTreeMap;

use crate::model::{Act, End, Name, Reach, RoomName, Topic};

/// The journal's contents from earlier runs, with which a server starts.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// The end of each room's lines.
    pub ends: BTreeMap<RoomName, End>,
    /// The registered names, in the registered spelling.
    pub owned: Vec<Name>,
    /// The keepers, and where each has authority.
    pub keepers: Vec<(Reach, Name)>,
    /// The makers of the rooms that have keepers.
    pub makers: BTreeMap<RoomName, Name>,
    /// The bans.
    pub bans: Vec<Act>,
    /// The mutes.
    pub mutes: Vec<Act>,
    /// The topics of the rooms.
    pub topics: BTreeMap<RoomName, Topic>,
}
