//! The record of a server: everything that became visible, as the checker reads it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use parlor_core::ledger::Snapshot;
use parlor_core::link::View;
use parlor_core::log::Batch;
use parlor_core::model::{
    Act, By, Entry, Hashed, Manner, PersonChange, PersonId, RankChange, Renaming, RoomName,
    RoomRank, Telling, Together, Verb, Who,
};

use crate::checker::{Event, Kind, NO_RANKS, Parameter, Room, Shown, together};

/// The visitors of all nodes.
#[derive(Default)]
pub(crate) struct House {
    /// The people who may sit in rooms, by the simulator's numbers.
    pub(crate) persons: RefCell<HashMap<PersonId, usize>>,
    /// The return codes that anybody may use.
    pub(crate) codes: RefCell<Vec<Hashed>>,
}

/// Everything that became visible, as the checker reads it.
#[derive(Default)]
pub(crate) struct Record {
    pub(crate) rooms: Vec<Room>,
    /// The present room of each name, as an index into `rooms`.
    present: HashMap<String, usize>,
    pub(crate) house: Rc<House>,
    /// The number of commits. Before the first one there are people whom a node knew when it
    /// started.
    commits: u64,
    /// The number of lines in commits, stored or not.
    pub(crate) lines: u64,
}

impl Record {
    /// The record of a node that starts with this state.
    pub(crate) fn starting(house: &Rc<House>, start: &Snapshot) -> Record {
        let mut record = Record { house: Rc::clone(house), ..Record::default() };
        for (id, person) in &start.people {
            for room in &person.seats {
                let lines = start.ends.get(room).map_or(0, |end| end.seq);
                let room = record.make(room, lines);
                record.add_known(room, *id, person.name.to_string());
            }
        }
        record
    }

    /// A person whose arrival nobody sees.
    fn add_known(&mut self, room: usize, id: PersonId, name: String) {
        let person = self.house.persons.borrow().get(&id).copied();
        let counted = together(Vec::new(), 1, true);
        for (kind, person, shown) in
            [(Kind::Folded, person, Shown::Arrived(name)), (Kind::Summary, None, counted)]
        {
            let (reads_on, ranks) = (false, NO_RANKS);
            self.rooms[room].events.push(Event { commit: 0, person, kind, shown, reads_on, ranks });
        }
    }

    pub(crate) fn write(&mut self, batches: &[Arc<Batch>], is_kept: bool) {
        self.commits += 1;
        for batch in batches {
            let room = batch.room();
            self.lines += batch.said().count() as u64;
            if batch.start().position == 0 {
                self.make(room, batch.start().seq);
            }
            let entries = batch.entries().iter();
            let events: Vec<_> = entries
                .filter(|entry| is_kept || !matches!(entry, Entry::Said(_) | Entry::Topic { .. }))
                .map(|entry| self.event(entry))
                .collect();
            let present = self.present[room.as_str()];
            let written = &mut self.rooms[present].events;
            if batch.goes_back() {
                date_back(written, batch.at().0);
            }
            written.extend(events);
        }
    }

    /// The index of the room that a reader enters now, and how many of its events are not in its
    /// log.
    pub(crate) fn room_of(&mut self, view: &View) -> (usize, usize) {
        let (name, end) = (view.room_name(), view.log().end());
        let room = match end.position {
            0 if self.has_people(name) => self.add(name, end.seq), // outside a secret room
            0 => self.make(name, end.seq),                         // nothing has been recorded yet
            _ => self.present[name.as_str()],
        };
        let is_known = |event: &&Event| event.commit == 0;
        (room, self.rooms[room].events.iter().take_while(is_known).count())
    }

    /// Makes a room, whose numbers begin after those of `before` lines. A present room in which
    /// nothing has happened is used instead.
    fn make(&mut self, room: &RoomName, before: u64) -> usize {
        if let Some(&present) = self.present.get(room.as_str()) {
            let room = &mut self.rooms[present];
            if room.events.iter().all(|event| event.commit == 0) {
                room.before = before;
                return present;
            }
        }
        self.present.insert(room.to_string(), self.rooms.len());
        self.add(room, before)
    }

    fn add(&mut self, room: &RoomName, before: u64) -> usize {
        let (name, events) = (room.to_string(), Vec::new());
        self.rooms.push(Room { name, before, events, is_whole: true });
        self.rooms.len() - 1
    }

    /// Whether something has happened in the present room with this name, and somebody is in it.
    fn has_people(&self, name: &RoomName) -> bool {
        let room = self.present.get(name.as_str()).and_then(|room| self.rooms.get(*room));
        let events = room.into_iter().flat_map(|room| &room.events);
        if events.clone().all(|event| event.commit == 0) {
            return false;
        }
        let mut people = 0_usize;
        for event in events.filter(|event| event.is_change()) {
            match event.shown {
                Shown::Arrived(_) => people += 1,
                Shown::Left { .. } => people = people.saturating_sub(1),
                _ => {}
            }
        }
        people > 0
    }

    fn event(&self, entry: &Entry) -> Event {
        let (kind, shown) = describe(entry);
        Event {
            commit: self.commits,
            person: entry.who().and_then(|who| self.house.persons.borrow().get(&who.id).copied()),
            kind,
            shown,
            reads_on: false,
            ranks: ranks(entry),
        }
    }
}

