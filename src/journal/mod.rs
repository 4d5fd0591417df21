//! The journals there are. Each keeps lines in its own way; none knows a connection.
//!
//! [`Disk`] is the one for use: a [`Store`](store) in SQLite, written by one thread and read by another.

mod committer;
mod disk;
mod history;
mod memory;
mod store;

pub use disk::{Disk, Kept, OpenError};
pub use history::{History, Unreadable};
pub use memory::Memory;
pub use store::Damage;
