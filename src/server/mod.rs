//! The server: builds everything, binds its doors, opens them together, and shuts down in order.

mod announce;
mod listeners;
mod process;
mod reload;
mod signals;

pub use listeners::BindError;
pub use process::{check_threads, survive_file_size};
pub use reload::Source;
pub(crate) use signals::{Hangups, first_signal};

use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use anyhow::ensure;
use jiff::tz::TimeZone;
use parlor_core::broadcaster::Broadcaster;
use parlor_core::journal::{Journal, Past};
use parlor_core::link::Inbox;
use parlor_wire::style::LocalClock;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use self::announce::{announce, is_for_this_machine};
use self::listeners::bind_all;
use self::reload::Reloader;
use crate::accounts::Accounts;
use crate::audit::{self, Recorder};
use crate::broadcaster_task::{BroadcasterTask, Closing};
use crate::clock::{Clock, Trust};
use crate::config::Config;
use crate::door::{
    Admission, CLASSIC, DoorInUse, DoorSetup, NETCAT, OperatorDoor, OperatorSocket, Reception,
    Reload, WaitingList, raise_limit, schemes_for_people,
};
use crate::journal::{Database, Eraser, Memory, Opened, Stored, passing_epoch};
use crate::session::{Idle, Live, SessionSettings, Writers};
use crate::telemetry::Metrics;
use crate::{clock, door, journal};

/// How long clients may take to receive the final message when the server shuts down.
const DRAIN_TIME: Duration = Duration::from_secs(12);

/// How long the last batch may take after that: 15 s in all, with a little to spare.
const LAST_COMMIT_TIME: Duration = Duration::from_secs(2);

/// How many connections for metrics are kept open between requests: two servers of Prometheus have
/// one each.
const SCRAPERS_MAX: usize = 32;

/// The most bytes of one read: a share of the memory that one connection may hold.
const READ_BYTES: usize = 16 * 1024;

/// A chat server.
pub struct Server {
    config: Config,
    journal: Box<dyn Journal>,
    /// The stored lines, if the journal stores any.
    stored: Option<Stored>,
    /// The state from before the start, if it is stored.
    past: Option<Past>,
    /// Deletes stored lines, if lines are stored.
    eraser: Option<Eraser>,
    /// The registered names, if they are stored.
    accounts: Option<Arc<Accounts>>,
    /// The name of the log to which the numbers of lines belong.
    log: Arc<str>,
    reception: Arc<Reception>,
    clock: Clock,
    /// Each door with its listeners, side by side.
    doors: Vec<(DoorInUse, Vec<TcpListener>)>,
    /// The settings that can change while the server runs, for all doors except classic ones.
    live: Arc<Live>,
    /// The tasks beside the conversation; they end first.
    stewards: JoinSet<()>,
    /// The handle for a reload, if the configuration has a source.
    reload: Option<Reload>,
    /// The operator's socket, if lines are stored.
    socket: Option<OperatorSocket>,
}

impl Server {
    /// A server that stores lines as its configuration says.
    ///
    /// # Errors
    /// It cannot serve or store lines: why, and what to do.
    pub fn new(config: Config) -> anyhow::Result<Server> {
        let descriptors = raise_limit();
        process::check_descriptors(&config, descriptors)?;
        process::check_file_size(&config);
        let Some(directory) = config.directory()? else {
            return Ok(Server::build(config, Box::new(Memory), descriptors));
        };
        let Opened { journal, epoch, ends, stored, eraser } =
            journal::open(&directory, config.keep)?;
        tracing::info!("lines are stored in {}", directory.display());
        let server = Server::build(config, journal, descriptors);
        let inbox = Arc::clone(&server.reception.inbox);
        let (accounts, owned) = Accounts::open(&stored.database, stored.clock, inbox)?;
        // A clock that is ahead must not end acts that were in force when the last run ended.
        let now = stored.clock.map_or(clock::wall(), |at| at.min(clock::wall()));
        let past = stored.database.at_start(move |connection| audit::past(connection, now))?;
        Ok(Server {
            log: epoch.into(),
            accounts: Some(Arc::new(accounts)),
            past: Some(Past { ends, owned, ..past }),
            stored: Some(stored),
            eraser: Some(eraser),
            ..server
        })
    }

    /// A server that stores lines in this journal, and starts without lines.
    pub fn with_journal(config: Config, journal: Box<dyn Journal>) -> Server {
        Server::build(config, journal, raise_limit())
    }

