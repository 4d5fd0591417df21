//! The ledger: people, names, seats, rules and rooms, as a function of the order of intents.
//!
//! Two ledgers that apply the same intents in the same order are equal. So this folder knows no
//! clock, no random source, no configuration and no connection, and walks only ordered maps. A
//! value that depends on one of these is computed before, and travels in the intent.

mod apply;
mod coming;
mod event;
mod may;
mod moderating;
mod owning;
mod past;
mod people;
mod rooms;
mod rules;
mod saying;
mod share;
mod state;

pub(crate) use event::{Announcement, Happened};
pub use past::Past;
pub(crate) use people::Person;
pub(crate) use rules::Subject;
pub(crate) use share::is_within;
pub(crate) use state::Ledger;
