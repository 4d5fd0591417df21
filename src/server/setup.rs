//! The server's part of the setup of each door.

use std::sync::Arc;

use jiff::tz::TimeZone;
use parlor_wire::style::LocalClock;

use super::storage::ServerStorage;
use crate::clock::{self, Clock};
use crate::config::Config;
use crate::door::{DoorSetup, Reception};
use crate::session::{Idle, Live, SessionSettings, profile_at};
use crate::tls::Challenges;

/// The most bytes of one read: a share of the memory that one connection may hold.
const READ_BYTES: usize = 16 * 1024;

/// The server's part of the setup of each door.
pub(super) fn door_setup(
    config: &Config,
    storage: &ServerStorage,
    reception: &Reception,
    live: &Arc<Live>,
    (clock, challenges): (&Clock, &Arc<Challenges>),
) -> DoorSetup {
    let disk = storage.disk.as_ref();
    let stored = disk.map(|disk| &disk.stored);
    DoorSetup {
        settings: SessionSettings {
            idle: Idle::Nobody,
            asks_passwords: true,
            answers_everywhere: false,
            ask_every: None,
            live: Arc::clone(live),
            read_bytes_max: READ_BYTES,
            history: stored.map(|stored| Arc::clone(&stored.history)),
            search: stored.map(|stored| Arc::clone(&stored.search)),
            forgetting: stored.map(|stored| stored.forgetting.clone()),
            epoch: Arc::clone(&storage.epoch),
            accounts: disk.map(|disk| Arc::clone(&disk.accounts)),
            room_tries: Arc::default(),
            used_buckets: Arc::default(),
            metrics: Arc::clone(&reception.metrics),
            zone: TimeZone::system(),
            clock: clock.clone(),
            profile: profile_at(""),
        },
        challenges: Arc::clone(challenges),
        host_names: config.acme.clone(),
        nameless_idle: config.nameless_idle,
        clock: LocalClock { zone: TimeZone::system(), now: clock::wall },
    }
}