    fn build(config: Config, journal: Box<dyn Journal>, descriptors: usize) -> Server {
        let connections = config.connections(descriptors);
        let reception = Reception {
            inbox: Arc::new(Inbox::default()),
            admission: Admission::new(
                connections,
                config.connections_per_address,
                config.limit_loopback,
            ),
            questions: WaitingList::new(connections),
            requests: WaitingList::new(connections),
            leaving: WaitingList::new(connections),
            scrapes: WaitingList::with_places(SCRAPERS_MAX),
            line_port: OnceLock::new(),
            writers: Writers::new(thread::available_parallelism().map_or(1, NonZero::get)),
            tasks: TaskTracker::new(),
            closing: tokio_util::sync::CancellationToken::new(),
            metrics: Arc::new(Metrics::new(schemes_for_people())),
            panics: AtomicU64::new(0),
        };
        Server {
            live: Arc::new(Live::new(
                config.speaking_rate(),
                config.replay as u64,
                config.retain.time(),
            )),
            config,
            journal,
            stored: None,
            past: None,
            eraser: None,
            accounts: None,
            log: passing_epoch().into(),
            reception: Arc::new(reception),
            clock: Clock::start(),
            doors: Vec::new(),
            stewards: JoinSet::new(),
            reload: None,
            socket: None,
        }
    }

    /// Reads the configuration again from `source` at each hangup and on request. Call this in a
    /// runtime.
    pub(crate) fn reload_from(&mut self, source: Source, hangups: Hangups) {
        let (reload, requests) = Reload::new();
        self.reload = Some(reload);
        let reloader = Reloader {
            source,
            config: self.config.clone(),
            reception: Arc::clone(&self.reception),
            live: Arc::clone(&self.live),
            link: self.reception.inbox.connect(),
        };
        self.stewards.spawn(reloader.run(hangups, requests));
    }

    /// Binds all listeners, which do not accept yet. Returns their real addresses.
    ///
    /// # Errors
    /// One of them cannot be bound: which, why, and what to do.
    pub async fn bind(&mut self) -> anyhow::Result<Vec<SocketAddr>> {
        let mut addresses = Vec::new();
        for url in &self.config.listeners {
            let door = door::open(url, self.door_setup())?;
            let listeners = match bind_all(url).await {
                Err(error) if self.config.listens_as_usual && door.kind.may_be_missing => {
                    tracing::warn!("{error}; until then nobody can join with a browser");
                    continue;
                }
                bound => bound?,
            };
            addresses.extend(addresses_of(&listeners));
            self.doors.push((door, listeners));
        }
        if let Some(port) = self.line_port() {
            self.reception.line_port.set(port).ok(); // doors are bound once
        }
        if self.stored.is_some()
            && let Some(directory) = self.config.directory().ok().flatten()
        {
            self.socket = OperatorSocket::open(&directory)
                .inspect_err(|error| tracing::warn!("{error}"))
                .ok();
        }
        Ok(addresses)
    }

    /// Opens the doors and serves until `shutdown`; then tells everybody and shuts down in order.
    ///
    /// # Errors
    /// A task that must not end has ended, or a connection has panicked: a bug.
    pub async fn listen(self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        let mut running = self.start();
        tokio::select! {
            () = shutdown => {}
            ended = &mut running.broadcasting => anyhow::bail!("the broadcaster stopped: {ended:?}"),
            ended = running.writing.join_next() => anyhow::bail!("a group of writers stopped: {ended:?}"),
        }
        let panics = running.close().await;
        ensure!(panics == 0, "{panics} connections ended with a panic; each one is a bug");
        Ok(())
    }

    /// Starts all tasks; the doors accept from now on.
    fn start(mut self) -> RunningServer {
        self.start_eraser();
        let reception = Arc::clone(&self.reception);
        let closing = Closing { soon: reception.closing.clone(), ..Closing::default() };
        let inbox = Arc::clone(&reception.inbox);
        let broadcaster = match self.past.take() {
            Some(past) => Broadcaster::resume(inbox, self.config.limits(), past),
            None => Broadcaster::new(inbox, self.config.limits()),
        };
        let database = self.stored.as_ref().map(|stored| stored.database.clone());
        self.start_stewards(database.clone());
        let mut writing = JoinSet::new();
        reception.writers.start(&mut writing);
        let task = BroadcasterTask {
            broadcaster,
            journal: self.journal,
            clock: self.clock,
            closing: closing.clone(),
            recorder: Recorder::new(database),
            metrics: Arc::clone(&reception.metrics),
        };
        let broadcasting = tokio::spawn(task.run());
        for (door, listeners) in self.doors {
            for listener in listeners {
                let accepting =
                    door::accept_connections(Arc::clone(&reception), door.clone(), listener);
                reception.tasks.spawn(accepting);
            }
        }
        RunningServer {
            reception,
            closing,
            broadcasting,
            writing,
            stewards: self.stewards,
            _reload: self.reload,
        }
    }

