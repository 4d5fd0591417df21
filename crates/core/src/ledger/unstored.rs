//! Corrections after a failed commit. Only a server without other nodes has them: with other nodes,
//! everything with a place in the order is stored.

use std::sync::Arc;

use super::accounts::Account;
use super::codes::{CODE_LIFE, ReturnCode, Validity};
use super::kept::Kept;
use super::rules::Rights;
use super::state::Ledger;
use crate::model::{Act, Hashed, Line, Name, OwnedName, PersonId, RoomName, WallTime};

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

impl Ledger {
    /// Uses the numbers of these lines again: nobody has seen the lines.
    pub(crate) fn lines_not_stored(&mut self, room: &RoomName, lines: u64) {
        self.rooms.remove_lines(room, lines);
    }

    /// Returns to the state before a change, now. Later changes that build on it were put back
    /// before.
    pub(crate) fn put_back(&mut self, before: &Before, at: WallTime) {
        match before {
            Before::Topic { act, text } => {
                if let Some(room) = act.reach.room() {
                    self.rooms.set_topic(room, |topic| topic.text.clone_from(text));
                }
            }
            Before::Maker(act) => {
                if let (Some(name), Some(room)) = (act.by.name(), act.reach.room()) {
                    self.rules.unmake_room(room, name); // the maker stays there
                }
            }
            Before::Account { name, account, lost } => {
                self.put_back_account(name, account.clone(), lost);
            }
            Before::Rights(rights) => self.rules.put_back(rights),
            Before::NotKept { owner, number } => {
                self.kept.remove(owner, |kept| kept.number == *number);
            }
            Before::Kept { owner, kept } => self.kept.put_back(owner, kept),
            Before::NoCode(hash) => drop(self.codes.remove(*hash)),
            Before::Codes(codes) => {
                for (hash, code) in codes {
                    self.put_back_code(*hash, code, at);
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
            None => {
                accounts.remove(name);
                self.rules.remove_keeper_everywhere(name); // an act may have given rights meanwhile
            }
        }
        let wearers: Vec<_> = self.people.wearers(name).collect();
        for id in wearers {
            if let Some(person) = self.people.get_mut(id)
                && (lost.contains(&id) || person.proof.is_some() && person.proof == undone)
            {
                person.proof = proof;
            }
        }
        if let Some(undone) = undone.filter(|undone| Some(*undone) != proof) {
            self.codes.replace_proof(name, undone, proof);
        }
    }

    /// Returns to an earlier code. If its connection has ended since then, nobody else will end it.
    fn put_back_code(&mut self, hash: Hashed, code: &Arc<ReturnCode>, at: WallTime) {
        let mut code = Arc::clone(code);
        if let Validity::Held(id) = code.validity
            && self.people.get(id).is_none()
        {
            Arc::make_mut(&mut code).validity = Validity::Until(at.after(CODE_LIFE));
        }
        self.codes.put(hash, code);
    }
}
