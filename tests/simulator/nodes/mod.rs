//! Several nodes under a seed: they share one order, and their links, clocks, processes and stores
//! fail. The checker reads the story of each run of a node, and further rules compare the nodes.

mod boots;
mod facts;
mod keys;
mod link;
mod node;
mod post;
mod rules;
mod store;
mod stream;
mod witness;

use std::collections::{BTreeSet, HashSet};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use node::Node;
use parlor_core::broadcaster::Standing;
use parlor_core::intent::BYTES_MAX;
use parlor_core::model::{Act, By, Deed, Format, Name, Verb, WallTime, Whom};
use stream::{NEWER, OLDER, Stream, name_of};
use witness::{ANEW, REPAIRED, REPLACED, RIGHT, TOO_OLD, WENT_BACK, Witness};

pub(crate) use witness::SIGHTS;

use crate::checker::Story;
use crate::record::House;
use crate::server::small_limits;
use crate::world::{TALK, VISITS};

/// After the last fault, all nodes must be equal within this time: 15 s, and 2 s in which a node
/// listens to one that is down.
const TIME_TO_SETTLE: Duration = Duration::from_secs(17);

/// The stream gets back what it has lost within this time, also if a node is down.
const TIME_TO_REPAIR: Duration = Duration::from_secs(32);

/// A wrong ledger is found within this time, and made anew.
const TIME_TO_RENEW: Duration = Duration::from_secs(90);

/// A node that has stopped finds out within this time which ledger is right.
const RENEWING_MAX: Duration = Duration::from_secs(15);

/// Nodes that can all read a newer format write in it within this time, in milliseconds.
const TIME_TO_SWITCH: u64 = 90_000;

/// Nothing sleeps longer than this while time passes.
const SLICE: Duration = Duration::from_millis(250);

/// A node that waits for a proposal for longer than this gives it up, in milliseconds.
const GIVE_UP_AFTER: u64 = 32_000;

/// Several nodes, and the order that they share.
struct Nodes {
    rng: Rng,
    time: Duration,
    stream: Arc<Mutex<Stream>>,
    nodes: Vec<Node>,
    witness: Witness,
    /// Whether the stream has lost proposals that nodes have shown.
    is_short: bool,
    /// Whether all faults have ended.
    is_settling: bool,
    programs: Programs,
}

/// The programs that nodes run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Programs {
    /// All run the same one.
    Same,
    /// Some nodes run a newer one.
    Mixed,
    /// Nodes that start run the newer one.
    Newer,
}

/// Runs one seed. Returns the stories of all runs of all nodes, and what occurred.
pub(crate) fn run(mut rng: Rng) -> (Vec<Story>, HashSet<&'static str>) {
    let mut nodes = Nodes::new(&mut rng);
    for _ in 0..nodes.rng.usize(150..850) {
        nodes.step();
    }
    nodes.settle();
    let stories = rules::check(&mut nodes);
    nodes.empty();
    let mut sights = nodes.witness.sights;
    sights.extend(&nodes.stream.lock().unwrap().post.sights);
    (stories, sights)
}

impl Nodes {
    fn new(rng: &mut Rng) -> Nodes {
        let count = rng.usize(1..4);
        // Another process may begin under the name of a node.
        let names: Vec<_> = match rng.u8(0..4) {
            0 => (0..count).chain([rng.usize(0..count)]).map(name_of).collect(),
            _ => (0..count).map(name_of).collect(),
        };
        let programs = [Programs::Same, Programs::Mixed][usize::from(rng.u8(0..4) == 0)];
        let stream = Arc::new(Mutex::new(Stream::new(names.len(), rng.fork())));
        let house = Rc::<House>::default();
        let limits = small_limits(4, rng);
        let bytes_max = if rng.bool() { BYTES_MAX } else { rng.usize(1..20_000) };
        let check_every = [1, 8, 32][rng.usize(0..3)];
        let sizes = (bytes_max, check_every);
        let names = names.into_iter().enumerate();
        let nodes = names.map(|name| Node::new(name, &stream, &house, limits, sizes));
        let mut nodes: Vec<_> = nodes.collect();
        nodes[count..].iter_mut().for_each(|node| node.idle_until = Duration::MAX);
        let rng = rng.fork();
        let witness = Witness::new(HashSet::new());
        let mut nodes = Nodes {
            rng,
            time: Duration::ZERO,
            stream,
            nodes,
            witness,
            is_short: false,
            is_settling: false,
            programs,
        };
        (0..count).for_each(|node| nodes.start(node));
        nodes
    }

