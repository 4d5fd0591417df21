//! Values as bytes that servers send to each other and store. Knows no engine that carries them.
//!
//! Proposals and snapshots are written in the format in force, which all nodes can read, and not in
//! the newest one. A program reads all formats from the first one to its newest.

mod bytes;
pub mod carried;
pub mod chunk;
pub mod founding;
mod import;
mod model;
pub mod proposal;
pub mod reach;
pub mod sealed;
pub mod snapshot;

pub use bytes::{NEWEST, PackError, TooLarge, UnpackError};
