//! One server and its visitors: guests and scripts come, act, stall and go.

use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Weak;
use std::time::Duration;

use fastrand::Rng;
use parlor_core::link::{Change, Client};

use crate::checker::{self, End, OWNED, Shown, Story};
use crate::guest::Guest;
use crate::irc_guest::IrcGuest;
use crate::script::Script;
use crate::server::Server;
use crate::voice::{Answered, Unread, Voice, check_answers};

/// After the faults everybody must have read everything within this many turns.
const TURNS_TO_SETTLE_MAX: usize = 200;

/// The most guests at a time; more than eight, so that there are crowds.
const GUESTS_MAX: usize = 16;

/// The number of actions of visitors and of the server, by frequency.
pub(crate) const VISITS: u8 = 101;

/// The number of the action in which a guest asks for something, often to say a line.
pub(crate) const TALK: u8 = 38;

/// The most scripts at a time, beside the guests.
const SCRIPTS_MAX: usize = 4;

/// The number of things that people with IRC clients do at once: on a server alone, and beside others.
const CHATS: [usize; 2] = [8, 3];

/// The most people with IRC clients at a time, beside the guests.
const CHATTERS_MAX: usize = 6;

/// A server and all its clients.
pub(crate) struct World {
    rng: Rng,
    pub(crate) server: Server,
    guests: Vec<Guest>,
    scripts: Vec<Script>,
    /// People with IRC clients.
    chatters: Vec<IrcGuest>,
    /// The number of the last visitor.
    pub(crate) people: usize,
    /// The lines of people who are gone.
    said: Said,
    /// Whether connections break. Elsewhere all mail that was sent is read.
    may_break: bool,
    /// Everything seen by people who are gone.
    seen: Vec<checker::Reader>,
    /// The names of people whose connections broke.
    names_cut_off: HashSet<String>,
    clients: Vec<Weak<Client>>,
}

/// Lines of several people, and their outcomes.
#[derive(Clone, Default)]
pub(crate) struct Said {
    lines: u64,
    doubtful: u64,
    pub(crate) answers: Vec<Answered>,
    /// Private messages that were refused.
    pub(crate) unread: Vec<Unread>,
}

impl Said {
    fn add(&mut self, voice: &Voice) {
        self.lines += voice.lines;
        self.doubtful += voice.doubtful;
        self.answers.extend_from_slice(&voice.answers);
        self.unread.extend_from_slice(&voice.unread);
    }
}

impl World {
    /// A server without visitors. The next one is the person with the number after `people`.
    pub(crate) fn new(mut rng: Rng, server: Server, people: usize) -> World {
        let may_break = !server.is_alone() || rng.u8(0..4) > 0;
        World {
            rng,
            server,
            guests: Vec::new(),
            scripts: Vec::new(),
            chatters: Vec::new(),
            people,
            said: Said::default(),
            may_break,
            seen: Vec::new(),
            names_cut_off: HashSet::new(),
            clients: Vec::new(),
        }
    }

    /// The same server, without the visitors so far, who are gone.
    pub(crate) fn without_visitors(self) -> World {
        let World { rng, server, people, .. } = self;
        World::new(rng, server, people)
    }

    /// Some of the things that happen to a server without other nodes.
    pub(crate) fn run(&mut self) {
        for _ in 0..self.rng.usize(50..450) {
            self.step();
        }
    }

    /// Everything that the visitors saw, and the record of the server.
    pub(crate) fn story(&self) -> Story {
        let guests = self.guests.iter();
        let guests = guests.filter_map(|guest| guest.seen(End::Here));
        let scripts = self.scripts.iter();
        let scripts = scripts.filter_map(|script| script.seen(End::Here));
        let chatters = self.chatters.iter().filter_map(|chatter| chatter.seen(End::Here));
        let here = guests.chain(scripts).chain(chatters);
        Story {
            readers: self.seen.iter().cloned().chain(here).collect(),
            rooms: self.server.record.rooms.clone(),
            is_whole: self.server.is_alone(),
            names_cut_off: self.names_cut_off.clone(),
            was_undone: self.server.has_failed,
        }
    }

