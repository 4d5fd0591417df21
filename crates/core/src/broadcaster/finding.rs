//! Looking for people by name: those who are on the server, and those who were.

use std::net::SocketAddr;
use std::time::Duration;

use super::asking::key;
use super::rooms::Room;
use super::state::Broadcaster;
use crate::link::{
    Answer, BYGONE_MAX, Bygone, Findable, FindablePage, PEOPLE_MAX, RankedRoom, Refusal,
    SIGHTINGS_MAX, Sighting, Whois,
};
use crate::model::{Line, Modes, Now, PersonId, RoomName, WallTime, Who};

impl Broadcaster {
    /// The person with a name.
    pub(super) fn whois(&self, asker: PersonId, typed: Line, now: Now) -> Result<Answer, Refusal> {
        let people = &self.ledger.people;
        let who = people.find(&key(&typed)).ok_or(Refusal::NobodyCalled(typed))?;
        let own: Vec<_> = match who.name.is_address() {
            true => vec![who.id], // two people may share it
            false => people.wearers(&who.name).collect(),
        };
        let connections = || own.iter().filter_map(|id| self.connections.get(id));
        let active = self.active(&own).unwrap_or(now.monotonic);
        Ok(Answer::Whois(Box::new(Whois {
            rooms: self.rooms_seen_by(asker, &own, now),
            address: self.address_for(asker, &own),
            since: connections().map(|connection| connection.came.wall).min(),
            silent: now.monotonic.saturating_sub(active),
            is_server_keeper: self.is_server_keeper(who.id),
            away: people.away(who.id).cloned(),
            who,
        })))
    }

    /// The visible rooms in which these connections of one person sit.
    fn rooms_of<'a>(&'a self, own: &'a [PersonId]) -> impl Iterator<Item = &'a Room> {
        let people = own.iter().filter_map(|id| Some((*id, self.ledger.people.get(*id)?)));
        people.flat_map(|(id, person)| {
            let rooms = person.seats.iter().filter_map(|room| self.room_called(room));
            rooms.filter(move |room| room.members.contains(id))
        })
    }

    /// When these connections of one person last said something, or came.
    fn active(&self, own: &[PersonId]) -> Option<Duration> {
        let members = self.rooms_of(own).flat_map(|room| {
            own.iter().filter_map(|id| room.members.get(*id)).map(|member| member.active)
        });
        let came = own.iter().filter_map(|id| Some(self.connections.get(id)?.came.monotonic));
        members.chain(came).max()
    }

    /// The rooms of a person that the asker may read, by name.
    fn rooms_seen_by(&self, asker: PersonId, own: &[PersonId], now: Now) -> Vec<RankedRoom> {
        let (Some(subject), Some(person)) =
            (self.subject(asker), own.first().and_then(|id| self.ledger.people.get(*id)))
        else {
            return Vec::new();
        };
        let may_look =
            |room: &&Room| self.ledger.may_look_into(subject, &room.name, now.wall).is_ok();
        let rooms = self.rooms_of(own).filter(may_look);
        let mut rooms: Vec<_> = rooms.map(|room| room.name.clone()).collect();
        rooms.sort();
        rooms.dedup();
        let with_rank = |room: RoomName| {
            let is_keeper = self.ledger.may_keep(person, &room).is_some();
            let mut connections = own.iter().filter_map(|id| self.ledger.people.get(*id));
            let has_voice = connections.any(|person| person.voices.contains(&room));
            RankedRoom { room, is_keeper, has_voice }
        };
        rooms.into_iter().map(with_rank).collect()
    }

    /// The address of a person, if the asker may read it: that person, and keepers of a room in
    /// which the person sits.
    fn address_for(&self, asker: PersonId, own: &[PersonId]) -> Option<SocketAddr> {
        let is_own = own.contains(&asker);
        let person = self.ledger.people.get(asker)?;
        let keeps = |room: &Room| self.ledger.may_keep(person, &room.name).is_some();
        let may_read = is_own || self.is_server_keeper(asker) || self.rooms_of(own).any(keeps);
        let first = if is_own { Some(&asker) } else { own.first() };
        let connection = self.connections.get(first.filter(|_| may_read)?)?;
        connection.client.address()
    }

    fn is_server_keeper(&self, id: PersonId) -> bool {
        let person = self.ledger.people.get(id);
        person.is_some_and(|person| self.ledger.may_keep_server(person))
    }

    /// The people who had a name and have left, or have given it up.
    pub(super) fn whowas(&self, typed: Line) -> Answer {
        let key = key(&typed);
        let had_it = |bygone: &&Bygone| bygone.who.name.keys()[0] == key;
        let people = self.bygone.iter().rev().filter(had_it).cloned().collect();
        Answer::Whowas { name: typed, people }
    }

    /// Remembers a person who leaves, or gives up a name.
    pub(super) fn remember(&mut self, who: Who, at: WallTime) {
        if self.bygone.len() == BYGONE_MAX {
            self.bygone.pop_front();
        }
        self.bygone.push_back(Bygone { who, at });
    }

    /// The people with these names.
    pub(super) fn present(&self, mut typed: Vec<Line>) -> Answer {
        typed.truncate(SIGHTINGS_MAX);
        Answer::Present(typed.into_iter().map(|typed| self.sighting(typed)).collect())
    }

    /// The person with this name, if there is one.
    pub(super) fn sighting(&self, typed: Line) -> Sighting {
        let who = self.ledger.people.find(&key(&typed));
        let is_server_keeper = who.as_ref().is_some_and(|who| self.is_server_keeper(who.id));
        let away = who.as_ref().and_then(|who| self.ledger.people.away(who.id));
        let is_away = away.is_some();
        Sighting { typed, who, is_server_keeper, is_away }
    }

    /// A page of the people whom a mask of the asker may find, from this connection on. It ends after
    /// as many connections as a page of a room has, so the time does not grow with their number.
    pub(super) fn findable(&self, asker: PersonId, from: u64) -> Answer {
        let ids = self.ledger.people.ids_from(PersonId::new(from));
        let mut people = Vec::new();
        for (looked_at, id) in ids.enumerate() {
            if looked_at == PEOPLE_MAX {
                let next = Some(id.number());
                return Answer::Findable(FindablePage { people, next });
            }
            people.extend(self.findable_by(asker, id));
        }
        Answer::Findable(FindablePage { people, next: None })
    }

    /// The person with this connection, if it is the first of that person, and a mask of the asker
    /// may find them: only people in the same room find somebody who does not want to be found.
    fn findable_by(&self, asker: PersonId, id: PersonId) -> Option<Findable> {
        let people = &self.ledger.people;
        let (person, from) = (people.get(id)?, people.get(asker)?);
        let is_first = || people.wearer(&person.name) == Some(id);
        if person.is_owner() && !is_first() {
            return None;
        }
        let own = people.connections(id);
        let wants_not = person.modes.has(Modes::INVISIBLE) && !own.contains(&asker);
        let mut seats = own.iter().filter_map(|id| people.get(*id)).flat_map(|own| &own.seats);
        if wants_not && !seats.any(|room| from.sits_in(room)) {
            return None;
        }
        let (is_server_keeper, is_away) = (self.is_server_keeper(id), people.away(id).is_some());
        Some(Findable { who: person.who(id), is_server_keeper, is_away })
    }
}
