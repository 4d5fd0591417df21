//! The state of the ledger. Its parts, one for each kind of intent, are in the files beside this
//! one.

use super::past::Past;
use super::people::People;
use super::rooms::RoomStates;
use super::rules::Rules;
use crate::model::{OwnedName, PersonId, Reach, RoomName, Who};

/// The people, the rules and the rooms of the server.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) people: People,
    pub(crate) rules: Rules,
    pub(crate) rooms: RoomStates,
    /// The people who leave as soon as the act is stored, and the places that they leave.
    pub(crate) leaving: Vec<(PersonId, Reach)>,
    /// Seats of people who came back on another connection and have not sat down there yet; the
    /// earliest first. Each person had a few.
    pub(super) absent: Vec<Absent>,
}

/// A seat of a person who came back on another connection and has not sat down again.
#[derive(Debug)]
pub(super) struct Absent {
    /// The person, on the connection that had the seat.
    pub(super) who: Who,
    /// The new connection of the same person, which may sit down there.
    pub(super) heir: PersonId,
    pub(super) room: RoomName,
}

impl Ledger {
    /// A ledger that continues from the contents of a journal: the numbers of each room continue,
    /// even if it was empty. Names that have an owner belong to the owner.
    pub(crate) fn resume(past: Past) -> Ledger {
        let mut people = People::default();
        for name in past.owned {
            people.own(OwnedName::from(name));
        }
        Ledger {
            people,
            rules: Rules::resume(past.keepers, past.makers, past.bans, past.mutes),
            rooms: RoomStates::resume(past.ends, past.topics),
            ..Ledger::default()
        }
    }
}
