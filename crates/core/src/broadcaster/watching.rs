//! Tells the clients that watch a name who comes and who goes. Changes nobody else.

use super::state::Broadcaster;
use crate::link::{Answer, Notice, SIGHTINGS_MAX, Sighting, WatchRequest, Watched};
use crate::model::{Entry, Line, Name, PersonId, Who, fold};

impl Broadcaster {
    /// Changes the names that a client watches, and tells it who of them is here.
    pub(super) fn watch(&mut self, watcher: PersonId, watch: WatchRequest) -> Answer {
        let excess = self.watches.change(watcher, &watch);
        Answer::Watched(match watch {
            WatchRequest::List => Watched::Names(self.watches.names(watcher)),
            WatchRequest::Remove(_) | WatchRequest::Clear => Watched::Done,
            WatchRequest::Status => {
                let names = self.watches.names(watcher);
                Watched::Status { people: self.looked_at(watcher, names), excess }
            }
            WatchRequest::Add(mut typed) => {
                typed.retain(|typed| !excess.contains(typed));
                Watched::Status { people: self.looked_at(watcher, typed), excess }
            }
        })
    }

    /// The people with these names, of whom the client knows from now on.
    fn looked_at(&mut self, watcher: PersonId, mut typed: Vec<Line>) -> Vec<Sighting> {
        typed.truncate(SIGHTINGS_MAX);
        let people: Vec<_> = typed.into_iter().map(|typed| self.sighting(typed)).collect();
        for Sighting { typed, who, .. } in &people {
            if let Some(watched) = self.watches.get_mut(watcher, &fold(typed.as_str())) {
                watched.seen = who.as_ref().map(|who| who.name.clone());
            }
        }
        people
    }

    /// Something may have changed about who has this name: those who watch it are told if so.
    pub(super) fn tell_watchers(&mut self, name: &Name) {
        if self.watches.is_empty() {
            return;
        }
        let [key, _] = name.keys();
        for watcher in self.watches.of(key) {
            self.tell_watcher(watcher, key);
        }
    }

    /// Tells clients what they could not be told before, because they did not read.
    pub(super) fn tell_late_watchers(&mut self) {
        if self.watches.has_late() {
            for (watcher, key) in self.watches.take_late() {
                self.tell_watcher(watcher, &key);
            }
        }
    }

    /// Tells a client who has a name, if it does not know that. So each change is told once.
    fn tell_watcher(&mut self, watcher: PersonId, key: &str) {
        let who = self.ledger.people.find(key);
        let Some(watched) = self.watches.get_mut(watcher, key) else {
            return;
        };
        let seen = who.as_ref().map(|who| who.name.clone());
        let notice = match (&watched.seen, who) {
            (None, Some(who)) => Notice::Came(who),
            (Some(before), None) => Notice::Went(before.clone()),
            (None, None) => return,
            (Some(_), Some(_)) => {
                watched.seen = seen; // it may be written in another case now
                return;
            }
        };
        if self.tell_one(watcher, notice) != Some(true) {
            self.watches.note_late(watcher);
        } else if let Some(watched) = self.watches.get_mut(watcher, key) {
            watched.seen = seen;
        }
    }

    /// Tells those who watch a person, and sit in none of the person's rooms, what the others read
    /// there.
    pub(super) fn tell_watchers_apart(&self, who: &Who, entry: impl Fn() -> Entry) {
        let [key, _] = who.name.keys();
        let Some(person) = self.ledger.people.get(who.id).filter(|_| !self.watches.is_empty())
        else {
            return;
        };
        for watcher in self.watches.of(key) {
            let reader = self.ledger.people.get(watcher);
            let is_apart = |room| !reader.is_some_and(|reader| reader.sits_in(room));
            if watcher != who.id && person.seats.iter().all(is_apart) {
                self.tell_one(watcher, Notice::Apart(Box::new(entry())));
            }
        }
    }
}
