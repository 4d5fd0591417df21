//! The ledger with which a node begins: from a snapshot and the rest of the stream, up to the
//! position of its files. Knows no broadcaster.

use anyhow::{Context as _, bail};
use parlor_core::ledger::{Ledger, Snapshot};
use parlor_core::model::{NodeProgram, WallTime};
use parlor_wire::pack::snapshot::{NEWEST, unpack};

use super::founding::patiently;
use super::mending::look;
use super::nats::StreamConnection;
use super::origin::{Base, FOUNDING, Had, LedgerOrigin, OrderExtent, origins};
use super::replay::replay;
use super::shelf::{NotRead, SnapshotShelf};
use crate::journal::Tail;

/// How many messages before the first one of the order are looked for.
const LOOKED_FOR: u64 = 64;

/// The program that runs here, as other nodes learn of it.
///
/// # Errors
/// Its version has no number that they can read.
pub(crate) fn own_program() -> anyhow::Result<NodeProgram> {
    NodeProgram::new(env!("CARGO_PKG_VERSION"), NEWEST).context("the version is no number")
}

/// The files of a node.
#[derive(Debug)]
pub(crate) struct NodeFiles {
    /// The position up to which they have everything.
    pub(crate) position: u64,
    /// The position of the ledger in them, and its bytes.
    pub(crate) snapshot: Option<(u64, Vec<u8>)>,
    /// The latest messages.
    pub(crate) tail: Tail,
}

/// A ledger at a position of the order, behind which a node continues.
#[derive(Debug)]
pub(crate) struct Beginning {
    pub(crate) ledger: Snapshot,
    pub(crate) position: u64,
    /// The place of the snapshot from which the ledger was made.
    pub(crate) snapshot: (u64, WallTime),
    /// Whether messages that the files lack are not in the stream any more: then everything beside
    /// lines is to be taken from the ledger.
    pub(crate) misses_some: bool,
    /// Whether the past of the nodes has come since the files were opened.
    pub(crate) has_taken_over: bool,
    /// The latest messages of this node.
    pub(crate) tail: Tail,
}

/// The ledger at the position of these files, or at the end of the stream without files. If the
/// stream begins later, it is the ledger where it begins.
///
/// # Errors
/// The stream is shorter or cannot be read, or there is no ledger to begin with: what to do.
pub(crate) async fn beginning(
    connection: &StreamConnection,
    (log, has_past): (&str, bool),
    files: Option<&NodeFiles>,
) -> anyhow::Result<Beginning> {
    let shelf = SnapshotShelf::new(connection, log);
    let own = files.and_then(|files| files.snapshot.as_ref());
    let had = Had {
        position: files.map(|files| files.position),
        snapshot: own.map(|(position, _)| *position),
    };
    let extent =
        patiently(|| extent(connection)).await.context("cannot read the stream in NATS")?;
    let stored = patiently(|| shelf.list()).await.context("cannot read the snapshots in NATS")?;
    for origin in origins(had, extent, &stored) {
        let base = match &origin.base {
            Base::Founding => {
                let importing = has_past.then_some(0);
                Ok(Snapshot { is_stored: true, importing, ..Snapshot::default() })
            }
            Base::OwnFile => match own {
                Some((_, bytes)) => unpack(bytes, NEWEST).map_err(anyhow::Error::from),
                None => continue,
            },
            Base::Stored(stored) => {
                let read = async || match shelf.read(stored).await {
                    Err(NotRead::Later(error)) => Err(error),
                    read => Ok(read.map_err(anyhow::Error::from)),
                };
                patiently(read).await.context("cannot read a snapshot")?
            }
        };
        match base {
            Ok(base) => return continued(connection, origin, base, files).await,
            Err(error) => {
                tracing::warn!("the snapshot of message {} is passed over: {error}", origin.from)
            }
        }
    }
    bail!(
        "the stream in NATS begins at message {}, and there is no snapshot with which a node can begin; \
         restore the backup of the stream, or begin with another --house and another --data",
        extent.first
    )
}

/// The ledger of an origin.
async fn continued(
    connection: &StreamConnection,
    origin: LedgerOrigin,
    base: Snapshot,
    files: Option<&NodeFiles>,
) -> anyhow::Result<Beginning> {
    let LedgerOrigin { from, position, .. } = origin;
    let had = files.map(|files| files.position);
    let misses_some = origin.misses_some(had);
    if misses_some && had > Some(FOUNDING) {
        tracing::warn!(
            "messages up to {from} that this node does not have were deleted because of --retain: \
             its history has a gap there"
        );
    }
    let snapshot = (from, base.at);
    let mut ledger = Ledger::restore(base);
    let tail = files.map_or_else(|| Tail::in_memory(position), |files| files.tail.clone());
    let found = patiently(|| look(connection, &tail, position)).await;
    let found = (found.context("cannot read the stream in NATS")?, &tail);
    replay(connection, found, &mut ledger, from..position).await?;
    tracing::info!(
        "the ledger of message {from} and {} messages behind it are read",
        position - from
    );
    let (ledger, has_taken_over) = (ledger.snapshot(), false);
    Ok(Beginning { ledger, position, snapshot, misses_some, has_taken_over, tail })
}

/// The part of the order that the stream has.
async fn extent(connection: &StreamConnection) -> anyhow::Result<OrderExtent> {
    let last = connection.last().await?;
    let mut first = connection.first().await?.unwrap_or(last + 1);
    // Messages that are not of the order may be before the first one of it.
    for before in (FOUNDING + 1..first).rev().take(LOOKED_FOR as usize) {
        match connection.message(before).await? {
            Some(_) => first = before,
            None => break,
        }
    }
    Ok(OrderExtent { first, last })
}
