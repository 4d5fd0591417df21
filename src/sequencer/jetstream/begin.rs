//! The ledger with which a node begins: from a snapshot and the rest of the stream, up to the
//! position of its files. Knows no broadcaster.

use std::collections::VecDeque;
use std::ops::Range;

use anyhow::{Context as _, bail};
use parlor_core::ledger::{Ledger, Snapshot};
use parlor_core::model::{NodeProgram, WallTime};
use parlor_wire::pack::snapshot::{NEWEST, unpack};
use tokio::sync::oneshot;

use super::founding::{Founding, patiently};
use super::mending::look;
use super::nats::StreamConnection;
use super::origin::{Base, FOUNDING, Had, LedgerOrigin, OrderExtent, origins};
use super::replay::replay;
use super::shelf::{NotRead, SnapshotShelf};
use super::verdict::StreamGone;
use crate::journal::{DatabaseFailed, Tail};

/// How many messages are read together until the past is complete.
const PAST_AT_ONCE: u64 = 1_024;

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
    Founding { log, has_past }: &Founding,
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
    let mut gap = None;
    for origin in behind_gaps(connection, origins(had, extent, &stored)).await? {
        let own = own.map_or(&[][..], |(_, bytes)| bytes);
        let Some(base) = read_base(&shelf, (&origin, *has_past), own).await? else {
            continue;
        };
        match continued(connection, origin, base, files).await {
            Err(error) if matches!(error.downcast_ref(), Some(StreamGone::Gap(_))) => {
                gap.get_or_insert(error);
            }
            begun => return begun,
        }
    }
    if let Some(gap) = gap {
        return Err(gap.context("this node cannot begin"));
    }
    bail!(
        "the stream in NATS begins at message {}, and there is no snapshot with which a node can begin; \
         restore the backup of the stream, or start the node with the most lines once without --nats, and \
         let it begin another --house",
        extent.first
    )
}

/// The same ways to begin, first those from whose positions the stream has no gap. The others end
/// where the gap is, and say so.
async fn behind_gaps(
    connection: &StreamConnection,
    ways: Vec<LedgerOrigin>,
) -> anyhow::Result<Vec<LedgerOrigin>> {
    let Some(position) = ways.first().map(|way| way.position) else {
        return Ok(ways);
    };
    let has_gap = async |position| {
        let has_gap = patiently(|| connection.has_gap_behind(position)).await;
        has_gap.context("cannot read the stream in NATS")
    };
    if !has_gap(position).await? {
        return Ok(ways);
    }
    let (mut whole, mut with_gaps) = (Vec::new(), Vec::new());
    for way in ways {
        match way.position > position && !has_gap(way.position).await? {
            true => whole.push(way),
            false => with_gaps.push(way),
        }
    }
    whole.extend(with_gaps);
    Ok(whole)
}

/// An earlier ledger, from which the stream can be read again.
#[derive(Clone, Debug)]
pub(super) struct EarlierLedger {
    pub(super) position: u64,
    pub(super) ledger: Snapshot,
}

/// An earlier ledger to which the file of a node is set back.
#[derive(Debug)]
pub(crate) struct Rewind {
    pub(super) to: EarlierLedger,
    /// Whether there is no earlier one.
    pub(super) is_whole: bool,
    /// Told when the file has nothing of the wrong ledger any more.
    pub(super) done: oneshot::Sender<Result<(), DatabaseFailed>>,
}

/// Earlier ledgers from which the stream can be read again, none from files.
pub(super) struct EarlierLedgers {
    shelf: SnapshotShelf,
    has_past: bool,
    /// The position up to which they are wanted.
    position: u64,
    ways: VecDeque<LedgerOrigin>,
}

