//! The order that all nodes share: the bytes of proposals with their times, as a stream of an
//! engine would hold them. Each node has a link to it, which the seed delays and cuts: the shipped
//! courier decides what the link does. Knows no ledger.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use parlor::sequencer::{Courier, CourierStep, Look, Published, Sealer, StreamMessage};
use parlor_core::intent::{Proposal, ProposalId};
use parlor_core::link::{Inbox, NodeAnswer, NodeQuestion};
use parlor_core::model::{Format, NodeName, WallTime};
use parlor_core::sequencer::{Decided, NodeReach};
use parlor_wire::pack::NEWEST;

use super::keys::KeyShelf;
use super::post::Post;

/// A try without an answer ends after this time.
const TRY: Duration = Duration::from_secs(2);

/// The newest format of the program, and of one that is newer.
pub(crate) const OLDER: Format = NEWEST;
pub(crate) const NEWER: Format = Format(NEWEST.0 + 1);

/// How far the stream's clock is ahead at most, in milliseconds.
const CLOCK_MAX: i64 = 3_000_000;

/// The name of the node with this number.
pub(crate) fn name_of(node: usize) -> NodeName {
    NodeName::parse(&format!("node-{node}")).expect("a name")
}

/// A proposal in the order.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The time of the stream's own clock.
    pub(crate) at: WallTime,
    /// When it came.
    pub(crate) came: Duration,
    pub(crate) bytes: Arc<[u8]>,
}

/// A running process of a node.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) node: usize,
    pub(crate) name: NodeName,
    /// Its random number.
    pub(crate) nonce: u64,
    /// The newest format that it can read.
    pub(crate) newest: Format,
    pub(crate) inbox: Arc<Inbox>,
}

/// The order, and the links to it.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) places: Vec<Place>,
    wires: Vec<Wire>,
    now: Duration,
    keys: KeyShelf,
    /// The questions from node to node.
    pub(super) post: Post,
    /// How far the stream's clock is ahead, in milliseconds.
    skew: i64,
    /// Whether copies are lost, late and repeated.
    pub(crate) is_faulty: bool,
    /// Until when the stream has no space for more.
    full: Duration,
    /// The number of proposals that have come to any node.
    reached: usize,
    rng: Rng,
}

/// One node's link to the order.
#[derive(Debug)]
struct Wire {
    courier: Courier,
    sealer: Sealer,
    /// Tries without an answer, each with the time when it ends.
    tries: Vec<(Duration, u64)>,
    /// Copies that are on their way, with the time when they arrive, and the try.
    flying: Vec<Copy>,
    /// Answers that are on their way, with the time when they arrive, and the try.
    answers: Vec<(Duration, u64, Published)>,
    /// Work on the stream that the node has begun, with the time when it is done.
    mending: Vec<(Duration, Mending)>,
    /// The answers of other nodes on their way, each with the time when it arrives.
    told: Vec<(Duration, NodeReach)>,
    /// The proposals that have come to the node, which it can publish again. Those that are stored
    /// outlive its process.
    own: Vec<Place>,
    /// Copies that the client of the engine sends when the link is there again.
    held: Vec<Arc<[u8]>>,
    /// Until when nothing goes to the stream.
    out_cut: Duration,
    /// Until when nothing comes from the stream.
    in_cut: Duration,
    /// Whether the client of the engine has noticed a cut, and that until when.
    is_down: Option<Duration>,
    /// The number of proposals that the stream has sent to the node; none without a consumer.
    read: Option<usize>,
    /// When the next proposal reaches the node.
    next: Option<Duration>,
    /// Whether the node has applied all proposals that have come to it.
    has_applied: bool,
    /// Rings when a proposal reaches the node; none while the node is down.
    inbox: Option<Arc<Inbox>>,
}

/// Work on the stream.
#[derive(Clone, Copy, Debug)]
enum Mending {
    Look { position: usize },
    Restore { after: usize, last: usize },
}

/// A copy of a proposal on its way to the stream.
type Copy = (Duration, Option<u64>, Arc<[u8]>);

impl Wire {
    fn new(node: usize) -> Wire {
        Wire {
            courier: Courier::new(name_of(node), 0, BTreeSet::new(), NEWEST),
            sealer: Sealer::default(),
            tries: Vec::new(),
            flying: Vec::new(),
            answers: Vec::new(),
            mending: Vec::new(),
            told: Vec::new(),
            own: Vec::new(),
            held: Vec::new(),
            out_cut: Duration::ZERO,
            in_cut: Duration::ZERO,
            is_down: None,
            read: None,
            next: None,
            has_applied: false,
            inbox: None,
        }
    }
}

