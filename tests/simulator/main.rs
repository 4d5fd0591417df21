//! The server under a seed: random people come, talk, move, stall, break and leave, while the
//! journal is slow and fails. Then the checker reads what they saw.
//!
//!     PARLOR_SEED=1234 cargo test --test simulator       one seed again
//!     PARLOR_SEEDS=100000 cargo test --test simulator    more of them
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a step that fails, fails the test")]

mod call;
#[path = "../support/checker/mod.rs"]
mod checker;
mod guest;
mod order;
mod reader;
mod script;
mod server;
mod shared_group;
mod voice;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::catch_unwind;
use std::sync::Weak;
use std::time::Duration;

use checker::{End, Story, check};
use fastrand::Rng;
use guest::Guest;
use parlor_core::link::Client;
use script::Script;
use server::{Server, small_limits};

/// Seeds of an ordinary run.
const SEEDS: u64 = 2_000;

/// After the faults everybody must have read everything within this many turns.
const TURNS_TO_SETTLE_MAX: usize = 200;

/// The most guests at a time; more than eight, so that there are crowds.
const GUESTS_MAX: usize = 16;

/// The most scripts at a time, beside the guests.
const SCRIPTS_MAX: usize = 4;

/// Texts that must be seen in some run; otherwise the simulator does not reach the code that writes
/// them.
const SIGHTS: [&str; 25] = [
    "lines skipped: you were reading too slowly",
    "line skipped: you were reading too slowly",
    "-- Not sent: the disk is full; try again later",
    "-- The disk is slow; lines arrive late",
    " is taken, or looks like a name that is taken",
    "the most allowed here; join one that /rooms lists",
    "-- You are already in lobby",
    "others have arrived",
    " has arrived",
    " have left",
    " has left (bye (for now))",
    " is now known as ",
    " changed the topic to: topic ",
    " is not reading; the message was not delivered",
    "-- Nobody here is called ",
    "people are in lobby:",
    " no longer stored",
    "-- That is you; choose somebody else",
    "* alice s",
    "\"text\":\"You are no longer in tea\"",
    "\"kind\":\"skipped\"",
    "\"kind\":\"presence\"",
    "\"kind\":\"people\"",
    "\"kind\":\"fell_behind\"",
    "\"old\":true",
];

#[test]
fn every_promise_holds_under_every_seed() {
    let number = |name| std::env::var(name).ok().map(|v| v.parse::<u64>().unwrap());
    let mut sights: Vec<_> = SIGHTS.to_vec();
    if let Some(seed) = number("PARLOR_SEED") {
        run_reported(seed, &mut sights);
        return;
    }
    for seed in 0..number("PARLOR_SEEDS").unwrap_or(SEEDS) {
        run_reported(seed, &mut sights);
    }
    assert_eq!(sights, Vec::<&str>::new(), "never seen by anybody");
}

#[test]
fn a_seed_always_tells_the_same_story() {
    for seed in 0..20 {
        assert_eq!(hash(&run(seed)), hash(&run(seed)), "seed {seed}");
    }
}

fn hash(story: &Story) -> u64 {
    let mut hasher = DefaultHasher::new();
    for reader in &story.readers {
        reader.text.hash(&mut hasher);
    }
    hasher.finish()
}

/// Runs one seed. On a failure, says how to run it again.
fn run_reported(seed: u64, sights: &mut Vec<&str>) {
    let checked = catch_unwind(|| {
        let story = run(seed);
        (check(&story), story)
    });
    match checked {
        Ok((Ok(()), story)) => sights.retain(|sight| !is_seen(sight, &story)),
        Ok((Err(broken), _)) => panic!("{broken}\n{}", replay(seed)),
        Err(_) => panic!("the panic above\n{}", replay(seed)),
    }
}

fn replay(seed: u64) -> String {
    format!("run it again: PARLOR_SEED={seed} cargo test --test simulator")
}

fn is_seen(sight: &str, story: &Story) -> bool {
    let seen = |reader: &checker::Reader| String::from_utf8_lossy(&reader.text).contains(sight);
    story.readers.iter().any(seen)
}

/// The server and all clients of one run.
struct World {
    rng: Rng,
    server: Server,
    guests: Vec<Guest>,
    scripts: Vec<Script>,
    people: usize,
    /// The number of lines said by people who are gone.
    lines: u64,
    /// Everything seen by people who are gone.
    seen: Vec<checker::Reader>,
    clients: Vec<Weak<Client>>,
}

