//! A certificate from an authority (ACME, RFC 8555): asked for, proven at the doors, stored, shown,
//! and renewed in time. Knows no door.

mod account;
mod authority;
mod challenges;
mod client;
mod failed;
mod order;
mod renewal;
mod task;
mod tries;

pub(crate) use challenges::{ACME_TLS, Challenges};
pub(crate) use task::AcmeTask;
