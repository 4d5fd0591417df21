//! The order of several nodes, in a stream of NATS JetStream.
//!
//! The [courier](Courier) decides what is published and from where the stream is followed; a task
//! does it, and hands the order to the broadcaster.

mod courier;
mod founding;
mod nats;
mod neighbours;
mod queue;
mod replay;
mod task;

pub use courier::{Courier, CourierStep, NewerMessage, Published, StreamCounts, StreamMessage};
pub(crate) use founding::{Founded, found};
pub(crate) use nats::{LinkChange, StreamConnection};
pub(crate) use neighbours::{Post, PostTask};
pub(crate) use queue::{OrderQueue, StreamSequencer};
pub(crate) use replay::replay;
pub(crate) use task::SequencerTask;
