//! The server: binds its doors, opens them together, and closes in peace.

mod announce;
pub mod limits;
pub mod listeners;
pub mod reload;
pub(crate) mod signals;

pub use limits::{check_threads, survive_file_size};
pub(crate) use reload::Reload;
pub use reload::Source;

use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use jiff::tz::TimeZone;
use parlor_core::broadcaster::Broadcaster;
use parlor_core::journal::{Journal, Past};
use parlor_core::link::Inbox;
use parlor_wire::style::{LineMode, LocalClock};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use self::announce::ways_to_join;
use self::limits::{connections, limits, pace};
use self::listeners::{BindError, bind_all};
use self::reload::Reloader;
use self::signals::Hangups;
use crate::accounts::Accounts;
use crate::audit::{self, Recorder};
use crate::broadcaster::Closing;
use crate::cli::variables;
use crate::clock::{Clock, Trust, zone_is_unknown};
use crate::config::{Config, ListenUrl};
use crate::door::kinds::Mode;
use crate::door::{
    Admission, Desk, Idle, LineDoor, MetricsDoor, Names, OpenDoor, Reception, Scheme, Socket,
    WaitingList, WayIn, WebDoor,
};
use crate::journal::{Eraser, Memory, Opened, Stored, passing_epoch};
use crate::session::{Live, SessionSettings, Writers};
use crate::telemetry::Metrics;
use crate::{broadcaster, clock, door, journal};

/// Everybody has this long to take the last words when the server ends.
const DRAIN_TIME: Duration = Duration::from_secs(12);

/// The last batch has this long to be kept after that: 15 s in all, with a little to spare.
const LAST_COMMIT_TIME: Duration = Duration::from_secs(2);

/// Whoever comes by a door that can ask is asked this often whether they are there, and so often that nothing between the two
/// takes the connection for dead: balancers end what is silent for 20 s and more.
const PING_EVERY: Duration = Duration::from_secs(15);

/// And is closed after this long without an answer.
const PING_TIME: Duration = Duration::from_secs(120);

/// This many connections at the door of the numbers are waited for: two servers of Prometheus have one each.
const SCRAPERS_MAX: usize = 32;

/// What a line is read with: a share of what one connection may hold.
const READ_BYTES_NAMED: usize = 16 * 1024;

/// In classic mode a line may be longer than that.
const READ_BYTES_CLASSIC: usize = 64 * 1024;

/// A chat server.
pub struct Server {
    config: Config,
    journal: Box<dyn Journal>,
    /// What the journal has stored; none if it stores nothing.
    stored: Option<Stored>,
    /// What holds from before the start; none if nothing is stored.
    past: Option<Past>,
    /// Deletes stored lines; none if nothing is stored.
    eraser: Option<Eraser>,
    /// Whose names are whose; none where nothing is kept.
    accounts: Option<Arc<Accounts>>,
    /// Which log it is that the numbers of lines belong to.
    log: Arc<str>,
    reception: Arc<Reception>,
    clock: Clock,
    doors: Vec<(TcpListener, Arc<dyn OpenDoor>)>,
    /// What may change at all doors that are no classic ones.
    live: Arc<Live>,
    /// Whoever looks after the reception while it is open; ends with it.
    stewards: JoinSet<()>,
    /// Whom to ask for a reload; none where the configuration comes from nowhere.
    reload: Option<Reload>,
    /// Through which the operator gives orders; none where nothing is kept.
    socket: Option<Socket>,
}

impl Server {
    /// A server that keeps lines where it is told to.
    ///
    /// # Errors
    /// They cannot be kept there: why, and what to do.
    pub fn new(config: Config) -> anyhow::Result<Server> {
        let Some(directory) = config.directory()? else {
            return Ok(Server::with_journal(config, Box::new(Memory)));
        };
        let Opened {
            journal,
            epoch,
            ends,
            stored,
            eraser,
        } = journal::open(&directory, config.keep)?;
        tracing::info!("lines are stored in {}", directory.display());
        let server = Server::with_journal(config, journal);
        let inbox = Arc::clone(&server.reception.inbox);
        let (accounts, owned) = Accounts::open(&stored.database, stored.clock, inbox)?;
        // What held when the server before this one ended is not over because this clock says so.
        let now = stored
            .clock
            .map_or(clock::wall(), |at| at.min(clock::wall()));
        let past = stored
            .database
            .at_start(move |store| audit::past(store, now))?;
        Ok(Server {
            log: epoch.into(),
            accounts: Some(Arc::new(accounts)),
            past: Some(Past {
                ends,
                owned,
                ..past
            }),
            stored: Some(stored),
            eraser: Some(eraser),
            ..server
        })
    }

