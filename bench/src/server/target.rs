//! A server to measure: its command, its address, and its end.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rustix::process::Pid;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::protocol::Protocol;
use crate::machine::{on_cores, waiting_to_be_accepted};

/// How long a server may take until it accepts connections.
const START_TIME: Duration = Duration::from_secs(20);

/// The port of the book's program, and of every server whose port cannot be chosen.
const BOOK_PORT: u16 = 8000;

/// This program, which contains the bare loop, the load and Parlor, too.
pub(crate) const THIS_PROGRAM: &str = "/proc/self/exe";

/// A server that can be started.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Target {
    /// Its name in the tables.
    pub(crate) name: String,
    pub(crate) protocol: Protocol,
    /// The program and its arguments. `{port}` stands for the port, and `{config}` for the path of
    /// the configuration.
    pub(crate) command: Vec<String>,
    /// The configuration, in which `{port}` stands for the port; may be empty.
    pub(crate) config: String,
    /// Whether its door has TLS. Then the certificate that clients accept is in `config`.
    pub(crate) is_encrypted: bool,
}

impl Target {
    /// A server without a configuration file.
    pub(crate) fn new<'a>(
        name: &str,
        protocol: Protocol,
        command: impl IntoIterator<Item = &'a str>,
    ) -> Target {
        let command = command.into_iter().map(str::to_owned).collect();
        let (name, config) = (name.to_owned(), String::new());
        Target { name, protocol, command, config, is_encrypted: false }
    }

    /// Starts the server on these cores, and waits until it accepts connections.
    pub(crate) fn start(&self, cores: &[usize]) -> anyhow::Result<RunningTarget> {
        self.start_in(Arc::new(TempDir::with_prefix("parlor-bench-")?), cores)
    }

    /// Starts the server in the folder of an earlier one, whose files it has then.
    pub(crate) fn start_in(
        &self,
        folder: Arc<TempDir>,
        cores: &[usize],
    ) -> anyhow::Result<RunningTarget> {
        let port = self.port()?;
        let mut command = self.command_in(&folder, port)?;
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("PARLOR_") {
                command.env_remove(variable);
            }
        }
        let started = on_cores(cores, || command.spawn())?;
        let mut server = RunningTarget {
            child: started.with_context(|| format!("cannot start {:?}", self.command))?,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            folder,
        };
        server.wait_until_it_accepts(&self.name)?;
        Ok(server)
    }

    /// A free port for a server whose port can be chosen.
    fn port(&self) -> anyhow::Result<u16> {
        let is_told = self.command.iter().any(|word| word.contains("{port}"));
        if is_told || self.config.contains("{port}") {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            return Ok(listener.local_addr()?.port());
        }
        let is_free = TcpListener::bind((Ipv4Addr::LOCALHOST, BOOK_PORT)).is_ok();
        ensure!(is_free, "port {BOOK_PORT} is taken");
        Ok(BOOK_PORT)
    }

    /// The command, run in this folder: files of the server are deleted with the folder.
    fn command_in(&self, folder: &TempDir, port: u16) -> anyhow::Result<Command> {
        let config = folder.path().join("server.config");
        let filled = |word: &str| {
            word.replace("{port}", &port.to_string()).replace("{config}", &config.to_string_lossy())
        };
        std::fs::write(&config, filled(&self.config))?;
        let (program, arguments) = self.command.split_first().context("no command")?;
        let program = match program.contains('/') {
            true => std::path::absolute(program)?,
            false => program.into(), // found in the PATH
        };
        let mut command = Command::new(program);
        command
            .args(arguments.iter().map(|word| filled(word)))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        Ok(command)
    }
}

/// A running server. Dropping it ends the server.
#[derive(Debug)]
pub(crate) struct RunningTarget {
    child: Child,
    pub(crate) address: SocketAddr,
    /// The folder in which the server runs; deleted when nobody needs it.
    pub(crate) folder: Arc<TempDir>,
}

impl RunningTarget {
    pub(crate) fn process(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Whether the server has ended.
    pub(crate) fn has_ended(&mut self) -> anyhow::Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Kills the server.
    pub(crate) fn end(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }

    /// Asks the kernel, because a connection that closes at once would end ncat.
    fn wait_until_it_accepts(&mut self, name: &str) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_TIME;
        while waiting_to_be_accepted(self.address.port())?.is_none() {
            if let Some(status) = self.child.try_wait()? {
                bail!("{name} has ended at once: {status}");
            }
            let address = self.address;
            ensure!(
                Instant::now() < deadline,
                "{name} does not accept connections on {address} after {START_TIME:?}"
            );
            sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for RunningTarget {
    fn drop(&mut self) {
        self.end();
    }
}
