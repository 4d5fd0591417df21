//! Proposals: intents that one node puts in order together.

use super::kinds::Intent;
use crate::model::{Format, WallTime};

/// The largest proposal, in bytes: half of the smallest message that servers of NATS allow by
/// default.
pub const BYTES_MAX: usize = 512 << 10;

/// The largest number of intents in a proposal: one in each place of a batch.
pub const INTENTS_MAX: usize = 8_192;

/// The identity of a proposal, which all nodes know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProposalId {
    /// The run of a node. A server without other nodes is boot 0.
    pub boot: u32,
    /// The number of the proposal in that run.
    pub number: u64,
}

/// Intents that are put in order together.
#[derive(Clone, Debug, Default)]
pub struct Proposal {
    /// The format in which it is written: the one that was in force for its node.
    pub format: Format,
    /// Its identity.
    pub id: ProposalId,
    /// The position in the order up to which its node had applied all proposals.
    pub after: u64,
    /// The last digest of the ledger that its node has computed.
    pub check: Check,
    /// The intents, in order.
    pub intents: Vec<Intent>,
}

impl Proposal {
    /// Whether it deletes lines that were said before it.
    pub(crate) fn deletes_lines(&self) -> bool {
        self.intents.iter().any(|intent| matches!(intent, Intent::DeleteLines { .. }))
    }
}

/// A digest of the ledger after the proposal at a position, by which nodes notice that their ledgers
/// differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Check {
    /// The position.
    pub position: u64,
    /// The digest.
    pub digest: u64,
}

/// Where an intent that is applied comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// The boot of the proposal.
    pub boot: u32,
    /// The time of its place in the order.
    pub at: WallTime,
}
