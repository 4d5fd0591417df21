//! Numbers for the operator: what happens in the house, without anybody's name. Knows no connection.

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
use prometheus_client::registry::{Registry, Unit};

/// What a commit takes: from what memory does to what is told as slow, in seconds.
const COMMIT_SECONDS: [f64; 10] = [
    0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.1, 0.5, 2.0,
];

/// How many lines are kept together.
const BATCH_LINES: [f64; 8] = [1.0, 2.0, 8.0, 32.0, 128.0, 512.0, 2_048.0, 8_192.0];

/// All limits that somebody can meet.
const LIMITS: [&str; 9] = [
    "connections",
    "address",
    "rate",
    "line",
    "rooms",
    "mailbox",
    "letters",
    "names",
    "tries",
];

/// Which door.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct At {
    door: &'static str,
}

/// Which limit somebody has met.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Met {
    limit: &'static str,
}

/// All numbers, as they are counted.
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

/// What is looked up for those who ask.
pub(crate) struct Now {
    pub(crate) census: Census,
    /// Lines written, and lines that their readers were told to have skipped.
    pub(crate) written: (u64, u64),
    pub(crate) panics: u64,
}

impl Metrics {
    /// All at zero; `doors` are those by which people come in.
    pub(crate) fn new(doors: impl Iterator<Item = &'static str>) -> Metrics {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("parlor"),
            connections: Family::default(),
            accepted: Family::default(),
            accept_errors: Family::default(),
            refusals: Family::default(),
            lines: Counter::default(),
            failed_commits: Counter::default(),
            commit: Histogram::new(COMMIT_SECONDS),
            batch: Histogram::new(BATCH_LINES),
            deliveries: Counter::default(),
            skipped: Counter::default(),
            panics: Counter::default(),
            rooms: Gauge::default(),
            people: Gauge::default(),
            listeners: Gauge::default(),
        };
        metrics.register();
        metrics.begin(doors);
        metrics
    }

    /// What has not happened yet is there with 0: else the first time it does would be no increase.
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

    fn register(&mut self) {
        let registry = &mut self.registry;
        let version = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version of Parlor", version);
        let mut gauges = [
            ("rooms", "Rooms in memory, the lobby included", &self.rooms),
            ("people", "Connections that have entered", &self.people),
            (
                "listeners",
                "Connections that only follow a room",
                &self.listeners,
            ),
        ]
        .map(|(name, help, gauge)| (name, help, gauge.clone()))
        .into_iter();
        gauges.by_ref().for_each(|(name, help, gauge)| {
            registry.register(name, help, gauge);
        });
        let counters = [
            (
                "lines",
                "Lines that people said and that are stored",
                &self.lines,
            ),
            (
                "deliveries",
                "Lines delivered to somebody",
                &self.deliveries,
            ),
            ("skipped_lines", "Lines that readers skipped", &self.skipped),
            (
                "failed_commits",
                "Commits that failed, whose lines were refused",
                &self.failed_commits,
            ),
            (
                "panics",
                "Connections that ended with a panic, which is a bug",
                &self.panics,
            ),
        ];
        for (name, help, counter) in counters {
            registry.register(name, help, counter.clone());
        }
        let at = &self.connections;
        registry.register("connections", "Current connections, by door", at.clone());
        let at = &self.accepted;
        registry.register("accepted", "Connections accepted, by door", at.clone());
        let at = &self.accept_errors;
        registry.register(
            "accept_errors",
            "Connections that could not be accepted, by door",
            at.clone(),
        );
        let met = &self.refusals;
        registry.register(
            "refusals",
            "How often a limit was hit, by limit",
            met.clone(),
        );
        let (commit, batch) = (self.commit.clone(), self.batch.clone());
        registry.register_with_unit("commit", "Duration of a commit", Unit::Seconds, commit);
        registry.register("batch_lines", "Lines stored in one commit", batch);
    }

    /// Somebody comes in at a door; until what this gives is dropped.
    pub(crate) fn come(&self, door: &'static str) -> Here {
        let at = At { door };
        self.accepted.get_or_create(&at).inc();
        let connections = self.connections.get_or_create(&at).clone();
        connections.inc();
        Here(connections)
    }

    pub(crate) fn cannot_accept(&self, door: &'static str) {
        self.accept_errors.get_or_create(&At { door }).inc();
    }

    /// Somebody has met this limit.
    pub(crate) fn met(&self, limit: &'static str) {
        self.refusals.get_or_create(&Met { limit }).inc();
    }

    /// Something was refused, perhaps because of a limit.
    pub(crate) fn refused(&self, refusal: &Refusal) {
        if let Some(limit) = limit_of(refusal) {
            self.met(limit);
        }
    }

    /// A batch of so many lines was kept, or could not be.
    pub(crate) fn committed(&self, lines: u64, time: Duration, is_kept: bool) {
        self.commit.observe(time.as_secs_f64());
        if is_kept {
            self.batch.observe(lines as f64);
            self.lines.inc_by(lines);
        } else {
            self.failed_commits.inc();
        }
    }

    /// All of it, as Prometheus reads it (OpenMetrics 1.0).
    pub(crate) fn shown(&self, now: &Now) -> String {
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
        encode(&mut shown, &self.registry).ok(); // memory takes all
        shown
    }
}

/// The same in the older text format (0.0.4), which has no units and no end, calls a counter as its only sample is called, and
/// knows no information: that is a gauge of 1.
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

/// What is counted elsewhere.
fn set(counter: &Counter<u64, AtomicU64>, count: u64) {
    counter.inner().store(count, Ordering::Relaxed);
}

/// A connection that is counted; no longer when dropped.
pub(crate) struct Here(Gauge);

impl Drop for Here {
    fn drop(&mut self) {
        self.0.dec();
    }
}
