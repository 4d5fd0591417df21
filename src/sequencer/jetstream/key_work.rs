//! Does what the sealer decides, and reports to it. Decides nothing.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _, iter};
use parlor_core::intent::Proposal;
use parlor_core::ledger::Snapshot;
use parlor_core::model::{Erasable, WallTime};
use parlor_core::sequencer::Decided;
use parlor_wire::pack::sealed::{open_account, open_message};
use tokio::time::{Instant, sleep};

use super::key_ring::KeyRing;
use super::key_store::KeyStore;
use super::nats::{START_PAUSE, START_TIME, StreamConnection};
use super::sealer::{KeyRead, KeyReport, KeyStep, Sealer};
use super::verdict::proposal_of;

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

/// A sealer with its work on keys, for those who wait for nothing else.
pub(super) struct Sealing {
    sealer: Sealer,
    keys: KeyWork,
    began: Instant,
}

impl Sealing {
    /// One for a node whose ledger knows keys up to this number.
    pub(super) fn new(connection: &StreamConnection, last: u64) -> Sealing {
        let mut sealer = Sealer::new(last);
        sealer.connected(Duration::ZERO);
        Sealing { sealer, keys: KeyWork::new(connection), began: Instant::now() }
    }

    /// Takes a message out of the stream, unless no node can read it.
    pub(super) fn arrive(&mut self, position: u64, at: WallTime, bytes: &[u8]) {
        if let Some(proposal) = proposal_of(bytes) {
            self.sealer.arrive(Decided { position, at, proposal }, self.began.elapsed());
        }
    }

    /// The next proposal that has arrived, opened as far as its keys are there; none if there is no
    /// further one.
    pub(super) async fn next_opened(&mut self) -> Option<Decided> {
        loop {
            let opened = self.sealer.next_opened();
            if opened.is_some() || self.sealer.has_opened_all() {
                return opened;
            }
            self.work().await;
        }
    }

    /// A proposal of this node, sealed; none if there is no space for its keys.
    pub(super) async fn sealed(&mut self, proposal: Proposal) -> Option<Proposal> {
        self.sealer.offer(proposal, self.began.elapsed());
        loop {
            let sealed = self.sealer.next_sealed();
            if sealed.is_some() || self.sealer.next_refused().is_some() {
                return sealed;
            }
            self.work().await;
        }
    }

    async fn work(&mut self) {
        while let Some(step) = self.sealer.next_step() {
            self.keys.begin(step);
        }
        match self.keys.next().await {
            Some(report) => self.sealer.report(report, self.began.elapsed()),
            None => {
                sleep(START_PAUSE).await; // no store of keys answers
                self.sealer.tick(self.began.elapsed());
            }
        }
    }
}

/// Opens the passwords and tokens of a ledger. Those that are replaced later in the order may have
/// no key any more: they stay blank.
pub(crate) async fn open_accounts(connection: &StreamConnection, ledger: &mut Snapshot) {
    let accounts = ledger.accounts.iter();
    let keys = accounts.flat_map(|account| {
        [account.password.key(), account.token.as_ref().and_then(Erasable::key)]
    });
    let (ring, deleted) = read_keys(connection, keys.flatten().collect()).await;
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

/// A ledger for files that lack messages which wait there: it has their texts. Those that are read
/// later in the order may have no key any more: they stay blank.
pub(crate) async fn with_messages(connection: &StreamConnection, ledger: &Snapshot) -> Snapshot {
    let mut ledger = ledger.clone();
    let kept = ledger.kept.values().flatten();
    let keys = kept.filter_map(|kept| kept.sealed.as_ref()?.spoken.key());
    let (ring, _) = read_keys(connection, keys.collect()).await;
    for message in ledger.kept.values_mut().flatten().filter_map(|kept| kept.sealed.as_mut()) {
        open_message(Arc::make_mut(message), &ring);
    }
    ledger
}

/// Reads keys. Returns those that there are, and the numbers of those that were deleted.
async fn read_keys(connection: &StreamConnection, keys: Vec<u64>) -> (KeyRing, BTreeSet<u64>) {
    let store = KeyStore::new(connection);
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
    (ring, deleted)
}

/// Reads a key, as soon as the store answers. Until this time it may be missing.
async fn patient_read(store: &KeyStore, key: u64, until: Instant) -> (u64, KeyRead) {
    loop {
        match store.read(key).await {
            KeyRead::Unknown => {}
            KeyRead::Missing if Instant::now() < until => {}
            read => return (key, read),
        }
        sleep(START_PAUSE).await;
    }
}
