//! The order that all nodes share: the bytes of proposals with their times, as a stream of an
//! engine would hold them. Each node has a link to it, which the seed delays and cuts. Knows no
//! ledger.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use parlor_core::intent::Proposal;
use parlor_core::link::Inbox;
use parlor_core::model::WallTime;
use parlor_core::sequencer::Decided;
use parlor_wire::pack::proposal::{pack, unpack};

/// A proposal that was not acknowledged is published again after this time.
const RETRY: Duration = Duration::from_secs(2);

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
    /// How far the stream's clock is ahead, in milliseconds.
    skew: i64,
    /// Whether copies are lost, late and repeated.
    pub(crate) is_faulty: bool,
    rng: Rng,
}

/// One node's link to the order.
#[derive(Debug, Default)]
struct Wire {
    /// Proposals that are not acknowledged, with the time of the next try.
    offered: Vec<(Duration, Arc<[u8]>)>,
    /// Copies that are on their way, with the time when they arrive.
    flying: Vec<(Duration, Arc<[u8]>)>,
    /// Copies that the client of the engine sends when the link is there again.
    held: Vec<Arc<[u8]>>,
    /// Until when nothing goes to the stream.
    out_cut: Duration,
    /// Until when nothing comes from the stream.
    in_cut: Duration,
    /// The number of proposals that the node has got.
    read: usize,
    /// When the next proposal reaches the node.
    next: Option<Duration>,
    /// Rings when a proposal reaches the node; none while the node is down.
    inbox: Option<Arc<Inbox>>,
}

impl Stream {
    pub(crate) fn new(nodes: usize, mut rng: Rng) -> Stream {
        Stream {
            places: Vec::new(),
            wires: (0..nodes).map(|_| Wire::default()).collect(),
            now: Duration::ZERO,
            skew: rng.i64(0..CLOCK_MAX),
            is_faulty: true,
            rng,
        }
    }

    /// A node starts, and reads from this position on.
    pub(crate) fn connect(&mut self, node: usize, position: usize, inbox: &Arc<Inbox>) {
        let wire = &mut self.wires[node];
        (wire.read, wire.next) = (position, None);
        wire.inbox = Some(Arc::clone(inbox));
    }

    /// A node dies. Copies that are on their way still arrive.
    pub(crate) fn disconnect(&mut self, node: usize) {
        let wire = &mut self.wires[node];
        wire.offered.clear();
        wire.held.clear();
        wire.inbox = None;
    }

    /// Cuts the link of a node for a while: to the stream, from it, or both. A link from the stream
    /// may begin anew before the last proposal.
    pub(crate) fn cut(&mut self, node: usize, (out, back): (bool, bool), time: Duration) {
        let (until, wire) = (self.now + time, &mut self.wires[node]);
        if out {
            wire.out_cut = wire.out_cut.max(until);
        }
        if back {
            wire.in_cut = wire.in_cut.max(until);
            wire.read = wire.read.saturating_sub(self.rng.usize(0..4));
            wire.next = None;
        }
    }

    /// Ends all faults. Copies that are on their way arrive soon.
    pub(crate) fn heal(&mut self) {
        self.is_faulty = false;
        let soon = self.now + Duration::from_millis(20);
        for wire in &mut self.wires {
            (wire.out_cut, wire.in_cut) = (self.now, self.now);
            wire.flying.iter_mut().for_each(|(arrives, _)| *arrives = soon.min(*arrives));
        }
    }

    /// The stream's clock jumps.
    pub(crate) fn jump(&mut self) {
        self.skew = self.rng.i64(0..CLOCK_MAX);
    }

    /// A node offers a proposal.
    pub(super) fn offer(&mut self, node: usize, proposal: &Proposal) {
        let bytes: Arc<[u8]> = pack(proposal).expect("a proposal that fits").into();
        self.wires[node].offered.push((self.now, bytes));
        self.publish(node);
    }

