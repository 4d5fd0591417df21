//! The people in the house and the names they wear. Knows no room's log.

use std::collections::HashMap;
use std::sync::Arc;

use super::rules::Subject;
use crate::answer::Refusal;
use crate::client::Client;
use crate::entry::{PersonId, RoomId, Who};
use crate::inbox::Claim;
use crate::name::{Name, fold};

/// Somebody in the house: one connection.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) name: Name,
    /// Whether the name is this person's own.
    pub(super) is_owner: bool,
    pub(super) client: Arc<Client>,
    /// The rooms in which this person has a seat, or is about to have one.
    pub(super) seats: Vec<RoomId>,
}

impl Person {
    /// Of whom is asked what holds for them.
    pub(super) fn subject(&self) -> Subject<'_> {
        Subject {
            name: &self.name,
            is_owner: self.is_owner,
            address: self.client.address(),
        }
    }
}

/// Everybody in the house. A name is claimed with the request and worn by one person: by one connection, or by several
/// of its owner's.
#[derive(Debug, Default)]
pub(super) struct People {
    people: HashMap<PersonId, Person>,
    /// Both keys of every name that is worn, with the first who wears it.
    keys: HashMap<Box<str>, PersonId>,
    /// Further connections that wear the same name, by its first key; usually there are none.
    others: HashMap<Box<str>, Vec<PersonId>>,
    /// Both keys of every name that has an owner.
    owned: HashMap<Box<str>, Name>,
}

impl People {
    pub(super) fn get(&self, id: PersonId) -> Option<&Person> {
        self.people.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: PersonId) -> Option<&mut Person> {
        self.people.get_mut(&id)
    }

