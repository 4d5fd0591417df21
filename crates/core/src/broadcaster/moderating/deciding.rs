//! Decides the acts that keepers and the operator ask for. A rule holds from the decision on;
//! people read about it later.

use std::sync::Arc;

use crate::broadcaster::acts::Decided;
use crate::broadcaster::people::Person;
use crate::broadcaster::state::Broadcaster;
use crate::link::Refusal;
use crate::model::{Act, By, Deed, Line, Name, Now, PersonId, Reach, RoomId, RoomName, Verb, Whom};

/// The authority of a person or the operator.
pub(super) struct Authority {
    pub(super) by: By,
    /// How far it goes.
    pub(super) reach: Reach,
    /// The name of the person who asks; none for the operator.
    name: Option<Name>,
    /// The room in which this person sits; none for the operator.
    here: Option<RoomId>,
}

impl Broadcaster {
    /// The reach of a person's authority. Only this function decides it: the operator and keepers
    /// of the server have authority everywhere, keepers of a room in that room.
    pub(super) fn authority(
        &self,
        asker: PersonId,
        here: Option<RoomId>,
    ) -> Result<Authority, Refusal> {
        let Some(id) = here else {
            return Ok(Authority { by: By::Operator, reach: Reach::Server, name: None, here });
        };
        let (person, room) = self.seated(asker, id)?;
        Ok(Authority {
            by: By::Keeper(person.name.clone()),
            reach: self.may_keep(person, room).ok_or(Refusal::NotKeeper)?,
            name: Some(person.name.clone()),
            here,
        })
    }

    /// A person with a seat, and the room.
    pub(super) fn seated(
        &self,
        asker: PersonId,
        here: RoomId,
    ) -> Result<(&Person, &RoomName), Refusal> {
        let (person, room) = (self.people.get(asker), self.rooms.get(&here));
        let (person, room) = person.zip(room).ok_or(Refusal::NotThere)?;
        match person.sits_in(here) {
            true => Ok((person, &room.name)),
            false => Err(Refusal::NotThere),
        }
    }

    /// Decides an act that a person in a room or the operator asks for.
    pub(super) fn decide(
        &mut self,
        asker: PersonId,
        here: Option<RoomId>,
        deed: Deed,
        now: Now,
    ) -> Result<Decided, Refusal> {
        let authority = self.authority(asker, here)?;
        if let (Some(here), Some(who)) = (here, self.people.who(asker)) {
            self.may_speak(&who, here, now)?; // the others read the act, and the reason
        }
        let act =
            Act { by: authority.by.clone(), reach: authority.reach.clone(), at: now.wall, deed };
        match act.deed.verb {
            Verb::Kick => self.kick(&authority, act),
            Verb::Ban => self.ban(&authority, act),
            Verb::Unban => self.unban(&authority, act),
            Verb::Mute => self.mute(&authority, act),
            Verb::Unmute => self.unmute(&authority, act),
            Verb::LockTopic | Verb::UnlockTopic => self.lock_topic(&authority, act),
            Verb::AddKeeper | Verb::RemoveKeeper => self.change_keeper(&authority, act),
            Verb::Broadcast | Verb::Reload if here.is_none() => Ok(authority.decided(act)),
            // The operator's acts, and acts that are decided elsewhere.
            Verb::Broadcast
            | Verb::Reload
            | Verb::SetTopic
            | Verb::MakeRoom
            | Verb::ReleaseName
            | Verb::SetPassword => Err(Refusal::NotKeeper),
        }
    }

    /// Removes a person. From now on nothing that they say is delivered there.
    fn kick(&mut self, authority: &Authority, mut act: Act) -> Result<Decided, Refusal> {
        let name = self.subordinate(authority, &act)?;
        act.deed.whom = Whom::Name(name.clone());
        let people = self.have_leave(self.people.wearers(&name).collect(), &act.reach);
        if people.is_empty() {
            return Err(self.elsewhere(name));
        }
        Ok(Decided { people, ..authority.decided(act) })
    }

