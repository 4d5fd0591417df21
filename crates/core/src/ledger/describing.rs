//! Descriptions that people give of themselves: that they are away, and their real name.

use std::collections::BTreeSet;

use super::event::Happened;
use super::state::Ledger;
use crate::model::{Line, Name, PersonChange, PersonId, RoomName, WallTime};
use crate::refusal::Refusal;

/// A connection of a person, and the text with which the person was away.
pub(super) type Companion = Option<(PersonId, Option<Line>)>;

impl Ledger {
    /// A person is away from now on, with this text, or is back.
    pub(super) fn set_away(
        &mut self,
        id: PersonId,
        text: Option<Line>,
        at: WallTime,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        self.may_describe(id, text.is_some(), at)?;
        let before = self.people.away(id).cloned();
        if let Some(person) = self.people.get_mut(id) {
            person.away = text;
        }
        self.tell_away(id, before.as_ref(), happened);
        Ok(())
    }

    /// A person has another real name.
    pub(super) fn set_realname(
        &mut self,
        id: PersonId,
        realname: Line,
        at: WallTime,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        self.may_describe(id, true, at)?;
        let person = self.people.get_mut(id).ok_or(Refusal::NotThere)?;
        let Some(profile) = person.profile.as_ref().filter(|it| *it.realname() != realname) else {
            return Ok(()); // nobody reads about it
        };
        person.profile = Some(profile.with_realname(realname).into());
        let (who, rooms) = (person.who(id), person.seats.clone());
        let (event, change) = (self.next_event(), PersonChange::Realname);
        happened.push(Happened::PersonChanged { event, who, change, rooms });
        Ok(())
    }

    /// Another connection of the owner of a name, and the text with which the owner is away, before
    /// this connection comes under the name or gives it up.
    pub(super) fn companion(&self, id: PersonId, name: &Name) -> Companion {
        let other = self.people.owner_beside(id, name)?;
        Some((other, self.people.away(other).cloned()))
    }

    /// Tells the others that an owner is away or back because a connection came or went.
    pub(super) fn tell_companion(&mut self, companion: Companion, happened: &mut Vec<Happened>) {
        if let Some((other, before)) = companion {
            self.tell_away(other, before.as_ref(), happened);
        }
    }

    /// Tells the others that a person is away or back, if that has changed.
    pub(super) fn tell_away(
        &mut self,
        id: PersonId,
        before: Option<&Line>,
        happened: &mut Vec<Happened>,
    ) {
        let now = self.people.away(id).cloned();
        if now.as_ref() == before {
            return;
        }
        let Some(who) = self.people.who(id) else {
            return;
        };
        let own = self.people.connections(id);
        let seats = own.into_iter().filter_map(|id| self.people.get(id));
        let rooms: BTreeSet<&RoomName> = seats.flat_map(|person| person.seats.iter()).collect();
        let rooms = rooms.into_iter().cloned().collect();
        let (event, change) = (self.next_event(), PersonChange::Away(now));
        happened.push(Happened::PersonChanged { event, who, change, rooms });
    }
}