    fn step(&mut self) {
        if self.is_short {
            return self.step_while_short();
        }
        match self.rng.u8(0..151) {
            die @ 0..VISITS => self.visit(die),
            VISITS..127 => self.pass(50),
            127..134 => self.pass(3_000),
            134 => self.pass(40_000),
            135..138 => self.cut_one(),
            138 => self.cut_all(),
            139 => self.kill_one(),
            140 => self.with_node(|node, rng, time| {
                node.idle_until = time + Duration::from_millis(rng.u64(0..45_000));
            }),
            141 => self.with_node(|node, rng, _| node.skew = rng.i64(-10_000_000..10_000_000)),
            142 => self.stream.lock().unwrap().jump(),
            143 => self.stop_one(),
            144 => self.strand_one(),
            145 => {
                let time = Duration::from_millis(self.rng.u64(0..12_000));
                self.stream.lock().unwrap().fill(time);
            }
            146 => self.lose_end(),
            147 => self.begin_second(),
            148 => self.upgrade(),
            _ => self.with_node(|node, rng, _| node.store.write(rng.usize(0..20))),
        }
        self.start_again();
    }

    /// As long as the stream misses proposals, nothing else fails: if the nodes that have them were
    /// lost, too, nobody could publish them again.
    fn step_while_short(&mut self) {
        match self.rng.u8(0..VISITS + 20) {
            die @ 0..VISITS => self.visit(die),
            VISITS => self.pass(10_000),
            _ => self.pass(500),
        }
        self.start_again();
    }

    /// The stream loses its end. A node that runs has everything, and goes on; and wherever a node may
    /// be in the lost part, it knows by their names which nodes run: it waits only for these.
    fn lose_end(&mut self) {
        if self.nodes.iter().any(|node| node.is_up() && self.has_rival(node)) {
            return;
        }
        let format = self.witness.format();
        let nodes = self.nodes.iter().enumerate().filter(|(_, node)| node.world.is_some());
        let goes_on = |node: &Node| node.newest >= format && node.why_over().is_none();
        let awake = nodes.clone().filter(|(_, node)| node.idle_until <= self.time && goes_on(node));
        let awake: Vec<_> = awake.map(|(number, _)| number).collect();
        let mut stream = self.stream.lock().unwrap();
        let stay = stream.places.len().saturating_sub(self.rng.usize(0..30));
        let mut past = Witness::new(self.witness.wrong.clone());
        let running: HashSet<_> = nodes.map(|(_, node)| node.name.to_string()).collect();
        let are_known = (stay..=stay.max(stream.reached().len())).all(|position| {
            past.follow(&stream.places[..position]);
            past.live_nodes().is_superset(&running)
        });
        if are_known && stream.have_all(&awake) {
            stream.lose_end(stay, Duration::from_millis(self.rng.u64(0..12_000)));
            self.is_short = stream.is_short();
        }
    }

    /// A visitor of a node does something, or the node works.
    fn visit(&mut self, die: u8) {
        let node = self.rng.usize(0..self.nodes.len());
        let time = self.time;
        if let Some(world) = self.nodes[node].wake(time) {
            world.visit(die);
        }
        self.look_at(node);
    }

    fn with_node(&mut self, act: impl FnOnce(&mut Node, &mut Rng, Duration)) {
        let chosen = self.rng.usize(0..self.nodes.len());
        act(&mut self.nodes[chosen], &mut self.rng, self.time);
    }

    /// A node cannot reach the order for a while, or hears nothing of it, or both.
    fn cut_one(&mut self) {
        let node = self.rng.usize(0..self.nodes.len());
        let ways = [(true, false), (false, true), (true, true)][self.rng.usize(0..3)];
        let time = Duration::from_millis(self.rng.u64(0..60_000));
        self.stream.lock().unwrap().cut(node, ways, time);
    }

    /// Nobody can reach the order for a while.
    fn cut_all(&mut self) {
        let time_max = if self.rng.u8(0..4) == 0 { 60_000 } else { 12_000 };
        let time = self.rng.u64(0..time_max);
        for node in 0..self.nodes.len() {
            let time = Duration::from_millis(time + self.rng.u64(0..2_000));
            self.stream.lock().unwrap().cut(node, (true, true), time);
        }
    }

    /// A node hears nothing of the order while people speak there, until it gives up: nobody knows
    /// what became of their lines.
    fn strand_one(&mut self) {
        let (node, time) = (self.rng.usize(0..self.nodes.len()), self.time);
        let (is_cut_out, cut) = (self.rng.bool(), Duration::from_millis(GIVE_UP_AFTER));
        self.stream.lock().unwrap().cut(node, (is_cut_out, true), cut);
        if let Some(world) = self.nodes[node].wake(time) {
            (0..20).for_each(|_| world.visit(TALK));
            world.work();
        }
        self.pass(2 * GIVE_UP_AFTER);
    }