impl EarlierLedgers {
    /// Those at this position or before it, of an order that begins with a past or without one: the
    /// newest first of those up to `trusted`, and then the others, the oldest first.
    ///
    /// # Errors
    /// The stream cannot be read. The same holds for the functions below.
    pub(super) async fn before(
        (shelf, has_past): (&SnapshotShelf, bool),
        position: u64,
        trusted: u64,
    ) -> anyhow::Result<EarlierLedgers> {
        let extent = patiently(|| extent(shelf.connection())).await?;
        let mut stored = patiently(|| shelf.list()).await?;
        stored.retain(|stored| stored.position <= position);
        let had = Had { position: Some(position), snapshot: None };
        let all = origins(had, extent, &stored).into_iter().filter(|way| way.from <= position);
        let (old, new): (Vec<_>, Vec<_>) = all.partition(|way| way.from <= trusted);
        let ways = old.into_iter().chain(new.into_iter().rev()).collect();
        Ok(EarlierLedgers { shelf: shelf.clone(), has_past, position, ways })
    }

    /// The next one that can be used.
    pub(super) async fn next(&mut self) -> anyhow::Result<Option<EarlierLedger>> {
        while let Some(way) = self.ways.pop_front() {
            let base = read_base(&self.shelf, (&way, self.has_past), &[]).await?;
            let Some(ledger) = base else {
                continue;
            };
            let earlier = self.behind_past(EarlierLedger { position: way.from, ledger }).await?;
            if earlier.is_some() {
                return Ok(earlier);
            }
        }
        Ok(None)
    }

    /// The same ledger, or a later one that has all of the past: a file that is set back has it. None if
    /// there is none.
    async fn behind_past(&self, from: EarlierLedger) -> anyhow::Result<Option<EarlierLedger>> {
        if from.ledger.importing.is_none() {
            return Ok(Some(from));
        }
        let (mut ledger, mut position) = (Ledger::restore(from.ledger), from.position);
        while ledger.importing().is_some() {
            if position >= self.position {
                return Ok(None);
            }
            let next = self.position.min(position + PAST_AT_ONCE);
            read_on(self.shelf.connection(), &mut ledger, position..next).await?;
            position = next;
        }
        Ok(Some(EarlierLedger { position, ledger: ledger.snapshot() }))
    }
}

/// Applies the messages of the stream between two positions to a ledger.
pub(super) async fn read_on(
    connection: &StreamConnection,
    ledger: &mut Ledger,
    positions: Range<u64>,
) -> anyhow::Result<()> {
    read_with(connection, &Tail::in_memory(positions.end), ledger, positions).await
}

/// The first ledger of an origin, in an order that begins with a past or without one; `own` is that
/// in the files. None if it cannot be used.
async fn read_base(
    shelf: &SnapshotShelf,
    (origin, has_past): (&LedgerOrigin, bool),
    own: &[u8],
) -> anyhow::Result<Option<Snapshot>> {
    let base = match &origin.base {
        Base::Founding => {
            let importing = has_past.then_some(0);
            Ok(Snapshot { is_stored: true, importing, ..Snapshot::default() })
        }
        Base::OwnFile => unpack(own, NEWEST).map_err(anyhow::Error::from),
        Base::Stored(stored) => {
            let read = async || match shelf.read(stored).await {
                Err(NotRead::Later(error)) => Err(error),
                read => Ok(read.map_err(anyhow::Error::from)),
            };
            patiently(read).await.context("cannot read a snapshot")?
        }
    };
    let told = base.inspect_err(|error| {
        tracing::warn!("the snapshot of message {} is passed over: {error}", origin.from);
    });
    Ok(told.ok())
}

/// Applies the messages between two positions to a ledger: those of the stream, or those that came
/// here before.
async fn read_with(
    connection: &StreamConnection,
    tail: &Tail,
    ledger: &mut Ledger,
    positions: Range<u64>,
) -> anyhow::Result<()> {
    let found = patiently(|| look(connection, tail, positions.end)).await;
    let found = (found.context("cannot read the stream in NATS")?, tail);
    replay(connection, found, ledger, positions).await
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
            "messages up to {from} that this node does not have were deleted from the stream: its \
             history has a gap there"
        );
    }
    let snapshot = (from, base.at);
    let mut ledger = Ledger::restore(base);
    let tail = files.map_or_else(|| Tail::in_memory(position), |files| files.tail.clone());
    read_with(connection, &tail, &mut ledger, from..position).await?;
    tracing::info!(
        "the snapshot of message {from} and {} messages behind it are read",
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
    Ok(OrderExtent { first, last: connection.last_there().await?.min(last) })
}
