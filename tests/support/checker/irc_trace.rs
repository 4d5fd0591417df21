//! The rules for the messages of a client of IRC. The checker changes the lists of people as such a
//! client does, by JOIN, PART, KICK, NICK and QUIT alone, and compares each change with the record.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::irc::{Heard, NO_CONTACT, TOO_SLOW};
use super::irc_ranks::Ranks;
use super::text::{Removal, Shown};
use super::trace::{Stay, StayEnd, arrivals};
use super::{Broken, End, Event, Kind, OWNED, Reader, Room, Rule, Story, broken};

/// Checks what a client heard.
pub(super) fn check(story: &Story, reader: &Reader, heard: Vec<Heard>) -> Result<(), Broken> {
    let rooms = &story.rooms;
    let mut client = Client {
        reader,
        rooms,
        me: String::new(),
        before: None,
        stays: arrivals(rooms, reader.person).collect::<Vec<_>>().into_iter(),
        sittings: Vec::new(),
        listed: BTreeMap::new(),
        pongs: BTreeSet::new(),
    };
    for message in heard {
        let after = format!("at {message:?}");
        client
            .hear(message)
            .map_err(|Broken { rule, what }| broken(rule, format!("{what}, {after}")))?;
    }
    client.finish(story.was_undone)
}

/// A list of people: names, each with the signs of a rank.
type List = BTreeMap<String, String>;

/// A client of IRC, as far as it knows its rooms.
struct Client<'a, Stays> {
    reader: &'a Reader,
    rooms: &'a [Room],
    me: String,
    /// Its name before that.
    before: Option<String>,
    /// The arrivals of the person that the client has not read of.
    stays: Stays,
    /// The rooms in which it is.
    sittings: Vec<Sitting<'a>>,
    /// The lists that are not complete, by room.
    listed: BTreeMap<String, List>,
    /// The answers to its PINGs.
    pongs: BTreeSet<String>,
}

