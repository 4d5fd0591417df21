//! The processes of one server of NATS, or of several that form a cluster. Knows no node.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::config::{NatsAddresses, NatsSync, name, write};
use super::monitor::{NatsCounts, is_well, leader};
use crate::machine::on_cores;

/// How long servers may take until all of them are well.
const WELL_TIME: Duration = Duration::from_secs(60);

/// How often to ask whether they are.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// The address of the servers: not the usual one, so that no connection of a client has one of their
/// ports when a server starts again.
const HERE: Ipv4Addr = Ipv4Addr::new(127, 0, 1, 1);

/// Running servers of NATS. Dropping them ends them.
#[derive(Debug)]
pub(crate) struct NatsCluster {
    program: PathBuf,
    cores: Vec<usize>,
    files: TempDir,
    addresses: Vec<NatsAddresses>,
    /// None while a server is down.
    children: Vec<Option<Child>>,
}

impl NatsCluster {
    /// Starts this many servers on these cores, and waits until they are well.
    pub(crate) fn start(
        program: &Path,
        cores: &[usize],
        count: usize,
        sync: NatsSync,
    ) -> anyhow::Result<NatsCluster> {
        let mut cluster = NatsCluster {
            program: program.to_owned(),
            cores: cores.to_vec(),
            files: TempDir::with_prefix("parlor-bench-nats-")?,
            addresses: addresses(count)?,
            children: (0..count).map(|_| None).collect(),
        };
        for number in 0..count {
            let written = write(number, &cluster.addresses, cluster.files.path(), sync);
            fs::write(cluster.config(number), written.unwrap_or_default())?;
            cluster.start_one(number)?;
        }
        cluster.wait_until_well()?;
        Ok(cluster)
    }

    fn config(&self, number: usize) -> PathBuf {
        self.files.path().join(format!("config-{number}"))
    }

    /// The number of servers.
    pub(crate) fn count(&self) -> usize {
        self.addresses.len()
    }

    /// The servers, as nodes are told of them.
    pub(crate) fn urls(&self) -> String {
        let urls = self.addresses.iter().map(|one| format!("nats://{}", one.clients));
        urls.collect::<Vec<_>>().join(",")
    }

    /// The processes that run.
    pub(crate) fn processes(&self) -> Vec<Pid> {
        self.children.iter().flatten().map(Pid::from_child).collect()
    }

    /// Starts a server that is down.
    pub(crate) fn start_one(&mut self, number: usize) -> anyhow::Result<()> {
        let mut command = Command::new(&self.program);
        command.arg("-c").arg(self.config(number)).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = on_cores(&self.cores, || command.spawn())?;
        let child = child.with_context(|| format!("cannot start {}", self.program.display()))?;
        *self.children.get_mut(number).context("there is no such server")? = Some(child);
        Ok(())
    }

    /// Ends a server with this signal, and waits until it has ended.
    pub(crate) fn end_one(&mut self, number: usize, signal: Signal) -> anyhow::Result<()> {
        self.signal(number, signal)?;
        let child = self.children.get_mut(number).and_then(Option::take);
        child.context("that server is down")?.wait()?;
        Ok(())
    }

    /// Sends a signal to a server that runs.
    pub(crate) fn signal(&self, number: usize, signal: Signal) -> anyhow::Result<()> {
        let child = self.children.get(number).and_then(Option::as_ref);
        Ok(kill_process(Pid::from_child(child.context("that server is down")?), signal)?)
    }

    /// Waits until all servers are well: then each has everything that the others have.
    pub(crate) fn wait_until_well(&self) -> anyhow::Result<()> {
        let until = Instant::now() + WELL_TIME;
        while !self.addresses.iter().all(|one| is_well(one.monitor)) {
            ensure!(Instant::now() < until, "servers of NATS are not well: {}", self.logs());
            sleep(ASK_EVERY);
        }
        Ok(())
    }

    /// The server that leads the stream, when all are well. One alone leads.
    pub(crate) fn leader(&self) -> anyhow::Result<usize> {
        self.wait_until_well()?;
        if self.count() == 1 {
            return Ok(0);
        }
        let named = self.addresses.iter().find_map(|one| leader(one.monitor));
        let number = (0..self.count()).find(|number| Some(name(*number)) == named);
        number.context("no server leads the stream")
    }

    /// The counts of all servers, which run.
    pub(crate) fn counts(&self) -> anyhow::Result<NatsCounts> {
        let mut sum = NatsCounts::default();
        for one in &self.addresses {
            sum = sum.and(NatsCounts::of(one.monitor)?);
        }
        Ok(sum)
    }

    /// The last words of all servers.
    fn logs(&self) -> String {
        let log = |number: usize| {
            let path = self.files.path().join(format!("log-{number}"));
            let log = fs::read_to_string(path).unwrap_or_default();
            let last = log.lines().next_back().unwrap_or_default();
            format!("{}: {last}", name(number))
        };
        (0..self.count()).map(log).collect::<Vec<_>>().join("; ")
    }
}

impl Drop for NatsCluster {
    fn drop(&mut self) {
        for child in self.children.iter_mut().flatten() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// Free addresses. All of them are held until all are found, so that no two are the same.
fn addresses(count: usize) -> anyhow::Result<Vec<NatsAddresses>> {
    let here = SocketAddr::from((HERE, 0));
    let held = (0..3 * count).map(|_| TcpListener::bind(here)).collect::<Result<Vec<_>, _>>()?;
    let addresses = held.iter().map(TcpListener::local_addr).collect::<Result<Vec<_>, _>>()?;
    let addresses = addresses.chunks_exact(3).map(|three| NatsAddresses {
        clients: three[0],
        routes: three[1],
        monitor: three[2],
    });
    Ok(addresses.collect())
}
