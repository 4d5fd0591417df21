//! Tells people about an act that is stored. Does not know which acts are allowed.

use std::sync::Arc;

use crate::broadcaster::state::Broadcaster;
use crate::ledger::{Announcement, Person};
use crate::link::{Answer, Notice, Outcome};
use crate::model::{Act, Modes, Name, PersonId, RoomName, Verb, Who};

impl Broadcaster {
    /// Announces an act. Returns the outcome for the person who asked, who may have read about the
    /// act in the room already.
    pub(in crate::broadcaster) fn announce(
        &self,
        announcement: Announcement,
        is_stored: bool,
    ) -> Outcome {
        let Announcement { act, room, here, is_seen, .. } = announcement;
        let answer = match act.deed.verb {
            Verb::Broadcast => self.tell_everybody(&act),
            Verb::Wallops => {
                self.tell_wallops(&act);
                return Outcome::Done; // those who want to read it do, also the author
            }
            _ => Answer::Act(Arc::clone(&act)),
        };
        if act.deed.verb == Verb::Ban {
            self.remove_listeners(&act);
        }
        if let Some(room) = act.reach.room() {
            self.remove_outsiders(room, &act);
            self.tell_rules_end(room, &act);
        }
        match is_stored || act.is_for_now() {
            true if is_seen || room.is_some() && room == here => Outcome::Done,
            true => Outcome::Answer(answer),
            false => Outcome::Answer(Answer::Unstored(Box::new(answer))),
        }
    }

    /// Tells somebody who keeps a room for the time being, and has closed it, how long that holds.
    fn tell_rules_end(&self, room: &RoomName, act: &Act) {
        let closes = matches!(
            act.deed.verb,
            Verb::MakePrivate | Verb::InvitedOnly | Verb::Hide | Verb::SetRoomPassword
        );
        if !closes || !act.is_for_now() || self.ledger.rooms.rules(room).lasting.is_closed() {
            return;
        }
        let author = act.by.author().into_iter();
        for id in author.flat_map(|author| self.ledger.people.connections(author.id)) {
            let keeps = |person: &Person| person.keeps_for_now.contains(room);
            if self.ledger.people.get(id).is_some_and(keeps) {
                self.tell_one(id, Notice::RulesEnd(room.clone()));
            }
        }
    }

    /// Tells the people of this node who want to read what operators say.
    fn tell_wallops(&self, act: &Arc<Act>) {
        let author = self.with_author(Arc::clone(act)).author;
        let stranger = || {
            let name = Name::stored(act.by.name().map_or("operator", Name::as_str));
            Arc::new(Who::new(PersonId::BYGONE, name))
        };
        let (by, Some(text)) = (author.unwrap_or_else(stranger), act.deed.text.clone()) else {
            return;
        };
        for (id, person) in self.ledger.people.iter() {
            if person.modes.has(Modes::WALLOPS) {
                self.tell_one(id, Notice::Wallops { by: Arc::clone(&by), text: text.clone() });
            }
        }
    }

    fn tell_everybody(&self, act: &Arc<Act>) -> Answer {
        let (mut people, mut deaf) = (0, 0);
        for (id, person) in self.ledger.people.iter() {
            match self.tell_of(id, act) {
                Some(true) => people += 1,
                Some(false) => deaf += 1,
                None if self.connections.contains_key(&id) => {} // about to come in
                None => people += usize::from(!person.seats.is_empty()), // another node tells them
            }
        }
        Answer::Told { people, deaf }
    }

    /// Tells one person. Returns whether the notice was delivered; none for a person without a
    /// seat.
    pub(in crate::broadcaster) fn tell_of(&self, id: PersonId, act: &Arc<Act>) -> Option<bool> {
        self.tell_one(id, Notice::Act(Arc::clone(act)))
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

    /// Ends the connections of listeners who may not read a room any more, because of its rules.
    pub(in crate::broadcaster) fn remove_outsiders(&self, room: &RoomName, act: &Arc<Act>) {
        if !self.ledger.rooms.rules(room).now.is_closed() {
            return;
        }
        let hearers = self.room_called(room).into_iter().flat_map(|room| room.members.hearers());
        for listener in hearers {
            let with_password = (room, listener.password());
            if self.ledger.may_read_with(listener.subject(), with_password, act.at).is_err() {
                listener.client.remove(act);
            }
        }
    }
}
