//! The broadcaster: owns rooms, names and rosters, and gives everything its order.
//!
//! It is a state machine and knows no task, no clock and no journal. Whoever runs it repeats:
//! [`drain`](Broadcaster::drain) the inbox, [`gather`](Broadcaster::gather) a batch, have the
//! journal commit it, and [`append`](Broadcaster::append) it to the rooms' logs; and drains again
//! while the journal works. There is no lock in here, since nobody else can touch it.

mod append;
mod asking;
mod census;
mod come_back;
mod crowd;
mod gather;
mod listen;
mod may;
mod moderating;
mod own;
mod people;
pub mod rooms;
mod rules;
mod share;
mod speak;
mod take_back;

pub use come_back::RETURN_TIME;
pub use gather::Gathered;
pub(crate) use moderating::Settled;
pub use moderating::Unsettled;
pub(crate) use rules::Subject;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use self::come_back::Absent;

use self::gather::{Gathering, Happening, Ticket};
use self::people::People;
use self::rooms::{Maker, Member, Room};
use self::rules::Rules;
use crate::journal::{Past, Topic};
use crate::link::{Answer, Client, Inbox, Item, Letter, Notice, Outcome, Place, Refusal, Request};
use crate::model::{
    By, Claim, End, Limits, Line, Now, PersonId, Reach, RoomId, RoomName, Spoken, Who,
};

/// Of the rooms, this part is for people who own their names: strangers leave it to them.
const STRANGERS_LEAVE: usize = 4;

/// And this part is for keepers of the server: owners leave it to them.
const OWNERS_LEAVE: usize = 20;

/// So many rooms one person may make, however few there may be.
const ROOMS_AT_LEAST: usize = 4;

/// Lines are shown for as long as they are kept, and this much longer at most.
const EXPIRE_EVERY: Duration = Duration::from_secs(60);

/// The owner of rooms, names and rosters.
#[derive(Debug)]
pub struct Broadcaster {
    inbox: Arc<Inbox>,
    limits: Limits,
    rooms: HashMap<RoomId, Room>,
    rooms_by_name: HashMap<RoomName, RoomId>,
    rooms_made: u64,
    /// Where the lines of rooms end that are kept and not in memory. None where nothing is kept.
    ends: Option<HashMap<RoomName, End>>,
    /// What those rooms are about that are not in memory, if they are about anything.
    topics: HashMap<RoomName, Topic>,
    people: People,
    rules: Rules,
    /// What is to be written down: one thing for each connection, which waits for it.
    unsettled: Vec<Unsettled>,
    /// Who is to leave as soon as that is written down, and from where.
    leaving: Vec<(PersonId, Reach)>,
    /// The next batch.
    gathering: Gathering,
    /// What has to wait because that batch is full: a request and a departure a connection, at most.
    waiting: VecDeque<Letter>,
    /// When the windows of crowds close, and in which rooms; the first to close first.
    crowds: VecDeque<(Duration, RoomId)>,
    /// Seats whose owners came back on other connections a moment ago, elsewhere in the house; the first to be given up
    /// first. Each owner had a few.
    absent: VecDeque<Absent>,
    /// The other half of the inbox's double buffer.
    letters: Vec<Letter>,
    /// What the logs of all rooms weigh, in bytes.
    logs_bytes: usize,
    /// When the logs are looked at for what is to be shown no longer; none where everything is.
    expire_at: Option<Duration>,
    closing: bool,
}

impl Broadcaster {
    /// A house with an empty lobby, where nothing outlasts a room.
    pub fn new(inbox: Arc<Inbox>, limits: Limits) -> Broadcaster {
        Broadcaster::build(inbox, limits, None, HashMap::new())
    }

    /// A house that goes on where the lines end that a journal keeps: in each room the numbers
    /// follow on, also when it has been empty in between. Names that have an owner are the owner's.
    pub fn resume(inbox: Arc<Inbox>, limits: Limits, past: Past) -> Broadcaster {
        let mut broadcaster = Broadcaster::build(inbox, limits, Some(past.ends), past.topics);
        for name in past.owned {
            broadcaster.people.own(name);
        }
        broadcaster.rules = Rules::resume(past.keepers, past.makers, past.bans, past.mutes);
        broadcaster
    }