    fn ban(&mut self, authority: &Authority, act: Act) -> Result<Decided, Refusal> {
        self.may_be_banned(authority, &act.deed.whom)?;
        self.rules.ban(act.clone())?;
        let meant = self.people.iter();
        let meant = meant.filter(|(_, person)| self.rules.bars(&act, person.subject()));
        let people = self.have_leave(meant.map(|(id, _)| id).collect(), &act.reach);
        let room = authority.here.filter(|_| people.is_empty()); // else they are seen leaving
        Ok(Decided { people, room, ..authority.decided(act) })
    }

    fn unban(&mut self, authority: &Authority, mut act: Act) -> Result<Decided, Refusal> {
        match self.rules.unban(&act.reach, &act.deed.whom) {
            Some(whom) => act.deed.whom = whom,
            None => return Err(Refusal::NotBanned(act.deed.whom)),
        }
        Ok(authority.shown_here(act))
    }

    fn mute(&mut self, authority: &Authority, mut act: Act) -> Result<Decided, Refusal> {
        let name = self.subordinate(authority, &act)?;
        let people: Vec<_> = self.people.wearers(&name).collect();
        act.deed.whom = Whom::Name(name);
        self.rules.mute(people, act.clone())?;
        Ok(self.shown_where_they_sit(authority, act))
    }

    fn unmute(&mut self, authority: &Authority, mut act: Act) -> Result<Decided, Refusal> {
        let typed = typed(&act.deed);
        let name = match self.people.find(typed.as_str()) {
            Some(who) => who.name,
            None => Name::parse(typed.as_str()).map_err(|_| Refusal::NobodyCalled(typed))?,
        };
        if !self.rules.unmute(&act.reach, &name) {
            return Err(Refusal::NotMuted(name));
        }
        act.deed.whom = Whom::Name(name);
        Ok(self.shown_where_they_sit(authority, act))
    }

    fn lock_topic(&mut self, authority: &Authority, mut act: Act) -> Result<Decided, Refusal> {
        let room = authority.here.and_then(|here| self.rooms.get_mut(&here));
        let room = room.ok_or(Refusal::NotThere)?;
        room.topic.is_locked = act.deed.verb == Verb::LockTopic;
        act.reach = Reach::Room(room.name.clone());
        Ok(authority.shown_here(act))
    }

    fn change_keeper(&mut self, authority: &Authority, mut act: Act) -> Result<Decided, Refusal> {
        act.reach = self.reach_of_keepers(authority)?;
        let typed = typed(&act.deed);
        let name = self.people.owned(typed.as_str()).cloned();
        if act.deed.verb == Verb::AddKeeper {
            let name = name.ok_or(Refusal::NotRegistered(typed))?;
            self.rules.add_keeper(&act.reach, name.clone())?;
            act.deed.whom = Whom::Name(name);
        } else {
            let keepers = self.rules.keepers(&act.reach);
            let name = name.filter(|name| self.rules.is_keeper(&act.reach, name));
            let name = name.ok_or(Refusal::NoSuchKeeper(typed))?;
            // The operator can name keepers of the server again. A room without keepers would stay
            // without.
            let is_of_server = act.reach == Reach::Server || authority.reach == Reach::Server;
            if keepers.len() == 1 && !is_of_server {
                return Err(Refusal::LastKeeper(name));
            }
            self.rules.remove_keeper(&act.reach, &name);
            act.deed.whom = Whom::Name(name);
        }
        Ok(authority.shown_here(act))
    }

    /// The reach of the keepers that a person names: the room, even if that person has authority
    /// everywhere. The operator names keepers of the server.
    fn reach_of_keepers(&self, authority: &Authority) -> Result<Reach, Refusal> {
        let Some(here) = authority.here else {
            return Ok(Reach::Server);
        };
        let room = self.rooms.get(&here).ok_or(Refusal::NotThere)?;
        match room.name == RoomName::lobby() {
            true => Err(Refusal::LobbyKeepers),
            false => Ok(Reach::Room(room.name.clone())),
        }
    }