impl<'a, Stays: Iterator<Item = (&'a Room, usize)>> Client<'a, Stays> {
    fn hear(&mut self, message: Heard) -> Result<(), Broken> {
        match message {
            Heard::Welcome(name) => self.me = name,
            Heard::Joined { room, name } if name == self.me => return self.enter(room),
            Heard::Parted { room, name, words, .. } if name == self.me => {
                return self.leave(&room, words.as_deref());
            }
            Heard::Kicked { room, name, words, removal } if name == self.me => {
                return self.be_kicked(&room, &words, &removal);
            }
            Heard::Joined { room, name } => {
                // Another connection of the owner keeps the name that the client has given up.
                let is_beside = self.before.as_ref() == Some(&name);
                let me = self.me.clone();
                let sitting = self.sitting(&room)?;
                let owed = sitting.owes;
                let changed = sitting.change_or_owe(None, Some(&name), How::Comes);
                if changed.is_ok() || !is_beside {
                    return changed;
                }
                if sitting.places.iter().any(|place| place.me == Some(&*me)) {
                    // It has come in again behind its new name.
                    (sitting.owes, sitting.is_ranked_before) = (owed, Some(name));
                }
            }
            Heard::Parted { room, name, words, removal } => {
                let how = How::goes(words.as_deref(), removal.as_ref());
                let me = self.me.clone();
                let sitting = self.sitting(&room)?;
                let is_own_next = sitting.is_taken_later(&me, &name);
                let changed = sitting.change_or_owe(Some(&name), None, how);
                return if is_own_next { Ok(()) } else { changed };
            }
            Heard::Kicked { room, name, words, removal } => {
                let how = How::IsKicked(words.as_deref(), &removal);
                return self.sitting(&room)?.change(Some(&name), None, how);
            }
            Heard::Acted { room, shown } => {
                let sitting = self.sitting(&room)?;
                if let Shown::Act { mode, .. } = &shown {
                    sitting.ranks.take_mode(mode);
                }
                return sitting.see(&shown, None);
            }
            Heard::Ranked { room, name, mode } => {
                return self.sitting(&room)?.be_told_rank(&name, &mode);
            }
            Heard::Renamed { .. } if self.me.is_empty() => {} // it leaves before it is welcome
            Heard::Renamed { from, to } if from == self.me => {
                for sitting in &mut self.sittings {
                    sitting.people.remove(&from);
                    sitting.people.insert(to.clone());
                    sitting.ranks.change(Some(&from), Some(&to), true);
                }
                self.me = to;
                self.before = Some(from);
            }
            Heard::Renamed { from, to } => {
                return self.change_everywhere(&from, (Some(&from), Some(&to)), How::TakesName);
            }
            Heard::Quit { name, .. } if name == self.me => {
                return Err(broken(Rule::Presence, "the client quits, and reads on".to_owned()));
            }
            Heard::Quit { name, words, removal } => {
                let gone = (Some(name.as_str()), None);
                let how = match &removal {
                    Some(removal) => How::IsKicked(words.as_deref(), removal),
                    None => How::Quits(words.as_deref()),
                };
                return self.change_everywhere(&name, gone, how);
            }
            Heard::Away { name, text } => {
                return self.change_everywhere(
                    &name,
                    (None, None),
                    How::IsAway(&name, text.as_deref()),
                );
            }
            // See there, for all clients. It may leave before it is welcome.
            Heard::Invited { to, .. } if to == self.me || self.me.is_empty() => {}
            Heard::Invited { room, by, to } => {
                return self.sitting(&room)?.see(&Shown::Invited { by, to }, None);
            }
            Heard::Topic { room, name, text } => {
                let shown = Shown::Topic { name, text };
                return self.sitting(&room)?.see(&shown, None);
            }
            Heard::Said { room, shown, is_old: true, .. } => {
                return self.sitting(&room)?.check_kept(&shown);
            }
            Heard::Said { room, shown, seq, .. } => return self.sitting(&room)?.see(&shown, seq),
            Heard::Names { room, names } => self.listed.entry(room).or_default().extend(names),
            Heard::EndOfNames(room) => return self.end_list(&room),
            Heard::Skipped { room, lines } => self.skip(&room, lines)?,
            Heard::Pong(token) => return self.hear_pong(token),
            Heard::Private(_) | Heard::After(_) | Heard::Other => {}
        }
        Ok(())
    }

    /// The room in which the client is, with its list of people.
    fn sitting(&mut self, room: &str) -> Result<&mut Sitting<'a>, Broken> {
        let mut sittings = self.sittings.iter_mut();
        let found = sittings.find(|sitting| sitting.room.name == room);
        match found.filter(|sitting| sitting.state == State::Listed) {
            Some(sitting) => Ok(sitting),
            None => Err(broken(Rule::Presence, format!("sees where it is not, in {room}"))),
        }
    }

    /// A change of a person without a room, in all rooms in which the client sees the person.
    fn change_everywhere(
        &mut self,
        who: &str,
        (gone, come): (Option<&str>, Option<&str>),
        how: How<'_>,
    ) -> Result<(), Broken> {
        let (mut count, mut first, mut has_words) = (0, None, false);
        for sitting in self.sittings.iter_mut().filter(|it| it.people.contains(who)) {
            let owed = sitting.owes;
            // It may have read this in another room, and not have come to it in this one.
            let behind = match sitting.behind.is_empty() {
                true => sitting.places.clone(),
                false => std::mem::take(&mut sitting.behind),
            };
            match sitting.change_or_owe(gone, come, how) {
                Ok(()) => count += 1,
                Err(why) => first = first.or(Some(why)),
            }
            sitting.behind = behind;
            has_words |= sitting.has_just_gone(how);
            if let How::IsAway(..) = how {
                // It may have read this in some rooms before it came to the list of the others.
                sitting.owes = owed;
            }
        }
        match (count, first) {
            (0, None) => {
                let what = format!("{who} is in no room of the client");
                Err(broken(Rule::Presence, what))
            }
            (0, Some(why)) => Err(why),
            _ if !has_words => {
                let what = format!("{who} has left no room with the words {how:?}");
                Err(broken(Rule::Presence, what))
            }
            _ => Ok(()),
        }
    }

    /// The client enters a room, or comes in again where it was too slow.
    fn enter(&mut self, room: String) -> Result<(), Broken> {
        if let Some(open) = self.sittings.iter_mut().find(|sitting| sitting.room.name == room) {
            if open.state != State::TooSlow {
                return Err(broken(Rule::Presence, format!("enters {room} twice")));
            }
            open.state = State::Again;
            return Ok(());
        }
        let Some((found, arrival)) = self.stays.next().filter(|(found, _)| found.name == room)
        else {
            return Err(broken(Rule::Presence, format!("enters {room} without an arrival")));
        };
        let mut sitting = Sitting::new(found, arrival, self.reader);
        sitting.read_elsewhere = self.sittings.iter().filter_map(Sitting::last_commit).max();
        self.sittings.push(sitting);
        Ok(())
    }

    fn end_list(&mut self, room: &str) -> Result<(), Broken> {
        let mut names = self.listed.remove(room).unwrap_or_default();
        names.entry(self.me.clone()).or_default();
        let Some(sitting) = self.sittings.iter_mut().find(|sitting| sitting.room.name == room)
        else {
            return Ok(()); // a list of another room
        };
        let listed = sitting.take_list(&names, &self.me);
        // It may have left the room while it was out, and come back on a new seat.
        let is_new = sitting.state == State::Again && sitting.end != StayEnd::None;
        match listed {
            Err(_) if is_new => {
                self.sittings.retain(|sitting| sitting.room.name != room);
                self.enter(room.to_owned())?;
                self.end_list_of(names, room)
            }
            listed => listed,
        }
    }

    fn end_list_of(&mut self, names: List, room: &str) -> Result<(), Broken> {
        self.listed.insert(room.to_owned(), names);
        self.end_list(room)
    }

    /// Lines were skipped in a room.
    fn skip(&mut self, room: &str, lines: u64) -> Result<(), Broken> {
        match self.sittings.iter_mut().find(|sitting| sitting.room.name == room) {
            Some(sitting) => sitting.missing += lines,
            None => return Err(broken(Rule::Count, format!("skips lines of {room}"))),
        }
        Ok(())
    }

    fn leave(&mut self, room: &str, words: Option<&str>) -> Result<(), Broken> {
        let sitting = self.sitting(room)?;
        if words == Some(TOO_SLOW) || words == Some(NO_CONTACT) {
            let is_right = match words == Some(NO_CONTACT) {
                true => sitting.may_be_blind(),
                false => sitting.places.iter().any(|place| !place.is_blind),
            };
            if !is_right {
                let what = format!("comes in again, with {words:?}, into {room}");
                return Err(broken(Rule::Presence, what));
            }
            (sitting.state, sitting.owes) = (State::TooSlow, None);
            return Ok(());
        }
        if sitting.removal.is_some() {
            return Err(broken(Rule::Presence, format!("parts from {room}, where it is kicked")));
        }
        sitting.finish(End::Left)?;
        self.sittings.retain(|sitting| sitting.room.name != room);
        Ok(())
    }

    fn be_kicked(
        &mut self,
        room: &str,
        words: &Option<String>,
        removal: &Removal,
    ) -> Result<(), Broken> {
        let sitting = self.sitting(room)?;
        if sitting.removal != Some((words, removal)) {
            let what = format!("is kicked from {room}: {:?}", sitting.removal);
            return Err(broken(Rule::Presence, what));
        }
        sitting.finish(End::Left)?;
        self.sittings.retain(|sitting| sitting.room.name != room);
        Ok(())
    }

    /// An answer to PING stands behind everything that was visible when it was given.
    fn hear_pong(&mut self, token: String) -> Result<(), Broken> {
        let barrier = self.reader.barriers.iter().find(|barrier| barrier.token == token);
        for &(room, events) in barrier.map_or(&[][..], |barrier| &barrier.events) {
            let Some(room) = self.rooms.get(room) else { continue };
            let mut sittings = self.sittings.iter_mut();
            if let Some(sitting) = sittings.find(|sitting| std::ptr::eq(sitting.room, room))
                && sitting.unseen_before(events).is_some()
            {
                sitting.owes.get_or_insert(Rule::Answer);
            }
        }
        if !self.pongs.insert(token) {
            return Err(broken(Rule::Answer, "a PING is answered twice".to_owned()));
        }
        Ok(())
    }

    fn finish(mut self, was_undone: bool) -> Result<(), Broken> {
        for sitting in &mut self.sittings {
            sitting.finish(self.reader.end)?;
            if self.reader.end == End::Here {
                sitting.check_ranks(was_undone)?;
            }
        }
        let mut asked = self.reader.barriers.iter().map(|barrier| &barrier.token);
        match asked.find(|token| !self.pongs.contains(*token)) {
            Some(token) if self.reader.end != End::Broken => {
                Err(broken(Rule::Converged, format!("no answer to PING {token}")))
            }
            _ => Ok(()),
        }
    }
}

