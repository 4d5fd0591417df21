//! Between the broadcaster and the task of the stream: proposals go one way, the order comes the
//! other. Neither waits for the other one.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use parlor_core::intent::{Proposal, ProposalId};
use parlor_core::model::{NodeName, WallTime};
use parlor_core::sequencer::{Decided, Sequencer};
use tokio::sync::Notify;

/// How many proposals may wait for the broadcaster. While there are more, the stream is not read.
const DECIDED_MAX: usize = 1_024;

/// The place where both sides leave what is for the other one.
#[derive(Debug, Default)]
pub(crate) struct OrderQueue {
    places: Mutex<Places>,
    /// There is a proposal, or there are keys to delete, or another node lives, or everything is
    /// applied.
    pub(super) offered: Notify,
    /// There is space for more of the order.
    pub(super) taken: Notify,
}

#[derive(Debug, Default)]
struct Places {
    /// The latest proposal of this node.
    offered: Option<Proposal>,
    /// The nodes that live, if that has changed.
    live: Option<BTreeSet<NodeName>>,
    decided: VecDeque<Decided>,
    /// Whether the broadcaster has asked for more when there was nothing: so it has applied
    /// everything.
    is_all_applied: bool,
    /// Whether the task wants to know when everything is applied.
    is_waited_for: bool,
    refused: VecDeque<ProposalId>,
    /// Keys that nobody needs any more, if there are new ones.
    needless_keys: Option<BTreeSet<u64>>,
    erased_keys: VecDeque<u64>,
}

impl OrderQueue {
    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The proposal of this node, if there is a new one.
    pub(super) fn take_offered(&self) -> Option<Proposal> {
        self.places().offered.take()
    }

    /// The keys that nobody needs any more, if there are new ones.
    pub(super) fn take_needless_keys(&self) -> Option<BTreeSet<u64>> {
        self.places().needless_keys.take()
    }

    /// Adds a key that is deleted.
    pub(super) fn erased(&self, key: u64) {
        self.places().erased_keys.push_back(key);
    }

    /// The nodes that live, if that has changed.
    pub(super) fn take_live(&self) -> Option<BTreeSet<NodeName>> {
        self.places().live.take()
    }

    /// Adds to the order.
    pub(super) fn decide(&self, decided: Decided) {
        let mut places = self.places();
        places.is_all_applied = false;
        places.decided.push_back(decided);
    }

    /// Whether the broadcaster has applied everything. If not, the task is told when it has.
    pub(super) fn is_all_applied(&self) -> bool {
        let mut places = self.places();
        places.is_waited_for |= !places.is_all_applied;
        places.is_all_applied
    }

    /// Adds a proposal that the stream has refused.
    pub(super) fn refuse(&self, id: ProposalId) {
        self.places().refused.push_back(id);
    }

    /// Whether the broadcaster has enough to do.
    pub(super) fn is_full(&self) -> bool {
        self.places().decided.len() >= DECIDED_MAX
    }
}

/// The sequencer of a node, for its broadcaster.
#[derive(Debug)]
pub(crate) struct StreamSequencer(pub(crate) Arc<OrderQueue>);

impl Sequencer for StreamSequencer {
    fn offer(&mut self, proposal: Proposal) {
        self.0.places().offered = Some(proposal);
        self.0.offered.notify_one();
    }

    fn poll_decided(&mut self, _now: WallTime) -> Option<Decided> {
        let mut places = self.0.places();
        let decided = places.decided.pop_front();
        if places.decided.len() + 1 == DECIDED_MAX {
            self.0.taken.notify_one();
        }
        if decided.is_none() {
            places.is_all_applied = true;
            if std::mem::take(&mut places.is_waited_for) {
                self.0.offered.notify_one();
            }
        }
        decided
    }

    fn erase(&mut self, keys: &BTreeSet<u64>) {
        self.0.places().needless_keys = Some(keys.clone());
        self.0.offered.notify_one();
    }

    fn poll_erased(&mut self) -> Option<u64> {
        self.0.places().erased_keys.pop_front()
    }

    fn note_live(&mut self, nodes: BTreeSet<NodeName>) {
        self.0.places().live = Some(nodes);
        self.0.offered.notify_one();
    }

    fn poll_refused(&mut self) -> Option<ProposalId> {
        self.0.places().refused.pop_front()
    }
}
