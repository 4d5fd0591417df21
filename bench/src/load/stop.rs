//! The end of a server in order, with people in it, as at an upgrade.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rustix::process::{Signal, kill_process};
use tempfile::TempDir;

use super::clients::Load;

/// A server ends within 15 seconds, and is killed if it does not.
const STOP_TIME: Duration = Duration::from_secs(20);

/// How long one turn waits for anything to receive.
const TURN: Duration = Duration::from_millis(5);

/// A server that has ended.
pub(crate) struct StoppedServer {
    /// Seconds from the signal until the server had closed all connections.
    pub(crate) closed: f64,
    /// Seconds from the signal until the program had ended.
    pub(crate) ended: f64,
    /// The folder with its files, for the next server.
    pub(crate) folder: Arc<TempDir>,
}

impl Load {
    /// Stops the only server, in which all people are bystanders, as `systemctl stop` does.
    pub(crate) fn stop_server(mut self) -> anyhow::Result<StoppedServer> {
        let mut server = self.running.pop().context("there is no server")?;
        let start = Instant::now();
        kill_process(server.process(), Signal::TERM)?;
        let mut closed = None;
        let mut ended = None;
        while closed.is_none() || ended.is_none() {
            self.turn(TURN)?;
            let now = start.elapsed();
            if self.closed_by_server() == self.crowd.len() {
                closed.get_or_insert(now.as_secs_f64());
            }
            if server.has_ended()? {
                ended.get_or_insert(now.as_secs_f64());
            }
            ensure!(now < STOP_TIME, "the server has not ended after {STOP_TIME:?}");
        }
        let [closed, ended] = [closed, ended].map(Option::unwrap_or_default);
        Ok(StoppedServer { closed, ended, folder: Arc::clone(&server.folder) })
    }
}
