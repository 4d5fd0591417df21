//! What a listener wants of its sessions, and what a session knows of the other end. Knows no door.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use jiff::tz::TimeZone;
use parlor_core::model::Rate;
use parlor_wire::style::Storage;
use tokio::sync::watch;

use crate::accounts::Accounts;
use crate::clock::Clock;
use crate::journal::{Forgetting, History, Search};
use crate::telemetry::Metrics;

/// What a listener wants of its sessions.
#[derive(Clone)]
pub(crate) struct SessionSettings {
    /// How long people may be silent.
    pub(crate) idle: Idle,
    /// How often a silent client is asked whether it is there, by a door that can ask; else people
    /// are warned once.
    pub(crate) ask_every: Option<Duration>,
    /// What can change while the server runs.
    pub(crate) live: Arc<Live>,
    /// How many bytes are read, and held, at once.
    pub(crate) read_bytes_max: usize,
    /// The stored lines; none without a directory.
    pub(crate) history: Option<Arc<dyn History>>,
    /// The search in them.
    pub(crate) search: Option<Arc<dyn Search>>,
    /// The deletion of lines; none without a directory.
    pub(crate) forgetting: Option<Forgetting>,
    /// The name of the log to which the numbers of lines belong.
    pub(crate) log: Arc<str>,
    /// The registered names; none without a directory.
    pub(crate) accounts: Option<Arc<Accounts>>,
    /// The operator's metrics.
    pub(crate) metrics: Arc<Metrics>,
    /// The zone in which people type times.
    pub(crate) zone: TimeZone,
    /// The server's clock.
    pub(crate) clock: Clock,
}

impl SessionSettings {
    /// Where lines are stored, and for how long at the moment.
    pub(crate) fn keeping(&self) -> Storage {
        match self.history {
            Some(_) => Storage::Disk {
                retain: self.live.retain(),
            },
            None => Storage::Memory,
        }
    }
}

/// Who has to leave after saying nothing for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Idle {
    /// Nobody has to.
    Nobody,
    /// People who have given no name.
    Nameless(Duration),
    /// Everybody.
    Everybody(Duration),
}

impl Idle {
    /// How long a person with or without a name may be silent; none if there is no limit.
    pub(crate) fn limit(self, is_named: bool) -> Option<Duration> {
        match self {
            Self::Everybody(time) => Some(time),
            Self::Nameless(time) if !is_named => Some(time),
            Self::Nobody | Self::Nameless(_) => None,
        }
    }
}

/// The settings that a reload can change, for people who are here as well. Each value stands by
/// itself, so there is no lock.
#[derive(Debug)]
pub(crate) struct Live {
    /// Lines a second; 0 for no limit.
    per_second: AtomicU32,
    replay: AtomicU64,
    retain: watch::Sender<Option<Duration>>,
}

impl Live {
    pub(crate) fn new(rate: Option<Rate>, replay: u64, retain: Option<Duration>) -> Live {
        Live {
            per_second: AtomicU32::new(per_second(rate)),
            replay: AtomicU64::new(replay),
            retain: watch::Sender::new(retain),
        }
    }

    /// Changes all of them.
    pub(crate) fn set(&self, rate: Option<Rate>, replay: u64, retain: Option<Duration>) {
        self.per_second.store(per_second(rate), Ordering::Relaxed);
        self.replay.store(replay, Ordering::Relaxed);
        self.retain.send_replace(retain);
    }

    /// How fast a person may speak.
    pub(crate) fn rate(&self) -> Option<Rate> {
        match self.per_second.load(Ordering::Relaxed) {
            0 => None,
            per_second => Some(Rate { per_second }),
        }
    }

    /// How many earlier lines are shown in a room that a person enters.
    pub(crate) fn replay(&self) -> u64 {
        self.replay.load(Ordering::Relaxed)
    }

    /// How long lines are stored; none for ever.
    pub(crate) fn retain(&self) -> Option<Duration> {
        *self.retain.borrow()
    }

    /// The same, for a task that acts on a change.
    pub(crate) fn retain_changes(&self) -> watch::Receiver<Option<Duration>> {
        self.retain.subscribe()
    }
}

fn per_second(rate: Option<Rate>) -> u32 {
    rate.map_or(0, |rate| rate.per_second)
}

/// The other end of a connection, as far as passwords go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    /// Its address.
    pub(crate) address: IpAddr,
    /// Whether nobody between can read a password.
    pub(crate) is_private: bool,
}