    /// Everybody in the room of the person who asks reads about it. The operator has no seat, so
    /// the room of the person concerned reads it instead.
    fn shown_where_they_sit(&self, authority: &Authority, act: Act) -> Decided {
        let name = act.deed.whom.name();
        let people: Vec<_> = name.into_iter().flat_map(|name| self.people.wearers(name)).collect();
        let first = people.first().and_then(|id| self.room_of(*id));
        Decided {
            people,
            room: authority.here.or(first.map(|room| room.id)),
            ..authority.decided(act)
        }
    }

    /// Returns the connections within `reach`. They leave as soon as the act is stored, and cannot
    /// speak there until then.
    fn have_leave(&mut self, mut people: Vec<PersonId>, reach: &Reach) -> Vec<PersonId> {
        people.retain(|id| self.is_within(*id, reach));
        let leaving = people.iter().map(|id| (*id, reach.clone()));
        self.leaving.extend(leaving);
        people
    }

    fn is_within(&self, id: PersonId, reach: &Reach) -> bool {
        let person = self.people.get(id);
        person.is_some_and(|person| match reach {
            Reach::Server => true,
            Reach::Room(room) => person.seats.iter().any(|place| place.name == *room),
        })
    }

    /// The name of the person concerned, if the authority covers that person.
    fn subordinate(&self, authority: &Authority, act: &Act) -> Result<Name, Refusal> {
        let typed = typed(&act.deed);
        let Some(found) = self.people.find(typed.as_str()) else {
            return Err(Refusal::NobodyCalled(typed));
        };
        if authority.is_of(&found.name) {
            return Err(Refusal::Yourself);
        }
        let person = self.people.get(found.id).ok_or(Refusal::NotThere)?;
        let is_keeper = self.rules.keeps(&authority.reach, person.subject());
        match is_keeper && authority.by != By::Operator {
            true => Err(Refusal::IsKeeper(found.name)),
            false => Ok(found.name),
        }
    }

    fn elsewhere(&self, name: Name) -> Refusal {
        let found = self.people.find(name.as_str());
        match found.and_then(|who| self.room_of(who.id)) {
            Some(room) => Refusal::Elsewhere(name, room.name.clone()),
            None => Refusal::NotThere,
        }
    }

    /// A ban must not lock out a keeper, or a person at this machine.
    fn may_be_banned(&self, authority: &Authority, whom: &Whom) -> Result<(), Refusal> {
        let keeper = match whom {
            Whom::Everybody => return Err(Refusal::OwnMachine), // this machine is included
            Whom::Name(name) if authority.is_of(name) => return Err(Refusal::Yourself),
            Whom::Name(name) => {
                let is_keeper = |reach| self.rules.is_keeper(reach, name);
                let is_keeper = is_keeper(&Reach::Server) || is_keeper(&authority.reach);
                is_keeper.then(|| match authority.by {
                    By::Operator => Refusal::IsServerKeeper(name.clone()),
                    By::Keeper(_) | By::Oneself | By::NewPassword => {
                        Refusal::IsKeeper(name.clone())
                    }
                })
            }
            Whom::Net(net) if net.is_here() => return Err(Refusal::OwnMachine),
            Whom::Net(_) => {
                let mut people = self.people.iter().map(|(_, person)| person);
                let keeper = people.find(|person| {
                    let subject = person.subject();
                    whom.includes(subject.name, subject.address)
                        && self.rules.keeps(&authority.reach, subject)
                });
                keeper.map(|person| Refusal::LocksOutKeeper(person.name.clone()))
            }
        };
        keeper.map_or(Ok(()), Err)
    }
}

impl Authority {
    fn is_of(&self, name: &Name) -> bool {
        self.name.as_ref().is_some_and(|own| own.is_same(name))
    }

    /// Only the person who asked for the act reads about it.
    fn decided(&self, act: Act) -> Decided {
        Decided { act: Arc::new(act), people: Vec::new(), room: None, here: self.here }
    }

    /// Everybody in the room where the act was typed reads about it.
    fn shown_here(&self, act: Act) -> Decided {
        Decided { room: self.here, ..self.decided(act) }
    }
}

/// The name that was typed.
fn typed(deed: &Deed) -> Line {
    Line::sanitise(deed.whom.to_string().as_bytes())
}
