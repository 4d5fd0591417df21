//! Servers of NATS and nodes, which run on all cores, and the resources that they use.

use std::path::Path;
use std::sync::Arc;

use rustix::process::Pid;

use crate::machine::CpuTimes;
use crate::runs::bench::Bench;
use crate::server::{
    NatsCluster, NatsCounts, NatsSync, NodePlace, Protocol, RunningTarget, Target,
};

/// The servers of NATS of a house, and the nodes that can start.
pub(super) struct MeasuredHouse {
    pub(super) cluster: NatsCluster,
    pub(super) targets: Vec<Target>,
    cores: Vec<usize>,
}

impl MeasuredHouse {
    /// Running servers of NATS, and nodes that have not started: their lines are on disk.
    pub(super) fn new(
        bench: &Bench,
        nats: &Path,
        [servers, nodes]: [usize; 2],
        sync: NatsSync,
    ) -> anyhow::Result<MeasuredHouse> {
        let cores = bench.cores.all.clone();
        let cluster = NatsCluster::start(nats, &cores, servers, sync)?;
        let urls = cluster.urls();
        let target = |node: usize| {
            let node = format!("node-{node}");
            bench.parlor.written(NodePlace::Node { urls: &urls, house: "main", node: &node })
        };
        let targets = (0..nodes).map(target).collect();
        Ok(MeasuredHouse { cluster, targets, cores })
    }

    /// The protocol of the people on all nodes.
    pub(super) fn protocol(&self) -> Protocol {
        self.targets.first().map_or(Protocol::Lines, |target| target.protocol)
    }

    /// Starts a node, and waits until people can enter.
    pub(super) fn start(&self, node: usize) -> anyhow::Result<RunningTarget> {
        self.targets[node].start(&self.cores)
    }

    /// Starts a node again that has ended, with its files.
    pub(super) fn start_again(
        &self,
        node: usize,
        ended: &RunningTarget,
    ) -> anyhow::Result<RunningTarget> {
        self.targets[node].start_in(Arc::clone(&ended.folder), &self.cores)
    }

    /// Starts all nodes, one after the other.
    pub(super) fn start_all(&self) -> anyhow::Result<Vec<RunningTarget>> {
        let nodes = (0..self.targets.len()).map(|node| self.start(node)).collect();
        self.cluster.leader()?; // all servers have the stream
        nodes
    }
}

/// The resources that were used up to a moment.
pub(super) struct Usage {
    /// Seconds of CPU of the servers of NATS.
    pub(super) nats_cpu: f64,
    pub(super) counts: NatsCounts,
}

impl Usage {
    /// The use of the servers of NATS so far.
    pub(super) fn of(cluster: &NatsCluster) -> anyhow::Result<Usage> {
        Ok(Usage { nats_cpu: cpu(&cluster.processes())?, counts: cluster.counts()? })
    }

    /// The use since an earlier moment.
    pub(super) fn since(self, before: &Usage) -> Usage {
        Usage {
            nats_cpu: self.nats_cpu - before.nats_cpu,
            counts: self.counts.since(before.counts),
        }
    }
}

/// Seconds of CPU of these processes so far.
pub(super) fn cpu(processes: &[Pid]) -> anyhow::Result<f64> {
    Ok(CpuTimes::of_all(processes)?.running.as_secs_f64())
}
