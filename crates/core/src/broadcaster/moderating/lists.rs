//! Lists of people and rules for keepers and the operator. Changes nothing.

use std::cmp::Reverse;

use crate::broadcaster::people::Person;
use crate::broadcaster::state::Broadcaster;
use crate::link::{Answer, BANS_SHOWN_MAX, Refusal, Visitor};
use crate::model::{Now, PersonId, Reach, RoomId};

impl Broadcaster {
    /// Everybody, in order of arrival.
    pub(in crate::broadcaster) fn visitors(&self, now: Now) -> Answer {
        let mut people: Vec<_> = self.people.iter().collect();
        people.sort_by_key(|(id, _)| *id);
        let visitor = |(id, person): (PersonId, &Person)| {
            let places = person.seats.iter();
            let rooms = places.clone().filter_map(|place| self.rooms.get(&place.room));
            let active = rooms.filter_map(|room| room.members.get(id));
            let active = active.map(|member| member.active).max();
            let active = active.unwrap_or(now.monotonic);
            Visitor {
                name: person.name.clone(),
                address: person.client.address(),
                rooms: places.map(|place| place.name.clone()).collect(),
                silent: now.monotonic.saturating_sub(active),
            }
        };
        Answer::Everybody(people.into_iter().map(visitor).collect())
    }

    /// The bans, for a person with authority there: all of them for the operator, the latest for a
    /// keeper.
    pub(in crate::broadcaster) fn bans(
        &self,
        asker: PersonId,
        here: Option<RoomId>,
        now: Now,
    ) -> Result<Answer, Refusal> {
        let reach = self.authority(asker, here)?.reach;
        let max = here.map_or(usize::MAX, |_| BANS_SHOWN_MAX);
        let mut bans: Vec<_> = self.rules.bans(&reach, now.wall).collect();
        bans.sort_by_key(|ban| Reverse(ban.at));
        Ok(Answer::Bans {
            others: bans.len().saturating_sub(max),
            bans: bans.into_iter().take(max).cloned().collect(),
        })
    }

    /// The keepers, for anybody.
    pub(in crate::broadcaster) fn keepers(
        &self,
        asker: PersonId,
        here: Option<RoomId>,
    ) -> Result<Answer, Refusal> {
        let room = match here {
            Some(here) => Some(self.seated(asker, here)?.1.clone()),
            None => None,
        };
        let keepers = |reach: &Reach| self.rules.keepers(reach).to_vec();
        Ok(Answer::Keepers {
            room: room.map(|room| (room.clone(), keepers(&Reach::Room(room)))),
            server: keepers(&Reach::Server),
        })
    }
}
