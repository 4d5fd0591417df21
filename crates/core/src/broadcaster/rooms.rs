//! A room: its members, its topic, its log. Knows no socket and no clock.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::crowd::Crowd;
use super::invitations::Invitations;
use super::invited::ReceivedInvitations;
use crate::ledger::{Ledger, Subject};
use crate::link::{
    Answer, Client, Occupant, PEOPLE_MAX, PeoplePage, Place, Present, RoomInfo, WHO_MAX,
};
use crate::log::{Cursor, Group, Log};
use crate::model::{
    Act, End, Line, Name, Now, PersonId, Reach, RoomId, RoomName, Together, TopicSet, WallTime, Who,
};

/// The number of people that the roster on arrival names; more would fill a screen.
const ROSTER_MAX: usize = 20;

/// A map in the order of insertion, for keys that the server itself counts. Nobody can choose keys
/// that collide, so the fastest hash is enough.
type FxIndexMap<K, V> = IndexMap<K, V, FxBuildHasher>;

/// A room, owned by the broadcaster.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) id: RoomId,
    pub(crate) name: RoomName,
    pub(crate) log: Arc<Log>,
    /// The topic in the last announcement.
    pub(crate) topic: Option<Line>,
    /// The last change of it; none if that was before the room came into memory.
    pub(crate) topic_set: Option<TopicSet>,
    /// Since when there has always been somebody in it, if somebody is; none if that is not known.
    pub(crate) since: Option<WallTime>,
    /// The person who made it, if the room counts towards a person's share.
    pub(crate) maker: Option<Maker>,
    pub(crate) crowd: Crowd,
    /// The people whose arrival is in the log and whose departure is not.
    pub(crate) members: Members,
    /// The number of entries on their way into the log. The room stays until they are there.
    pub(crate) pending: usize,
    /// The place of its draft among those of the batch that is being closed; none between batches.
    pub(super) draft: Option<usize>,
    /// The size of the log in the sum of all logs.
    pub(super) weighed: usize,
    /// The time at which the last batch was closed. Times never decrease, even if the clock does; a
    /// wrong time is corrected in all lines.
    pub(crate) at: WallTime,
    /// Whether the clock was ahead: with the next lines, the earlier ones get a corrected time.
    pub(crate) was_ahead: bool,
}

/// The person whose share a room counts towards while it is in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Maker {
    /// The owner of an account: the first key of its name.
    Owner(Box<str>),
    /// All strangers at an address; in IPv6, at the addresses of a household.
    At(IpAddr),
}

impl Maker {
    /// None for strangers at this machine's own address: all visitors of a proxy come from there.
    pub(crate) fn of(subject: Subject<'_>) -> Option<Maker> {
        if let Some(account) = subject.account {
            return Some(Maker::Owner(account.keys()[0].into()));
        }
        match subject.address?.ip().to_canonical() {
            ip if ip.is_loopback() => None,
            IpAddr::V4(ip) => Some(Maker::At(ip.into())),
            IpAddr::V6(ip) => {
                let household = ip.to_bits() >> 64 << 64;
                Some(Maker::At(Ipv6Addr::from_bits(household).into()))
            }
        }
    }
}

/// A connection of a person on the server.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) client: Arc<Client>,
    /// When the person came.
    pub(crate) came: Now,
    /// The places of its seats, in the order in which they were taken. Each ends with its seat.
    pub(crate) places: Vec<Arc<Place>>,
    pub(super) invitations: Invitations,
    pub(super) invited_to: ReceivedInvitations,
}

impl Connection {
    pub(crate) fn new(client: &Arc<Client>, came: Now) -> Connection {
        let (client, invitations) = (Arc::clone(client), Invitations::default());
        let invited_to = ReceivedInvitations::default();
        Connection { client, came, places: Vec::new(), invitations, invited_to }
    }

    /// Ends the connection, with this reason: it reads what is visible now, and no more.
    pub(crate) fn end(&self, act: &Arc<Act>) {
        self.part();
        self.client.remove(act);
        self.client.forget();
    }

