//! Corrections after a failed commit. Only a server without other nodes has them: with other nodes,
//! everything with a place in the order is stored.

use std::sync::Arc;

use super::accounts::Account;
use super::codes::ReturnCode;
use super::kept::Kept;
use super::rules::Rights;
use super::state::Ledger;
use crate::model::{Act, Hashed, Line, Name, OwnedName, PersonId, RoomName};

/// The state before a change, to which the ledger returns if the change cannot be stored.
#[derive(Clone, Debug)]
pub enum Before {
    /// A topic: the act changed it.
    Topic {
        /// The act.
        act: Arc<Act>,
        /// The topic before.
        text: Option<Line>,
    },
    /// The maker of a room was not its keeper.
    Maker(Arc<Act>),
    /// The owner of a name.
    Account {
        /// The name.
        name: Name,
        /// The account, and those of its keys that were given up with it; none if the name had no
        /// owner.
        account: Option<(Arc<Account>, Vec<Box<str>>)>,
        /// The people whose proof was valid.
        lost: Vec<PersonId>,
    },
    /// The rights of an owner.
    Rights(Rights),
    /// There was no return code with this hash.
    NoCode(Hashed),
    /// Return codes of an owner.
    Codes(Vec<(Hashed, Arc<ReturnCode>)>),
    /// There was no message with this number for an owner.
    NotKept {
        /// The name.
        owner: Name,
        /// The number.
        number: u64,
    },
    /// Messages waited for an owner.
    Kept {
        /// The name.
        owner: Name,
        /// The messages.
        kept: Vec<Kept>,
    },
}

impl Before {
    /// Replaces the state before a later change, if that change is of the same thing. Returns
    /// whether it is.
    pub(crate) fn replaces(&self, later: &mut Before) -> bool {
        match (self, later) {
            (Before::Topic { act, text }, Before::Topic { act: other, text: later })
                if act.reach == other.reach =>
            {
                later.clone_from(text);
            }
            (
                Before::Account { name, account, .. },
                Before::Account { name: other, account: later, .. },
            ) if name.is_same(other) => {
                let keys = later.take().map(|(_, keys)| keys).unwrap_or_default();
                *later = account.clone().map(|(account, given_up)| match given_up.is_empty() {
                    true => (account, keys),
                    false => (account, given_up),
                });
            }
            (Before::NotKept { owner, number }, Before::Kept { owner: other, kept })
                if owner.is_same(other) =>
            {
                kept.retain(|kept| kept.number != *number);
                return false; // it may wait still
            }
            _ => return false,
        }
        true
    }
}

impl Ledger {
    /// Uses the numbers of these lines again: nobody has seen the lines.
    pub(crate) fn lines_not_stored(&mut self, room: &RoomName, lines: u64) {
        self.rooms.remove_lines(room, lines);
    }

    /// Returns to the state before a change, which is the last one of its thing.
    pub(crate) fn put_back(&mut self, before: &Before) {
        match before {
            Before::Topic { act, text } => {
                if let Some(room) = act.reach.room() {
                    self.rooms.set_topic(room, |topic| topic.text.clone_from(text));
                }
            }
            Before::Maker(act) => {
                if let Some(name) = act.by.name() {
                    self.rules.remove_keeper(&act.reach, name); // the maker stays in the room
                }
            }
            Before::Account { name, account, lost } => {
                self.put_back_account(name, account.clone(), lost);
            }
            Before::Rights(rights) => self.rules.put_back(rights),
            Before::NotKept { owner, number } => {
                self.kept.remove(owner, |kept| kept.number == *number);
            }
            Before::Kept { owner, kept } => {
                if self.people.accounts.of(owner).is_some() && !kept.is_empty() {
                    self.kept.put_back(owner, kept);
                }
            }
            Before::NoCode(hash) => drop(self.codes.remove(*hash)),
            Before::Codes(codes) => {
                for (hash, code) in codes {
                    self.codes.put(*hash, Arc::clone(code));
                }
            }
        }
    }

    /// Returns to an earlier owner of a name. Proofs of the later password become proofs of the
    /// earlier one: all were given by the same person.
    fn put_back_account(
        &mut self,
        name: &Name,
        account: Option<(Arc<Account>, Vec<Box<str>>)>,
        lost: &[PersonId],
    ) {
        let accounts = &mut self.people.accounts;
        let undone = accounts.of(name).map(|account| account.proof);
        let proof = account.as_ref().map(|(account, _)| account.proof);
        match account {
            Some((account, keys)) => {
                accounts.protect(OwnedName { name: account.name.clone(), keys });
                accounts.put(account);
            }
            None => drop(accounts.remove(name)),
        }
        let wearers: Vec<_> = self.people.wearers(name).collect();
        for id in wearers {
            if let Some(person) = self.people.get_mut(id)
                && (lost.contains(&id) || person.proof.is_some() && person.proof == undone)
            {
                person.proof = proof;
            }
        }
    }
}
