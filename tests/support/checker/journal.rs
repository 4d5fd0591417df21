//! The rules that concern the journal's record alone. Knows no reader.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::text::Shown;
use super::{Broken, Dialect, Event, Kind, OWNED, Room, Rule, broken, parse_token};

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
        check_rising(&said, |before, number| before < number)?;
        all.extend(said);
    }
    all.sort();
    check_rising(&all, |before, number| before <= number) // one line may be said in two rooms
}

/// The numbers of each speaker rise.
fn check_rising(
    said: &[(u64, usize, u64)],
    is_right: impl Fn(u64, u64) -> bool,
) -> Result<(), Broken> {
    let mut last = HashMap::new();
    for &(_, speaker, number) in said {
        let before = last.insert(speaker, number);
        if before.is_some_and(|before| !is_right(before, number)) {
            let what = format!("speaker {speaker} said {number} before {before:?}");
            return Err(broken(Rule::Spoken, what));
        }
    }
    Ok(())
}

/// The people in a room, by its events: each person, and the name worn.
fn check_balance(room: &Room) -> Result<(), Broken> {
    let mut here: HashMap<usize, &str> = HashMap::new();
    for event in &room.events {
        let Some(person) = event.person else { continue };
        let wrong = match &event.shown {
            Shown::Arrived(name) if event.is_change() => here
                .insert(person, name)
                .is_some()
                .then_some("a person arrives who is here already"),
            Shown::Left { name, .. } if event.is_change() => (here.remove(&person) != Some(name))
                .then_some("a person leaves who is not here, or not under this name"),
            Shown::Renamed { from, to } => (here.insert(person, to) != Some(from))
                .then_some("a person takes a name who is not here, or not under that name"),
            Shown::Said { name, .. } | Shown::Topic { name, .. } | Shown::Away { name, .. } => {
                // An owner is away if all connections are, also in rooms where only another one sits.
                let is_owner_away = matches!(event.shown, Shown::Away { .. }) && name == OWNED;
                let is_owner_here = is_owner_away && here.values().any(|worn| *worn == OWNED);
                (!is_owner_here && here.get(&person) != Some(&name.as_str()))
                    .then_some("a person is heard who is not here, or not under this name")
            }
            _ => None,
        };
        if let Some(why) = wrong {
            return Err(broken(Rule::Balance, format!("{why}: {event:?}")));
        }
        let is_taken = matches!(event.shown, Shown::Arrived(_) | Shown::Renamed { .. });
        if is_taken && let Some(name) = worn_twice(here.values()) {
            return Err(broken(Rule::Name, format!("two wear {name} after {event:?}")));
        }
    }
    Ok(())
}

/// At the end of each commit, each person wears one name in all rooms, and nobody else wears it.
/// Nobody knows the order of two rooms within a commit. So only the rooms tell the name in which
/// the person sits at its end: a room that was left may show an earlier name or a later one.
///
/// Somebody who comes back on another connection does not take all seats again, and the other ones
/// are given up later: until then nobody is heard there. So a person who only leaves behind a commit
/// may have moved.
fn check_names(rooms: &[Room]) -> Result<(), Broken> {
    let events = by_commit(rooms);
    let mut seats = Seats::new();
    let last_commits = |leaves: bool| -> HashMap<usize, u64> {
        let events = events.iter().map(|(_, event)| event);
        let chosen = events.filter(|it| matches!(it.shown, Shown::Left { .. }) == leaves);
        chosen.filter_map(|event| Some((event.person?, event.commit))).collect()
    };
    let (deeds, departures) = (last_commits(false), last_commits(true));
    let may_have_moved = |person: usize, commit: u64| {
        deeds.get(&person).is_none_or(|last| *last <= commit)
            && departures.get(&person).is_some_and(|last| *last > commit)
    };
    for commit in events.chunk_by(|(_, a), (_, b)| a.commit == b.commit) {
        let changes = commit.iter().filter(|(room, event)| seat(&mut seats, *room, event));
        if changes.count() > 0 {
            let number = commit.first().map_or(0, |(_, event)| event.commit);
            check_seats(&seats, |person| may_have_moved(person, number))
                .map_err(|what| broken(Rule::Name, format!("{what} after commit {number}")))?;
        }
    }
    Ok(())
}

/// The events of all rooms whose events are complete, by commit, each with the number of its room.
pub(super) fn by_commit(rooms: &[Room]) -> Vec<(usize, &Event)> {
    let mut events: Vec<(usize, &Event)> = Vec::new();
    for (number, room) in rooms.iter().enumerate().filter(|(_, room)| room.is_whole) {
        events.extend(room.events.iter().map(|event| (number, event)));
    }
    events.sort_by_key(|(_, event)| event.commit);
    events
}

