//! Snapshots of the ledger: the broadcaster's task takes them when they are due, and another task
//! writes them into their stream and deletes what nobody needs. Decides nothing: see the schedule.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use parlor_core::broadcaster::Broadcaster;
use parlor_core::ledger::Snapshot;
use parlor_core::model::WallTime;
use parlor_wire::pack::snapshot::{NEWEST, pack};
use tokio::select;
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::schedule::{
    SnapshotSchedule, SnapshotSpeed, StoredSnapshot, beginnings, end_of_retention, needless,
};
use super::shelf::{NotRead, SnapshotShelf};
use crate::clock::Clock;
use crate::telemetry::Metrics;

/// How often the node that does it for all looks for what nobody needs.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// Takes snapshots of the ledger, in the broadcaster's task.
pub(crate) struct SnapshotTaker {
    schedule: SnapshotSchedule,
    taken: mpsc::Sender<TakenSnapshot>,
    metrics: Arc<Metrics>,
    /// The time of the order, if this node is the one that does what one does for all.
    first: watch::Sender<Option<WallTime>>,
}

/// A snapshot for the stream of snapshots.
#[derive(Debug)]
struct TakenSnapshot {
    place: StoredSnapshot,
    ledger: Arc<Snapshot>,
}

/// The task that writes snapshots.
pub(crate) struct SnapshotTask {
    shelf: SnapshotShelf,
    taken: mpsc::Receiver<TakenSnapshot>,
    first: watch::Receiver<Option<WallTime>>,
    speed: SnapshotSpeed,
    clock: Clock,
    /// How long lines are stored.
    retain: watch::Receiver<Option<Duration>>,
    metrics: Arc<Metrics>,
}

impl SnapshotTaker {
    /// Takes none for now, and deletes nothing for all: the ledger may be wrong.
    pub(crate) fn rest(&self) {
        self.first.send_replace(None);
    }

    /// Takes a snapshot, if it is due. Everything up to its position was given to the journal.
    pub(crate) fn take_due(
        &mut self,
        broadcaster: &Broadcaster,
        now: Duration,
    ) -> Option<Arc<Snapshot>> {
        let at = broadcaster.order_time();
        let first_boot = broadcaster.first_boot();
        self.first.send_replace(first_boot.map(|_| at));
        let place = (broadcaster.position(), at);
        if !self.schedule.is_due(place, now) {
            return None;
        }
        self.schedule.take(place, now);
        let ledger = Arc::new(broadcaster.snapshot());
        if let Some(boot) = first_boot {
            let (position, at) = place;
            let place = StoredSnapshot { position, at, boot };
            let taken = TakenSnapshot { place, ledger: Arc::clone(&ledger) };
            if self.taken.try_send(taken).is_err() {
                self.metrics.node.snapshot_failed();
                tracing::warn!("a snapshot is left out, because the one before is not written yet");
            }
        }
        Some(ledger)
    }
}

impl SnapshotTask {
    /// The task for a node with this schedule, and its end for the broadcaster's task.
    pub(crate) fn new(
        shelf: SnapshotShelf,
        schedule: SnapshotSchedule,
        (clock, retain): (Clock, watch::Receiver<Option<Duration>>),
        metrics: &Arc<Metrics>,
    ) -> (SnapshotTask, SnapshotTaker) {
        let (sender, taken) = mpsc::channel(1);
        let (first, is_first) = watch::channel(None);
        let speed = schedule.speed();
        let metrics = Arc::clone(metrics);
        let taker = SnapshotTaker { schedule, taken: sender, metrics: Arc::clone(&metrics), first };
        (SnapshotTask { shelf, taken, first: is_first, speed, clock, retain, metrics }, taker)
    }

    /// Writes snapshots until the broadcaster ends. A failure is told, and no reason to stop.
    pub(crate) async fn run(mut self) -> anyhow::Result<()> {
        loop {
            select! {
                taken = self.taken.recv() => match taken {
                    Some(taken) => self.write(taken).await,
                    None => return Ok(()),
                },
                () = sleep(self.speed.shortened(LOOK_EVERY)) => {}
            }
            if let Err(error) = self.look_after().await {
                self.metrics.node.snapshot_failed();
                tracing::warn!(%error, "old messages and old snapshots are not deleted in NATS yet; it is tried again");
            }
        }
    }

    async fn write(&self, TakenSnapshot { place, ledger }: TakenSnapshot) {
        let position = place.position;
        let packing = spawn_blocking(move || pack(&ledger, NEWEST));
        let written = async {
            let bytes = packing.await.context("the packing has failed")??;
            self.shelf.write(&place, &bytes).await?;
            anyhow::Ok(bytes.len())
        };
        match written.await {
            Ok(bytes) => tracing::debug!(position, bytes, "a snapshot is in NATS"),
            Err(error) => {
                self.metrics.node.snapshot_failed();
                tracing::warn!(position, %error, "a snapshot is not written into NATS");
            }
        }
    }

    /// Notes the newest snapshot. If this node does it for all, deletes what nobody needs, and lets
    /// enough servers store the rest.
    async fn look_after(&self) -> anyhow::Result<()> {
        let stored = self.shelf.list().await?;
        if let Some(newest) = stored.last() {
            self.metrics.node.newest_snapshot(newest.position, newest.at);
        }
        let first = *self.first.borrow();
        let Some(at) = first else {
            return Ok(());
        };
        self.delete_needless(&stored, at).await?;
        self.shelf.spread_streams().await
    }

    /// Deletes old messages of the order, up to a snapshot that can be read, and old snapshots. The
    /// order has come to the time `at`.
    async fn delete_needless(&self, stored: &[StoredSnapshot], at: WallTime) -> anyhow::Result<()> {
        // Both clocks have to agree that something is old.
        let now = self.clock.trusted().map_or(at, |trusted| trusted.min(at));
        let end = end_of_retention(now, *self.retain.borrow(), self.speed);
        let mut first = self.shelf.first_message().await?;
        if let Some(end) = end {
            first = self.purge(first, stored, end).await?;
        }
        for snapshot in needless(stored, first, end, self.speed) {
            self.shelf.remove(&snapshot).await?;
        }
        Ok(())
    }

    /// Deletes the messages before the newest readable snapshot that is older than `end`. Returns
    /// the position of the first message that is there then.
    async fn purge(
        &self,
        first: u64,
        stored: &[StoredSnapshot],
        end: WallTime,
    ) -> anyhow::Result<u64> {
        let later = |snapshot: &StoredSnapshot| snapshot.position > first;
        for snapshot in beginnings(stored, end).into_iter().filter(later) {
            match self.shelf.read(&snapshot).await {
                Ok(_) => {
                    let position = snapshot.position;
                    self.shelf.purge_order(first, position).await?;
                    tracing::info!(
                        "the messages before number {position} are older than --retain and deleted in NATS"
                    );
                    return Ok(position);
                }
                Err(NotRead::Unusable(why)) => {
                    self.metrics.node.snapshot_failed();
                    tracing::warn!(
                        "the snapshot of message {} is passed over: {why}",
                        snapshot.position
                    );
                }
                Err(NotRead::Later(error)) => return Err(error),
            }
        }
        Ok(first)
    }
}
