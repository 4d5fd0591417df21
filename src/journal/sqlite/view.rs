//! The file as the view of one of several nodes: their order has everything, so a commit is done
//! when it begins, and the file follows. Knows no order.
//!
//! Each transaction notes the position in the order up to which the file has everything. So a node
//! that starts continues from there, whatever became of a transaction.

use std::future::ready;
use std::sync::Arc;

use parlor_core::journal::{Commit, Journal, Record, Snapshot};
use parlor_core::log::Batch;
use rusqlite::Connection;

use super::append::{put_behind, put_end};
use super::disk::Disk;
use super::epochs::{OWN_LOG, join_log, leave_log};
use super::fault::UnusableFile;
use super::file_view::FileView;
use super::raw;
use super::records;
use super::snapshot::{self, note_position, stored_position, weight};
use super::sql::Sql;
use super::store::Store;
use super::writer::BehindJob;
use crate::journal::recent::Taken;

/// The position of a file that has nothing: the first message of an order has no line.
const FIRST: u64 = 1;

/// A journal whose lines are in the order already.
pub(crate) struct WrittenBehind {
    view: Arc<FileView>,
    /// The position up to which the next commit has everything.
    position: u64,
    /// Ends the threads of the disk.
    _disk: Disk,
}

impl WrittenBehind {
    /// A view in the files of a disk, for which this many bytes may wait.
    pub(crate) fn new(disk: Disk, waiting_bytes_max: usize) -> WrittenBehind {
        let view = FileView::new(disk.work(), &disk.signals, waiting_bytes_max);
        WrittenBehind { view: Arc::new(view), position: 0, _disk: disk }
    }

    /// The way into the file.
    pub(crate) fn view(&self) -> Arc<FileView> {
        Arc::clone(&self.view)
    }
}

impl Journal for WrittenBehind {
    fn commit(&mut self, batches: &[Arc<Batch>], records: &[Record]) -> Commit {
        self.view.take(BehindJob::new(batches, records, self.position));
        Box::pin(ready(Ok(())))
    }

    fn note_snapshot(&mut self, position: u64, snapshot: &Arc<Snapshot>) {
        let bytes = weight(snapshot);
        let snapshot = Some(Arc::clone(snapshot));
        self.view.take(BehindJob { snapshot, bytes, ..BehindJob::new(&[], &[], position) });
    }

    fn note_position(&mut self, position: u64) {
        self.position = position;
    }

    fn note_given(&mut self, position: u64) {
        self.view.give(position);
    }
}

/// Whether a server without other nodes has stored something in the file.
fn is_used(connection: &Connection) -> rusqlite::Result<bool> {
    let query = "SELECT EXISTS (SELECT 1 FROM lines) OR EXISTS (SELECT 1 FROM accounts)
                 OR EXISTS (SELECT 1 FROM bans)";
    connection.query_row(query, [], |row| row.get(0))
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
                let position = stored_position(&transaction)?;
                raw::begin_unless_there(&transaction, position)?;
                transaction.commit()?;
                return Ok(position);
            }
            Some(_) => return Err(UnusableFile::OfAnotherHouse),
            None => {}
        }
        let own: Option<String> = transaction.one(query, [OWN_LOG], |row| row.get(0))?;
        if own.is_none_or(|own| own != log) && is_used(&transaction)? {
            return Err(UnusableFile::OfOneServer);
        }
        let note = "INSERT INTO meta VALUES (?1, ?2)";
        transaction.run(note, ["node_log", log])?;
        transaction.run(note, ["node_position", &FIRST.to_string()])?;
        join_log(&transaction)?;
        raw::begin(&transaction, FIRST)?;
        transaction.commit()?;
        Ok(FIRST)
    }

    /// The name with which what is in the file can begin the log of several nodes; none if it has
    /// nothing. It keeps that name until it is used without other nodes.
    pub(super) fn log_of_past(&mut self) -> Result<Option<String>, UnusableFile> {
        let transaction = self.connection.transaction()?;
        let query = "SELECT value FROM meta WHERE key = ?1";
        if transaction.one(query, ["node_log"], |_| Ok(()))?.is_some() {
            return Err(UnusableFile::OfLostHouse);
        }
        if !is_used(&transaction)? {
            return Ok(None);
        }
        let name = "INSERT OR IGNORE INTO meta VALUES (?1, lower(hex(randomblob(8))))";
        transaction.run(name, [OWN_LOG])?;
        let name = transaction.one(query, [OWN_LOG], |row| row.get(0))?;
        transaction.commit()?;
        Ok(name)
    }

    /// Lets the file be that of a server without other nodes from now on. Returns whether it was a
    /// view.
    pub(super) fn leave_nodes(&mut self) -> rusqlite::Result<bool> {
        self.delete_snapshot()?;
        let transaction = self.connection.transaction()?;
        let query = "SELECT value FROM meta WHERE key = 'node_log'";
        let log: Option<String> = transaction.one(query, [], |row| row.get(0))?;
        if let Some(log) = &log {
            leave_log(&transaction, log)?;
        }
        let delete = "DELETE FROM meta WHERE key IN ('node_log', 'node_position', ?1)";
        transaction.run(delete, [OWN_LOG])?;
        transaction.commit()?;
        raw::clear(&mut self.connection)?;
        Ok(log.is_some())
    }

    /// Whether this is the log of the nodes.
    pub(super) fn is_log_of_nodes(&self, log: &str) -> rusqlite::Result<bool> {
        let query = "SELECT value = ?1 FROM meta WHERE key = 'node_log'";
        Ok(self.connection.one(query, [log], |row| row.get(0))?.unwrap_or(false))
    }

    /// Stores what is in the order up to a position, unless the file has it.
    pub(super) fn append_behind(&mut self, job: &BehindJob, taken: &Taken) -> rusqlite::Result<()> {
        if let Some(snapshot) = &job.snapshot {
            return snapshot::put(&mut self.connection, job.position, snapshot, |transaction| {
                raw::put(transaction, taken)
            });
        }
        let transaction = self.connection.transaction()?;
        if !note_position(&transaction, job.position)? {
            return Ok(()); // an earlier try was stored
        }
        job.more.iter().try_for_each(|more| more(&transaction))?;
        put_behind(&transaction, &job.batches, &job.records)?;
        raw::put(&transaction, taken)?;
        transaction.commit()
    }
}

/// Makes the file continue with the ledger at a position, in one transaction, because the order does not
/// have everything between the end of the file and that position any more. Everything beside lines is
/// then that of the ledger. The numbers of lines that the file never had are noted in one row for each
/// room, as those of deleted lines are in a row of each.
pub(crate) fn fill(
    connection: &mut Connection,
    position: u64,
    ledger: &Snapshot,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for (room, end) in &ledger.ends {
        put_end(&transaction, room, *end)?;
    }
    records::replace(&transaction, ledger)?;
    note_position(&transaction, position)?;
    raw::begin(&transaction, position)?;
    transaction.commit()
}
