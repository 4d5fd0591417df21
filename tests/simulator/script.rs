//! A simulated script: it listens to a room and speaks in rooms, without a seat.

use std::rc::Rc;
use std::sync::Arc;

use fastrand::Rng;
use parlor_core::link::{Answer, Change, Link, Listener, Mail, Mark, Outcome, Refusal, View};

use crate::call::Call;
use crate::checker::{self, Dialect, End, Listened};
use crate::guest::{NAMES, ROOMS};
use crate::reader::{AnyEncoder, Reader};
use crate::server::Server;
use crate::shared_group::SharedGroup;
use crate::voice::{Voice, pick};

pub(crate) struct Script {
    person: usize,
    dialect: Dialect,
    call: Call<Asked>,
    listener: Option<Listener>,
    /// The piece of a room that it hears; none before it listens.
    heard: Option<(Listened, View)>,
    reader: Option<Reader>,
    voice: Voice,
    pub(crate) stalled: usize,
}

/// The request under way.
#[derive(Debug)]
enum Asked {
    Listen,
    Speak { lines: u64 },
}

impl Script {
    pub(crate) fn new(person: usize, link: Link, shared: Rc<SharedGroup>, rng: &mut Rng) -> Script {
        let dialect = pick(rng, &[Dialect::Named, Dialect::Web]);
        Script {
            person,
            dialect,
            reader: Some(Reader::new(Arc::clone(link.client()), shared, AnyEncoder::new(dialect))),
            call: Call::new(link),
            listener: None,
            heard: None,
            voice: Voice::new(person),
            stalled: 0,
        }
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.reader.is_none()
    }

    pub(crate) fn voice(&self) -> &Voice {
        &self.voice
    }

    pub(crate) fn assert_settled(&self) {
        let asked = &self.call.asked;
        assert!(asked.is_none(), "no outcome of {asked:?}");
        let caught_up = self.reader.as_ref().is_none_or(|r| r.has_caught_up());
        assert!(caught_up, "script {} has not read everything", self.person);
    }

    /// Starts a request, unless one is under way.
    pub(crate) fn act(&mut self, rng: &mut Rng) {
        if !self.call.is_free() {
            return;
        }
        let room = pick(rng, &ROOMS);
        let (asked, request) = if self.heard.is_none() && rng.bool() {
            let replay = rng.u64(0..6);
            (
                Asked::Listen,
                Change::Listen { owner: None, room, password: None, waits: rng.bool(), replay },
            )
        } else {
            let name = pick(rng, &NAMES).into();
            let (lines, _) = self.voice.speak(rng.usize(1..5), rng);
            let count = lines.len() as u64;
            (
                Asked::Speak { lines: count },
                Change::SpeakOnce { name, profile: None, room, password: None, lines },
            )
        };
        self.call.start(asked, request);
    }

    /// Looks for an outcome, and returns whether there was one.
    pub(crate) fn look(&mut self, server: &mut Server) -> bool {
        let Some((outcome, asked)) = self.call.outcome() else {
            return self.give_way();
        };
        match (outcome, asked) {
            (Outcome::Listening(listener, listening), _) => {
                let view = listening.view.clone();
                let (room, before) = server.record.room_of(&view);
                let from = before + view.arrived.position as usize;
                let listened = Listened { room, from, to: None };
                let mark = Mark::behind(view.room());
                if let Some(link) = &self.call.link {
                    link.reply(mark, Mail::Listening(listening));
                }
                self.listener = Some(listener);
                self.heard = Some((listened, view));
            }
            (Outcome::Said { first, last }, Asked::Speak { lines }) => {
                assert_eq!(last + 1 - first, lines, "numbers of what was said");
                self.voice.answered(lines, true);
            }
            // Lines that the disk did not store were ordered; other refused lines were not.
            (Outcome::Answer(Answer::Refused(Refusal::NotStored(_))), Asked::Speak { lines }) => {
                self.voice.answered(lines, false);
            }
            (Outcome::Answer(Answer::Refused(_)), Asked::Speak { lines }) => {
                self.voice.lines -= lines;
                self.voice.answered(lines, false);
            }
            (Outcome::Answer(Answer::Refused(_)), Asked::Listen) => {}
            other => panic!("an outcome of another request: {other:?}"),
        }
        true
    }

    /// Stops, if it may listen no longer. Returns whether that is new.
    fn give_way(&mut self) -> bool {
        let link = self.call.link.as_ref();
        let is_removed = link.is_some_and(|link| link.client().removed().is_some());
        let stops = is_removed && self.call.asked.is_none();
        if stops {
            self.leave();
        }
        stops
    }

    /// Reads as much as the socket takes. Returns whether there was anything to do.
    pub(crate) fn read(&mut self, room: usize, piece: usize) -> bool {
        self.reader.as_mut().is_some_and(|reader| reader.read(room, piece))
    }

    /// Stops listening, and continues to read up to that point.
    pub(crate) fn leave(&mut self) {
        if self.call.asked.is_none() {
            self.listener = None;
            self.call.link = None;
        }
    }

    /// The connection breaks: everything is dropped, in random order. It does not break while the
    /// script speaks, because it would be unknown whether the lines were said.
    pub(crate) fn break_off(&mut self, rng: &mut Rng) -> Option<checker::Reader> {
        if let Some(Asked::Speak { .. }) = self.call.asked {
            return None;
        }
        let seen = self.seen(End::Broken);
        let mut parts = [0, 1, 2];
        rng.shuffle(&mut parts);
        for part in parts {
            match part {
                0 => drop(self.call.link.take()),
                1 => drop(self.listener.take()),
                _ => drop(self.reader.take()),
            }
        }
        self.call.asked = None;
        seen
    }

    /// A script is done when it has stopped listening and has read everything up to that point.
    pub(crate) fn finish(&mut self) -> Option<checker::Reader> {
        let is_over = |reader: &Reader| reader.is_over() || self.heard.is_none();
        if self.call.link.is_some() || !self.reader.as_ref().is_some_and(is_over) {
            return None;
        }
        let seen = self.seen(End::Left);
        self.reader = None;
        seen
    }

    /// Everything heard so far, if it listens.
    pub(crate) fn seen(&self, end: End) -> Option<checker::Reader> {
        let (listened, view) = self.heard.as_ref()?;
        let reader = self.reader.as_ref()?;
        let before = listened.from - view.arrived.position as usize;
        let to = view.departed().map(|departed| before + departed.position as usize);
        Some(checker::Reader {
            person: None,
            dialect: self.dialect,
            text: reader.text.clone(),
            end,
            has_left: end == End::Left,
            fell_silently: reader.fell_silently(),
            listened: Some(Listened { to, ..listened.clone() }),
            caps: "",
            barriers: Vec::new(),
        })
    }
}
