//! The journals there are. Each keeps lines in its own way; none knows a connection.
//!
//! [`Disk`] is the one for use: a file of SQLite's, written by one thread and read by another.

mod committer;
mod disk;
mod history;
mod memory;
mod store;

pub(crate) use disk::FILE;
pub use disk::{Disk, Kept, OpenError};
pub use history::{History, Unreadable};
pub use memory::Memory;
pub(crate) use store::Store;
pub use store::{Damage, Unusable};
