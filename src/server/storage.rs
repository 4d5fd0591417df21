//! The server's storage: opens the journal and everything beside it. Knows no door.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::ensure;
use parlor_core::broadcaster::Broadcaster;
use parlor_core::journal::{Journal, Past, Snapshot};
use parlor_core::link::Inbox;
use parlor_core::model::{Limits, WallTime};

use crate::accounts::{self, Accounts};
use crate::config::{Config, Keep};
use crate::journal;
use crate::journal::{Eraser, FileView, Memory, Opened, Stored, passing_epoch};
use crate::sequencer::{Founding, NodeFiles, PastFiles};

/// How much may wait for the file of a node, in bytes. A disk that is that late does not follow any
/// more.
const WAITING_BYTES_MAX: usize = 64 << 20;

/// The same for tests, in which everything happens faster.
const WAITING_BYTES_MIN: usize = 1 << 20;

/// The journal, and everything that is stored beside the lines.
pub(super) struct ServerStorage {
    pub(super) journal: Box<dyn Journal>,
    /// The epoch of the rooms' logs, to which the numbers of lines belong.
    pub(super) epoch: Arc<str>,
    /// The state of the directory in the order of several nodes; none without one.
    pub(super) node_files: Option<NodeFiles>,
    /// The way into the file of one of several nodes.
    pub(super) view: Option<Arc<FileView>>,
    /// Everything in the server's directory, if it has one.
    pub(super) disk: Option<OnDisk>,
}

/// The contents of the server's directory.
pub(super) struct OnDisk {
    pub(super) directory: PathBuf,
    pub(super) stored: Stored,
    /// Deletes stored lines.
    pub(super) eraser: Eraser,
    /// The registered names.
    pub(super) accounts: Arc<Accounts>,
    /// The state from before the start.
    past: Past,
}

impl ServerStorage {
    /// Opens the directory that the configuration names; without one, lines are in memory only.
    ///
    /// # Errors
    /// The directory cannot be used: why, and what to do.
    pub(super) fn open(
        config: &Config,
        inbox: &Arc<Inbox>,
        founded: Option<&Founding>,
    ) -> anyhow::Result<ServerStorage> {
        let Some(directory) = config.directory()? else {
            let memory = ServerStorage::without_disk(Box::new(Memory));
            return Ok(match founded {
                Some(founded) => ServerStorage { epoch: founded.log.as_str().into(), ..memory },
                None => memory,
            });
        };
        let log = founded.map(|founded| founded.log.as_str());
        let keep = if log.is_some() { Keep::Written } else { config.keep };
        let waiting_bytes_max = (WAITING_BYTES_MAX / config.snapshot_speed).max(WAITING_BYTES_MIN);
        let node = log.map(|log| (log, waiting_bytes_max));
        let Opened { journal, epoch, position, snapshot, tail, view, ends, stored, eraser } =
            journal::open(&directory, keep, node)?;
        tracing::info!("lines are stored in {}", directory.display());
        let has_own = stored.database.at_start(|file| journal::has_own_past(file))?;
        let past = match position {
            Some(_) if !has_own => {
                stored.database.at_start(|file| journal::past(file, WallTime::default()))?
            }
            _ => accounts::past(&stored.database, stored.last_run)?,
        };
        let past = Past { ends: ends.into_iter().collect(), ..past };
        let accounts = Arc::new(Accounts::new(&stored.database, inbox, config.password_chars));
        let disk = Some(OnDisk { directory, stored, eraser, accounts, past });
        let node_files = position.map(|position| NodeFiles { position, snapshot, tail });
        Ok(ServerStorage { journal, epoch: epoch.into(), node_files, view, disk })
    }

    /// Checks that no other server uses the directory that the configuration names.
    ///
    /// # Errors
    /// The directory cannot be used: why, and what to do.
    pub(super) fn check_directory(config: &Config) -> anyhow::Result<()> {
        config.directory()?.map_or(Ok(()), |directory| Ok(journal::check_directory(&directory)?))
    }

    /// The name with which the directory that the configuration names can begin the log of several nodes;
    /// none if nothing is stored there.
    ///
    /// # Errors
    /// The directory cannot be used: why, and what to do.
    pub(super) fn log_of_past(config: &Config) -> anyhow::Result<Option<String>> {
        let Some(directory) = config.directory()? else {
            return Ok(None);
        };
        Ok(journal::log_of_past(&directory)?)
    }

    /// The files of a node, for the past of its house. If they have it, all deletions in them are made.
    ///
    /// # Errors
    /// Not all are made.
    pub(super) async fn past_files(&mut self) -> anyhow::Result<Option<PastFiles>> {
        let (Some(view), Some(disk)) = (&self.view, &mut self.disk) else {
            return Ok(None);
        };
        let Stored { database, history, .. } = &disk.stored;
        let has_own = database.read(|file| journal::has_own_past(file)).await?;
        if has_own {
            disk.eraser.finish().await?;
        }
        let (view, database) = (Arc::clone(view), database.clone());
        let own = has_own.then(|| (disk.past.clone(), Arc::clone(history)));
        Ok(Some(PastFiles { view, database, own }))
    }

    /// Lets the directory of a node continue with the ledger at a position, because the order does
    /// not have everything that the directory lacks.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub(super) fn fill(&self, position: u64, ledger: Snapshot) -> anyhow::Result<()> {
        let Some(OnDisk { stored, .. }) = &self.disk else {
            return Ok(());
        };
        Ok(stored.database.at_start(move |file| journal::fill(file, position, &ledger))?)
    }

    /// Checks that the directory of a node has what the order holds up to its position: the order
    /// may have lost messages, and have others in their place.
    ///
    /// # Errors
    /// It differs: what to do.
    pub(super) fn check(&self, ledger: &Snapshot) -> anyhow::Result<()> {
        let Some(OnDisk { directory, past, .. }) = &self.disk else {
            return Ok(());
        };
        let stored = past.ends.iter().map(|(room, end)| (room, end.seq));
        let ordered = ledger.ends.iter().map(|(room, end)| (room, end.seq));
        let registered: BTreeMap<_, _> =
            past.accounts.iter().map(|account| (account.name.as_str(), account.since)).collect();
        // The file does not know how often an owner has changed the password.
        let owners = ledger.accounts.iter().map(|account| (account.name.as_str(), account.since));
        ensure!(
            stored.eq(ordered) && registered == owners.collect(),
            "the stream in NATS does not have what is stored in {}: it has lost messages; \
             restore its backup, or start the node with the most lines once without --nats, and let it \
             begin another --house",
            directory.display()
        );
        Ok(())
    }

    /// A journal that starts without lines, and no directory.
    pub(super) fn without_disk(journal: Box<dyn Journal>) -> ServerStorage {
        ServerStorage {
            journal,
            epoch: passing_epoch().into(),
            node_files: None,
            view: None,
            disk: None,
        }
    }

    /// The broadcaster that continues from the state before the start.
    pub(super) fn broadcaster(&mut self, inbox: Arc<Inbox>, limits: Limits) -> Broadcaster {
        match &mut self.disk {
            Some(disk) => Broadcaster::resume(inbox, limits, std::mem::take(&mut disk.past)),
            None => Broadcaster::new(inbox, limits),
        }
    }
}
