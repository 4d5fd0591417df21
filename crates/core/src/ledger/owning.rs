//! Changes of ownership: a name gets an owner, loses its owner, or gets a new password or token.
//! Knows only hashes.

use std::sync::Arc;

use super::accounts::Account;
use super::event::Happened;
use super::people::Person;
use super::record::{Before, Record};
use super::state::Ledger;
use crate::model::{
    Act, By, Deed, Erasable, Hashed, Line, Name, OwnedName, PersonId, Proof, ProvenAccount, Verb,
    WallTime, Whom,
};
use crate::refusal::Refusal;

/// Why an owner's connections end when the operator releases the name.
const RELEASED: &str = "this name is no longer registered";

impl Ledger {
    /// Gives a name an owner. Everybody else who has the name leaves.
    pub(super) fn register(
        &mut self,
        owned: OwnedName,
        since: WallTime,
        password: Erasable<Arc<str>>,
        by: PersonId,
        at: WallTime,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        let account = self.people.accounts.add(owned, since, password)?;
        let record = Record::Account(Arc::clone(&account));
        self.change_hands((&account, None), record, Some(by), at, happened);
        Ok(())
    }

    /// Gives the owner of a name another password, so earlier proofs become invalid. Everybody who
    /// has the name leaves, except the person who asks. `proof` is that of the old password; the
    /// operator needs none.
    pub(super) fn change_password(
        &mut self,
        (name, proof): (&Name, Option<Proof>),
        password: Erasable<Arc<str>>,
        keeps_token: bool,
        by: Option<PersonId>,
        at: WallTime,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        let old = self.account_proven(name, proof)?;
        let (old_password, old_token) = (old.password.key(), key_of(&old));
        let token = old.token.clone().filter(|_| keeps_token);
        self.seals.give_up(old_password);
        self.seals.give_up(old_token.filter(|_| !keeps_token));
        let proof = self.people.accounts.next_proof();
        let account = Arc::new(Account { password, token, proof, ..Account::clone(&old) });
        self.people.accounts.put(Arc::clone(&account));
        let record = Record::NewPassword(Arc::clone(&account));
        self.change_hands((&account, Some(old)), record, by, at, happened);
        self.end_codes_of_owner(name, happened);
        if by.is_none() {
            happened.push(Happened::changed(of_operator(Verb::SetPassword, name, at), None));
        }
        Ok(())
    }

    /// Stores the hash of the same password in another form.
    pub(super) fn rehash(
        &mut self,
        name: &Name,
        proof: Proof,
        password: Erasable<Arc<str>>,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        let old = self.account_proven(name, Some(proof))?;
        self.seals.give_up(old.password.key());
        self.replace(Account { password, ..Account::clone(&old) }, old, happened);
        Ok(())
    }

    /// Gives the owner of a name another token for scripts, or none.
    pub(super) fn set_token(
        &mut self,
        name: &Name,
        proof: Proof,
        token: Option<Erasable<Hashed>>,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        let old = self.account_proven(name, Some(proof))?;
        if old.token != token {
            self.seals.give_up(key_of(&old));
            self.replace(Account { token, ..Account::clone(&old) }, old, happened);
        }
        Ok(())
    }

    /// Releases a name. Its owner leaves, and loses all keeper rights.
    pub(super) fn release(
        &mut self,
        name: &Name,
        at: WallTime,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        let Some((account, keys)) = self.people.accounts.remove(name) else {
            return Err(not_registered(name));
        };
        self.seals.give_up(account.password.key());
        self.seals.give_up(key_of(&account));
        self.seals.release_lines(name);
        self.delete_messages(name.clone(), u64::MAX, happened);
        self.delete_markers(name, happened);
        let (people, lost) = self.lose(name, None, happened);
        let rights = self.rules.remove_keeper_everywhere(name);
        let before = Before::Account { name: name.clone(), account: Some((account, keys)), lost };
        let act = removal(By::Operator, name, Some(RELEASED), at);
        happened.extend([
            Happened::changed(Record::Released(name.clone()), Some(before)),
            Happened::changed(
                of_operator(Verb::ReleaseName, name, at),
                Some(Before::Rights(rights)),
            ),
            Happened::NameLost { name: name.clone(), people, act },
        ]);
        self.end_codes_of_owner(name, happened);
        Ok(())
    }

