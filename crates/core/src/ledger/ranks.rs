//! Ranks that the connections of one owner share in a room: they are one person there.

use super::event::Happened;
use super::people::Person;
use super::state::Ledger;
use crate::model::{Name, PersonId, RankChange, RoomName, RoomRank};

impl Ledger {
    /// If one of an owner's connections in a room keeps it for the time being or has a voice, so do
    /// the others: they are one person.
    pub(super) fn share_ranks(&mut self, id: PersonId, room: &RoomName) {
        let own = self.people.connections_in(id, room);
        let mut keepers = own.iter().filter_map(|id| self.people.get(*id));
        let is_keeper = keepers.clone().any(|person| person.keeps_for_now.contains(room));
        let has_voice = keepers.any(|person| person.voices.contains(room));
        for id in own {
            if is_keeper {
                self.people.keep_for_now(id, room);
            }
            if has_voice {
                self.people.set_voice(id, room, true);
            }
        }
    }

    /// The rank of a person in a room.
    pub(super) fn rank_in(&self, person: &Person, room: &RoomName) -> RoomRank {
        RoomRank {
            is_keeper: self.may_keep(person, room).is_some(),
            has_voice: person.voices.contains(room),
        }
    }

    /// The ranks that the owner of a name has under it in the rooms of a person, who takes the name.
    pub(super) fn ranks_beside(&self, id: PersonId, name: &Name) -> Vec<(RoomName, RoomRank)> {
        let seats = self.people.get(id).into_iter().flat_map(|person| &person.seats);
        let rank = |room: &RoomName| {
            let other = self.people.others(name, id).find(|other| other.sits_in(room))?;
            Some((room.clone(), self.rank_in(other, room)))
        };
        seats.filter_map(rank).collect()
    }

    /// Tells rooms of ranks that an owner has there now, as another connection with a rank has taken
    /// the name.
    pub(super) fn tell_shared_ranks(
        &self,
        id: PersonId,
        before: Vec<(RoomName, RoomRank)>,
        happened: &mut Vec<Happened>,
    ) {
        let Some((person, who)) = self.people.get(id).zip(self.people.who(id)) else {
            return;
        };
        for (room, before) in before {
            let now = self.rank_in(person, &room);
            let keeper = RankChange::Keeper(now.is_keeper);
            let voice = RankChange::Voice(now.has_voice);
            let changes = [
                (now.is_keeper != before.is_keeper).then_some(keeper),
                (now.has_voice != before.has_voice).then_some(voice),
            ];
            happened.extend(changes.into_iter().flatten().map(|change| Happened::Ranked {
                room: room.clone(),
                who: who.clone(),
                change,
            }));
        }
    }
}
