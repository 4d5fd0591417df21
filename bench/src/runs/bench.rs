//! The surroundings of every scenario: options, Parlor, cores, a room full of clients, and a place
//! for its tables.

use anyhow::ensure;
use rustix::process::Pid;

use crate::load::{ClientId, Load};
use crate::machine::{Cores, resident};
use crate::report::{ResultTable, Versions};
use crate::server::{Parlor, RunningTarget, Target};

/// The conditions and the results of one scenario.
pub(crate) struct Bench {
    pub(crate) quick: bool,
    pub(crate) parlor: Parlor,
    pub(crate) cores: Cores,
    pub(crate) tables: Vec<ResultTable>,
    /// Versions of programs other than Parlor.
    pub(crate) versions: Versions,
}

impl Bench {
    /// The first value with `--quick`, otherwise the second.
    pub(super) fn pick<T>(&self, quick: T, full: T) -> T {
        if self.quick { quick } else { full }
    }

    /// A server on its core, with this many speakers and listeners in its first room.
    pub(super) fn room(
        &self,
        target: &Target,
        speakers: usize,
        listeners: usize,
    ) -> anyhow::Result<LoadedRoom> {
        LoadedRoom::fill(target, &[self.cores.server], speakers, listeners)
    }
}

/// A server, with the clients of a load in this process in its first room.
pub(super) struct LoadedRoom {
    pub(super) load: Load,
    pub(super) listeners: Vec<ClientId>,
    server: RunningTarget,
}

impl LoadedRoom {
    /// Starts the server on these cores, and returns when everybody is in the room.
    pub(super) fn fill(
        target: &Target,
        cores: &[usize],
        speakers: usize,
        listeners: usize,
    ) -> anyhow::Result<LoadedRoom> {
        let server = target.start(cores)?;
        let clients = [listeners, speakers];
        let (load, listeners) = Load::fill(server.address, target.protocol, clients)?;
        Ok(LoadedRoom { load, listeners, server })
    }

    pub(super) fn server(&self) -> Pid {
        self.server.process()
    }

    /// Bytes of the server in memory.
    pub(super) fn resident(&self) -> anyhow::Result<f64> {
        resident(self.server())
    }

    /// Fails if the server has disconnected a bystander.
    pub(super) fn ensure_all_connected(&self) -> anyhow::Result<()> {
        let closed = self.load.closed_by_server;
        ensure!(closed == 0, "the server has disconnected {closed} clients");
        Ok(())
    }
}
