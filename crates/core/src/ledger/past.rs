//! The contents of a journal, with which a ledger starts.

use std::collections::BTreeMap;
use std::iter;
use std::sync::Arc;

use super::accounts::Account;
use super::codes::{ReturnCode, Validity};
use super::kept::Kept;
use super::room_rules::RulesOfRoom;
use super::rules::Mute;
use super::snapshot::Snapshot;
use super::state::Ledger;
use crate::intent::Import;
use crate::model::{
    Act, End, Hashed, Name, OwnedName, Reach, RoomName, RoomRules, Topic, WallTime,
};

/// The journal's contents from earlier runs, with which a server starts.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// The end of each room's lines.
    pub ends: BTreeMap<RoomName, End>,
    /// The names that have an owner, the earliest registration first.
    pub accounts: Vec<Account>,
    /// The return codes that may be valid still. Those of owners have the proof of the account above.
    pub codes: Vec<(Hashed, ReturnCode)>,
    /// The messages for absent owners, the oldest first.
    pub kept: Vec<(Name, Kept)>,
    /// How far owners have read: the name, the key of the conversation, and the time.
    pub markers: Vec<(Name, Box<str>, WallTime)>,
    /// The highest number of a message; there may be one whose owner is gone.
    pub last_kept: u64,
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
    /// The rules of the rooms.
    pub rules: BTreeMap<RoomName, RoomRules>,
}

impl Past {
    /// Its parts for the first of several nodes, in an order in which ledgers can take them over. The
    /// messages and the lines are left out: their texts are not here.
    pub fn imports(self) -> impl Iterator<Item = Import> {
        let Past { accounts, codes, markers, keepers, makers, bans, mutes, topics, rules, .. } =
            self;
        let accounts = accounts.into_iter().flat_map(|account| {
            let Account { name, since, password, token, proof: _ } = account;
            let token = token.map(|token| Import::Token { name: name.clone(), token });
            iter::once(Import::Account { name: name.into(), since, password }).chain(token)
        });
        let keepers = keepers.into_iter().map(|(reach, name)| Import::Keeper { reach, name });
        let makers = makers.into_iter().map(|(room, name)| Import::Maker { room, name });
        let acts = bans.into_iter().map(Import::Ban).chain(mutes.into_iter().map(Import::Mute));
        let topics = topics.into_iter().map(|(room, topic)| Import::Topic { room, topic });
        let rules = rules.into_iter().map(|(room, rules)| Import::Rules { room, rules });
        let codes = codes.into_iter().filter_map(|(code, of)| {
            let ReturnCode { claim, looks, room, seq, validity } = of;
            let Validity::Until(until) = validity else {
                return None;
            };
            Some(Import::Code { code, claim, looks, room, seq, until })
        });
        let markers = markers.into_iter();
        let markers = markers.map(|(owner, key, at)| Import::Marker { owner, key, at });
        let of_rooms = acts.chain(topics).chain(rules);
        accounts.chain(keepers).chain(makers).chain(of_rooms).chain(codes).chain(markers)
    }
}

impl Ledger {
    /// A ledger that continues from the contents of a journal: the numbers of each room continue,
    /// even if it was empty. Names that have an owner belong to the owner.
    pub(crate) fn resume(past: Past) -> Ledger {
        let Past { ends, accounts, codes, kept, last_kept, keepers, makers, bans, mutes, .. } =
            past;
        let markers = past.markers;
        let muted = |act| Mute { people: Vec::new(), act }; // the journal knows only the name
        let (topics, rules) = (past.topics, past.rules.into_iter());
        let rules = rules.filter(|(_, rules)| !rules.is_nothing());
        let rules = rules.map(|(room, rules)| (room, RulesOfRoom::lasting(rules))).collect();
        let mutes = mutes.into_iter().map(muted).collect();
        let rest = Snapshot { is_stored: true, last_kept, ..Snapshot::default() };
        let mut ledger =
            Ledger::restore(Snapshot { ends, keepers, makers, bans, mutes, topics, rules, ..rest });
        for account in accounts {
            ledger.people.accounts.protect(OwnedName::from(account.name.clone()));
            ledger.people.accounts.put(Arc::new(account));
        }
        for (hash, mut code) in codes {
            if let Some(account) = code.claim.account.take() {
                code.claim.account = ledger.people.accounts.registered(account);
                if code.claim.account.is_none() {
                    continue; // the name has no owner any more
                }
            }
            ledger.codes.put(hash, Arc::new(code));
        }
        for (owner, kept) in kept {
            ledger.kept.add(&owner, kept);
        }
        for (owner, key, at) in markers {
            ledger.markers.of_mut(&owner).advance(&key, at);
        }
        ledger
    }
}