    /// Ends the views of all rooms: the connection reads what is visible now, and no more.
    pub(crate) fn part(&self) {
        for place in &self.places {
            self.client.depart(place, place.log.end());
        }
    }
}

/// The rooms that people have left who are still on the server, each with the number of that event.
#[derive(Debug, Default)]
pub(crate) struct RoomsLeft(FxHashMap<PersonId, VecDeque<(RoomId, u64)>>);

/// The number of such rooms of one person: the latest count.
const ROOMS_LEFT_MAX: usize = 100;

impl RoomsLeft {
    /// The rooms that this person has left, and in which they do not sit again.
    pub(crate) fn of(&self, person: PersonId) -> impl Iterator<Item = (RoomId, u64)> + use<'_> {
        self.0.get(&person).into_iter().flatten().copied()
    }

    pub(crate) fn leave(&mut self, person: PersonId, room: RoomId, event: u64) {
        let left = self.0.entry(person).or_default();
        left.retain(|(other, _)| *other != room);
        if left.len() == ROOMS_LEFT_MAX {
            left.pop_front();
        }
        left.push_back((room, event));
    }

    pub(crate) fn sit(&mut self, person: PersonId, room: RoomId) {
        if let Some(left) = self.0.get_mut(&person) {
            left.retain(|(other, _)| *other != room);
        }
    }

    /// The person continues under another number.
    pub(crate) fn pass(&mut self, person: PersonId, heir: PersonId) {
        if let Some(left) = self.0.remove(&person) {
            self.0.insert(heir, left);
        }
    }

    /// The person leaves the server. Returns the rooms.
    pub(crate) fn end(&mut self, person: PersonId) -> VecDeque<(RoomId, u64)> {
        self.0.remove(&person).unwrap_or_default()
    }
}

/// A person in a room.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// The person, shared with the lines that they say.
    pub(crate) who: Arc<Who>,
    /// None if the connection is on another node.
    pub(crate) seated: Option<Seated>,
    /// The time at which this person last said something here, or arrived.
    pub(crate) active: Duration,
}

impl Member {
    /// The person, as others read about them in a room of this reach.
    fn occupant(&self, reach: &Reach, ledger: &Ledger) -> Occupant {
        let who = &self.who;
        let person = ledger.people.get(who.id);
        let keeps_for_now = person.map_or(&[][..], |person| &person.keeps_for_now);
        let voices = person.map_or(&[][..], |person| &person.voices);
        let has_voice = reach.room().is_some_and(|room| voices.contains(room));
        let account = who.account.as_ref();
        let lent = person.and_then(|person| person.lent.as_ref());
        let subject = Subject { account, keeps_for_now, lent, ..Subject::new(&who.name) };
        let is_keeper = ledger.rules.keeps(reach, subject);
        let is_server_keeper = is_keeper && ledger.rules.keeps(&Reach::Server, subject);
        let may_be_away = person.is_some_and(|person| person.away.is_some());
        let is_away = may_be_away && ledger.people.away(who.id).is_some();
        let who = Arc::clone(who);
        Occupant { who, is_keeper, is_server_keeper, has_voice, is_away }
    }
}

/// A connection of this node with a seat in a room.
#[derive(Clone, Debug)]
pub(crate) struct Seated {
    pub(crate) client: Arc<Client>,
    pub(crate) place: Arc<Place>,
}

/// A listener: it reads a room without a seat.
#[derive(Clone, Debug)]
pub(crate) struct Hearer {
    pub(crate) client: Arc<Client>,
    name: Name,
    account: Option<Name>,
    /// The password of the room, as it was given.
    password: Option<Line>,
}

impl Hearer {
    /// A listener who owns a name, or has only an address.
    pub(crate) fn new(client: &Arc<Client>, owner: Option<Name>, password: Option<Line>) -> Hearer {
        let address = || client.address_name();
        Hearer {
            client: Arc::clone(client),
            name: owner.clone().unwrap_or_else(address),
            account: owner,
            password,
        }
    }

