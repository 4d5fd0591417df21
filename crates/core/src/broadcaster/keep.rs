//! What is done with authority. Like everything that concerns one other person it takes effect on receipt, whatever the
//! journal does; the answer comes when it is written down.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use super::Broadcaster;
use super::gather::Happening;
use super::people::Person;
use super::rules::{Muted, Subject};
use crate::answer::{Answer, Notice, Refusal};
use crate::ban::{Ban, Whom};
use crate::client::Client;
use crate::entry::{PersonId, RoomId, Who};
use crate::inbox::{Claim, Outcome};
use crate::line::Line;
use crate::mailbox::Item;
use crate::name::{Name, RoomName};
use crate::order::{
    BANS_SHOWN_MAX, By, Deed, Done, Forbidden, Mute, Order, Reach, Record, Removal, Rule, Ruling,
    Until, Visitor, Word,
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
        match self.may_keep(person, &room.name) {
            Some(reach) if !is_operators => Ok(Hand {
                by: By::Keeper(person.name.clone()),
                reach,
                asker: Some(asker),
                here,
                now,
            }),
            None if may_anybody => Ok(Hand {
                by: By::Keeper(person.name.clone()),
                reach: Reach::Room(room.name.clone()),
                asker: Some(asker),
                here,
                now,
            }),
            _ => Err(Forbidden::NoKeeper.into()),
        }
    }

    /// How far the authority of somebody goes who sits in a room.
    pub(super) fn may_keep(&self, person: &Person, room: &RoomName) -> Option<Reach> {
        let room = Reach::Room(room.clone());
        let subject = person.subject();
        [Reach::Server, room]
            .into_iter()
            .find(|reach| self.rules.keeps(reach, subject))
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

    /// Everybody, in the order in which they came.
    fn visitors(&self, now: Now) -> Vec<Visitor> {
        let mut people: Vec<_> = self.people.iter().collect();
        people.sort_by_key(|(id, _)| *id);
        let visitor = |(id, person): (PersonId, &Person)| {
            let rooms = person.seats.iter().filter_map(|room| self.rooms.get(room));
            let active = rooms.clone().filter_map(|room| room.members.get(id));
            let active = active.map(|member| member.active).max();
            Visitor {
                name: person.name.clone(),
                address: person.client.address(),
                rooms: rooms.map(|room| room.name.clone()).collect(),
                silent: now
                    .monotonic
                    .saturating_sub(active.unwrap_or(now.monotonic)),
            }
        };
        people.into_iter().map(visitor).collect()
    }

    fn tell_everybody(&self, word: &Word) -> Done {
        let (mut people, mut deaf) = (0, 0);
        for (id, _) in self.people.iter() {
            match self.tell(id, word) {
                Some(true) => people += 1,
                Some(false) => deaf += 1,
                None => {} // about to come in
            }
        }
        Done::Told { people, deaf }
    }

    /// Says something to one person. Whether it was delivered; none where nobody sits yet.
    fn tell(&self, id: PersonId, word: &Word) -> Option<bool> {
        let (person, mark) = self.people.get(id).zip(self.mark_of(id))?;
        let item = Item::Answer(Answer::Notice(Notice::Order(word.clone())));
        Some(person.client.send(mark, item).is_ok())
    }

    /// Has somebody leave: the connection is told, and ends or goes to the lobby. From now on nothing that it says is
    /// heard there.
    fn remove(&mut self, hand: &Hand, whom: Line, reason: Option<Line>) -> Result<Obeyed, Refusal> {
        let name = self.subordinate(hand, whom)?;
        let removal = hand.removal(reason.clone(), None);
        let wearers: Vec<_> = self.people.wearers(&name).collect();
        let removed = self.remove_all(&wearers, &removal);
        if removed.is_empty() {
            return Err(self.elsewhere(name));
        }
        let obeyed = hand.done(Done::Removed(name.clone()), Deed::Remove(name, reason));
        Ok(self.shown_where(hand, &removed, obeyed))
    }

    /// Has these connections leave, as far as they are where that reaches. Which those are.
    fn remove_all(&self, people: &[PersonId], removal: &Removal) -> Vec<PersonId> {
        let people = people.iter().copied();
        people.filter(|id| self.remove_one(*id, removal)).collect()
    }

    /// Whoever sits in a room reads there that somebody leaves it, and needs no answer.
    fn shown_where(&self, hand: &Hand, removed: &[PersonId], obeyed: Obeyed) -> Obeyed {
        let room = hand.here.and_then(|here| self.rooms.get(&here));
        let is_here = |id: &PersonId| room.is_some_and(|room| room.members.contains(*id));
        Obeyed {
            is_shown: removed.iter().any(is_here),
            ..obeyed
        }
    }

    /// Has one connection leave. Whether it is where that reaches.
    fn remove_one(&self, id: PersonId, removal: &Removal) -> bool {
        let Some(person) = self.people.get(id) else {
            return false;
        };
        let Reach::Room(room) = &removal.reach else {
            person.client.remove(removal.clone());
            return true;
        };
        let room = self.rooms_by_name.get(room);
        let room = room.and_then(|room| self.rooms.get(room));
        let Some(member) = room.and_then(|room| room.members.get(id)) else {
            return false;
        };
        member.place.removed.set(removal.clone()).ok(); // of two, the first is told
        member.client.look();
        true
    }

    /// The name of somebody here over whom this hand has power.
    fn subordinate(&self, hand: &Hand, typed: Line) -> Result<Name, Refusal> {
        let Some(found) = self.people.find(typed.as_str()) else {
            return Err(Refusal::NobodyCalled(typed));
        };
        let asker = hand.asker.and_then(|asker| self.people.get(asker));
        if asker.is_some_and(|asker| asker.name == found.name) {
            return Err(Refusal::Yourself);
        }
        let person = self.people.get(found.id).ok_or(Refusal::NotThere)?;
        let is_keeper = self.rules.keeps(&hand.reach, person.subject());
        if is_keeper && hand.by != By::Operator {
            return Err(Forbidden::Keeps(found.name).into());
        }
        Ok(found.name)
    }

    fn elsewhere(&self, name: Name) -> Refusal {
        let found = self.people.find(name.as_str());
        match found.and_then(|who| self.room_of(who.id)) {
            Some(room) => Forbidden::Elsewhere(name, room.name.clone()).into(),
            None => Refusal::NotThere,
        }
    }

    fn ban(
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
        let removed = self.remove_all(&meant, &removal);
        let done = Done::Banned(ban.clone());
        if !removed.is_empty() {
            let obeyed = hand.done(done, Deed::Ban(ban));
            return Ok(self.shown_where(hand, &removed, obeyed));
        }
        let until = ban.until;
        hand.rule(
            self,
            Rule::Banned {
                whom,
                until,
                reason,
            },
        );
        Ok(hand.shown(done, Deed::Ban(ban)))
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
                    true => Err(Forbidden::Keeps(name.clone()).into()),
                    false => Ok(()),
                }
            }
            Whom::Net(net) if net.is_here() => Err(Forbidden::ThisMachine.into()),
            Whom::Net(net) => {
                let is_there = |person: &Person| {
                    let address = person.client.address();
                    address.is_some_and(|address| net.contains(address.ip()))
                        && self.rules.keeps(&hand.reach, person.subject())
                };
                let mut people = self.people.iter();
                match people.find(|(_, person)| is_there(person)) {
                    Some((_, person)) => Err(Forbidden::LocksOut(person.name.clone()).into()),
                    None => Ok(()),
                }
            }
        }
    }

    fn bans(&self, hand: &Hand) -> Done {
        let max = hand.here.map_or(usize::MAX, |_| BANS_SHOWN_MAX);
        let mut bans: Vec<_> = self.rules.bans(&hand.reach, hand.now.wall).collect();
        bans.sort_by_key(|ban| Reverse(ban.at));
        Done::Bans {
            others: bans.len().saturating_sub(max),
            bans: bans.into_iter().take(max).cloned().collect(),
        }
    }

    fn unban(&mut self, hand: &Hand, whom: Whom) -> Result<Obeyed, Refusal> {
        match self.rules.unban(&hand.reach, &whom) {
            Some(whom) => {
                hand.rule(self, Rule::Unbanned(whom.clone()));
                Ok(hand.shown(Done::Unbanned(whom.clone()), Deed::Unban(whom)))
            }
            None => Err(Forbidden::NotBanned(whom).into()),
        }
    }

    fn mute(&mut self, hand: &Hand, whom: Line, time: Duration) -> Result<Obeyed, Refusal> {
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
        for id in people {
            self.tell(id, &Word::Muted(mute.clone()));
        }
        hand.rule_where(self, &name, Rule::Muted(name.clone(), until));
        let deed = Deed::Mute(name.clone(), until);
        Ok(hand.shown(Done::Muted(name, until), deed))
    }

    fn unmute(&mut self, hand: &Hand, whom: Line) -> Result<Obeyed, Refusal> {
        let found = self.people.find(whom.as_str());
        let name = match found {
            Some(who) => who.name,
            None => Name::parse(whom.as_str()).map_err(|_| Refusal::NobodyCalled(whom))?,
        };
        if !self.rules.unmute(&hand.reach, &name) {
            return Err(Forbidden::NotMuted(name).into());
        }
        for id in self.people.wearers(&name) {
            self.tell(id, &Word::Unmuted(hand.by.clone()));
        }
        hand.rule_where(self, &name, Rule::Unmuted(name.clone()));
        Ok(hand.shown(Done::Unmuted(name.clone()), Deed::Unmute(name)))
    }

    fn lock_topic(&mut self, hand: &Hand, is_locked: bool) -> Result<Obeyed, Refusal> {
        let room = hand.here.and_then(|here| self.rooms.get_mut(&here));
        let room = room.ok_or(Refusal::NotThere)?;
        room.is_topic_locked = is_locked;
        let reach = Reach::Room(room.name.clone());
        hand.rule(self, Rule::Locked(is_locked));
        Ok(Obeyed {
            done: Done::Locked(is_locked),
            deed: Some((reach, Deed::Lock(is_locked))),
            is_shown: true,
        })
    }

    fn keepers(&self, hand: &Hand) -> Done {
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
            true => Err(Forbidden::Lobby.into()),
            false => Ok(Reach::Room(room.name.clone())),
        }
    }

    fn add_keeper(&mut self, hand: &Hand, whom: Line) -> Result<Obeyed, Refusal> {
        let kept = self.kept(hand)?;
        let Some(name) = self.people.owned(whom.as_str()).cloned() else {
            return Err(Forbidden::NotRegistered(whom).into());
        };
        self.rules.add_keeper(&kept, name.clone())?;
        hand.rule(self, Rule::Keeper(name.clone(), true));
        Ok(Obeyed {
            done: Done::Keeper(name.clone(), true),
            deed: Some((kept, Deed::AddKeeper(name))),
            is_shown: hand.here.is_some(),
        })
    }

    fn remove_keeper(&mut self, hand: &Hand, whom: Line) -> Result<Obeyed, Refusal> {
        let kept = self.kept(hand)?;
        let keepers = self.rules.keepers(&kept);
        let name = self.people.owned(whom.as_str()).cloned();
        let Some(name) = name.filter(|name| self.rules.is_keeper(&kept, name)) else {
            return Err(Forbidden::KeepsNot(whom).into());
        };
        // The server has its operator, but a room has nobody else.
        if keepers.len() == 1 && kept != Reach::Server && hand.reach != Reach::Server {
            return Err(Forbidden::LastKeeper(name).into());
        }
        self.rules.remove_keeper(&kept, &name);
        hand.rule(self, Rule::Keeper(name.clone(), false));
        Ok(Obeyed {
            done: Done::Keeper(name.clone(), false),
            deed: Some((kept, Deed::RemoveKeeper(name))),
            is_shown: hand.here.is_some(),
        })
    }

    /// Whoever makes a room that never was, and owns the name that they wear, keeps it.
    pub(super) fn keep_new_room(&mut self, maker: PersonId, room: &RoomName, now: Now) {
        let is_known = self
            .ends
            .as_ref()
            .is_none_or(|ends| ends.contains_key(room));
        let person = self.people.get(maker).filter(|person| person.is_owner);
        let Some(name) = person
            .filter(|_| !is_known)
            .map(|person| person.name.clone())
        else {
            return;
        };
        if self.rules.make_room(room, &name) {
            self.unsettled.push(Unsettled {
                record: Record {
                    at: now.wall,
                    by: By::Keeper(name.clone()),
                    reach: Reach::Room(room.clone()),
                    deed: Deed::Make(name),
                },
                waiting: None,
            });
        }
    }

    /// Whether a ban keeps somebody from coming in.
    pub(super) fn may_enter(&self, client: &Client, now: Now) -> Result<(), Refusal> {
        let person = self.people.get(client.id).ok_or(Refusal::NotThere)?;
        self.is_let_in(person.subject(), &Reach::Server, now)
    }

    /// Whether somebody may come back to a room.
    pub(super) fn may_come_back(
        &self,
        client: &Client,
        claim: &Claim,
        room: &RoomName,
        now: Now,
    ) -> Result<(), Refusal> {
        let subject = Subject {
            name: &claim.name,
            is_owner: claim.is_proven,
            address: client.address(),
        };
        self.is_let_in(subject, &Reach::Server, now)?;
        self.is_let_in(subject, &Reach::Room(room.clone()), now)
    }

    /// Whether a ban keeps somebody out of a room.
    pub(super) fn may_join(
        &self,
        person: &Person,
        room: &RoomName,
        now: Now,
    ) -> Result<(), Refusal> {
        self.is_let_in(person.subject(), &Reach::Room(room.clone()), now)
    }

    /// Whether somebody may take a name, wherever they sit.
    pub(super) fn may_wear(&self, id: PersonId, name: &Name, now: Now) -> Result<(), Refusal> {
        let person = self.people.get(id).ok_or(Refusal::NotThere)?;
        let subject = Subject {
            name,
            ..person.subject()
        };
        self.is_let_in(subject, &Reach::Server, now)?;
        let rooms = person.seats.iter().filter_map(|room| self.rooms.get(room));
        for room in rooms {
            self.is_let_in(subject, &Reach::Room(room.name.clone()), now)?;
        }
        Ok(())
    }

    fn is_let_in(&self, subject: Subject<'_>, reach: &Reach, now: Now) -> Result<(), Refusal> {
        match self.rules.banned(reach, subject, now.wall) {
            Some(ban) => Err(Forbidden::Banned(ban.clone()).into()),
            None => Ok(()),
        }
    }

    /// Whether somebody may say something in a room.
    pub(super) fn may_speak(&self, who: &Who, room: RoomId, now: Now) -> Result<(), Refusal> {
        let Some(room) = self.rooms.get(&room) else {
            return Err(Refusal::NotThere);
        };
        match self.rules.muted(who.id, &who.name, &room.name, now.wall) {
            Some(mute) => Err(Forbidden::Muted(mute.clone()).into()),
            None => Ok(()),
        }
    }

    /// Whether somebody may set the topic of a room.
    pub(super) fn may_set_topic(&self, who: &Who, room: RoomId, now: Now) -> Result<(), Refusal> {
        self.may_speak(who, room, now)?;
        let (person, room) = (self.people.get(who.id), self.rooms.get(&room));
        let (person, room) = person.zip(room).ok_or(Refusal::NotThere)?;
        match room.is_topic_locked && self.may_keep(person, &room.name).is_none() {
            true => Err(Forbidden::TopicLocked.into()),
            false => Ok(()),
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
