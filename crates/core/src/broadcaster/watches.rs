//! The names that clients of this node watch, and what each client was told last. Knows no
//! connection.

use std::collections::{BTreeMap, BTreeSet};

use crate::link::{WATCHED_MAX, WatchRequest};
use crate::model::{Line, Name, PersonId, fold};

/// The names that are watched, and who watches them. A name costs something only while somebody watches it.
#[derive(Debug, Default)]
pub(super) struct Watches {
    /// The watchers of each name, by its first key.
    watchers: BTreeMap<Box<str>, BTreeSet<PersonId>>,
    /// The names of each watcher, by their first keys.
    names: BTreeMap<PersonId, BTreeMap<Box<str>, WatchedName>>,
    /// The watchers who could not be told something, because they do not read.
    late: BTreeSet<PersonId>,
}

/// A name that a client watches.
#[derive(Debug)]
pub(super) struct WatchedName {
    /// The name as typed.
    typed: Line,
    /// The person who is here as far as the client was told, under this name.
    pub(super) seen: Option<Name>,
}

impl Watches {
    /// The watchers of a name with this first key.
    pub(super) fn of(&self, key: &str) -> Vec<PersonId> {
        self.watchers.get(key).into_iter().flatten().copied().collect()
    }

    /// The name with this first key, if a client watches it.
    pub(super) fn get_mut(&mut self, watcher: PersonId, key: &str) -> Option<&mut WatchedName> {
        self.names.get_mut(&watcher)?.get_mut(key)
    }

    /// The names that a client watches, as typed.
    pub(super) fn names(&self, watcher: PersonId) -> Vec<Line> {
        let names = self.names.get(&watcher).into_iter().flat_map(BTreeMap::values);
        names.map(|name| name.typed.clone()).collect()
    }

    /// Changes what a client watches. Returns the names for which there is no space.
    pub(super) fn change(&mut self, watcher: PersonId, change: &WatchRequest) -> Vec<Line> {
        let mut excess = Vec::new();
        match change {
            WatchRequest::Add(typed) => {
                let has_no_space = |typed: &&Line| !self.add(watcher, typed);
                excess.extend(typed.iter().filter(has_no_space).cloned());
            }
            WatchRequest::Remove(typed) => {
                typed.iter().for_each(|typed| self.remove(watcher, &fold(typed.as_str())));
            }
            WatchRequest::Clear => self.forget(watcher),
            WatchRequest::List | WatchRequest::Status => {}
        }
        excess
    }

    /// Adds a name. Returns whether there was space for it.
    fn add(&mut self, watcher: PersonId, typed: &Line) -> bool {
        let key: Box<str> = fold(typed.as_str()).into();
        let names = self.names.entry(watcher).or_default();
        if names.len() >= WATCHED_MAX && !names.contains_key(&key) {
            return false;
        }
        let name = WatchedName { typed: typed.clone(), seen: None };
        names.entry(key.clone()).or_insert(name);
        self.watchers.entry(key).or_default().insert(watcher);
        true
    }

    fn remove(&mut self, watcher: PersonId, key: &str) {
        if let Some(names) = self.names.get_mut(&watcher) {
            names.remove(key);
            if names.is_empty() {
                self.names.remove(&watcher);
                self.late.remove(&watcher);
            }
        }
        if let Some(watchers) = self.watchers.get_mut(key) {
            watchers.remove(&watcher);
            if watchers.is_empty() {
                self.watchers.remove(key);
            }
        }
    }

    /// A client watches nothing any more.
    pub(super) fn forget(&mut self, watcher: PersonId) {
        let names = self.names.get(&watcher).into_iter().flat_map(BTreeMap::keys);
        for key in names.cloned().collect::<Vec<_>>() {
            self.remove(watcher, &key);
        }
    }

    /// Notes that a client could not be told something. It is told later what is true then.
    pub(super) fn note_late(&mut self, watcher: PersonId) {
        self.late.insert(watcher);
    }

    /// Takes the clients that are told something late, and the keys of their names.
    pub(super) fn take_late(&mut self) -> Vec<(PersonId, Box<str>)> {
        let late = std::mem::take(&mut self.late).into_iter();
        let keys = |id| self.names.get(&id).into_iter().flat_map(BTreeMap::keys).cloned();
        late.flat_map(|id| keys(id).map(move |key| (id, key))).collect()
    }

    /// Whether a client is told something late.
    pub(super) fn has_late(&self) -> bool {
        !self.late.is_empty()
    }

    /// Whether nobody watches any name.
    pub(super) fn is_empty(&self) -> bool {
        self.watchers.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        Line::sanitise(text.as_bytes())
    }

    #[test]
    fn a_name_is_watched_once_and_costs_nothing_afterwards() {
        let (alice, bob) = (PersonId::new(1), PersonId::new(2));
        let mut watches = Watches::default();
        let add =
            |typed: &[&str]| WatchRequest::Add(typed.iter().map(|typed| line(typed)).collect());
        assert_eq!(watches.change(alice, &add(&["Carol", "dave", "CAROL"])), []);
        watches.change(bob, &add(&["carol"]));
        assert_eq!(watches.of("carol"), [alice, bob]);
        assert_eq!(watches.names(alice), [line("Carol"), line("dave")]);
        watches.change(alice, &WatchRequest::Remove(vec![line("CAROL"), line("nobody")]));
        assert_eq!(watches.of("carol"), [bob]);
        watches.note_late(alice);
        watches.change(alice, &WatchRequest::Clear);
        watches.forget(bob);
        assert!(watches.is_empty() && watches.names.is_empty() && !watches.has_late());
    }

    #[test]
    fn a_client_watches_a_hundred_names() {
        let alice = PersonId::new(1);
        let names: Vec<_> = (0..=WATCHED_MAX).map(|number| line(&format!("n{number}"))).collect();
        let mut watches = Watches::default();
        assert_eq!(watches.change(alice, &WatchRequest::Add(names.clone())), names[WATCHED_MAX..]);
        assert_eq!(watches.change(alice, &WatchRequest::Add(names[..1].to_vec())), []);
        assert_eq!(watches.names(alice).len(), WATCHED_MAX);
    }
}
