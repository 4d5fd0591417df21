//! A simulated client: what it asks, how it reads, and the many ways in which it goes.

use std::pin::pin;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Waker};

use fastrand::Rng;
use jiff::tz::TimeZone;
use parlor_core::client::Link;
use parlor_core::entry::Manner;
use parlor_core::inbox::{Outcome, Request, Spoken};
use parlor_core::line::Line;
use parlor_core::mailbox::Item;
use parlor_core::name::{Name, RoomName};
use parlor_core::rate::{Bucket, Rate};
use parlor_core::seat::{Replay, Seat};
use parlor_core::time::{Now, WallTime};
use parlor_wire::lines::{Clock, Keeping, LineEncoder, Mode};

use crate::checker::{self, Dialect, End, nobody_after, token};
use crate::desk::Desk;
use crate::reader::Reader;

/// Few, so that they collide; some look alike.
static NAMES: LazyLock<Vec<Name>> = LazyLock::new(|| {
    [
        "alice", "Alice", "bob", "carol", "mike", "rnike", "zoé", "ζωή", "d.e.f", "g_h-1",
    ]
    .map(|name| Name::parse(name).expect("a name"))
    .into()
});

static ROOMS: LazyLock<Vec<RoomName>> = LazyLock::new(|| {
    ["lobby", "tea", "den", "attic", "yard"]
        .map(|room| RoomName::parse(room).expect("a room"))
        .into()
});

/// What stands behind a token: nothing, much, and what no terminal should get.
const TAILS: [&str; 6] = [
    "",
    "",
    " and more: words",
    " \x1b[2J\r\u{202e}-- you",
    " has arrived",
    " grüße",
];

pub(crate) struct Guest {
    person: usize,
    dialect: Dialect,
    link: Option<Link>,
    seat: Option<Seat>,
    reader: Option<Reader>,
    asked: Option<Asked>,
    /// The bell before it was last looked for an outcome: until it is rung there is none.
    looked: Option<u64>,
    /// The number of the last token.
    tokens: u64,
    /// How many lines were said.
    pub(crate) lines: u64,
    /// The last token that was kept.
    kept: Option<String>,
    rate: Option<Rate>,
    bucket: Bucket,
    refusals: usize,
    /// Writes to one person alone more than to all.
    is_gossip: bool,
    /// Reads nothing for so many turns.
    pub(crate) stalled: usize,
}

/// The request under way.
#[derive(Debug)]
enum Asked {
    Seat,
    Post { last: String },
    Other,
}

fn line(text: &str) -> Line {
    Line::sanitise(text.as_bytes())
}

fn pick<T: Clone>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(0..from.len())].clone()
}

impl Guest {
    pub(crate) fn new(person: usize, link: Link, desk: Rc<Desk>, rng: &mut Rng) -> Guest {
        let dialect = if rng.u8(0..4) == 0 {
            Dialect::Classic
        } else {
            Dialect::Named
        };
        let mode = match dialect {
            Dialect::Named => Mode::Named,
            Dialect::Classic => Mode::Classic,
        };
        let clock = Clock {
            zone: TimeZone::UTC,
            now: || WallTime(0),
        };
        let encoder = LineEncoder::new(mode, Keeping::Nowhere, clock);
        Guest {
            person,
            dialect,
            reader: Some(Reader::new(Arc::clone(link.client()), desk, encoder)),
            link: Some(link),
            seat: None,
            asked: None,
            looked: None,
            tokens: 0,
            lines: 0,
            kept: None,
            rate: rng.bool().then(|| Rate {
                per_second: rng.u32(1..50),
            }),
            bucket: Bucket::default(),
            refusals: 0,
            is_gossip: rng.u8(0..6) == 0,
            stalled: 0,
        }
    }

    /// Whether nothing will be heard of it any more.
    pub(crate) fn is_gone(&self) -> bool {
        self.reader.is_none()
    }

    /// Whether a request is under way, and what.
    pub(crate) fn assert_answered(&self) {
        assert!(
            self.asked.is_none(),
            "no outcome of {:?}: {:?}",
            self.asked,
            self.person
        );
    }

    pub(crate) fn assert_caught_up(&self) {
        let caught_up = self.reader.as_ref().is_none_or(|r| r.has_caught_up());
        assert!(
            caught_up,
            "person {} is asleep and has not read everything",
            self.person
        );
    }

