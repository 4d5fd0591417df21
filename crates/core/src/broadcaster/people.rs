//! The people in the house and the names they wear. Knows no room's log.

use std::collections::HashMap;
use std::sync::Arc;

use crate::answer::Refusal;
use crate::client::Client;
use crate::entry::{PersonId, RoomId, Who};
use crate::name::{Name, fold};

/// Somebody in the house.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) name: Name,
    pub(super) client: Arc<Client>,
    /// The rooms in which this person has a seat, or is about to have one.
    pub(super) seats: Vec<RoomId>,
}

/// Everybody in the house. A name is claimed with the request and worn by one person.
#[derive(Debug, Default)]
pub(super) struct People {
    people: HashMap<PersonId, Person>,
    /// Both keys of every name that is worn.
    keys: HashMap<Box<str>, PersonId>,
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

    /// A new person comes in under this name.
    pub(super) fn enter(&mut self, client: &Arc<Client>, name: Name) -> Result<Who, Refusal> {
        self.claim(client.id, &name)?;
        let person = Person {
            name: name.clone(),
            client: Arc::clone(client),
            seats: Vec::new(),
        };
        self.people.insert(client.id, person);
        Ok(Who {
            id: client.id,
            name,
        })
    }

    /// Somebody takes another name; the one worn until now is free.
    pub(super) fn rename(&mut self, id: PersonId, name: Name) -> Result<Name, Refusal> {
        if !self.people.contains_key(&id) {
            return Err(Refusal::NotThere); // before anything is claimed: nobody would release it
        }
        self.claim(id, &name)?;
        let Some(person) = self.people.get_mut(&id) else {
            return Err(Refusal::NotThere);
        };
        let from = std::mem::replace(&mut person.name, name.clone());
        let kept = name.keys();
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

    fn claim(&mut self, id: PersonId, name: &Name) -> Result<(), Refusal> {
        let taken = name
            .keys()
            .iter()
            .any(|&key| self.keys.get(key).is_some_and(|&wearer| wearer != id));
        // Two listeners may see two connections from one address: they share it as their name.
        if taken && !is_address(name) {
            return Err(Refusal::NameTaken(name.clone()));
        }
        for key in name.keys() {
            self.keys.entry(key.into()).or_insert(id);
        }
        Ok(())
    }

    fn release<'a>(&mut self, id: PersonId, keys: impl IntoIterator<Item = &'a str>) {
        for key in keys {
            if self.keys.get(key) == Some(&id) {
                self.keys.remove(key);
            }
        }
    }
}

/// A typed name holds no colon.
fn is_address(name: &Name) -> bool {
    name.as_str().contains(':')
}