    fn build(
        inbox: Arc<Inbox>,
        limits: Limits,
        ends: Option<HashMap<RoomName, End>>,
        topics: HashMap<RoomName, Topic>,
    ) -> Broadcaster {
        let mut broadcaster = Broadcaster {
            inbox,
            limits,
            rooms: HashMap::new(),
            rooms_by_name: HashMap::new(),
            rooms_made: 0,
            ends,
            topics,
            people: People::default(),
            rules: Rules::default(),
            unsettled: Vec::new(),
            leaving: Vec::new(),
            gathering: Gathering::default(),
            waiting: VecDeque::new(),
            crowds: VecDeque::new(),
            absent: VecDeque::new(),
            letters: Vec::new(),
            logs_bytes: 0,
            expire_at: limits.retain.map(|_| Duration::ZERO),
            closing: false,
        };
        broadcaster.make_room(RoomName::lobby());
        broadcaster
    }

    /// Where connections come from, and what they ask.
    pub fn inbox(&self) -> &Arc<Inbox> {
        &self.inbox
    }

    /// Takes in everything that was asked since the last time.
    pub fn drain(&mut self, now: Now) {
        let mut letters = std::mem::take(&mut self.letters);
        self.inbox.take(&mut letters);
        for letter in letters.drain(..) {
            self.receive(letter, now);
        }
        self.letters = letters;
    }

    /// When [`tick`](Broadcaster::tick) is due, on the monotonic clock.
    pub fn deadline(&self) -> Option<Duration> {
        let crowd = self.crowds.front().map(|&(until, _)| until);
        let absent = self.absent.front().map(|absent| absent.until);
        let deadlines = [crowd, absent, self.expire_at];
        deadlines.into_iter().flatten().min()
    }

    /// Does what is due by now.
    pub fn tick(&mut self, now: Now) {
        while let Some(&(until, room)) = self.crowds.front()
            && until <= now.monotonic
        {
            self.crowds.pop_front();
            if self.rooms.contains_key(&room) {
                self.happen(room, Happening::CrowdIsOver);
            }
        }
        self.give_up_absent(|absent| absent.until <= now.monotonic);
        if self.expire_at.is_some_and(|at| at <= now.monotonic) {
            self.expire(now);
        }
    }

    /// Lets go of what was said longer ago than it is to be shown.
    fn expire(&mut self, now: Now) {
        let Some(retain) = self.limits.retain else {
            return;
        };
        let before = now.wall.before(retain);
        for room in self.rooms.values() {
            let weight = room.log.weight();
            room.log.expire(before);
            self.logs_bytes -= weight - room.log.weight();
        }
        self.expire_at = Some(now.monotonic + EXPIRE_EVERY);
    }

    /// Tells those who wait for the journal that it is slow.
    pub fn tell_slow(&self, gathered: &Gathered) {
        let waiting = self.waiting.iter().filter_map(|letter| match letter {
            Letter::Request { client, .. } => Some(client),
            Letter::Depart { .. } | Letter::StopListening { .. } | Letter::Settled(_) => None,
        });
        for client in gathered
            .waiting()
            .chain(self.gathering.waiting())
            .chain(waiting)
        {
            let Some(mark) = self.mark_of(client.id) else {
                continue;
            };
            // Whoever has a full mailbox is not reading this either.
            client
                .send(mark, Item::Answer(Answer::Notice(Notice::DiskSlow)))
                .ok();
        }
    }

    /// From now on departures are told to nobody: everybody leaves.
    pub fn close(&mut self) {
        self.closing = true;
    }

    /// From now on these limits hold: at once for all logs together, for one room's with its next batch. Rooms that
    /// are too many stay.
    fn limit(&mut self, limits: Limits) {
        self.limits = limits;
        self.expire_at = limits.retain.map(|_| Duration::ZERO);
        self.shed_logs();
    }

    fn receive(&mut self, letter: Letter, now: Now) {
        match letter {
            Letter::Request {
                client,
                request: Request::Order { here, order },
            } => self.order(&client, here, order, now),
            Letter::Request {
                client,
                request:
                    Request::Listen {
                        owner,
                        room,
                        waits,
                        replay,
                    },
            } => client.finish(self.listen(&client, owner, (room, waits), replay, now)),
            Letter::StopListening { place } => self.stop_listening(&place),
            Letter::Settled(settled) => self.go_on(*settled, now),
            Letter::Request { client, request } if !request.is_ordered() => {
                let outcome = self.answer(client.id, request, now);
                client.finish(outcome);
            }
            Letter::Depart { place, .. } if self.closing && self.leave_silently(&place) => {}
            letter if self.is_full() || !self.waiting.is_empty() => self.wait(letter),
            letter => self.admit(letter, now),
        }
    }

