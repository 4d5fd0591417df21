//! The people in the house and the names they wear. Knows no room's log.

use std::collections::HashMap;
use std::sync::Arc;

use super::rules::Subject;
use smallvec::SmallVec;

use crate::answer::Refusal;
use crate::client::Client;
use crate::entry::{PersonId, RoomId, Who};
use crate::inbox::Claim;
use crate::name::{Name, fold};
use crate::seat::Place;

/// Somebody in the house: one connection.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) name: Name,
    /// Whether the name is this person's own.
    pub(super) is_owner: bool,
    pub(super) client: Arc<Client>,
    /// The places in rooms that this person has, or is about to have. Each goes with the seat.
    pub(super) seats: Vec<Arc<Place>>,
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

    /// Whether this person has a seat in a room, or is about to have one.
    pub(super) fn sits_in(&self, room: RoomId) -> bool {
        self.seats.iter().any(|place| place.room == room)
    }
}

/// Everybody in the house. A name is claimed with the request and worn by one person: by one connection, or by several
/// of its owner's.
#[derive(Debug, Default)]
pub(super) struct People {
    people: HashMap<PersonId, Person>,
    /// Both keys of every name that is worn, with those who wear it: one, or an owner's connections in the order in which
    /// they came.
    keys: HashMap<Box<str>, SmallVec<[PersonId; 1]>>,
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
        self.called(&key).next().map(|(id, person)| Who {
            id,
            name: person.name.clone(),
        })
    }

    /// All connections that wear a name, in whatever letters.
    pub(super) fn wearers(&self, name: &Name) -> impl Iterator<Item = PersonId> {
        self.called(name.keys()[0]).map(|(id, _)| id)
    }

    /// Those who are called so. The other key of a name only keeps look-alikes away; nobody is called by it.
    fn called(&self, key: &str) -> impl Iterator<Item = (PersonId, &Person)> {
        let wearers = self.keys.get(key).into_iter().flatten();
        let people = wearers.filter_map(|&id| Some((id, self.people.get(&id)?)));
        people.filter(move |(_, person)| person.name.keys()[0] == key)
    }

    /// Whether a connection of the owner who wears this name sits in a room, or is about to.
    pub(super) fn is_worn_in(&self, name: &Name, room: RoomId) -> bool {
        self.called(name.keys()[0])
            .any(|(_, person)| person.is_owner && person.sits_in(room))
    }

    /// Whether another connection of the same person sits in a room, or is about to.
    pub(super) fn is_accompanied(&self, id: PersonId, room: RoomId) -> bool {
        let person = self.people.get(&id).filter(|person| person.is_owner);
        person.is_some_and(|person| self.is_worn_in(&person.name, room))
    }

    /// From now on a name has an owner. What another one's is stays so.
    ///
    /// What looks like it is kept from others whether it is written in capitals or in small letters: `lan` is no other
    /// name than `Ian`, nor `ALlCE` than `Alice`.
    pub(super) fn own(&mut self, name: Name) {
        let shown = name.as_str();
        let ways = [shown.to_owned(), shown.to_lowercase(), shown.to_uppercase()];
        for written in ways.map(|way| Name::kept(&way)) {
            for key in written.keys() {
                self.owned.entry(key.into()).or_insert_with(|| name.clone());
            }
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
        let is_same = person.is_owner && person.name.is_same(&claim.name);
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
        // Each key by itself: in other letters a name may look like a third one.
        for owned in name.keys().iter().filter_map(|&key| self.owned.get(key)) {
            if !owned.is_same(name) {
                return Err(Refusal::NameTaken(name.clone()));
            }
            if !is_proven {
                return Err(Refusal::NameOwned(owned.clone()));
            }
        }
        // Somebody may have worn the name before it had an owner, or one that looks like it.
        let is_own = |wearer: &Person| wearer.is_owner && wearer.name.is_same(name);
        let wearers = name.keys().into_iter().filter_map(|key| self.keys.get(key));
        let mut others = wearers.flatten().filter(|&&wearer| wearer != id);
        let is_taken = others.any(|&wearer| !(*is_proven && self.get(wearer).is_some_and(is_own)));
        // Two listeners may see two connections from one address: they share it as their name.
        if is_taken && !is_address(name) {
            return Err(Refusal::NameTaken(name.clone()));
        }
        for key in name.keys() {
            let wearers = self.keys.entry(key.into()).or_default();
            if !wearers.contains(&id) {
                wearers.push(id);
            }
        }
        Ok(())
    }

    fn release<'a>(&mut self, id: PersonId, keys: impl IntoIterator<Item = &'a str>) {
        for key in keys {
            if let Some(wearers) = self.keys.get_mut(key) {
                wearers.retain(|wearer| *wearer != id);
                if wearers.is_empty() {
                    self.keys.remove(key);
                }
            }
        }
    }
}

/// A typed name holds no colon.
fn is_address(name: &Name) -> bool {
    name.as_str().contains(':')
}
