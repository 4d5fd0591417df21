//! Having people say nothing, or not change the topic. Knows not who may: whoever is asked has power there.

use std::time::Duration;

use super::{Hand, after};
use crate::broadcaster::rules::Muted;
use crate::broadcaster::state::Broadcaster;
use crate::broadcaster::unsettled::{Obeyed, Report};
use crate::link::Refusal;
use crate::model::{Deed, Done, Line, Mute, Name, Reach, Rule, Word};

impl Broadcaster {
    pub(super) fn mute(
        &mut self,
        hand: &Hand,
        whom: Line,
        time: Duration,
    ) -> Result<Obeyed, Refusal> {
        let name = self.subordinate(hand, whom)?;
        let people: Vec<_> = self.people.wearers(&name).collect();
        let until = after(hand.now, time);
        let mute = Mute {
            reach: hand.reach.clone(),
            by: hand.by.clone(),
            until,
        };
        let muted = Muted {
            name: name.clone(),
            people: people.clone(),
        };
        self.rules.mute(muted, mute.clone(), hand.now.wall)?;
        let told = people.into_iter();
        let told = told.map(|id| Report::Told(id, Word::Muted(mute.clone())));
        let ruled = hand.rule_where(self, &name, Rule::Muted(name.clone(), until));
        let deed = Deed::Mute(name.clone(), until);
        let obeyed = hand.done(Done::Muted(name, until), deed);
        Ok(obeyed.report(told).report(ruled))
    }

    pub(super) fn unmute(&mut self, hand: &Hand, whom: Line) -> Result<Obeyed, Refusal> {
        let found = self.people.find(whom.as_str());
        let name = match found {
            Some(who) => who.name,
            None => Name::parse(whom.as_str()).map_err(|_| Refusal::NobodyCalled(whom))?,
        };
        if !self.rules.unmute(&hand.reach, &name) {
            return Err(Refusal::NotMuted(name));
        }
        let told = self.people.wearers(&name);
        let told = told.map(|id| Report::Told(id, Word::Unmuted(hand.by.clone())));
        let told: Vec<_> = told.collect();
        let ruled = hand.rule_where(self, &name, Rule::Unmuted(name.clone()));
        let obeyed = hand.done(Done::Unmuted(name.clone()), Deed::Unmute(name));
        Ok(obeyed.report(told).report(ruled))
    }

    pub(super) fn lock_topic(&mut self, hand: &Hand, is_locked: bool) -> Result<Obeyed, Refusal> {
        let room = hand.here.and_then(|here| self.rooms.get_mut(&here));
        let room = room.ok_or(Refusal::NotThere)?;
        room.topic.is_locked = is_locked;
        let reach = Reach::Room(room.name.clone());
        let obeyed = hand.done(Done::Locked(is_locked), Deed::Lock(is_locked));
        let obeyed = obeyed.report(hand.rule(Rule::Locked(is_locked)));
        Ok(obeyed.in_reach(reach))
    }
}