    /// The people who must lose a name because a change of its owner was undone, and the act that
    /// removes them: strangers who took it while it had no owner; or, if it has no owner, all but
    /// one connection.
    pub(crate) fn usurpers(&self, name: &Name, at: WallTime) -> (Vec<PersonId>, Arc<Act>) {
        let wearers = self.people.wearers(name);
        let is_stranger = |id: &PersonId| !self.people.get(*id).is_some_and(Person::is_owner);
        let (people, state) = match self.people.accounts.of(name) {
            Some(_) => (wearers.filter(is_stranger).collect(), "is registered"),
            None => (wearers.skip(1).collect(), "is not registered"),
        };
        let why = format!("the name {name} {state}");
        (people, removal(By::Operator, name, Some(&why), at))
    }

    /// The account of a name, if the proof is that of its present password. The operator needs no
    /// proof.
    fn account_proven(&self, name: &Name, proof: Option<Proof>) -> Result<Arc<Account>, Refusal> {
        match (self.people.accounts.of(name), proof) {
            (Some(account), None) => Ok(Arc::clone(account)),
            (Some(account), Some(proof)) if account.proof == proof => Ok(Arc::clone(account)),
            (None, None) => Err(not_registered(name)),
            (_, Some(_)) => Err(Refusal::NotOwner),
        }
    }

    /// Notes a change of an account that ends no proof.
    fn replace(&mut self, account: Account, old: Arc<Account>, happened: &mut Vec<Happened>) {
        let (name, account) = (account.name.clone(), Arc::new(account));
        self.people.accounts.put(Arc::clone(&account));
        let before = Before::Account { name, account: Some((old, Vec::new())), lost: Vec::new() };
        happened.push(Happened::changed(Record::Account(account), Some(before)));
    }

    /// Notes that an account has a new password. Everybody who has the name leaves, and everybody else
    /// who was logged in to it is logged out, except `by`, who has proved to be the owner.
    fn change_hands(
        &mut self,
        (account, old): (&Account, Option<Arc<Account>>),
        record: Record,
        by: Option<PersonId>,
        at: WallTime,
        happened: &mut Vec<Happened>,
    ) {
        let name = account.name.clone();
        self.end_lent(&name, happened);
        let (people, lost) = self.lose(&name, by, happened);
        let old = old.map(|old| (old, Vec::new()));
        let before = Before::Account { name: name.clone(), account: old, lost };
        happened.push(Happened::changed(record, Some(before)));
        let owners = || self.people.wearers(&name).chain(self.people.of_account(&name));
        if let Some(id) = by.filter(|by| owners().any(|id| id == *by)) {
            let proven = ProvenAccount { name: account.name.clone(), proof: account.proof };
            self.change_account(id, Some(proven), happened);
        }
        let act = removal(By::NewPassword, &name, None, at);
        happened.push(Happened::NameLost { name, people, act });
    }

    /// All connections with a name except `by`, which count as strangers until they end; and all that
    /// were logged in to its account. Those under other names stay on the server.
    fn lose(
        &mut self,
        name: &Name,
        by: Option<PersonId>,
        happened: &mut Vec<Happened>,
    ) -> (Vec<PersonId>, Vec<PersonId>) {
        let people: Vec<_> = self.people.wearers(name).filter(|id| Some(*id) != by).collect();
        let lost: Vec<_> = self.people.of_account(name).filter(|id| Some(*id) != by).collect();
        for &id in &lost {
            match people.contains(&id) {
                true => drop(self.people.set_account(id, None)), // the others read of the departure
                false => self.change_account(id, None, happened),
            }
        }
        (people, lost)
    }
}

/// The key with which the token of an account is sealed.
fn key_of(account: &Account) -> Option<u64> {
    account.token.as_ref().and_then(Erasable::key)
}

fn of_operator(verb: Verb, name: &Name, at: WallTime) -> Record {
    let deed = Deed::to(verb, Whom::Name(name.clone()));
    Record::Act(Arc::new(Act::by(By::Operator, deed, at)))
}

fn not_registered(name: &Name) -> Refusal {
    Refusal::NotRegistered(Line::sanitise(name.as_str().as_bytes()))
}

fn removal(by: By, name: &Name, reason: Option<&str>, at: WallTime) -> Arc<Act> {
    let deed = Deed {
        text: reason.map(|reason| Line::sanitise(reason.as_bytes())),
        ..Deed::to(Verb::Kick, Whom::Name(name.clone()))
    };
    Arc::new(Act::by(by, deed, at))
}
