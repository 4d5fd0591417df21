//! A listener's settings for its sessions, and the facts that a session knows about the other end.
//! Knows no door.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use jiff::tz::TimeZone;
use parlor_core::model::{Line, Name, NameError, Profile, Rate};
use parlor_wire::style::Storage;
use tokio::sync::watch;

use super::used_buckets::UsedBuckets;
use crate::accounts::{Accounts, RoomTries};
use crate::clock::Clock;
use crate::journal::{Forgetting, History, Search};
use crate::telemetry::Metrics;

/// A listener's settings for its sessions.
#[derive(Clone)]
pub(crate) struct SessionSettings {
    /// The limit of silence.
    pub(crate) idle: Idle,
    /// Whether people are asked for the password of a registered name. Otherwise they log in before
    /// they take it.
    pub(crate) asks_passwords: bool,
    /// Whether answers stand behind the lines of all rooms that were visible when they were given.
    /// Otherwise they stand in their places in the room where the person speaks.
    pub(crate) answers_everywhere: bool,
    /// How often a door that can ping pings a silent client. Other doors warn people once.
    pub(crate) ask_every: Option<Duration>,
    /// The settings that can change while the server runs.
    pub(crate) live: Arc<Live>,
    /// The largest number of bytes to read and hold at once.
    pub(crate) read_bytes_max: usize,
    /// The stored lines, if there is a directory.
    pub(crate) history: Option<Arc<dyn History>>,
    /// The search in the stored lines.
    pub(crate) search: Option<Arc<dyn Search>>,
    /// The deletion of lines, if there is a directory.
    pub(crate) forgetting: Option<Forgetting>,
    /// The name of the log to which the numbers of lines belong.
    pub(crate) epoch: Arc<str>,
    /// The registered names, if there is a directory.
    pub(crate) accounts: Option<Arc<Accounts>>,
    /// The wrong passwords of rooms, at all doors.
    pub(crate) room_tries: Arc<RoomTries>,
    /// The buckets that ended connections have left, at all doors.
    pub(crate) used_buckets: Arc<UsedBuckets>,
    /// The operator's metrics.
    pub(crate) metrics: Arc<Metrics>,
    /// The zone of the times that people type.
    pub(crate) zone: TimeZone,
    /// The server's clock.
    pub(crate) clock: Clock,
    /// The profile of people whose client gives none; it names the door.
    pub(crate) profile: Arc<Profile>,
}

/// The profile of people whose client tells nothing but the door through which it comes.
pub(crate) fn profile_at(door: &str) -> Arc<Profile> {
    let nothing = || Line::sanitise(b"");
    Arc::new(Profile::new([nothing(), nothing(), Line::sanitise(door.as_bytes())], false))
}

impl SessionSettings {
    /// Where lines are stored, and for how long.
    pub(crate) fn storage(&self) -> Storage {
        match self.history {
            Some(_) => Storage::Disk { retain: self.live.retain() },
            None => Storage::Memory,
        }
    }

    /// Parses a name that somebody wants to take. A reserved name is for its owner alone, who has
    /// registered it before it was reserved, and proves that as any owner does.
    ///
    /// # Errors
    /// It is no [name](Name::parse), or it is reserved and has no owner.
    pub(crate) async fn name(&self, typed: &str) -> Result<Name, NameError> {
        let (error, accounts) = match (self.live.name(typed), self.accounts.as_ref()) {
            (Err(error @ NameError::Reserved(_)), Some(accounts)) => (error, accounts),
            (name, _) => return name,
        };
        let name = Name::parse_owned(typed)?;
        match accounts.names.has_owner(name.clone()).await {
            true => Ok(name),
            false => Err(error),
        }
    }
}

/// The limit of silence, and the people it applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Idle {
    /// No limit.
    Nobody,
    /// People who have not chosen a name.
    Nameless(Duration),
    /// Everybody.
    Everybody(Duration),
}

impl Idle {
    /// The limit of silence for a person with or without a name; `None` without a limit.
    pub(crate) fn limit(self, is_named: bool) -> Option<Duration> {
        match self {
            Self::Everybody(time) => Some(time),
            Self::Nameless(time) if !is_named => Some(time),
            Self::Nobody | Self::Nameless(_) => None,
        }
    }
}

/// The settings that a reload can change, also for people who are already here. Each value is
/// independent, so there is no lock.
#[derive(Debug)]
pub(crate) struct Live {
    /// Lines a second; 0 for no limit.
    per_second: AtomicU32,
    replay: AtomicU64,
    retain: watch::Sender<Option<Duration>>,
    /// The names of this server at its doors for IRC.
    server_names: watch::Sender<Vec<Name>>,
}

impl Live {
    pub(crate) fn new(rate: Option<Rate>, replay: u64, retain: Option<Duration>) -> Live {
        Live {
            per_second: AtomicU32::new(per_second(rate)),
            replay: AtomicU64::new(replay),
            retain: watch::Sender::new(retain),
            server_names: watch::Sender::default(),
        }
    }

    /// Changes all settings.
    pub(crate) fn set(&self, rate: Option<Rate>, replay: u64, retain: Option<Duration>) {
        self.per_second.store(per_second(rate), Ordering::Relaxed);
        self.replay.store(replay, Ordering::Relaxed);
        self.retain.send_replace(retain);
    }

    /// Reserves the name of this server at a door, which no person may have at any door: IRC clients
    /// would take the person for the server.
    pub(crate) fn reserve(&self, server: &str) {
        let name = Name::stored(server);
        self.server_names.send_modify(|names| names.push(name));
    }

    /// Parses a name that somebody wants to take and does not own.
    ///
    /// # Errors
    /// It is no [name](Name::parse), or is like this server's.
    fn name(&self, typed: &str) -> Result<Name, NameError> {
        let name = Name::parse(typed)?;
        match self.server_names.borrow().iter().any(|server| name.imitates(server)) {
            true => Err(NameError::Reserved("The server's name")),
            false => Ok(name),
        }
    }

    /// The rate of a person's lines.
    pub(crate) fn rate(&self) -> Option<Rate> {
        match self.per_second.load(Ordering::Relaxed) {
            0 => None,
            per_second => Some(Rate { per_second }),
        }
    }

    /// The number of earlier lines that a person reads on entering a room.
    pub(crate) fn replay(&self) -> u64 {
        self.replay.load(Ordering::Relaxed)
    }

    /// How long lines are stored; `None` for ever.
    pub(crate) fn retain(&self) -> Option<Duration> {
        *self.retain.borrow()
    }

    /// The storage limit as a channel that reports each change.
    pub(crate) fn retain_changes(&self) -> watch::Receiver<Option<Duration>> {
        self.retain.subscribe()
    }
}

fn per_second(rate: Option<Rate>) -> u32 {
    rate.map_or(0, |rate| rate.per_second)
}

/// The other end of a connection, and the way to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    /// Its address; none at the other end of a Unix socket.
    pub(crate) address: Option<SocketAddr>,
    /// Whether no machine on the way can read a password.
    pub(crate) is_private: bool,
    pub(crate) encryption: Encryption,
}

/// The encryption between a client and this server, by the server itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    None,
    /// TLS with a certificate that the server has made.
    OwnCertificate,
    /// TLS with a certificate of the operator, which clients can trust for good.
    TrustedCertificate,
}

impl Peer {
    /// The address that limits count. The programs at Unix sockets run on this machine.
    pub(crate) fn ip(&self) -> IpAddr {
        self.address.map_or(Ipv4Addr::LOCALHOST.into(), |address| address.ip())
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) => address.fmt(f),
            None => f.write_str("unix"),
        }
    }
}
