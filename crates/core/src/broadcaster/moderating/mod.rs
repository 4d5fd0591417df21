//! What is done with authority. The rule holds from the receipt of an order, whatever the journal does. What people read of
//! it, the answer included, comes when it is written down: nobody reads of what a crash undoes.

mod keepers;
mod removing;
mod silencing;
mod telling;

use std::sync::Arc;
use std::time::Duration;

use crate::broadcaster::pending::Happening;
use crate::broadcaster::state::Broadcaster;
use crate::broadcaster::unsettled::{Continuation, Obeyed, Report, Settled, Unsettled};
use crate::link::{Answer, Client, Outcome, Refusal};
use crate::model::{
    By, Deed, Done, Line, Name, Now, Order, PersonId, Reach, Record, Removal, RoomId, RoomName,
    Rule, Ruling, Until, WallTime, Who, Word,
};

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

impl Broadcaster {
    /// What is to be written down, since the last time.
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
            Ok((obeyed, Some(record))) => {
                let next = Continuation::Report(Arc::clone(client), Box::new(obeyed));
                self.write_down(record, next);
            }
        }
    }

    /// A room is about something else as soon as that is written down.
    pub(super) fn keep_topic(
        &mut self,
        client: &Arc<Client>,
        room: RoomName,
        who: Who,
        text: Option<Line>,
        now: Now,
    ) {
        let record = Record {
            at: now.wall,
            by: By::Keeper(who.name.clone()),
            reach: Reach::Room(room.clone()),
            deed: Deed::Topic(text.clone()),
        };
        self.write_down(
            record,
            Continuation::Topic(Arc::clone(client), room, who, text),
        );
    }

    fn write_down(&mut self, record: Record, next: Continuation) {
        let inbox = Arc::clone(&self.inbox);
        self.unsettled.push(Unsettled {
            record,
            next,
            inbox,
        });
    }

    /// Goes on with what was written down, or could not be.
    pub(super) fn go_on(&mut self, settled: Settled, now: Now) {
        let Settled { next, is_written } = settled;
        match next {
            Continuation::Report(client, obeyed) => self.report(&client, *obeyed, is_written),
            Continuation::Make(letter, room, maker) => {
                if !is_written {
                    self.rules.remove_keeper(&Reach::Room(room), &maker);
                }
                self.carry_out(*letter, now);
            }
            Continuation::Topic(client, room, who, text) => match is_written {
                true => self.have_topic(&client, room, who, text),
                false => client.finish(Refusal::NotWritten.into()),
            },
        }
    }

    fn report(&mut self, client: &Client, obeyed: Obeyed, is_written: bool) {
        let mut is_shown = false;
        for report in obeyed.reports {
            is_shown |= match report {
                Report::Ruled(room, ruling) => {
                    self.happen(room, Happening::Ruled(ruling));
                    obeyed.here == Some(room)
                }
                Report::Told(person, word) => {
                    self.tell(person, &word);
                    false
                }
                Report::Hush(ban, removal) => {
                    self.hush(&ban, &removal);
                    false
                }
                Report::Leave(people, removal) => {
                    self.leaving
                        .retain(|(id, reach)| *reach != removal.reach || !people.contains(id));
                    let removed = self.remove_all(&people, &removal);
                    removed.iter().any(|id| {
                        let person = self.people.get(*id).zip(obeyed.here);
                        person.is_some_and(|(person, here)| person.sits_in(here))
                    })
                }
            };
        }
        let done = obeyed.done;
        client.finish(match is_written {
            true if is_shown => Outcome::Done,
            true => Outcome::Answer(Answer::Done(done)),
            false => Outcome::Answer(Answer::Done(Done::Unwritten(Box::new(done)))),
        });
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
            _ => return Err(Refusal::NotKeeper),
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
            reports: Vec::new(),
            here: self.here,
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

    /// Everybody reads it who sits where it was said.
    fn rule(&self, rule: Rule) -> Option<Report> {
        let by = self.by.clone();
        let ruling = Box::new(Ruling { by, rule });
        Some(Report::Ruled(self.here?, ruling))
    }

    /// The same; the operator, who sits nowhere, is read where the person concerned sits.
    fn rule_where(&self, broadcaster: &Broadcaster, name: &Name, rule: Rule) -> Option<Report> {
        let by = self.by.clone();
        let found = || broadcaster.people.find(name.as_str());
        let room = || broadcaster.room_of(found()?.id).map(|room| room.id);
        let here = self.here.or_else(room)?;
        Some(Report::Ruled(here, Box::new(Ruling { by, rule })))
    }
}

fn after(now: Now, time: Duration) -> WallTime {
    let time = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    WallTime(now.wall.0.saturating_add(time))
}
