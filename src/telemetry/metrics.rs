//! Metrics for the operator, without names. Knows no connection.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use parlor_core::link::Refusal;
use parlor_core::model::{Census, NodeStatus, WallTime};
use parlor_wire::words::limit_of;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry, Unit};

use crate::clock::wall;

/// The buckets for durations of commits, in seconds: from commits in memory to those that are so
/// slow that people are told.
const COMMIT_SECONDS: [f64; 10] =
    [0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.1, 0.5, 2.0];

/// The buckets for the time of a way through the order, in seconds: from a server beside this one
/// to the time after which people are told.
const ORDER_SECONDS: [f64; 10] =
    [0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 2.0];

/// The buckets for the numbers of lines that are stored together.
const BATCH_LINES: [f64; 8] = [1.0, 2.0, 8.0, 32.0, 128.0, 512.0, 2_048.0, 8_192.0];

/// All limits.
const LIMITS: [&str; 9] =
    ["connections", "address", "rate", "line", "rooms", "mailbox", "letters", "names", "tries"];

/// The label of a number: its name and its value.
type Label = [(&'static str, &'static str); 1];

fn at(door: &'static str) -> Label {
    [("door", door)]
}

fn of_limit(limit: &'static str) -> Label {
    [("limit", limit)]
}

/// All metrics.
pub(crate) struct Metrics {
    registry: Registry,
    connections: Family<Label, Gauge>,
    accepted: Family<Label, Counter>,
    accept_errors: Family<Label, Counter>,
    refusals: Family<Label, Counter>,
    lines: Counter,
    failed_commits: Counter,
    commit: Histogram,
    batch: Histogram,
    deliveries: Counter,
    skipped: Counter,
    panics: Counter,
    rooms: Gauge,
    people: Gauge,
    listeners: Gauge,
    /// Those of one of several nodes; without other nodes they are not shown.
    node: NodeMetrics,
    /// Whether this server is one of several nodes.
    pub(crate) is_node: bool,
}

/// The metrics of one of several nodes.
struct NodeMetrics {
    live: Gauge,
    silent: Gauge<f64, AtomicU64>,
    position: Gauge,
    behind: Gauge,
    repeats: Counter,
    anew: Counter,
    file_stopped: Gauge,
    astray: Gauge,
    order: Histogram,
    snapshot: Gauge,
    snapshot_age: Gauge<f64, AtomicU64>,
    snapshot_failures: Counter,
    /// The time of the newest snapshot in NATS, in milliseconds since 1970; at first, of the start.
    snapshot_at: AtomicI64,
}

/// Numbers that other parts count, at the moment of a scrape.
pub(crate) struct Scrape {
    pub(crate) census: Census,
    /// All nodes; none without other nodes.
    pub(crate) nodes: Vec<NodeStatus>,
    /// Lines written, and lines that their readers skipped.
    pub(crate) written: (u64, u64),
    pub(crate) panics: u64,
}

/// Registers a metric at zero, and returns the handle that counts it.
fn register<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

impl Metrics {
    /// All metrics, at zero; `doors` are the doors for people.
    pub(crate) fn new(doors: impl Iterator<Item = &'static str>, is_node: bool) -> Metrics {
        let mut registry = Registry::with_prefix("parlor");
        let mut apart = Registry::default();
        let of_nodes = if is_node { &mut registry } else { &mut apart };
        let node = NodeMetrics::new(of_nodes);
        let version = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version of Parlor", version);
        let all = &mut registry;
        let mut metrics = Metrics {
            rooms: register(all, "rooms", "Rooms in memory, the lobby included"),
            people: register(all, "people", "Connections that have entered"),
            listeners: register(all, "listeners", "Connections that only follow a room"),
            lines: register(all, "lines", "Lines that people said and that are stored"),
            deliveries: register(all, "deliveries", "Lines delivered to somebody"),
            skipped: register(all, "skipped_lines", "Lines that readers skipped"),
            failed_commits: register(
                all,
                "failed_commits",
                "Commits that failed, whose lines were refused",
            ),
            panics: register(all, "panics", "Connections that ended with a panic, which is a bug"),
            connections: register(all, "connections", "Current connections, by door"),
            accepted: register(all, "accepted", "Connections accepted, by door"),
            accept_errors: register(
                all,
                "accept_errors",
                "Connections that could not be accepted, by door",
            ),
            refusals: register(all, "refusals", "How often a limit was hit, by limit"),
            commit: Histogram::new(COMMIT_SECONDS),
            batch: Histogram::new(BATCH_LINES),
            node,
            is_node,
            registry,
        };
        let all = &mut metrics.registry;
        let commit = metrics.commit.clone();
        all.register_with_unit("commit", "Duration of a commit", Unit::Seconds, commit);
        all.register("batch_lines", "Lines stored in one commit", metrics.batch.clone());
        metrics.begin(doors);
        metrics
    }

    /// Shows every door and limit with 0: without that, a first event would not count as an
    /// increase.
    fn begin(&self, doors: impl Iterator<Item = &'static str>) {
        for door in doors {
            drop(self.connections.get_or_create(&at(door)));
            drop(self.accepted.get_or_create(&at(door)));
            drop(self.accept_errors.get_or_create(&at(door)));
        }
        for limit in LIMITS {
            drop(self.refusals.get_or_create(&of_limit(limit)));
        }
    }

