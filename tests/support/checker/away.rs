//! The rules for people who are away: all rooms of a person are told at once, and so is a room that the
//! person enters later. Knows no reader.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::journal::{Seats, by_commit, seat};
use super::text::Shown;
use super::{Broken, Event, Kind, OWNED, Room, Rule, broken};

/// Checks that each room is told who is away.
pub(super) fn check(rooms: &[Room]) -> Result<(), Broken> {
    let events = by_commit(rooms);
    let (mut seats, mut away) = (Seats::new(), BTreeMap::new());
    for commit in events.chunk_by(|(_, a), (_, b)| a.commit == b.commit) {
        let mut changed = BTreeSet::new();
        for (room, event) in commit {
            if seat(&mut seats, *room, event) {
                changed.extend(event.person.map(|person| (person, *room)));
            }
        }
        let commit = Commit { rooms, events: commit, told: told(commit), seats: &seats, changed };
        commit.check_rooms()?;
        commit.check_arrivals(&away)?;
        commit.note(&mut away);
    }
    Ok(())
}

/// The texts with which people are away: none if they are back. By person and number of the room; a
/// commit may have several.
type Told<'a> = BTreeMap<(usize, usize), Vec<&'a Option<String>>>;

fn told<'a>(events: &[(usize, &'a Event)]) -> Told<'a> {
    let mut told = Told::new();
    for (room, event) in events {
        if let (Shown::Away { text, .. }, Some(person)) = (&event.shown, event.person) {
            told.entry((person, *room)).or_default().push(text);
        }
    }
    told
}

/// A commit.
struct Commit<'a, 'b> {
    rooms: &'a [Room],
    events: &'b [(usize, &'a Event)],
    told: Told<'a>,
    /// The seats behind it.
    seats: &'b Seats<'a>,
    /// The seats that it changes: people come, go, or take names. Nobody knows the order of two rooms.
    changed: BTreeSet<(usize, usize)>,
}

impl<'a> Commit<'a, '_> {
    /// Checks that all rooms are told the same of people whose seats do not change.
    fn check_rooms(&self) -> Result<(), Broken> {
        for (person, _) in self.told.keys() {
            if self.changed.iter().any(|(other, _)| other == person) {
                continue;
            }
            let rooms = self.seats.keys().filter(|(sitter, _)| sitter == person);
            let mut texts = rooms.map(|seat| self.told.get(seat));
            let first = texts.next();
            if !texts.all(|text| Some(text) == first) {
                let what = format!("not all rooms are told whether {person} is away: {self}");
                return Err(broken(Rule::Presence, what));
            }
        }
        Ok(())
    }

    /// Checks that a room which somebody enters is told that the person is away. An owner may have other
    /// connections: then others know it.
    fn check_arrivals(&self, away: &BTreeMap<usize, &str>) -> Result<(), Broken> {
        for (room, event) in self.events {
            let (Shown::Arrived(name), Kind::Told | Kind::Folded, Some(person)) =
                (&event.shown, event.kind, event.person)
            else {
                continue;
            };
            let is_told_elsewhere =
                self.told.keys().any(|(other, there)| *other == person && there != room);
            let is_known = name != OWNED && self.stays(person) && !is_told_elsewhere;
            let Some(text) = away.get(&person).filter(|_| is_known) else {
                continue;
            };
            let events = self.rooms[*room].events.iter();
            let mut later = events.skip_while(|it| !std::ptr::eq(*it, *event)).skip(1);
            let next = later.find(|it| it.person == Some(person) && it.kind != Kind::Late);
            let is_told = next.is_some_and(|next| match &next.shown {
                Shown::Away { text: now, .. } => now.as_deref() == Some(*text),
                _ => false,
            });
            if !is_told {
                let what = format!("{name} comes, and is away with {text}, but next is {next:?}");
                return Err(broken(Rule::Presence, what));
            }
        }
        Ok(())
    }

    /// Whether a person sits somewhere all the time, so that the rooms are told of each change.
    fn stays(&self, person: usize) -> bool {
        let mut seats = self.seats.keys().filter(|(sitter, _)| *sitter == person);
        seats.any(|seat| !self.changed.contains(seat))
    }

    /// Notes who is away from now on, as far as that is known.
    fn note(&self, away: &mut BTreeMap<usize, &'a str>) {
        for ((person, _), texts) in &self.told {
            match texts.last() {
                Some(Some(text)) => away.insert(*person, text),
                _ => away.remove(person),
            };
        }
        for (person, _) in &self.changed {
            if !self.stays(*person) {
                away.remove(person);
            }
        }
    }
}

impl fmt::Display for Commit<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let commit = self.events.first().map(|(_, event)| event.commit);
        write!(f, "commit {commit:?}, {:?}", self.told)
    }
}
