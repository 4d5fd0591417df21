//! A simulated client: its requests, its reading, and its many ways to leave.

use std::pin::pin;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Waker};

use fastrand::Rng;
use parlor_core::link::{
    Answer, Change, CodeChange, FirstRoom, Link, Mail, Mark, Notice, Outcome, Presence, Query,
    Refusal, Replay, Seat,
};
use parlor_core::model::{
    Bucket, Hashed, Manner, Name, Now, PersonId, Rate, RoomId, RoomName, Spoken, WallTime,
};

use crate::call::Call;
use crate::checker::{self, Dialect, End, nobody_after};
use crate::keeping;
use crate::reader::{AnyEncoder, Reader};
use crate::record::House;
use crate::server::address;
use crate::shared_group::SharedGroup;
use crate::voice::{Unread, Voice, line, pick};

/// A few names, so that they collide; some look alike.
pub(crate) static NAMES: LazyLock<Vec<Name>> = LazyLock::new(|| {
    ["alice", "Alice", "bob", "carol", "mike", "rnike", "zoé", "ζωή", "d.e.f", "g_h-1"]
        .map(|name| Name::parse(name).expect("a name"))
        .into()
});

pub(crate) static ROOMS: LazyLock<Vec<RoomName>> = LazyLock::new(|| {
    ["lobby", "tea", "den", "attic", "yard"]
        .map(|room| RoomName::parse(room).expect("a room"))
        .into()
});

/// A name, often one of three, so that many people want the same.
fn wanted_name(rng: &mut Rng) -> Name {
    let names = if rng.u8(0..4) > 0 { &NAMES[..3] } else { &NAMES };
    pick(rng, names)
}

/// For this many turns a hasty guest reads nothing while it comes and goes.
const HASTE_TURNS: usize = 20;

pub(crate) struct Guest {
    person: usize,
    id: PersonId,
    dialect: Dialect,
    call: Call<Asked>,
    presence: Option<Presence>,
    /// The seats; the guest speaks in the last one.
    seats: Vec<Seat>,
    /// Whether it kept the room where it speaks, when it entered.
    keeps: bool,
    /// The place behind its last departure, if somebody removed it from its only room.
    behind: Option<Mark>,
    /// The room that it left last.
    left: Option<RoomName>,
    reader: Option<Reader>,
    voice: Voice,
    /// The last token that was stored in the room where it speaks.
    kept: Option<String>,
    rate: Option<Rate>,
    bucket: Bucket,
    refusals: usize,
    house: Rc<House>,
    /// The names for which it has asked.
    names: Vec<Name>,
    /// Whether it has a code, and stays in one room.
    is_careful: bool,
    /// The code with which it comes.
    returns: Option<Hashed>,
    /// The code with which another connection can take its place.
    code: Option<Hashed>,
    /// Whether somebody has removed it from a room for which it may have a code.
    was_removed: bool,
    /// Whether another connection has taken its place, and perhaps not in its room: nobody knows when
    /// its seat there ends.
    is_elsewhere: bool,
    /// Whether it writes to one person more often than to everybody.
    is_gossip: bool,
    /// Whether it returns to a room that it has just left, and leaves it again before it reads
    /// anything there.
    is_hasty: bool,
    /// For this many turns it reads nothing.
    pub(crate) stalled: usize,
}

/// The request under way.
#[derive(Debug)]
enum Asked {
    Seat,
    /// A new code.
    Code(Hashed),
    /// The place of a code.
    Place(Hashed),
    /// A seat at that place.
    Return(Hashed),
    Post {
        last: String,
        lines: u64,
    },
    /// A private message, by its number.
    Whisper(u64),
    /// It is answered at once, whatever the other nodes do.
    Question,
    Other,
}

