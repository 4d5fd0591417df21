//! What the machine is, and what a process on it has used. Linux: from `/proc`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::time::Duration;

use anyhow::Context;
use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::{Deserialize, Serialize};

/// The machine that the figures are from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    /// GiB.
    pub(crate) memory: f64,
    pub(crate) kernel: String,
}

impl Machine {
    pub(crate) fn this() -> Machine {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let kibibytes = field(&read("/proc/meminfo"), "MemTotal")
            .and_then(|total| total.trim_end_matches(" kB").parse::<f64>().ok());
        Machine {
            processor: field(&read("/proc/cpuinfo"), "model name").unwrap_or_default(),
            cores: cores().len(),
            memory: kibibytes.unwrap_or_default() / f64::from(1 << 20),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        }
    }
}

/// The cores that this process may run on.
pub(crate) fn cores() -> Vec<usize> {
    let allowed = sched_getaffinity(None).unwrap_or_default();
    (0..CpuSet::MAX_CPU)
        .filter(|&core| allowed.is_set(core))
        .collect()
}

/// Where the server runs and where the load: apart where there are two cores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) server: usize,
    pub(crate) load: usize,
}

impl Places {
    pub(crate) fn find() -> Places {
        let cores = cores();
        let at = |core: Option<&usize>| core.copied().unwrap_or(0);
        Places {
            server: at(cores.first()),
            load: at(cores.last()),
        }
    }
}

/// Does something, such as starting a process, on these cores; then returns to where it was.
pub(crate) fn on_cores<T>(cores: &[usize], work: impl FnOnce() -> T) -> anyhow::Result<T> {
    let before = sched_getaffinity(None)?;
    stay_on(cores)?;
    let done = work();
    sched_setaffinity(None, &before)?;
    Ok(done)
}

/// From now on this thread runs on these cores.
pub(crate) fn stay_on(cores: &[usize]) -> anyhow::Result<()> {
    let mut set = CpuSet::new();
    cores.iter().for_each(|&core| set.set(core));
    sched_setaffinity(None, &set).context("cannot choose the core to run on")
}

/// What all threads of a process have got of the cores, and what they wanted.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Times {
    /// User and system time: exact to the nanosecond up to the last time each thread was switched.
    pub(crate) running: Duration,
    /// They could have run, but something else did.
    pub(crate) waiting: Duration,
}

pub(crate) fn times(process: Pid) -> anyhow::Result<Times> {
    let folder = format!("/proc/{}/task", process.as_raw_nonzero());
    let mut sum = Times::default();
    for task in fs::read_dir(&folder).with_context(|| format!("no process {process:?}"))? {
        // A thread may end between being listed and being read: what it used is lost.
        let times = fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
        let mut times = times.split_ascii_whitespace().map(str::parse);
        let mut next = || Duration::from_nanos(times.next().and_then(Result::ok).unwrap_or(0));
        sum.running += next();
        sum.waiting += next();
    }
    Ok(sum)
}

/// The memory of a process that is in RAM, in bytes.
pub(crate) fn resident(process: Pid) -> anyhow::Result<f64> {
    let path = format!("/proc/{}/status", process.as_raw_nonzero());
    let status = fs::read_to_string(path)?;
    let kibibytes = status.lines().find_map(|line| {
        let rest = line.strip_prefix("VmRSS:")?;
        rest.trim().trim_end_matches(" kB").parse::<f64>().ok()
    });
    Ok(kibibytes.context("no VmRSS")? * 1024.0)
}

/// How many wait to be accepted on this port, as the kernel tells it; None if no process listens there.
pub(crate) fn at_the_door(port: u16) -> anyhow::Result<Option<u64>> {
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
                break; // those that listen come first
            };
            if local.ends_with(&port) {
                let (_, received) = queues.split_once(':').context("no queue")?;
                return Ok(Some(u64::from_str_radix(received, 16)?));
            }
        }
    }
    Ok(None)
}

/// How many descriptors a process holds.
pub(crate) fn descriptors(process: Pid) -> anyhow::Result<usize> {
    let folder = format!("/proc/{}/fd", process.as_raw_nonzero());
    Ok(fs::read_dir(folder)?.count())
}

/// Bytes as the tables show them.
pub(crate) fn mebibytes(bytes: f64) -> f64 {
    bytes / f64::from(1 << 20)
}

/// Lets this process be ended when the one that has started it ends, in whatever way.
pub(crate) fn end_with_parent() -> anyhow::Result<()> {
    use rustix::process::{Signal, set_parent_process_death_signal};
    Ok(set_parent_process_death_signal(Some(Signal::KILL))?)
}

/// Lets this process hold as many descriptors as it may.
pub(crate) fn raise_descriptors() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, raised).ok();
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}