    /// Counts a connection at a door, as current until the guard is dropped.
    pub(crate) fn come(&self, door: &'static str) -> Connected {
        self.accepted.get_or_create(&at(door)).inc();
        let connections = self.connections.get_or_create(&at(door)).clone();
        connections.inc();
        Connected(connections)
    }

    /// Counts a connection that could not be accepted.
    pub(crate) fn cannot_accept(&self, door: &'static str) {
        self.accept_errors.get_or_create(&at(door)).inc();
    }

    /// Counts a limit that was met.
    pub(crate) fn met(&self, limit: &'static str) {
        self.refusals.get_or_create(&of_limit(limit)).inc();
    }

    /// Counts a refusal if a limit is the reason.
    pub(crate) fn refused(&self, refusal: &Refusal) {
        if let Some(limit) = limit_of(refusal) {
            self.met(limit);
        }
    }

    /// Counts a commit of this many lines.
    pub(crate) fn committed(&self, lines: u64, time: Duration, is_stored: bool) {
        self.commit.observe(time.as_secs_f64());
        if is_stored {
            self.batch.observe(lines as f64);
            self.lines.inc_by(lines);
        } else {
            self.failed_commits.inc();
        }
    }

    /// Notes how far this node has followed the order, and how much there is behind.
    pub(crate) fn followed(&self, position: u64, behind: u64) {
        self.node.position.set(i64::try_from(position).unwrap_or(i64::MAX));
        self.node.behind.set(i64::try_from(behind).unwrap_or(i64::MAX));
    }

    /// Notes how often this node has published something again, and has followed the order anew.
    pub(crate) fn repeated(&self, repeats: u64, anew: u64) {
        set(&self.node.repeats, repeats);
        set(&self.node.anew, anew);
    }

    /// Notes whether the file of this node does not follow the order.
    pub(crate) fn file_stopped(&self, is_stopped: bool) {
        self.node.file_stopped.set(is_stopped.into());
    }

    /// Notes whether this node has stopped, because its ledger differs from those of others.
    pub(crate) fn astray(&self, is_astray: bool) {
        self.node.astray.set(is_astray.into());
    }

    /// Whether this node has stopped for that reason.
    pub(crate) fn is_astray(&self) -> bool {
        self.node.astray.get() != 0
    }

    /// Notes the newest snapshot in NATS.
    pub(crate) fn newest_snapshot(&self, position: u64, at: WallTime) {
        self.node.snapshot.set(i64::try_from(position).unwrap_or(i64::MAX));
        self.node.snapshot_at.store(at.0, Ordering::Relaxed);
    }

    /// Counts a snapshot that could not be written or used, or old ones that could not be deleted.
    pub(crate) fn snapshot_failed(&self) {
        self.node.snapshot_failures.inc();
    }

    /// Counts a proposal of this node that has come back.
    pub(crate) fn came_back(&self, time: Duration) {
        self.node.order.observe(time.as_secs_f64());
    }

    /// All metrics in the format OpenMetrics 1.0.
    pub(crate) fn shown(&self, now: &Scrape) -> String {
        let count = |gauge: &Gauge, count: usize| {
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        };
        count(&self.rooms, now.census.rooms);
        count(&self.people, now.census.people);
        count(&self.listeners, now.census.listeners);
        count(&self.node.live, now.nodes.iter().filter(|node| node.is_live).count());
        let own = now.nodes.iter().find(|node| node.is_own);
        self.node.silent.set(own.map_or(0.0, |node| node.silent.as_secs_f64()));
        let age_ms = wall().0.saturating_sub(self.node.snapshot_at.load(Ordering::Relaxed));
        self.node.snapshot_age.set(age_ms.max(0) as f64 / 1_000.0);
        let (written, skipped) = now.written;
        set(&self.deliveries, written);
        set(&self.skipped, skipped);
        set(&self.panics, now.panics);
        let mut shown = String::new();
        encode(&mut shown, &self.registry).ok(); // writing to memory cannot fail
        shown
    }
}

impl NodeMetrics {
    fn new(registry: &mut Registry) -> NodeMetrics {
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
                "Times that nothing came back, so that this node went to another server of NATS",
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
}

/// All metrics in the older text format (0.0.4): it has no units and no end mark, a counter has the
/// name of its only sample, and information is a gauge of 1.
pub(crate) fn classic(open: &str) -> String {
    let described = open.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let kinds: HashMap<&str, &str> = described.filter_map(|line| line.split_once(' ')).collect();
    let mut classic = String::with_capacity(open.len());
    for line in open.lines() {
        let described = line.strip_prefix("# ").map(|line| line.splitn(3, ' '));
        let Some(mut words) = described else {
            classic.push_str(line);
            classic.push('\n');
            continue;
        };
        let (Some(word @ ("HELP" | "TYPE")), Some(name), Some(rest)) =
            (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let (suffix, kind) = match kinds.get(name) {
            Some(&"counter") => ("_total", "counter"),
            Some(&"info") => ("_info", "gauge"),
            _ => ("", rest),
        };
        let rest = if word == "TYPE" { kind } else { rest };
        classic.push_str(&format!("# {word} {name}{suffix} {rest}\n"));
    }
    classic
}

/// Sets a counter to a number that another part has counted.
fn set(counter: &Counter<u64, AtomicU64>, count: u64) {
    counter.inner().store(count, Ordering::Relaxed);
}

/// A connection, which counts as current until this is dropped.
pub(crate) struct Connected(Gauge);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.dec();
    }
}