impl Guest {
    pub(crate) fn new(
        person: usize,
        link: Link,
        (shared, house): (Rc<SharedGroup>, Rc<House>),
        rng: &mut Rng,
    ) -> Guest {
        let dialect = match rng.u8(0..8) {
            0..2 => Dialect::Classic,
            2..5 => Dialect::Named,
            _ => Dialect::Web,
        };
        link.client().hold_back();
        let is_careful = dialect == Dialect::Named && rng.bool();
        let returns = is_careful.then(|| house.codes.borrow_mut().pop()).flatten();
        Guest {
            person,
            id: link.client().id(),
            dialect,
            reader: Some(Reader::new(Arc::clone(link.client()), shared, AnyEncoder::new(dialect))),
            call: Call::new(link),
            presence: None,
            seats: Vec::new(),
            keeps: false,
            behind: None,
            left: None,
            voice: Voice::new(person),
            kept: None,
            rate: rng.bool().then(|| Rate { per_second: rng.u32(1..50) }),
            bucket: Bucket::default(),
            refusals: 0,
            house,
            names: Vec::new(),
            is_careful,
            returns,
            code: None,
            was_removed: false,
            is_elsewhere: false,
            is_gossip: rng.u8(0..6) == 0,
            is_hasty: dialect == Dialect::Web && rng.u8(0..4) == 0,
            stalled: 0,
        }
    }

    /// Whether it has read its last byte.
    pub(crate) fn is_gone(&self) -> bool {
        self.reader.is_none()
    }

    /// Whether it has left the server, still reads, and may break off before the end.
    pub(crate) fn is_rushing_off(&self) -> bool {
        self.is_hasty && self.call.link.is_none() && self.reader.is_some()
    }

    pub(crate) fn voice(&self) -> &Voice {
        &self.voice
    }

