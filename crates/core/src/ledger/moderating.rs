//! Decides the acts that keepers and the operator ask for. A rule holds from the decision on;
//! people read about it later.

use std::sync::Arc;

use super::event::{Announcement, Happened};
use super::state::Ledger;
use crate::model::{
    Act, By, Deed, Here, Line, Name, PersonId, Reach, RoomName, Verb, WallTime, Whom,
};
use crate::refusal::Refusal;

/// The authority of a person or the operator.
pub(crate) struct Authority {
    pub(crate) by: By,
    /// Its reach.
    pub(crate) reach: Reach,
    /// The name of the person who asks; none for the operator.
    name: Option<Name>,
    here: Here,
    /// Whether this person sits in the room that it is about.
    has_seat: bool,
}

impl Ledger {
    /// The reach of a person's authority. Only this function decides it: the operator and keepers
    /// of the server have authority everywhere, keepers of a room in that room. None of them needs
    /// a seat.
    pub(crate) fn authority(&self, asker: PersonId, here: &Here) -> Result<Authority, Refusal> {
        if *here == Here::Operator {
            let (here, name) = (here.clone(), None);
            let (by, reach) = (By::Operator, Reach::Server);
            return Ok(Authority { by, reach, name, here, has_seat: false });
        }
        let person = self.people.get(asker).ok_or(Refusal::NotThere)?;
        let has_seat = here.room().is_some_and(|room| person.sits_in(room));
        let reach = match here.room() {
            Some(room) => self.may_keep(person, room),
            None => self.may_keep_server(person).then_some(Reach::Server),
        };
        let reach = reach.ok_or_else(|| match here.room().filter(|_| !has_seat) {
            Some(room) if !self.rooms.is_known(room) => Refusal::NoRoom(room.clone()),
            Some(_) => Refusal::NotThere,
            None => Refusal::NotKeeper,
        })?;
        let by = By::Keeper(person.name.clone());
        Ok(Authority { by, reach, name: Some(person.name.clone()), here: here.clone(), has_seat })
    }

    /// Decides an act that a person or the operator asks for.
    pub(super) fn decide(
        &mut self,
        asker: PersonId,
        here: &Here,
        deed: Deed,
        at: WallTime,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        let authority = self.authority(asker, here)?;
        if let Some(who) = self.people.who(asker).filter(|_| *here != Here::Operator) {
            // The others read the act, and the reason. A mute on the server counts everywhere.
            self.may_speak(&who, here.room().unwrap_or(&RoomName::lobby()), at)?;
        }
        let act = Act { by: authority.by.clone(), reach: authority.reach.clone(), at, deed };
        let mut removed = Vec::new();
        let mut announcement = match act.deed.verb {
            Verb::Kick => self.kick(&authority, act, &mut removed),
            Verb::Ban => self.ban(&authority, act, &mut removed),
            Verb::Unban => self.unban(&authority, act),
            Verb::Mute => self.mute(&authority, act),
            Verb::Unmute => self.unmute(&authority, act),
            Verb::LockTopic | Verb::UnlockTopic => self.lock_topic(&authority, act),
            Verb::AddKeeper | Verb::RemoveKeeper => self.change_keeper(&authority, act),
            Verb::Broadcast | Verb::Reload if *here == Here::Operator => {
                Ok(authority.announce(act))
            }
            // The operator's acts, and acts that are decided elsewhere.
            Verb::Broadcast
            | Verb::Reload
            | Verb::SetTopic
            | Verb::MakeRoom
            | Verb::ReleaseName
            | Verb::SetPassword => Err(Refusal::NotKeeper),
        }?;
        let act = Arc::clone(&announcement.act);
        announcement.people.extend(self.absentees(&removed, &act.reach));
        happened.push(Happened::Act(announcement));
        self.remove(&removed, &act, at, happened);
        Ok(())
    }

