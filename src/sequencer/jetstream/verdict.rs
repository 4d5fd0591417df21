//! The result of a look at the stream, and the reasons why a node cannot follow it any more.

use parlor_core::intent::{Format, Proposal};
use parlor_wire::pack::proposal::{NEWEST, unpack};

/// The subject of a message which says that those before it were deleted before any node had read
/// them. Its content is the position of the first of these, as text.
pub(super) const DELETED: &str = "deleted";

/// The subject of a message in the place of one that was deleted. No node can read it.
pub(super) const FILLER: &str = "filler";

/// The result of a look at the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// The last position of the stream.
    pub last: u64,
    /// The position of the last message that is there: those behind it were deleted.
    pub there: u64,
    /// The position behind which this node has all messages that came to it.
    pub after: u64,
    /// The position of a message that is another one than what came to this node.
    pub differs: Option<u64>,
    /// The position of the first message, if others between it and those that came to this node
    /// were deleted.
    pub begins: Option<u64>,
}

/// The nodes use a format that this program cannot read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "behind message {position} the nodes use format {format}, which only a newer version of Parlor can \
     read: start the version of the other nodes here, too"
)]
pub(super) struct TooOld {
    /// The position of the message that put it in force.
    pub(super) position: u64,
    /// That format.
    pub(super) format: u64,
}

/// The proposal of a message; none if no node reads it, so that all nodes pass it over alike.
pub(super) fn proposal_of(bytes: &[u8]) -> Option<Proposal> {
    proposal_in(bytes, NEWEST)
}

/// The same for a program whose newest format is `newest`. A newer format is in force only behind a
/// message that says so, and this program stops there. Anywhere else it is in force for nobody, and
/// the ledgers of nodes that can read it [pass it over](parlor_core::ledger::Skipped::NotInForce).
pub(super) fn proposal_in(bytes: &[u8], newest: Format) -> Option<Proposal> {
    unpack(bytes, newest).ok()
}

/// The stream is not the one that this node has followed, and cannot be mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamGone {
    /// It has another message in the place of one that came to this node.
    #[error(
        "message {0} of the stream in NATS is another one than what this node has followed: the \
         stream was replaced, or has lost messages and then got others; restore its backup, or start \
         the node with the most lines once without --nats, and let it begin another --house"
    )]
    Differs(u64),
    /// Messages that this node has not read were deleted from it, up to this one.
    #[error(
        "messages before {0} were deleted because of --retain, and this node has not read them; start it again"
    )]
    Deleted(u64),
    /// This message is missing, and later ones are there. `--retain` deletes only from the beginning.
    #[error(
        "message {0} of the stream in NATS is missing, and later ones are there; start this node again: \
         it continues behind the gap if there is a snapshot; otherwise see \"A gap in the stream\" in \
         docs/nodes.md"
    )]
    Gap(u64),
    /// It has lost messages that no node has any more.
    #[error(
        "the stream in NATS ends at message {last}, and this node has followed it to {position}: the \
         stream has lost messages that no node can publish again; restore its backup, or start the \
         node with the most lines once without --nats, and let it begin another --house"
    )]
    Lost {
        /// The end of the stream.
        last: u64,
        /// The last message that came to this node.
        position: u64,
    },
}
