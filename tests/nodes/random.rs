//! Random faults, several at once, while people on all nodes talk: no line is lost, doubled or out of
//! order.

use std::env;
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use rustix::process::Signal;

use crate::house::{House, MACHINES, NODES, Part, SERVERS};
use crate::network::Cut;

/// How long faults happen, in seconds; `PARLOR_NODES_SECONDS` overrides it.
const SECONDS: u64 = 45;

/// The seed of the faults; `PARLOR_NODES_SEED` overrides it.
const SEED: u64 = 8_10;

/// The longest time between two faults, or the end of one.
const PAUSE_MAX_MS: u64 = 4_000;

/// The number of faults at a time.
const AT_ONCE_MAX: usize = 3;

#[test]
fn no_line_is_lost_under_random_faults() {
    let number = |name, usual| env::var(name).map_or(usual, |number| number.parse().unwrap());
    let seconds = number("PARLOR_NODES_SECONDS", SECONDS);
    let seed = number("PARLOR_NODES_SEED", SEED);
    let Some(mut house) = House::in_network() else { return };
    let mut chaos = Chaos { rng: Rng::with_seed(seed), broken: Vec::new(), count: 0 };
    house.hall().measure();
    let until = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < until {
        chaos.step(&mut house);
        // The schedule of the faults: nothing is waited for.
        thread::sleep(Duration::from_millis(chaos.rng.u64(..PAUSE_MAX_MS)));
    }
    chaos.mend_all(&mut house);
    house.cluster.whole();
    house.hall().hear_each_other(&house.all());
    let gap = house.hall().gap(|_| true).as_secs_f64();
    let verdict = house.close();
    #[expect(clippy::print_stdout, reason = "the table")]
    {
        println!(
            "| {seed} | {seconds} s | {} | {gap:.1} s | {} | {} | {} | {} | {} | {} |",
            chaos.count,
            verdict.shown,
            verdict.refused,
            verdict.in_doubt,
            verdict.lost,
            verdict.doubled,
            verdict.out_of_order
        );
    }
    assert!(verdict.is_right(), "seed {seed}: {verdict}");
}

/// Faults that come and go.
struct Chaos {
    rng: Rng,
    /// The faults at present.
    broken: Vec<Broken>,
    /// The number of faults so far.
    count: usize,
}

/// A fault at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broken {
    Killed(Part),
    Stopped(Part),
    Cut(usize, Cut),
}

impl Broken {
    /// Whether both concern the same program, or the same cable.
    fn collides(self, other: Broken) -> bool {
        match (self, other) {
            (Broken::Cut(one, _), Broken::Cut(other, _)) => one == other,
            (
                Broken::Killed(one) | Broken::Stopped(one),
                Broken::Killed(other) | Broken::Stopped(other),
            ) => one == other,
            _ => false,
        }
    }
}

impl Chaos {
    /// Breaks something, or ends a fault.
    fn step(&mut self, house: &mut House) {
        let next = self.choose();
        let is_possible = self.broken.iter().all(|broken| !broken.collides(next));
        if self.broken.len() < AT_ONCE_MAX && is_possible {
            break_it(house, next);
            self.broken.push(next);
            self.count += 1;
        } else {
            let index = self.rng.usize(..self.broken.len());
            self.mend(house, index);
        }
    }

    fn choose(&mut self) -> Broken {
        let rng = &mut self.rng;
        let part = match rng.bool() {
            true => Part::Server(rng.usize(..SERVERS)),
            false => Part::Node(rng.usize(..NODES)),
        };
        match rng.u8(..3) {
            0 => Broken::Killed(part),
            1 => Broken::Stopped(part),
            _ => {
                let cuts = [Cut::Both, Cut::Deaf, Cut::Mute];
                Broken::Cut(rng.usize(..MACHINES), cuts[rng.usize(..cuts.len())])
            }
        }
    }

    /// Ends a fault. A node starts only if it can reach the stream: so first all else is mended.
    fn mend(&mut self, house: &mut House, index: usize) {
        let broken = self.broken.remove(index);
        if matches!(broken, Broken::Killed(Part::Node(_))) {
            let is_node = |broken: &Broken| {
                matches!(broken, Broken::Killed(Part::Node(_)) | Broken::Stopped(Part::Node(_)))
            };
            while let Some(index) = self.broken.iter().position(|broken| !is_node(broken)) {
                mend_it(house, self.broken.remove(index));
            }
            house.cluster.whole();
        }
        mend_it(house, broken);
    }

    fn mend_all(&mut self, house: &mut House) {
        while !self.broken.is_empty() {
            self.mend(house, 0);
        }
    }
}

fn break_it(house: &mut House, broken: Broken) {
    match broken {
        Broken::Killed(Part::Server(server)) => house.cluster.end_one(server, Signal::KILL),
        Broken::Killed(Part::Node(node)) => house.kill_node(node),
        Broken::Stopped(part) => house.signal(part, Signal::STOP),
        Broken::Cut(machine, cut) => house.cut(machine, cut),
    }
}

fn mend_it(house: &mut House, broken: Broken) {
    match broken {
        Broken::Killed(Part::Server(server)) => house.cluster.start_one(server),
        Broken::Killed(Part::Node(node)) => house.start_node(node),
        Broken::Stopped(part) => house.signal(part, Signal::CONT),
        Broken::Cut(machine, cut) => house.mend(machine, cut),
    }
}