impl Stream {
    pub(crate) fn new(nodes: usize, mut rng: Rng) -> Stream {
        Stream {
            places: Vec::new(),
            keys: KeyShelf::default(),
            post: Post::new(nodes, rng.fork()),
            wires: (0..nodes).map(Wire::new).collect(),
            now: Duration::ZERO,
            skew: rng.i64(0..CLOCK_MAX),
            is_faulty: true,
            full: Duration::ZERO,
            reached: 0,
            rng,
        }
    }

    /// A process starts, and reads from this position on. These nodes live there.
    pub(crate) fn connect(&mut self, process: Process, position: usize, live: BTreeSet<NodeName>) {
        let Process { node, name, nonce, newest, inbox } = process;
        self.post.open(node, nonce, &inbox);
        let (now, wire) = (self.now, &mut self.wires[node]);
        wire.courier = Courier::new(name, position as u64, live, newest);
        wire.sealer = Sealer::default();
        wire.inbox = Some(inbox);
        wire.courier.connected(now);
        wire.sealer.connected(now);
        self.work(node);
    }

    /// A node dies. Copies that are on their way still arrive.
    pub(crate) fn disconnect(&mut self, node: usize) {
        self.post.close(node);
        let wire = &mut self.wires[node];
        wire.tries.clear();
        wire.answers.clear();
        wire.held.clear();
        wire.mending.clear();
        wire.told.clear();
        (wire.inbox, wire.read, wire.next, wire.has_applied) = (None, None, None, false);
    }

    /// The stream has no space for more for a while.
    pub(crate) fn fill(&mut self, time: Duration) {
        self.full = self.full.max(self.now + time);
    }

    /// Cuts the link of a node for a while: to the stream, from it, or both. A link from the stream
    /// may begin anew before the last proposal, and the client of the engine may notice the cut.
    pub(crate) fn cut(&mut self, node: usize, (out, back): (bool, bool), time: Duration) {
        let (until, wire) = (self.now + time, &mut self.wires[node]);
        if out {
            wire.out_cut = wire.out_cut.max(until);
        }
        if back {
            wire.in_cut = wire.in_cut.max(until);
            wire.read = wire.read.map(|read| read.saturating_sub(self.rng.usize(0..4)));
            wire.next = None;
        }
        if out && back && wire.inbox.is_some() && self.rng.bool() {
            wire.is_down = Some(until);
            wire.courier.disconnected();
            wire.sealer.disconnected();
        }
    }

    /// The proposals that have come to any node. The stream may have more, and may have lost some.
    pub(crate) fn reached(&self) -> &[Place] {
        let all = self.wires.iter().map(|wire| &wire.own[..]);
        all.max_by_key(|own| own.len()).unwrap_or_default()
    }

    /// The proposals up to this position, as they came to a node that starts there.
    pub(crate) fn own(&mut self, node: usize, position: usize) -> &[Place] {
        let own = &mut self.wires[node].own;
        own.truncate(position);
        own
    }

    /// Whether one of these nodes has everything that has come to any node.
    pub(crate) fn have_all(&self, nodes: &[usize]) -> bool {
        nodes.iter().any(|node| self.wires[*node].own.len() == self.reached)
    }

    /// Whether the stream has lost proposals that nodes have shown.
    pub(crate) fn is_short(&self) -> bool {
        self.places.len() < self.reached
    }

    /// The stream loses its last proposals, and everything on its way. All connections end for this
    /// time.
    pub(crate) fn lose_end(&mut self, stay: usize, time: Duration) {
        self.places.truncate(stay);
        self.post.lose_all();
        for wire in &mut self.wires {
            let until = self.now + time + Duration::from_millis(self.rng.u64(0..1_000));
            wire.flying.clear();
            wire.held.clear();
            wire.mending.clear();
            (wire.out_cut, wire.in_cut) = (until, until);
            (wire.read, wire.next) = (None, None);
            if wire.inbox.is_some() {
                wire.is_down = Some(until);
                wire.courier.disconnected();
                wire.sealer.disconnected();
            }
        }
    }

    /// Tells the courier of a node which nodes live, as a node has found.
    pub(super) fn note_live(&mut self, node: usize, live: BTreeSet<NodeName>) {
        self.wires[node].courier.note_live(live);
    }