    /// Whether the next batch takes no more.
    fn is_full(&self) -> bool {
        self.gathering.is_full(&self.limits)
    }

    /// Puts a letter behind those that wait already.
    ///
    /// Whoever gives up at the door and comes again would leave a letter each time: before the
    /// queue grows, those are thrown away.
    fn wait(&mut self, letter: Letter) {
        if self.waiting.len() == self.waiting.capacity() {
            self.waiting.retain(|letter| !letter.is_void());
        }
        self.waiting.push_back(letter);
    }

    /// Gives a letter its place in the next batch, or waits with it until something is written down.
    fn admit(&mut self, letter: Letter, now: Now) {
        if letter.is_void() {
            return;
        }
        if let Some(letter) = self.keep_new_room(letter, now) {
            self.grant(letter, now);
        }
    }

    /// Gives a letter its place in the next batch.
    fn grant(&mut self, letter: Letter, now: Now) {
        if letter.is_void() {
            return;
        }
        let refused = match letter {
            Letter::Depart { place, words } => return self.depart(&place, words, now),
            Letter::StopListening { place } => return self.stop_listening(&place),
            Letter::Settled(settled) => return self.go_on(*settled, now),
            Letter::Request { client, request } => match request {
                Request::Enter { name, room, replay } => {
                    self.enter(&client, name, room, replay, now)
                }
                Request::ComeBack { name, room, ghost } => {
                    self.come_back(&client, name, room, ghost, now)
                }
                Request::Join { room, replay } => self.join(&client, room, replay, now),
                Request::Post { room, lines } => self.post(&client, room, lines, now),
                Request::Speak { name, room, lines } => self.speak(&client, name, room, lines, now),
                Request::Rename(name) => self.rename(&client, name, now),
                Request::SetTopic { room, text } => self.set_topic(&client, room, text, now),
                // Answered on receipt, being without a place in the order.
                Request::Listen { .. }
                | Request::Private { .. }
                | Request::Owned { .. }
                | Request::Released { .. }
                | Request::WhoAmI
                | Request::TakeBack { .. }
                | Request::Topic(_)
                | Request::Who { .. }
                | Request::People { .. }
                | Request::Rooms
                | Request::Barred
                | Request::Find(_)
                | Request::Census
                | Request::Limit(_)
                | Request::Order { .. } => Ok(()),
            }
            .map_err(|refusal| (client, refusal)),
        };
        if let Err((client, refusal)) = refused {
            client.finish(refusal.into());
        }
    }

    fn enter(
        &mut self,
        client: &Arc<Client>,
        name: Claim,
        room: RoomName,
        replay: u64,
        now: Now,
    ) -> Result<(), Refusal> {
        if let Some(room) = self.room_of(client.id) {
            return Err(Refusal::AlreadyIn(room.name.clone()));
        }
        self.people.enter(client, name)?;
        let seated = self
            .room_to_join(client.id, room, now)
            .and_then(|room| self.take_seat(client, room, replay, true, false));
        if seated.is_err() {
            self.people.leave(client.id);
        }
        seated
    }

    fn join(
        &mut self,
        client: &Arc<Client>,
        name: RoomName,
        replay: u64,
        now: Now,
    ) -> Result<(), Refusal> {
        let person = self.people.get(client.id).ok_or(Refusal::NotThere)?;
        if let Some(room) = self.rooms_by_name.get(&name)
            && person.sits_in(*room)
        {
            return Err(Refusal::AlreadyIn(name));
        }
        let room = self.room_to_join(client.id, name, now)?;
        let is_back = self.is_back_in(client.id, room);
        self.take_seat(client, room, replay, false, is_back)
    }

    /// The room, made if there is none, where somebody is let in, at whatever door. To be called when nothing else is in the
    /// way: a room that is made for nobody would stay empty for good.
    fn room_to_join(&mut self, id: PersonId, name: RoomName, now: Now) -> Result<RoomId, Refusal> {
        let person = self.people.get(id).ok_or(Refusal::NotThere)?;
        self.may_join(id, person, &name, now)?;
        if self.is_new(&name) {
            self.may_name_room(id, &name, now)?;
        }
        let person = self.people.get(id).ok_or(Refusal::NotThere)?;
        self.may_make(person.subject(), &name)?;
        let maker = Maker::of(person.subject());
        Ok(self.room_for(name, maker))
    }

