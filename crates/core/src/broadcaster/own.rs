//! Changes of ownership: a name gets an owner, loses its owner, or gets a new password. Knows no
//! password.

use std::sync::Arc;

use super::state::Broadcaster;
use crate::model::{Act, By, Deed, Line, Name, Now, PersonId, Proof, Verb, Who, Whom};

/// Why an owner's connections end when the operator releases the name.
const RELEASED: &str = "this name is no longer registered";

impl Broadcaster {
    /// Gives a name an owner, or its owner another password, so earlier proofs become invalid. All
    /// connections with this name end, except the one that asked for it.
    pub(super) fn own(&mut self, name: Name, proof: Proof, by: Option<PersonId>, now: Now) {
        let act = removal(By::NewPassword, &name, None, now);
        let wearers: Vec<_> = self.people.wearers(&name).collect();
        self.people.own(name.clone());
        self.people.renew(&name, proof);
        for id in wearers {
            match by == Some(id) {
                true => self.make_owner(id, proof),
                false => self.end(id, &act),
            }
        }
        self.end_listeners(&name, &act);
    }

    /// Releases a name. Its owner leaves, and loses all keeper rights.
    pub(super) fn release(&mut self, name: &Name, proof: Proof, now: Now) {
        let wearers: Vec<_> = self.people.wearers(name).collect();
        self.people.renew(name, proof);
        self.people.disown(name);
        self.rules.remove_keeper_everywhere(name);
        let act = removal(By::Operator, name, Some(RELEASED), now);
        for id in wearers {
            self.end(id, &act);
        }
        self.end_listeners(name, &act);
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

    /// Ends a connection whose person lost the name. Until it ends, it counts as a stranger.
    fn end(&mut self, id: PersonId, act: &Arc<Act>) {
        let Some(person) = self.people.get_mut(id) else {
            return;
        };
        person.proof = None;
        person.client.remove(act);
    }

    /// Ends listeners who read as the owner of a name.
    fn end_listeners(&self, name: &Name, act: &Arc<Act>) {
        let hearers = self.rooms.values().flat_map(|room| room.members.hearers());
        let of_name = hearers.filter(|hearer| {
            let subject = hearer.subject();
            subject.is_owner && subject.name.is_same(name)
        });
        of_name.for_each(|hearer| hearer.client.remove(act));
    }
}

fn removal(by: By, name: &Name, reason: Option<&str>, now: Now) -> Arc<Act> {
    let deed = Deed {
        text: reason.map(|reason| Line::sanitise(reason.as_bytes())),
        ..Deed::to(Verb::Kick, Whom::Name(name.clone()))
    };
    Arc::new(Act::by(by, deed, now.wall))
}
