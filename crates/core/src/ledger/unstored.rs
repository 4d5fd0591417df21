//! Corrections after a failed commit. Only a server without other nodes has them: with other nodes,
//! everything with a place in the order is stored.

use std::sync::Arc;

use super::accounts::Account;
use super::codes::{CODE_LIFE, ReturnCode, Validity};
use super::event::Happened;
use super::record::Before;
use super::state::Ledger;
use crate::model::{Hashed, Name, OwnedName, PersonId, ProvenAccount, RoomName, WallTime};

impl Ledger {
    /// Uses the numbers of these lines again: nobody has seen the lines.
    pub(crate) fn lines_not_stored(&mut self, room: &RoomName, lines: u64) {
        self.rooms.remove_lines(room, lines);
    }

    /// Returns to the state before a change, now. Later changes that build on it were put back
    /// before. Adds what people read about it to `happened`.
    pub(crate) fn put_back(&mut self, before: &Before, at: WallTime, happened: &mut Vec<Happened>) {
        match before {
            Before::Topic { act, text } => {
                if let Some(room) = act.reach.room() {
                    self.rooms.set_topic(room, |topic| topic.text.clone_from(text));
                }
            }
            Before::Maker(act) => {
                if let (Some(maker), Some(room)) = (act.by.author(), act.reach.room()) {
                    self.rules.unmake_room(room, &maker.name); // the maker stays there
                }
            }
            Before::Account { name, account, lost } => {
                self.put_back_account(name, account.clone(), lost, happened);
            }
            Before::Rights(rights) => self.rules.put_back(rights),
            Before::NotKept { owner, number } => {
                self.kept.remove(owner, |kept| kept.number == *number);
            }
            Before::Kept { owner, kept } => self.kept.put_back(owner, kept),
            Before::Markers { owner, markers } => {
                self.markers.put_back(owner, markers.clone());
            }
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
        happened: &mut Vec<Happened>,
    ) {
        let accounts = &mut self.people.accounts;
        let undone = accounts.of(name).map(|account| account.proof);
        let present = account
            .as_ref()
            .map(|(account, _)| ProvenAccount { name: account.name.clone(), proof: account.proof });
        match account {
            Some((account, keys)) => {
                accounts.protect(OwnedName { name: account.name.clone(), keys });
                accounts.put(account);
            }
            None => {
                accounts.remove(name);
                self.markers.remove(name);
            }
        }
        self.put_back_log_ins(name, present.as_ref(), lost, happened);
        if present.is_none() {
            self.rules.remove_keeper_everywhere(name); // an act may have given rights meanwhile
        }
        if let Some(undone) = undone {
            self.codes.replace_account(name, undone, present.as_ref());
        }
    }

    /// Lets people be logged in to an account as before. `lost` are those whose log-in had ended.
    fn put_back_log_ins(
        &mut self,
        name: &Name,
        present: Option<&ProvenAccount>,
        lost: &[PersonId],
        happened: &mut Vec<Happened>,
    ) {
        let logged_in: Vec<_> = self.people.of_account(name).collect();
        for id in logged_in {
            self.change_account(id, present.cloned(), happened);
        }
        for &id in lost {
            match self.people.get(id) {
                Some(person) if person.account.is_some() => {} // in to another account meanwhile
                Some(person) if person.name.is_same(name) => {
                    self.people.set_account(id, present.cloned()); // nobody was told of the end
                }
                Some(_) => self.change_account(id, present.cloned(), happened),
                None => {}
            }
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
