//! Metrics for the operator, without names. Knows no connection.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parlor_core::link::Refusal;
use parlor_core::model::Census;
use parlor_wire::words::limit_of;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry, Unit};

/// The buckets for durations of commits, in seconds: from commits in memory to those that are so
/// slow that people are told.
const COMMIT_SECONDS: [f64; 10] =
    [0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.1, 0.5, 2.0];

/// The buckets for the numbers of lines that are stored together.
const BATCH_LINES: [f64; 8] = [1.0, 2.0, 8.0, 32.0, 128.0, 512.0, 2_048.0, 8_192.0];

/// All limits.
const LIMITS: [&str; 9] =
    ["connections", "address", "rate", "line", "rooms", "mailbox", "letters", "names", "tries"];

/// The label for a door.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct At {
    door: &'static str,
}

/// The label for a limit that was met.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Met {
    limit: &'static str,
}

/// All metrics.
pub(crate) struct Metrics {
    registry: Registry,
    connections: Family<At, Gauge>,
    accepted: Family<At, Counter>,
    accept_errors: Family<At, Counter>,
    refusals: Family<Met, Counter>,
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
}

/// Numbers that other parts count, at the moment.
pub(crate) struct Snapshot {
    pub(crate) census: Census,
    /// Lines written, and lines that their readers skipped.
    pub(crate) written: (u64, u64),
    pub(crate) panics: u64,
}

/// Registers a metric, and returns the handle that counts it.
fn register<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

impl Metrics {
    /// All metrics, at zero; `doors` are the doors for people.
    pub(crate) fn new(doors: impl Iterator<Item = &'static str>) -> Metrics {
        let mut registry = Registry::with_prefix("parlor");
        let version = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version of Parlor", version);
        let all = &mut registry;
        let gauge = Gauge::default;
        let counter = Counter::default;
        let rooms = register(all, "rooms", "Rooms in memory, the lobby included", gauge());
        let people = register(all, "people", "Connections that have entered", gauge());
        let help = "Connections that only follow a room";
        let listeners = register(all, "listeners", help, gauge());
        let help = "Lines that people said and that are stored";
        let lines = register(all, "lines", help, counter());
        let deliveries = register(all, "deliveries", "Lines delivered to somebody", counter());
        let help = "Lines that readers skipped";
        let skipped = register(all, "skipped_lines", help, counter());
        let help = "Commits that failed, whose lines were refused";
        let failed_commits = register(all, "failed_commits", help, counter());
        let help = "Connections that ended with a panic, which is a bug";
        let panics = register(all, "panics", help, counter());
        let help = "Current connections, by door";
        let connections = register(all, "connections", help, Family::default());
        let help = "Connections accepted, by door";
        let accepted = register(all, "accepted", help, Family::default());
        let help = "Connections that could not be accepted, by door";
        let accept_errors = register(all, "accept_errors", help, Family::default());
        let help = "How often a limit was hit, by limit";
        let refusals = register(all, "refusals", help, Family::default());
        let commit = Histogram::new(COMMIT_SECONDS);
        let help = "Duration of a commit";
        all.register_with_unit("commit", help, Unit::Seconds, commit.clone());
        let batch = Histogram::new(BATCH_LINES);
        let batch = register(all, "batch_lines", "Lines stored in one commit", batch);
        let metrics = Metrics {
            registry,
            connections,
            accepted,
            accept_errors,
            refusals,
            lines,
            failed_commits,
            commit,
            batch,
            deliveries,
            skipped,
            panics,
            rooms,
            people,
            listeners,
        };
        metrics.begin(doors);
        metrics
    }

    /// Shows every door and limit with 0: without that, a first event would not count as an
    /// increase.
    fn begin(&self, doors: impl Iterator<Item = &'static str>) {
        for door in doors {
            let at = At { door };
            drop(self.connections.get_or_create(&at));
            drop(self.accepted.get_or_create(&at));
            drop(self.accept_errors.get_or_create(&at));
        }
        for limit in LIMITS {
            drop(self.refusals.get_or_create(&Met { limit }));
        }
    }

    /// Counts a connection at a door, as current until the guard is dropped.
    pub(crate) fn come(&self, door: &'static str) -> Connected {
        let at = At { door };
        self.accepted.get_or_create(&at).inc();
        let connections = self.connections.get_or_create(&at).clone();
        connections.inc();
        Connected(connections)
    }

    /// Counts a connection that could not be accepted.
    pub(crate) fn cannot_accept(&self, door: &'static str) {
        self.accept_errors.get_or_create(&At { door }).inc();
    }

    /// Counts a limit that was met.
    pub(crate) fn met(&self, limit: &'static str) {
        self.refusals.get_or_create(&Met { limit }).inc();
    }

    /// Counts a refusal if a limit is the reason.
    pub(crate) fn refused(&self, refusal: &Refusal) {
        if let Some(limit) = limit_of(refusal) {
            self.met(limit);
        }
    }

    /// Counts a commit of this many lines.
    pub(crate) fn committed(&self, lines: u64, time: Duration, is_kept: bool) {
        self.commit.observe(time.as_secs_f64());
        if is_kept {
            self.batch.observe(lines as f64);
            self.lines.inc_by(lines);
        } else {
            self.failed_commits.inc();
        }
    }

    /// All metrics in the format OpenMetrics 1.0.
    pub(crate) fn shown(&self, now: &Snapshot) -> String {
        let count = |gauge: &Gauge, count: usize| {
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        };
        count(&self.rooms, now.census.rooms);
        count(&self.people, now.census.people);
        count(&self.listeners, now.census.listeners);
        let (written, skipped) = now.written;
        set(&self.deliveries, written);
        set(&self.skipped, skipped);
        set(&self.panics, now.panics);
        let mut shown = String::new();
        encode(&mut shown, &self.registry).ok(); // writing to memory cannot fail
        shown
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