    /// The lines of everybody so far.
    pub(crate) fn said(&self) -> Said {
        let mut said = self.said.clone();
        let guests = self.guests.iter().map(Guest::voice);
        let scripts = self.scripts.iter().map(Script::voice);
        let chatters = self.chatters.iter().map(IrcGuest::voice);
        guests.chain(scripts).chain(chatters).for_each(|voice| said.add(voice));
        said
    }

    fn step(&mut self) {
        match self.rng.u8(0..112) {
            die @ 0..VISITS => self.visit(die),
            VISITS => self.server.now.wall.0 = self.rng.i64(-10_000_000..10_000_000),
            102..104 => self.pass(5_000),
            _ => self.pass(100),
        }
    }

    /// An action of a visitor or of the server, by a number below [`VISITS`].
    pub(crate) fn visit(&mut self, die: u8) {
        match die {
            0..6 => self.come(),
            6..8 => self.come_in_a_crowd(),
            8..29 => {
                self.server.step(&mut self.rng);
            }
            29 => self.server.change(Change::NoteReadings),
            30..TALK => self.step_script(),
            TALK..60 => self.with_guest(|guest, server, rng| {
                guest.look();
                guest.act(server.now, rng);
            }),
            60..85 => self.with_guest(|guest, _, rng| match guest.stalled {
                0 => {
                    let room = if rng.bool() { usize::MAX } else { rng.usize(0..400) };
                    guest.read(room, rng.usize(1..400));
                }
                _ => guest.stalled -= 1,
            }),
            85..87 => self.with_guest(|guest, _, rng| {
                let turns_max = if rng.bool() { 10 } else { 200 };
                guest.stalled = rng.usize(0..turns_max);
            }),
            87 => self.with_guest(|guest, _, rng| guest.leave(rng)),
            88 if self.may_break => self.break_one_off(),
            88 => {}
            _ => {
                let chats = CHATS[usize::from(!self.server.is_alone())];
                (0..chats).for_each(|_| self.step_chatter());
            }
        }
        self.remove_finished();
    }

    fn come(&mut self) {
        if self.guests.len() >= GUESTS_MAX || !self.server.is_open {
            return;
        }
        self.people += 1;
        let (link, shared) = self.server.connect(self.people);
        self.clients.push(std::sync::Arc::downgrade(link.client()));
        self.server.know(link.client(), self.people);
        let house = Rc::clone(&self.server.record.house);
        let mut guest = Guest::new(self.people, link, (shared, house), &mut self.rng);
        guest.act(self.server.now, &mut self.rng);
        self.guests.push(guest);
    }

    /// A script connects, or does one of the things that scripts do.
    fn step_script(&mut self) {
        if self.scripts.len() < SCRIPTS_MAX && self.server.is_open && self.rng.u8(0..4) == 0 {
            self.people += 1;
            let (link, shared) = self.server.connect(self.people);
            self.clients.push(std::sync::Arc::downgrade(link.client()));
            let script = Script::new(self.people, link, shared, &mut self.rng);
            self.scripts.push(script);
        }
        if self.scripts.is_empty() {
            return;
        }
        let chosen = self.rng.usize(0..self.scripts.len());
        let (script, rng) = (&mut self.scripts[chosen], &mut self.rng);
        script.look(&mut self.server);
        match rng.u8(0..20) {
            0..8 => script.act(rng),
            8 => script.leave(),
            9 if self.may_break => self.seen.extend(script.break_off(rng)),
            10 => script.stalled = rng.usize(0..50),
            _ if script.stalled > 0 => script.stalled -= 1,
            _ => {
                script.read(rng.usize(0..2_000), rng.usize(1..400));
            }
        }
    }

