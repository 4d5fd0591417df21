//! The server under a seed: random people come, talk, move, stall, break and leave, while the
//! journal is slow and fails. Then the checker reads what they saw.
//!
//!     PARLOR_SEED=1234 cargo test --test simulator          one seed again
//!     PARLOR_SEEDS=100000 cargo test --test simulator       more of them
//!     PARLOR_SEEDS=5000..9000 cargo test --test simulator   those from 5000 on, before 9000
//!
//! After a seed that fails, the next ones run, too.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a step that fails, fails the test")]

mod call;
#[path = "../support/checker/mod.rs"]
mod checker;
mod guest;
mod irc_guest;
mod irc_session;
mod keeping;
mod nodes;
mod order;
mod reader;
mod record;
mod script;
mod server;
mod shared_group;
mod voice;
mod world;

use std::collections::HashSet;
use std::env::var;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZero;
use std::ops::Range;
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use checker::{Event, Kind, OWNED, Shown, Story, check};
use fastrand::Rng;
use server::{Server, small_limits};
use world::World;

/// Seeds of an ordinary run.
const SEEDS: u64 = 2_000;

/// One seed in this many runs several nodes.
const NODES_SHARE: u64 = 2;

/// Texts that must be seen in some run; otherwise the simulator does not reach the code that writes
/// them.
const SIGHTS: [&str; 61] = [
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
    "-- No contact with the other nodes; your messages are waiting",
    "-- Contact with the other nodes is lost",
    "-- Not sent: no contact with the other nodes",
    "-- Not sent: the message store is full",
    "-- It is not known yet whether your last message was sent",
    "-- Your last message was sent",
    "-- Contact is back; ",
    "'s node; your message may not have arrived",
    "-- Somebody else is called ",
    " :You were reading too slowly\r\n",
    " skipped: you were reading too slowly\r\n",
    " NICK :bob\r\n",
    " QUIT :bye (for now)\r\n",
    " :until then\r\n",
    " :This server had no contact with the other nodes\r\n",
    ":olga!u",
    "draft/multiline-concat",
    " labeled-response\r\n",
    " olga :spam\r\n",
    " bob :spam\r\n",
    " was removed by ",
    "\"banned\":true",
    "\"kind\":\"ruled\"",
    " was banned until ",
    " +b bob!*@*\r\n",
    " +b m:",
    " +o ",
    " +v bob\r\n",
    " +k beer\r\n",
    " AWAY :lunch\r\n",
    " INVITE bob #tea\r\n",
    " invites you to tea",
    " 471 ",
    " 473 ",
    " 474 ",
    " 475 ",
];