    /// Ends all faults. Copies that are on their way arrive soon.
    pub(crate) fn heal(&mut self) {
        self.is_faulty = false;
        self.post.heal();
        self.full = self.now;
        let soon = self.now + Duration::from_millis(20);
        for wire in &mut self.wires {
            (wire.out_cut, wire.in_cut) = (self.now, self.now);
            wire.is_down = wire.is_down.map(|_| self.now);
            wire.flying.iter_mut().for_each(|(arrives, ..)| *arrives = soon.min(*arrives));
        }
    }

    /// The stream's clock jumps.
    pub(crate) fn jump(&mut self) {
        self.skew = self.rng.i64(0..CLOCK_MAX);
    }

    /// A node offers a proposal.
    pub(super) fn offer(&mut self, node: usize, proposal: Proposal) {
        self.wires[node].sealer.offer(proposal, self.now);
        self.work(node);
    }

    /// A node deletes keys.
    pub(super) fn erase(&mut self, node: usize, keys: &BTreeSet<u64>) {
        self.wires[node].sealer.erase(keys);
        self.work(node);
    }

    /// The next key that a node has deleted.
    pub(super) fn poll_erased(&mut self, node: usize) -> Option<u64> {
        self.wires[node].sealer.next_erased()
    }

    /// The next proposal for a node, if it has arrived.
    pub(super) fn poll(&mut self, node: usize) -> Option<Decided> {
        self.receive(node);
        let (now, wire) = (self.now, &mut self.wires[node]);
        while let Some(decided) = wire.courier.next_decided() {
            wire.sealer.arrive(decided, now);
        }
        self.work(node);
        let wire = &mut self.wires[node];
        let opened = wire.sealer.next_opened();
        wire.has_applied = opened.is_none() && wire.sealer.has_opened_all();
        self.note_applied(node);
        opened
    }

    /// Tells the courier of a node that everything is applied, if it waits for that.
    fn note_applied(&mut self, node: usize) {
        let (now, wire) = (self.now, &mut self.wires[node]);
        if wire.has_applied && wire.courier.waits_to_apply() {
            wire.courier.all_applied(now).expect("the stream can be followed");
            self.work(node);
        }
    }

    /// The next proposal of a node that the stream has refused.
    pub(super) fn poll_refused(&mut self, node: usize) -> Option<ProposalId> {
        let wire = &mut self.wires[node];
        wire.courier.next_refused().or_else(|| wire.sealer.next_refused())
    }

    /// A node asks the process with a random number.
    pub(super) fn ask(&mut self, node: usize, to: (u64, u64), question: &NodeQuestion) {
        self.post.ask((node, self.wires[node].out_cut), to, question);
    }

    /// A node answers another one.
    pub(super) fn answer_node(&mut self, node: usize, number: u64, answer: &NodeAnswer) {
        self.post.answer((node, self.wires[node].out_cut), number, answer);
    }

    /// Moves copies, and rings for the nodes that have something to read.
    pub(crate) fn pass(&mut self, now: Duration) {
        self.now = now;
        self.post.pass(now, |node| self.wires[node].in_cut);
        for node in 0..self.wires.len() {
            self.resend(node);
        }
        self.arrive();
        for node in 0..self.wires.len() {
            self.answer(node);
            self.mend(node);
            self.listen(node);
            let wire = &mut self.wires[node];
            if wire.inbox.is_some() {
                wire.courier.tick(now).expect("the stream can be followed");
                wire.sealer.tick(now);
                self.work(node);
                self.note_applied(node);
            }
            self.receive(node);
            self.send(node);
        }
    }

    /// The time when something moves next.
    pub(crate) fn due(&self) -> Option<Duration> {
        let of_wire = |wire: &Wire| {
            let tries = wire.tries.iter().map(|(ends, _)| *ends);
            let flying = wire.flying.iter().map(|(arrives, ..)| *arrives);
            let answers = wire.answers.iter().map(|(arrives, ..)| *arrives);
            let told = wire.told.iter().map(|(arrives, _)| *arrives);
            let answers = answers.chain(told).chain(wire.mending.iter().map(|(done, _)| *done));
            let reads = wire.next.map(|next| next.max(wire.in_cut));
            let due = wire.courier.due().into_iter().chain(wire.sealer.due()).min();
            let due = due.filter(|_| wire.inbox.is_some());
            let rest = reads.into_iter().chain(due).chain(wire.is_down);
            tries.chain(flying).chain(answers).chain(rest).filter(|due| *due > self.now).min()
        };
        self.wires.iter().filter_map(of_wire).chain(self.post.due()).min()
    }

