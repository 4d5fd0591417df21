//! Metrics for the operator, without names. Knows no connection.

use std::time::Duration;

use parlor_core::link::Refusal;
use parlor_core::model::{Census, NodeStatus};
use parlor_wire::words::limit_of;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::node_metrics::{NodeMetrics, register, set};

/// The buckets for durations of commits, in seconds: from commits in memory to those that are so
/// slow that people are told.
const COMMIT_SECONDS: [f64; 10] =
    [0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.1, 0.5, 2.0];

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
    pub(crate) node: NodeMetrics,
    /// Whether this server is one of several nodes.
    pub(crate) is_node: bool,
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

    /// All metrics in the format OpenMetrics 1.0.
    pub(crate) fn shown(&self, now: &Scrape) -> String {
        let count = |gauge: &Gauge, count: usize| {
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        };
        count(&self.rooms, now.census.rooms);
        count(&self.people, now.census.people);
        count(&self.listeners, now.census.listeners);
        self.node.take(&now.nodes);
        let (written, skipped) = now.written;
        set(&self.deliveries, written);
        set(&self.skipped, skipped);
        set(&self.panics, now.panics);
        let mut shown = String::new();
        encode(&mut shown, &self.registry).ok(); // writing to memory cannot fail
        shown
    }
}

/// A connection, which counts as current until this is dropped.
pub(crate) struct Connected(Gauge);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.dec();
    }
}
