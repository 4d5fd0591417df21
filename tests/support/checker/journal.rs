//! The rules that concern the journal's record alone. Knows no reader.

use std::collections::{HashMap, HashSet};

use super::text::Shown;
use super::{Broken, Event, Kind, Room, Rule, broken, parse_token};

pub(super) fn check(rooms: &[Room]) -> Result<(), Broken> {
    for room in rooms {
        let name = &room.name;
        let within = |Broken { rule, what }| broken(rule, format!("in {name}: {what}"));
        check_numbers(room).map_err(within)?;
        if room.is_whole {
            check_balance(room).map_err(within)?;
            check_screen(room).map_err(within)?;
        }
    }
    check_speakers(rooms)?;
    check_names(rooms)
}

/// Numbers are dense, and times do not go back.
fn check_numbers(room: &Room) -> Result<(), Broken> {
    let (mut last, mut time) = (room.before, i64::MIN);
    for event in &room.events {
        let Kind::Line { seq, at } = event.kind else {
            continue;
        };
        if seq != last + 1 {
            let what = format!("number {seq} follows {last}: {:?}", event.shown);
            return Err(broken(Rule::Dense, what));
        }
        if at < time {
            let what = format!("number {seq} was said at {at}, the one before it at {time}");
            return Err(broken(Rule::Time, what));
        }
        (last, time) = (seq, at);
    }
    Ok(())
}

/// Each speaker's lines are in the order spoken, in each room and across all rooms. Nobody knows
/// the order of two rooms within a commit.
fn check_speakers(rooms: &[Room]) -> Result<(), Broken> {
    let mut all = Vec::new();
    for room in rooms {
        let mut said = Vec::new();
        for event in &room.events {
            let Shown::Said { text, .. } = &event.shown else {
                continue;
            };
            let Some((speaker, number)) = parse_token(text) else {
                let what = format!("said without a token: {text:?}");
                return Err(broken(Rule::Spoken, what));
            };
            said.push((event.commit, speaker, number));
        }
        check_rising(&said)?;
        all.extend(said);
    }
    all.sort();
    check_rising(&all)
}

/// The numbers of each speaker rise.
fn check_rising(said: &[(u64, usize, u64)]) -> Result<(), Broken> {
    let mut last = HashMap::new();
    for &(_, speaker, number) in said {
        let before = last.insert(speaker, number);
        if before.is_some_and(|before| before >= number) {
            let what = format!("speaker {speaker} said {number} before {before:?}");
            return Err(broken(Rule::Spoken, what));
        }
    }
    Ok(())
}

/// The name of a person after an event; none if the event does not name the person.
fn name_after(event: &Event) -> Option<&str> {
    match &event.shown {
        Shown::Said { name, .. } | Shown::Arrived(name) | Shown::Topic { name, .. } => Some(name),
        Shown::Renamed { to, .. } => Some(to),
        _ => None,
    }
}

/// Whether this event is an arrival or departure; a late one only announces it.
fn is_change(event: &Event) -> bool {
    matches!(event.kind, Kind::Told | Kind::Folded)
}

/// The people in a room, by its events: each person, and the name worn.
fn check_balance(room: &Room) -> Result<(), Broken> {
    let mut here: HashMap<usize, &str> = HashMap::new();
    for event in &room.events {
        let Some(person) = event.person else { continue };
        let wrong = match &event.shown {
            Shown::Arrived(name) if is_change(event) => {
                if here.values().any(|worn| worn == name) {
                    let what = format!("somebody here is called so already: {event:?}");
                    return Err(broken(Rule::Name, what));
                }
                let is_here = here.insert(person, name).is_some();
                is_here.then_some("a person arrives who is here already")
            }
            Shown::Left { name, .. } if is_change(event) => (here.remove(&person) != Some(name))
                .then_some("a person leaves who is not here, or not under this name"),
            Shown::Renamed { from, to } => (here.insert(person, to) != Some(from))
                .then_some("a person takes a name who is not here, or not under that name"),
            Shown::Said { name, .. } | Shown::Topic { name, .. } => (here.get(&person)
                != Some(&name.as_str()))
            .then_some("a person is heard who is not here, or not under this name"),
            _ => None,
        };
        if let Some(why) = wrong {
            return Err(broken(Rule::Balance, format!("{why}: {event:?}")));
        }
    }
    Ok(())
}

/// At the end of each commit, no two people on the server wear the same name.
fn check_names(rooms: &[Room]) -> Result<(), Broken> {
    let whole = rooms.iter().filter(|room| room.is_whole);
    let mut events: Vec<_> = whole.flat_map(|room| &room.events).collect();
    events.sort_by_key(|event| event.commit);
    let mut worn: HashMap<usize, (usize, String)> = HashMap::new();
    for commit in events.chunk_by(|a, b| a.commit == b.commit) {
        for event in commit {
            let Some(person) = event.person else { continue };
            let (seats, name) = worn.entry(person).or_default();
            match event.shown {
                Shown::Arrived(_) if is_change(event) => *seats += 1,
                Shown::Left { .. } if is_change(event) => *seats -= 1,
                _ => {}
            }
            if let Some(now) = name_after(event)
                && event.kind != Kind::Late
            {
                *name = now.to_lowercase();
            }
        }
        worn.retain(|_, (seats, _)| *seats > 0);
        let mut names = HashSet::new();
        if let Some((_, name)) = worn.values().find(|(_, name)| !names.insert(name)) {
            let number = commit.first().map(|event| event.commit);
            let what = format!("two wear {name} after commit {number:?}");
            return Err(broken(Rule::Name, what));
        }
    }
    Ok(())
}

/// The people in a room, as a reader of the named dialect knows them who reads from the beginning
/// on.
#[derive(Default)]
struct Screen<'a> {
    named: HashSet<&'a str>,
    /// The number of people here whose names are not known.
    unnamed: usize,
}

fn check_screen(room: &Room) -> Result<(), Broken> {
    let mut screen = Screen::default();
    for event in &room.events {
        // Scripts speak without being here: their arrival is not announced.
        let is_script = event.person.is_none() && matches!(event.kind, Kind::Line { .. });
        if event.kind != Kind::Folded && !is_script && !screen.shows(&event.shown) {
            let what = format!("cannot be, by what was told so far: {event:?}");
            return Err(broken(Rule::Presence, what));
        }
    }
    Ok(())
}

impl<'a> Screen<'a> {
    /// Takes in an event. Returns whether it is possible.
    fn shows(&mut self, shown: &'a Shown) -> bool {
        match shown {
            Shown::Arrived(name) => self.named.insert(name),
            Shown::Left { name, .. } => self.go(name),
            Shown::ArrivedTogether { named, others } => {
                self.unnamed += others;
                named.iter().all(|name| self.named.insert(name))
            }
            Shown::LeftTogether { named, others } => {
                let known = named.iter().all(|name| self.go(name));
                // Nobody knows who the others were.
                self.unnamed += self.named.len();
                self.named.clear();
                let left = self.unnamed.checked_sub(*others);
                self.unnamed = left.unwrap_or_default();
                known && left.is_some()
            }
            Shown::Renamed { from, to } => self.go(from) && self.named.insert(to),
            Shown::Said { name, .. } | Shown::Topic { name, .. } => {
                self.go(name) && self.named.insert(name)
            }
        }
    }

    fn go(&mut self, name: &str) -> bool {
        if self.named.remove(name) {
            return true;
        }
        let left = self.unnamed.checked_sub(1);
        self.unnamed = left.unwrap_or_default();
        left.is_some()
    }
}