    /// Starts the task that deletes lines, if lines are stored.
    fn start_eraser(&mut self) {
        if let (Some(eraser), Some(stored)) = (self.eraser.take(), &self.stored) {
            let link = self.reception.inbox.connect();
            let trust = Trust::new(self.clock.clone(), stored.clock);
            let (retain, closing) = (self.live.retain_changes(), &self.reception.closing);
            let erasing = eraser.run(link, trust, retain, closing.clone());
            self.reception.tasks.spawn(erasing);
        }
    }

    /// Starts the tasks beside the conversation: for accounts, and for the operator.
    fn start_stewards(&mut self, database: Option<Database>) {
        if let Some(accounts) = self.accounts.clone() {
            let keeping = async move { accounts.codes.keep_readings().await };
            self.stewards.spawn(keeping);
        }
        if let Some(socket) = self.socket.take() {
            let door = OperatorDoor {
                inbox: Arc::clone(&self.reception.inbox),
                reload: self.reload.clone(),
                database,
                accounts: self.accounts.clone(),
            };
            self.stewards.spawn(door.serve(socket));
        }
    }

    /// Logs where the doors are, and how people join.
    pub fn announce(&self) {
        for (door, listeners) in &self.doors {
            announce(door, &addresses_of(listeners));
        }
        if is_for_this_machine(&self.config.listeners) {
            tracing::info!("only this machine can join; --lan lets others in");
        }
        if self.stored.is_none() {
            tracing::info!("lines are stored in memory only: they are gone when the server stops");
        }
    }

    /// The port of the line door; that of a classic door only if there is no other.
    fn line_port(&self) -> Option<u16> {
        let port_of = |wanted| {
            let mut doors = self.doors.iter();
            let (_, listeners) = doors.find(|(door, _)| door.way_in == wanted)?;
            addresses_of(listeners).first().map(SocketAddr::port)
        };
        port_of(NETCAT).or_else(|| port_of(CLASSIC))
    }

    /// The parts that each door gets.
    fn door_setup(&self) -> DoorSetup {
        let stored = self.stored.as_ref();
        DoorSetup {
            settings: SessionSettings {
                idle: Idle::Nobody,
                ask_every: None,
                live: Arc::clone(&self.live),
                read_bytes_max: READ_BYTES,
                history: stored.map(|stored| Arc::clone(&stored.history)),
                search: stored.map(|stored| Arc::clone(&stored.search)),
                forgetting: stored.map(|stored| stored.forgetting.clone()),
                log: Arc::clone(&self.log),
                accounts: self.accounts.clone(),
                metrics: Arc::clone(&self.reception.metrics),
                zone: TimeZone::system(),
                clock: self.clock.clone(),
            },
            allow_plain_passwords: self.config.allow_plain_passwords,
            nameless_idle: self.config.nameless_idle,
            clock: LocalClock { zone: TimeZone::system(), now: clock::wall },
        }
    }
}

/// The real addresses of listeners.
fn addresses_of(listeners: &[TcpListener]) -> Vec<SocketAddr> {
    let addresses = listeners.iter().map(TcpListener::local_addr);
    addresses.filter_map(Result::ok).collect()
}

/// A server whose doors are open.
struct RunningServer {
    reception: Arc<Reception>,
    closing: Closing,
    broadcasting: JoinHandle<()>,
    /// The groups of writers.
    writing: JoinSet<()>,
    stewards: JoinSet<()>,
    /// Without a handle, the reloader would end, and SIGHUP would do nothing.
    _reload: Option<Reload>,
}

impl RunningServer {
    /// Tells everybody, waits until the clients are gone, and then until the last batch is stored.
    /// Returns how many connections ended with a panic.
    async fn close(mut self) -> u64 {
        self.stewards.shutdown().await;
        sd_notify::notify(&[sd_notify::NotifyState::Stopping]).ok();
        self.closing.soon.cancel();
        let tasks = &self.reception.tasks;
        tasks.close();
        if timeout(DRAIN_TIME, tasks.wait()).await.is_err() {
            tracing::warn!("some clients did not receive the final message in time");
        }
        self.closing.now.cancel();
        match timeout(LAST_COMMIT_TIME, self.broadcasting).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the broadcaster has failed"),
            Err(_) => tracing::error!("the journal did not finish in time"),
        }
        self.reception.panics.load(Ordering::Relaxed)
    }
}
