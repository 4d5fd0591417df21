//! Names that get an owner, or another password. Knows no password.

use super::Broadcaster;
use crate::entry::{PersonId, Who};
use crate::inbox::Proof;
use crate::name::Name;
use crate::order::{By, Reach, Removal};

impl Broadcaster {
    /// From now on a name has this owner: earlier proofs of it count no longer. Who wears it leaves, but for the connection
    /// by which it is so.
    pub(super) fn own(&mut self, name: Name, proof: Proof, by: Option<PersonId>) {
        let wearers: Vec<_> = self.people.wearers(&name).collect();
        self.people.own(name.clone());
        self.people.renew(&name, proof);
        for id in wearers {
            match by == Some(id) {
                true => self.make_owner(id, proof),
                false => self.take_name(id),
            }
        }
    }

    fn make_owner(&mut self, id: PersonId, proof: Proof) {
        let Some(person) = self.people.get_mut(id) else {
            return;
        };
        person.proof = Some(proof);
        let (name, seats) = (person.name.clone(), person.seats.clone());
        let who = Who { id, name };
        for place in seats {
            if let Some(room) = self.rooms.get_mut(&place.room) {
                room.members.rename(&who, true);
            }
        }
    }

    /// Has a connection end whose name is another one's by now: what it still asks for counts as anybody's.
    fn take_name(&mut self, id: PersonId) {
        let Some(person) = self.people.get_mut(id) else {
            return;
        };
        person.proof = None;
        person.client.remove(Removal {
            reach: Reach::Server,
            by: By::NewPassword,
            reason: None,
            ban: None,
        });
    }
}