    /// Does what the sealer and the courier of a node say.
    fn work(&mut self, node: usize) {
        let (now, wire) = (self.now, &mut self.wires[node]);
        while let Some(step) = wire.sealer.next_step() {
            let is_cut = wire.out_cut > now || wire.in_cut > now;
            if let Some(report) = self.keys.take(step, is_cut) {
                wire.sealer.report(report, now);
            }
        }
        if let Some(proposal) = wire.sealer.next_sealed() {
            wire.courier.offer(&proposal, now);
        }
        while let Some(step) = self.wires[node].courier.next_step() {
            match step {
                CourierStep::Publish { number, bytes } => self.publish(node, number, bytes.into()),
                CourierStep::Follow { after } => {
                    let wire = &mut self.wires[node];
                    (wire.read, wire.next) = (Some(after as usize), None);
                    self.send(node);
                }
                CourierStep::Reconnect => {}
                CourierStep::Look { position } => {
                    self.begin(node, Mending::Look { position: position as usize });
                }
                CourierStep::Restore { after, last } => {
                    let (after, last) = (after as usize, last as usize);
                    self.begin(node, Mending::Restore { after, last });
                }
                CourierStep::PassOver { .. } => panic!("the stream deletes nothing"),
                CourierStep::Say(reach) => self.say(node, &reach),
            }
        }
    }

    /// Begins work on the stream.
    fn begin(&mut self, node: usize, mending: Mending) {
        let done = self.now + Duration::from_millis(self.rng.u64(1..20));
        self.wires[node].mending.push((done, mending));
    }

    /// Tells the nodes that can be reached how far a node is.
    fn say(&mut self, node: usize, reach: &NodeReach) {
        if self.wires[node].out_cut > self.now {
            return;
        }
        for wire in self.wires.iter_mut().filter(|wire| wire.inbox.is_some()) {
            let is_lost = self.is_faulty && self.rng.u8(0..20) == 0;
            let arrives = self.now + Duration::from_millis(self.rng.u64(0..20));
            if wire.in_cut <= self.now && !is_lost {
                wire.told.push((arrives, reach.clone()));
            }
        }
    }

    /// Does the work that nodes have begun.
    fn mend(&mut self, node: usize) {
        let (now, wire) = (self.now, &mut self.wires[node]);
        let done: Vec<_> = wire.mending.extract_if(.., |(done, _)| *done <= now).collect();
        for (_, mending) in done {
            let wire = &self.wires[node];
            let is_cut = wire.out_cut > now || wire.in_cut > now;
            match mending {
                Mending::Look { position } => {
                    let end = position.min(self.places.len());
                    let (own, there) = (&wire.own[..end], &self.places[..end]);
                    let last = own.last().zip(there.last());
                    let differs = last.filter(|(own, there)| own.bytes != there.bytes);
                    let differs = differs.map(|_| end as u64);
                    let last = self.places.len() as u64;
                    let look = Look { last, there: last, after: 0, differs, begins: None };
                    let look = (!is_cut).then_some(look);
                    let courier = &mut self.wires[node].courier;
                    courier.looked(look, now).expect("the stream can be followed");
                }
                Mending::Restore { after, last } => {
                    let is_done = !is_cut && self.restore(node, after, last);
                    self.wires[node].courier.restored(is_done, now);
                }
            }
            self.work(node);
        }
    }

    /// Publishes proposals again, each into its old place. Returns whether all are there; the node
    /// may lose the connection in between.
    fn restore(&mut self, node: usize, after: usize, last: usize) -> bool {
        for index in after..last {
            let old = &self.wires[node].own[index];
            if self.places.len() > index {
                assert_eq!(self.places[index].bytes, old.bytes, "position {}", index + 1);
                continue;
            }
            if self.is_faulty && self.rng.u8(0..40) == 0 {
                return false;
            }
            self.places.push(old.clone());
        }
        true
    }

    /// Gives the courier of a node what the others say.
    fn listen(&mut self, node: usize) {
        let (now, wire) = (self.now, &mut self.wires[node]);
        for (_, reach) in wire.told.extract_if(.., |(arrives, _)| *arrives <= now) {
            if wire.in_cut <= now {
                wire.courier.heard(reach, now).expect("the stream can be followed");
            }
        }
        self.work(node);
    }

    /// Publishes a proposal. The client of the engine may keep it while the link is cut.
    fn publish(&mut self, node: usize, number: u64, bytes: Arc<[u8]>) {
        let (now, is_held) = (self.now, self.rng.bool());
        let wire = &mut self.wires[node];
        wire.tries.push((now + TRY, number));
        if wire.out_cut > now {
            wire.held.extend(is_held.then_some(bytes));
        } else if self.full > now {
            let delay = Duration::from_millis(self.rng.u64(0..20));
            wire.answers.push((now + delay, number, Published::Refused));
        } else {
            self.launch(node, Some(number), bytes);
        }
    }

