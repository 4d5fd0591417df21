//! The state of the ledger. Its parts, one for each kind of intent, are in the files beside this
//! one.

use super::codes::Codes;
use super::kept::KeptForOwners;
use super::markers::OwnersMarkers;
use super::nodes::Nodes;
use super::people::People;
use super::rooms::RoomStates;
use super::rules::Rules;
use super::seals::Seals;
use crate::model::{PersonId, RoomName, Who};

/// The people, the rules, the rooms and the return codes of the server. A new ledger is empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    pub(crate) people: People,
    pub(crate) rules: Rules,
    pub(crate) rooms: RoomStates,
    /// Whether lines are stored, so that rooms outlast their last person.
    pub(crate) is_stored: bool,
    pub(crate) nodes: Nodes,
    pub(crate) codes: Codes,
    pub(crate) kept: KeptForOwners,
    /// How far owners have read.
    pub(crate) markers: OwnersMarkers,
    /// Seats of people who came back on another connection and have not sat down there yet; the
    /// earliest first. Each person had a few.
    pub(crate) absent: Vec<Absent>,
    /// The number of departures and new names.
    pub(super) events: u64,
    /// The keys of what is sealed in the order of several nodes.
    pub(crate) seals: Seals,
    /// How many parts of the past of a house have come, beside lines, while its first node puts them
    /// in order; none before and after.
    pub(super) importing: Option<u64>,
}

impl Ledger {
    /// Counts an event of a person. Returns its number.
    pub(super) fn next_event(&mut self) -> u64 {
        self.events += 1;
        self.events
    }
}

/// A seat of a person who came back on another connection and has not sat down again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    /// The person, on the connection that had the seat.
    pub who: Who,
    /// The new connection of the same person, which may sit down there.
    pub heir: PersonId,
    /// The room of the seat.
    pub room: RoomName,
}
