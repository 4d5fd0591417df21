//! The server: builds everything, binds its doors, opens them together, and shuts down in order.

mod announce;
mod certificates;
mod doors;
mod listeners;
mod node;
mod process;
mod reload;
mod running;
mod setup;
mod signals;
mod storage;

pub use listeners::BindError;
pub use node::Replaced;
pub use process::{check_threads, survive_file_size};
pub use reload::Source;
pub(crate) use signals::SignalRequests;

pub use crate::door::PassedSockets;

use std::mem;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use parlor_core::broadcaster::{Broadcaster, Standing};
use parlor_core::journal::Journal;
use parlor_core::link::Inbox;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use self::announce::is_for_this_machine;
use self::certificates::Certificates;
use self::doors::Doors;
use self::node::{BroadcasterParts, JoinedOrder, NodeParts, RunningNode};
use self::process::{check_descriptors, check_file_size};
use self::reload::Reloader;
use self::running::RunningServer;
use self::setup::door_setup;
use self::storage::ServerStorage;
use crate::broadcaster_task::{AmongNodes, BroadcasterTask, Closing};
use crate::clock::{Clock, Trust};
use crate::config::{Config, Settings};
use crate::door::{Reception, acme_challenge, raise_limit, schemes_for_people};
use crate::operator::{Operator, Reload, ReloadRequests};
use crate::sequencer::{Beginning, CatchUpTask, RebuildTask, SnapshotShelf, SnapshotTask};
use crate::session::Live;
use crate::telemetry::Metrics;
use crate::tls::{AcmeTask, Challenges};

/// A chat server.
pub struct Server {
    config: Config,
    reception: Arc<Reception>,
    /// The settings that can change while the server runs, for all doors except classic ones.
    live: Arc<Live>,
    storage: ServerStorage,
    broadcaster: Broadcaster,
    /// Its parts as one of several nodes; none without other nodes.
    node: Option<NodeParts>,
    clock: Clock,
    /// The sockets of systemd that no door has yet.
    passed: PassedSockets,
    doors: Doors,
    /// The certificates of the doors with TLS.
    certificates: Arc<Certificates>,
    /// The task that gets a certificate from an authority, until the doors are open.
    acme: Option<AcmeTask>,
    /// The tasks for accounts and for the operator; they end first.
    side_tasks: JoinSet<()>,
    /// The operator's handle for a reload.
    reload: Reload,
    /// The requests for a reload, until there is something to answer them.
    reload_requests: Option<ReloadRequests>,
}

impl Server {
    /// A server that stores lines as its configuration says.
    ///
    /// # Errors
    /// It cannot serve or store lines. The error says why, and what to do.
    pub fn new(config: Config) -> anyhow::Result<Server> {
        ensure!(config.nats.is_none(), "a server with --nats has to join the others first");
        let descriptors = Server::check(&config)?;
        let inbox = Arc::default();
        let storage = ServerStorage::open(&config, &inbox, None)?;
        Ok(Server::build(config, inbox, storage, descriptors))
    }

    /// A server as its configuration says: if that names other nodes, one of them.
    ///
    /// # Errors
    /// It cannot serve, store lines, or join the other nodes. The error says why, and what to do.
    pub async fn join(config: Config) -> anyhow::Result<Server> {
        if config.nats.is_some() {
            ServerStorage::check_directory(&config)?; // before a stream is made
        }
        let Some(joined) =
            JoinedOrder::new(&config, || ServerStorage::log_of_past(&config)).await?
        else {
            return Server::new(config);
        };
        let descriptors = Server::check(&config)?;
        let inbox = Arc::default();
        let mut storage = ServerStorage::open(&config, &inbox, Some(&joined.founded))?;
        let past = storage.past_files().await?;
        let beginning = joined.begin(storage.node_files.as_ref(), past).await?;
        match &beginning {
            Beginning { misses_some: true, position, ledger, .. } => {
                storage.fill(*position, joined.with_messages(ledger).await)?;
            }
            Beginning { has_taken_over: true, .. } => {} // the files were opened before that
            Beginning { ledger, .. } => storage.check(ledger)?,
        }
        let (parts, node) = joined.follow(beginning, &inbox);
        let BroadcasterParts { start, sequencer, neighbours } = parts;
        let limits = config.settings(descriptors).broadcaster;
        let broadcaster =
            Broadcaster::one_of_several(Arc::clone(&inbox), limits, start, Box::new(sequencer))
                .with_neighbours(Box::new(neighbours));
        let server = Server::build(config, inbox, storage, descriptors);
        Ok(Server { broadcaster, node: Some(node), ..server })
    }