    /// Decides whom a kick removes.
    fn kick(
        &self,
        authority: &Authority,
        mut act: Act,
        removed: &mut Vec<PersonId>,
    ) -> Result<Announcement, Refusal> {
        let name = self.subordinate(authority, &act)?;
        act.deed.whom = Whom::Name(name.clone());
        *removed = self.within(self.people.wearers(&name), &act.reach);
        if removed.is_empty() {
            return Err(self.elsewhere(name));
        }
        let is_seen = self.is_seen(authority.seat(), removed);
        Ok(Announcement { is_seen, ..authority.announce(act) })
    }

    /// Adds a ban, and decides whom it removes.
    fn ban(
        &mut self,
        authority: &Authority,
        act: Act,
        removed: &mut Vec<PersonId>,
    ) -> Result<Announcement, Refusal> {
        self.may_be_banned(authority, &act.deed.whom)?;
        self.rules.ban(act.clone())?;
        let meant = self.people.iter();
        let meant = meant.filter(|(_, person)| self.rules.bars(&act, person.subject()));
        *removed = self.within(meant.map(|(id, _)| id), &act.reach);
        let room = authority.here.room().filter(|_| removed.is_empty()); // else they are seen
        let (room, is_seen) = (room.cloned(), self.is_seen(authority.seat(), removed));
        Ok(Announcement { room, is_seen, ..authority.announce(act) })
    }

    /// Whether a person in this room, if it is one, sees one of these people leave.
    pub(crate) fn is_seen(&self, here: Option<&RoomName>, removed: &[PersonId]) -> bool {
        let here = here.map(|here| Reach::Room(here.clone()));
        here.is_some_and(|here| removed.iter().any(|id| self.has_seat_within(*id, &here)))
    }

    /// Those of the people who have a seat within reach, or had one before they came back.
    pub(crate) fn within(
        &self,
        people: impl Iterator<Item = PersonId>,
        reach: &Reach,
    ) -> Vec<PersonId> {
        let is_within = |id: &PersonId| *reach == Reach::Server || self.has_seat_within(*id, reach);
        people.filter(is_within).collect()
    }

    fn has_seat_within(&self, id: PersonId, reach: &Reach) -> bool {
        let seats = self.seats_within(id, reach);
        seats.is_some_and(|seats| !seats.is_empty()) || self.is_absent_within(id, reach)
    }

    /// Those of the people who do not see in the room that an act removes them from it, because
    /// they came back and have not taken the seat again.
    pub(crate) fn absentees(
        &self,
        removed: &[PersonId],
        reach: &Reach,
    ) -> impl Iterator<Item = PersonId> {
        let removed = removed.iter().copied().filter(|_| *reach != Reach::Server);
        removed.filter(|id| self.is_absent_within(*id, reach))
    }

    fn unban(&mut self, authority: &Authority, mut act: Act) -> Result<Announcement, Refusal> {
        match self.rules.unban(&act.reach, &act.deed.whom) {
            Some(whom) => act.deed.whom = whom,
            None => return Err(Refusal::NotBanned(act.deed.whom)),
        }
        Ok(authority.shown_here(act))
    }

    fn mute(&mut self, authority: &Authority, mut act: Act) -> Result<Announcement, Refusal> {
        let name = self.subordinate(authority, &act)?;
        let people: Vec<_> = self.people.wearers(&name).collect();
        act.deed.whom = Whom::Name(name);
        self.rules.mute(people, act.clone())?;
        Ok(self.shown_where_they_sit(authority, act))
    }

    fn unmute(&mut self, authority: &Authority, mut act: Act) -> Result<Announcement, Refusal> {
        let name = match (self.people.find(&key(&act.deed)), act.deed.whom.name()) {
            (Some(who), _) => who.name,
            (None, Some(name)) => name.clone(),
            (None, None) => return Err(Refusal::NobodyCalled(typed(&act.deed))),
        };
        if !self.rules.unmute(&act.reach, &name) {
            return Err(Refusal::NotMuted(name));
        }
        act.deed.whom = Whom::Name(name);
        Ok(self.shown_where_they_sit(authority, act))
    }

