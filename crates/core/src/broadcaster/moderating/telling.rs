//! What whoever keeps the house sees of everybody, and says to them. Changes nothing.

use crate::broadcaster::people::Person;
use crate::broadcaster::state::Broadcaster;
use crate::link::{Answer, Mail, Notice};
use crate::model::{Done, Now, PersonId, Visitor, Word};

impl Broadcaster {
    /// Everybody, in the order in which they came.
    pub(super) fn visitors(&self, now: Now) -> Vec<Visitor> {
        let mut people: Vec<_> = self.people.iter().collect();
        people.sort_by_key(|(id, _)| *id);
        let visitor = |(id, person): (PersonId, &Person)| {
            let places = person.seats.iter();
            let rooms = places
                .clone()
                .filter_map(|place| self.rooms.get(&place.room));
            let active = rooms.filter_map(|room| room.members.get(id));
            let active = active.map(|member| member.active).max();
            Visitor {
                name: person.name.clone(),
                address: person.client.address(),
                rooms: places.map(|place| place.name.clone()).collect(),
                silent: now
                    .monotonic
                    .saturating_sub(active.unwrap_or(now.monotonic)),
            }
        };
        people.into_iter().map(visitor).collect()
    }

    pub(super) fn tell_everybody(&self, word: &Word) -> Done {
        let (mut people, mut deaf) = (0, 0);
        for (id, _) in self.people.iter() {
            match self.tell(id, word) {
                Some(true) => people += 1,
                Some(false) => deaf += 1,
                None => {} // about to come in
            }
        }
        Done::Told { people, deaf }
    }

    /// Says something to one person. Whether it was delivered; none where nobody sits yet.
    pub(super) fn tell(&self, id: PersonId, word: &Word) -> Option<bool> {
        let (person, mark) = self.people.get(id).zip(self.mark_of(id))?;
        let item = Mail::Answer(Answer::Notice(Notice::Order(word.clone())));
        Some(person.client.send(mark, item).is_ok())
    }
}
