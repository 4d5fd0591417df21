//! The modes of people: asked for, changed, and shown to the others.

use super::state::Broadcaster;
use crate::model::{Line, Modes, PersonId, Who, fold};
use crate::refusal::Refusal;

impl Broadcaster {
    /// The modes of a person, who has authority on the server or not.
    pub(super) fn modes_of(&self, id: PersonId) -> Modes {
        let Some(person) = self.ledger.people.get(id) else {
            return Modes::NONE;
        };
        match self.ledger.may_keep_server(person) {
            true => person.modes.with(Modes::OPERATOR),
            false => person.modes,
        }
    }

    /// The modes of the person who asks, under this name.
    pub(super) fn own_modes(&self, asker: PersonId, of: &Line) -> Result<Modes, Refusal> {
        let person = self.ledger.people.get(asker).ok_or(Refusal::NotThere)?;
        match fold(of.as_str().trim()) == person.name.keys()[0] {
            true => Ok(self.modes_of(asker)),
            false => Err(Refusal::NotOwnModes),
        }
    }

    /// Shows the others in each room the present profile of a person.
    pub(super) fn show_person(&mut self, who: &Who) {
        let person = self.ledger.people.get(who.id);
        for room in person.iter().flat_map(|person| &person.seats) {
            if let Some(room) = self.rooms_by_name.get(room).and_then(|id| self.rooms.get_mut(id)) {
                room.members.change(who);
            }
        }
    }
}
