//! Changes of accounts: they become intents, and people read of them when they are stored.

use std::sync::Arc;

use super::pending::Gathered;
use super::state::Broadcaster;
use super::tickets::Wanted;
use crate::intent::Intent;
use crate::ledger::{Before, Record};
use crate::link::AccountChange;
use crate::model::{Act, Erasable, Name, Now, OwnedName, PersonId};

/// The intent of a change of an account. The client learns the outcome when it is stored.
pub(super) fn account_intent(change: AccountChange) -> (Intent, Wanted) {
    let (intent, visit) = match change {
        AccountChange::Register { name, since, password, by, visit } => {
            let (name, password) = (OwnedName::from(name), password.into());
            (Intent::Register { name, since, password, by }, Some(visit))
        }
        AccountChange::ChangePassword { name, proof, password, keeps_token, by, visit } => {
            let password = password.into();
            (Intent::ChangePassword { name, proof, password, keeps_token, by }, visit)
        }
        AccountChange::Rehash { name, proof, password } => {
            (Intent::Rehash { name, proof, password: password.into() }, None)
        }
        AccountChange::SetToken { name, proof, token } => {
            (Intent::SetToken { name, proof, token: token.map(Erasable::from) }, None)
        }
        AccountChange::Release(name) => (Intent::Release(name), None),
    };
    let beside = visit.map(|visit| Record::OwnerVisit(Box::new(visit))).into_iter().collect();
    (intent, Wanted::Stored { beside })
}

impl Broadcaster {
    /// Ends the connections that must lose a name because changes of its owner were undone, and the
    /// listeners who read as the owner of a name that has none.
    pub(super) fn end_usurpers(&self, gathered: &Gathered, now: Now) {
        for before in gathered.undone() {
            let Before::Account { name, .. } = before else {
                continue;
            };
            let (people, act) = self.ledger.usurpers(name, now.wall);
            match self.ledger.people.accounts.of(name) {
                Some(_) => self.end_connections(&people, &act),
                None => self.end_wearers(name, &people, &act),
            }
        }
    }

    /// Ends the listeners who read as the owner of a name, and then the connections of the people
    /// who lost it, whose departures the listeners need not read.
    pub(super) fn end_wearers(&self, name: &Name, people: &[PersonId], act: &Arc<Act>) {
        let hearers = self.rooms.values().flat_map(|room| room.members.hearers());
        let of_name = hearers
            .filter(|hearer| hearer.subject().account.is_some_and(|account| account.is_same(name)));
        of_name.for_each(|hearer| hearer.client.remove(act));
        self.end_connections(people, act);
    }

    fn end_connections(&self, people: &[PersonId], act: &Arc<Act>) {
        let connections = people.iter().filter_map(|id| self.connections.get(id));
        connections.for_each(|connection| connection.client.remove(act));
    }
}
