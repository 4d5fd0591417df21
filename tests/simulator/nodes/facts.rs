//! The events of all rooms, as every node must show them.

use std::collections::{BTreeMap, HashMap, HashSet};

use parlor_core::ledger::{Announcement, Happened, Parting};
use parlor_core::model::{Act, Manner, PersonChange, PersonId, RoomName, Spoken, WallTime, Who};

use crate::checker::{Event, Kind, NO_RANKS, Room, Shown};
use crate::record::{self, renaming};

/// An event of a room.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fact {
    /// The position after which it is shown.
    pub(crate) position: usize,
    pub(crate) shown: Shown,
    /// The number and time of a line.
    pub(crate) line: Option<(u64, i64)>,
    /// The person who arrives, leaves or takes a name.
    person: Option<PersonId>,
    /// Whether nobody reads of it: the person comes back on another connection.
    is_untold: bool,
    /// The kind of a new name.
    kind: Option<Kind>,
    /// Whether that person reads on: the boot has ended, or the person returns in another one.
    pub(crate) reads_on: bool,
    /// Whether nobody is in the room, so a node may have forgotten the room and show nothing.
    pub(crate) is_for_nobody: bool,
}

impl Fact {
    fn new(position: usize, shown: Shown) -> Fact {
        Fact {
            position,
            shown,
            line: None,
            person: None,
            is_untold: false,
            kind: None,
            reads_on: false,
            is_for_nobody: false,
        }
    }
}

/// The events of all rooms, in order.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) rooms: BTreeMap<String, Vec<Fact>>,
    /// The number of lines of each room.
    lines: HashMap<RoomName, u64>,
    /// The people in each room.
    people: HashMap<RoomName, HashSet<PersonId>>,
    /// The position of the last event.
    pub(crate) last: usize,
}

impl Facts {
    /// Adds the results of an intent at this position and time.
    pub(crate) fn add_all(&mut self, position: usize, at: WallTime, events: Vec<Happened>) {
        let mut moving = HashSet::new();
        for event in &events {
            match event {
                Happened::BootEnded { people, .. } => {
                    moving.extend(people.keys().copied());
                }
                Happened::Returned { who, .. } => {
                    moving.insert(who.id);
                }
                _ => {}
            }
        }
        for event in events {
            self.add(position, at, event, &moving);
        }
    }

    fn add(&mut self, position: usize, at: WallTime, event: Happened, moving: &HashSet<PersonId>) {
        let of_person = |who: &Who, shown, is_untold| Fact {
            person: Some(who.id),
            is_untold,
            reads_on: moving.contains(&who.id),
            ..Fact::new(position, shown)
        };
        let left = |who: &Who, parting: Parting, act: Option<&Act>| {
            let words = parting.words.map(|words| words.to_string());
            of_person(who, record::left(name(who), words, act), parting.is_untold)
        };
        match event {
            Happened::Said { room, who, lines } => {
                lines.into_iter().for_each(|line| self.say(position, at, &room, &who, line));
            }
            Happened::Arrived { room, who, is_untold, .. } => {
                self.push(&room, of_person(&who, Shown::Arrived(name(&who)), is_untold));
            }
            Happened::Left { who, parting, removal, .. } => {
                self.push(&parting.room.clone(), left(&who, parting, removal.as_deref()));
            }
            Happened::LeftServer { who, rooms, removal, .. } => {
                for parting in rooms {
                    self.push(&parting.room.clone(), left(&who, parting, removal.as_deref()));
                }
            }
            Happened::Renamed { who, from, rooms, .. } => {
                for (room, seen) in rooms {
                    let renamed = Shown::Renamed { from: from.to_string(), to: name(&who) };
                    let fact = of_person(&who, renamed, false);
                    let kind = Some(renaming(&seen));
                    self.push(&room, Fact { reads_on: false, kind, ..fact });
                }
            }
            Happened::Topic { who, act, .. } => {
                let room = act.reach.room().expect("a topic has a room");
                let text = act.deed.text.as_ref().map(ToString::to_string);
                self.push(room, Fact::new(position, Shown::Topic { name: name(&who), text }));
            }
            Happened::PersonChanged { who, change: PersonChange::Away(text), rooms, .. } => {
                let text = text.as_ref().map(ToString::to_string);
                for room in rooms {
                    let shown = Shown::Away { name: name(&who), text: text.clone() };
                    self.push(&room, Fact { reads_on: false, ..of_person(&who, shown, false) });
                }
            }
            Happened::Act(Announcement { act, room: Some(room), .. }) => {
                self.act(position, &room, &act);
            }
            Happened::RuleEnded(act) => {
                let room = act.reach.room().expect("a rule of a room");
                self.act(position, room, &act);
            }
            _ => {}
        }
    }

    fn say(&mut self, position: usize, at: WallTime, room: &RoomName, who: &Who, said: Spoken) {
        let seq = self.lines.entry(room.clone()).or_default();
        *seq += 1;
        let line = Some((*seq, at.0));
        let shown = Shown::Said {
            name: name(who),
            text: said.text.to_string(),
            is_action: said.manner == Manner::Action,
        };
        self.push(room, Fact { line, ..Fact::new(position, shown) });
    }

    /// An act in a room: a keeper may also do it from outside.
    fn act(&mut self, position: usize, room: &RoomName, act: &Act) {
        let is_for_nobody = self.people.get(room).is_none_or(HashSet::is_empty);
        self.push(room, Fact { is_for_nobody, ..Fact::new(position, record::acted(act)) });
    }

    fn push(&mut self, room: &RoomName, fact: Fact) {
        self.last = fact.position;
        let people = self.people.entry(room.clone()).or_default();
        match (&fact.shown, fact.person) {
            (Shown::Arrived(_), Some(person)) => people.insert(person),
            (Shown::Left { .. }, Some(person)) => people.remove(&person),
            _ => false,
        };
        self.rooms.entry(room.to_string()).or_default().push(fact);
    }

    /// The record of a node that shows everything at once, and stores each position by itself.
    pub(crate) fn record(&self) -> Vec<Room> {
        let event = |fact: &Fact| Event {
            commit: fact.position as u64,
            person: fact.person.map(|person| person.number() as usize),
            kind: match fact.line {
                Some((seq, at)) => Kind::Line { seq, at },
                None if fact.is_untold => Kind::Untold,
                None if matches!(fact.shown, Shown::Away { .. }) => Kind::Other,
                None => fact.kind.unwrap_or(Kind::Told),
            },
            shown: fact.shown.clone(),
            reads_on: fact.reads_on,
            ranks: NO_RANKS, // nobody reads this
        };
        let room = |(name, facts): (&String, &Vec<Fact>)| Room {
            name: name.clone(),
            events: facts.iter().map(event).collect(),
            is_whole: true,
            ..Room::default()
        };
        self.rooms.iter().map(room).collect()
    }
}

fn name(who: &Who) -> String {
    who.name.to_string()
}
