//! The journals there are. Each keeps lines in its own way; none knows a connection.

mod memory;

pub use memory::Memory;