    /// A server that keeps lines in this journal, and begins with none.
    pub fn with_journal(config: Config, journal: Box<dyn Journal>) -> Server {
        let connections = connections(&config);
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
            metrics: Arc::new(Metrics::new()),
            panics: AtomicU64::new(0),
        };
        Server {
            live: Arc::new(Live::new(
                pace(&config),
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

    /// From now on the configuration is read again from there when a signal says so. To be called in a runtime.
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

    /// Binds all listeners; none of them accepts yet. Returns their real addresses.
    ///
    /// # Errors
    /// One of them cannot be bound: which, why, and what to do.
    pub async fn bind(&mut self) -> Result<Vec<SocketAddr>, BindError> {
        let mut addresses = Vec::new();
        for url in self.config.listeners.clone() {
            let door = self.door(&url);
            let listeners = match bind_all(&url).await {
                Err(error) if self.config.web_by_default && url.scheme == Scheme::Http => {
                    tracing::warn!("{error}; until then nobody can join with a browser");
                    continue;
                }
                bound => bound?,
            };
            for listener in listeners {
                addresses.extend(listener.local_addr());
                self.doors.push((listener, Arc::clone(&door)));
            }
        }
        if let Some(port) = self.line_port() {
            self.reception.line_port.set(port).ok(); // doors are bound once
        }
        if self.stored.is_some()
            && let Some(directory) = self.config.directory().ok().flatten()
        {
            self.socket = Socket::open(&directory)
                .inspect_err(|error| tracing::warn!("{error}"))
                .ok();
        }
        Ok(addresses)
    }

    /// Opens the doors, and serves until `shutdown`; then tells everybody and closes in peace.
    ///
    /// # Errors
    /// The broadcaster has ended: a bug.
    pub async fn listen(self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        let Server {
            config,
            journal,
            stored,
            past,
            eraser,
            reception,
            clock,
            doors,
            accounts,
            live,
            mut stewards,
            reload,
            socket,
            log: _,
        } = self;
        if let (Some(eraser), Some(stored)) = (eraser, &stored) {
            let link = reception.inbox.connect();
            let trust = Trust::new(clock.clone(), stored.clock);
            let closing = reception.closing.clone();
            let erasing = eraser.run(link, trust, live.retain_changes(), closing);
            reception.tasks.spawn(erasing);
        }
        let inbox = Arc::clone(&reception.inbox);
        let broadcaster = match past {
            Some(past) => Broadcaster::resume(inbox, limits(&config), past),
            None => Broadcaster::new(inbox, limits(&config)),
        };
        let database = stored.map(|stored| stored.database);
        let closing = Closing {
            soon: reception.closing.clone(),
            ..Closing::default()
        };
        let mut broadcasting = tokio::spawn(broadcaster::run(
            broadcaster,
            journal,
            clock,
            closing.clone(),
            Recorder::new(database.clone()),
            Arc::clone(&reception.metrics),
        ));
        let mut writing = JoinSet::new();
        reception.writers.start(&mut writing);
        for (listener, door) in doors {
            reception
                .tasks
                .spawn(door::serve(Arc::clone(&reception), door, listener));
        }
        let names = accounts.clone();
        if let Some(accounts) = accounts {
            stewards.spawn(async move { accounts.codes.keep_readings().await });
        }
        if let Some(socket) = socket {
            let inbox = Arc::clone(&reception.inbox);
            let desk = Desk {
                inbox,
                reload,
                database,
                accounts: names,
            };
            stewards.spawn(desk.attend(socket));
        }
        tokio::select! {
            () = shutdown => {}
            ended = &mut broadcasting => anyhow::bail!("the broadcaster stopped: {ended:?}"),
            ended = writing.join_next() => anyhow::bail!("a group of writers stopped: {ended:?}"),
        }
        stewards.shutdown().await;
        close(&reception, &closing, broadcasting).await;
        match reception.panics.load(Ordering::Relaxed) {
            0 => Ok(()),
            panics => anyhow::bail!("{panics} connections ended with a panic; each one is a bug"),
        }
    }

    /// Logs the listeners, says how to join at each door, and warns of variables that were mistyped.
    pub fn announce(&self) {
        let variables = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
        for sentence in variables::strangers(variables)
            .into_iter()
            .chain(zone_is_unknown())
        {
            tracing::warn!("{sentence}");
        }
        // One door may have several listeners, side by side.
        for listeners in self.doors.chunk_by(|(_, a), (_, b)| Arc::ptr_eq(a, b)) {
            let addresses: Vec<SocketAddr> = listeners
                .iter()
                .filter_map(|(listener, _)| listener.local_addr().ok())
                .collect();
            let Some((_, door)) = listeners.first() else {
                continue;
            };
            for address in &addresses {
                tracing::info!("listening {} {address}", door.name());
            }
            for way in ways_to_join(&addresses, door.way_in()) {
                tracing::info!("{way}");
            }
        }
        if self.config.only_this_machine() {
            tracing::info!("only this machine can join; --lan lets others in");
        }
        if self.stored.is_none() {
            tracing::info!("lines are stored in memory only: they are gone when the server stops");
        }
    }

    /// Where people join with lines: as in the book only if there is no other way.
    fn line_port(&self) -> Option<u16> {
        let port_of = |wanted: WayIn| {
            let mut doors = self.doors.iter();
            let (listener, _) = doors.find(|(_, door)| door.way_in() == wanted)?;
            listener.local_addr().ok().map(|address| address.port())
        };
        port_of(WayIn::Netcat).or_else(|| port_of(WayIn::Classic))
    }

    fn door(&self, url: &ListenUrl) -> Arc<dyn OpenDoor> {
        match url.scheme {
            Scheme::Tcp => Arc::new(self.line_door(url)),
            Scheme::Metrics => Arc::new(MetricsDoor),
            Scheme::Http => Arc::new(WebDoor::new(
                SessionSettings {
                    idle: Idle::Everybody(PING_TIME),
                    ask_every: Some(PING_EVERY),
                    ..self.settings(READ_BYTES_NAMED)
                },
                self.config.allow_plain_passwords,
                line_clock(),
                url.hosts.clone(),
            )),
        }
    }

    fn line_door(&self, url: &ListenUrl) -> LineDoor {
        let (mode, asks, read_bytes_max) = match url.mode {
            Mode::Classic => (LineMode::Classic, false, READ_BYTES_CLASSIC),
            Mode::Named(names) => (LineMode::Named, names == Names::Ask, READ_BYTES_NAMED),
        };
        let mut settings = SessionSettings {
            idle: url.idle,
            ..self.settings(read_bytes_max)
        };
        if mode == LineMode::Classic {
            settings.live = Arc::new(Live::new(None, 0, None));
        }
        LineDoor {
            mode,
            asks,
            allow_plain_passwords: self.config.allow_plain_passwords,
            settings,
            clock: line_clock(),
        }
    }

    /// What all doors want of their sessions.
    fn settings(&self, read_bytes_max: usize) -> SessionSettings {
        SessionSettings {
            idle: Idle::Nobody,
            ask_every: None,
            live: Arc::clone(&self.live),
            read_bytes_max,
            history: self
                .stored
                .as_ref()
                .map(|stored| Arc::clone(&stored.history)),
            search: self
                .stored
                .as_ref()
                .map(|stored| Arc::clone(&stored.search)),
            forgetting: self.stored.as_ref().map(|stored| stored.forgetting.clone()),
            log: Arc::clone(&self.log),
            accounts: self.accounts.clone(),
            metrics: Arc::clone(&self.reception.metrics),
            zone: TimeZone::system(),
            clock: self.clock.clone(),
        }
    }
}

/// For times in sentences.
fn line_clock() -> LocalClock {
    LocalClock {
        zone: TimeZone::system(),
        now: clock::wall,
    }
}

/// Everybody is told and leaves; then the last batch is kept.
async fn close(reception: &Reception, closing: &Closing, broadcasting: JoinHandle<()>) {
    sd_notify::notify(&[sd_notify::NotifyState::Stopping]).ok();
    closing.soon.cancel();
    reception.tasks.close();
    if timeout(DRAIN_TIME, reception.tasks.wait()).await.is_err() {
        tracing::warn!("some clients did not receive the final message in time");
    }
    closing.now.cancel();
    match timeout(LAST_COMMIT_TIME, broadcasting).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "the broadcaster has failed"),
        Err(_) => tracing::error!("the journal did not finish in time"),
    }
}
