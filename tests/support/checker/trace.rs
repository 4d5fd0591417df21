//! The rules for one client's output, compared with the record of the rooms it was in.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::journal::told;
use super::text::{Line, Removal, Shown, parse};
use super::{
    Broken, Dialect, End, Event, Kind, Listened, Reader, Room, Rule, Story, broken, irc, irc_trace,
    web,
};

/// A received line, and its room if the dialect names it.
pub(super) struct Seen {
    pub(super) room: Option<String>,
    pub(super) line: Line,
}

pub(super) fn check(story: &Story, reader: &Reader) -> Result<(), Broken> {
    let rooms = &story.rooms;
    let seen = read(reader)?;
    check_answers(&seen)?;
    if reader.dialect == Dialect::Irc {
        return irc_trace::check(story, reader, irc::read(reader)?);
    }
    if let Some(listened) = &reader.listened {
        return check_listened(rooms, reader, listened, seen);
    }
    let mut stays = arrivals(rooms, reader.person);
    for (number, visit) in visits(reader, seen)?.iter().enumerate() {
        let within = |Broken { rule, what }| broken(rule, format!("visit {number}: {what}"));
        match stays.next() {
            Some((room, at)) => visit.check_whole(room, at),
            None => visit.check_lines(rooms),
        }
        .map_err(within)?;
    }
    Ok(())
}

/// The lines that a client received, without a line that a broken connection cut off.
pub(super) fn read(reader: &Reader) -> Result<Vec<Seen>, Broken> {
    if reader.dialect == Dialect::Web {
        return web::read(&reader.text, reader.end);
    }
    if reader.dialect == Dialect::Irc {
        return irc::read(reader).map(irc::lines);
    }
    let fail = |what: String| Err(broken(Rule::Text, what));
    let end = reader.text.iter().rposition(|&b| b == b'\n').map_or(0, |end| end + 1);
    if end != reader.text.len() && reader.end != End::Broken {
        return fail(format!("ends in the middle of a line, after {end} bytes"));
    }
    let Ok(text) = str::from_utf8(&reader.text[..end]) else {
        return fail("not UTF-8".to_owned());
    };
    // Lines end in LF, or in CR LF for telnet.
    text.split_terminator('\n')
        .map(|line| read_line(line.strip_suffix('\r').unwrap_or(line), reader.dialect))
        .collect()
}

fn read_line(line: &str, dialect: Dialect) -> Result<Seen, Broken> {
    if let Some(control) = line.chars().find(|&c| c.is_control() && c != '\t') {
        return Err(broken(Rule::Text, format!("{control:?} in {line:?}")));
    }
    let never = || broken(Rule::Text, format!("nothing that is ever said: {line:?}"));
    let line = parse(line, dialect).ok_or_else(never)?;
    Ok(Seen { room: None, line })
}

/// Each stay in a room, with the lines seen there: one after the other in the line dialects, side
/// by side in the web dialect.
fn visits(reader: &Reader, seen: Vec<Seen>) -> Result<Vec<Visit<'_>>, Broken> {
    let mut visits: Vec<Visit<'_>> = Vec::new();
    for Seen { room, line } in seen {
        let is_here =
            |visit: &&mut Visit<'_>| !visit.is_over && (room.is_none() || visit.room == room);
        match (visits.iter_mut().rfind(is_here), line) {
            (Some(_), Line::Entered { .. }) if reader.dialect == Dialect::Web => {
                let what = format!("enters {room:?} twice");
                return Err(broken(Rule::Presence, what));
            }
            (before, entered @ Line::Entered { .. }) => {
                before.into_iter().for_each(|visit| visit.is_over = true);
                visits.push(Visit {
                    reader,
                    room,
                    entered: Some(entered),
                    seen: Vec::new(),
                    is_over: false,
                });
            }
            (Some(visit), Line::Departed) => visit.is_over = true,
            (Some(visit), line) => visit.seen.push(line),
            (None, line @ (Line::Shown(_) | Line::Summary(_) | Line::Departed)) => {
                let what = format!("sees where it is not, in {room:?}: {line:?}");
                return Err(broken(Rule::Presence, what));
            }
            (None, _) => {}
        }
    }
    Ok(visits)
}