/// An event that must occur in some run: its name, and whether an event is it.
type Occurrence = (&'static str, fn(&Event) -> bool);

/// Events that must occur in some run.
const OCCURRENCES: [Occurrence; 5] = [
    ("a rule ends because no keeper is there", |event| {
        matches!(event.shown, Shown::Act { by: None, .. })
    }),
    ("an owner comes with another connection", |event| {
        event.kind == Kind::Untold && event.shown == Shown::Arrived(OWNED.to_owned())
    }),
    ("an owner takes another name on one of several connections", |event| {
        matches!(event.kind, Kind::ByRoom { leaves: false, arrives: true })
    }),
    ("an owner with a voice comes under another name", |event| {
        matches!(event.kind, Kind::ByRoom { arrives: true, .. }) && event.ranks[0].contains('v')
    }),
    ("an owner takes the own name back, which another connection has", |event| {
        let is_taken = matches!(&event.shown, Shown::Renamed { to, .. } if *to == OWNED);
        is_taken && matches!(event.kind, Kind::ByRoom { leaves: true, arrives: false })
    }),
];

#[test]
fn every_promise_holds_under_every_seed() {
    let occurrences = OCCURRENCES.map(|(sight, _)| sight);
    let mut sights = [&SIGHTS[..], &occurrences, &nodes::SIGHTS].concat();
    let mut failed = Vec::new();
    for ran in run_all(seeds(), &sights) {
        failed.extend(ran.failed);
        sights.retain(|sight| ran.unseen.contains(sight));
    }
    assert_eq!(failed, Vec::<u64>::new(), "seeds that fail");
    if var("PARLOR_SEED").is_err() {
        assert_eq!(sights, Vec::<&str>::new(), "never seen by anybody");
    }
}

/// The seeds to run.
fn seeds() -> Range<u64> {
    let number = |text: &str| text.parse::<u64>().unwrap();
    if let Ok(seed) = var("PARLOR_SEED").as_deref().map(number) {
        return seed..seed + 1;
    }
    let Ok(seeds) = var("PARLOR_SEEDS") else { return 0..SEEDS };
    let (first, end) = seeds.split_once("..").unwrap_or(("0", seeds.as_str()));
    number(first)..number(end)
}

/// The results of the seeds of one thread.
struct RanSeeds {
    failed: Vec<u64>,
    /// The sights that none of them has shown.
    unseen: Vec<&'static str>,
}

/// Runs seeds, in a thread for each processor.
fn run_all(seeds: Range<u64>, sights: &[&'static str]) -> Vec<RanSeeds> {
    let next = AtomicU64::new(seeds.start);
    let run_some = || {
        let mut ran = RanSeeds { failed: Vec::new(), unseen: sights.to_vec() };
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return ran;
            }
            if !holds(seed, &mut ran.unseen) {
                ran.failed.push(seed);
            }
        }
    };
    thread::scope(|scope| {
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        let threads: Vec<_> = (0..processors).map(|_| scope.spawn(run_some)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn a_seed_always_tells_the_same_story() {
    for seed in 0..20 {
        assert_eq!(hash(&run(seed)), hash(&run(seed)), "seed {seed}");
    }
}

fn hash(ran: &Ran) -> u64 {
    let mut hasher = DefaultHasher::new();
    for reader in ran.stories.iter().flat_map(|story| &story.readers) {
        reader.text.hash(&mut hasher);
    }
    hasher.finish()
}

/// Runs one seed. Returns whether all promises hold; if not, says how to run it again.
#[expect(clippy::print_stderr, reason = "the next seeds run, too")]
fn holds(seed: u64, sights: &mut Vec<&str>) -> bool {
    let checked = catch_unwind(|| {
        let ran = run(seed);
        (ran.stories.iter().try_for_each(check), ran)
    });
    let broken = match checked {
        Ok((Ok(()), ran)) => {
            sights.retain(|sight| !ran.shows(sight));
            return true;
        }
        Ok((Err(broken), _)) => broken.to_string(),
        Err(_) => "the panic above".to_owned(),
    };
    eprintln!("{broken}\nrun it again: PARLOR_SEED={seed} cargo test --test simulator");
    false
}

/// The results of a seed.
struct Ran {
    /// The stories, one for each run of a server.
    stories: Vec<Story>,
    /// The sights between nodes.
    occurred: HashSet<&'static str>,
}

impl Ran {
    fn shows(&self, sight: &str) -> bool {
        let readers = self.stories.iter().flat_map(|story| &story.readers);
        let mut texts = readers.map(|reader| String::from_utf8_lossy(&reader.text));
        let is_sight = |(name, is_it): &Occurrence| {
            let mut events = self.stories.iter().flat_map(|story| &story.rooms);
            *name == sight && events.any(|room| room.events.iter().any(is_it))
        };
        let is_shown = self.occurred.contains(sight) || OCCURRENCES.iter().any(is_sight);
        is_shown || texts.any(|text| text.contains(sight))
    }
}

/// Runs one seed: a server without other nodes, or several nodes.
fn run(seed: u64) -> Ran {
    let mut rng = Rng::with_seed(seed);
    if seed % NODES_SHARE == NODES_SHARE - 1 {
        let (stories, occurred) = nodes::run(rng);
        return Ran { stories, occurred };
    }
    let server = Server::alone(small_limits(7, &mut rng));
    let mut world = World::new(rng, server, 0);
    world.run();
    world.settle();
    let stories = vec![world.story()];
    world.empty();
    Ran { stories, occurred: HashSet::new() }
}