    /// Checks what the system allows. Returns how many files this process may open.
    fn check(config: &Config) -> anyhow::Result<usize> {
        acme_challenge(config)?;
        let descriptors = raise_limit();
        check_descriptors(config, descriptors)?;
        check_file_size(config);
        Ok(descriptors)
    }

    /// A server that stores lines in this journal, and starts without lines.
    pub fn with_journal(config: Config, journal: Box<dyn Journal>) -> Server {
        Server::build(config, Arc::default(), ServerStorage::without_disk(journal), raise_limit())
    }

    fn build(
        config: Config,
        inbox: Arc<Inbox>,
        mut storage: ServerStorage,
        descriptors: usize,
    ) -> Server {
        // The log level is set before there is a server.
        let Settings {
            log: _,
            certificate,
            acme_contact,
            rate,
            replay,
            retain,
            connections,
            broadcaster: limits,
        } = config.settings(descriptors);
        let directory = storage.disk.as_ref().map(|disk| disk.directory.clone());
        let broadcaster = storage.broadcaster(Arc::clone(&inbox), limits);
        let metrics = Metrics::new(schemes_for_people(), config.nats.is_some());
        let (reload, requests) = Reload::new();
        let challenges = Challenges::new(acme_challenge(&config).ok().flatten());
        let certificates = Certificates::new(directory, certificate).with_authority(
            config.acme_options(),
            challenges,
            acme_contact,
        );
        Server {
            config,
            reception: Arc::new(Reception::new(inbox, connections, metrics)),
            live: Arc::new(Live::new(rate, replay, retain)),
            storage,
            broadcaster,
            node: None,
            clock: Clock::start(),
            passed: PassedSockets::default(),
            doors: Doors::default(),
            certificates: Arc::new(certificates),
            acme: None,
            side_tasks: JoinSet::new(),
            reload,
            reload_requests: Some(requests),
        }
    }

    /// Reads the configuration again from `source` whenever a signal or the operator asks for it.
    /// Call this in a runtime.
    pub(crate) fn reload_from(&mut self, source: Source, signals: SignalRequests) {
        let Some(requests) = self.reload_requests.take() else {
            return; // it has a source already
        };
        let reloader = Reloader {
            source,
            config: self.config.clone(),
            reception: Arc::clone(&self.reception),
            live: Arc::clone(&self.live),
            certificates: Arc::clone(&self.certificates),
            link: self.reception.inbox.connect(),
        };
        self.side_tasks.spawn(reloader.run(signals, requests));
    }

    /// Takes over these sockets in place of binding listeners at their addresses.
    pub(crate) fn take_over(&mut self, passed: PassedSockets) {
        self.passed = passed;
    }

    /// Binds all listeners, which do not accept yet. Returns their real addresses.
    ///
    /// # Errors
    /// One of them cannot be bound, or no listener has the address of a socket that is to be taken
    /// over. The error says which, why, and what to do.
    pub async fn bind(&mut self) -> anyhow::Result<Vec<SocketAddr>> {
        let for_doors = (&self.clock, &self.certificates.challenges);
        let setup = door_setup(&self.config, &self.storage, &self.reception, &self.live, for_doors);
        let passed = mem::take(&mut self.passed);
        self.doors = Doors::bind(&self.config, &setup, &self.certificates, passed).await?;
        self.acme = self.certificates.acme_task()?;
        self.side_tasks.spawn(Arc::clone(&self.certificates).look_after());
        // Doors are bound once.
        if let Some(port) = self.doors.line_port() {
            self.reception.line_port.set(port).ok();
        }
        self.reception.irc_tls_ports.set(self.doors.irc_tls_ports()).ok();
        if let Some(port) = self.doors.https_port() {
            self.reception.https_port.set(port).ok();
        }
        if let Some(port) = self.doors.irc_port() {
            self.reception.irc_port.set(port).ok();
        }
        if let Some(disk) = &self.storage.disk {
            let operator = Operator {
                inbox: Arc::clone(&self.reception.inbox),
                reload: self.reload.clone(),
                database: disk.stored.database.clone(),
                accounts: Arc::clone(&disk.accounts),
            };
            self.doors.open_admin(&disk.directory, operator);
        }
        Ok(self.doors.addresses())
    }

