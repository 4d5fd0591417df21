//! The way of an act from the request to its readers. Does not know which acts are allowed.

use std::sync::Arc;

use crate::broadcaster::acts::Sequel;
use crate::broadcaster::pending::Happening;
use crate::broadcaster::rooms::Connection;
use crate::broadcaster::state::Broadcaster;
use crate::ledger::Announcement;
use crate::link::{Answer, Client, InboxItem, Mail, Notice, Outcome, Unstored};
use crate::model::{Act, By, Deed, Line, Name, Now, PersonId, Reach, RoomName, Verb, Who};
use crate::refusal::Refusal;

impl Broadcaster {
    /// The acts to store, since the last call.
    pub fn unstored(&mut self) -> Vec<Unstored> {
        self.pending.take_new()
    }

    /// Tells people about an act as soon as it is stored.
    pub(in crate::broadcaster) fn store_act(
        &mut self,
        client: &Arc<Client>,
        announcement: Announcement,
    ) {
        let act = Arc::clone(&announcement.act);
        self.store(act, Sequel::Publish(Arc::clone(client), announcement));
    }

    /// Shows the new topic of a room as soon as it is stored.
    pub(in crate::broadcaster) fn store_topic(
        &mut self,
        client: &Arc<Client>,
        room: RoomName,
        who: Who,
        text: Option<Line>,
        before: Option<Line>,
        now: Now,
    ) {
        let deed = Deed::to_all(Verb::SetTopic, text.clone());
        let act = act_in(&room, &who.name, deed, now);
        self.store(act, Sequel::Topic { client: Arc::clone(client), room, who, text, before });
    }

    pub(super) fn store(&mut self, act: Arc<Act>, sequel: Sequel) {
        self.pending.put(&self.inbox, act, sequel);
    }

    /// Continues after an act was stored, or could not be. Returns a request that waited for it.
    pub(in crate::broadcaster) fn go_on(
        &mut self,
        number: u64,
        is_stored: bool,
    ) -> Option<InboxItem> {
        match self.pending.finish(number)? {
            Sequel::Publish(client, announcement) => {
                let (answer, is_shown) = self.publish(announcement);
                client.finish(match is_stored {
                    true if is_shown => Outcome::Done,
                    true => Outcome::Answer(answer),
                    false => Outcome::Answer(Answer::Unstored(Box::new(answer))),
                });
                None
            }
            Sequel::Make(incoming, room, maker) => {
                if !is_stored {
                    self.ledger.rules.remove_keeper(&Reach::Room(room), &maker);
                }
                Some(*incoming)
            }
            Sequel::Topic { client, room, who, text, before } => {
                match is_stored {
                    true => self.show_topic(&client, &room, who, text),
                    false => {
                        self.ledger.rooms.set_topic(&room, |topic| topic.text = before);
                        client.finish(Refusal::NotWritten.into());
                    }
                }
                None
            }
        }
    }

    /// Shows people in a room its new topic.
    pub(in crate::broadcaster) fn show_topic(
        &mut self,
        client: &Arc<Client>,
        room: &RoomName,
        who: Who,
        text: Option<Line>,
    ) {
        match self.rooms_by_name.get(room) {
            Some(&room) => {
                self.gathering.promise(client, Outcome::Done, false);
                self.happen(room, Happening::Topic { who, text });
            }
            None => client.finish(Outcome::Done), // it left memory meanwhile
        }
    }

    /// Tells people about an act: the people concerned, and those in the room. Returns the answer
    /// to the person who asked, and whether that person has read about the act in the room already.
    fn publish(&mut self, announcement: Announcement) -> (Answer, bool) {
        let Announcement { act, people, room, here } = announcement;
        let mut is_shown = room.is_some() && room == here;
        let mut answer = Answer::Act(Arc::clone(&act));
        match act.deed.verb {
            Verb::Broadcast => answer = self.tell_everybody(&act),
            Verb::Kick => is_shown |= self.remove_all(&people, &act, here.as_ref()),
            Verb::Ban => {
                is_shown |= self.remove_all(&people, &act, here.as_ref());
                self.remove_listeners(&act);
            }
            Verb::Mute | Verb::Unmute => {
                for id in people {
                    self.tell_of(id, &act);
                }
            }
            Verb::Unban
            | Verb::LockTopic
            | Verb::UnlockTopic
            | Verb::SetTopic
            | Verb::MakeRoom
            | Verb::AddKeeper
            | Verb::RemoveKeeper
            | Verb::ReleaseName
            | Verb::SetPassword
            | Verb::Reload => {}
        }
        if let Some(&room) = room.and_then(|room| self.rooms_by_name.get(&room)) {
            self.happen(room, Happening::Act(act));
        }
        (answer, is_shown)
    }

    fn tell_everybody(&self, act: &Arc<Act>) -> Answer {
        let (mut people, mut deaf) = (0, 0);
        for (id, _) in self.ledger.people.iter() {
            match self.tell_of(id, act) {
                Some(true) => people += 1,
                Some(false) => deaf += 1,
                None => {} // about to come in
            }
        }
        Answer::Told { people, deaf }
    }

    /// Tells one person. Returns whether the notice was delivered; none for a person without a
    /// seat.
    fn tell_of(&self, id: PersonId, act: &Arc<Act>) -> Option<bool> {
        let (connection, mark) = self.connections.get(&id).zip(self.mark_of(id))?;
        let item = Mail::Answer(Answer::Notice(Notice::Act(Arc::clone(act))));
        Some(connection.client.send(mark, item).is_ok())
    }

    /// Removes these connections from the reach of the act: each ends or goes to the lobby. Returns
    /// whether one of them has a seat here.
    fn remove_all(&mut self, people: &[PersonId], act: &Arc<Act>, here: Option<&RoomName>) -> bool {
        self.ledger.leaving.retain(|(id, reach)| *reach != act.reach || !people.contains(id));
        let mut is_shown = false;
        for &id in people {
            let person = self.ledger.people.get(id).filter(|_| self.remove(id, act));
            is_shown |= person.zip(here).is_some_and(|(person, here)| person.sits_in(here));
        }
        is_shown
    }

    /// Removes one connection. Returns whether it is within the reach of the act. A person who is
    /// arriving has the place already, and leaves as soon as the seat is granted.
    fn remove(&self, id: PersonId, act: &Arc<Act>) -> bool {
        let Some(Connection { client, places }) = self.connections.get(&id) else {
            return false;
        };
        let Reach::Room(room) = &act.reach else {
            client.remove(act);
            return true;
        };
        let Some(place) = places.iter().find(|place| place.name == *room) else {
            return false;
        };
        place.removed.set(Arc::clone(act)).ok(); // the first of two acts is told
        client.wake_reader();
        true
    }

    /// Ends the connections of banned listeners, which have no seat.
    fn remove_listeners(&self, ban: &Arc<Act>) {
        let rooms = self.rooms.values().filter(|room| ban.reach.has(&room.name));
        for listener in rooms.flat_map(|room| room.members.hearers()) {
            if self.ledger.rules.bars(ban, listener.subject()) {
                listener.client.remove(ban);
            }
        }
    }
}

/// An act of a person in one room.
pub(super) fn act_in(room: &RoomName, name: &Name, deed: Deed, now: Now) -> Arc<Act> {
    Arc::new(Act {
        deed,
        by: By::Keeper(name.clone()),
        reach: Reach::Room(room.clone()),
        at: now.wall,
    })
}
