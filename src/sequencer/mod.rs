//! The order of several nodes, in a stream of NATS JetStream. Knows no session and no door.
//!
//! The [courier](Courier) decides what is published and from where the stream is followed; a task
//! does it, and hands the order to the broadcaster. A server without other nodes uses the local
//! sequencer of the core.

mod jetstream;

pub(crate) use jetstream::{
    Beginning, CatchUpTask, Founding, LinkChange, NodeFiles, OrderQueue, PastFiles, Post, PostTask,
    RebuildTask, Renewal, SequencerTask, SnapshotSchedule, SnapshotShelf, SnapshotSpeed,
    SnapshotTaker, SnapshotTask, StreamConnection, StreamSequencer, beginning, found,
    open_accounts, own_program, take_over, with_messages,
};
pub use jetstream::{
    Courier, CourierStep, Key, KeyMade, KeyRead, KeyReport, KeyRing, KeyStep, Look, Published,
    Sealer, StreamCounts, StreamGone, StreamMessage,
};
