//! Saying things: lines, topics, new names, and the deletion of lines.

use std::sync::Arc;

use super::pending::Happening;
use super::rooms::Member;
use super::state::Broadcaster;
use crate::link::{Answer, Client, Outcome, Refusal};
use crate::model::{
    Claim, Line, Manner, Now, PersonId, RoomId, RoomName, Said, Spoken, WallTime, Who,
};

impl Broadcaster {
    pub(super) fn post(
        &mut self,
        client: &Arc<Client>,
        room: RoomId,
        lines: Vec<Spoken>,
        now: Now,
    ) -> Result<(), Refusal> {
        self.speaker(client.id, room)?.active = now.monotonic;
        let who = self.people.who(client.id).ok_or(Refusal::NotThere)?;
        self.may_speak(&who, room, now)?;
        self.gathering.promise(client, Outcome::Done, true);
        for spoken in lines {
            self.happen(room, Happening::Said { who: who.clone(), spoken });
        }
        Ok(())
    }

    /// The member who speaks: a person whose seat in that room is granted and not given up.
    fn speaker(&mut self, id: PersonId, room: RoomId) -> Result<&mut Member, Refusal> {
        let person = self.people.get(id).ok_or(Refusal::NotThere)?;
        if !person.sits_in(room) {
            return Err(Refusal::NotThere); // the departure may still be on its way
        }
        let room = self.rooms.get_mut(&room).ok_or(Refusal::NotThere)?;
        let member = room.members.get_mut(id).ok_or(Refusal::NotThere)?;
        match member.client.removed().or(member.place.removed()) {
            Some(_) => Err(Refusal::NotThere), // will leave in a moment
            None => Ok(member),
        }
    }

    /// Says the lines of a script in a room. The script has no seat, and wears the name only for
    /// these lines.
    pub(super) fn speak(
        &mut self,
        client: &Arc<Client>,
        name: Claim,
        room: RoomName,
        lines: Vec<Spoken>,
        now: Now,
    ) -> Result<(), Refusal> {
        self.people.enter(client, name)?;
        let spoken = self.speak_once(client, room, lines, now);
        self.people.leave(client.id);
        spoken
    }

    fn speak_once(
        &mut self,
        client: &Arc<Client>,
        room: RoomName,
        lines: Vec<Spoken>,
        now: Now,
    ) -> Result<(), Refusal> {
        let who = self.people.who(client.id).ok_or(Refusal::NotThere)?;
        self.may_speak_in(&who, &room, now)?;
        let room = self.room_to_join(client.id, room, now)?;
        let promise = self.gathering.next_promise();
        self.gathering.promise(client, Outcome::Done, true);
        let count = lines.len() as u64;
        for spoken in lines {
            let who = who.clone();
            self.happen(room, Happening::Said { who, spoken });
        }
        let lines = count;
        self.happen(room, Happening::Receipt { promise, lines });
        Ok(())
    }

    pub(super) fn set_topic(
        &mut self,
        client: &Arc<Client>,
        room: RoomId,
        text: Option<Line>,
        now: Now,
    ) -> Result<(), Refusal> {
        self.speaker(client.id, room)?;
        let who = self.people.who(client.id).ok_or(Refusal::NotThere)?;
        self.may_set_topic(&who, room, now)?;
        let room = self.rooms.get(&room).ok_or(Refusal::NotThere)?;
        let name = room.name.clone();
        match self.ends {
            Some(_) => self.keep_topic(client, name, who, text, now),
            None => self.have_topic(client, name, who, text),
        }
        Ok(())
    }

    /// Gives a room another topic. If the room has left memory meanwhile, it gets the topic when it
    /// comes back.
    pub(super) fn have_topic(
        &mut self,
        client: &Arc<Client>,
        room: RoomName,
        who: Who,
        text: Option<Line>,
    ) {
        match self.rooms_by_name.get(&room) {
            Some(&room) => {
                self.gathering.promise(client, Outcome::Done, false);
                self.happen(room, Happening::Topic { who, text });
            }
            None => {
                self.topics.entry(room).or_default().text = text;
                client.finish(Outcome::Done);
            }
        }
    }

    pub(super) fn rename(
        &mut self,
        client: &Arc<Client>,
        claim: Claim,
        now: Now,
    ) -> Result<(), Refusal> {
        let name = claim.name.clone();
        self.may_wear(client.id, &name, now)?;
        let from = self.people.rename(client.id, claim)?;
        self.rules.rename(client.id, &from, |id| self.people.get(id).is_some());
        self.give_up_absent(|absent| absent.heir == client.id);
        // The others do not read about a change to the same name.
        let person = self.people.get(client.id).filter(|_| from != name);
        let seats = person.map(|person| person.seats.clone()).unwrap_or_default();
        for place in seats {
            let who = Who { id: client.id, name: name.clone() };
            let is_still_worn = self.people.is_worn_by_another(&from, place.room, client.id);
            self.happen(place.room, Happening::Renamed { who, from: from.clone(), is_still_worn });
        }
        self.gathering.promise(client, Outcome::Answer(Answer::YouAre(name)), false);
        Ok(())
    }

    /// Deletes the words of all lines that the owner of a name has said under it since `since`.
    /// Tells the rooms that had such lines, and the rooms in which the owner has a seat. Returns
    /// the end of each room with lines since then, in memory or not: later lines stay.
    pub(super) fn delete_lines(
        &mut self,
        owner: PersonId,
        since: WallTime,
    ) -> Result<Vec<(RoomName, u64)>, Refusal> {
        let person = self.people.get(owner).ok_or(Refusal::NotThere)?;
        if !person.is_owner() {
            return Err(Refusal::NotOwner);
        }
        let name = person.name.clone();
        let is_own =
            |said: &Said| said.manner != Manner::Gone && said.who.name.keys()[0] == name.keys()[0];
        let bygone = self.ends.iter().flatten().filter(|(_, end)| end.at >= since);
        let mut ends: Vec<_> = bygone.map(|(room, end)| (room.clone(), end.seq)).collect();
        let mut told = Vec::new();
        for room in self.rooms.values() {
            let weight = room.log.weight();
            if room.log.forget(since, is_own) || person.sits_in(room.id) {
                told.push(room.id);
            }
            self.logs_bytes = self.logs_bytes + room.log.weight() - weight;
            ends.push((room.name.clone(), room.log.end().seq));
        }
        for room in told {
            let who = Who { id: owner, name: name.clone() };
            self.happen(room, Happening::LinesDeleted { who });
        }
        Ok(ends)
    }
}
