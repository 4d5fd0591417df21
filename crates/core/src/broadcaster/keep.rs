//! What is done with authority. Like everything that concerns one other person it takes effect on receipt, whatever the
//! journal does; the answer comes when it is written down.

mod keepers;
mod removing;
mod silencing;
mod telling;

use std::sync::Arc;
use std::time::Duration;

use super::Broadcaster;
use super::gather::Happening;
use crate::answer::{Answer, Refusal};
use crate::client::Client;
use crate::entry::{PersonId, RoomId};
use crate::inbox::Outcome;
use crate::line::Line;
use crate::name::Name;
use crate::order::{
    By, Deed, Done, Forbidden, Order, Reach, Record, Removal, Rule, Ruling, Until, Word,
};
use crate::time::{Now, WallTime};

/// Something done with authority that is to be written down, and whoever waits for that.
#[derive(Debug)]
pub struct Unsettled {
    /// What is to be written down.
    pub record: Record,
    waiting: Option<(Arc<Client>, Obeyed)>,
}

impl Unsettled {
    /// It is written down, or cannot be: whoever waits is told.
    pub fn settle(self, is_written: bool) {
        let Some((client, obeyed)) = self.waiting else {
            return;
        };
        let Obeyed { done, is_shown, .. } = obeyed;
        client.finish(match is_written {
            true if is_shown => Outcome::Done,
            true => Outcome::Answer(Answer::Done(done)),
            false => Outcome::Answer(Answer::Done(Done::Unwritten(Box::new(done)))),
        });
    }
}

/// Somebody who acts with authority.
struct Hand {
    by: By,
    /// How far that goes.
    reach: Reach,
    /// The connection; none for the operator.
    asker: Option<PersonId>,
    /// The room in which they sit; none for the operator.
    here: Option<RoomId>,
    now: Now,
}

/// What has come of an order.
#[derive(Debug)]
struct Obeyed {
    done: Done,
    /// What of it is to be written down, and how far that reaches.
    deed: Option<(Reach, Deed)>,
    /// Whether the one who gave it reads in the room what has come of it.
    is_shown: bool,
}

impl Obeyed {
    /// Nothing has changed.
    fn known(done: Done) -> Obeyed {
        Obeyed {
            done,
            deed: None,
            is_shown: false,
        }
    }
}

impl Broadcaster {
    /// What was done with authority since the last time, to be written down.
    pub fn unsettled(&mut self) -> Vec<Unsettled> {
        std::mem::take(&mut self.unsettled)
    }

    /// Does what somebody wants who sits in a room, or the operator, who sits nowhere.
    pub(super) fn order(
        &mut self,
        client: &Arc<Client>,
        here: Option<RoomId>,
        order: Order,
        now: Now,
    ) {
        let obeyed = self.hand(client.id, here, &order, now).and_then(|hand| {
            let mut obeyed = self.obey(&hand, order)?;
            let record = obeyed.deed.take().map(|(reach, deed)| Record {
                at: now.wall,
                by: hand.by,
                reach,
                deed,
            });
            Ok((obeyed, record))
        });
        match obeyed {
            Err(refusal) => client.finish(refusal.into()),
            Ok((Obeyed { done, .. }, None)) => client.finish(Outcome::Answer(Answer::Done(done))),
            Ok((obeyed, Some(record))) => self.unsettled.push(Unsettled {
                record,
                waiting: Some((Arc::clone(client), obeyed)),
            }),
        }
    }