    /// Does something, if nothing is under way.
    pub(crate) fn act(&mut self, now: Now, rng: &mut Rng) {
        if self.link.is_none() || self.asked.is_some() {
            return;
        }
        if self.seat.is_none() {
            self.enter(rng);
        } else if self.has_room() {
            match rng.u8(0..40) {
                0..24 if self.is_gossip => self.write_privately(rng),
                0..18 => self.post(now, rng),
                18..24 => self.write_privately(rng),
                24 => self.leave(rng),
                _ if self.dialect == Dialect::Classic => {}
                25..29 => self.join(rng),
                29..32 => self.rename(rng),
                32..34 => self.set_topic(rng),
                34..36 => self.replay(rng),
                _ => self.look_around(rng),
            }
        }
    }

    /// Whether the own mailbox has room for an answer.
    fn has_room(&self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        let room = |link: &Link| pin!(link.room()).poll(&mut cx).is_ready();
        self.link.as_ref().is_some_and(room)
    }

    fn ask(&mut self, asked: Asked, request: Request) {
        if let Some(link) = &mut self.link {
            self.asked = Some(asked);
            self.looked = None;
            link.start(request);
        }
    }

    fn enter(&mut self, rng: &mut Rng) {
        if self.refusals > 3 {
            self.break_off(rng);
            return;
        }
        let name = if self.dialect == Dialect::Classic || rng.bool() {
            Name::of_address(&format!("10.0.0.1:{}", self.person))
        } else {
            pick(rng, &NAMES)
        };
        let room = if rng.bool() {
            RoomName::lobby()
        } else {
            pick(rng, &ROOMS)
        };
        let (name, replay) = (name.into(), rng.u64(0..6));
        self.ask(Asked::Seat, Request::Enter { name, room, replay });
    }

    fn join(&mut self, rng: &mut Rng) {
        let (room, replay) = (pick(rng, &ROOMS), rng.u64(0..6));
        self.ask(Asked::Seat, Request::Join { room, replay });
    }

    fn rename(&mut self, rng: &mut Rng) {
        self.ask(
            Asked::Other,
            Request::Rename(pick::<Name>(rng, &NAMES).into()),
        );
    }

    fn room(&self) -> parlor_core::entry::RoomId {
        self.seat.as_ref().expect("asked only when seated").room()
    }

    fn post(&mut self, now: Now, rng: &mut Rng) {
        let mut count = if rng.u8(0..10) == 0 {
            rng.usize(1..50)
        } else {
            rng.usize(1..5)
        };
        if let Some(rate) = self.rate {
            count = count.min(self.bucket.level(rate, now.monotonic));
            self.bucket.take(rate, now.monotonic, count);
        }
        if count == 0 {
            return;
        }
        let mut last = String::new();
        let tail = pick(rng, &TAILS);
        let lines = (0..count).map(|_| {
            self.tokens += 1;
            last = token(self.person, self.tokens);
            let long = if rng.u8(0..50) == 0 {
                format!(" {}", "x".repeat(rng.usize(0..4_000)))
            } else {
                String::new()
            };
            Spoken {
                manner: if rng.u8(0..5) == 0 {
                    Manner::Action
                } else {
                    Manner::Plain
                },
                text: line(&format!("{last}{tail}{long}")),
            }
        });
        let lines = lines.collect();
        self.lines += count as u64;
        let room = self.room();
        self.ask(Asked::Post { last }, Request::Post { room, lines });
    }

    fn set_topic(&mut self, rng: &mut Rng) {
        let room = self.room();
        let text = rng.bool().then(|| line(&format!("topic {}", rng.u8(..))));
        self.ask(Asked::Other, Request::SetTopic { room, text });
    }

    /// To somebody, or to nobody at all, so that the answer shows its place.
    fn write_privately(&mut self, rng: &mut Rng) {
        let to = match &self.kept {
            _ if self.is_gossip => NAMES[self.person % 3].to_string(),
            Some(kept) if rng.bool() => nobody_after(kept),
            _ => pick(rng, &NAMES).to_string(),
        };
        self.tokens += 1;
        let much = if self.is_gossip { 4_000 } else { 0 };
        let text = format!("p{}n{}{}", self.person, self.tokens, "y".repeat(much));
        let (to, text) = (line(&to), line(&text));
        self.ask(Asked::Other, Request::Private { to, text });
    }