    /// Somebody with an IRC client comes, or does one of the things that such people do.
    fn step_chatter(&mut self) {
        if self.chatters.len() < CHATTERS_MAX && self.server.is_open && self.rng.u8(0..4) == 0 {
            self.people += 1;
            let (link, shared) = self.server.connect(self.people);
            self.clients.push(std::sync::Arc::downgrade(link.client()));
            self.server.know(link.client(), self.people);
            match self.server.is_alone().then(|| self.rng.u8(0..8)) {
                Some(0) => self.server.release(OWNED),
                Some(1..3) => {}
                _ => self.server.register(OWNED), // perhaps while a stranger has the name
            }
            self.chatters.push(IrcGuest::new(self.people, link, shared, &mut self.rng));
        }
        if self.chatters.is_empty() {
            return;
        }
        let chosen = self.rng.usize(0..self.chatters.len());
        let (chatter, rng) = (&mut self.chatters[chosen], &mut self.rng);
        chatter.look(&mut self.server);
        match rng.u8(0..40) {
            0..22 => chatter.act(&self.server, rng),
            22 if rng.u8(0..4) == 0 => chatter.leave(),
            23 if self.may_break && rng.u8(0..4) == 0 => {
                self.names_cut_off.extend(chatter.names());
                self.seen.extend(chatter.break_off(rng));
            }
            24 => {
                let turns_max = if rng.bool() { 10 } else { 100 };
                chatter.stalled = rng.usize(0..turns_max);
            }
            _ if chatter.stalled > 0 => chatter.stalled -= 1,
            _ => {
                let room = if rng.bool() { 100_000 } else { rng.usize(0..1_000) };
                chatter.read(room, rng.usize(1..400));
            }
        }
    }

    fn come_in_a_crowd(&mut self) {
        for _ in 0..self.rng.usize(0..GUESTS_MAX) {
            self.come();
        }
    }

    fn with_guest(&mut self, act: impl FnOnce(&mut Guest, &Server, &mut Rng)) {
        if !self.guests.is_empty() {
            let chosen = self.rng.usize(0..self.guests.len());
            act(&mut self.guests[chosen], &self.server, &mut self.rng);
        }
    }

    fn break_one_off(&mut self) {
        if self.guests.is_empty() {
            return;
        }
        let chosen = self.rng.usize(0..self.guests.len());
        self.names_cut_off.extend(self.guests[chosen].names());
        self.seen.extend(self.guests[chosen].break_off(&mut self.rng));
    }

    fn pass(&mut self, milliseconds_max: u64) {
        let passed = self.rng.u64(0..milliseconds_max);
        self.server.now.monotonic += Duration::from_millis(passed);
        self.server.now.wall.0 += passed as i64;
    }

    /// Removes guests and scripts that are done.
    fn remove_finished(&mut self) {
        for guest in &mut self.guests {
            if self.may_break && guest.is_rushing_off() && self.rng.u8(0..10) == 0 {
                guest.read(self.rng.usize(1..4_000), 400);
                self.names_cut_off.extend(guest.names());
                self.seen.extend(guest.break_off(&mut self.rng));
            }
            self.seen.extend(guest.finish());
            if guest.is_gone() {
                self.said.add(guest.voice());
                guest.end_of_code().into_iter().for_each(|end| self.server.change(end));
            }
        }
        for script in &mut self.scripts {
            self.seen.extend(script.finish());
            if script.is_gone() {
                self.said.add(script.voice());
            }
        }
        for chatter in &mut self.chatters {
            self.seen.extend(chatter.finish());
            if chatter.is_gone() {
                self.said.add(chatter.voice());
            }
        }
        self.chatters.retain(|chatter| !chatter.is_gone());
        self.guests.retain(|guest| !guest.is_gone());
        self.scripts.retain(|script| !script.is_gone());
    }

    /// Stops the faults: everybody gets an outcome and reads everything.
    pub(crate) fn settle(&mut self) {
        self.server.is_faulty = false;
        for _ in 0..TURNS_TO_SETTLE_MAX {
            let moved = self.turn();
            match self.server.due() {
                Some(due) => self.server.now.monotonic = due.max(self.server.now.monotonic),
                None if !moved => {
                    self.assert_settled();
                    self.assert_heard();
                    self.assert_answers();
                    return;
                }
                None => {}
            }
        }
        panic!("after {TURNS_TO_SETTLE_MAX} turns there is still something to do");
    }