    /// The next proposal for a node, if it has arrived.
    pub(super) fn poll(&mut self, node: usize) -> Option<Decided> {
        let wire = &mut self.wires[node];
        if wire.in_cut > self.now || wire.next.is_none_or(|next| next > self.now) {
            return None;
        }
        let Place { at, bytes, .. } = self.places[wire.read].clone();
        wire.read += 1;
        wire.next = None;
        wire.offered.retain(|(_, offered)| *offered != bytes);
        let position = wire.read as u64;
        self.send(node);
        let proposal = unpack(&bytes).expect("a packed proposal");
        Some(Decided { position, at, proposal })
    }

    /// Moves copies, and rings for the nodes that have something to read.
    pub(crate) fn pass(&mut self, now: Duration) {
        self.now = now;
        for node in 0..self.wires.len() {
            self.publish(node);
        }
        self.arrive();
        for node in 0..self.wires.len() {
            self.send(node);
            let wire = &self.wires[node];
            let is_due = wire.next.is_some_and(|next| next <= now) && wire.in_cut <= now;
            if let Some(inbox) = wire.inbox.as_ref().filter(|_| is_due) {
                inbox.bell().ring();
            }
        }
    }

    /// The time when something moves next.
    pub(crate) fn due(&self) -> Option<Duration> {
        let of_wire = |wire: &Wire| {
            let tries = wire.offered.iter().map(|(next, _)| *next);
            let flying = wire.flying.iter().map(|(arrives, _)| *arrives);
            let reads = wire.next.map(|next| next.max(wire.in_cut));
            tries.chain(flying).chain(reads).filter(|due| *due > self.now).min()
        };
        self.wires.iter().filter_map(of_wire).min()
    }

    /// Publishes what a node has offered, if it is time to.
    fn publish(&mut self, node: usize) {
        let (now, wire) = (self.now, &mut self.wires[node]);
        let is_cut = wire.out_cut > now;
        let mut copies = Vec::new();
        if !is_cut {
            copies.append(&mut wire.held);
        }
        for (next, bytes) in wire.offered.iter_mut().filter(|(next, _)| *next <= now) {
            *next = now + RETRY;
            match is_cut {
                false => copies.push(Arc::clone(bytes)),
                true if self.rng.bool() => wire.held.push(Arc::clone(bytes)),
                true => {}
            }
        }
        for bytes in copies {
            self.launch(node, bytes);
        }
    }

    /// Sends a copy to the stream: it may get lost, or there may be a second one that is late.
    fn launch(&mut self, node: usize, bytes: Arc<[u8]>) {
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
            self.wires[node].flying.push((arrives, Arc::clone(&bytes)));
        }
    }

    /// Gives their places to the copies that have arrived. The acknowledgement of each ends the
    /// tries, unless it is lost.
    fn arrive(&mut self) {
        let mut arrived = Vec::new();
        for (node, wire) in self.wires.iter_mut().enumerate() {
            let now = self.now;
            let copies = wire.flying.extract_if(.., |(arrives, _)| *arrives <= now);
            arrived.extend(copies.map(|(arrives, bytes)| (arrives, node, bytes)));
        }
        arrived.sort_by_key(|&(arrives, node, _)| (arrives, node));
        for (came, node, bytes) in arrived {
            let wire = &mut self.wires[node];
            let is_lost = wire.in_cut > self.now || self.is_faulty && self.rng.u8(0..10) == 0;
            if !is_lost {
                wire.offered.retain(|(_, offered)| *offered != bytes);
            }
            let at = WallTime(came.as_millis() as i64 + self.skew);
            self.places.push(Place { at, came, bytes });
        }
    }

    /// Sends the next proposal to a node that has got all earlier ones.
    fn send(&mut self, node: usize) {
        let wire = &mut self.wires[node];
        if let (Some(place), None) = (self.places.get(wire.read), wire.next) {
            let late = self.is_faulty && self.rng.u8(0..20) == 0;
            let delay = self.rng.u64(0..if late { 2_000 } else { 5 });
            wire.next = Some(place.came + Duration::from_millis(delay));
        }
    }
}
