//! Decides who keeps a room: for good, under a registered name, or for the time being.

use super::authority::{Authority, key, typed};
use super::state::Ledger;
use crate::model::{Act, Name, PersonId, Reach, RoomName, Verb, Whom};
use crate::refusal::Refusal;

impl Ledger {
    /// Makes a person a keeper: for good if the name is registered, otherwise for the time being.
    /// A keeper for the time being can only name such keepers.
    pub(super) fn add_keeper(
        &mut self,
        authority: &Authority,
        mut act: Act,
    ) -> Result<Act, Refusal> {
        act.reach = authority.reach_of_keepers()?;
        let typed = typed(&act.deed);
        let account = self.people.accounts.called(&key(&act.deed));
        let owner = account.map(|account| account.name.clone()).filter(|_| !act.is_for_now());
        match (owner, act.reach.room().cloned()) {
            (Some(name), _) => {
                self.rules.add_keeper(&act.reach, name.clone())?;
                self.end_keeping_for_now(&act);
                act.deed.whom = Whom::Name(name);
            }
            (None, None) => return Err(Refusal::NotRegistered(typed)),
            (None, Some(room)) => {
                let found = self.people.find(&key(&act.deed)).map(|who| who.name);
                let name = found.ok_or(Refusal::NobodyCalled(typed))?;
                self.add_keeper_for_now(&room, &name)?;
                (act.deed.verb, act.deed.whom) = (Verb::AddKeeperForNow, Whom::Name(name));
            }
        }
        Ok(act)
    }

    fn add_keeper_for_now(&mut self, room: &RoomName, name: &Name) -> Result<(), Refusal> {
        let there = self.seated_as(name, room)?;
        let mut people = there.iter().filter_map(|id| self.people.get(*id));
        if people.any(|person| self.may_keep(person, room).is_some()) {
            return Err(Refusal::AlreadyKeeper(name.clone()));
        }
        there.into_iter().for_each(|id| self.people.keep_for_now(id, room));
        Ok(())
    }

    /// Ends the authority of a keeper. A keeper for the time being can only end that of others like
    /// them.
    pub(super) fn remove_keeper(
        &mut self,
        authority: &Authority,
        mut act: Act,
    ) -> Result<Act, Refusal> {
        act.reach = authority.reach_of_keepers()?;
        let account = self.people.accounts.called(&key(&act.deed));
        let name = account.map(|account| account.name.clone());
        let for_good = name.filter(|name| self.rules.is_keeper(&act.reach, name));
        let for_now = || Some(self.keepers_for_now(&act).pop()?.1);
        let name = for_good.clone().or_else(for_now);
        let name = name.ok_or_else(|| Refusal::NoSuchKeeper(typed(&act.deed)))?;
        if let Some(name) = for_good {
            self.may_remove_keeper(authority, &act, &name)?;
            self.rules.remove_keeper(&act.reach, &name);
        }
        self.end_keeping_for_now(&act);
        act.deed.whom = Whom::Name(name);
        Ok(act)
    }

    /// Ends what the person meant keeps for the time being.
    fn end_keeping_for_now(&mut self, act: &Act) {
        for (id, _) in self.keepers_for_now(act) {
            if let Some(person) = self.people.get_mut(id) {
                person.keeps_for_now.retain(|room| act.reach.room() != Some(room));
            }
        }
    }

    /// The connections of the person meant that keep the room for the time being.
    fn keepers_for_now(&self, act: &Act) -> Vec<(PersonId, Name)> {
        let Some((room, who)) = act.reach.room().zip(self.people.find(&key(&act.deed))) else {
            return Vec::new();
        };
        let keeps = |id: &PersonId| {
            self.people.get(*id).is_some_and(|person| person.keeps_for_now.contains(room))
        };
        let keepers = self.people.wearers(&who.name).filter(keeps);
        keepers.map(|id| (id, who.name.clone())).collect()
    }

    /// Whether an act may end the authority of a keeper for good. The operator can name keepers of
    /// the server again; a room without keepers would stay without.
    fn may_remove_keeper(
        &self,
        authority: &Authority,
        act: &Act,
        name: &Name,
    ) -> Result<(), Refusal> {
        let is_of_server = act.reach == Reach::Server || authority.reach == Reach::Server;
        if act.is_for_now() {
            return Err(Refusal::KeeperForGood(name.clone()));
        }
        match self.rules.keepers(&act.reach).len() == 1 && !is_of_server {
            true => Err(Refusal::LastKeeper(name.clone())),
            false => Ok(()),
        }
    }
}
