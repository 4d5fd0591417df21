//! This server as one of several nodes: it connects, reads what it has missed, and stops if it can
//! no longer follow the others. Knows no door.

use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use parlor_core::broadcaster::{CHECK_EVERY, NodeStart, SWITCH_AFTER, Standing};
use parlor_core::ledger::Snapshot;
use parlor_core::link::Inbox;
use parlor_wire::pack::proposal::{BYTES_MAX, NEWEST};
use tokio::select;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};

use crate::config::Config;
use crate::sequencer::{
    Beginning, Courier, Founding, LinkChange, NodeFiles, OrderQueue, PastFiles, Post, PostTask,
    SequencerTask, SnapshotSchedule, SnapshotSpeed, StreamConnection, StreamSequencer, beginning,
    found, open_accounts, own_program, take_over, with_messages,
};

/// A server that has found the order of its nodes, and has not begun to follow it.
pub(super) struct JoinedOrder {
    connection: StreamConnection,
    changes: mpsc::Receiver<LinkChange>,
    start: NodeStart,
    speed: SnapshotSpeed,
    pub(super) founded: Founding,
}

/// A server that follows the order of its nodes.
pub(super) struct NodeParts {
    /// How the node started, without its ledger.
    pub(super) start: NodeStart,
    /// The position of the snapshot from which its ledger was made.
    pub(super) snapshot: u64,
    pub(super) sequencing: SequencerTask,
    pub(super) post: PostTask,
    /// The stream, and how it has begun.
    pub(super) connection: StreamConnection,
    pub(super) founded: Founding,
    /// When snapshots of the ledger are taken.
    pub(super) schedule: SnapshotSchedule,
}

/// The parts of a broadcaster of one of several nodes.
pub(super) struct BroadcasterParts {
    pub(super) start: NodeStart,
    pub(super) sequencer: StreamSequencer,
    pub(super) neighbours: Post,
}

impl JoinedOrder {
    /// Connects to the order of the nodes that the configuration names; none without other nodes. If it
    /// has not begun, it gets the name `log_of_past`, if this server has stored something before.
    ///
    /// # Errors
    /// There is no order that this server can follow: why, and what to do.
    pub(super) async fn new(
        config: &Config,
        log_of_past: impl Fn() -> anyhow::Result<Option<String>>,
    ) -> anyhow::Result<Option<JoinedOrder>> {
        let Some(servers) = &config.nats else {
            return Ok(None);
        };
        let name = config.node_name()?;
        let credentials = config.nats_creds.as_deref();
        let (connection, changes) =
            StreamConnection::connect(servers, credentials, &config.house).await?;
        let founded = found(&connection, log_of_past).await?;
        tracing::info!("this is node {name} of the house {}", config.house);
        let speed = SnapshotSpeed::new(config.snapshot_speed);
        let start = NodeStart {
            name,
            nonce: getrandom::u64().context("the system gives no random number")?,
            program: own_program()?,
            bytes_max: BYTES_MAX.min(connection.bytes_max() / 2),
            ledger: Default::default(),
            position: 0,
            check_every: speed.sooner(CHECK_EVERY),
            switch_after: speed.shortened(SWITCH_AFTER),
        };
        Ok(Some(JoinedOrder { connection, changes, start, speed, founded }))
    }

    /// The ledger with which a server continues behind the position of these files, or at the end of
    /// the order without files. It waits until the past of the nodes is complete.
    ///
    /// # Errors
    /// The order does not reach that far, or cannot be read.
    pub(super) async fn begin(
        &self,
        files: Option<&NodeFiles>,
        past: Option<PastFiles>,
    ) -> anyhow::Result<Beginning> {
        let mut begun = beginning(&self.connection, &self.founded, files).await?;
        if begun.ledger.importing.is_some() {
            begun = take_over(&self.connection, begun, past).await?;
        }
        open_accounts(&self.connection, &mut begun.ledger).await;
        Ok(begun)
    }

    /// The same ledger with the texts of the messages that wait there, for files that lack them.
    pub(super) async fn with_messages(&self, ledger: &Snapshot) -> Snapshot {
        with_messages(&self.connection, ledger).await
    }

