//! Intents: the wishes of people, as values without a connection and without a clock.
//!
//! A sequencer puts them in order, and the ledger applies them in that order. Everything that
//! depends on a clock, a table of Unicode, an address or the configuration is checked or computed
//! before, and travels in the intent.

mod import;
mod kinds;
mod proposal;
mod sealed;
mod size;

pub use crate::model::Format;
pub use import::{Import, ImportedLines, ImportedMessage, PastAct, PastLog};
pub use kinds::{Intent, Reentry};
pub use proposal::{BYTES_MAX, Check, INTENTS_MAX, Proposal, ProposalId, Stamp};
pub use sealed::ErasableOf;
pub use size::lines_bytes;
