//! The modes of people, and authority on the server that is lent to a connection.

use super::event::Happened;
use super::state::Ledger;
use crate::model::{Modes, Name, PersonId, ProvenAccount, Reach};
use crate::refusal::Refusal;

impl Ledger {
    /// Lends a connection the authority of a keeper of the server, who has proved the account. The
    /// person keeps their own account and name.
    pub(super) fn lend(
        &mut self,
        id: PersonId,
        account: ProvenAccount,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        self.people.get(id).ok_or(Refusal::NotThere)?;
        let released = Refusal::NameReleased(account.name.clone());
        let name = self.people.accounts.registered(account).ok_or(released)?.name;
        if !self.rules.is_keeper(&Reach::Server, &name) {
            return Err(Refusal::NoServerKeeper(name));
        }
        self.set_lent(id, Some(name), happened);
        Ok(())
    }

    /// Whether an account still has authority on the server that it can lend, and the password with
    /// which it was proved.
    pub(super) fn may_lend(&self, account: &ProvenAccount) -> bool {
        let is_keeper = self.rules.is_keeper(&Reach::Server, &account.name);
        is_keeper && self.people.accounts.has_proof(account)
    }

    /// A person sets modes, and removes some.
    pub(super) fn set_modes(
        &mut self,
        id: PersonId,
        (set, removed): (Modes, Modes),
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        let before = self.people.get(id).ok_or(Refusal::NotThere)?.modes;
        let modes = before.with(set).without(removed).without(Modes::OPERATOR);
        self.people.set_modes(id, modes);
        if modes.has(Modes::BOT) != before.has(Modes::BOT) {
            happened.extend(self.people.who(id).map(Happened::ProfileChanged));
        }
        if removed.has(Modes::OPERATOR) {
            self.set_lent(id, None, happened);
        }
        Ok(())
    }

    /// An account has another password or owner, or keeps the server no longer: what it lent ends.
    pub(super) fn end_lent(&mut self, account: &Name, happened: &mut Vec<Happened>) {
        for id in self.people.with_lent(account) {
            let before = self.account_before(id);
            self.people.set_lent(id, None);
            self.tell_account(id, before, happened);
        }
    }

    /// A person has asked for authority, or given it up, and reads so in the answer.
    fn set_lent(&mut self, id: PersonId, lent: Option<Name>, happened: &mut Vec<Happened>) {
        let before = self.account_before(id);
        self.people.set_lent(id, lent);
        self.tell_others(id, before, happened);
    }
}
