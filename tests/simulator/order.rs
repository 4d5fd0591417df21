//! The order of intents, which a second ledger follows as another server would: from their bytes.

use std::sync::{Arc, Mutex};

use parlor_core::intent::{Proposal, Stamp};
use parlor_core::ledger::Ledger;
use parlor_core::model::WallTime;
use parlor_core::sequencer::{Decided, Local, Sequencer};
use parlor_wire::pack::NEWEST;
use parlor_wire::pack::proposal::{pack, unpack};

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
        let received = unpack(&pack(&decided.proposal, NEWEST).unwrap(), NEWEST).unwrap();
        for intent in received.intents {
            let stamp = Stamp { boot: 0, at: decided.at };
            second.apply(intent, stamp, &mut Vec::new()).ok();
        }
        Some(decided)
    }
}
