//! Values as bytes that servers send to each other and store. Knows no engine that carries them.

mod bytes;
mod model;
pub mod proposal;
pub mod snapshot;

pub use bytes::{TooLarge, UnpackError};
