//! The order of intents, which a second ledger follows.

use std::sync::{Arc, Mutex};

use parlor_core::intent::Proposal;
use parlor_core::ledger::Ledger;
use parlor_core::model::WallTime;
use parlor_core::sequencer::{Decided, Local, Sequencer};

/// The order of one server. A second ledger applies each proposal before the server gets it.
#[derive(Debug, Default)]
pub(crate) struct Order {
    local: Local,
    pub(crate) second: Arc<Mutex<Ledger>>,
}

impl Sequencer for Order {
    fn offer(&mut self, proposal: Proposal) {
        self.local.offer(proposal);
    }

    fn poll_decided(&mut self, now: WallTime) -> Option<Decided> {
        let decided = self.local.poll_decided(now)?;
        let mut second = self.second.lock().unwrap();
        for intent in decided.proposal.intents.clone() {
            second.apply(intent, decided.at, &mut Vec::new()).ok();
        }
        Some(decided)
    }
}
