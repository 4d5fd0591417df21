//! A room: its members, its topic, its log. Knows no socket and no clock.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use indexmap::IndexMap;

use super::crowd::Crowd;
use super::rules::Subject;
use crate::journal::Topic;
use crate::link::{Answer, Client, PEOPLE_MAX, PeoplePage, Place, Present, RoomInfo, WHO_MAX};
use crate::log::{Cursor, Group, Log};
use crate::model::{End, Name, PersonId, RoomId, RoomName, Together, WallTime, Who};

/// The roster on arrival names this many people; more would fill a screen.
const ROSTER_MAX: usize = 20;

/// A room, owned by the broadcaster.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) id: RoomId,
    pub(crate) name: RoomName,
    pub(crate) log: Arc<Log>,
    pub(crate) topic: Topic,
    /// Who made it, if that counts.
    pub(crate) maker: Option<Maker>,
    pub(crate) crowd: Crowd,
    /// Those whose arrival is in the log and whose departure is not.
    pub(crate) members: Members,
    /// Entries that are on their way into the log: while there are any, the room stays.
    pub(crate) pending: usize,
    /// When the last batch was closed: times never decrease, whatever the clock does, unless all are dated back.
    pub(crate) at: WallTime,
    /// The clock was ahead, and what was said is to be dated back with the next lines.
    pub(crate) was_ahead: bool,
}

/// Against whose share a room counts as long as it is in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Maker {
    /// Somebody who owns this name: its first key.
    Owner(Box<str>),
    /// All strangers at an address; in IPv6 at a household's.
    At(IpAddr),
}

impl Maker {
    /// None is for strangers at this machine's own address: a proxy has all of its visitors come from there.
    pub(crate) fn of(subject: Subject<'_>) -> Option<Maker> {
        if subject.is_owner {
            return Some(Maker::Owner(subject.name.keys()[0].into()));
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

/// Somebody in a room.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) who: Who,
    /// Whether the name is this person's own: then several connections may wear it.
    pub(crate) is_owner: bool,
    pub(crate) client: Arc<Client>,
    pub(crate) place: Arc<Place>,
    /// When this person last said something here, or came.
    pub(crate) active: Duration,
}

/// Somebody who reads in a room without being there.
#[derive(Clone, Debug)]
pub(crate) struct Hearer {
    pub(crate) client: Arc<Client>,
    name: Name,
    is_owner: bool,
}

impl Hearer {
    /// Who owns that name, or is nothing but an address.
    pub(crate) fn new(client: &Arc<Client>, owner: Option<Name>) -> Hearer {
        let address = || {
            let address = client.address().map(|address| address.to_string());
            Name::of_address(address.as_deref().unwrap_or(":"))
        };
        Hearer {
            client: Arc::clone(client),
            is_owner: owner.is_some(),
            name: owner.unwrap_or_else(address),
        }
    }

    /// Of whom is asked what holds for them.
    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject {
            name: &self.name,
            is_owner: self.is_owner,
            address: self.client.address(),
        }
    }
}

/// Those in a room, and the groups that their writing halves are in.
#[derive(Debug, Default)]
pub(crate) struct Members {
    people: IndexMap<PersonId, Member>,
    /// Those who read here without being here.
    listeners: HashMap<PersonId, Hearer>,
    /// Each with the number of its readers here, which is never 0. There are few: one for each core.
    groups: Vec<(Arc<Group>, usize)>,
    /// How many connections of each owner are here, by the first key of the name: they are one person, in whatever letters.
    owners: HashMap<Box<str>, usize>,
}

impl Members {
    pub(crate) fn insert(&mut self, member: Member) {
        self.count_owner(&member);
        self.count_reader(&member.client);
        self.people.insert(member.who.id, member);
    }

    pub(crate) fn remove(&mut self, person: PersonId) -> Option<Member> {
        let member = self.people.swap_remove(&person)?;
        self.discount_owner(&member);
        self.discount_reader(&member.client);
        Some(member)
    }

    /// Somebody reads here without being here.
    pub(crate) fn listen(&mut self, hearer: Hearer) {
        self.count_reader(&hearer.client);
        self.listeners.insert(hearer.client.id(), hearer);
    }

    /// And does so no more.
    pub(crate) fn stop_listening(&mut self, person: PersonId) -> Option<Arc<Client>> {
        let Hearer { client, .. } = self.listeners.remove(&person)?;
        self.discount_reader(&client);
        Some(client)
    }

    /// Those who read here without being here.
    pub(crate) fn hearers(&self) -> impl Iterator<Item = &Hearer> {
        self.listeners.values()
    }

    /// How many read here without being here.
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

