//! One measurement: what was delivered, what it took, and how long it took to arrive.

use std::time::{Duration, Instant};

use rustix::process::{Pid, getpid};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use super::Load;
use crate::machine::{Times, resident, times};

/// Above this share of its core the load no longer shows what the server can do.
const BUSY: f64 = 0.9;

/// What came of a stretch of load.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) deliveries: f64,
    pub(crate) seconds: f64,
    /// Seconds of CPU, user and system.
    pub(crate) server_cpu: f64,
    /// The same, of the load itself.
    pub(crate) load_cpu: f64,
    /// Seconds for which server and load waited, because something else ran on their cores.
    pub(crate) waited: f64,
    /// Microseconds until a listener had a line: the 50th, 90th, 99th and 99.9th of a hundred, and the last.
    pub(crate) latency: [f64; 5],
    /// Milliseconds: so much of the latency in the open loop may be the load's own.
    pub(crate) away: f64,
    /// Bytes of the server in memory, at the end.
    pub(crate) resident: f64,
}

impl Sample {
    /// Both as one. Latency and memory are those of the later one.
    pub(crate) fn followed_by(self, later: Sample) -> Sample {
        Sample {
            deliveries: self.deliveries + later.deliveries,
            seconds: self.seconds + later.seconds,
            server_cpu: self.server_cpu + later.server_cpu,
            load_cpu: self.load_cpu + later.load_cpu,
            waited: self.waited + later.waited,
            ..later
        }
    }

    /// Nanoseconds of the server's CPU for each line that reached somebody.
    pub(crate) fn cost(&self) -> f64 {
        self.server_cpu * 1e9 / self.deliveries
    }

    /// Deliveries a second.
    pub(crate) fn rate(&self) -> f64 {
        self.deliveries / self.seconds
    }

    /// How busy the load was, of one core.
    pub(crate) fn load_share(&self) -> f64 {
        self.load_cpu / self.seconds
    }

    /// How busy the server was, of one core.
    pub(crate) fn server_share(&self) -> f64 {
        self.server_cpu / self.seconds
    }

    /// How long server and load had to wait for a core, as a share of the time.
    pub(crate) fn waiting_share(&self) -> f64 {
        self.waited / self.seconds
    }
}

/// Whether the load, and not the server, set the pace, both being busy to such shares of their
/// cores: then the figure is none of the server's.
pub(crate) fn is_bound_by_load(load_share: f64, server_share: f64) -> bool {
    load_share > BUSY && load_share > server_share
}

/// A measurement under way.
pub(crate) struct Meter {
    server: Pid,
    start: Instant,
    deliveries: u64,
    server_times: Times,
    load_times: Times,
}

impl Meter {
    pub(crate) fn start(load: &mut Load, server: Pid) -> anyhow::Result<Meter> {
        load.latency.reset();
        load.away = Duration::ZERO;
        Ok(Meter {
            server,
            deliveries: load.deliveries,
            server_times: times(server)?,
            load_times: own_times()?,
            start: Instant::now(),
        })
    }

    pub(crate) fn stop(self, load: &Load) -> anyhow::Result<Sample> {
        let seconds = self.start.elapsed().as_secs_f64();
        let (server, own) = (times(self.server)?, own_times()?);
        let waited = |before: Times, after: Times| after.waiting.saturating_sub(before.waiting);
        let waited = waited(self.server_times, server) + waited(self.load_times, own);
        let percentiles = [50.0, 90.0, 99.0, 99.9, 100.0];
        let microseconds = |percentile| load.latency.value_at_percentile(percentile) as f64 / 1e3;
        Ok(Sample {
            deliveries: (load.deliveries - self.deliveries) as f64,
            seconds,
            server_cpu: (server.running - self.server_times.running).as_secs_f64(),
            load_cpu: (own.running - self.load_times.running).as_secs_f64(),
            waited: waited.as_secs_f64(),
            latency: percentiles.map(microseconds),
            away: load.away.as_secs_f64() * 1e3,
            resident: resident(self.server)?,
        })
    }
}

/// A thread that is not switched for a while falls behind in what `times` sees: the clock does not.
fn own_times() -> anyhow::Result<Times> {
    let running = Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default();
    let waiting = times(getpid())?.waiting;
    Ok(Times { running, waiting })
}
