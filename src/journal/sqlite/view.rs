//! The file as the view of one of several nodes: their order has everything, so a commit is done
//! when it begins, and the file follows. Knows no order.
//!
//! Each transaction notes the position in the order up to which the file has everything. So a node
//! that starts continues from there, whatever became of a transaction.

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use parlor_core::journal::{Commit, Journal, Record, Snapshot};
use parlor_core::log::Batch;

use super::append::put_batches;
use super::disk::Disk;
use super::fault::UnusableFile;
use super::records::put;
use super::snapshot::{self, note_position, weight};
use super::sql::Sql;
use super::store::Store;
use super::writer::{BehindJob, Work};

/// How much may wait for the file, in bytes. A disk that is that late does not follow any more.
const WAITING_BYTES_MAX: usize = 64 << 20;

/// The position of a file that has nothing: the first message of an order has no line.
const FIRST: u64 = 1;

/// A journal whose lines are in the order already.
pub(crate) struct WrittenBehind {
    disk: Disk,
    /// The position up to which the next commit has everything.
    position: u64,
    is_stopped: bool,
}

impl WrittenBehind {
    /// A view in the files of a disk.
    pub(crate) fn new(disk: Disk) -> WrittenBehind {
        WrittenBehind { disk, position: 0, is_stopped: false }
    }

    /// Lets the file follow, unless too much waits for it.
    fn write(&mut self, job: BehindJob) {
        if self.is_stopped {
            return;
        }
        let bytes = job.bytes;
        let waiting = self.disk.signals.behind.fetch_add(bytes, Ordering::Relaxed);
        if waiting > WAITING_BYTES_MAX || !self.disk.take(Work::Behind(job)) {
            self.is_stopped = true;
            tracing::error!(
                "the files of this node do not follow any more, because the disk is too slow or \
                 broken: its history ends here; start it again when the disk works"
            );
        }
    }
}

impl Journal for WrittenBehind {
    fn commit(&mut self, batches: &[Arc<Batch>], records: &[Record]) -> Commit {
        let bytes = batches.iter().map(|batch| batch.weight()).sum();
        let (batches, records) = (batches.to_vec(), records.to_vec());
        let position = self.position;
        self.write(BehindJob { batches, records, snapshot: None, position, bytes });
        Box::pin(ready(Ok(())))
    }

    fn note_snapshot(&mut self, position: u64, snapshot: &Arc<Snapshot>) {
        let (batches, records) = (Vec::new(), Vec::new());
        let (bytes, snapshot) = (weight(snapshot), Some(Arc::clone(snapshot)));
        self.write(BehindJob { batches, records, snapshot, position, bytes });
    }

    fn note_position(&mut self, position: u64) {
        self.position = position;
    }
}

impl Store {
    /// Makes the file the view of a node whose log has this name, unless it is that already.
    /// Returns the position in the order up to which it has everything.
    pub(super) fn join(&mut self, log: &str) -> Result<u64, UnusableFile> {
        let transaction = self.connection.transaction()?;
        let query = "SELECT value FROM meta WHERE key = ?1";
        let noted: Option<String> = transaction.one(query, ["node_log"], |row| row.get(0))?;
        match noted {
            Some(noted) if noted == log => {
                let position =
                    transaction.one(query, ["node_position"], |row| row.get::<_, String>(0))?;
                let position = position.and_then(|position| position.parse().ok());
                return Ok(position.unwrap_or(FIRST));
            }
            Some(_) => return Err(UnusableFile::OfAnotherHouse),
            None => {}
        }
        let used = "SELECT EXISTS (SELECT 1 FROM lines) OR EXISTS (SELECT 1 FROM accounts)";
        if transaction.query_row(used, [], |row| row.get(0))? {
            return Err(UnusableFile::OfOneServer);
        }
        let note = "INSERT INTO meta VALUES (?1, ?2)";
        transaction.run(note, ["node_log", log])?;
        transaction.run(note, ["node_position", &FIRST.to_string()])?;
        transaction.commit()?;
        Ok(FIRST)
    }

    /// Lets the file be that of a server without other nodes from now on. Returns whether it was a
    /// view.
    pub(super) fn leave_nodes(&mut self) -> rusqlite::Result<bool> {
        self.delete_snapshot()?;
        let noted = "DELETE FROM meta WHERE key IN ('node_log', 'node_position')";
        Ok(self.connection.run(noted, [])? > 0)
    }

    /// Whether this is the log of the nodes.
    pub(super) fn is_log_of_nodes(&self, log: &str) -> rusqlite::Result<bool> {
        let query = "SELECT value = ?1 FROM meta WHERE key = 'node_log'";
        Ok(self.connection.one(query, [log], |row| row.get(0))?.unwrap_or(false))
    }

    /// Stores what is in the order up to a position, unless the file has it.
    pub(super) fn append_behind(&mut self, job: &BehindJob) -> rusqlite::Result<()> {
        if let Some(snapshot) = &job.snapshot {
            return snapshot::put(&mut self.connection, job.position, snapshot);
        }
        let transaction = self.connection.transaction()?;
        if !note_position(&transaction, job.position)? {
            return Ok(()); // an earlier try was stored
        }
        put_batches(&transaction, &job.batches)?;
        job.records.iter().try_for_each(|record| put(&transaction, record))?;
        transaction.commit()
    }
}
