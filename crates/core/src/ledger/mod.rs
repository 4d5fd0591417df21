//! The ledger: people, names, seats, rules and rooms, as a function of the order of intents.
//!
//! Two ledgers that apply the same intents in the same order are equal. So this folder knows no
//! clock, no random source, no configuration and no connection, and walks only ordered maps. A
//! value that depends on one of these is computed before, and travels in the intent. A digest tells
//! whether two ledgers are equal; a ledger that is restored from a snapshot equals the first one.

mod accounts;
mod apply;
mod authority;
mod booting;
mod codes;
mod coming;
mod describing;
mod digest;
mod event;
mod importing;
mod keepers;
mod keeping;
mod kept;
mod logging_in;
mod markers;
mod may;
mod moderating;
mod modes;
mod nodes;
mod owning;
mod past;
mod people;
mod ranks;
mod record;
mod returning;
mod room_acts;
mod room_rules;
mod rooms;
mod rules;
mod saying;
mod sealing;
mod seals;
mod share;
mod snapshot;
mod state;
mod unchanged;
mod unkept;
mod unstored;

pub use accounts::Account;
pub use codes::{CODE_LIFE, ReturnCode, Validity};
pub use event::{Announcement, Changed, Exile, Happened, Parting};
pub use kept::{Kept, SealedMessage};
pub use markers::{MARKERS_MAX, Markers};
pub use nodes::{Boot, Skipped};
pub use past::Past;
pub use people::Person;
pub use record::{Before, KeptMessage, OwnerVisit, Record};
pub use room_acts::change_lasting;
pub use room_rules::{Invited, RulesOfRoom};
pub(crate) use rules::Subject;
pub use rules::{BANS_MAX, Mute};
pub use seals::{OwnerKeys, Seals};
pub(crate) use share::is_within;
pub use snapshot::Snapshot;
pub use state::{Absent, Ledger};
