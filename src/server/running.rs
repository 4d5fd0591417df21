//! A server whose doors are open, and how it shuts down.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{bail, ensure};
use tokio::select;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, timeout, timeout_at};

use super::node::RunningNode;
use crate::broadcaster_task::Closing;
use crate::door::Reception;

/// How long the clients' last messages and the last batch may take: 15 s, with a little to spare.
const CLOSE_TIME: Duration = Duration::from_secs(14);

/// A server whose doors are open.
pub(crate) struct RunningServer {
    pub(super) reception: Arc<Reception>,
    /// How long clients may take to receive the final message when the server shuts down.
    pub(super) stop_wait: Duration,
    pub(super) closing: Closing,
    /// This server among its nodes; none without other nodes.
    pub(super) node: Option<RunningNode>,
    pub(super) broadcasting: JoinHandle<()>,
    /// The groups of writers.
    pub(super) writing: JoinSet<()>,
    /// The tasks beside the conversation; they end first.
    pub(super) side_tasks: JoinSet<()>,
}

impl RunningServer {
    /// Runs until `shutdown`; then tells everybody and shuts down in order.
    ///
    /// # Errors
    /// A task that must not end has ended, or a connection has panicked: a bug.
    pub(crate) async fn run(mut self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        let mut why = Ok(());
        select! {
            () = shutdown => {}
            over = over(&mut self.node) => why = over,
            ended = &mut self.broadcasting => bail!("the broadcaster stopped: {ended:?}"),
            ended = self.writing.join_next() => bail!("a group of writers stopped: {ended:?}"),
        }
        let panics = self.close().await;
        ensure!(panics == 0, "{panics} connections ended with a panic; each one is a bug");
        why
    }

    /// Tells everybody, waits until the clients are gone, and then until the last batch is stored.
    /// Returns how many connections ended with a panic.
    async fn close(mut self) -> u64 {
        self.side_tasks.shutdown().await;
        sd_notify::notify(&[sd_notify::NotifyState::Stopping]).ok();
        self.closing.soon.cancel();
        let until = Instant::now() + CLOSE_TIME;
        let tasks = &self.reception.tasks;
        tasks.close();
        if timeout(self.stop_wait, tasks.wait()).await.is_err() {
            tracing::warn!("some clients did not receive the final message in time");
        }
        self.closing.now.cancel();
        match timeout_at(until, self.broadcasting).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the broadcaster has failed"),
            Err(_) => tracing::error!("the journal did not finish in time"),
        }
        self.reception.panics.load(Ordering::Relaxed)
    }
}

/// Waits until this server has to stop because of the other nodes.
async fn over(node: &mut Option<RunningNode>) -> anyhow::Result<()> {
    match node {
        Some(node) => node.over().await,
        None => pending().await,
    }
}
