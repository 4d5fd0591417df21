//! Lists of people and rules for keepers and the operator. Changes nothing.

use std::cmp::Reverse;

use crate::broadcaster::state::Broadcaster;
use crate::link::{Answer, BANS_SHOWN_MAX, Refusal, RoomKeepers};
use crate::model::{Act, Here, Name, Now, PersonId, Reach, RoomName};

impl Broadcaster {
    /// The bans: all of them for the operator, the latest for a keeper, and with the mutes in a room.
    /// Others in the room read which names are meant, but no address.
    pub(in crate::broadcaster) fn bans(
        &self,
        asker: PersonId,
        (here, skip): (&Here, usize),
        now: Now,
    ) -> Result<Answer, Refusal> {
        let authority = self.ledger.authority(asker, here);
        let is_keeper = authority.is_ok();
        let reach = match (authority, here) {
            (Ok(authority), _) => authority.reach_of_acts(),
            (Err(Refusal::NotKeeper), Here::Room(room) | Here::RoomOnly(room)) => {
                Reach::Room(room.clone())
            }
            (Err(refusal), _) => return Err(refusal),
        };
        let max = if *here == Here::Operator { usize::MAX } else { BANS_SHOWN_MAX };
        let rules = &self.ledger.rules;
        let mutes = rules.mutes(&reach, now.wall).filter(|_| here.room().is_some());
        let is_shown = |act: &&Act| is_keeper || act.deed.whom.name().is_some();
        let mut bans: Vec<_> = rules.bans(&reach, now.wall).chain(mutes).filter(is_shown).collect();
        bans.sort_by_key(|ban| Reverse(ban.at));
        Ok(Answer::Bans {
            others: bans.len().saturating_sub(skip).saturating_sub(max),
            bans: bans.into_iter().skip(skip).take(max).cloned().collect(),
        })
    }

    /// The keepers, for anybody.
    pub(in crate::broadcaster) fn keepers(
        &self,
        asker: PersonId,
        here: &Here,
    ) -> Result<Answer, Refusal> {
        let room = here.room().cloned();
        if let Some(room) = &room {
            self.ledger.seated(asker, room)?;
        }
        let keepers = |reach: &Reach| self.ledger.rules.keepers(reach).to_vec();
        let of_room = |room: RoomName| RoomKeepers {
            for_good: keepers(&Reach::Room(room.clone())),
            for_now: self.keepers_for_now(&room),
            room,
        };
        Ok(Answer::Keepers { room: room.map(of_room), server: keepers(&Reach::Server) })
    }

    /// The people in a room who keep it for the time being.
    fn keepers_for_now(&self, room: &RoomName) -> Vec<Name> {
        let members = self.room_called(room).into_iter().flat_map(|room| room.members.values());
        let people = members.filter_map(|member| self.ledger.people.get(member.who.id));
        let keepers = people.filter(|person| person.keeps_for_now.contains(room));
        let mut names: Vec<_> = keepers.map(|person| person.name.clone()).collect();
        names.dedup(); // an owner may have several connections
        names
    }
}