    fn discount_reader(&mut self, client: &Client) {
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

    /// How many connections are here.
    pub(crate) fn len(&self) -> usize {
        self.people.len()
    }

    /// How many people are here, whatever the number of their connections.
    pub(crate) fn people(&self) -> usize {
        let doubles = self.owners.values().map(|count| count - 1);
        self.people.len() - doubles.sum::<usize>()
    }

    /// Somebody has another name, or owns the one worn.
    pub(crate) fn rename(&mut self, who: &Who, is_owner: bool) {
        let Some(mut member) = self.people.get(&who.id).cloned() else {
            return;
        };
        self.discount_owner(&member);
        (member.who, member.is_owner) = (who.clone(), is_owner);
        self.count_owner(&member);
        self.people.insert(who.id, member);
    }

    fn count_owner(&mut self, member: &Member) {
        if member.is_owner {
            *self
                .owners
                .entry(member.who.name.keys()[0].into())
                .or_default() += 1;
        }
    }

    fn discount_owner(&mut self, member: &Member) {
        let [name, _] = member.who.name.keys();
        if let (true, Some(count)) = (member.is_owner, self.owners.get_mut(name)) {
            *count -= 1;
            if *count == 0 {
                self.owners.remove(name);
            }
        }
    }

    /// Whether nobody is here, and nobody reads.
    pub(crate) fn is_empty(&self) -> bool {
        self.people.is_empty() && self.listeners.is_empty()
    }
}

impl Room {
    /// Whether the room is there for those alone who wait for it: nobody is in it, and nothing was said.
    pub(crate) fn is_awaited(&self) -> bool {
        let is_unused =
            self.members.values().next().is_none() && self.pending == 0 && self.log.end().seq == 0;
        is_unused && self.name != RoomName::lobby()
    }

    /// A room without anybody, whose first line follows `end`.
    pub(crate) fn new(id: RoomId, name: RoomName, end: End, topic: Topic) -> Room {
        let start = Cursor {
            position: 0,
            seq: end.seq,
        };
        Room {
            id,
            name,
            log: Arc::new(Log::new(start)),
            topic,
            maker: None,
            crowd: Crowd::default(),
            members: Members::default(),
            pending: 0,
            at: end.at,
            was_ahead: false,
        }
    }

    /// A place here, for somebody who is to have a seat.
    pub(crate) fn place(&self, person: PersonId) -> Arc<Place> {
        Arc::new(Place {
            person,
            room: self.id,
            name: self.name.clone(),
            log: Arc::clone(&self.log),
            departed: OnceLock::new(),
            removed: OnceLock::new(),
        })
    }

    /// Who is here: the first to come first, while they are few.
    pub(crate) fn roster(&self) -> Together {
        let mut seen = HashSet::new();
        let members = self.members.values();
        let once =
            members.filter(|member| !member.is_owner || seen.insert(member.who.name.keys()[0]));
        let mut named: Vec<_> = once.take(ROSTER_MAX).map(|member| &member.who).collect();
        named.sort_by_key(|who| who.id);
        Together {
            others: self.members.people() - named.len(),
            named: named.iter().map(|who| who.name.clone()).collect(),
        }
    }

    /// Who is here, and for how long silent: who spoke last, first; for a keeper, with their addresses.
    pub(crate) fn who(&self, now: Duration, for_keeper: bool) -> Answer {
        let mut latest = first(self.members.values().collect(), WHO_MAX, |member| {
            Reverse(member.active)
        });
        let mut seen = HashSet::new();
        latest.retain(|member| !member.is_owner || seen.insert(member.who.name.keys()[0]));
        let present = |member: &&Member| Present {
            name: member.who.name.clone(),
            silent: now.saturating_sub(member.active),
            address: member.client.address().filter(|_| for_keeper),
        };
        let people: Vec<_> = latest.iter().map(present).collect();
        Answer::Who {
            room: self.name.clone(),
            others: self.members.people().saturating_sub(people.len()),
            listening: self.members.listening(),
            people,
        }
    }

    /// The names of the first who are here from this connection on, in the order in which they came to the house: a reader
    /// who asks for page after page, and hears who comes and goes meanwhile, has everybody in the end.
    pub(crate) fn people_from(&self, from: u64) -> PeoplePage {
        let people = self.members.values().map(|member| &member.who);
        let people = people.filter(|who| who.id.number() >= from);
        let mut page = first(people.collect(), PEOPLE_MAX + 1, |who| who.id);
        let next = page.get(PEOPLE_MAX).map(|who| who.id.number());
        page.truncate(PEOPLE_MAX);
        PeoplePage {
            room: self.name.clone(),
            names: page.iter().map(|who| who.name.clone()).collect(),
            position: self.log.watermark(),
            next,
        }
    }

    pub(crate) fn info(&self) -> RoomInfo {
        RoomInfo {
            room: self.name.clone(),
            people: self.members.people(),
            topic: self.topic.text.clone(),
        }
    }

    /// Rings for everybody here: there is something new in the log.
    pub(crate) fn ring(&self) {
        for (group, _) in &self.members.groups {
            group.ring_room(self.id);
        }
    }
}

/// The first `max` of many in the order of `key`, without sorting them all: in a room of thousands
/// asking must cost little, since everybody may ask.
pub(crate) fn first<T, K: Ord>(mut many: Vec<T>, max: usize, key: impl Fn(&T) -> K) -> Vec<T> {
    if many.len() > max {
        many.select_nth_unstable_by_key(max, &key);
        many.truncate(max);
    }
    many.sort_by_key(key);
    many
}
