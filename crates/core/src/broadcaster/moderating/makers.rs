//! The maker of a room becomes its keeper. Does not know who may make rooms.

use super::publishing::act_in;
use crate::broadcaster::acts::Sequel;
use crate::broadcaster::state::Broadcaster;
use crate::ledger::Subject;
use crate::link::{Change, InboxItem, Request};
use crate::model::{Deed, Name, Now, RoomName, Verb, Who};

impl Broadcaster {
    /// A person who makes a room that never existed, under a name that they own, becomes its
    /// keeper. The act is stored first, and the request is granted afterwards. Returns the request
    /// if it can be granted at once.
    pub(in crate::broadcaster) fn keep_new_room(
        &mut self,
        incoming: InboxItem,
        now: Now,
    ) -> Option<InboxItem> {
        let Some((name, room)) = self.keeper_to_be(&incoming, now) else {
            return Some(incoming);
        };
        if !self.ledger.rules.make_room(&room, &name) {
            return Some(incoming);
        }
        let deed = Deed::to_all(Verb::MakeRoom, None);
        let act = act_in(&room, &name, deed, now);
        self.store(act, Sequel::Make(Box::new(incoming), room, name));
        None
    }

    /// The future keeper of the room that a request makes, and the room.
    fn keeper_to_be(&self, incoming: &InboxItem, now: Now) -> Option<(Name, RoomName)> {
        let InboxItem::Request { client, request: Request::Change(change) } = incoming else {
            return None;
        };
        let (name, is_owner, room) = match change {
            Change::Enter { name, room, .. }
            | Change::ComeBack { name, room, .. }
            | Change::Speak { name, room, .. } => {
                (&name.name, self.ledger.people.is_proven(name), room)
            }
            Change::Join { room, .. } => {
                let person = self.ledger.people.get(client.id)?;
                (&person.name, person.is_owner(), room)
            }
            Change::Listen { .. }
            | Change::Post { .. }
            | Change::Rename(_)
            | Change::SetTopic { .. }
            | Change::Owned { .. }
            | Change::Released { .. }
            | Change::DeleteLines { .. }
            | Change::Limit(_)
            | Change::Act { .. } => return None,
        };
        let subject = Subject { name, is_owner, address: client.address() };
        let is_new = self.is_stored && self.ledger.rooms.is_new(room) && self.is_new(room);
        let may = is_new && is_owner && self.may_make(subject, room).is_ok();
        let who = Who { id: client.id, name: name.clone() };
        let may = may
            && self.ledger.may_read(subject, room, now.wall).is_ok()
            && self.ledger.may_speak(&who, room, now.wall).is_ok();
        may.then(|| (name.clone(), room.clone()))
    }
}