    fn look_around(&mut self, rng: &mut Rng) {
        let here = self.room();
        // Nobody is ignored: what a reader hides, the checker would miss.
        let request = match rng.u8(0..4) {
            0 => Request::Rooms,
            1 => Request::Topic(here),
            2 => Request::Who { here, room: None },
            _ => Request::Who {
                here,
                room: Some(pick(rng, &ROOMS)),
            },
        };
        self.ask(Asked::Other, request);
    }

    /// Asks for the last lines again.
    fn replay(&mut self, rng: &mut Rng) {
        if let (Some(link), Some(seat)) = (&self.link, &self.seat) {
            let replay = Replay::last(
                seat.room_name(),
                seat.log(),
                rng.u64(0..30),
                seat.log().end(),
            );
            link.reply(seat.mark(), Item::Replay(replay));
        }
    }

    /// Looks for an outcome. Whether there was one.
    pub(crate) fn look(&mut self) -> bool {
        let Some(link) = &mut self.link else {
            return false;
        };
        let version = link.client().answered().version();
        if self.asked.is_none() || self.looked == Some(version) {
            return false;
        }
        self.looked = Some(version);
        let Some(outcome) = link.outcome() else {
            return false;
        };
        match (outcome, self.asked.take()) {
            (Outcome::Entered(seat, entered), _) => {
                // The old seat is given up when its place in the mailbox is taken.
                let mark = self
                    .seat
                    .as_ref()
                    .map_or(seat.mark(), Seat::mark_of_departure);
                link.reply(mark, Item::Entered(entered));
                self.seat = Some(seat);
            }
            (Outcome::Answer(answer), _) => match &self.seat {
                Some(seat) => link.reply(seat.mark(), Item::Answer(answer)),
                None => self.refusals += 1,
            },
            (Outcome::Done, Some(Asked::Post { last })) => self.kept = Some(last),
            _ => {}
        }
        true
    }

    /// Reads what the socket takes. Whether there was anything to do.
    pub(crate) fn read(&mut self, room: usize, piece: usize) -> bool {
        match &mut self.reader {
            Some(reader) if !reader.is_asleep() && room > 0 => {
                reader.read(room, piece);
                true
            }
            _ => false,
        }
    }

    /// Leaves, with a request under way or not, and reads on up to the departure.
    pub(crate) fn leave(&mut self, rng: &mut Rng) {
        let Some(seat) = self.seat.take() else {
            return;
        };
        let words = rng.bool().then(|| line("bye (for now)"));
        self.asked = None;
        if rng.bool() {
            self.link = None;
            seat.leave(words);
        } else {
            seat.leave(words);
            self.link = None;
        }
    }

    /// The connection breaks: everything is dropped, in any order.
    pub(crate) fn break_off(&mut self, rng: &mut Rng) -> Option<checker::Reader> {
        let seen = self.seen(End::Broken);
        let mut parts = [0, 1, 2];
        rng.shuffle(&mut parts);
        for part in parts {
            match part {
                0 => drop(self.link.take()),
                1 => drop(self.seat.take()),
                _ => drop(self.reader.take()),
            }
        }
        self.asked = None;
        seen
    }

    /// Whoever has left and read everything up to the departure is done.
    pub(crate) fn finish(&mut self) -> Option<checker::Reader> {
        let is_over = self.link.is_none() && self.reader.as_ref()?.is_over();
        let seen = is_over.then(|| self.seen(End::Left)).flatten();
        if is_over {
            self.reader = None;
        }
        seen
    }

    /// What was seen so far.
    pub(crate) fn seen(&self, end: End) -> Option<checker::Reader> {
        let reader = self.reader.as_ref()?;
        Some(checker::Reader {
            person: Some(self.person),
            dialect: self.dialect,
            text: reader.text.clone(),
            end,
            fell_silently: reader.fell_silently(),
        })
    }

    pub(crate) fn client(&self) -> Option<&Arc<parlor_core::client::Client>> {
        self.reader.as_ref().map(Reader::client)
    }
}
