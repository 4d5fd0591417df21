//! People and rooms, as answers to clients that look for them. Knows no question.

use std::net::SocketAddr;
use std::time::Duration;

use crate::model::{Line, RoomName, WallTime, Who};

/// A person, as one other person may see them. Several connections of an owner are one person.
#[derive(Clone, Debug)]
pub struct Whois {
    /// The person.
    pub who: Who,
    /// The rooms in which the person sits, as far as the other one may read them.
    pub rooms: Vec<RankedRoom>,
    /// The address of the first connection on this node, for keepers of the person's rooms and for
    /// the person.
    pub address: Option<SocketAddr>,
    /// When the person came to the server; none if all connections are on other nodes.
    pub since: Option<WallTime>,
    /// The time since the person last said something, or came.
    pub silent: Duration,
    /// Whether the person has authority on the whole server.
    pub is_server_keeper: bool,
    /// The text with which the person is away.
    pub away: Option<Line>,
}

/// A room in which a person sits, with the person's rank there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RankedRoom {
    /// The room.
    pub room: RoomName,
    /// Whether the person has authority there.
    pub is_keeper: bool,
    /// Whether the person has a voice there.
    pub has_voice: bool,
}

/// A person who has left the server or given up a name.
#[derive(Clone, Debug)]
pub struct Bygone {
    /// The person, under that name.
    pub who: Who,
    /// When that was.
    pub at: WallTime,
}

/// The number of people who are remembered after they have left.
pub(crate) const BYGONE_MAX: usize = 128;

/// The result of looking for a name.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// The name, as typed.
    pub typed: Line,
    /// The person with this name; none if there is nobody.
    pub who: Option<Who>,
    /// Whether the person has authority on the whole server.
    pub is_server_keeper: bool,
    /// Whether the person is away.
    pub is_away: bool,
}

/// A person whom a mask may find.
#[derive(Clone, Debug)]
pub struct Findable {
    /// The person.
    pub who: Who,
    /// Whether the person has authority on the whole server.
    pub is_server_keeper: bool,
    /// Whether the person is away.
    pub is_away: bool,
}

/// A page of the people whom a mask may find. Several connections of an owner are one person.
#[derive(Clone, Debug)]
pub struct FindablePage {
    /// The people, in the order in which they came to the server.
    pub people: Vec<Findable>,
    /// The start of the next page; none if this is the last.
    pub next: Option<u64>,
}

/// The number of names in one question.
pub(crate) const SIGHTINGS_MAX: usize = 100;

/// A room as it is listed.
#[derive(Clone, Debug)]
pub struct RoomInfo {
    /// Its name.
    pub room: RoomName,
    /// The number of people in it.
    pub people: usize,
    /// Its topic.
    pub topic: Option<Line>,
}

impl RoomInfo {
    pub(crate) fn weight(&self) -> usize {
        let topic = self.topic.as_ref().map_or(0, Line::len);
        size_of::<RoomInfo>() + self.room.as_str().len() + topic
    }
}

/// A page of the rooms.
#[derive(Clone, Debug)]
pub struct RoomsPage {
    /// The rooms, by name.
    pub rooms: Vec<RoomInfo>,
    /// The last room of the page, behind which the next one begins; none if this is the last page.
    pub next: Option<RoomName>,
}

/// Counts of people and rooms, as everybody may read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// The connections of people on the server.
    pub people: usize,
    /// The people among them whom no mask finds.
    pub invisible: usize,
    /// The largest number of them since the start.
    pub people_max: usize,
    /// The keepers of the server among them.
    pub server_keepers: usize,
    /// The rooms.
    pub rooms: usize,
}

/// The size of a person in memory, in bytes; an estimate. The profile is shared.
fn person_weight(who: &Who) -> usize {
    let account = who.account.as_ref().map_or(0, |account| account.as_str().len());
    size_of::<Who>() + who.name.as_str().len() + account
}

impl Whois {
    pub(super) fn weight(&self) -> usize {
        let rooms = self.rooms.iter().map(|of| size_of::<RankedRoom>() + of.room.as_str().len());
        let away = self.away.as_ref().map_or(0, Line::len);
        size_of::<Whois>() + person_weight(&self.who) + rooms.sum::<usize>() + away
    }
}

impl Bygone {
    pub(super) fn weight(&self) -> usize {
        size_of::<Bygone>() + person_weight(&self.who)
    }
}

impl FindablePage {
    pub(super) fn weight(&self) -> usize {
        let flags = size_of::<Findable>() - size_of::<Who>();
        self.people.iter().map(|person| flags + person_weight(&person.who)).sum()
    }
}

impl Sighting {
    pub(super) fn weight(&self) -> usize {
        size_of::<Sighting>() + self.typed.len() + self.who.as_ref().map_or(0, person_weight)
    }
}
