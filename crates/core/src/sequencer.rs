//! The order of intents. Knows no engine.

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Debug;

use crate::intent::{Proposal, ProposalId};
use crate::model::{NodeName, WallTime};

/// A proposal with its place in the order.
#[derive(Clone, Debug)]
pub struct Decided {
    /// The position of that place; 0 on a server without other nodes. Later places have larger
    /// positions.
    pub position: u64,
    /// The time of that place.
    pub at: WallTime,
    /// The proposal.
    pub proposal: Proposal,
}

/// How far a node has come in the order, and which proposals it can put there again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeReach {
    /// The node.
    pub node: NodeName,
    /// It has everything behind this position, as it came.
    pub after: u64,
    /// The last position that has come to it.
    pub position: u64,
    /// Whether it asks all others for the same.
    pub asks: bool,
}

/// Puts proposals in order: the same order for everybody who shares it.
pub trait Sequencer: Debug + Send {
    /// Offers a proposal. Its place is decided now or later. With several nodes, the sequencer
    /// publishes it until it is in the order, or until the next one is offered.
    fn offer(&mut self, proposal: Proposal);

    /// The next proposal in the order, from any process, repeats included; none if the next place
    /// is not decided yet.
    /// `now` is the time for a sequencer without a clock.
    fn poll_decided(&mut self, now: WallTime) -> Option<Decided>;

    /// Deletes these keys of seals, which nobody needs any more, now or later. They may be deleted
    /// already. Replaces the keys of earlier calls.
    fn erase(&mut self, _keys: &BTreeSet<u64>) {}

    /// The next key that is deleted for good.
    fn poll_erased(&mut self) -> Option<u64> {
        None
    }

    /// Says which nodes live, whenever that changes.
    fn note_live(&mut self, nodes: BTreeSet<NodeName>) {
        let _ = nodes; // a server without other nodes has none
    }

    /// The next proposal of this process that the order has no space for: it will never have its
    /// place.
    fn poll_refused(&mut self) -> Option<ProposalId> {
        None
    }
}

/// The order of a server without other nodes: the place of each proposal is decided at once.
#[derive(Debug, Default)]
pub struct Local {
    offered: VecDeque<Proposal>,
}

impl Sequencer for Local {
    fn offer(&mut self, proposal: Proposal) {
        self.offered.push_back(proposal);
    }

    fn poll_decided(&mut self, now: WallTime) -> Option<Decided> {
        self.offered.pop_front().map(|proposal| Decided { position: 0, at: now, proposal })
    }
}
