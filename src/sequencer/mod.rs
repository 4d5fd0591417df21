//! The order of several nodes, in a stream of NATS JetStream. Knows no session and no door.
//!
//! The [courier](Courier) decides what is published and from where the stream is followed; a task
//! does it, and hands the order to the broadcaster. A server without other nodes uses the local
//! sequencer of the core.

mod jetstream;

pub use jetstream::{Courier, CourierStep, NewerMessage, Published, StreamCounts, StreamMessage};
pub(crate) use jetstream::{
    Founded, LinkChange, OrderQueue, Post, PostTask, SequencerTask, StreamConnection,
    StreamSequencer, found, replay,
};
