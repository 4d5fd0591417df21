//! Removing people and not letting them in again. Knows not who may: whoever is asked has power there.

use std::cmp::Reverse;
use std::time::Duration;

use super::{Hand, after};
use crate::broadcaster::people::Person;
use crate::broadcaster::rooms::Room;
use crate::broadcaster::state::Broadcaster;
use crate::broadcaster::unsettled::{Obeyed, Report};
use crate::link::Refusal;
use crate::model::{
    BANS_SHOWN_MAX, Ban, By, Deed, Done, Line, Name, PersonId, Reach, Removal, Rule, Until, Whom,
};

impl Broadcaster {
    /// Has somebody leave. From now on nothing that they say is heard there.
    pub(super) fn remove(
        &mut self,
        hand: &Hand,
        whom: Line,
        reason: Option<Line>,
    ) -> Result<Obeyed, Refusal> {
        let name = self.subordinate(hand, whom)?;
        let removal = hand.removal(reason.clone(), None);
        let wearers: Vec<_> = self.people.wearers(&name).collect();
        let leave = self.have_leave(wearers, removal);
        if leave.is_none() {
            return Err(self.elsewhere(name));
        }
        let done = Done::Removed(name.clone());
        Ok(hand.done(done, Deed::Remove(name, reason)).report(leave))
    }

    /// Has these connections leave, as far as they are where that reaches: as soon as it is written down. Until then they
    /// say nothing there.
    fn have_leave(&mut self, mut people: Vec<PersonId>, removal: Removal) -> Option<Report> {
        people.retain(|id| self.is_within(*id, &removal.reach));
        let leaving = people.iter().map(|id| (*id, removal.reach.clone()));
        self.leaving.extend(leaving);
        (!people.is_empty()).then_some(Report::Leave(people, removal))
    }

    fn is_within(&self, id: PersonId, reach: &Reach) -> bool {
        let person = self.people.get(id);
        person.is_some_and(|person| match reach {
            Reach::Server => true,
            Reach::Room(room) => person.seats.iter().any(|place| place.name == *room),
        })
    }

    /// Has these connections leave, as far as they are where that reaches: they are told, and each ends or goes to the
    /// lobby. Which those are.
    pub(super) fn remove_all(&self, people: &[PersonId], removal: &Removal) -> Vec<PersonId> {
        let people = people.iter().copied();
        people.filter(|id| self.remove_one(*id, removal)).collect()
    }

    /// Has one connection leave. Whether it is where that reaches. Who is still arriving has the place already, and leaves
    /// as soon as the seat is granted.
    fn remove_one(&self, id: PersonId, removal: &Removal) -> bool {
        let Some(person) = self.people.get(id) else {
            return false;
        };
        let Reach::Room(room) = &removal.reach else {
            person.client.remove(removal.clone());
            return true;
        };
        let Some(place) = person.seats.iter().find(|place| place.name == *room) else {
            return false;
        };
        place.removed.set(Box::new(removal.clone())).ok(); // of two, the first is told
        person.client.wake_reader();
        true
    }

    /// The name of somebody here over whom this hand has power.
    pub(super) fn subordinate(&self, hand: &Hand, typed: Line) -> Result<Name, Refusal> {
        let Some(found) = self.people.find(typed.as_str()) else {
            return Err(Refusal::NobodyCalled(typed));
        };
        let asker = hand.asker.and_then(|asker| self.people.get(asker));
        if asker.is_some_and(|asker| asker.name.is_same(&found.name)) {
            return Err(Refusal::Yourself);
        }
        let person = self.people.get(found.id).ok_or(Refusal::NotThere)?;
        let is_keeper = self.rules.keeps(&hand.reach, person.subject());
        if is_keeper && hand.by != By::Operator {
            return Err(Refusal::IsKeeper(found.name));
        }
        Ok(found.name)
    }

    fn elsewhere(&self, name: Name) -> Refusal {
        let found = self.people.find(name.as_str());
        match found.and_then(|who| self.room_of(who.id)) {
            Some(room) => Refusal::Elsewhere(name, room.name.clone()),
            None => Refusal::NotThere,
        }
    }

