//! The broadcaster: it turns requests into intents, and the results of intents into entries of the
//! rooms' logs and answers.
//!
//! It is a state machine and knows no task, no clock and no journal. Its task repeats these steps:
//! [`drain`](Broadcaster::drain) the inbox, [`gather`](Broadcaster::gather) a batch, let the
//! journal commit it, and [`append`](Broadcaster::append) it to the rooms' logs. It drains again
//! while the journal works. The broadcaster needs no lock, because nobody else can touch it.

mod append;
mod asking;
mod carrier;
mod carrying;
mod checks;
mod codes;
mod contact;
mod crowd;
mod dispatch;
mod events;
mod fencing;
mod finding;
mod following;
mod gather;
mod invitations;
mod invited;
mod inviting;
mod listening;
mod memory;
mod messages;
mod moderating;
mod names_left;
mod node;
mod ordering;
mod outside;
mod own_modes;
mod owning;
mod pending;
mod proposing;
mod receiving;
mod renewing;
mod rooms;
mod state;
mod telling;
mod tickets;
mod visitors;
mod watches;
mod watching;

pub use checks::Difference;
pub use node::{CHECK_EVERY, NodeStart, SWITCH_AFTER, Standing};
pub use pending::{Gathered, RETURN_TIME};
pub use state::Broadcaster;
