//! Saying things: lines, topics, new names, and the deletion of lines.

use std::sync::Arc;

use super::event::Happened;
use super::people::Person;
use super::state::Ledger;
use crate::model::{
    Act, Author, By, Claim, Deed, Erasable, Extras, Line, Looks, Name, PersonChange, PersonId,
    Profile, Reach, Renaming, RoomName, Spoken, Verb, WallTime, Who,
};
use crate::refusal::Refusal;

impl Ledger {
    pub(super) fn say_in_room(
        &mut self,
        id: PersonId,
        room: RoomName,
        lines: Erasable<Vec<Spoken>>,
        at: WallTime,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        let person = self.seated(id, &room)?; // otherwise the departure may still be on its way
        let who = person.who(id);
        self.may_say(Some(person), &who, &room, at)?;
        let lines = self.seals.accept(who.owned_name(), lines);
        self.rooms.add_lines(&room, lines.len(), at);
        happened.push(Happened::Said { room, who, lines });
        Ok(())
    }

    /// The program of a person sends tags. It may if the person may speak.
    pub(super) fn signal(
        &self,
        id: PersonId,
        room: RoomName,
        extras: Arc<Extras>,
        at: WallTime,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        let person = self.seated(id, &room)?;
        let who = person.who(id);
        self.may_say(Some(person), &who, &room, at)?;
        happened.push(Happened::Signal { room, who, extras });
        Ok(())
    }

    pub(super) fn speak_once(
        &mut self,
        id: PersonId,
        (claim, looks, profile): (Claim, Looks, Option<Arc<Profile>>),
        (room, password): (RoomName, Option<Line>),
        lines: Erasable<Vec<Spoken>>,
        at: WallTime,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        self.may_come(id, None, (&claim, &looks), Some(&room), at)?;
        self.may_come_to(id, None, &claim, (&room, password.as_ref()))?;
        let account = claim.account.and_then(|account| self.people.accounts.registered(account));
        let account = account.map(|account| account.name);
        let who = Who { id, name: claim.name, account, profile };
        self.may_say(None, &who, &room, at)?;
        self.make_room(who.account.as_ref(), &room, at, happened);
        let lines = self.seals.accept(who.owned_name(), lines);
        self.rooms.add_lines(&room, lines.len(), at);
        happened.push(Happened::Said { room, who, lines });
        Ok(())
    }

    pub(super) fn set_topic(
        &mut self,
        id: PersonId,
        room: RoomName,
        text: Option<Line>,
        at: WallTime,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        let who = self.may_set_topic(id, &room, at)?;
        let before = self.rooms.topic(&room).text;
        self.rooms.set_topic(&room, |topic| topic.text.clone_from(&text));
        let author = Author { name: who.name.clone(), account: who.account.clone(), id };
        let (by, reach) = (By::Keeper(author), Reach::Room(room));
        let act = Arc::new(Act { deed: Deed::to_all(Verb::SetTopic, text), by, reach, at });
        happened.push(Happened::Topic { who, act, before });
        Ok(())
    }

    pub(super) fn rename(
        &mut self,
        id: PersonId,
        claim: Claim,
        looks: Looks,
        at: WallTime,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        let name = claim.name.clone();
        self.may_wear(id, &name, None, at)?;
        let before = self.account_before(id);
        let old_name = self.people.get(id).ok_or(Refusal::NotThere)?.name.clone();
        let mut companions = vec![self.companion(id, &old_name)];
        if !old_name.is_same(&name) {
            companions.push(self.companion(id, &name));
        }
        let ranks_before = self.ranks_beside(id, &name);
        let from = self.people.rename(id, claim, looks)?;
        self.rules.rename(id, &from, |id| self.people.get(id).is_some());
        self.give_up_absent(|heir, _| heir == id, None, happened);
        let seats = self.people.get(id).map(|person| person.seats.clone()).unwrap_or_default();
        seats.iter().for_each(|room| self.share_ranks(id, room));
        if from == name {
            self.tell_account(id, before, happened);
            return Ok(()); // nobody reads about the name
        }
        let person = self.people.get(id).ok_or(Refusal::NotThere)?;
        let who = person.who(id);
        let seats = person.seats.iter();
        let rooms = seats.map(|room| (room.clone(), self.renaming((id, person), &from, room)));
        let rooms: Vec<_> = rooms.collect();
        let arrivals = rooms.iter().filter(|(_, seen)| seen.arrives());
        let arrivals: Vec<_> = arrivals.map(|(room, _)| room.clone()).collect();
        let event = self.next_event();
        happened.push(Happened::Renamed { event, who: who.clone(), from, rooms });
        self.tell_shared_ranks(id, ranks_before, happened);
        let away = self.people.away(id).filter(|_| !arrivals.is_empty()).cloned();
        if away.is_some() {
            let (event, change) = (self.next_event(), PersonChange::Away(away));
            happened.push(Happened::PersonChanged { event, who, change, rooms: arrivals });
        }
        for companion in companions {
            self.tell_companion(companion, happened);
        }
        self.tell_account(id, before, happened);
        Ok(())
    }

    /// A new name of a person, as this room sees it.
    fn renaming(
        &self,
        (id, person): (PersonId, &Person),
        from: &Name,
        room: &RoomName,
    ) -> Renaming {
        let rank = |person: &Person| self.rank_in(person, room);
        let is_here = |other: &Person| other.sits_in(room);
        let old: Vec<_> = self.people.others(from, id).collect();
        let still_here = old.iter().find(|old| is_here(old)).copied();
        let own = self.people.others(&person.name, id).filter(|_| person.is_owner());
        let own: Vec<_> = own.collect();
        Renaming {
            is_still_worn: still_here.is_some(),
            is_accompanied: own.iter().any(|own| is_here(own)),
            old_name_stays: !old.is_empty(),
            new_name_was_here: !own.is_empty(),
            rank: rank(person),
            old_rank: still_here.map(rank).unwrap_or_default(),
        }
    }

    pub(super) fn delete_lines(
        &mut self,
        id: PersonId,
        since: WallTime,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        let person = self.people.get(id).ok_or(Refusal::NotThere)?;
        // The lines of the registered name, whatever name the person has now.
        let name = person.account().cloned().ok_or(Refusal::NotOwner)?;
        let who = Who { name, ..person.who(id) };
        self.seals.give_up_lines(&who.name);
        happened.push(Happened::LinesDeleted { who, since });
        Ok(())
    }
}