    /// A node dies, and starts again later.
    fn kill_one(&mut self) {
        self.with_node(|node, rng, time| {
            node.store.write(rng.usize(0..20));
            node.die();
            node.idle_until = time + Duration::from_millis(rng.u64(0..30_000));
        });
    }

    /// A node stops and tells the others, if it has the time.
    fn stop_one(&mut self) {
        self.with_node(|node, rng, time| {
            node.stop();
            node.idle_until = time + Duration::from_millis(rng.u64(0..30_000));
        });
    }

    /// A second process begins under the name of one that runs.
    fn begin_second(&mut self) {
        let is_second = |node: &Node| !node.is_up() && self.has_rival(node);
        if let Some(node) = self.nodes.iter().position(is_second) {
            self.start(node);
        }
    }

    /// Whether another process has the name of a node.
    fn has_rival(&self, node: &Node) -> bool {
        let is_rival = |other: &&Node| other.name == node.name && other.number != node.number;
        self.nodes.iter().filter(is_rival).any(Node::is_up)
    }

    /// The older programs are stopped, and newer ones start instead.
    fn upgrade(&mut self) {
        if self.programs == Programs::Same {
            return;
        }
        self.programs = Programs::Newer;
        for node in self.nodes.iter_mut().filter(|node| node.world.is_some()) {
            if node.newest < NEWER && self.rng.u8(0..4) > 0 {
                node.stop();
                node.idle_until = self.time + Duration::from_millis(self.rng.u64(0..5_000));
            }
        }
        self.pass(6_000);
        self.start_again();
        self.pass(2 * TIME_TO_SWITCH);
    }

    /// The newest format that the program can read with which a node starts now.
    fn next_program(&mut self) -> Format {
        let is_older = match self.programs {
            Programs::Same => true,
            _ if self.is_settling => false,
            Programs::Mixed => self.rng.bool(),
            Programs::Newer => self.rng.u8(0..8) == 0,
        };
        if is_older { OLDER } else { NEWER }
    }

    /// Starts the nodes that have been down for long enough, unless another process has their name.
    fn start_again(&mut self) {
        for node in 0..self.nodes.len() {
            let down = &self.nodes[node];
            let is_due = down.world.is_none() && down.idle_until <= self.time;
            if is_due && !self.has_rival(down) {
                self.start(node);
            }
        }
    }

    /// Ends a process that has to stop. It starts again later: with another program if it was too old,
    /// and after the one that has taken its name.
    fn end_if_over(&mut self, node: usize) {
        let Some(why) = self.nodes[node].why_over() else {
            return;
        };
        self.witness.sights.insert(match why {
            Standing::TooOld => TOO_OLD,
            _ => REPLACED,
        });
        self.nodes[node].die();
        let pause = if self.is_settling { 0 } else { self.rng.u64(0..30_000) };
        self.nodes[node].idle_until = self.time + Duration::from_millis(pause);
    }

    fn start(&mut self, node: usize) {
        self.nodes[node].die();
        let position = self.nodes[node].store.position;
        let mut past = Witness::new(self.witness.wrong.clone());
        past.follow(self.stream.lock().unwrap().own(node, position));
        let mut ledger = past.snapshot();
        let rng = self.rng.fork();
        let newest = self.next_program();
        let before = self.nodes[node].newest;
        if newest < before && self.witness.format() < before {
            self.witness.sights.insert(WENT_BACK);
        }
        let names: BTreeSet<_> = self.nodes.iter().map(|node| &node.name).collect();
        let are_right = names.len() > 1 && self.nodes.iter().all(|node| !node.is_wrong);
        // Others may still compare with what a boot has said that was wrong and lives on.
        let name = self.nodes[node].name.to_string();
        let said_wrong = |other: &String| *other != name && self.witness.wrong.contains(other);
        let have_spoken = self.witness.live_nodes().iter().any(said_wrong);
        if are_right && !have_spoken && !self.is_settling && self.rng.u8(0..4) == 0 {
            ledger.bans.push(wrong_ban(&mut self.rng));
            self.nodes[node].is_wrong = true;
            self.witness.wrong.insert(name);
        }
        self.nodes[node].start(ledger, newest, rng);
    }