/// Runs one seed, and returns its story.
fn run(seed: u64) -> Story {
    let mut rng = Rng::with_seed(seed);
    let server = Server::new(small_limits(&mut rng));
    let mut world = World {
        rng,
        server,
        guests: Vec::new(),
        scripts: Vec::new(),
        people: 0,
        lines: 0,
        seen: Vec::new(),
        clients: Vec::new(),
    };
    for _ in 0..world.rng.usize(50..450) {
        world.step();
    }
    world.settle();
    let guests = world.guests.iter();
    let guests = guests.filter_map(|guest| guest.seen(End::Here));
    let scripts = world.scripts.iter();
    let scripts = scripts.filter_map(|script| script.seen(End::Here));
    let here = guests.chain(scripts);
    let story = Story {
        readers: world.seen.iter().cloned().chain(here).collect(),
        rooms: world.server.record.rooms.clone(),
    };
    world.empty();
    story
}

impl World {
    fn step(&mut self) {
        match self.rng.u8(0..100) {
            0..6 => self.come(),
            6..8 => self.come_in_a_crowd(),
            8..30 => {
                self.server.step(&mut self.rng);
            }
            30..38 => self.step_script(),
            38..60 => self.with_guest(|guest, server, rng| {
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
            88 => self.break_one_off(),
            89 => self.server.now.wall.0 = self.rng.i64(-10_000_000..10_000_000),
            90..92 => self.pass(5_000),
            _ => self.pass(100),
        }
        self.remove_finished();
    }

    fn come(&mut self) {
        if self.guests.len() >= GUESTS_MAX {
            return;
        }
        self.people += 1;
        let (link, shared) = self.server.connect(self.people);
        self.clients.push(std::sync::Arc::downgrade(link.client()));
        self.server.know(link.client(), self.people);
        let mut guest = Guest::new(self.people, link, shared, &mut self.rng);
        guest.act(self.server.now, &mut self.rng);
        self.guests.push(guest);
    }

    /// A script connects, or does one of the things that scripts do.
    fn step_script(&mut self) {
        if self.scripts.len() < SCRIPTS_MAX && self.rng.u8(0..4) == 0 {
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
            9 => self.seen.extend(script.break_off(rng)),
            10 => script.stalled = rng.usize(0..50),
            _ if script.stalled > 0 => script.stalled -= 1,
            _ => {
                script.read(rng.usize(0..2_000), rng.usize(1..400));
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
            if guest.is_rushing_off() && self.rng.u8(0..10) == 0 {
                guest.read(self.rng.usize(1..4_000), 400);
                self.seen.extend(guest.break_off(&mut self.rng));
            }
            self.seen.extend(guest.finish());
            if guest.is_gone() {
                self.lines += guest.lines();
            }
        }
        for script in &mut self.scripts {
            self.seen.extend(script.finish());
            if script.is_gone() {
                self.lines += script.lines();
            }
        }
        self.guests.retain(|guest| !guest.is_gone());
        self.scripts.retain(|script| !script.is_gone());
    }

    /// Stops the faults: everybody gets an outcome and reads everything.
    fn settle(&mut self) {
        self.server.is_faulty = false;
        for _ in 0..TURNS_TO_SETTLE_MAX {
            let mut moved = self.server.step(&mut self.rng);
            for guest in &mut self.guests {
                moved |= guest.look();
                moved |= guest.read(usize::MAX, usize::MAX);
            }
            for script in &mut self.scripts {
                moved |= script.look(&mut self.server);
                moved |= script.read(usize::MAX, usize::MAX);
            }
            self.remove_finished();
            match self.server.due() {
                Some(due) => self.server.now.monotonic = due.max(self.server.now.monotonic),
                None if !moved => {
                    self.guests.iter().for_each(Guest::assert_answered);
                    self.guests.iter().for_each(Guest::assert_caught_up);
                    self.scripts.iter().for_each(Script::assert_settled);
                    self.assert_heard();
                    return;
                }
                None => {}
            }
        }
        panic!("after {TURNS_TO_SETTLE_MAX} turns there is still something to do");
    }

    /// Checks that every line said was ordered, including the last lines before a connection broke.
    fn assert_heard(&self) {
        let guests = self.guests.iter().map(Guest::lines);
        let scripts = self.scripts.iter().map(Script::lines);
        let lines = self.lines + guests.chain(scripts).sum::<u64>();
        assert_eq!(lines, self.server.record.lines, "lines said, and lines ordered");
    }

    /// Lets everybody leave, and checks that nothing is left behind.
    fn empty(mut self) {
        if self.rng.bool() {
            self.server.close();
        }
        while let Some(mut guest) = self.guests.pop() {
            assert!(guest.client().is_some(), "a guest that is gone is still listed");
            if self.rng.bool() {
                guest.leave(&mut self.rng);
            }
            self.lines += guest.lines();
            drop(guest);
            self.server.step(&mut self.rng);
        }
        for script in self.scripts.drain(..) {
            self.lines += script.lines();
        }
        self.settle();
        self.server.assert_empty();
        let left = self.clients.iter().filter(|client| client.upgrade().is_some());
        assert_eq!(left.count(), 0, "clients that are still held");
    }
}
