//! A room: its members, its topic, its log. Knows no socket and no clock.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use crate::answer::{Answer, Present, RoomInfo, Roster, WHO_MAX};
use crate::batch::Cursor;
use crate::client::Client;
use crate::crowd::Crowd;
use crate::entry::{PersonId, RoomId, Together, Who};
use crate::line::Line;
use crate::log::Log;
use crate::name::RoomName;
use crate::seat::Place;
use crate::time::WallTime;

/// The roster on arrival names this many people; more would fill a screen.
const ROSTER_MAX: usize = 20;

/// A room, owned by the broadcaster.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) id: RoomId,
    pub(crate) name: RoomName,
    pub(crate) log: Arc<Log>,
    pub(crate) topic: Option<Line>,
    pub(crate) crowd: Crowd,
    /// Those whose arrival is in the log and whose departure is not.
    pub(crate) members: IndexMap<PersonId, Member>,
    /// Entries that are on their way into the log: while there are any, the room stays.
    pub(crate) pending: usize,
    /// When the last batch was closed: times never decrease, whatever the clock does.
    pub(crate) at: WallTime,
}

/// Somebody in a room.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) who: Who,
    pub(crate) client: Arc<Client>,
    pub(crate) place: Arc<Place>,
    /// When this person last said something here, or came.
    pub(crate) active: Duration,
}

impl Room {
    pub(crate) fn new(id: RoomId, name: RoomName) -> Room {
        Room {
            id,
            name,
            log: Arc::new(Log::new(Cursor::default())),
            topic: None,
            crowd: Crowd::default(),
            members: IndexMap::new(),
            pending: 0,
            at: WallTime::default(),
        }
    }

    /// Who is here: the first to come first, while they are few.
    pub(crate) fn roster(&self) -> Roster {
        let members = self.members.values().take(ROSTER_MAX);
        let mut named: Vec<_> = members.map(|member| &member.who).collect();
        named.sort_by_key(|who| who.id);
        Together {
            others: self.members.len() - named.len(),
            named: named.iter().map(|who| who.name.clone()).collect(),
        }
    }

    /// Who is here, and for how long silent: who spoke last, first.
    pub(crate) fn who(&self, now: Duration) -> Answer {
        let latest = first(self.members.values().collect(), WHO_MAX, |member| {
            Reverse(member.active)
        });
        let present = |member: &&Member| Present {
            name: member.who.name.clone(),
            silent: now.saturating_sub(member.active),
        };
        let people: Vec<_> = latest.iter().map(present).collect();
        Answer::Who {
            room: self.name.clone(),
            others: self.members.len() - people.len(),
            people,
        }
    }

    pub(crate) fn info(&self) -> RoomInfo {
        RoomInfo {
            room: self.name.clone(),
            people: self.members.len(),
            topic: self.topic.clone(),
        }
    }

    /// Rings everybody here: there is something new in the log.
    pub(crate) fn ring(&self) {
        for member in self.members.values() {
            member.client.bell().ring();
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
