//! Acts that would change nothing, such as a ban of somebody who is banned already. They are refused
//! before they are proposed, since the others would be told of a change. Decides nothing.

use super::moderating::LONG;
use super::state::Ledger;
use crate::model::{Act, Deed, Here, PersonId, RoomName, Verb, WallTime};

impl Ledger {
    /// Whether everything that a person asks for is so already. What the operator's scripts repeat is
    /// done again.
    pub(crate) fn is_so_already(
        &self,
        asker: PersonId,
        here: &Here,
        deed: &Deed,
        at: WallTime,
    ) -> bool {
        let Ok(authority) = self.authority(asker, here) else {
            return false; // refused for another reason
        };
        let reach = authority.reach_of_acts();
        let act = Act { deed: deed.clone(), by: authority.by, reach, at };
        match deed.verb {
            _ if *here == Here::Operator => false,
            Verb::Ban => self.rules.bans(&act.reach, at).any(|old| adds_nothing(&act, old)),
            Verb::Mute => {
                self.rules.mutes(&act.reach, at).any(|old| adds_nothing(&act, old))
                    && !self.has_voice(&act)
            }
            Verb::LockTopic => here.room().is_some_and(|room| self.is_locked_for(room, &act)),
            Verb::UnlockTopic => here.room().is_some_and(|room| !self.rooms.is_locked(room)),
            _ => false,
        }
    }

    /// Whether somebody has a voice that a mute would take.
    fn has_voice(&self, act: &Act) -> bool {
        let names = act.deed.whom.name().into_iter();
        let mut people = names.flat_map(|name| self.people.wearers(name));
        let of_room = |id| self.people.get(id).zip(act.reach.room());
        people.any(|id| of_room(id).is_some_and(|(person, room)| person.voices.contains(room)))
    }

    /// Whether a topic is locked already for as long as an act would lock it.
    fn is_locked_for(&self, room: &RoomName, act: &Act) -> bool {
        self.rooms.is_locked(room) && (act.is_for_now() || self.rooms.is_locked_for_good(room))
    }
}

/// Whether a ban or mute adds nothing to an old one that holds: neither people, nor a reason, nor
/// time. One that lasts for long is not worth telling again for less than a day more.
fn adds_nothing(act: &Act, old: &Act) -> bool {
    let is_as_long = match (act.deed.time, old.deed.time) {
        (None, None) => true,
        (Some(time), Some(earlier)) => {
            time == earlier && time > LONG && act.at.since(old.at) < LONG
        }
        _ => false,
    };
    act.deed.whom.is_same(&old.deed.whom)
        && is_as_long
        && (act.deed.text.is_none() || act.deed.text == old.deed.text)
        && (act.is_for_now() || !old.is_for_now())
}