/// The letters of the ranks with which the server tells an arrival or a new name.
fn ranks(entry: &Entry) -> [&'static str; 2] {
    let letters = |RoomRank { is_keeper, has_voice }| match (is_keeper, has_voice) {
        (true, true) => "ov",
        (true, false) => "o",
        (false, true) => "v",
        (false, false) => "",
    };
    match entry {
        Entry::Arrived { is_keeper: true, .. } => ["o", ""],
        Entry::Renamed { seen, .. } => [letters(seen.rank), letters(seen.old_rank)],
        _ => NO_RANKS,
    }
}

/// Dates lines back, like a journal after the clock was ahead.
fn date_back(written: &mut [Event], latest: i64) {
    for event in written {
        if let Kind::Line { at, .. } = &mut event.kind {
            *at = latest.min(*at);
        }
    }
}

fn describe(entry: &Entry) -> (Kind, Shown) {
    let name = |who: &Who| who.name.to_string();
    let words = |line: &Option<_>| line.as_ref().map(ToString::to_string);
    match entry {
        Entry::Said(said) => (
            Kind::Line { seq: said.seq, at: said.at.0 },
            Shown::Said {
                name: name(&said.who),
                text: said.text.to_string(),
                is_action: said.manner == Manner::Action,
            },
        ),
        Entry::Arrived { who, telling, .. } => (kind(*telling), Shown::Arrived(name(who))),
        Entry::Left { who, words: last, removal, telling, .. } => {
            let removal = removal.as_ref().map(|act| &*act.act);
            (kind(*telling), left(name(who), words(last), removal))
        }
        Entry::ArrivedTogether(people) => (Kind::Summary, summary(people, true)),
        Entry::LeftTogether(people) => (Kind::Summary, summary(people, false)),
        Entry::Renamed { who, from, seen, .. } => {
            let (from, to) = (from.to_string(), name(who));
            (renaming(seen), Shown::Renamed { from, to })
        }
        Entry::Changed { who, change: PersonChange::Away(text), .. } => {
            (Kind::Other, Shown::Away { name: name(who), text: words(text) })
        }
        Entry::Changed { .. } => (Kind::Unseen, Shown::Unseen),
        Entry::Ranked { who, change } => {
            let mode = match change {
                RankChange::Keeper(true) => "+o",
                RankChange::Keeper(false) => "-o",
                RankChange::Voice(true) => "+v",
                RankChange::Voice(false) => "-v",
            };
            (Kind::Unseen, Shown::Ranked { name: name(who), mode: mode.to_owned() })
        }
        Entry::LinesDeleted { .. } => unreachable!("nobody deletes lines here"),
        Entry::Invited { who, to } => {
            (Kind::Other, Shown::Invited { by: name(who), to: to.to_string() })
        }
        Entry::Signal { .. } => unreachable!("no program sends signals here"),
        Entry::Act(act) => (Kind::Other, acted(act)),
        Entry::Topic { who, text } => {
            let (name, text) = (name(who), words(text));
            (Kind::Other, Shown::Topic { name, text })
        }
    }
}

/// A departure; the act is the one that removes the person.
pub(crate) fn left(name: String, words: Option<String>, act: Option<&Act>) -> Shown {
    let Some(act) = act else { return Shown::left(name, words) };
    let by = match &act.by {
        By::Operator => "the operator".to_owned(), // releases a name
        by => by.name().expect("a keeper removes people").to_string(),
    };
    let why = act.deed.text.as_ref().map(ToString::to_string);
    Shown::removed(name, why, by, act.deed.verb == Verb::Ban)
}

/// An act, as a room sees it.
pub(crate) fn acted(act: &Act) -> Shown {
    let mode = match act.deed.verb {
        Verb::Ban => "+b ",
        Verb::Unban => "-b ",
        Verb::Mute => "+b m:",
        Verb::Unmute => "-b m:",
        Verb::AddKeeper | Verb::AddKeeperForNow => "+o ",
        Verb::RemoveKeeper => "-o ",
        Verb::GiveVoice => "+v ",
        Verb::TakeVoice => "-v ",
        Verb::LockTopic => "+t",
        Verb::UnlockTopic => "-t",
        Verb::InvitedOnly => "+i",
        Verb::LetEverybodyIn => "-i",
        Verb::Moderate => "+m",
        Verb::Unmoderate => "-m",
        Verb::Hide => "+s",
        Verb::Unhide => "-s",
        Verb::SetRoomPassword => "+k",
        Verb::RemoveRoomPassword => "-k",
        Verb::Limit => "+l",
        Verb::Unlimit => "-l",
        other => panic!("nobody does this here: {other:?}"),
    };
    let whom = act.deed.whom.name().map(ToString::to_string).unwrap_or_default();
    let parameter = match act.deed.verb {
        Verb::SetRoomPassword | Verb::Limit => act.deed.text.as_ref().map(ToString::to_string),
        Verb::RemoveRoomPassword => Some("*".to_owned()),
        _ => None,
    };
    let by = act.by.name().map(ToString::to_string);
    let parameter = Parameter(Some(parameter.unwrap_or_default()));
    Shown::Act { by, mode: format!("{mode}{whom}"), parameter }
}

/// A new name, as a room sees it.
pub(crate) fn renaming(seen: &Renaming) -> Kind {
    match seen.is_of_room() {
        true => Kind::ByRoom { leaves: seen.leaves(), arrives: seen.arrives() },
        false => Kind::Other,
    }
}

fn kind(telling: Telling) -> Kind {
    match telling {
        Telling::Told => Kind::Told,
        Telling::Folded => Kind::Folded,
        Telling::Late => Kind::Late,
        Telling::Untold => Kind::Untold,
    }
}

fn summary(people: &Together, came: bool) -> Shown {
    let named = people.named.iter().map(ToString::to_string).collect();
    together(named, people.others, came)
}
