//! Coming back: somebody takes the place again that another connection of theirs has, or had. Knows no code.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::Broadcaster;
use super::gather::Happening;
use crate::link::{Client, Refusal};
use crate::model::{By, Claim, Now, PersonId, Reach, Removal, RoomId, RoomName, Who};

/// A page that is loaded again is back within this time, also on a slow line; and nobody is shown longer than that who is gone.
pub const RETURN_TIME: Duration = Duration::from_secs(5);

/// A seat that its person, who has come back on another connection, has not taken again.
#[derive(Debug)]
pub(super) struct Absent {
    /// The person, on the connection that had the seat.
    who: Who,
    /// The connection of the same person that may take it.
    pub(super) heir: PersonId,
    room: RoomId,
    /// Then the others are told of a departure.
    pub(super) until: Duration,
}

impl Broadcaster {
    pub(super) fn come_back(
        &mut self,
        client: &Arc<Client>,
        name: Claim,
        room: RoomName,
        ghost: Option<PersonId>,
        now: Now,
    ) -> Result<(), Refusal> {
        if name.proof.is_some() && !self.people.is_proven(&name) {
            return Err(Refusal::NoSuchCode); // the password has been changed meanwhile
        }
        let ghost = ghost.filter(|&ghost| ghost != client.id);
        self.may_come_back(client, ghost, &name, &room, now)?; // before anybody is taken out
        if let Some(ghost) = ghost {
            self.rules.follow(ghost, client.id);
        }
        if let Some(ghost) = ghost {
            self.take_out(ghost, client.id, now);
        }
        let entered = self.people.enter(client, name);
        let seated = entered.and_then(|()| {
            let room = self.room_to_join(client.id, room, now)?;
            let is_back = self.is_back_in(client.id, room);
            self.take_seat(client, room, 0, true, is_back)
        });
        if seated.is_err() {
            self.people.leave(client.id);
            self.give_up_absent(|absent| absent.heir == client.id);
        }
        seated
    }

    /// Has a connection end whose person comes back on another one: in a moment that one has the same seats, and nobody is
    /// told of any change.
    fn take_out(&mut self, ghost: PersonId, heir: PersonId, now: Now) {
        let Some(who) = self.people.who(ghost) else {
            return;
        };
        let Some(person) = self.people.get_mut(ghost) else {
            return;
        };
        let seats = std::mem::take(&mut person.seats);
        person.client.remove(Removal {
            reach: Reach::Server,
            by: By::Oneself,
            reason: None,
            ban: None,
        });
        self.people.leave(ghost);
        for absent in &mut self.absent {
            if absent.heir == ghost {
                absent.heir = heir;
            }
        }
        for place in seats {
            // What happens from now on is read on the other connection.
            if let Some(room) = self.rooms.get(&place.room) {
                place.departed.set(room.log.end()).ok();
            }
            self.absent.push_back(Absent {
                who: who.clone(),
                heir,
                room: place.room,
                until: now.monotonic + RETURN_TIME,
            });
        }
    }

    /// Whether this person had a seat in a room a moment ago, on another connection, and the others know of no departure.
    pub(super) fn is_back_in(&mut self, heir: PersonId, room: RoomId) -> bool {
        let mut absent = self.absent.iter();
        let place = absent.position(|absent| absent.heir == heir && absent.room == room);
        let absent = place.and_then(|place| self.absent.remove(place));
        let is_back = absent.is_some();
        if let Some(absent) = absent {
            self.depart_absent(absent, true);
        }
        is_back
    }

    /// These seats are not taken again: now the others are told.
    pub(super) fn give_up_absent(&mut self, is_meant: impl Fn(&Absent) -> bool) {
        if !self.absent.iter().any(&is_meant) {
            return; // as nearly always
        }
        let absent = std::mem::take(&mut self.absent);
        let (gone, absent) = absent.into_iter().partition::<VecDeque<_>, _>(is_meant);
        self.absent = absent;
        for absent in gone {
            let is_untold = self.people.is_worn_in(&absent.who.name, absent.room);
            self.depart_absent(absent, is_untold);
        }
    }

    fn depart_absent(&mut self, Absent { who, room, .. }: Absent, is_untold: bool) {
        let departure = Happening::Departure {
            who,
            words: None,
            removal: None,
            is_untold,
        };
        self.happen(room, departure);
    }
}
