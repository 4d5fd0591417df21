//! What is done with authority. Like everything that concerns one other person it is answered on receipt, whatever the
//! journal does.

use super::Broadcaster;
use crate::answer::{Answer, Notice, Refusal};
use crate::entry::PersonId;
use crate::line::Line;
use crate::mailbox::Item;
use crate::order::{By, Done, Order, Removal, Visitor, Word};
use crate::time::Now;

impl Broadcaster {
    /// Does what the operator wants.
    pub(super) fn operate(&mut self, order: Order, now: Now) -> Result<Answer, Refusal> {
        let by = By::Operator;
        let done = match order {
            Order::List => Done::Everybody(self.visitors(now)),
            Order::Broadcast(text) => self.tell_everybody(&Word::Says(text)),
            Order::Remove { whom, reason } => self.remove(whom, Removal { by, reason })?,
        };
        Ok(Answer::Done(done))
    }

    /// Everybody, in the order in which they came.
    fn visitors(&self, now: Now) -> Vec<Visitor> {
        let mut people: Vec<_> = self.people.iter().collect();
        people.sort_by_key(|(id, _)| *id);
        let visitor = |(id, person): (PersonId, &super::people::Person)| {
            let rooms = person.seats.iter().filter_map(|room| self.rooms.get(room));
            let active = rooms.clone().filter_map(|room| room.members.get(id));
            let active = active.map(|member| member.active).max();
            Visitor {
                name: person.name.clone(),
                address: person.client.address(),
                rooms: rooms.map(|room| room.name.clone()).collect(),
                silent: now
                    .monotonic
                    .saturating_sub(active.unwrap_or(now.monotonic)),
            }
        };
        people.into_iter().map(visitor).collect()
    }

    fn tell_everybody(&self, word: &Word) -> Done {
        let (mut people, mut deaf) = (0, 0);
        for (id, person) in self.people.iter() {
            let Some(mark) = self.mark_of(id) else {
                continue; // about to come in
            };
            let item = Item::Answer(Answer::Notice(Notice::Order(word.clone())));
            match person.client.send(mark, item) {
                Ok(()) => people += 1,
                Err(_) => deaf += 1,
            }
        }
        Done::Told { people, deaf }
    }

    /// Has somebody leave: the connection is told, and ends. From now on nothing that it says is heard.
    fn remove(&mut self, typed: Line, removal: Removal) -> Result<Done, Refusal> {
        let Some(found) = self.people.find(typed.as_str()) else {
            return Err(Refusal::NobodyCalled(typed));
        };
        for id in self.people.wearers(&found.name) {
            if let Some(person) = self.people.get(id) {
                person.client.remove(removal.clone());
            }
        }
        Ok(Done::Removed(found.name))
    }
}
