//! The machine, and the resources that a process uses. Linux: from `/proc`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::time::Duration;

use anyhow::Context;
use rustix::process::{Pid, Resource, Rlimit, Signal};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::{Deserialize, Serialize};

/// The machine that ran the measurements.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    /// GiB.
    pub(crate) memory: f64,
    pub(crate) kernel: String,
}

impl Machine {
    pub(crate) fn with_cores(cores: usize) -> Machine {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        Machine {
            processor: field(&read("/proc/cpuinfo"), "model name").unwrap_or_default(),
            cores,
            memory: field(&read("/proc/meminfo"), "MemTotal")
                .and_then(|total| kibibytes(&total))
                .unwrap_or_default()
                / f64::from(1 << 20),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        }
    }
}

/// The value in a line `name: value`.
fn field(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn kibibytes(value: &str) -> Option<f64> {
    value.trim_end_matches(" kB").parse().ok()
}

/// The cores that may be used. Server and load run on different ones if there are two.
#[derive(Debug, Clone)]
pub(crate) struct Cores {
    pub(crate) all: Vec<usize>,
    pub(crate) server: usize,
    pub(crate) load: usize,
}

impl Cores {
    /// The cores on which this thread may run.
    pub(crate) fn find() -> Cores {
        let allowed = sched_getaffinity(None).unwrap_or_default();
        let is_allowed = |&core: &usize| allowed.is_set(core);
        let all: Vec<usize> = (0..CpuSet::MAX_CPU).filter(is_allowed).collect();
        Cores {
            server: all.first().copied().unwrap_or(0),
            load: all.last().copied().unwrap_or(0),
            all,
        }
    }
}

/// Does some work on these cores, such as starting a process, and returns to the previous cores.
pub(crate) fn on_cores<T>(cores: &[usize], work: impl FnOnce() -> T) -> anyhow::Result<T> {
    let before = sched_getaffinity(None)?;
    stay_on(cores)?;
    let result = work();
    sched_setaffinity(None, &before)?;
    Ok(result)
}

/// From now on this thread runs on these cores.
pub(crate) fn stay_on(cores: &[usize]) -> anyhow::Result<()> {
    let mut set = CpuSet::new();
    cores.iter().for_each(|&core| set.set(core));
    sched_setaffinity(None, &set).context("cannot choose the core to run on")
}

/// The processor time of all threads of a process.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CpuTimes {
    /// User and system time: exact to the nanosecond up to the last time each thread was switched.
    pub(crate) running: Duration,
    /// The time for which the threads were ready to run, but waited for a core.
    pub(crate) waiting: Duration,
}

impl CpuTimes {
    pub(crate) fn of(process: Pid) -> anyhow::Result<CpuTimes> {
        let folder = format!("/proc/{}/task", process.as_raw_nonzero());
        let mut sum = CpuTimes::default();
        for task in fs::read_dir(&folder).with_context(|| format!("no process {process:?}"))? {
            // The time of a thread that ends between the two reads is lost.
            let times = fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
            let mut times = times.split_ascii_whitespace().map(str::parse);
            let mut next = || Duration::from_nanos(times.next().and_then(Result::ok).unwrap_or(0));
            sum.running += next();
            sum.waiting += next();
        }
        Ok(sum)
    }

    /// The sum over several processes.
    pub(crate) fn of_all(processes: &[Pid]) -> anyhow::Result<CpuTimes> {
        let mut sum = CpuTimes::default();
        for process in processes {
            let times = CpuTimes::of(*process)?;
            sum.running += times.running;
            sum.waiting += times.waiting;
        }
        Ok(sum)
    }
}

/// The memory of a process that is in RAM, in bytes.
pub(crate) fn resident(process: Pid) -> anyhow::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{}/status", process.as_raw_nonzero()))?;
    let resident = field(&status, "VmRSS").and_then(|value| kibibytes(&value));
    Ok(resident.context("no VmRSS")? * 1024.0)
}

/// The same of several processes.
pub(crate) fn resident_of_all(processes: &[Pid]) -> anyhow::Result<f64> {
    processes.iter().map(|process| resident(*process)).sum()
}

/// The number of connections that wait to be accepted on this port; None if no process listens on
/// it.
pub(crate) fn waiting_to_be_accepted(port: u16) -> anyhow::Result<Option<u64>> {
    const LISTEN: &str = "0A";
    let port = format!(":{port:04X}");
    for path in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let Ok(sockets) = fs::File::open(path) else {
            continue; // a machine without IPv6
        };
        for line in BufReader::new(sockets).lines().skip(1) {
            let line = line?;
            let fields: Vec<&str> = line.split_ascii_whitespace().take(5).collect();
            let [_, local, _, LISTEN, queues] = fields[..] else {
                break; // listening sockets are listed first
            };
            if local.ends_with(&port) {
                let (_, received) = queues.split_once(':').context("no queue")?;
                return Ok(Some(u64::from_str_radix(received, 16)?));
            }
        }
    }
    Ok(None)
}

/// The number of descriptors that a process has open.
pub(crate) fn descriptors(process: Pid) -> anyhow::Result<usize> {
    let folder = format!("/proc/{}/fd", process.as_raw_nonzero());
    Ok(fs::read_dir(folder)?.count())
}

/// Bytes as the tables show them.
pub(crate) fn mebibytes(bytes: f64) -> f64 {
    bytes / f64::from(1 << 20)
}

/// Makes the kernel end this process as soon as its parent process ends, whatever the reason.
pub(crate) fn end_with_parent() -> anyhow::Result<()> {
    let signal = Some(Signal::KILL);
    Ok(rustix::process::set_parent_process_death_signal(signal)?)
}

/// Raises the limit of descriptors of this process as far as it may.
pub(crate) fn raise_descriptors() {
    let maximum = rustix::process::getrlimit(Resource::Nofile).maximum;
    let current = maximum;
    rustix::process::setrlimit(Resource::Nofile, Rlimit { current, maximum }).ok();
}