    /// The names for which it has asked: it has had no others.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        self.names.iter().map(Name::to_string)
    }

    /// Whether it is on the server.
    pub(crate) fn is_present(&self) -> bool {
        self.presence.is_some()
    }

    /// Checks that no request is under way.
    pub(crate) fn assert_answered(&self) {
        assert!(
            self.call.asked.is_none(),
            "no outcome of {:?}: {:?}",
            self.call.asked,
            self.person
        );
    }

    /// Checks that no question is under way, after the server was awake.
    pub(crate) fn assert_question_answered(&mut self) {
        if let Some(Asked::Question) = self.call.asked {
            assert!(self.look(), "person {} waits for an answer", self.person);
        }
    }

    pub(crate) fn assert_caught_up(&self) {
        let caught_up = self.reader.as_ref().is_none_or(|r| r.has_caught_up());
        assert!(caught_up, "person {} is asleep and has not read everything", self.person);
    }

    /// Starts a request, unless one is under way.
    pub(crate) fn act(&mut self, now: Now, rng: &mut Rng) {
        if !self.call.is_free() {
            return;
        }
        if self.presence.is_none() {
            self.enter(rng);
        } else if self.seats.is_empty() && self.has_room() {
            match rng.u8(0..8) {
                0..5 => self.join(rng),
                5 => self.rename(rng),
                6 => self.write_privately(rng),
                _ => self.leave(rng),
            }
        } else if self.has_room() {
            match rng.u8(0..40) {
                _ if self.is_careful && self.code.is_none() => self.keep_code(rng),
                _ if self.keeps && rng.u8(0..4) == 0 => self.keep_order(rng),
                0..29 if self.is_hasty && self.left.is_some() => self.join(rng),
                0..29 if self.is_hasty && self.stalled > 0 => self.leave(rng),
                // Moves are frequent, because reading several rooms at once must not be rare.
                0..12 if self.dialect == Dialect::Web => self.move_about(rng),
                0..24 if self.is_gossip => self.write_privately(rng),
                0..18 => self.post(now, rng),
                18..24 => self.write_privately(rng),
                24 => self.leave(rng),
                _ if self.dialect == Dialect::Classic => {}
                25..29 if self.is_careful => self.keep_code(rng),
                25..29 => self.join(rng),
                29..32 => self.rename(rng),
                32..34 => self.set_topic(rng),
                34..36 => self.replay(rng),
                _ => self.look_around(rng),
            }
        }
    }

    /// Whether its mailbox has space for an answer.
    fn has_room(&self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        let room = |link: &Link| pin!(link.wait_for_space()).poll(&mut cx).is_ready();
        self.call.link.as_ref().is_some_and(room)
    }

    fn enter(&mut self, rng: &mut Rng) {
        if self.refusals > 3 {
            self.break_off(rng);
            return;
        }
        if let Some(code) = self.returns.take() {
            self.call.start(Asked::Place(code), Query::Code { code, now: WallTime(0) });
            return;
        }
        let name = if self.dialect == Dialect::Classic || !self.is_careful && rng.bool() {
            Name::of_address(&address(self.person).to_string())
        } else {
            wanted_name(rng)
        };
        self.names.push(name.clone());
        if self.dialect == Dialect::Web && rng.u8(0..3) == 0 {
            self.call.start(Asked::Seat, Change::Come { name: name.into(), profile: None });
            return;
        }
        let room = if rng.bool() { RoomName::lobby() } else { pick(rng, &ROOMS) };
        let (name, replay) = (name.into(), rng.u64(0..6));
        self.call.start(Asked::Seat, Change::Enter { name, profile: None, room, replay });
    }

    /// Makes a code, or gives it the present name.
    fn keep_code(&mut self, rng: &mut Rng) {
        let room = self.room();
        let (asked, change) = match self.code {
            Some(code) => (Asked::Other, CodeChange::Move { code, room: Some(room) }),
            None => {
                let code = Hashed(std::array::from_fn(|_| rng.u8(..)));
                (Asked::Code(code), CodeChange::Make { code, room: Some(room) })
            }
        };
        self.call.start(asked, Change::Code(change));
    }

    /// The change that follows when a connection with a code has ended.
    pub(crate) fn end_of_code(&self) -> Option<Change> {
        let (code, seq, until) = (self.code?, None, WallTime(1));
        Some(Change::Code(CodeChange::End { code, whose: self.id, seq, until }))
    }

    fn join(&mut self, rng: &mut Rng) {
        let back = self.left.take().filter(|_| self.is_hasty || rng.bool());
        let room = back.unwrap_or_else(|| pick(rng, &ROOMS));
        let replay = rng.u64(0..6);
        self.call.start(Asked::Seat, Change::Join { room, password: None, replay });
    }

    fn rename(&mut self, rng: &mut Rng) {
        let name = wanted_name(rng);
        self.names.push(name.clone());
        self.call.start(Asked::Other, Change::Rename(name.into()));
    }

    /// Takes one more seat, turns to another one, or gives one up.
    fn move_about(&mut self, rng: &mut Rng) {
        if self.seats.len() < 2 && rng.u8(0..8) != 0 || rng.u8(0..4) == 0 {
            self.join(rng);
            return;
        }
        let chosen = rng.usize(0..self.seats.len());
        let seat = self.seats.remove(chosen);
        self.kept = None;
        if rng.bool() {
            self.seats.push(seat);
        } else {
            self.left = Some(seat.room_name().clone());
            if self.is_hasty {
                self.stalled = HASTE_TURNS;
            }
        }
    }

    fn seat(&self) -> &Seat {
        self.seats.last().expect("asked only when seated")
    }

    fn room(&self) -> RoomId {
        self.seat().room()
    }

    fn post(&mut self, now: Now, rng: &mut Rng) {
        let mut count = if rng.u8(0..10) == 0 { rng.usize(1..50) } else { rng.usize(1..5) };
        if let Some(rate) = self.rate {
            count = count.min(self.bucket.level(rate, now.monotonic));
            self.bucket.take(rate, now.monotonic, count);
        }
        if count == 0 {
            return;
        }
        let (lines, last) = self.voice.speak(count, rng);
        let room = self.room();
        self.call.start(Asked::Post { last, lines: count as u64 }, Change::Say { room, lines });
    }

    fn set_topic(&mut self, rng: &mut Rng) {
        let room = self.room();
        let text = rng.bool().then(|| line(&format!("topic {}", rng.u8(..))));
        self.call.start(Asked::Other, Change::SetTopic { room, text });
    }

    fn keep_order(&mut self, rng: &mut Rng) {
        let change = keeping::request(self.seat().room_name(), rng);
        self.call.start(Asked::Other, change);
    }

    /// Writes to a person, or to a name that nobody has, so that the answer shows its place.
    fn write_privately(&mut self, rng: &mut Rng) {
        let to = match &self.kept {
            _ if self.is_gossip => NAMES[self.person % 3].to_string(),
            Some(kept) if rng.bool() => nobody_after(kept),
            _ => pick(rng, &NAMES).to_string(),
        };
        let text = self.voice.whisper(if self.is_gossip { 4_000 } else { 0 });
        let lines = vec![Spoken::new(Manner::Plain, text)];
        let (to, is_for_programs, may_be_own) = (line(&to), false, false);
        let asked = Asked::Whisper(self.voice.last_token());
        self.call.start(asked, Query::Private { to, lines, is_for_programs, may_be_own });
    }

    fn look_around(&mut self, rng: &mut Rng) {
        let here = self.room();
        // No guest ignores anybody: the checker would miss the hidden lines.
        let request = match rng.u8(0..6) {
            4.. if self.dialect == Dialect::Web => {
                Query::People { room: self.seat().room_name().clone(), from: 0 }
            }
            0 => Query::Rooms,
            1 => Query::Topic(self.seat().room_name().clone()),
            2 => Query::Who(here),
            _ => Query::WhoIn(pick(rng, &ROOMS)),
        };
        self.call.start(Asked::Question, request);
    }

    /// Asks for the last lines again.
    fn replay(&mut self, rng: &mut Rng) {
        if let (Some(link), Some(seat)) = (&self.call.link, self.seats.last()) {
            let replay =
                Replay::last(seat.room_name(), seat.log(), rng.u64(0..30), seat.log().end());
            link.reply(seat.mark(), Mail::Replay(replay));
        }
    }

    /// Looks for an outcome, and returns whether there was one.
    pub(crate) fn look(&mut self) -> bool {
        let Some((outcome, asked)) = self.call.outcome() else {
            return self.give_way() || self.move_out();
        };
        self.note_code(&outcome, &asked);
        let Some(link) = &self.call.link else {
            return false;
        };
        match (outcome, asked) {
            // Two people may share an address as their name, which no reader can tell apart.
            (Outcome::Code(place), Asked::Place(code)) if !place.claim.name.is_address() => {
                self.names.push(place.claim.name.clone());
                let (now, profile, room) = (WallTime(0), None, FirstRoom::Usual);
                let back = Change::ComeBack { code, now, profile, room };
                self.call.start(Asked::Return(code), back);
            }
            (Outcome::Came(presence, seat), _) => {
                self.presence = Some(presence);
                if let Some((seat, entered)) = seat {
                    self.keeps = entered.keeps.is_some();
                    link.reply(seat.mark(), Mail::Entered(entered));
                    self.seats.push(seat);
                }
                link.client().let_in();
            }
            (Outcome::Entered((seat, entered)), _) => {
                let mark = match self.seats.last() {
                    // The seat that this replaces is given up when its place in the mailbox is
                    // taken.
                    Some(old) if self.dialect != Dialect::Web => old.mark_of_departure(),
                    _ => self.behind.take().unwrap_or_else(|| seat.mark()),
                };
                self.keeps = entered.keeps.is_some();
                link.reply(mark, Mail::Entered(entered));
                if self.dialect != Dialect::Web {
                    self.seats.clear();
                }
                self.seats.push(seat);
                self.kept = None;
            }
            (Outcome::Answer(answer), asked) => self.answered(answer, asked),
            (Outcome::Done, Asked::Post { last, lines }) => {
                self.voice.answered(lines, true);
                self.kept = Some(last);
            }
            _ => {}
        }
        true
    }

    fn answered(&mut self, answer: Answer, asked: Asked) {
        if let (Asked::Whisper(number), Answer::Refused(refusal)) = (&asked, &answer) {
            self.voice.unread.push(Unread {
                message: (self.person, *number),
                is_known: !matches!(refusal, Refusal::NoAnswer(_)),
            });
        }
        if let Asked::Post { lines, .. } = asked {
            self.voice.answered(lines, false);
            // Lines that the disk did not store were ordered.
            let is_ordered = matches!(answer, Answer::Refused(Refusal::NotStored(_)));
            self.voice.lines -= if is_ordered { 0 } else { lines };
        }
        let mark = match self.seats.last() {
            Some(seat) => seat.mark(),
            None if self.presence.is_some() => Mark::default(),
            None => {
                self.refusals += 1;
                return;
            }
        };
        if let Some(link) = &self.call.link {
            link.reply(mark, Mail::Answer(answer));
        }
    }

    /// If it has a code now, anybody may use the code.
    fn note_code(&mut self, outcome: &Outcome, asked: &Asked) {
        if let (Outcome::Came(..), &Asked::Return(code)) | (Outcome::Done, &Asked::Code(code)) =
            (outcome, asked)
        {
            self.code = Some(code);
            self.house.codes.borrow_mut().push(code);
        }
    }

    /// Leaves, if another connection has taken its place. Returns whether that is new.
    fn give_way(&mut self) -> bool {
        let is_moved =
            self.call.link.as_ref().is_some_and(|link| link.client().removed().is_some());
        if !is_moved || self.call.asked.is_some() {
            return false;
        }
        self.presence = None;
        self.seats.clear();
        self.call.link = None;
        self.is_elsewhere = self.was_removed;
        true
    }

    /// Leaves the rooms from which somebody has removed it. At a door where people are always in one
    /// room, it goes to the lobby. Returns whether that is new.
    fn move_out(&mut self) -> bool {
        if self.call.asked.is_some() {
            return false;
        }
        let removed: Vec<_> = self.seats.extract_if(.., |seat| seat.removed().is_some()).collect();
        self.was_removed |= !removed.is_empty();
        for seat in &removed {
            if let (Some(act), Some(link)) = (seat.removed(), &self.call.link) {
                let notice = Answer::Notice(Notice::Act(Arc::clone(act)));
                link.reply(seat.mark_of_departure(), Mail::Answer(notice));
                self.behind = Some(seat.mark_of_departure());
            }
        }
        if self.dialect == Dialect::Web {
            self.behind = None;
        } else if !removed.is_empty() {
            let (room, password) = (RoomName::lobby(), None);
            self.call.start(Asked::Seat, Change::Join { room, password, replay: 0 });
        }
        !removed.is_empty()
    }

    /// Notes the lines under way that may have come after another connection took the place, or after
    /// a keeper forbade them. Nobody keeps the lobby.
    fn doubt(&mut self) {
        let is_kept = self.seats.last().is_none_or(|seat| *seat.room_name() != RoomName::lobby());
        if let Some(Asked::Post { lines, .. }) = &self.call.asked
            && (is_kept || self.code.is_some())
        {
            self.voice.doubtful += lines;
        }
    }

    /// Reads as much as the socket takes. Returns whether there was anything to do.
    pub(crate) fn read(&mut self, room: usize, piece: usize) -> bool {
        self.reader.as_mut().is_some_and(|reader| reader.read(room, piece))
    }

    /// Leaves, perhaps with a request under way, and continues to read up to the departure.
    pub(crate) fn leave(&mut self, rng: &mut Rng) {
        let Some(presence) = self.presence.take() else {
            return;
        };
        self.doubt();
        let words = rng.bool().then(|| line("bye (for now)"));
        self.call.asked = None;
        if rng.bool() {
            self.call.link = None;
        }
        presence.leave(words);
        self.seats.clear(); // they ended with the presence
        self.call.link = None;
    }

    /// The connection breaks: everything is dropped, in random order.
    pub(crate) fn break_off(&mut self, rng: &mut Rng) -> Option<checker::Reader> {
        self.doubt();
        let seen = self.seen(End::Broken);
        let mut parts = [0, 1, 2, 3];
        rng.shuffle(&mut parts);
        for part in parts {
            match part {
                0 => drop(self.call.link.take()),
                1 => self.seats.clear(),
                2 => drop(self.presence.take()),
                _ => drop(self.reader.take()),
            }
        }
        self.call.asked = None;
        seen
    }

    /// A guest is done when it has left and has read everything up to its departure.
    pub(crate) fn finish(&mut self) -> Option<checker::Reader> {
        let is_over = self.call.link.is_none() && self.reader.as_ref()?.is_over();
        let seen = is_over.then(|| self.seen(End::Left)).flatten();
        if is_over {
            self.reader = None;
        }
        seen
    }

    /// Everything seen so far.
    pub(crate) fn seen(&self, end: End) -> Option<checker::Reader> {
        let reader = self.reader.as_ref()?;
        Some(checker::Reader {
            person: Some(self.person),
            dialect: self.dialect,
            text: reader.text.clone(),
            end: if self.is_elsewhere { End::Broken } else { end },
            has_left: self.call.link.is_none(),
            fell_silently: reader.fell_silently(),
            listened: None,
            caps: "",
            barriers: Vec::new(),
        })
    }

    pub(crate) fn client(&self) -> Option<&Arc<parlor_core::link::Client>> {
        self.reader.as_ref().map(Reader::client)
    }
}
