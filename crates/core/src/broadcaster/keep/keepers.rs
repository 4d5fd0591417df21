//! Naming those who keep order. Knows not who may: whoever is asked has power there.

use super::{Hand, Obeyed, Unsettled};
use crate::answer::Refusal;
use crate::broadcaster::Broadcaster;
use crate::entry::PersonId;
use crate::line::Line;
use crate::name::RoomName;
use crate::order::{By, Deed, Done, Forbidden, Reach, Record, Rule};
use crate::time::Now;

impl Broadcaster {
    pub(super) fn keepers(&self, hand: &Hand) -> Done {
        let room = hand.here.and_then(|here| self.rooms.get(&here));
        let of_room = |name: &RoomName| {
            let keepers = self.rules.keepers(&Reach::Room(name.clone()));
            (name.clone(), keepers.to_vec())
        };
        Done::Keepers {
            room: room.map(|room| of_room(&room.name)),
            server: self.rules.keepers(&Reach::Server).to_vec(),
        }
    }

    /// What a keeper names keepers of: the room, also where the own authority goes further. The operator names those of the server.
    fn kept(&self, hand: &Hand) -> Result<Reach, Refusal> {
        let Some(here) = hand.here else {
            return Ok(Reach::Server);
        };
        let room = self.rooms.get(&here).ok_or(Refusal::NotThere)?;
        match room.name == RoomName::lobby() {
            true => Err(Forbidden::Lobby.into()),
            false => Ok(Reach::Room(room.name.clone())),
        }
    }

    pub(super) fn add_keeper(&mut self, hand: &Hand, whom: Line) -> Result<Obeyed, Refusal> {
        let kept = self.kept(hand)?;
        let Some(name) = self.people.owned(whom.as_str()).cloned() else {
            return Err(Forbidden::NotRegistered(whom).into());
        };
        self.rules.add_keeper(&kept, name.clone())?;
        hand.rule(self, Rule::Keeper(name.clone(), true));
        Ok(Obeyed {
            done: Done::Keeper(name.clone(), true),
            deed: Some((kept, Deed::AddKeeper(name))),
            is_shown: hand.here.is_some(),
        })
    }

    pub(super) fn remove_keeper(&mut self, hand: &Hand, whom: Line) -> Result<Obeyed, Refusal> {
        let kept = self.kept(hand)?;
        let keepers = self.rules.keepers(&kept);
        let name = self.people.owned(whom.as_str()).cloned();
        let Some(name) = name.filter(|name| self.rules.is_keeper(&kept, name)) else {
            return Err(Forbidden::KeepsNot(whom).into());
        };
        // The server has its operator, but a room has nobody else.
        if keepers.len() == 1 && kept != Reach::Server && hand.reach != Reach::Server {
            return Err(Forbidden::LastKeeper(name).into());
        }
        self.rules.remove_keeper(&kept, &name);
        hand.rule(self, Rule::Keeper(name.clone(), false));
        Ok(Obeyed {
            done: Done::Keeper(name.clone(), false),
            deed: Some((kept, Deed::RemoveKeeper(name))),
            is_shown: hand.here.is_some(),
        })
    }

    /// Whoever makes a room that never was, and owns the name that they wear, keeps it.
    pub(in crate::broadcaster) fn keep_new_room(
        &mut self,
        maker: PersonId,
        room: &RoomName,
        now: Now,
    ) {
        let is_known = self
            .ends
            .as_ref()
            .is_none_or(|ends| ends.contains_key(room));
        let person = self.people.get(maker).filter(|person| person.is_owner);
        let Some(name) = person
            .filter(|_| !is_known)
            .map(|person| person.name.clone())
        else {
            return;
        };
        if self.rules.make_room(room, &name) {
            self.unsettled.push(Unsettled {
                record: Record {
                    at: now.wall,
                    by: By::Keeper(name.clone()),
                    reach: Reach::Room(room.clone()),
                    deed: Deed::Make(name),
                },
                waiting: None,
            });
        }
    }
}