    fn take_seat(
        &mut self,
        client: &Arc<Client>,
        room: RoomId,
        replay: u64,
        first: bool,
        is_back: bool,
    ) -> Result<(), Refusal> {
        let is_untold = is_back || self.people.is_accompanied(client.id, room);
        let there = self.rooms.get(&room).ok_or(Refusal::NotThere)?;
        let place = there.place(client.id);
        let person = self.people.get_mut(client.id).ok_or(Refusal::NotThere)?;
        person.seats.push(Arc::clone(&place));
        let who = Who {
            id: client.id,
            name: person.name.clone(),
        };
        self.happen(
            room,
            Happening::Arrival {
                who,
                ticket: Ticket {
                    client: Arc::clone(client),
                    place,
                    replay,
                    first,
                },
                is_untold,
            },
        );
        Ok(())
    }

    fn depart(&mut self, place: &Arc<Place>, words: Option<Line>, now: Now) {
        let Some(who) = self.give_up_seat(place) else {
            return;
        };
        let words = words.filter(|_| self.may_speak(&who, place.room, now).is_ok());
        if self.people.get(who.id).is_none() {
            self.give_up_absent(|absent| absent.heir == who.id);
        }
        let is_untold = self.people.is_worn_in(&who.name, place.room);
        let member = self.rooms.get(&place.room);
        let member = member.and_then(|room| room.members.get(who.id));
        let removal = member.and_then(|member| member.client.removed());
        let removal = removal.or(place.removed()).cloned();
        // Whose password was changed leaves: that is nobody's business.
        let removal = removal.filter(|removal| removal.by != By::NewPassword);
        let removal = removal.map(Box::new);
        let departure = Happening::Departure {
            who,
            words,
            removal,
            is_untold,
        };
        self.happen(place.room, departure);
    }

    /// The seat is free, and the name with the last one, for whatever comes behind this departure.
    fn give_up_seat(&mut self, place: &Place) -> Option<Who> {
        let who = self.people.who(place.person)?;
        let person = self.people.get_mut(place.person)?;
        person.seats.retain(|other| other.room != place.room);
        if person.seats.is_empty() {
            self.people.leave(place.person);
        }
        Some(who)
    }

    /// While closing: leaves without an entry, at the end of the log. Whether that could be done.
    fn leave_silently(&mut self, place: &Arc<Place>) -> bool {
        let Some(room) = self.rooms.get_mut(&place.room) else {
            return false;
        };
        let Some(member) = room.members.remove(place.person) else {
            return false;
        };
        place.departed.set(room.log.end()).ok();
        member.client.ring();
        self.give_up_seat(place);
        self.forget_if_empty(place.room);
        true
    }

    fn post(
        &mut self,
        client: &Arc<Client>,
        room: RoomId,
        lines: Vec<Spoken>,
        now: Now,
    ) -> Result<(), Refusal> {
        self.speaker(client.id, room)?.active = now.monotonic;
        let who = self.people.who(client.id).ok_or(Refusal::NotThere)?;
        self.may_speak(&who, room, now)?;
        self.gathering.promise(client, Outcome::Done, true);
        for spoken in lines {
            self.happen(
                room,
                Happening::Said {
                    who: who.clone(),
                    spoken,
                },
            );
        }
        Ok(())
    }

    /// The right to speak: a seat in that room, granted and not given up.
    fn speaker(&mut self, id: PersonId, room: RoomId) -> Result<&mut Member, Refusal> {
        let person = self.people.get(id).ok_or(Refusal::NotThere)?;
        if !person.sits_in(room) {
            return Err(Refusal::NotThere); // the departure may be under way still
        }
        let room = self.rooms.get_mut(&room).ok_or(Refusal::NotThere)?;
        let member = room.members.get_mut(id).ok_or(Refusal::NotThere)?;
        match member.client.removed().or(member.place.removed()) {
            Some(_) => Err(Refusal::NotThere), // about to leave
            None => Ok(member),
        }
    }

    fn rename(&mut self, client: &Arc<Client>, claim: Claim, now: Now) -> Result<(), Refusal> {
        let name = claim.name.clone();
        self.may_wear(client.id, &name, now)?;
        let from = self.people.rename(client.id, claim)?;
        self.rules
            .rename(client.id, &from, |id| self.people.get(id).is_some());
        self.give_up_absent(|absent| absent.heir == client.id);
        // The others need not read what changes nothing.
        let person = self.people.get(client.id).filter(|_| from != name);
        let seats = person
            .map(|person| person.seats.clone())
            .unwrap_or_default();
        for place in seats {
            let who = Who {
                id: client.id,
                name: name.clone(),
            };
            let is_still_worn = self.people.is_worn_by_another(&from, place.room, client.id);
            self.happen(
                place.room,
                Happening::Renamed {
                    who,
                    from: from.clone(),
                    is_still_worn,
                },
            );
        }
        self.gathering
            .promise(client, Outcome::Answer(Answer::YouAre(name)), false);
        Ok(())
    }