/// How far the client knows a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It has entered, and waits for the list of people.
    Entered,
    /// It knows everybody.
    Listed,
    /// It has left because it was too slow, or its boot had ended, and comes in again.
    TooSlow,
    /// It has come in again, and waits for the list of people.
    Again,
}

/// A stay of the client in a room.
struct Sitting<'a> {
    room: &'a Room,
    reader: &'a Reader,
    end: StayEnd,
    /// The number of events before the end of the stay.
    until: usize,
    /// The reason, and who removes the client then, if somebody does.
    removal: Option<(&'a Option<String>, &'a Removal)>,
    state: State,
    /// The people, as the client knows them.
    people: BTreeSet<String>,
    /// Their ranks, as the client knows them.
    ranks: Ranks,
    /// Its possible places in the record: there are several only where it has come in again.
    places: Vec<Place<'a>>,
    /// Earlier places where it may still be: it has read the events behind them in another room.
    behind: Vec<Place<'a>>,
    /// Skipped lines that were announced and not yet passed over.
    missing: u64,
    /// The new name of an owner who has left the room under the old one, and comes next: somewhere
    /// else the old name stays, or the new one was there before.
    comes_next: Option<&'a str>,
    /// The rule that is broken unless the client comes in again before it sees anything more of the
    /// room: an answer was given at a later place than the client has come to, as it was too slow.
    owes: Option<Rule>,
    /// The last commit of which the client had read in other rooms when it entered this one: what
    /// happened here up to then is told in this room alone.
    read_elsewhere: Option<u64>,
    /// Somebody who comes in the client's view, and came at an earlier place: MODE may follow.
    is_ranked_before: Option<String>,
}