    /// Starts everything, and opens the doors. One of several nodes first waits until it is in touch
    /// with the others; the web and the operator can ask it meanwhile.
    ///
    /// # Errors
    /// It cannot get in touch with the other nodes, for this reason.
    pub(crate) async fn open(mut self) -> anyhow::Result<RunningServer> {
        let (certificates, acme) = (Arc::clone(&self.certificates), self.acme.take());
        let (mut running, mut doors, config) = self.start();
        if let Some(node) = &mut running.node {
            let early = doors.take_early();
            early.announce();
            early.accept(&running.reception);
            node.in_touch().await?;
        }
        doors.announce();
        certificates.announce();
        if is_for_this_machine(&config.listeners) {
            tracing::info!(
                "only this machine can join; --lan, or * in place of localhost in --listen, lets others in"
            );
        }
        if config.memory {
            tracing::info!("lines are stored in memory only: they are gone when the server stops");
        }
        doors.accept(&running.reception);
        if let Some(acme) = acme {
            running.side_tasks.spawn(acme.run());
        }
        Ok(running)
    }

    /// Opens the doors and serves until `shutdown`; then tells everybody and shuts down in order.
    ///
    /// # Errors
    /// A task that must not end has ended, or a connection has panicked. Both are bugs.
    pub async fn listen(self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        self.open().await?.run(shutdown).await
    }

    /// Starts all tasks. The doors do not accept yet.
    fn start(mut self) -> (RunningServer, Doors, Config) {
        let times = (self.clock.clone(), self.live.retain_changes());
        let metrics = &self.reception.metrics;
        let node = self.node.map(|parts| start_node(parts, &self.storage, times, metrics));
        let (nodes, node) = node.unzip();
        if let Some(disk) = self.storage.disk {
            let inbox = Arc::clone(&self.reception.inbox);
            let trust = Trust::new(self.clock.clone(), disk.stored.last_run);
            let closing = self.reception.closing.clone();
            let erasing = disk.eraser.run(inbox, trust, self.live.retain_changes(), closing);
            self.reception.tasks.spawn(erasing);
            let keeping = async move { disk.accounts.codes.store_readings_at_intervals().await };
            self.side_tasks.spawn(keeping);
        }
        let closing = Closing { soon: self.reception.closing.clone(), ..Closing::default() };
        let mut writing = JoinSet::new();
        self.reception.writers.start(&mut writing);
        let task = BroadcasterTask {
            broadcaster: self.broadcaster,
            journal: self.storage.journal,
            clock: self.clock,
            closing: closing.clone(),
            metrics: Arc::clone(&self.reception.metrics),
            nodes,
        };
        let broadcasting = tokio::spawn(task.run());
        let running = RunningServer {
            reception: self.reception,
            stop_wait: self.config.stop_wait.time(),
            closing,
            node,
            broadcasting,
            writing,
            side_tasks: self.side_tasks,
        };
        (running, self.doors, self.config)
    }
}

/// Starts the tasks of a node, with the clock and the changes of `--retain`.
fn start_node(
    parts: NodeParts,
    storage: &ServerStorage,
    times: (Clock, watch::Receiver<Option<Duration>>),
    metrics: &Arc<Metrics>,
) -> (AmongNodes, RunningNode) {
    let NodeParts { start, snapshot, sequencing, post, connection, founded, schedule } = parts;
    let (watched, standing) = watch::channel(Standing::Starting);
    let mut tasks = JoinSet::new();
    let shelf = SnapshotShelf::new(&connection, &founded.log);
    let (writing, snapshots) = SnapshotTask::new(shelf.clone(), schedule, times, metrics);
    tasks.spawn(writing.run());
    let file = storage.view.clone().zip(storage.disk.as_ref());
    let rewinds = file.map(|(view, disk)| {
        let database = disk.stored.database.clone();
        let metrics = Arc::clone(metrics);
        let note_stopped = Box::new(move |is_stopped| metrics.node.file_stopped(is_stopped));
        let (sender, rewinds) = mpsc::channel(1);
        let (start, standing) = (start.clone(), standing.clone());
        let founded = founded.clone();
        let catching_up =
            CatchUpTask { connection, founded, view, database, start, standing, note_stopped };
        tasks.spawn(catching_up.run(rewinds));
        sender
    });
    let origin = (snapshot, start.check_every);
    let shelf = (shelf, founded.has_past);
    let (rebuilding, renewals) = RebuildTask::new(shelf, standing.clone(), origin, rewinds);
    tasks.spawn(rebuilding.run());
    tasks.spawn(sequencing.run(Arc::clone(metrics)));
    tasks.spawn(post.run());
    let nodes = AmongNodes { standing: watched, snapshots, renewals };
    (nodes, RunningNode::new(tasks, standing))
}
