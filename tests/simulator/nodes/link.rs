//! One node's end of its link to the order, as the sequencer of that node, and of its way to other
//! nodes.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use parlor_core::intent::{Proposal, ProposalId};
use parlor_core::link::{Carried, Neighbours, NodeAnswer, NodeQuestion};
use parlor_core::model::{NodeName, WallTime};
use parlor_core::sequencer::{Decided, Sequencer};

use super::stream::Stream;

/// The sequencer of one node, and its way to the others.
#[derive(Clone, Debug)]
pub(crate) struct StreamLink {
    pub(crate) node: usize,
    pub(crate) stream: Arc<Mutex<Stream>>,
}

impl Sequencer for StreamLink {
    fn offer(&mut self, proposal: Proposal) {
        self.stream.lock().unwrap().offer(self.node, proposal);
    }

    fn poll_decided(&mut self, _now: WallTime) -> Option<Decided> {
        self.stream.lock().unwrap().poll(self.node)
    }

    fn erase(&mut self, keys: &BTreeSet<u64>) {
        self.stream.lock().unwrap().erase(self.node, keys);
    }

    fn poll_erased(&mut self) -> Option<u64> {
        self.stream.lock().unwrap().poll_erased(self.node)
    }

    fn note_live(&mut self, nodes: BTreeSet<NodeName>) {
        self.stream.lock().unwrap().note_live(self.node, nodes);
    }

    fn poll_refused(&mut self) -> Option<ProposalId> {
        self.stream.lock().unwrap().poll_refused(self.node)
    }
}

impl Neighbours for StreamLink {
    fn ask(&mut self, nonce: u64, number: u64, question: NodeQuestion) {
        self.stream.lock().unwrap().ask(self.node, (nonce, number), &question);
    }

    fn answer(&mut self, number: u64, answer: NodeAnswer) {
        self.stream.lock().unwrap().answer_node(self.node, number, &answer);
    }

    fn poll(&mut self) -> Option<Carried> {
        self.stream.lock().unwrap().post.poll(self.node)
    }
}