/// A place in the record of a room.
#[derive(Clone, Debug)]
struct Place<'a> {
    /// The number of events before it.
    at: usize,
    /// The others in the room, each with the name worn.
    here: BTreeMap<usize, &'a str>,
    /// The client's own name, while it is in the room.
    me: Option<&'a str>,
    /// Whether the boot of the client's node has ended, and the client is not in the room again.
    is_away: bool,
    /// Whether the client was away, and sees nobody come or go until it comes in again.
    is_blind: bool,
    /// The ranks that the server tells next: names, each with the letter of a mode.
    ranks: VecDeque<(&'a str, char)>,
}

/// An event, as a client of IRC sees it.
#[derive(Debug)]
enum Effect<'a> {
    /// A name goes, or comes, or both.
    Change { gone: Option<&'a str>, come: Option<&'a str>, how: How<'a> },
    /// The server tells that somebody has a rank now, or no longer: the letter with its sign.
    Ranked(&'a str, String),
    /// A line or a topic, with the number of the line.
    Shown(&'a Shown, Option<u64>),
}

impl<'a> Effect<'a> {
    /// A name goes and another one comes because somebody takes it: the room may see a departure and
    /// an arrival.
    fn taking(
        gone: Option<&'a str>,
        come: Option<&'a str>,
        is_by_room: bool,
    ) -> Option<Effect<'a>> {
        let how = match (gone, come) {
            (None, None) => return None,
            (None, Some(_)) => How::Comes,
            (Some(_), None) => How::Parts(None),
            (Some(_), Some(_)) if is_by_room => How::PartsAndComes,
            (Some(_), Some(_)) => How::TakesName,
        };
        Some(Effect::Change { gone, come, how })
    }
}

/// How a client sees that names go or come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How<'a> {
    Comes,
    /// From the room or from the server, with these words.
    Parts(Option<&'a str>),
    /// From the server, with these words. They are told only in rooms where the person may speak.
    Quits(Option<&'a str>),
    /// With this reason.
    IsKicked(Option<&'a str>, &'a Removal),
    TakesName,
    PartsAndComes,
    /// With this name and text.
    IsAway(&'a str, Option<&'a str>),
}

impl<'a> How<'a> {
    fn goes(words: Option<&'a str>, removal: Option<&'a Removal>) -> How<'a> {
        removal.map_or(How::Parts(words), |removal| How::IsKicked(words, removal))
    }

    /// Whether a client sees an event in this way that is so in one of its rooms.
    fn is_seen_of(self, event: How<'_>) -> bool {
        match (self, event) {
            (How::Quits(said), How::Parts(words)) => {
                said == words || said.is_none() || words.is_none()
            }
            (seen, event) => seen == event,
        }
    }
}

/// The next event of a room, where a client reads something else, and the rule that it breaks.
struct Next {
    what: String,
    rule: Rule,
}

impl<'a> Place<'a> {
    /// Whether anybody has this name.
    fn is_worn(&self, name: &str) -> bool {
        self.me == Some(name) || self.here.values().any(|worn| *worn == name)
    }

    /// Passes an arrival, a departure or a new name of the client itself.
    fn pass_own(&mut self, event: &'a Event) -> Option<Effect<'a>> {
        if event.reads_on && event.is_change() {
            self.is_away = matches!(event.shown, Shown::Left { .. });
            self.is_blind = true;
        }
        match &event.shown {
            Shown::Arrived(name) if event.is_change() => self.me = Some(name),
            Shown::Left { .. } if event.is_change() => self.me = None,
            Shown::Renamed { from, to } => {
                self.me = None;
                // Another connection of the owner had the new name, or still has the old one.
                let gone = Some(to.as_str()).filter(|name| self.is_worn(name));
                let come = Some(from.as_str()).filter(|name| self.is_worn(name));
                self.me = Some(to);
                return Effect::taking(gone, come, true);
            }
            _ => {}
        }
        None
    }

    /// Passes an event. Returns what a client sees of it first; none if that is nothing.
    fn pass(&mut self, event: &'a Event, reader: &Reader) -> Option<Effect<'a>> {
        self.at += 1;
        let is_own = event.person.is_some() && event.person == reader.person;
        let is_of_own_name =
            !matches!(event.shown, Shown::Said { .. } | Shown::Topic { .. } | Shown::Ranked { .. });
        let (effect, letters) = match is_own && is_of_own_name {
            true => (self.pass_own(event), event.ranks[1]),
            false => (self.pass_other(event, is_own, reader), event.ranks[0]),
        };
        let comes = match effect {
            Some(Effect::Change { come, how: How::Comes | How::PartsAndComes, .. }) => come,
            _ => None,
        };
        self.ranks = comes.iter().flat_map(|name| letters.chars().map(|it| (*name, it))).collect();
        effect
    }

    /// Passes an event that is not about the client's own name.
    fn pass_other(
        &mut self,
        event: &'a Event,
        is_own: bool,
        reader: &Reader,
    ) -> Option<Effect<'a>> {
        match (&event.shown, event.person) {
            (Shown::Arrived(name), Some(person)) if event.is_change() => {
                let is_new = !self.is_worn(name);
                self.here.insert(person, name);
                let come = Some(name.as_str()).filter(|_| is_new && event.kind != Kind::Untold)?;
                Some(Effect::Change { gone: None, come: Some(come), how: How::Comes })
            }
            (Shown::Left { name, words, removal }, Some(person)) if event.is_change() => {
                self.here.remove(&person);
                let is_last = !self.is_worn(name);
                let gone = Some(name.as_str()).filter(|_| is_last && event.kind != Kind::Untold)?;
                let how = How::goes(words.as_deref(), removal.as_ref());
                Some(Effect::Change { gone: Some(gone), come: None, how })
            }
            (Shown::Renamed { from, to }, Some(person)) => {
                let is_new = !self.is_worn(to);
                self.here.insert(person, to);
                let come = Some(to.as_str()).filter(|_| is_new);
                let gone = Some(from.as_str()).filter(|name| !self.is_worn(name));
                Effect::taking(gone, come, matches!(event.kind, Kind::ByRoom { .. }))
            }
            (Shown::Said { .. }, _) => {
                let Kind::Line { seq, .. } = event.kind else { return None };
                let is_seen = !is_own || reader.has("echo-message");
                is_seen.then_some(Effect::Shown(&event.shown, Some(seq)))
            }
            (Shown::Away { name, text }, _) if reader.has("away-notify") => {
                let how = How::IsAway(name, text.as_deref());
                Some(Effect::Change { gone: None, come: None, how })
            }
            (Shown::Invited { .. }, _) if reader.has("invite-notify") => {
                Some(Effect::Shown(&event.shown, None))
            }
            (Shown::Ranked { name, mode }, _) => Some(Effect::Ranked(name, mode.clone())),
            (Shown::Topic { .. } | Shown::Act { .. }, _) => Some(Effect::Shown(&event.shown, None)),
            _ => None,
        }
    }

    /// The next event that the client sees, up to this place.
    fn next(&mut self, room: &'a Room, until: usize, reader: &Reader) -> Option<Effect<'a>> {
        if let Some((name, letter)) = self.ranks.pop_front() {
            return Some(Effect::Ranked(name, format!("+{letter}")));
        }
        while self.at < until {
            match self.pass(room.events.get(self.at)?, reader) {
                None => {}
                Some(Effect::Change { .. } | Effect::Ranked(..)) if self.is_blind => {
                    self.ranks.clear();
                }
                effect => return effect,
            }
        }
        None
    }

    /// The same place, for a client that knows who is here.
    fn with_sight(&self) -> Place<'a> {
        Place { is_blind: false, ranks: VecDeque::new(), ..self.clone() }
    }

    fn names(&self, me: &str) -> BTreeSet<String> {
        self.here.values().copied().chain([me]).map(str::to_owned).collect()
    }
}

impl<'a> Sitting<'a> {
    fn new(room: &'a Room, arrival: usize, reader: &'a Reader) -> Sitting<'a> {
        let stay = Stay::after(room, arrival, reader.person);
        let here = BTreeMap::new();
        let (me, is_away, is_blind, ranks) = (None, false, false, VecDeque::new());
        let mut place = Place { at: 0, here, me, is_away, is_blind, ranks };
        while place.at <= arrival {
            place.pass(&room.events[place.at], reader);
        }
        Sitting {
            room,
            reader,
            end: stay.end,
            until: stay.events.end,
            removal: stay.removal,
            state: State::Entered,
            people: BTreeSet::new(),
            ranks: Ranks::default(),
            places: vec![place.with_sight()], // whatever it did not see in an earlier stay
            behind: Vec::new(),
            missing: 0,
            comes_next: None,
            owes: None,
            read_elsewhere: None,
            is_ranked_before: None,
        }
    }

    /// The commit of the last event that the client has perhaps read here: it sees nothing of some.
    fn last_commit(&self) -> Option<u64> {
        let mut place = self.places.last()?.clone();
        let mut last = place.at.checked_sub(1)?;
        while place.at < self.until
            && place.pass(&self.room.events[place.at], self.reader).is_none()
        {
            last = place.at - 1;
        }
        Some(self.room.events[last].commit)
    }

    /// Whether the last event is a departure with the words of this QUIT. Everything but a QUIT is the
    /// same in all rooms.
    fn has_just_gone(&self, how: How<'_>) -> bool {
        let How::Quits(said) = how else { return true };
        let last = self.places.first().and_then(|place| self.room.events.get(place.at - 1));
        matches!(last.map(|event| &event.shown),
            Some(Shown::Left { words, .. }) if words.as_deref() == said)
    }

    /// Whether the client may have read of the next event in another room before it entered this one.
    fn is_late(&self) -> bool {
        let next = |place: &Place| self.room.events.get(place.at).map(|event| event.commit);
        self.places
            .iter()
            .any(|place| next(place).is_some_and(|it| Some(it) <= self.read_elsewhere))
    }

    /// Whether the boot of the client's node may have ended before anything that the client sees next.
    /// A client that was too slow then comes in again behind that, and perhaps once more.
    fn may_be_blind(&self) -> bool {
        self.places.iter().any(|place| {
            let mut before = self.room.events[..place.at].iter();
            if before.any(|event| event.reads_on && event.person == self.reader.person) {
                return true;
            }
            let mut place = place.clone();
            while !place.is_blind && place.at < self.until {
                if place.pass(&self.room.events[place.at], self.reader).is_some() {
                    break;
                }
            }
            place.is_blind
        })
    }

    /// Takes a list of everybody.
    fn take_list(&mut self, list: &List, me: &str) -> Result<(), Broken> {
        let names: BTreeSet<_> = list.keys().cloned().collect();
        if self.state == State::TooSlow {
            return Ok(()); // an answer to NAMES: the client comes in again
        }
        if self.state == State::Again {
            self.come_in_again(&names, me)?;
        } else if self.state == State::Entered && self.missing > 0 {
            return Err(broken(Rule::Count, "lines were skipped before the list".to_owned()));
        }
        if self.places.iter().any(|place| place.is_blind) {
            return Ok(()); // an answer to NAMES: it does not follow who comes and goes
        }
        let known: Vec<_> = match self.state {
            State::Listed => vec![self.people.clone()],
            State::Again => vec![names.clone()], // its places are those where these people are
            _ => self.places.iter().map(|place| place.names(me)).collect(),
        };
        // A banned client may not look into the room, and asks perhaps before its removal is visible.
        let is_refused = self.removal.is_some() && names.len() == 1;
        if self.state == State::Listed && is_refused {
            return Ok(());
        }
        if self.state == State::Listed && !known.contains(&names) {
            self.owes.get_or_insert(Rule::Presence);
            return Ok(());
        }
        if !known.contains(&names) {
            let what = format!("lists {names:?} in {}, where {known:?} are", self.room.name);
            return Err(broken(Rule::Presence, what));
        }
        if self.state != State::Listed {
            self.ranks = Ranks::of_list(list);
        } else {
            self.ranks.take_list(list);
        }
        (self.people, self.state) = (names, State::Listed);
        Ok(())
    }

    /// Looks for the places at which the client may read on: behind the skipped lines, where these
    /// people are.
    fn come_in_again(&mut self, names: &BTreeSet<String>, me: &str) -> Result<(), Broken> {
        let lines_before = |at: usize| self.room.events[..at].iter().filter(|e| is_line(e)).count();
        let mut starts = BTreeSet::new();
        for place in self.behind.iter().chain(&self.places) {
            // It may have passed over events that it does not see.
            let mut hidden = place.clone();
            starts.insert(lines_before(place.at));
            while hidden.at < self.until {
                let effect = hidden.pass(&self.room.events[hidden.at], self.reader);
                let is_seen = !hidden.is_blind || matches!(effect, Some(Effect::Shown(..)));
                if effect.is_some() && is_seen {
                    break;
                }
                starts.insert(lines_before(hidden.at));
            }
        }
        let Some(mut place) = self.behind.first().or(self.places.first()).cloned() else {
            return Ok(());
        };
        let (mut lines, mut has_lines) = (lines_before(place.at), false);
        let mut places = Vec::new();
        loop {
            let is_counted = |start: &usize| start + self.missing as usize == lines;
            if starts.iter().any(is_counted) {
                has_lines = true;
                // The client may not know its new name yet, under which it stands in the list.
                let with_new_name = || {
                    let mut both = place.names(place.me?);
                    both.insert(me.to_owned());
                    Some(both)
                };
                let is_right = place.names(me) == *names || with_new_name().as_ref() == Some(names);
                let is_here = !place.is_away && is_right;
                places.extend(is_here.then(|| place.with_sight()));
            }
            if place.at >= self.until {
                break;
            }
            lines += usize::from(is_line(&self.room.events[place.at]));
            place.pass(&self.room.events[place.at], self.reader);
        }
        if places.is_empty() {
            let rule = if has_lines { Rule::Presence } else { Rule::Count };
            let what = format!("comes in again behind {} lines, with {names:?}", self.missing);
            return Err(broken(rule, what));
        }
        (self.places, self.missing) = (places, 0);
        self.behind.clear();
        Ok(())
    }

    /// The same as [`change`](Sitting::change). If it is wrong, the client may have fallen off the log
    /// of this room, and then comes in again.
    fn change_or_owe(
        &mut self,
        gone: Option<&str>,
        come: Option<&str>,
        how: How<'_>,
    ) -> Result<(), Broken> {
        let before = self.places.clone();
        self.change(gone, come, how).inspect_err(|why| {
            self.owes.get_or_insert(why.rule);
            self.places = before;
        })
    }

    /// Whether the client takes this name later, which another connection of the owner has here. Then it
    /// is told in all rooms at once that the name goes, also where it has fallen off the log and perhaps
    /// did not read that the name came.
    fn is_taken_later(&self, me: &str, name: &str) -> bool {
        let Some(place) = self.places.first() else {
            return false;
        };
        self.room.events[place.at..self.until].iter().any(|event| {
            let is_it =
                matches!(&event.shown, Shown::Renamed { from, to } if from == me && to == name);
            let is_by_room = matches!(event.kind, Kind::ByRoom { leaves: true, .. });
            is_it && is_by_room && event.person.is_some() && event.person == self.reader.person
        })
    }

    /// A name goes, or comes, or both.
    fn change(
        &mut self,
        gone: Option<&str>,
        come: Option<&str>,
        how: How<'_>,
    ) -> Result<(), Broken> {
        self.ranks.change(gone, come, how == How::TakesName);
        let removed = gone.is_none_or(|name| self.people.remove(name));
        let added = come.is_none_or(|name| self.people.insert(name.to_owned()));
        if !removed || !added {
            let what = format!("{gone:?} goes, {come:?} comes, in {}", self.room.name);
            return Err(broken(Rule::Balance, what));
        }
        if let Some(next) = self.comes_next.take() {
            let what = format!("{gone:?} goes, {come:?} comes, where {next} comes next");
            let is_next = (gone, come, how) == (None, Some(next), How::Comes);
            return is_next.then_some(()).ok_or_else(|| broken(Rule::Presence, what));
        }
        let (mut comes_next, is_late) = (None, self.is_late());
        let is_told_apart =
            |how| how == How::PartsAndComes || how == How::TakesName && is_late && come.is_none();
        self.go_on(|effect| match *effect {
            Effect::Change { gone: left, come: Some(new), how: told } if is_told_apart(told) => {
                let is_it = left == gone && come.is_none() && how == How::Parts(None);
                comes_next = is_it.then_some(new).or(comes_next);
                is_it
            }
            Effect::Change { gone: left, come: new, how: seen } => {
                left == gone && new == come && how.is_seen_of(seen)
            }
            Effect::Ranked(..) | Effect::Shown(..) => false,
        })
        .map_err(|Next { what, rule }| {
            let what = format!("{gone:?} goes, {come:?} comes, where {what} is next");
            broken(rule, what)
        })?;
        self.comes_next = comes_next;
        if let (Some(name), true) = (comes_next, is_late) {
            for place in &mut self.places {
                let letters = self.room.events[place.at - 1].ranks[0].chars();
                place.ranks = letters.map(|letter| (name, letter)).collect();
            }
        }
        Ok(())
    }

    /// The server tells that somebody has a rank now, or no longer.
    fn be_told_rank(&mut self, name: &str, mode: &str) -> Result<(), Broken> {
        self.ranks.take_mode(&format!("{mode} {name}"));
        if self.owes.is_some() || self.is_ranked_before.as_deref() == Some(name) {
            return Ok(()); // it comes in again, or has read this before
        }
        self.go_on(
            |effect| matches!(effect, Effect::Ranked(who, what) if (*who, &**what) == (name, mode)),
        )
        .map_err(|Next { what, .. }| {
            broken(Rule::Rank, format!("is told {mode} {name}, where {what} is next"))
        })
    }

    /// A line or a topic.
    fn see(&mut self, shown: &Shown, seq: Option<u64>) -> Result<(), Broken> {
        let before = self.places.first().map_or(0, |place| place.at);
        self.go_on(|effect| {
            matches!(effect, Effect::Shown(next, number)
                if *next == shown && (seq.is_none() || seq == *number))
        })
        .map_err(|Next { what, rule }| {
            let what =
                format!("sees {shown:?} {seq:?} in {}, where {what} is next", self.room.name);
            let mut events = self.room.events.iter();
            broken(
                match events.position(|event| event.shown == *shown) {
                    None => Rule::Kept,
                    Some(place) if place < before => Rule::Order,
                    Some(_) => rule,
                },
                what,
            )
        })
    }

    /// Goes on behind the next event, which must be this one; otherwise fails with the next event.
    fn go_on(&mut self, mut is_it: impl FnMut(&Effect<'a>) -> bool) -> Result<(), Next> {
        if self.missing > 0 {
            return Err(Next { what: "the list of people".to_owned(), rule: Rule::Count });
        }
        if let Some(name) = self.comes_next {
            let what = format!("that {name} comes");
            return Err(Next { what, rule: Rule::Presence });
        }
        if let Some(rule) = self.owes {
            return Err(Next { what: "its coming in again".to_owned(), rule });
        }
        self.is_ranked_before = None;
        let (mut places, mut next) = (Vec::new(), None);
        for mut place in std::mem::take(&mut self.places) {
            match place.next(self.room, self.until, self.reader) {
                Some(effect) if is_it(&effect) => places.push(place),
                other => next = other,
            }
        }
        if !places.is_empty() {
            self.behind.clear();
        }
        self.places = places;
        let rule = match next {
            Some(Effect::Shown(Shown::Said { .. }, _)) => Rule::Count,
            Some(Effect::Ranked(..)) => Rule::Rank,
            _ => Rule::Presence,
        };
        match self.places.is_empty() {
            true => Err(Next { what: format!("{next:?}"), rule }),
            false => Ok(()),
        }
    }

    /// The first event before this number of events that the client has surely not seen.
    fn unseen_before(&self, events: usize) -> Option<Effect<'a>> {
        if self.state != State::Listed {
            return None; // it sees them when it comes in again, or does not have to
        }
        let mut place = self.places.last()?.clone();
        place.next(self.room, self.until.min(events), self.reader)
    }

    fn check_kept(&self, shown: &Shown) -> Result<(), Broken> {
        match self.room.events.iter().any(|event| event.shown == *shown) {
            true => Ok(()),
            false => Err(broken(Rule::Kept, format!("was not kept: {shown:?}"))),
        }
    }

    /// Checks that everything was seen at the end.
    fn finish(&mut self, end: End) -> Result<(), Broken> {
        let end = match self.end {
            StayEnd::Unknown => End::Broken,
            StayEnd::None if end == End::Left => {
                let what = format!("has left {}, of which nobody was told", self.room.name);
                return Err(broken(Rule::Balance, what));
            }
            StayEnd::None | StayEnd::Departure => end,
        };
        if end == End::Broken {
            return Ok(());
        }
        if self.state != State::Listed || self.missing > 0 {
            if end == End::Left || self.end == StayEnd::Departure {
                return Ok(()); // it left while it was out
            }
            let what = format!("waits in {} for the list of people", self.room.name);
            return Err(broken(Rule::Converged, what));
        }
        let mut place = self.places.last().cloned();
        let next = place.as_mut().and_then(|it| it.next(self.room, self.until, self.reader));
        // It leaves before it comes in, or the answer stands behind its departure, of which a client
        // that leaves the server is not told.
        let is_out = end == End::Left && (self.reader.fell_silently || next.is_none());
        if let Some(rule) = self.owes.filter(|_| !is_out) {
            let what = format!("an answer was given before all of {}", self.room.name);
            return Err(broken(rule, what));
        }
        if self.places.iter().all(|place| place.is_blind) && end == End::Here {
            let what = format!("does not come in again, in {}", self.room.name);
            return Err(broken(Rule::Converged, what));
        }
        let Some(next) = next else {
            return Ok(());
        };
        let mut unseen = place.iter().flat_map(|place| &self.room.events[place.at - 1..self.until]);
        if self.reader.fell_silently && !unseen.any(is_line) {
            return Ok(()); // it left before it came in again
        }
        let rule = match (end, &next) {
            (End::Here, _) => Rule::Converged,
            (_, Effect::Shown(Shown::Said { .. }, _)) => Rule::Count,
            _ => Rule::Presence,
        };
        Err(broken(rule, format!("did not see {next:?} in {}", self.room.name)))
    }

    /// Checks at the end that a MODE told of each rank that a list of people showed. A person who
    /// continues on another connection has no rank until then, nor those who wear a name in the moment
    /// in which it is registered or released, which is undone if it cannot be stored.
    fn check_ranks(&self, was_undone: bool) -> Result<(), Broken> {
        let may_lack_rank = |name: &String| {
            let is_move = |event: &Event| {
                event.kind == Kind::Untold && event.shown == Shown::Arrived(name.clone())
            };
            was_undone && name == OWNED || self.room.events.iter().any(is_move)
        };
        match self.ranks.untold().filter(|name| !may_lack_rank(name)) {
            Some(name) if self.state == State::Listed && self.end != StayEnd::Unknown => {
                let what = format!("no MODE in {} told of the rank of {name}", self.room.name);
                Err(broken(Rule::Rank, what))
            }
            _ => Ok(()),
        }
    }
}

fn is_line(event: &Event) -> bool {
    matches!(event.kind, Kind::Line { .. })
}
