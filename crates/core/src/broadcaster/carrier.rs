//! Private messages on their way between nodes. Knows no ledger.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::link::{Answer, CarriedMessage, Client, Neighbours};
use crate::model::Name;

/// How many messages of other nodes may wait until this node has come as far as their authors. The
/// authors of more get no answer.
pub(super) const ARRIVING_MAX: usize = 1_024;

/// Private messages on their way between nodes.
#[derive(Debug)]
pub(super) struct Carrier {
    pub(super) neighbours: Box<dyn Neighbours>,
    /// Messages that were sent to other nodes, by number. Each has an answer soon.
    pub(super) sent: BTreeMap<u64, Leaving>,
    pub(super) last: u64,
    /// Messages whose author's node was further than this one, with the numbers of their answers.
    pub(super) arriving: VecDeque<(u64, CarriedMessage)>,
}

/// A message that was sent to other nodes.
#[derive(Debug)]
pub(super) struct Leaving {
    pub(super) client: Arc<Client>,
    pub(super) to: Name,
    /// The answer if somebody reads it.
    pub(super) answer: Answer,
    /// How many nodes have not answered.
    pub(super) waiting: usize,
    /// Whether somebody reads it.
    pub(super) is_read: bool,
    /// Whether a node did not answer in time.
    pub(super) is_unknown: bool,
}

impl Carrier {
    pub(super) fn new(neighbours: Box<dyn Neighbours>) -> Carrier {
        Carrier { neighbours, sent: BTreeMap::new(), last: 0, arriving: VecDeque::new() }
    }
}
