//! Decides the acts that keepers and the operator ask for. A rule holds from the decision on;
//! people read about it later.

use std::sync::Arc;
use std::time::Duration;

use super::authority::{Authority, key, typed};
use super::event::{Announcement, Happened};
use super::state::Ledger;
use crate::model::{Act, By, Deed, Here, Name, PersonId, Reach, RoomName, Verb, WallTime, Whom};
use crate::refusal::Refusal;

/// A mute for longer than this may be of somebody who is not here: it is meant to last. A shorter one
/// is of somebody who speaks now, and a name that nobody has is a mistake.
pub(super) const LONG: Duration = Duration::from_secs(86_400);

impl Ledger {
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
        let act = Act { by: authority.by.clone(), reach: authority.reach_of_acts(), at, deed };
        let owners = self.owners_meant(&act.deed);
        let shown_here = |act| authority.shown_here(act);
        let mut removed = Vec::new();
        let mut announcement = match act.deed.verb {
            Verb::Kick => self.kick(&authority, act, &mut removed),
            Verb::Ban => self.ban(&authority, act, &mut removed),
            Verb::Unban => self.unban(&authority, act),
            Verb::Mute => self.mute(&authority, act),
            Verb::Unmute => self.unmute(&authority, act),
            Verb::LockTopic | Verb::UnlockTopic => self.lock_topic(&authority, act),
            Verb::AddKeeper => self.add_keeper(&authority, act).map(shown_here),
            Verb::RemoveKeeper => self.remove_keeper(&authority, act).map(shown_here),
            Verb::Wallops if authority.reach == Reach::Server => Ok(authority.announce(act)),
            Verb::Broadcast | Verb::Reload if *here == Here::Operator => {
                Ok(authority.announce(act))
            }
            Verb::InvitedOnly
            | Verb::LetEverybodyIn
            | Verb::Moderate
            | Verb::Unmoderate
            | Verb::Hide
            | Verb::Unhide
            | Verb::SetRoomPassword
            | Verb::RemoveRoomPassword
            | Verb::Limit
            | Verb::Unlimit
            | Verb::MakePrivate
            | Verb::OpenRoom => self.change_rules(&authority, act).map(|(act, before)| {
                let rules_before = Some(before);
                Announcement { rules_before, ..shown_here(act) }
            }),
            Verb::GiveVoice | Verb::TakeVoice => self.change_voice(&authority, act).map(shown_here),
            // The operator's acts, and acts that are decided elsewhere.
            Verb::Broadcast
            | Verb::Wallops
            | Verb::Reload
            | Verb::SetTopic
            | Verb::MakeRoom
            | Verb::AddKeeperForNow
            | Verb::ReleaseName
            | Verb::SetPassword => Err(Refusal::NotKeeper),
        }?;
        let act = Arc::clone(&announcement.act);
        announcement.people.extend(self.absentees(&removed, &act.reach));
        happened.push(Happened::Act(announcement));
        self.tell_ranks(owners, &act.reach, happened);
        if let (Verb::RemoveKeeper, Reach::Server, Some(name)) =
            (act.deed.verb, &act.reach, act.deed.whom.name())
        {
            self.end_lent(name, happened);
        }
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
            return Err(self.elsewhere(&name));
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
        let name = match (self.subordinate(authority, &act), act.deed.whom.name()) {
            // Like a ban, it may be of somebody who is not here.
            (Err(Refusal::NobodyCalled(_)), Some(name)) if act.deed.time > Some(LONG) => {
                self.may_be_banned(authority, &act.deed.whom)?;
                name.clone()
            }
            (name, _) => name?,
        };
        let people: Vec<_> = self.people.wearers(&name).collect();
        act.deed.whom = Whom::Name(name);
        self.rules.mute(people.clone(), act.clone())?;
        if let Some(room) = act.reach.room() {
            people.into_iter().for_each(|id| self.people.set_voice(id, room, false));
        }
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
        match act.deed.verb {
            Verb::LockTopic => self.rooms.lock(&room, act.is_for_now()),
            _ => self.rooms.unlock(&room),
        }
        act.reach = Reach::Room(room);
        Ok(authority.shown_here(act))
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
        let (reach, subject) = (&authority.reach, person.subject());
        let is_keeper = self.rules.keeps(reach, subject) && authority.by != By::Operator;
        if is_keeper && self.rules.keeps_for_good(reach, subject) {
            return Err(Refusal::IsKeeper(found.name));
        }
        match is_keeper && act.deed.verb != Verb::Kick {
            true => Err(Refusal::KeepsRoom(found.name)),
            false => Ok(found.name),
        }
    }

    /// A ban must not lock out a keeper, or a person at this machine.
    fn may_be_banned(&self, authority: &Authority, whom: &Whom) -> Result<(), Refusal> {
        let keeper = match whom {
            Whom::Everybody => return Err(Refusal::OwnMachine), // this machine is included
            Whom::Name(name) if authority.is_of(name) => return Err(Refusal::Yourself),
            Whom::Name(name) => {
                let reach = authority.reach_of_acts();
                let is_for_now = |room| self.people.is_keeper_for_now(name, room);
                match authority.by {
                    _ if reach.room().is_some_and(is_for_now) => {
                        Some(Refusal::KeepsRoom(name.clone()))
                    }
                    _ if !self.is_keeper_under(name, &reach) => None,
                    By::Operator => Some(Refusal::IsServerKeeper(name.clone())),
                    // A keeper of the server can end the authority of a keeper of the room.
                    _ if !self.is_keeper_under(name, &authority.reach) => {
                        Some(Refusal::KeepsRoom(name.clone()))
                    }
                    _ => Some(Refusal::IsKeeper(name.clone())),
                }
            }
            Whom::Net(net) if net.is_here() => return Err(Refusal::OwnMachine),
            Whom::Net(_) => None, // the proposer knows the addresses
        };
        keeper.map_or(Ok(()), Err)
    }
}
