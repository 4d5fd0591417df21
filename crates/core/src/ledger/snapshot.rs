//! The ledger as plain data, so that another process can continue from it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::accounts::{Account, Owners};
use super::codes::{Codes, ReturnCode};
use super::kept::{Kept, KeptForOwners};
use super::markers::{Markers, OwnersMarkers};
use super::nodes::{Boot, Nodes};
use super::people::{People, Person};
use super::room_rules::RulesOfRoom;
use super::rooms::RoomStates;
use super::rules::{Mute, Rules};
use super::seals::Seals;
use super::state::{Absent, Ledger};
use crate::model::{
    Act, End, Format, Hashed, Name, PersonId, Proof, Reach, RoomName, Topic, WallTime,
};

/// Everything that a ledger knows, in one order: two ledgers are equal if and only if their
/// snapshots are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The format in which all nodes write, snapshots too.
    pub format: Format,
    /// The people on the server.
    pub people: BTreeMap<PersonId, Person>,
    /// The names that have an owner, in the order of their first keys.
    pub accounts: Vec<Arc<Account>>,
    /// Every key that nobody but the owner of this name may have.
    pub owned: BTreeMap<Box<str>, Name>,
    /// The number of the latest password.
    pub last_proof: Proof,
    /// The keepers, by the place of their authority; the oldest of each place first.
    pub keepers: Vec<(Reach, Name)>,
    /// The makers of rooms that have keepers.
    pub makers: BTreeMap<RoomName, Name>,
    /// The bans, by the place where they hold; the oldest of each place first.
    pub bans: Vec<Act>,
    /// The mutes, the oldest first.
    pub mutes: Vec<Mute>,
    /// The end of the lines of each room that has lines.
    pub ends: BTreeMap<RoomName, End>,
    /// The topic of each room that has a topic or a lock.
    pub topics: BTreeMap<RoomName, Topic>,
    /// Whether lines are stored, so that rooms outlast their last person.
    pub is_stored: bool,
    /// The return codes, by their hashes.
    pub codes: BTreeMap<Hashed, Arc<ReturnCode>>,
    /// The messages for absent owners, the oldest first, by the first key of the owner's name.
    pub kept: BTreeMap<Box<str>, Vec<Kept>>,
    /// The number of the latest message.
    pub last_kept: u64,
    /// The seats of people who came back on another connection and have not sat down there yet;
    /// the earliest first.
    pub absent: Vec<Absent>,
    /// The last boot of each node.
    pub boots: BTreeMap<u32, Boot>,
    /// The number of the last boot of all.
    pub last_boot: u32,
    /// The time of the last proposal of a node.
    pub at: WallTime,
    /// The number of departures and new names.
    pub events: u64,
    /// The rooms whose topic is locked only as long as somebody sits there.
    pub locked_for_now: Vec<RoomName>,
    /// How far owners have read, by the first key of the owner's name.
    pub markers: BTreeMap<Box<str>, Markers>,
    /// The rules of the rooms that have rules.
    pub rules: BTreeMap<RoomName, RulesOfRoom>,
    /// The keys of what is sealed.
    pub seals: Seals,
    /// How many parts of the past of a house have come, beside lines, while its first node puts them
    /// in order; none before and after.
    pub importing: Option<u64>,
}

impl Ledger {
    /// Everything that the ledger knows. Takes time in proportion to that.
    pub fn snapshot(&self) -> Snapshot {
        let Ledger { people, rules, rooms, is_stored, codes, kept, nodes, absent, .. } = self;
        let Ledger { events, markers, seals, importing, .. } = self;
        let keepers = rules
            .keepers
            .iter()
            .flat_map(|(reach, names)| names.iter().map(|name| (reach.clone(), name.clone())));
        let ends = rooms.iter().map(|(room, state)| (room.clone(), state.end));
        let topics = rooms.iter().map(|(room, state)| (room.clone(), state.topic.clone()));
        let with_rules = rooms.iter().filter(|(_, state)| !state.rules.is_nothing());
        let locked_for_now = rooms.iter().filter(|(_, state)| state.is_locked_for_now);
        Snapshot {
            format: nodes.format,
            people: people.people.clone(),
            accounts: people.accounts.accounts.values().cloned().collect(),
            owned: people.accounts.keys.clone(),
            last_proof: people.accounts.last_proof,
            keepers: keepers.collect(),
            makers: rules.makers.clone(),
            bans: rules.bans.values().flatten().cloned().collect(),
            mutes: rules.mutes.clone(),
            ends: ends.filter(|(_, end)| *end != End::default()).collect(),
            topics: topics.filter(|(_, topic)| !topic.is_nothing()).collect(),
            is_stored: *is_stored,
            codes: codes.codes.clone(),
            kept: kept.waiting.clone(),
            last_kept: kept.last,
            absent: absent.clone(),
            boots: nodes.boots.clone(),
            last_boot: nodes.last_boot,
            at: nodes.at,
            events: *events,
            locked_for_now: locked_for_now.map(|(room, _)| room.clone()).collect(),
            markers: markers.markers.clone(),
            seals: seals.clone(),
            importing: *importing,
            rules: with_rules.map(|(room, state)| (room.clone(), state.rules.clone())).collect(),
        }
    }

    /// The ledger of a snapshot: it equals the first one, and does the same with each intent.
    pub fn restore(snapshot: Snapshot) -> Ledger {
        let Snapshot { people, keepers, makers, bans, mutes, .. } = snapshot;
        let accounts = Owners::restore(snapshot.accounts, snapshot.owned, snapshot.last_proof);
        let mut rooms = RoomStates::restore(
            snapshot.ends,
            snapshot.topics,
            snapshot.locked_for_now,
            snapshot.rules,
        );
        let absent = snapshot.absent.iter().map(|absent| &absent.room);
        for room in people.values().flat_map(|person| &person.seats).chain(absent) {
            rooms.add_seat(room);
        }
        Ledger {
            people: People::restore(people, accounts),
            rules: Rules::restore(keepers, makers, bans, mutes),
            rooms,
            is_stored: snapshot.is_stored,
            nodes: Nodes {
                format: snapshot.format,
                boots: snapshot.boots,
                last_boot: snapshot.last_boot,
                at: snapshot.at,
            },
            codes: Codes::restore(snapshot.codes),
            kept: KeptForOwners { waiting: snapshot.kept, last: snapshot.last_kept },
            absent: snapshot.absent,
            events: snapshot.events,
            markers: OwnersMarkers { markers: snapshot.markers },
            seals: snapshot.seals,
            importing: snapshot.importing,
        }
    }
}