/// The names that people wear in rooms, by person and number of the room.
pub(super) type Seats<'a> = BTreeMap<(usize, usize), &'a str>;

/// Takes in an event of a room. Returns whether it changes the seats.
pub(super) fn seat<'a>(seats: &mut Seats<'a>, room: usize, event: &'a Event) -> bool {
    let Some(person) = event.person else {
        return false;
    };
    match &event.shown {
        Shown::Arrived(name) if event.is_change() => seats.insert((person, room), name),
        Shown::Renamed { to, .. } => seats.insert((person, room), to),
        Shown::Left { .. } if event.is_change() => seats.remove(&(person, room)),
        _ => return false,
    };
    true
}

/// Checks that each person wears one name in all rooms, and nobody else wears it.
fn check_seats(seats: &Seats<'_>, may_have_moved: impl Fn(usize) -> bool) -> Result<(), String> {
    let mut worn: HashMap<usize, &str> = HashMap::new();
    for (&(person, _), &name) in seats {
        let other = worn.insert(person, name).filter(|other| *other != name);
        if let Some(other) = other {
            return Err(format!("{person} wears {other} and {name}"));
        }
    }
    worn.retain(|person, _| !may_have_moved(*person));
    worn_twice(worn.values()).map_or(Ok(()), |name| Err(format!("two wear {name}")))
}

/// A name that occurs twice among these, whatever its case. An owner may have several connections.
fn worn_twice<'a>(names: impl Iterator<Item = &'a &'a str>) -> Option<String> {
    let mut seen = HashSet::new();
    let names = names.filter(|name| **name != OWNED);
    names.map(|name| name.to_lowercase()).find(|name| !seen.insert(name.clone()))
}

/// The people in a room, as a reader of the named dialect knows them who reads from the beginning
/// on.
#[derive(Default)]
struct Screen {
    named: HashSet<String>,
    /// The number of people here whose names are not known.
    unnamed: usize,
}

fn check_screen(room: &Room) -> Result<(), Broken> {
    let mut screen = Screen::default();
    for event in &room.events {
        // Scripts speak without being here: their arrival is not announced.
        let is_script = event.person.is_none() && matches!(event.kind, Kind::Line { .. });
        let is_hidden = matches!(event.kind, Kind::Folded | Kind::Untold | Kind::Unseen);
        let is_read = !is_hidden && !is_script;
        let mut is_possible =
            || told(event, Dialect::Named).iter().all(|event| screen.shows(&event.shown));
        if is_read && !is_possible() {
            let what = format!("cannot be, by what was told so far: {event:?}");
            return Err(broken(Rule::Presence, what));
        }
    }
    Ok(())
}

/// An event as people read it in this dialect, other than that of IRC: the room may see a departure
/// and an arrival in place of a new name, and classic readers do not read of removals.
pub(super) fn told(event: &Event, dialect: Dialect) -> Vec<Cow<'_, Event>> {
    if let (Shown::Left { name, removal: Some(_), .. }, Dialect::Classic) = (&event.shown, dialect)
    {
        let shown = Shown::left(name.clone(), None);
        return vec![Cow::Owned(Event { shown, ..event.clone() })];
    }
    let (Kind::ByRoom { leaves, arrives }, Shown::Renamed { from, to }) =
        (event.kind, &event.shown)
    else {
        return vec![Cow::Borrowed(event)];
    };
    let left = leaves.then(|| Shown::left(from.clone(), None));
    let shown = left.into_iter().chain(arrives.then(|| Shown::Arrived(to.clone())));
    shown.map(|shown| Cow::Owned(Event { shown, kind: Kind::Other, ..event.clone() })).collect()
}

impl Screen {
    /// Takes in an event. Returns whether it is possible.
    fn shows(&mut self, shown: &Shown) -> bool {
        match shown {
            Shown::Arrived(name) => self.named.insert(name.clone()),
            Shown::Left { name, .. } => self.go(name),
            Shown::ArrivedTogether { named, others } => {
                self.unnamed += others;
                named.iter().all(|name| self.named.insert(name.clone()))
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
            Shown::Renamed { from, to } => self.go(from) && self.named.insert(to.clone()),
            Shown::Said { name, .. } | Shown::Topic { name, .. } => {
                self.go(name) && self.named.insert(name.clone())
            }
            Shown::Act { .. }
            | Shown::Ranked { .. }
            | Shown::Away { .. }
            | Shown::Invited { .. }
            | Shown::Unseen => true,
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
