//! Capabilities: what a client can ask for beyond plain IRC, and what depends on it.

mod caps;
mod class;
mod negotiation;

pub use caps::{Cap, Caps, MULTILINE_BYTES_MAX};
pub use class::Class;
pub use negotiation::Negotiation;
