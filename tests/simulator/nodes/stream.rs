//! The order that all nodes share: the bytes of proposals with their times, as a stream of an
//! engine would hold them. Each node has a link to it, which the seed delays and cuts: the shipped
//! courier decides what the link does. Knows no ledger.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use parlor::sequencer::{Courier, CourierStep, Published, Sealer, StreamMessage};
use parlor_core::intent::{Proposal, ProposalId};
use parlor_core::link::Inbox;
use parlor_core::model::WallTime;
use parlor_core::sequencer::Decided;

use super::keys::KeyShelf;

/// A try without an answer ends after this time.
const TRY: Duration = Duration::from_secs(2);

/// How far the stream's clock is ahead at most, in milliseconds.
const CLOCK_MAX: i64 = 3_000_000;

/// A proposal in the order.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The time of the stream's own clock.
    pub(crate) at: WallTime,
    /// When it came.
    pub(crate) came: Duration,
    pub(crate) bytes: Arc<[u8]>,
}

/// The order, and the links to it.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) places: Vec<Place>,
    wires: Vec<Wire>,
    now: Duration,
    keys: KeyShelf,
    /// How far the stream's clock is ahead, in milliseconds.
    skew: i64,
    /// Whether copies are lost, late and repeated.
    pub(crate) is_faulty: bool,
    /// Until when the stream has no space for more.
    full: Duration,
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
    /// Rings when a proposal reaches the node; none while the node is down.
    inbox: Option<Arc<Inbox>>,
}

/// A copy of a proposal on its way to the stream.
type Copy = (Duration, Option<u64>, Arc<[u8]>);

impl Default for Wire {
    fn default() -> Wire {
        Wire {
            courier: Courier::new(0),
            sealer: Sealer::default(),
            tries: Vec::new(),
            flying: Vec::new(),
            answers: Vec::new(),
            held: Vec::new(),
            out_cut: Duration::ZERO,
            in_cut: Duration::ZERO,
            is_down: None,
            read: None,
            next: None,
            inbox: None,
        }
    }
}

impl Stream {
    pub(crate) fn new(nodes: usize, mut rng: Rng) -> Stream {
        Stream {
            places: Vec::new(),
            keys: KeyShelf::default(),
            wires: (0..nodes).map(|_| Wire::default()).collect(),
            now: Duration::ZERO,
            skew: rng.i64(0..CLOCK_MAX),
            is_faulty: true,
            full: Duration::ZERO,
            rng,
        }
    }

    /// A node starts, and reads from this position on.
    pub(crate) fn connect(&mut self, node: usize, position: usize, inbox: &Arc<Inbox>) {
        let (now, wire) = (self.now, &mut self.wires[node]);
        wire.courier = Courier::new(position as u64);
        wire.sealer = Sealer::default();
        wire.inbox = Some(Arc::clone(inbox));
        wire.courier.connected(now);
        wire.sealer.connected(now);
        self.work(node);
    }

    /// A node dies. Copies that are on their way still arrive.
    pub(crate) fn disconnect(&mut self, node: usize) {
        let wire = &mut self.wires[node];
        wire.tries.clear();
        wire.answers.clear();
        wire.held.clear();
        (wire.inbox, wire.read, wire.next) = (None, None, None);
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

    /// Ends all faults. Copies that are on their way arrive soon.
    pub(crate) fn heal(&mut self) {
        self.is_faulty = false;
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
        self.wires[node].sealer.next_opened()
    }

    /// The next proposal of a node that the stream has refused.
    pub(super) fn poll_refused(&mut self, node: usize) -> Option<ProposalId> {
        let wire = &mut self.wires[node];
        wire.courier.next_refused().or_else(|| wire.sealer.next_refused())
    }

    /// Moves copies, and rings for the nodes that have something to read.
    pub(crate) fn pass(&mut self, now: Duration) {
        self.now = now;
        for node in 0..self.wires.len() {
            self.resend(node);
        }
        self.arrive();
        for node in 0..self.wires.len() {
            self.answer(node);
            let wire = &mut self.wires[node];
            if wire.inbox.is_some() {
                wire.courier.tick(now);
                wire.sealer.tick(now);
                self.work(node);
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
            let reads = wire.next.map(|next| next.max(wire.in_cut));
            let due = wire.courier.due().into_iter().chain(wire.sealer.due()).min();
            let due = due.filter(|_| wire.inbox.is_some());
            let rest = reads.into_iter().chain(due).chain(wire.is_down);
            tries.chain(flying).chain(answers).chain(rest).filter(|due| *due > self.now).min()
        };
        self.wires.iter().filter_map(of_wire).min()
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
            }
        }
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
            let Place { at, bytes, .. } = self.places[read].clone();
            let (position, behind) = (read as u64 + 1, (last - read - 1) as u64);
            let message = StreamMessage { position, at, bytes: bytes.to_vec(), behind };
            wire.courier.arrived(message, now).expect("a packed proposal");
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