    fn set_topic(
        &mut self,
        client: &Arc<Client>,
        room: RoomId,
        text: Option<Line>,
        now: Now,
    ) -> Result<(), Refusal> {
        self.speaker(client.id, room)?;
        let who = self.people.who(client.id).ok_or(Refusal::NotThere)?;
        self.may_set_topic(&who, room, now)?;
        let room = self.rooms.get(&room).ok_or(Refusal::NotThere)?;
        let name = room.name.clone();
        match self.ends {
            Some(_) => self.keep_topic(client, name, who, text, now),
            None => self.have_topic(client, name, who, text),
        }
        Ok(())
    }

    /// A room is about something else from now on. If it has left memory meanwhile, it is when it comes back.
    fn have_topic(&mut self, client: &Arc<Client>, room: RoomName, who: Who, text: Option<Line>) {
        match self.rooms_by_name.get(&room) {
            Some(&room) => {
                self.gathering.promise(client, Outcome::Done, false);
                self.happen(room, Happening::Topic { who, text });
            }
            None => {
                self.topics.entry(room).or_default().text = text;
                client.finish(Outcome::Done);
            }
        }
    }

    fn room_called(&self, name: &RoomName) -> Option<&Room> {
        self.rooms.get(self.rooms_by_name.get(name)?)
    }

    /// Whether nobody has a room of this name, those aside who wait for it.
    fn is_new(&self, name: &RoomName) -> bool {
        self.room_called(name).is_none_or(Room::is_awaited)
    }

    /// Whether there is room for one more, if it is one more. Strangers together leave a quarter to those who own their
    /// names, and these a twentieth to the keepers of the server. Of what they have, one person makes a share: an owner, or
    /// all at one address, this machine's own aside, where a proxy may stand.
    fn may_make(&self, subject: Subject<'_>, name: &RoomName) -> Result<(), Refusal> {
        if self.room_called(name).is_some() {
            return Ok(());
        }
        let (all, limit) = (self.rooms.len(), self.limits.rooms);
        let max = match subject.is_owner {
            _ if self.ends.is_none() => limit, // nobody owns a name
            _ if self.rules.keeps(&Reach::Server, subject) => return self.has_room(limit),
            true => limit - limit / OWNERS_LEAVE,
            false => limit - limit / STRANGERS_LEAVE,
        };
        self.has_room(max)?;
        let Some(maker) = Maker::of(subject) else {
            return Ok(());
        };
        let makers = self.rooms.values().filter_map(|room| room.maker.as_ref());
        let own = makers.filter(|other| **other == maker).count();
        match share::is_within(own, all, max, ROOMS_AT_LEAST) {
            true => Ok(()),
            false => Err(Refusal::RoomsShare(own)),
        }
    }

    fn has_room(&self, max: usize) -> Result<(), Refusal> {
        match self.rooms.len() < max {
            true => Ok(()),
            false => Err(Refusal::TooManyRooms(max)),
        }
    }

    fn room_for(&mut self, name: RoomName, maker: Option<Maker>) -> RoomId {
        if let Some(&room) = self.rooms_by_name.get(&name) {
            return room;
        }
        let id = self.make_room(name);
        if let Some(room) = self.rooms.get_mut(&id) {
            room.maker = maker;
        }
        id
    }

    fn make_room(&mut self, name: RoomName) -> RoomId {
        self.rooms_made += 1;
        let id = RoomId(self.rooms_made);
        let end = self.ends.as_mut().and_then(|ends| ends.remove(&name));
        let end = end.unwrap_or_default();
        self.rooms_by_name.insert(name.clone(), id);
        let topic = self.topics.remove(&name).unwrap_or_default();
        self.rooms.insert(id, Room::new(id, name, end, topic));
        id
    }

    /// Puts something into the next batch.
    fn happen(&mut self, room: RoomId, happening: Happening) {
        if let Some(room) = self.rooms.get_mut(&room) {
            room.pending += 1;
            self.gathering.push(room.id, happening);
        }
    }
}