    /// The password of the room with which the listener reads.
    pub(crate) fn password(&self) -> Option<&Line> {
        self.password.as_ref()
    }

    /// The listener, as the rules know them.
    pub(crate) fn subject(&self) -> Subject<'_> {
        let (account, address) = (self.account.as_ref(), self.client.address());
        Subject { account, address, ..Subject::new(&self.name) }
    }
}

/// The people in a room, its listeners, and the groups of their writing halves.
#[derive(Debug, Default)]
pub(crate) struct Members {
    people: FxIndexMap<PersonId, Member>,
    /// The listeners, each with its place.
    listeners: FxHashMap<PersonId, (Hearer, Arc<Place>)>,
    /// Each group with the number of its readers here, which is never 0. There are few groups: one
    /// for each core.
    groups: Vec<(Arc<Group>, usize)>,
    /// The number of connections of each owner here, by the first key of the name: they count as
    /// one person.
    owners: HashMap<Box<str>, usize>,
}

impl Members {
    pub(crate) fn insert(&mut self, member: Member) {
        if let Some(Seated { client, .. }) = &member.seated {
            self.count_reader(client);
        }
        self.insert_reader(member);
    }

    /// Adds a person who reads here already.
    pub(crate) fn insert_reader(&mut self, member: Member) {
        self.count_owner(&member);
        self.people.insert(member.who.id, member);
    }

    /// Removes a person who still reads here.
    pub(crate) fn remove_and_read_on(&mut self, person: PersonId) -> Option<Member> {
        let member = self.people.swap_remove(&person)?;
        self.discount_owner(&member);
        Some(member)
    }

    pub(crate) fn remove(&mut self, person: PersonId) -> Option<Member> {
        let member = self.remove_and_read_on(person)?;
        if let Some(Seated { client, .. }) = &member.seated {
            self.discount_reader(client);
        }
        Some(member)
    }

    /// Adds a listener.
    pub(crate) fn listen(&mut self, hearer: Hearer, place: &Arc<Place>) {
        self.count_reader(&hearer.client);
        self.listeners.insert(hearer.client.id(), (hearer, Arc::clone(place)));
    }

    /// Removes a listener.
    pub(crate) fn stop_listening(&mut self, person: PersonId) -> Option<Arc<Client>> {
        let (Hearer { client, .. }, _) = self.listeners.remove(&person)?;
        self.discount_reader(&client);
        Some(client)
    }

    /// The listener with this number.
    pub(crate) fn hearer(&self, person: PersonId) -> Option<&Hearer> {
        self.listeners.get(&person).map(|(hearer, _)| hearer)
    }

    /// The listeners.
    pub(crate) fn hearers(&self) -> impl Iterator<Item = &Hearer> {
        self.listeners.values().map(|(hearer, _)| hearer)
    }

    /// The number of listeners.
    pub(crate) fn listening(&self) -> usize {
        self.listeners.len()
    }

    fn count_reader(&mut self, client: &Client) {
        let group = client.group();
        let mut groups = self.groups.iter_mut();
        match groups.find(|(here, _)| Arc::ptr_eq(here, group)) {
            Some((_, count)) => *count += 1,
            None => self.groups.push((Arc::clone(group), 1)),
        }
    }

    /// Counts a reader less.
    pub(crate) fn discount_reader(&mut self, client: &Client) {
        let group = client.group();
        let mut groups = self.groups.iter_mut();
        if let Some((_, count)) = groups.find(|(here, _)| Arc::ptr_eq(here, group)) {
            *count -= 1;
        }
        self.groups.retain(|(_, count)| *count > 0);
    }

    pub(crate) fn get(&self, person: PersonId) -> Option<&Member> {
        self.people.get(&person)
    }

    pub(crate) fn get_mut(&mut self, person: PersonId) -> Option<&mut Member> {
        self.people.get_mut(&person)
    }