    /// A node that has stopped because its ledger differs from that of another one finds out which is
    /// right, and goes on.
    fn renew(&mut self, node: usize) {
        let Some(found) = self.nodes[node].difference() else {
            return;
        };
        let (time, rng) = (self.time, &mut self.rng);
        let takes = rng.u64(0..RENEWING_MAX.as_millis() as u64);
        let of_node = &mut self.nodes[node].renewed_at;
        let at = *of_node.get_or_insert(time + Duration::from_millis(takes));
        if time < at || self.nodes[node].idle_until > time {
            return;
        }
        if found.own.digest == self.witness.digest(found.own.position as usize) {
            assert!(!found.is_outvoted, "most nodes are right: {found:?}");
            self.witness.sights.insert(RIGHT);
            return self.nodes[node].go_on();
        }
        assert!(!found.is_again, "it has found that it is right: {found:?}");
        let position = found.position as usize;
        let mut past = Witness::new(self.witness.wrong.clone());
        past.follow(&self.stream.lock().unwrap().reached()[..position]);
        self.witness.sights.insert(ANEW);
        self.nodes[node].begin_anew(past.snapshot());
    }

    /// Time passes. The nodes that are awake work whenever something is due.
    fn pass(&mut self, milliseconds_max: u64) {
        let until = self.time + Duration::from_millis(self.rng.u64(0..milliseconds_max));
        while self.time < until {
            self.pass_slice(until);
            for node in 0..self.nodes.len() {
                self.work(node);
            }
        }
    }

    /// Time passes until something is due, or a moment has passed.
    fn pass_slice(&mut self, until: Duration) {
        let mut stream = self.stream.lock().unwrap();
        let soon = self.time + Duration::from_millis(1);
        let due = stream.due().unwrap_or(until).max(soon);
        self.time = due.min(until).min(self.time + SLICE);
        stream.pass(self.time);
        if self.is_short && !stream.is_short() {
            self.is_short = false;
            self.witness.sights.insert(REPAIRED);
        }
    }

    /// Lets a node work, if it is awake.
    fn work(&mut self, node: usize) {
        let time = self.time;
        self.nodes[node].work_to_stop(time);
        if let Some(world) = self.nodes[node].wake(time) {
            world.work();
            world.assert_questions_answered();
        }
        self.look_at(node);
        self.renew(node);
        self.end_if_over(node);
    }

    /// Compares the node with the witness.
    fn look_at(&mut self, node: usize) {
        self.witness.follow(self.stream.lock().unwrap().reached());
        let node = &mut self.nodes[node];
        node.take_visible();
        let position = node.position();
        if let Some(world) = &node.world {
            let is_equal = world.server.broadcaster.digest() == self.witness.digest(position);
            assert_eq!(is_equal, !node.is_wrong, "{} at position {position}", node.name);
        }
    }

    /// Ends all faults. After a while all nodes must be equal.
    fn settle(&mut self) {
        self.is_settling = true;
        self.stream.lock().unwrap().heal();
        let mut living = self.nodes.iter().filter(|node| node.world.is_some()).count();
        for node in &mut self.nodes {
            let stays_down = node.world.is_none() && living > 0 && self.rng.bool();
            node.idle_until = if stays_down { Duration::MAX } else { self.time };
            living += usize::from(node.world.is_none() && !stays_down);
        }
        self.start_again();
        let patience = if self.is_short { TIME_TO_REPAIR } else { Duration::ZERO };
        let is_wrong = self.nodes.iter().any(|node| node.is_wrong || node.difference().is_some());
        let was_wrong = !self.witness.wrong.is_empty(); // the others may not have noticed yet
        let patience = patience
            + match (is_wrong, was_wrong) {
                (true, _) => TIME_TO_RENEW,
                (false, true) => RENEWING_MAX,
                (false, false) => Duration::ZERO,
            };
        let until = self.time + patience + TIME_TO_SETTLE;
        while self.time < until {
            self.pass_slice(until);
            for node in 0..self.nodes.len() {
                let time = self.time;
                self.nodes[node].work_to_stop(time);
                if let Some(world) = self.nodes[node].wake(time) {
                    while world.turn() {}
                }
                self.look_at(node);
                self.renew(node);
                self.end_if_over(node);
            }
            self.start_again();
        }
        for node in self.nodes.iter_mut().filter(|node| node.world.is_some()) {
            node.store.write_all();
            node.world.iter().for_each(|world| world.assert_settled());
        }
    }

    /// Everybody leaves, and nothing is left behind.
    fn empty(&mut self) {
        for node in &mut self.nodes {
            node.world.iter_mut().for_each(|world| world.send_away());
        }
        self.settle();
        for node in &self.nodes {
            node.world.iter().for_each(|world| world.assert_empty());
        }
    }
}

/// A ban that nobody has made, and that concerns nobody.
fn wrong_ban(rng: &mut Rng) -> Act {
    let name = Name::parse(&format!("stranger-{}", rng.u64(..))).expect("a name");
    Act::by(By::Operator, Deed::to(Verb::Ban, Whom::Name(name)), WallTime(0))
}
