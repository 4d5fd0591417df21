//! Does what the sealer decides, and reports to it. Decides nothing.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::stream::{FuturesUnordered, StreamExt as _, iter};
use parlor_core::ledger::Snapshot;
use parlor_core::model::Erasable;
use parlor_wire::pack::sealed::open_account;
use tokio::time::{Instant, sleep};

use super::key_ring::KeyRing;
use super::key_store::KeyStore;
use super::nats::{START_PAUSE, START_TIME, StreamConnection};
use super::sealer::{KeyRead, KeyReport, KeyStep};

/// How many keys are read at the same time when a node starts.
const READ_AT_ONCE: usize = 64;

/// A step that is being taken.
type Taking = Pin<Box<dyn Future<Output = Option<KeyReport>> + Send>>;

/// The steps that are being taken.
pub(super) struct KeyWork {
    store: KeyStore,
    taking: FuturesUnordered<Taking>,
}

impl KeyWork {
    /// Work on the keys beside the order of this connection.
    pub(super) fn new(connection: &StreamConnection) -> KeyWork {
        KeyWork { store: KeyStore::new(connection), taking: FuturesUnordered::new() }
    }

    /// Begins a step.
    pub(super) fn begin(&self, step: KeyStep) {
        self.taking.push(Box::pin(self.store.clone().take(step)));
    }

    /// The next report; none while no step is being taken.
    pub(super) async fn next(&mut self) -> Option<KeyReport> {
        loop {
            if let Some(report) = self.taking.next().await? {
                return Some(report);
            }
        }
    }
}

/// Opens the passwords and tokens of a ledger. Those that are replaced later in the order may have
/// no key any more: they stay blank.
pub(crate) async fn open_accounts(connection: &StreamConnection, ledger: &mut Snapshot) {
    let store = KeyStore::new(connection);
    let accounts = ledger.accounts.iter();
    let keys = accounts.flat_map(|account| {
        [account.password.key(), account.token.as_ref().and_then(Erasable::key)]
    });
    let keys: Vec<u64> = keys.flatten().collect();
    let until = Instant::now() + START_TIME;
    let reads = iter(keys).map(|key| patient_read(&store, key, until));
    let mut reads = reads.buffer_unordered(READ_AT_ONCE);
    let mut ring = KeyRing::default();
    let mut deleted = BTreeSet::new();
    while let Some((number, read)) = reads.next().await {
        match read {
            KeyRead::Key(key) => ring.add(number, key),
            KeyRead::Gone => drop(deleted.insert(number)),
            KeyRead::Missing | KeyRead::Unknown => {}
        }
    }
    drop(reads);
    for account in &mut ledger.accounts {
        let account = Arc::make_mut(account);
        open_account(account, &ring);
        let is_there = |key| !deleted.contains(&key);
        if account.password.value.is_empty() && account.password.key().is_some_and(is_there) {
            tracing::error!(
                name = %account.name,
                "the key of this password is lost: set another one with parlor admin name password"
            );
        }
    }
}

/// Reads a key, as soon as the store answers. Until this time it may be missing.
async fn patient_read(store: &KeyStore, key: u64, until: Instant) -> (u64, KeyRead) {
    loop {
        match store.read(key).await {
            KeyRead::Unknown => tracing::warn!(key, "the key of a password cannot be read yet"),
            KeyRead::Missing if Instant::now() < until => {}
            read => return (key, read),
        }
        sleep(START_PAUSE).await;
    }
}