    pub(crate) fn values(&self) -> impl ExactSizeIterator<Item = &Member> {
        self.people.values()
    }

    pub(crate) fn contains(&self, person: PersonId) -> bool {
        self.people.contains_key(&person)
    }

    /// The number of connections.
    pub(crate) fn len(&self) -> usize {
        self.people.len()
    }

    /// The number of people; several connections of an owner are one person.
    pub(crate) fn people(&self) -> usize {
        let doubles = self.owners.values().map(|count| count - 1);
        self.people.len() - doubles.sum::<usize>()
    }

    /// Changes a person's name or account.
    pub(crate) fn change(&mut self, who: &Who) {
        let Some(mut member) = self.people.get(&who.id).cloned() else {
            return;
        };
        // The connections of a released name are one person until they end.
        let is_released = who.account.is_none() && member.who.owned_name() == Some(&who.name);
        if is_released {
            return;
        }
        self.discount_owner(&member);
        member.who = who.clone().into();
        self.count_owner(&member);
        self.people.insert(who.id, member);
    }

    /// Whether the owner of this name is here, on any connection.
    fn has_owner(&self, who: &Who) -> bool {
        self.owners.contains_key(who.name.keys()[0])
    }

    fn count_owner(&mut self, member: &Member) {
        if member.who.is_owner() {
            *self.owners.entry(member.who.name.keys()[0].into()).or_default() += 1;
        }
    }

    fn discount_owner(&mut self, member: &Member) {
        let [name, _] = member.who.name.keys();
        if let (true, Some(count)) = (member.who.is_owner(), self.owners.get_mut(name)) {
            *count -= 1;
            if *count == 0 {
                self.owners.remove(name);
            }
        }
    }

    /// Whether the room has neither people nor readers.
    pub(crate) fn is_empty(&self) -> bool {
        self.people.is_empty() && self.groups.is_empty()
    }
}

impl Room {
    /// Ends the views of all listeners, and their connections.
    pub(crate) fn end_listeners(&self, act: &Arc<Act>) {
        for (Hearer { client, .. }, place) in self.members.listeners.values() {
            client.depart(place, self.log.end());
            client.remove(act);
            client.ring();
        }
    }

    /// Whether the room has only listeners: no people and no lines.
    pub(crate) fn is_awaited(&self) -> bool {
        let is_unused =
            self.members.values().next().is_none() && self.pending == 0 && self.log.end().seq == 0;
        is_unused && self.name != RoomName::lobby()
    }

    /// Counts the log in a sum, with its present size in place of the one at the last count: in
    /// between, readers may have made bytes of its batches.
    pub(super) fn weigh(&mut self, sum: &mut usize) {
        let before = std::mem::replace(&mut self.weighed, self.log.weight());
        *sum = *sum - before + self.weighed;
    }

    /// An empty room, whose first line follows `end`.
    pub(crate) fn new(id: RoomId, name: RoomName, end: End, topic: Option<Line>) -> Room {
        let start = Cursor { seq: end.seq, ..Cursor::default() };
        Room {
            id,
            name,
            log: Arc::new(Log::new(start)),
            topic,
            topic_set: None,
            since: None,
            maker: None,
            crowd: Crowd::default(),
            members: Members::default(),
            pending: 0,
            draft: None,
            weighed: 0,
            at: end.at,
            was_ahead: false,
        }
    }

    /// A place here, for a person who gets a seat.
    pub(crate) fn place(&self, person: PersonId) -> Arc<Place> {
        Arc::new(Place {
            person,
            room: self.id,
            name: self.name.clone(),
            log: Arc::clone(&self.log),
            departed: OnceLock::new(),
            last_words: OnceLock::new(),
            removed: OnceLock::new(),
            is_left: AtomicBool::new(false),
        })
    }