    /// The parts that continue with a ledger.
    pub(super) fn follow(
        self,
        beginning: Beginning,
        inbox: &Arc<Inbox>,
    ) -> (BroadcasterParts, NodeParts) {
        let JoinedOrder { connection, changes, start, speed, founded } = self;
        let Beginning { ledger, position, snapshot, tail, .. } = beginning;
        let (bare, start) = (start.clone(), NodeStart { ledger, position, ..start });
        let (post, neighbours) = PostTask::new(&connection, inbox, start.nonce);
        let queue = Arc::new(OrderQueue::default());
        let sequencer = StreamSequencer(Arc::clone(&queue));
        let inbox = Arc::clone(inbox);
        let live = start.ledger.boots.values().filter(|boot| boot.is_live);
        let live = live.map(|boot| boot.node.clone()).collect();
        let courier = Courier::new(start.name.clone(), position, live, NEWEST);
        let place = (courier, tail, start.ledger.seals.last());
        let sequencing = SequencerTask::new((connection.clone(), changes), queue, inbox, place);
        let broadcaster = BroadcasterParts { start, sequencer, neighbours };
        let schedule = SnapshotSchedule::new(speed, snapshot);
        let (start, snapshot) = (bare, snapshot.0);
        let parts = NodeParts { start, snapshot, sequencing, post, connection, founded, schedule };
        (broadcaster, parts)
    }
}

/// A running server among its nodes.
pub(super) struct RunningNode {
    standing: watch::Receiver<Standing>,
    /// The tasks of the stream and of messages to other nodes.
    tasks: JoinSet<anyhow::Result<()>>,
}

impl RunningNode {
    /// A node whose tasks follow the order.
    pub(super) fn new(
        tasks: JoinSet<anyhow::Result<()>>,
        standing: watch::Receiver<Standing>,
    ) -> RunningNode {
        RunningNode { standing, tasks }
    }

    /// Waits until people can enter.
    ///
    /// # Errors
    /// They never can: why, and what to do.
    pub(super) async fn in_touch(&mut self) -> anyhow::Result<()> {
        let RunningNode { standing, tasks } = self;
        select! {
            reached = standing.wait_for(|it| *it == Standing::InTouch || why_over(*it).is_some()) => {
                reached.ok().and_then(|standing| why_over(*standing)).map_or(Ok(()), Err)
            }
            Some(ended) = tasks.join_next() => stopped(ended),
        }
    }

    /// Waits until this server has to stop.
    ///
    /// # Errors
    /// Always: why, and what to do.
    pub(super) async fn over(&mut self) -> anyhow::Result<()> {
        let RunningNode { standing, tasks } = self;
        select! {
            Ok(reached) = standing.wait_for(|it| why_over(*it).is_some()) => {
                why_over(*reached).map_or(Ok(()), Err)
            }
            Some(ended) = tasks.join_next() => stopped(ended),
        }
    }
}

fn stopped(ended: Result<anyhow::Result<()>, JoinError>) -> anyhow::Result<()> {
    ended.context("the task of the stream has failed")?.context("this node has to stop")?;
    bail!("the task of the stream stopped")
}

/// Another server has begun under the name of this node. If this one began again, it would end that
/// one in turn.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("another server has begun under the name of this node; give each server its own --node")]
pub struct Replaced;

/// Why this server has to stop, and what to do.
fn why_over(standing: Standing) -> Option<anyhow::Error> {
    match standing {
        Standing::Replaced => Some(Replaced.into()),
        Standing::OneTooMany => {
            Some(anyhow!("there are too many nodes; stop one of the others first"))
        }
        Standing::TooOld => Some(anyhow!(
            "the nodes use a format that this version of Parlor cannot read; start the version of the \
             other nodes here, too"
        )),
        Standing::Alone
        | Standing::Astray(_)
        | Standing::Starting
        | Standing::InTouch
        | Standing::OutOfTouch
        | Standing::Left => None,
    }
}
