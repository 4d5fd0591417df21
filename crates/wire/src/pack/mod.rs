//! Values as bytes that servers send to each other and store. Knows no engine that carries them.

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

pub use bytes::{TooLarge, UnpackError};