    /// Everybody looks for an outcome, and reads. Returns whether there was anything to do.
    pub(crate) fn turn(&mut self) -> bool {
        let mut moved = self.server.step(&mut self.rng);
        for guest in &mut self.guests {
            moved |= guest.look();
            moved |= guest.read(usize::MAX, usize::MAX);
        }
        for script in &mut self.scripts {
            moved |= script.look(&mut self.server);
            moved |= script.read(usize::MAX, usize::MAX);
        }
        for chatter in &mut self.chatters {
            moved |= chatter.look(&mut self.server);
            moved |= chatter.read(usize::MAX, usize::MAX);
        }
        self.remove_finished();
        moved
    }

    /// The number of guests on the server.
    pub(crate) fn people_present(&self) -> usize {
        let guests = self.guests.iter().filter(|guest| guest.is_present()).count();
        guests + self.chatters.iter().filter(|chatter| chatter.is_present()).count()
    }

    /// Checks that everybody has every outcome, and has read everything.
    pub(crate) fn assert_settled(&self) {
        self.guests.iter().for_each(Guest::assert_answered);
        self.guests.iter().for_each(Guest::assert_caught_up);
        self.scripts.iter().for_each(Script::assert_settled);
        self.chatters.iter().for_each(IrcGuest::assert_settled);
    }

    /// Checks that every line said was ordered, including the last lines before a connection broke.
    fn assert_heard(&self) {
        let (Said { lines, doubtful, .. }, ordered) = (self.said(), self.server.record.lines);
        let possible = lines - doubtful..=lines;
        assert!(possible.contains(&ordered), "{possible:?} lines said, and {ordered} ordered");
    }

    /// Checks that people were told the truth about their lines.
    fn assert_answers(&self) {
        let events = self.server.record.rooms.iter().flat_map(|room| &room.events);
        let said = events.filter_map(|event| match &event.shown {
            Shown::Said { text, .. } => Some(text.as_str()),
            _ => None,
        });
        check_answers(&self.said().answers, said);
    }

    /// Lets everybody leave, and checks that nothing is left behind.
    pub(crate) fn empty(mut self) {
        if self.rng.bool() {
            self.server.close();
        }
        self.send_away();
        self.settle();
        self.assert_empty();
    }

    /// Lets everybody leave.
    pub(crate) fn send_away(&mut self) {
        while let Some(mut guest) = self.guests.pop() {
            assert!(guest.client().is_some(), "a guest that is gone is still listed");
            if self.rng.bool() {
                guest.leave(&mut self.rng);
            }
            self.said.add(guest.voice());
            drop(guest);
            self.server.step(&mut self.rng);
        }
        for script in self.scripts.drain(..) {
            self.said.add(script.voice());
        }
        for chatter in self.chatters.drain(..) {
            self.said.add(chatter.voice());
        }
    }

    /// Checks that nothing of the visitors is left behind.
    pub(crate) fn assert_empty(&self) {
        self.server.assert_empty();
        let left = self.clients.iter().filter(|client| client.upgrade().is_some());
        assert_eq!(left.count(), 0, "clients that are still held");
    }

    /// All connections break, because the server stops.
    pub(crate) fn break_all_off(&mut self) {
        for mut guest in self.guests.drain(..) {
            self.said.add(guest.voice());
            self.seen.extend(guest.break_off(&mut self.rng));
        }
        for mut script in self.scripts.drain(..) {
            self.said.add(script.voice());
            self.seen.extend(script.break_off(&mut self.rng));
        }
        for mut chatter in self.chatters.drain(..) {
            self.seen.extend(chatter.break_off(&mut self.rng));
            self.said.add(chatter.voice());
        }
    }

    /// Whether the server has told the other nodes that it stops.
    pub(crate) fn has_left(&mut self) -> bool {
        self.server.has_left(&mut self.rng)
    }

    /// The server works, if anything is due.
    pub(crate) fn work(&mut self) {
        self.server.step(&mut self.rng);
    }

    /// Checks that everybody who asked a question has the answer: it waits for no other node.
    pub(crate) fn assert_questions_answered(&mut self) {
        self.guests.iter_mut().for_each(Guest::assert_question_answered);
    }
}
