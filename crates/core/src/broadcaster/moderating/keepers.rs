//! Naming those who keep order. Knows not who may: whoever is asked has power there.

use super::Hand;
use crate::broadcaster::rules::Subject;
use crate::broadcaster::state::Broadcaster;
use crate::broadcaster::unsettled::{Continuation, Obeyed};
use crate::link::{Change, Incoming, Refusal, Request};
use crate::model::{By, Deed, Done, Line, Name, Now, Reach, Record, RoomName, Rule, Who};

impl Broadcaster {
    pub(super) fn keepers(&self, hand: &Hand) -> Done {
        let room = hand.here.and_then(|here| self.rooms.get(&here));
        let of_room = |name: &RoomName| {
            let keepers = self.rules.keepers(&Reach::Room(name.clone()));
            (name.clone(), keepers.to_vec())
        };
        Done::Keepers {
            room: room.map(|room| of_room(&room.name)),
            server: self.rules.keepers(&Reach::Server).to_vec(),
        }
    }

    /// What a keeper names keepers of: the room, also where the own authority goes further. The operator names those of the server.
    fn kept(&self, hand: &Hand) -> Result<Reach, Refusal> {
        let Some(here) = hand.here else {
            return Ok(Reach::Server);
        };
        let room = self.rooms.get(&here).ok_or(Refusal::NotThere)?;
        match room.name == RoomName::lobby() {
            true => Err(Refusal::LobbyKeepers),
            false => Ok(Reach::Room(room.name.clone())),
        }
    }

    pub(super) fn add_keeper(&mut self, hand: &Hand, whom: Line) -> Result<Obeyed, Refusal> {
        let kept = self.kept(hand)?;
        let Some(name) = self.people.owned(whom.as_str()).cloned() else {
            return Err(Refusal::NotRegistered(whom));
        };
        self.rules.add_keeper(&kept, name.clone())?;
        let done = Done::Keeper(name.clone(), true);
        let report = hand.rule(Rule::Keeper(name.clone(), true));
        let obeyed = hand.done(done, Deed::AddKeeper(name)).report(report);
        Ok(obeyed.in_reach(kept))
    }

    pub(super) fn remove_keeper(&mut self, hand: &Hand, whom: Line) -> Result<Obeyed, Refusal> {
        let kept = self.kept(hand)?;
        let keepers = self.rules.keepers(&kept);
        let name = self.people.owned(whom.as_str()).cloned();
        let Some(name) = name.filter(|name| self.rules.is_keeper(&kept, name)) else {
            return Err(Refusal::NoSuchKeeper(whom));
        };
        // The server has its operator, but a room has nobody else.
        if keepers.len() == 1 && kept != Reach::Server && hand.reach != Reach::Server {
            return Err(Refusal::LastKeeper(name));
        }
        self.rules.remove_keeper(&kept, &name);
        let done = Done::Keeper(name.clone(), false);
        let report = hand.rule(Rule::Keeper(name.clone(), false));
        let obeyed = hand.done(done, Deed::RemoveKeeper(name)).report(report);
        Ok(obeyed.in_reach(kept))
    }

    /// Whoever makes a room that never was, and owns the name that they wear, keeps it. That is written down before the
    /// request is granted that makes it: the letter, where it is to be granted at once.
    pub(in crate::broadcaster) fn keep_new_room(
        &mut self,
        letter: Incoming,
        now: Now,
    ) -> Option<Incoming> {
        let Some((name, room)) = self.keeper_to_be(&letter, now) else {
            return Some(letter);
        };
        if !self.rules.make_room(&room, &name) {
            return Some(letter);
        }
        let record = Record {
            at: now.wall,
            by: By::Keeper(name.clone()),
            reach: Reach::Room(room.clone()),
            deed: Deed::Make(name.clone()),
        };
        self.write_down(record, Continuation::Make(Box::new(letter), room, name));
        None
    }

    /// Who is to keep the room that a request makes, and which that is.
    fn keeper_to_be(&self, letter: &Incoming, now: Now) -> Option<(Name, RoomName)> {
        let Incoming::Request {
            client,
            request: Request::Change(change),
        } = letter
        else {
            return None;
        };
        let person = self.people.get(client.id);
        let (name, is_owner, room) = match change {
            Change::Enter { name, room, .. }
            | Change::ComeBack { name, room, .. }
            | Change::Speak { name, room, .. } => (&name.name, self.people.is_proven(name), room),
            Change::Join { room, .. } => person.map(|who| (&who.name, who.is_owner(), room))?,
            _ => return None,
        };
        let subject = Subject {
            name,
            is_owner,
            address: client.address(),
        };
        let ends = self.ends.as_ref()?;
        let is_new = !ends.contains_key(room) && self.is_new(room);
        let may = is_new && is_owner && self.may_make(subject, room).is_ok();
        let who = Who {
            id: client.id,
            name: name.clone(),
        };
        let may = may
            && self.may_read(subject, room, now).is_ok()
            && self.may_speak_in(&who, room, now).is_ok();
        may.then(|| (name.clone(), room.clone()))
    }
}
