//! Changes of ownership: a name gets an owner, loses its owner, or gets a new password. Knows no
//! password.

use std::sync::Arc;

use super::event::Happened;
use super::state::Ledger;
use crate::model::{
    Act, By, Deed, Line, Name, OwnedName, PersonId, Proof, Verb, WallTime, Who, Whom,
};

/// Why an owner's connections end when the operator releases the name.
const RELEASED: &str = "this name is no longer registered";

impl Ledger {
    /// Gives a name an owner, or its owner another password, so earlier proofs become invalid.
    /// Everybody who has the name leaves, except the person who asked for it.
    pub(super) fn own(
        &mut self,
        owned: OwnedName,
        proof: Proof,
        by: Option<PersonId>,
        at: WallTime,
        happened: &mut Vec<Happened>,
    ) {
        let name = owned.name.clone();
        self.people.own(owned);
        self.people.renew(&name, proof);
        if let Some(id) = by.filter(|by| self.people.wearers(&name).any(|id| id == *by)) {
            self.prove(id, proof, happened);
        }
        let act = removal(By::NewPassword, &name, None, at);
        self.lose(name, by, act, happened);
    }

    /// Releases a name. Its owner leaves, and loses all keeper rights.
    pub(super) fn release(
        &mut self,
        name: Name,
        proof: Proof,
        at: WallTime,
        happened: &mut Vec<Happened>,
    ) {
        self.people.renew(&name, proof);
        self.people.disown(&name);
        self.rules.remove_keeper_everywhere(&name);
        let act = removal(By::Operator, &name, Some(RELEASED), at);
        self.lose(name, None, act, happened);
    }

    fn prove(&mut self, id: PersonId, proof: Proof, happened: &mut Vec<Happened>) {
        if let Some(person) = self.people.get_mut(id) {
            person.proof = Some(proof);
            happened.push(Happened::Proved(Who { id, name: person.name.clone() }));
        }
    }

    /// Ends all connections with a name except `by`. Until they end, they count as strangers.
    fn lose(
        &mut self,
        name: Name,
        by: Option<PersonId>,
        act: Arc<Act>,
        happened: &mut Vec<Happened>,
    ) {
        let people: Vec<_> = self.people.wearers(&name).filter(|id| Some(*id) != by).collect();
        for &id in &people {
            if let Some(person) = self.people.get_mut(id) {
                person.proof = None;
            }
        }
        happened.push(Happened::NameLost { name, people, act });
    }
}

fn removal(by: By, name: &Name, reason: Option<&str>, at: WallTime) -> Arc<Act> {
    let deed = Deed {
        text: reason.map(|reason| Line::sanitise(reason.as_bytes())),
        ..Deed::to(Verb::Kick, Whom::Name(name.clone()))
    };
    Arc::new(Act::by(by, deed, at))
}
