//! The web dialect of docs/web-protocol.md: JSON in WebSocket messages, and for curl.

mod answer;
mod decoder;
mod encoder;
mod event;
mod follow;
mod object;
mod request;

pub use decoder::{WebDecoder, WebInput};
pub use encoder::{Hello, WebEncoder};
pub use event::put_line;
pub use follow::{Follow, FollowEncoder};
pub use request::{WebRequest, spoken};