/// Compares what a reader without a seat saw with that piece of the room.
fn check_listened(
    rooms: &[Room],
    reader: &Reader,
    listened: &Listened,
    seen: Vec<Seen>,
) -> Result<(), Broken> {
    let &Listened { room, from, to } = listened;
    let visit = Visit {
        reader,
        room: None,
        entered: None,
        seen: seen.into_iter().map(|seen| seen.line).collect(),
        is_over: false,
    };
    let Some(room) = rooms.get(room) else {
        let what = "listens where nothing was made".to_owned();
        return Err(broken(Rule::Presence, what));
    };
    let events = &room.events[from..to.unwrap_or(room.events.len())];
    let told: Vec<_> = events
        .iter()
        .filter(|event| is_told(event, reader.dialect))
        .flat_map(|e| told(e, reader.dialect))
        .collect();
    visit.check_order(room, told.iter().map(Cow::as_ref).collect(), reader.end)
}

/// Checks that an answer "after x" does not come before x.
fn check_answers(seen: &[Seen]) -> Result<(), Broken> {
    let mut answered = HashSet::new();
    for Seen { line, .. } in seen {
        match line {
            Line::After(token) => {
                answered.insert(token.as_str());
            }
            Line::Shown(Shown::Said { text, .. }) if answered.contains(text.as_str()) => {
                let what = format!("{text:?} is shown behind the answer to what came later");
                return Err(broken(Rule::Answer, what));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The arrivals of a person, in order: each room, and the place of the arrival in it.
pub(super) fn arrivals(
    rooms: &[Room],
    person: Option<usize>,
) -> impl Iterator<Item = (&Room, usize)> {
    let mut found = Vec::new();
    for room in rooms.iter().filter(|room| room.is_whole && person.is_some()) {
        let is_arrival = |event: &Event| {
            event.person == person
                && !event.reads_on
                && event.is_change()
                && matches!(event.shown, Shown::Arrived(_))
        };
        let places = room.events.iter().enumerate().filter(|(_, e)| is_arrival(e));
        found.extend(places.map(|(at, event)| (event.commit, room, at)));
    }
    found.sort_by_key(|&(commit, ..)| commit);
    found.into_iter().map(|(_, room, at)| (room, at))
}

/// The events between a person's arrival and departure.
pub(super) struct Stay<'a> {
    pub(super) events: Range<usize>,
    pub(super) end: StayEnd,
    /// The reason, and who removed the person, if somebody did.
    pub(super) removal: Option<(&'a Option<String>, &'a Removal)>,
}

/// The end of a stay.
#[derive(PartialEq, Eq)]
pub(super) enum StayEnd {
    /// The person leaves.
    Departure,
    /// The boot of the node has ended, and the person goes before entering again: nobody is told
    /// when.
    Unknown,
    /// The person is here.
    None,
}

impl<'a> Stay<'a> {
    pub(super) fn after(room: &'a Room, arrival: usize, person: Option<usize>) -> Stay<'a> {
        let mut is_away = false;
        let own = |&(_, event): &(usize, &Event)| event.person == person && event.is_change();
        let events = room.events.iter().enumerate().skip(arrival + 1);
        for (at, event) in events.filter(own) {
            let end = match (&event.shown, event.reads_on) {
                // From some time before on, the person reads on another connection.
                (Shown::Left { .. }, false) if event.kind == Kind::Untold => StayEnd::Unknown,
                (Shown::Left { .. }, false) => StayEnd::Departure,
                (Shown::Arrived(_), false) => StayEnd::Unknown, // the next stay
                (shown, _) => {
                    is_away = matches!(shown, Shown::Left { .. });
                    continue;
                }
            };
            let removal = match &event.shown {
                Shown::Left { words, removal: Some(removal), .. } => Some((words, removal)),
                _ => None,
            };
            return Stay { events: arrival + 1..at, end, removal };
        }
        let end = if is_away { StayEnd::Unknown } else { StayEnd::None };
        Stay { events: arrival + 1..room.events.len(), end, removal: None }
    }
}

/// One stay in one room.
struct Visit<'a> {
    reader: &'a Reader,
    /// The room's name, if lines carry it.
    room: Option<String>,
    /// The roster on entering; none for a listener.
    entered: Option<Line>,
    seen: Vec<Line>,
    /// Whether the reader left it, and the connection continued.
    is_over: bool,
}

impl Visit<'_> {
    fn end(&self) -> End {
        if self.is_over { End::Left } else { self.reader.end }
    }

    /// Compares it with all events of the room.
    fn check_whole(&self, room: &Room, arrival: usize) -> Result<(), Broken> {
        self.check_entered(room, arrival)?;
        let person = self.reader.person;
        let stay = Stay::after(room, arrival, person);
        let end = match stay.end {
            StayEnd::Departure => self.end(),
            StayEnd::Unknown => End::Broken,
            StayEnd::None if self.end() == End::Left => {
                let what = format!("has left {}, of which nobody was told", room.name);
                return Err(broken(Rule::Balance, what));
            }
            StayEnd::None => self.end(),
        };
        if self.reader.dialect == Dialect::Web && end != End::Broken {
            self.check_roster(room, arrival, stay.events.end)?;
        }
        let own =
            |event: &Event| event.person == person && matches!(event.shown, Shown::Renamed { .. });
        let is_seen = |event: &&Event| is_told(event, self.reader.dialect) && !own(event);
        let events = room.events[stay.events].iter().filter(is_seen);
        let events: Vec<_> = events.flat_map(|event| told(event, self.reader.dialect)).collect();
        self.check_order(room, events.iter().map(Cow::as_ref).collect(), end)
    }

    /// Compares it with the lines of the room, if only lines were stored.
    fn check_lines(&self, rooms: &[Room]) -> Result<(), Broken> {
        let Some(Line::Entered { room: name, .. }) = &self.entered else {
            return Ok(());
        };
        self.check_alternation()?;
        let said = |line: &Line| match line {
            Line::Shown(shown @ Shown::Said { .. }) => Some((shown.clone(), false)),
            Line::Replayed(shown) => Some((shown.clone(), true)),
            _ => None,
        };
        let Some((first, _)) = self.seen.iter().find_map(said) else {
            return Ok(());
        };
        let last_replayed = self.seen.iter().filter_map(said).rfind(|&(_, old)| old);
        let anchor = last_replayed.as_ref().map_or(&first, |(shown, _)| shown);
        let is_named = |room: &&Room| name.as_ref().is_none_or(|name| *name == room.name);
        let found = rooms.iter().filter(is_named).find_map(|room| {
            let at = room.events.iter().position(|event| event.shown == *anchor)?;
            Some((room, at))
        });
        let Some((room, at)) = found else {
            return Err(broken(Rule::Kept, format!("was never said: {anchor:?}")));
        };
        // Without replayed lines, the arrival may be anywhere before the first line.
        let start =
            if last_replayed.is_some() { at + 1 } else { at - at.min(self.skipped_first()) };
        let events = room.events.get(start..).unwrap_or_default();
        self.check_order(room, events.iter().filter(|e| is_line(e)).collect(), self.end())
    }

    /// The number of lines skipped before the first line received.
    fn skipped_first(&self) -> usize {
        let before =
            self.seen.iter().take_while(|line| !matches!(line, Line::Shown(Shown::Said { .. })));
        before.map(|line| skipped(line) as usize).sum()
    }

    /// Checks the roster on entering.
    fn check_entered(&self, room: &Room, arrival: usize) -> Result<(), Broken> {
        let Some(Line::Entered { room: Some(name), named, others }) = &self.entered else {
            return Ok(()); // classic readers get no roster
        };
        let fail = |why: String| Err(broken(Rule::Presence, why));
        if *name != room.name {
            return fail(format!("entered {name}, but arrived in {}", room.name));
        }
        let here = names_before(room, arrival);
        let stranger = named.iter().find(|name| !here.contains(name.as_str()));
        if stranger.is_some() || named.len() + others != here.len() {
            return fail(format!(
                "the roster of {name} has {named:?} and {others} others, but there were {here:?}"
            ));
        }
        Ok(())
    }

    /// Checks the roster that a page maintains from the messages of a socket.
    fn check_roster(&self, room: &Room, arrival: usize, end: usize) -> Result<(), Broken> {
        let Shown::Arrived(own) = &room.events[arrival].shown else {
            return Ok(());
        };
        let here = names_before(room, end);
        let Some(listed) = self.roster(own) else {
            return Ok(());
        };
        let listed: HashSet<_> = listed.iter().map(String::as_str).collect();
        match listed == here {
            true => Ok(()),
            false => Err(broken(
                Rule::Presence,
                format!("lists {listed:?} in {}, where {here:?} are", room.name),
            )),
        }
    }

    /// The number of lines up to the last list of people that is surely from before the departure.
    /// A person who leaves the server is not told of each room, so a list behind the last event may
    /// stand behind the departure: then it is older.
    fn lists_end(&self) -> usize {
        let is_event = |line: &Line| {
            matches!(
                line,
                Line::Shown(_) | Line::Summary(_) | Line::Presence { .. } | Line::Skipped(_)
            )
        };
        match self.reader.has_left && !self.is_over {
            true => self.seen.iter().rposition(is_event).unwrap_or_default(),
            false => self.seen.len(),
        }
    }

    /// The people in the room, as a page lists them; none if the page does not know all of them.
    fn roster(&self, own: &str) -> Option<HashSet<String>> {
        let Some(Line::Entered { named, others, .. }) = &self.entered else {
            return None;
        };
        let all = || named.iter().cloned().chain([own.to_owned()]).collect();
        let mut here: Option<HashSet<String>> = (*others == 0).then(all);
        let lists_end = self.lists_end();
        for (number, line) in self.seen.iter().enumerate() {
            let (come, gone) = match line {
                Line::People(_) if number >= lists_end => continue,
                Line::People(names) => {
                    here = Some(names.iter().cloned().collect());
                    continue;
                }
                Line::FellBehind => {
                    here = None;
                    continue;
                }
                Line::Presence { come, gone } => (come.as_ref(), gone.as_ref()),
                Line::Shown(Shown::Arrived(name)) => (Some(name), None),
                Line::Shown(Shown::Left { name, .. }) => (None, Some(name)),
                Line::Shown(Shown::Renamed { from, to }) => (Some(to), Some(from)),
                _ => continue,
            };
            if let Some(here) = &mut here {
                gone.map(|name| here.remove(name));
                here.extend(come.cloned());
            }
        }
        here
    }

    /// Checks that every line received is the next one for this reader, apart from skipped lines.
    fn check_order(&self, room: &Room, told: Vec<&Event>, end: End) -> Result<(), Broken> {
        let mut walk = Walk {
            room,
            told,
            places: vec![0],
            missing: 0,
            fell_silently: self.reader.fell_silently || !room.is_whole,
        };
        for line in &self.seen {
            walk.missing += skipped(line);
            match line {
                Line::Shown(shown) | Line::Summary(shown)
                    if room.is_whole || matches!(shown, Shown::Said { .. }) =>
                {
                    walk.see(shown)?;
                }
                Line::Replayed(shown) => walk.check_kept(shown)?,
                _ => {}
            }
        }
        match end {
            End::Left if !room.is_whole => Ok(()), // the place of the departure is unknown
            end => walk.finish(end),
        }
    }

    /// Checks that single announcements of a person alternate between arrival and departure.
    fn check_alternation(&self) -> Result<(), Broken> {
        let mut here: HashMap<&str, bool> = HashMap::new();
        for line in &self.seen {
            let (name, comes) = match line {
                Line::Shown(Shown::Arrived(name)) => (name, true),
                Line::Shown(Shown::Left { name, .. }) => (name, false),
                Line::Shown(Shown::Renamed { from, to }) => {
                    here.remove(from.as_str());
                    here.insert(to, true);
                    continue;
                }
                // From here on the roster is unknown.
                Line::Shown(Shown::ArrivedTogether { .. } | Shown::LeftTogether { .. })
                | Line::Summary(_)
                | Line::Skipped(_) => return Ok(()),
                _ => continue,
            };
            if here.insert(name, comes) == Some(comes) {
                let what = format!("twice in a row: {line:?}");
                return Err(broken(Rule::Balance, what));
            }
        }
        Ok(())
    }
}

fn skipped(line: &Line) -> u64 {
    match line {
        Line::Skipped(lines) => *lines,
        _ => 0,
    }
}

fn is_line(event: &Event) -> bool {
    matches!(event.kind, Kind::Line { .. })
}

/// Whether readers of this dialect see the event.
fn is_told(event: &Event, dialect: Dialect) -> bool {
    let is_of_dialect = match &event.shown {
        Shown::Act { .. } => dialect != Dialect::Classic,
        Shown::Away { .. } | Shown::Invited { .. } | Shown::Ranked { .. } => {
            dialect == Dialect::Irc
        }
        _ => true,
    };
    is_of_dialect
        && match dialect {
            Dialect::Named | Dialect::Web => {
                !matches!(event.kind, Kind::Folded | Kind::Untold | Kind::Unseen)
            }
            Dialect::Classic | Dialect::Irc => {
                !matches!(event.kind, Kind::Late | Kind::Summary | Kind::Untold | Kind::Unseen)
            }
        }
}

/// The names in a room just before this event. An owner may have several connections.
fn names_before(room: &Room, at: usize) -> HashSet<&str> {
    let mut here = HashMap::new();
    for event in &room.events[..at] {
        // The tests of the checker have people without numbers.
        let key = |name| (event.person, if event.person.is_none() { name } else { "" });
        match &event.shown {
            Shown::Arrived(name) if event.kind != Kind::Late && event.kind != Kind::Summary => {
                here.insert(key(name.as_str()), name.as_str());
            }
            Shown::Left { name, .. } if event.kind != Kind::Late && event.kind != Kind::Summary => {
                here.remove(&key(name.as_str()));
            }
            Shown::Renamed { from, to } => {
                here.remove(&key(from.as_str()));
                here.insert(key(to.as_str()), to);
            }
            _ => {}
        }
    }
    here.into_values().collect()
}

/// A reader's way through the events of a room.
struct Walk<'a> {
    room: &'a Room,
    told: Vec<&'a Event>,
    /// The possible places in `told`. There is more than one if lines are lost and the same text
    /// occurs twice. The first is the earliest.
    places: Vec<usize>,
    /// Skipped lines that were announced and not yet passed over.
    missing: u64,
    fell_silently: bool,
}

impl Walk<'_> {
    /// Passes over the skipped lines. Returns where reading may continue.
    fn land(&mut self) -> Result<(), Broken> {
        let is_loose = self.missing > 0 || self.fell_silently;
        for place in &mut self.places {
            let mut missing = self.missing;
            while missing > 0 {
                let Some(event) = self.told.get(*place) else {
                    let what = format!("{missing} more lines skipped than were said");
                    return Err(broken(Rule::Count, what));
                };
                missing -= u64::from(is_line(event));
                *place += 1;
            }
        }
        self.missing = 0;
        if let Some(&first) = self.places.first()
            && is_loose
        {
            // Arrivals and departures after skipped lines may be lost with them.
            let lost = self.rest(first).iter().take_while(|event| !is_line(event));
            self.places = (first..=first + lost.count()).collect();
        }
        Ok(())
    }

    fn first(&self) -> usize {
        self.places.first().copied().unwrap_or_default()
    }

    fn rest(&self, place: usize) -> &[&Event] {
        self.told.get(place..).unwrap_or_default()
    }

    fn see(&mut self, shown: &Shown) -> Result<(), Broken> {
        self.land()?;
        let is_next = |place: &usize| {
            let event = self.told.get(*place);
            event.is_some_and(|event| event.shown == *shown)
        };
        let places: Vec<_> = self.places.iter().copied().filter(is_next).collect();
        if places.is_empty() {
            return Err(self.misread(shown));
        }
        self.places = places.into_iter().map(|place| place + 1).collect();
        Ok(())
    }

    /// The reason why this event cannot be seen here.
    fn misread(&self, shown: &Shown) -> Broken {
        let rest = self.rest(self.first());
        let expected = rest.first().map(|event| &event.shown);
        let what = format!("sees {shown:?} where {expected:?} is next");
        let is_it = |event: &&Event| event.shown == *shown;
        if !matches!(shown, Shown::Said { .. }) {
            return broken(Rule::Presence, what);
        }
        if let Some(ahead) = rest.iter().position(is_it) {
            let passes_lines = rest.iter().take(ahead).any(|event| is_line(event));
            let rule = if passes_lines { Rule::Count } else { Rule::Presence };
            return broken(rule, what);
        }
        if self.told.iter().any(is_it) {
            return broken(Rule::Order, what);
        }
        match self.check_kept(shown) {
            Err(broken) => broken,
            Ok(()) => broken(Rule::Presence, what), // a line from before or after the stay
        }
    }

    fn check_kept(&self, shown: &Shown) -> Result<(), Broken> {
        if self.room.events.iter().any(|event| event.shown == *shown) {
            return Ok(());
        }
        let what = format!("was not kept in {}: {shown:?}", self.room.name);
        Err(broken(Rule::Kept, what))
    }

    /// Checks that every event was seen or skipped at the end.
    fn finish(mut self, end: End) -> Result<(), Broken> {
        self.land()?;
        let last = self.places.last().copied().unwrap_or_default();
        let left = self.rest(last);
        let Some(event) = left.first() else {
            return Ok(());
        };
        let rule = match end {
            End::Broken => return Ok(()),
            End::Here => Rule::Converged,
            End::Left if is_line(event) => Rule::Count,
            End::Left => Rule::Presence,
        };
        let (count, name) = (left.len(), &self.room.name);
        let what = format!("{count} events were not shown in {name}, first {event:?}");
        Err(broken(rule, what))
    }
}
