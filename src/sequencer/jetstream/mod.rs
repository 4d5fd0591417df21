//! The order of several nodes, in a stream of NATS JetStream.
//!
//! The [courier](Courier) decides what is published and from where the stream is followed; a task
//! does it, and hands the order to the broadcaster. Another task writes [snapshots](snapshots) of the
//! ledger into a second stream, from which nodes [begin](beginning).

mod assembly;
mod begin;
mod catch_up;
mod cluster;
mod courier;
mod founding;
mod key_ring;
mod key_store;
mod key_work;
mod mending;
mod nats;
mod neighbours;
mod origin;
mod past;
mod publish_answer;
mod queue;
mod rebuild;
mod repair;
mod replay;
mod runs;
mod schedule;
mod sealer;
mod server_check;
mod shelf;
mod snapshots;
mod streams;
mod subscription;
mod task;
mod verdict;

pub(crate) use begin::{Beginning, NodeFiles, beginning, own_program};
pub(crate) use catch_up::CatchUpTask;
pub use courier::{Courier, CourierStep, Published, StreamCounts, StreamMessage};
pub(crate) use founding::{Founding, found};
pub use key_ring::{Key, KeyRing};
pub(crate) use key_work::{open_accounts, with_messages};
pub(crate) use nats::{LinkChange, StreamConnection};
pub(crate) use neighbours::{Post, PostTask};
pub(crate) use past::{PastFiles, take_over};
pub(crate) use queue::{OrderQueue, StreamSequencer};
pub(crate) use rebuild::{RebuildTask, Renewal};
pub(crate) use schedule::{SnapshotSchedule, SnapshotSpeed};
pub use sealer::{KeyMade, KeyRead, KeyReport, KeyStep, Sealer};
pub(crate) use shelf::SnapshotShelf;
pub(crate) use snapshots::{SnapshotTaker, SnapshotTask};
pub(crate) use task::SequencerTask;
pub use verdict::{Look, StreamGone};