    /// The people in the room besides this one: in order of arrival, while there are few.
    pub(crate) fn roster(&self, me: &Who) -> Together {
        let mut seen = HashSet::new();
        let is_me = |who: &Who| who.id == me.id || me.is_owner() && who.name.is_same(&me.name);
        let is_here = self.members.contains(me.id) || me.is_owner() && self.members.has_owner(me);
        let members = self.members.values().filter(|member| !is_me(&member.who));
        let once = members.filter(|member| is_first(member, &mut seen));
        let mut named: Vec<_> = once.take(ROSTER_MAX).map(|member| &member.who).collect();
        named.sort_by_key(|who| who.id);
        Together {
            others: self.members.people() - usize::from(is_here) - named.len(),
            named: named.iter().map(|who| who.name.clone()).collect(),
        }
    }

    /// Everybody in the room, in order of arrival while there are few.
    pub(crate) fn occupants(&self, ledger: &Ledger) -> Arc<[Occupant]> {
        let mut seen = HashSet::new();
        let members = self.members.values();
        let once = members.filter(|member| is_first(member, &mut seen));
        let reach = Reach::Room(self.name.clone());
        once.map(|member| member.occupant(&reach, ledger)).collect()
    }

    /// The people in the room, with the time each has been silent: the last speaker first. Keepers
    /// also read addresses.
    pub(crate) fn who(&self, now: Duration, for_keeper: bool, as_of: Option<WallTime>) -> Answer {
        let mut latest =
            first(self.members.values().collect(), WHO_MAX, |member| Reverse(member.active));
        let mut seen = HashSet::new();
        latest.retain(|member| is_first(member, &mut seen));
        let address = |member: &Member| member.seated.as_ref()?.client.address();
        let present = |member: &&Member| Present {
            name: member.who.name.clone(),
            silent: now.saturating_sub(member.active),
            address: address(member).filter(|_| for_keeper),
        };
        let people: Vec<_> = latest.iter().map(present).collect();
        Answer::Who {
            room: self.name.clone(),
            others: self.members.people().saturating_sub(people.len()),
            listening: self.members.listening(),
            people,
            as_of,
        }
    }

    /// A page of people, in the order in which they came to the server, from this connection on. A
    /// reader who asks for all pages, and reads arrivals and departures meanwhile, knows everybody
    /// in the end.
    pub(crate) fn people_from(&self, from: u64, ledger: &Ledger) -> PeoplePage {
        let people = self.members.values().filter(|member| member.who.id.number() >= from);
        let mut page = first(people.collect(), PEOPLE_MAX + 1, |member| member.who.id);
        let next = page.get(PEOPLE_MAX).map(|member| member.who.id.number());
        page.truncate(PEOPLE_MAX);
        let mut seen = HashSet::new();
        page.retain(|member| is_first(member, &mut seen));
        let reach = Reach::Room(self.name.clone());
        PeoplePage {
            room: self.name.clone(),
            people: page.iter().map(|member| member.occupant(&reach, ledger)).collect(),
            is_secret: ledger.rooms.rules(&self.name).now.is_secret,
            position: self.log.watermark(),
            next,
        }
    }

    pub(crate) fn info(&self) -> RoomInfo {
        RoomInfo {
            room: self.name.clone(),
            people: self.members.people(),
            topic: self.topic.clone(),
        }
    }

    /// Rings for all readers: the log has new entries.
    pub(crate) fn ring(&self) {
        for (group, _) in &self.members.groups {
            group.ring_room(self.id);
        }
    }
}

/// Whether a list has not shown this person yet: an owner may have several connections.
fn is_first<'a>(member: &'a Member, seen: &mut HashSet<&'a str>) -> bool {
    !member.who.is_owner() || seen.insert(member.who.name.keys()[0])
}

/// The first `max` of many in the order of `key`, without sorting them all: everybody may ask, so
/// it must cost little in a room of thousands.
pub(crate) fn first<T, K: Ord>(mut many: Vec<T>, max: usize, key: impl Fn(&T) -> K) -> Vec<T> {
    if many.len() > max {
        many.select_nth_unstable_by_key(max, &key);
        many.truncate(max);
    }
    many.sort_by_key(key);
    many
}