    /// Everybody, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (PersonId, &Person)> {
        self.people.iter().map(|(&id, person)| (id, person))
    }

    pub(super) fn len(&self) -> usize {
        self.people.len()
    }

    /// How many keys are claimed.
    pub(super) fn keys_len(&self) -> usize {
        self.keys.len()
    }

    /// The person, under the name worn now.
    pub(super) fn who(&self, id: PersonId) -> Option<Who> {
        Some(Who {
            id,
            name: self.people.get(&id)?.name.clone(),
        })
    }

    /// Who wears the name that somebody typed.
    pub(super) fn find(&self, typed: &str) -> Option<Who> {
        let key = fold(typed.trim());
        let found = self.who(*self.keys.get(key.as_str())?)?;
        // The other key of a name only keeps look-alikes away; nobody is called by it.
        (found.name.keys()[0] == key).then_some(found)
    }

    /// All connections that wear a name.
    pub(super) fn wearers(&self, name: &Name) -> impl Iterator<Item = PersonId> {
        let [key, _] = name.keys();
        let others = self.others.get(key).into_iter().flatten();
        self.keys.get(key).into_iter().chain(others).copied()
    }

    /// Whether a connection of the owner who wears this name sits in a room, or is about to.
    pub(super) fn is_worn_in(&self, name: &Name, room: RoomId) -> bool {
        self.wearers(name)
            .filter_map(|id| self.people.get(&id))
            .any(|person| person.is_owner && person.seats.contains(&room))
    }

    /// Whether another connection of the same person sits in a room, or is about to.
    pub(super) fn is_accompanied(&self, id: PersonId, room: RoomId) -> bool {
        let person = self.people.get(&id).filter(|person| person.is_owner);
        person.is_some_and(|person| self.is_worn_in(&person.name, room))
    }

    /// From now on a name has an owner.
    pub(super) fn own(&mut self, name: Name) {
        for key in name.keys() {
            self.owned.insert(key.into(), name.clone());
        }
    }

    /// The name with an owner that somebody typed.
    pub(super) fn owned(&self, typed: &str) -> Option<&Name> {
        let key = fold(typed.trim());
        let name = self.owned.get(key.as_str())?;
        (name.keys()[0] == key).then_some(name)
    }

    /// A new person comes in under this name.
    pub(super) fn enter(&mut self, client: &Arc<Client>, claim: Claim) -> Result<(), Refusal> {
        self.claim(client.id, &claim)?;
        let person = Person {
            name: claim.name,
            is_owner: claim.is_proven,
            client: Arc::clone(client),
            seats: Vec::new(),
        };
        self.people.insert(client.id, person);
        Ok(())
    }

    /// Somebody takes another name; the one worn until now is free.
    pub(super) fn rename(&mut self, id: PersonId, claim: Claim) -> Result<Name, Refusal> {
        let Some(person) = self.people.get(&id) else {
            return Err(Refusal::NotThere); // before anything is claimed: nobody would release it
        };
        // The same name in other letters stays one's own.
        let is_same = person.is_owner && person.name.keys()[0] == claim.name.keys()[0];
        let is_proven = claim.is_proven || is_same;
        self.claim(
            id,
            &Claim {
                is_proven,
                ..claim.clone()
            },
        )?;
        let Some(person) = self.people.get_mut(&id) else {
            return Err(Refusal::NotThere);
        };
        person.is_owner = is_proven;
        let from = std::mem::replace(&mut person.name, claim.name.clone());
        let kept = claim.name.keys();
        self.release(
            id,
            from.keys().into_iter().filter(|key| !kept.contains(key)),
        );
        Ok(from)
    }

    /// Somebody has left the last room; the name is free.
    pub(super) fn leave(&mut self, id: PersonId) {
        if let Some(person) = self.people.remove(&id) {
            self.release(id, person.name.keys());
        }
    }

    fn claim(&mut self, id: PersonId, claim: &Claim) -> Result<(), Refusal> {
        let Claim { name, is_proven } = claim;
        let keys = name.keys();
        if let Some(owned) = keys.iter().find_map(|&key| self.owned.get(key)) {
            if owned.keys()[0] != keys[0] {
                return Err(Refusal::NameTaken(name.clone())); // it looks like that one
            }
            if !is_proven {
                return Err(Refusal::NameOwned(owned.clone()));
            }
        }
        let wearer = |key| self.keys.get(key).filter(|&&wearer| wearer != id);
        // Somebody may have worn the name before it had an owner, or one that looks like it.
        let is_own = |wearer| {
            self.get(wearer)
                .is_some_and(|person| person.is_owner && person.name.keys()[0] == keys[0])
        };
        let is_taken = keys
            .iter()
            .filter_map(|key| wearer(*key))
            .any(|&wearer| !(*is_proven && is_own(wearer)));
        // Two listeners may see two connections from one address: they share it as their name.
        if is_taken && !is_address(name) {
            return Err(Refusal::NameTaken(name.clone()));
        }
        if *is_proven && wearer(keys[0]).is_some() {
            let others = self.others.entry(keys[0].into()).or_default();
            if !others.contains(&id) {
                others.push(id);
            }
        }
        for key in keys {
            self.keys.entry(key.into()).or_insert(id);
        }
        Ok(())
    }

    /// Keys are free, or another connection of the same person has them.
    fn release<'a>(&mut self, id: PersonId, keys: impl IntoIterator<Item = &'a str>) {
        let mut heir = None;
        for key in keys {
            if let Some(others) = self.others.get_mut(key) {
                others.retain(|&other| other != id);
                if self.keys.get(key) == Some(&id) && !others.is_empty() {
                    heir = Some(others.remove(0));
                }
                if others.is_empty() {
                    self.others.remove(key);
                }
            }
            match (self.keys.get_mut(key), heir) {
                (Some(wearer), Some(heir)) if *wearer == id => *wearer = heir,
                (Some(wearer), None) if *wearer == id => drop(self.keys.remove(key)),
                _ => {}
            }
        }
    }
}

/// A typed name holds no colon.
fn is_address(name: &Name) -> bool {
    name.as_str().contains(':')
}