    /// The one place that says who may: the operator anything, keepers of the server everywhere, a room's keepers there.
    fn hand(
        &self,
        asker: PersonId,
        here: Option<RoomId>,
        order: &Order,
        now: Now,
    ) -> Result<Hand, Refusal> {
        let Some(id) = here else {
            return Ok(Hand {
                by: By::Operator,
                reach: Reach::Server,
                asker: None,
                here,
                now,
            });
        };
        let person = self.people.get(asker).ok_or(Refusal::NotThere)?;
        let room = self.rooms.get(&id).ok_or(Refusal::NotThere)?;
        let is_operators = matches!(order, Order::List | Order::Broadcast(_));
        let may_anybody = matches!(order, Order::Keepers);
        if !person.sits_in(id) {
            return Err(Refusal::NotThere);
        }
        let reach = match self.may_keep(person, &room.name) {
            Some(reach) if !is_operators => reach,
            None if may_anybody => Reach::Room(room.name.clone()),
            _ => return Err(Forbidden::NoKeeper.into()),
        };
        if !matches!(order, Order::Bans | Order::Keepers) {
            let who = self.people.who(asker).ok_or(Refusal::NotThere)?;
            self.may_speak(&who, id, now)?; // the others read what is done, and why
        }
        Ok(Hand {
            by: By::Keeper(person.name.clone()),
            reach,
            asker: Some(asker),
            here,
            now,
        })
    }

    fn obey(&mut self, hand: &Hand, order: Order) -> Result<Obeyed, Refusal> {
        match order {
            Order::List => Ok(Obeyed::known(Done::Everybody(self.visitors(hand.now)))),
            Order::Broadcast(text) => {
                let done = self.tell_everybody(&Word::Says(text.clone()));
                Ok(hand.done(done, Deed::Broadcast(text)))
            }
            Order::Remove { whom, reason } => self.remove(hand, whom, reason),
            Order::Ban { whom, time, reason } => self.ban(hand, whom, time, reason),
            Order::Unban(whom) => self.unban(hand, whom),
            Order::Bans => Ok(Obeyed::known(self.bans(hand))),
            Order::Mute { whom, time } => self.mute(hand, whom, time),
            Order::Unmute(whom) => self.unmute(hand, whom),
            Order::LockTopic(is_locked) => self.lock_topic(hand, is_locked),
            Order::Keepers => Ok(Obeyed::known(self.keepers(hand))),
            Order::AddKeeper(whom) => self.add_keeper(hand, whom),
            Order::RemoveKeeper(whom) => self.remove_keeper(hand, whom),
        }
    }
}

impl Hand {
    /// It is done, and whoever wanted it is told so.
    fn done(&self, done: Done, deed: Deed) -> Obeyed {
        Obeyed {
            done,
            deed: Some((self.reach.clone(), deed)),
            is_shown: false,
        }
    }

    /// It is done, and shows in the room.
    fn shown(&self, done: Done, deed: Deed) -> Obeyed {
        Obeyed {
            is_shown: self.here.is_some(),
            ..self.done(done, deed)
        }
    }

    fn removal(&self, reason: Option<Line>, ban: Option<Until>) -> Removal {
        Removal {
            reach: self.reach.clone(),
            by: self.by.clone(),
            reason,
            ban,
        }
    }

    /// Has everybody read it who sits where it was said.
    fn rule(&self, broadcaster: &mut Broadcaster, rule: Rule) {
        let by = self.by.clone();
        if let Some(here) = self.here {
            broadcaster.happen(here, Happening::Ruled(Box::new(Ruling { by, rule })));
        }
    }

    /// The same; the operator, who sits nowhere, is read where the person concerned sits.
    fn rule_where(&self, broadcaster: &mut Broadcaster, name: &Name, rule: Rule) {
        if self.here.is_some() {
            return self.rule(broadcaster, rule);
        }
        let found = broadcaster.people.find(name.as_str());
        let room = found.and_then(|who| broadcaster.room_of(who.id));
        if let Some(here) = room.map(|room| room.id) {
            let by = self.by.clone();
            broadcaster.happen(here, Happening::Ruled(Box::new(Ruling { by, rule })));
        }
    }
}

fn after(now: Now, time: Duration) -> WallTime {
    let time = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    WallTime(now.wall.0.saturating_add(time))
}
