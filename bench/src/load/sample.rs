//! One measurement: the deliveries, their processor time, and the time that lines were on their
//! way.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rustix::process::{Pid, getpid};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::machine::{CpuTimes, resident_of_all};

/// The longest latency in nanoseconds: longer times count as this.
const LATENCY_MAX: u64 = 120_000_000_000;

/// The result of one stretch of load.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) deliveries: f64,
    /// The lines that were said in the closed loop.
    pub(crate) lines: f64,
    /// Bytes that clients received.
    pub(crate) bytes: f64,
    pub(crate) seconds: f64,
    /// Seconds of CPU of all servers, user and system.
    pub(crate) server_cpu: f64,
    /// Seconds of CPU of the load itself.
    pub(crate) load_cpu: f64,
    /// Seconds for which server and load waited, because something else ran on their cores.
    pub(crate) waited: f64,
    /// Microseconds until a listener had a line: p50, p90, p99, p99.9 and the maximum.
    pub(crate) latency: [f64; 5],
    /// Milliseconds of the latency in the open loop that the load itself may have caused.
    pub(crate) away: f64,
    /// Bytes of all servers in memory, at the end.
    pub(crate) resident: f64,
    /// Whether neither server nor load was busy in the closed loop: if so, the server makes its
    /// clients wait.
    pub(crate) is_held_back: bool,
}

impl Sample {
    /// Joins two samples. Latency and memory are those of the later one.
    pub(crate) fn followed_by(self, later: Sample) -> Sample {
        Sample {
            deliveries: self.deliveries + later.deliveries,
            lines: self.lines + later.lines,
            bytes: self.bytes + later.bytes,
            seconds: self.seconds + later.seconds,
            server_cpu: self.server_cpu + later.server_cpu,
            load_cpu: self.load_cpu + later.load_cpu,
            waited: self.waited + later.waited,
            ..later
        }
    }

    /// Nanoseconds of the server's CPU for each delivery.
    pub(crate) fn cost(&self) -> f64 {
        self.server_cpu * 1e9 / self.deliveries
    }

    /// Bytes for each delivery.
    pub(crate) fn size(&self) -> f64 {
        self.bytes / self.deliveries
    }

    /// Deliveries a second.
    pub(crate) fn rate(&self) -> f64 {
        self.deliveries / self.seconds
    }

    /// Lines a second.
    pub(crate) fn line_rate(&self) -> f64 {
        self.lines / self.seconds
    }

    /// The part of one core that the load used.
    pub(crate) fn load_share(&self) -> f64 {
        self.load_cpu / self.seconds
    }

    /// The part of one core that the server used.
    pub(crate) fn server_share(&self) -> f64 {
        self.server_cpu / self.seconds
    }

    /// The part of the time for which server and load had to wait for a core.
    pub(crate) fn waiting_share(&self) -> f64 {
        self.waited / self.seconds
    }
}

/// Counts of what the load has received.
pub(crate) struct LoadCounts {
    pub(super) deliveries: u64,
    pub(crate) bytes: u64,
    pub(super) latency: Histogram<u64>,
    /// The longest time between two receptions in the open loop.
    pub(super) away: Duration,
}

impl LoadCounts {
    pub(super) fn zero() -> anyhow::Result<LoadCounts> {
        Ok(LoadCounts {
            deliveries: 0,
            bytes: 0,
            latency: Histogram::new_with_bounds(1, LATENCY_MAX, 3)?,
            away: Duration::ZERO,
        })
    }
}

/// A measurement that has begun.
pub(crate) struct Meter {
    servers: Vec<Pid>,
    start: Instant,
    deliveries: u64,
    bytes: u64,
    server_times: CpuTimes,
    load_times: CpuTimes,
}

impl Meter {
    pub(crate) fn start(counts: &mut LoadCounts, servers: &[Pid]) -> anyhow::Result<Meter> {
        counts.latency.reset();
        counts.away = Duration::ZERO;
        Ok(Meter {
            servers: servers.to_vec(),
            deliveries: counts.deliveries,
            bytes: counts.bytes,
            server_times: CpuTimes::of_all(servers)?,
            load_times: own_times()?,
            start: Instant::now(),
        })
    }

    pub(crate) fn stop(self, counts: &LoadCounts) -> anyhow::Result<Sample> {
        let seconds = self.start.elapsed().as_secs_f64();
        let (server, own) = (CpuTimes::of_all(&self.servers)?, own_times()?);
        let waited =
            |before: CpuTimes, after: CpuTimes| after.waiting.saturating_sub(before.waiting);
        let waited = waited(self.server_times, server) + waited(self.load_times, own);
        let microseconds = |percentile| counts.latency.value_at_percentile(percentile) as f64 / 1e3;
        Ok(Sample {
            deliveries: (counts.deliveries - self.deliveries) as f64,
            lines: 0.0,
            bytes: (counts.bytes - self.bytes) as f64,
            seconds,
            server_cpu: (server.running - self.server_times.running).as_secs_f64(),
            load_cpu: (own.running - self.load_times.running).as_secs_f64(),
            waited: waited.as_secs_f64(),
            latency: [50.0, 90.0, 99.0, 99.9, 100.0].map(microseconds),
            away: counts.away.as_secs_f64() * 1e3,
            resident: resident_of_all(&self.servers)?,
            is_held_back: false,
        })
    }
}

/// The times of a thread in `/proc` are old until the thread is switched; this clock is exact.
fn own_times() -> anyhow::Result<CpuTimes> {
    let running = Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default();
    let waiting = CpuTimes::of(getpid())?.waiting;
    Ok(CpuTimes { running, waiting })
}
