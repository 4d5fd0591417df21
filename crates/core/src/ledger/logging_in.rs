//! The accounts of people, apart from their names: they log in, and log-ins end. Knows no password.

use super::event::Happened;
use super::people::Person;
use super::state::Ledger;
use crate::model::{
    Deed, PersonChange, PersonId, ProvenAccount, RankChange, Reach, RoomName, Verb, WallTime,
};
use crate::refusal::Refusal;

/// A person's account, and where it gives authority, before a change.
#[derive(Default)]
pub(super) struct AccountBefore {
    account: Option<ProvenAccount>,
    keeps: Vec<RoomName>,
    keeps_server: bool,
}

impl Ledger {
    /// A person on the server logs in to an account, and has it under any name from then on. The
    /// owner of a name cannot log in to another account under that name: several connections with
    /// the name are one person.
    pub(super) fn log_in(
        &mut self,
        id: PersonId,
        account: ProvenAccount,
        at: WallTime,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        let person = self.people.get(id).ok_or(Refusal::NotThere)?;
        let released = Refusal::NameReleased(account.name.clone());
        let account = self.people.accounts.registered(account).ok_or(released)?;
        if person.is_owner() && !account.name.is_same(&person.name) {
            return Err(Refusal::LoggedIn(person.name.clone()));
        }
        self.may_log_in(person, &account.name, at)?;
        self.change_account(id, Some(account), happened);
        Ok(())
    }

    /// Lets a person be logged in to another account, or to none.
    pub(super) fn change_account(
        &mut self,
        id: PersonId,
        account: Option<ProvenAccount>,
        happened: &mut Vec<Happened>,
    ) {
        let before = self.account_before(id);
        self.people.set_account(id, account);
        self.tell_account(id, before, happened);
    }

    /// A person's present account and authority.
    pub(super) fn account_before(&self, id: PersonId) -> AccountBefore {
        let Some(person) = self.people.get(id) else {
            return AccountBefore::default();
        };
        let keeps = person.seats.iter().filter(|room| self.may_keep(person, room).is_some());
        let (keeps, keeps_server) = (keeps.cloned().collect(), self.may_keep_server(person));
        AccountBefore { account: person.account.clone(), keeps, keeps_server }
    }

    /// The people who are logged in to the account whose authority a deed changes.
    pub(super) fn owners_meant(&self, deed: &Deed) -> Vec<(PersonId, AccountBefore)> {
        let is_meant = matches!(deed.verb, Verb::AddKeeper | Verb::RemoveKeeper);
        let name = deed.whom.name().filter(|_| is_meant);
        let owners = name.into_iter().flat_map(|name| {
            let lent = self.people.with_lent(name);
            let is_logged_in = |id: &PersonId| self.people.of_account(name).any(|it| it == *id);
            let others = lent.into_iter().filter(move |id| !is_logged_in(id));
            self.people.of_account(name).chain(others)
        });
        owners.map(|id| (id, self.account_before(id))).collect()
    }

    /// Tells the rooms of owners of their authority after an act of this reach, unless the room reads
    /// the act, and with it their name.
    pub(super) fn tell_ranks(
        &mut self,
        owners: Vec<(PersonId, AccountBefore)>,
        reach: &Reach,
        happened: &mut Vec<Happened>,
    ) {
        for (id, before) in owners {
            let is_told = |person: &Person| reach.room().is_some() && person.is_owner();
            if !self.people.get(id).is_some_and(is_told) {
                self.tell_account(id, before, happened);
            }
        }
    }

    /// Tells the person of authority on the server that came or went with another account, and the
    /// others of what they see of that.
    pub(super) fn tell_account(
        &mut self,
        id: PersonId,
        before: AccountBefore,
        happened: &mut Vec<Happened>,
    ) {
        self.tell_server_rank(id, &before, happened);
        self.tell_others(id, before, happened);
    }

    /// Tells a person of authority on the server that came or went.
    pub(super) fn tell_server_rank(
        &self,
        id: PersonId,
        before: &AccountBefore,
        happened: &mut Vec<Happened>,
    ) {
        let is_keeper = self.people.get(id).is_some_and(|person| self.may_keep_server(person));
        if is_keeper != before.keeps_server {
            happened.push(Happened::ServerRanked { id, is_keeper });
        }
    }

    /// Tells the others of another account, and of the authority in rooms that came or went with it.
    pub(super) fn tell_others(
        &mut self,
        id: PersonId,
        before: AccountBefore,
        happened: &mut Vec<Happened>,
    ) {
        let now = self.account_before(id);
        let Some(person) = self.people.get(id) else {
            return;
        };
        let (who, rooms) = (person.who(id), person.seats.clone());
        let ranked =
            rooms.iter().filter(|room| before.keeps.contains(room) != now.keeps.contains(room));
        let ranked: Vec<_> = ranked.cloned().collect();
        let before = before.account.map(|account| account.name);
        if before != who.account {
            let (event, change) = (self.next_event(), PersonChange::Account { before });
            happened.push(Happened::PersonChanged { event, who: who.clone(), change, rooms });
        }
        happened.extend(ranked.into_iter().map(|room| {
            let change = RankChange::Keeper(now.keeps.contains(&room));
            Happened::Ranked { room, who: who.clone(), change }
        }));
    }
}