    fn lock_topic(&mut self, authority: &Authority, mut act: Act) -> Result<Announcement, Refusal> {
        let room = authority.here.room().cloned().ok_or(Refusal::NoSeat)?;
        let is_locked = act.deed.verb == Verb::LockTopic;
        self.rooms.set_topic(&room, |topic| topic.is_locked = is_locked);
        act.reach = Reach::Room(room);
        Ok(authority.shown_here(act))
    }

    fn change_keeper(
        &mut self,
        authority: &Authority,
        mut act: Act,
    ) -> Result<Announcement, Refusal> {
        act.reach = Ledger::reach_of_keepers(authority)?;
        let typed = typed(&act.deed);
        let account = self.people.accounts.called(&key(&act.deed));
        let name = account.map(|account| account.name.clone());
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
    fn reach_of_keepers(authority: &Authority) -> Result<Reach, Refusal> {
        match &authority.here {
            Here::Operator => Ok(Reach::Server),
            Here::Server => Err(Refusal::NoSeat),
            Here::Room(room) if *room == RoomName::lobby() => Err(Refusal::LobbyKeepers),
            Here::Room(room) => Ok(Reach::Room(room.clone())),
        }
    }

    /// Everybody in the room that it is about reads about it. Without one, the room of the person
    /// concerned reads it instead.
    fn shown_where_they_sit(&self, authority: &Authority, act: Act) -> Announcement {
        let name = act.deed.whom.name();
        let people: Vec<_> = name.into_iter().flat_map(|name| self.people.wearers(name)).collect();
        let first = people.first().and_then(|id| self.people.get(*id));
        let theirs = || first.and_then(|person| person.seats.last()).cloned();
        let room = authority.here.room().cloned().or_else(theirs);
        Announcement { people, room, ..authority.announce(act) }
    }

    /// The name of the person concerned, if the authority covers that person.
    fn subordinate(&self, authority: &Authority, act: &Act) -> Result<Name, Refusal> {
        let Some(found) = self.people.find(&key(&act.deed)) else {
            return Err(Refusal::NobodyCalled(typed(&act.deed)));
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
        let found = self.people.wearers(&name).find_map(|id| self.people.get(id)?.seats.last());
        match found.cloned() {
            Some(room) => Refusal::Elsewhere(name, room),
            None => Refusal::NobodyCalled(Line::sanitise(name.as_str().as_bytes())),
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
            Whom::Net(_) => None, // the proposer knows the addresses
        };
        keeper.map_or(Ok(()), Err)
    }
}

impl Authority {
    /// The room that it is about, if the person who asks sits there.
    fn seat(&self) -> Option<&RoomName> {
        self.here.room().filter(|_| self.has_seat)
    }

    fn is_of(&self, name: &Name) -> bool {
        self.name.as_ref().is_some_and(|own| own.is_same(name))
    }

    /// Only the person who asked for the act reads about it.
    fn announce(&self, act: Act) -> Announcement {
        Announcement {
            act: Arc::new(act),
            people: Vec::new(),
            room: None,
            here: self.seat().cloned(),
            is_seen: false,
        }
    }

    /// Everybody in the room that the act is about reads about it.
    fn shown_here(&self, act: Act) -> Announcement {
        Announcement { room: self.here.room().cloned(), ..self.announce(act) }
    }
}

/// The first key of the name that was typed.
fn key(deed: &Deed) -> String {
    let key = |name: &Name| name.keys()[0].to_owned();
    deed.whom.name().map_or_else(|| deed.whom.to_string(), key)
}

/// The name that was typed.
fn typed(deed: &Deed) -> Line {
    Line::sanitise(deed.whom.to_string().as_bytes())
}
