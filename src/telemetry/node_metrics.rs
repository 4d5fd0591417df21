//! The metrics of one of several nodes. Knows no connection.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use parlor_core::model::{NodeStatus, WallTime};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry, Unit};

use crate::clock::wall;

/// The buckets for the time of a way through the order, in seconds: from a server beside this one
/// to the time after which people are told.
const ORDER_SECONDS: [f64; 10] =
    [0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 2.0];

/// The metrics of one of several nodes.
pub(crate) struct NodeMetrics {
    live: Gauge,
    silent: Gauge<f64, AtomicU64>,
    position: Gauge,
    behind: Gauge,
    repeats: Counter,
    anew: Counter,
    foreign: Counter,
    refused: Counter,
    file_stopped: Gauge,
    astray: Gauge,
    order: Histogram,
    snapshot: Gauge,
    snapshot_age: Gauge<f64, AtomicU64>,
    snapshot_failures: Counter,
    /// The time of the newest snapshot in NATS, in milliseconds since 1970; at first, of the start.
    snapshot_at: AtomicI64,
}

impl NodeMetrics {
    /// These metrics, at zero.
    pub(super) fn new(registry: &mut Registry) -> NodeMetrics {
        let order = Histogram::new(ORDER_SECONDS);
        registry.register_with_unit(
            "node_order",
            "Time until something published came back through the order",
            Unit::Seconds,
            order.clone(),
        );
        NodeMetrics {
            live: register(registry, "nodes_live", "Nodes that are there, this one included"),
            silent: register(
                registry,
                "node_silent_seconds",
                "Time for which this node has waited for what it published last",
            ),
            position: register(registry, "node_position", "Messages of the order that have come"),
            behind: register(registry, "node_behind", "Messages of the order that have not come"),
            file_stopped: register(
                registry,
                "node_file_stopped",
                "1 while the file of this node does not follow, because its disk is full, slow or broken",
            ),
            astray: register(
                registry,
                "node_astray",
                "1 while this node has stopped, because its state differs from that of the others",
            ),
            repeats: register(registry, "node_repeats", "Messages that were published again"),
            anew: register(
                registry,
                "node_reconnects",
                "Times that nothing came back, so that this node connected to NATS anew",
            ),
            foreign: register(
                registry,
                "node_foreign",
                "Messages of the order that are not of a node, and are passed over",
            ),
            refused: register(
                registry,
                "node_refused",
                "Messages for which the stream in NATS had no space",
            ),
            snapshot: register(
                registry,
                "node_snapshot_position",
                "Place of the newest snapshot in the order; 0 before the first one",
            ),
            snapshot_age: register(
                registry,
                "node_snapshot_age_seconds",
                "Age of the newest snapshot in NATS; before the first one, time since the start",
            ),
            snapshot_failures: register(
                registry,
                "node_snapshot_failures",
                "Times that a snapshot could not be written or used, or old ones could not be deleted",
            ),
            snapshot_at: AtomicI64::new(wall().0),
            order,
        }
    }

    /// Notes how far this node has followed the order, and how much there is behind.
    pub(crate) fn followed(&self, position: u64, behind: u64) {
        self.position.set(i64::try_from(position).unwrap_or(i64::MAX));
        self.behind.set(i64::try_from(behind).unwrap_or(i64::MAX));
    }

    /// Notes how often this node has published something again, and has followed the order anew.
    pub(crate) fn repeated(&self, repeats: u64, anew: u64) {
        set(&self.repeats, repeats);
        set(&self.anew, anew);
    }

    /// Notes how many messages were not of a node, and for how many of this node there was no space.
    pub(crate) fn passed_over(&self, foreign: u64, refused: u64) {
        set(&self.foreign, foreign);
        set(&self.refused, refused);
    }

    /// Notes whether the file of this node does not follow the order.
    pub(crate) fn file_stopped(&self, is_stopped: bool) {
        self.file_stopped.set(is_stopped.into());
    }

    /// Notes whether this node has stopped, because its ledger differs from those of others.
    pub(crate) fn astray(&self, is_astray: bool) {
        self.astray.set(is_astray.into());
    }

    /// Whether this node has stopped for that reason.
    pub(crate) fn is_astray(&self) -> bool {
        self.astray.get() != 0
    }

    /// Notes the newest snapshot in NATS.
    pub(crate) fn newest_snapshot(&self, position: u64, at: WallTime) {
        self.snapshot.set(i64::try_from(position).unwrap_or(i64::MAX));
        self.snapshot_at.store(at.0, Ordering::Relaxed);
    }

    /// Counts a snapshot that could not be written or used, or old ones that could not be deleted.
    pub(crate) fn snapshot_failed(&self) {
        self.snapshot_failures.inc();
    }

    /// Counts a proposal of this node that has come back.
    pub(crate) fn came_back(&self, time: Duration) {
        self.order.observe(time.as_secs_f64());
    }

    /// Takes the numbers of the moment: from all nodes, and from the clock.
    pub(super) fn take(&self, nodes: &[NodeStatus]) {
        let live = nodes.iter().filter(|node| node.is_live).count();
        self.live.set(i64::try_from(live).unwrap_or(i64::MAX));
        let own = nodes.iter().find(|node| node.is_own);
        self.silent.set(own.map_or(0.0, |node| node.silent.as_secs_f64()));
        let age_ms = wall().0.saturating_sub(self.snapshot_at.load(Ordering::Relaxed));
        self.snapshot_age.set(age_ms.max(0) as f64 / 1_000.0);
    }
}

/// Registers a metric at zero, and returns the handle that counts it.
pub(super) fn register<M: Metric + Clone + Default>(
    registry: &mut Registry,
    name: &str,
    help: &str,
) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

/// Sets a counter to a number that another part has counted.
pub(super) fn set(counter: &Counter<u64, AtomicU64>, count: u64) {
    counter.inner().store(count, Ordering::Relaxed);
}
