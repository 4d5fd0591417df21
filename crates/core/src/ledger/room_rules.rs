//! The rules of a room as they hold now, and those of them that outlast the people there.

use crate::model::{Name, PersonId, RoomRules};

/// The number of people who are invited to a room and have not come; the latest count.
const INVITED_MAX: usize = 100;

/// The rules of a room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RulesOfRoom {
    /// The rules that hold now.
    pub now: RoomRules,
    /// The rules that hold when nobody sits there: those of keepers for good.
    pub lasting: RoomRules,
    /// The people who are invited and have not come; the latest last.
    pub invited: Vec<Invited>,
}

/// A person who is invited to a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invited {
    /// The name.
    pub name: Name,
    /// The connections, under any name.
    pub people: Vec<PersonId>,
    /// The account to which they are logged in: everybody who is logged in to it is meant.
    pub account: Option<Name>,
}

impl Invited {
    fn is_of(&self, id: PersonId, account: Option<&Name>) -> bool {
        let meant = self.account.as_ref().zip(account);
        self.people.contains(&id) || meant.is_some_and(|(meant, own)| meant.is_same(own))
    }
}

impl RulesOfRoom {
    /// The rules of a room where nobody sits.
    pub(super) fn lasting(rules: RoomRules) -> RulesOfRoom {
        RulesOfRoom { now: rules.clone(), lasting: rules, invited: Vec::new() }
    }

    /// Whether there are none, and nobody is invited.
    pub(super) fn is_nothing(&self) -> bool {
        *self == RulesOfRoom::default()
    }

    /// Ends the rules that hold as long as somebody sits there.
    pub(super) fn end_for_now(&mut self) {
        self.now.clone_from(&self.lasting);
        if self.now.is_nothing() {
            self.invited.clear();
        }
    }

    /// Whether a person is invited.
    pub(super) fn has_invited(&self, id: PersonId, account: Option<&Name>) -> bool {
        self.invited.iter().any(|invited| invited.is_of(id, account))
    }

    /// Invites a person. If there are too many, the earliest is forgotten.
    pub(super) fn invite(&mut self, name: Name, people: Vec<PersonId>, account: Option<Name>) {
        self.invited.retain(|earlier| !earlier.name.is_same(&name));
        if self.invited.len() >= INVITED_MAX {
            self.invited.remove(0);
        }
        self.invited.push(Invited { name, people, account });
    }

    /// Notes that an invited person has come.
    pub(super) fn come(&mut self, id: PersonId, account: Option<&Name>) {
        self.invited.retain(|invited| !invited.is_of(id, account));
    }

    /// Moves an invitation to the new connection of a person.
    pub(super) fn follow(&mut self, from: PersonId, to: PersonId) {
        let people = self.invited.iter_mut().flat_map(|invited| &mut invited.people);
        people.filter(|id| **id == from).for_each(|id| *id = to);
    }
}