    pub(super) fn ban(
        &mut self,
        hand: &Hand,
        whom: Whom,
        time: Option<Duration>,
        reason: Option<Line>,
    ) -> Result<Obeyed, Refusal> {
        self.may_be_banned(hand, &whom)?;
        let ban = Ban {
            reach: hand.reach.clone(),
            whom: whom.clone(),
            by: hand.by.clone(),
            at: hand.now.wall,
            until: time.map(|time| after(hand.now, time)),
            reason: reason.clone(),
        };
        self.rules.ban(ban.clone())?;
        let removal = hand.removal(reason.clone(), Some(Until(ban.until)));
        let meant = self.people.iter().filter(|(_, person)| {
            let subject = person.subject();
            ban.is_for(subject.name, subject.address) && !self.rules.keeps(&ban.reach, subject)
        });
        let meant: Vec<_> = meant.map(|(id, _)| id).collect();
        let leave = self.have_leave(meant, removal.clone());
        let until = ban.until;
        let rule = Rule::Banned {
            whom,
            until,
            reason,
        };
        let report = leave.or_else(|| hand.rule(rule));
        let hush = Report::Hush(ban.clone(), removal);
        let done = Done::Banned(ban.clone());
        Ok(hand
            .done(done, Deed::Ban(ban))
            .report(report)
            .report([hush]))
    }

    /// Has those read no more for whom a ban is and who have no seat to be removed from.
    pub(super) fn hush(&self, ban: &Ban, removal: &Removal) {
        let is_there = |room: &&Room| match &ban.reach {
            Reach::Server => true,
            Reach::Room(name) => room.name == *name,
        };
        let rooms = self.rooms.values().filter(is_there);
        for hearer in rooms.flat_map(|room| room.members.hearers()) {
            let subject = hearer.subject();
            if ban.is_for(subject.name, subject.address) && !self.rules.keeps(&ban.reach, subject) {
                hearer.client.remove(removal.clone());
            }
        }
    }

    /// Nobody is locked out who keeps this, and who sits at this machine always comes in.
    fn may_be_banned(&self, hand: &Hand, whom: &Whom) -> Result<(), Refusal> {
        match whom {
            Whom::Name(name) => {
                let asker = hand.asker.and_then(|asker| self.people.get(asker));
                if asker.is_some_and(|asker| whom.is_same(&Whom::Name(asker.name.clone()))) {
                    return Err(Refusal::Yourself);
                }
                let is_keeper = |reach| self.rules.is_keeper(reach, name);
                match is_keeper(&Reach::Server) || is_keeper(&hand.reach) {
                    true if hand.by == By::Operator => Err(Refusal::IsServerKeeper(name.clone())),
                    true => Err(Refusal::IsKeeper(name.clone())),
                    false => Ok(()),
                }
            }
            Whom::Net(net) if net.is_here() => Err(Refusal::OwnMachine),
            Whom::Net(net) => {
                let is_there = |person: &Person| {
                    let address = person.client.address();
                    address.is_some_and(|address| net.contains(address.ip()))
                        && self.rules.keeps(&hand.reach, person.subject())
                };
                let mut people = self.people.iter();
                match people.find(|(_, person)| is_there(person)) {
                    Some((_, person)) => Err(Refusal::LocksOutKeeper(person.name.clone())),
                    None => Ok(()),
                }
            }
        }
    }

    pub(super) fn bans(&self, hand: &Hand) -> Done {
        let max = hand.here.map_or(usize::MAX, |_| BANS_SHOWN_MAX);
        let mut bans: Vec<_> = self.rules.bans(&hand.reach, hand.now.wall).collect();
        bans.sort_by_key(|ban| Reverse(ban.at));
        Done::Bans {
            others: bans.len().saturating_sub(max),
            bans: bans.into_iter().take(max).cloned().collect(),
        }
    }

    pub(super) fn unban(&mut self, hand: &Hand, whom: Whom) -> Result<Obeyed, Refusal> {
        match self.rules.unban(&hand.reach, &whom) {
            Some(whom) => {
                let report = hand.rule(Rule::Unbanned(whom.clone()));
                let done = Done::Unbanned(whom.clone());
                Ok(hand.done(done, Deed::Unban(whom)).report(report))
            }
            None => Err(Refusal::NotBanned(whom)),
        }
    }
}
