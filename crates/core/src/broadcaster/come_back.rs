//! Coming back: somebody takes the place again that another connection of theirs has, or had. Knows no code.

use std::sync::Arc;

use super::Broadcaster;
use super::gather::Happening;
use crate::answer::Refusal;
use crate::client::Client;
use crate::entry::{PersonId, RoomId};
use crate::inbox::Claim;
use crate::name::RoomName;
use crate::order::{By, Reach, Removal};
use crate::time::Now;

impl Broadcaster {
    pub(super) fn come_back(
        &mut self,
        client: &Arc<Client>,
        name: Claim,
        room: RoomName,
        ghost: Option<PersonId>,
        now: Now,
    ) -> Result<(), Refusal> {
        self.may_come_back(client, &name, &room, now)?;
        let there = self.rooms_by_name.get(&room).copied();
        if there.is_none() {
            self.may_make_room()?; // before anybody is taken out
        }
        let ghost = ghost.filter(|&ghost| ghost != client.id);
        if let Some(ghost) = ghost {
            self.rules.follow(ghost, client.id);
        }
        let is_there = ghost.is_some_and(|ghost| self.take_out(ghost, there));
        self.people.enter(client, name)?;
        let seated = self
            .room_to_join(client.id, room, now)
            .and_then(|room| self.take_seat(client, room, 0, true, is_there));
        if seated.is_err() {
            self.people.leave(client.id);
        }
        seated
    }

    /// Has a connection end whose person sits in `room` on another one from now on. Whether it sat there, too.
    fn take_out(&mut self, ghost: PersonId, room: Option<RoomId>) -> bool {
        let Some(who) = self.people.who(ghost) else {
            return false;
        };
        let Some(person) = self.people.get_mut(ghost) else {
            return false;
        };
        let seats = std::mem::take(&mut person.seats);
        let seats: Vec<_> = seats.iter().map(|place| place.room).collect();
        person.client.remove(Removal {
            reach: Reach::Server,
            by: By::Oneself,
            reason: None,
            ban: None,
        });
        self.people.leave(ghost);
        for &seat in &seats {
            let is_untold = Some(seat) == room || self.people.is_worn_in(&who.name, seat);
            let departure = Happening::Departure {
                who: who.clone(),
                words: None,
                removal: None,
                is_untold,
            };
            self.happen(seat, departure);
        }
        room.is_some_and(|room| seats.contains(&room))
    }
}