    /// Sends the copies that the client of the engine has kept, and ends a cut that it has noticed.
    fn resend(&mut self, node: usize) {
        let (now, wire) = (self.now, &mut self.wires[node]);
        if wire.out_cut <= now {
            for bytes in std::mem::take(&mut wire.held) {
                self.launch(node, None, bytes);
            }
        }
        let wire = &mut self.wires[node];
        if wire.is_down.take_if(|until| *until <= now).is_some() && wire.inbox.is_some() {
            wire.courier.connected(now);
            wire.sealer.connected(now);
            self.work(node);
        }
    }

    /// Sends a copy to the stream: it may get lost, or there may be a second one that is late.
    fn launch(&mut self, node: usize, number: Option<u64>, bytes: Arc<[u8]>) {
        let mut delays = vec![self.rng.u64(0..20)];
        if self.is_faulty {
            match self.rng.u8(0..30) {
                0 => delays.clear(),
                1 => delays.push(self.rng.u64(0..60_000)),
                2 => delays[0] = self.rng.u64(0..5_000),
                _ => {}
            }
        }
        for delay in delays {
            let arrives = self.now + Duration::from_millis(delay);
            self.wires[node].flying.push((arrives, number, Arc::clone(&bytes)));
        }
    }

    /// Gives their places to the copies that have arrived. The acknowledgement of each may be lost.
    fn arrive(&mut self) {
        let mut arrived = Vec::new();
        for (node, wire) in self.wires.iter_mut().enumerate() {
            let now = self.now;
            let copies = wire.flying.extract_if(.., |(arrives, ..)| *arrives <= now);
            arrived.extend(copies.map(|(arrives, number, bytes)| (arrives, node, number, bytes)));
        }
        arrived.sort_by_key(|&(arrives, node, ..)| (arrives, node));
        for (came, node, number, bytes) in arrived {
            let is_lost = self.is_faulty && self.rng.u8(0..10) == 0;
            if let Some(number) = number.filter(|_| !is_lost) {
                self.wires[node].answers.push((self.now, number, Published::Stored));
            }
            let at = WallTime(came.as_millis() as i64 + self.skew);
            self.places.push(Place { at, came, bytes });
        }
    }

    /// Gives the courier of a node the answers to its tries.
    fn answer(&mut self, node: usize) {
        let (now, wire) = (self.now, &mut self.wires[node]);
        let is_cut = wire.in_cut > now;
        for (_, number, published) in wire.answers.extract_if(.., |(at, ..)| *at <= now) {
            if !is_cut {
                wire.courier.published(number, published, now);
            }
        }
        for (_, number) in wire.tries.extract_if(.., |(ends, _)| *ends <= now) {
            wire.courier.published(number, Published::Unknown, now);
        }
        self.work(node);
    }

    /// Gives the courier of a node the proposals that have arrived.
    fn receive(&mut self, node: usize) {
        loop {
            let (now, last) = (self.now, self.places.len());
            let wire = &mut self.wires[node];
            let is_due = wire.next.is_some_and(|next| next <= now) && wire.in_cut <= now;
            let (Some(read), true) = (wire.read, is_due) else {
                return;
            };
            let place = self.places[read].clone();
            if wire.own.len() == read {
                wire.own.push(place.clone());
                self.reached = self.reached.max(read + 1);
            }
            let Place { at, bytes, .. } = place;
            let (position, behind) = (read as u64 + 1, (last - read - 1) as u64);
            let message = StreamMessage { position, at, subject: "0".into(), bytes, behind };
            wire.courier.arrived(message, now);
            wire.has_applied = false;
            (wire.read, wire.next) = (Some(read + 1), None);
            if let Some(inbox) = &wire.inbox {
                inbox.bell().ring();
            }
            self.send(node);
        }
    }

    /// Sends the next proposal to a node that has got all earlier ones.
    fn send(&mut self, node: usize) {
        let wire = &mut self.wires[node];
        let next = wire.read.and_then(|read| self.places.get(read));
        if let (Some(place), None) = (next, wire.next) {
            let late = self.is_faulty && self.rng.u8(0..20) == 0;
            let delay = self.rng.u64(0..if late { 2_000 } else { 5 });
            wire.next = Some(place.came + Duration::from_millis(delay));
        }
    }
}
