//! The stream of snapshots, beside the order: lists, reads, writes and removes them. Does not know
//! which are needed.
//!
//! A snapshot is a row of messages with one subject, which names the log, the position, the time of
//! the order there, and the boot of its writer. So a list of subjects is a list of snapshots, and
//! those of an earlier stream with the same name are none.

use std::error::Error;

use anyhow::{Context as _, bail};
use async_nats::jetstream::stream::InfoError;
use async_nats::jetstream::{self, ErrorCode};
use crc32fast::hash;
use futures_util::TryStreamExt as _;
use parlor_core::ledger::Snapshot;

use super::assembly::{Assembly, UnusableSnapshot, cut};
use super::courier::Published;
use super::nats::{StreamConnection, if_there};
use super::schedule::StoredSnapshot;
use super::streams::{make, spread};

/// How many messages of the order one request deletes at most: the servers do nothing else
/// meanwhile.
const PURGED_AT_ONCE: usize = 100_000;

/// How often a chunk is published again before the snapshot is given up.
const TRIES_MAX: usize = 8;

/// The part of a message that belongs to its subject and its headers, in bytes.
const BESIDE_BYTES: usize = 4_096;

/// The snapshots of one log.
#[derive(Clone, Debug)]
pub(crate) struct SnapshotShelf {
    connection: StreamConnection,
    /// The name of their stream.
    stream: String,
    /// The beginning of their subjects.
    subjects: String,
    log: String,
}

/// The reason why a snapshot was not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotRead {
    /// It is never used.
    #[error(transparent)]
    Unusable(#[from] UnusableSnapshot),
    /// The stream does not answer.
    #[error("{0}")]
    Later(anyhow::Error),
}

impl SnapshotShelf {
    /// The snapshots of the log with this name.
    pub(crate) fn new(connection: &StreamConnection, log: &str) -> SnapshotShelf {
        SnapshotShelf {
            stream: format!("{}-SNAPSHOTS", connection.stream),
            subjects: connection.snapshot_subjects(),
            log: log.to_owned(),
            connection: connection.clone(),
        }
    }

    /// The connection to the servers.
    pub(super) fn connection(&self) -> &StreamConnection {
        &self.connection
    }

    /// Removes all snapshots behind a position but those of boots for which `stays` returns true.
    ///
    /// # Errors
    /// The stream does not answer.
    pub(super) async fn remove_behind(
        &self,
        position: u64,
        stays: impl Fn(u32) -> bool,
    ) -> anyhow::Result<()> {
        let stored = self.list().await?.into_iter();
        for stored in stored.filter(|it| it.position > position && !stays(it.boot)) {
            self.remove(&stored).await?;
        }
        Ok(())
    }

    /// All snapshots of this log, complete or not, in the order of their positions.
    ///
    /// # Errors
    /// The stream does not answer.
    pub(crate) async fn list(&self) -> anyhow::Result<Vec<StoredSnapshot>> {
        let stream = self.connection.context.get_stream_no_info(&self.stream).await?;
        let subjects = stream.info_with_subjects(format!("{}.{}.>", self.subjects, self.log)).await;
        let subjects = match subjects {
            Err(error) if is_missing(&error) => return Ok(Vec::new()),
            subjects => subjects?,
        };
        let subjects: Vec<(String, usize)> = subjects.try_collect().await?;
        let mut list: Vec<_> =
            subjects.iter().filter_map(|(subject, _)| self.named(subject)).collect();
        list.sort_unstable();
        Ok(list)
    }

    /// Reads a snapshot, and compares the message at its position with that of the order.
    ///
    /// # Errors
    /// It is not used, or the stream does not answer.
    pub(crate) async fn read(&self, snapshot: &StoredSnapshot) -> Result<Snapshot, NotRead> {
        let mut assembly = Assembly::default();
        let mut next = 0;
        while !assembly.is_complete() {
            let chunk = self.chunk(snapshot, next).await.map_err(NotRead::Later)?;
            let (position, bytes) = chunk.ok_or(UnusableSnapshot::Incomplete)?;
            assembly.add(&bytes)?;
            next = position + 1;
        }
        let (ledger, message) = assembly.finish()?;
        let at_position = self.connection.message(snapshot.position).await;
        let at_position = at_position.map_err(NotRead::Later)?;
        match at_position.is_some_and(|bytes| hash(&bytes) == message) {
            true => Ok(ledger),
            false => Err(UnusableSnapshot::OfAnotherStream.into()),
        }
    }

    /// Writes a snapshot. One that is written in part is not used.
    ///
    /// # Errors
    /// It is not written: why.
    pub(crate) async fn write(
        &self,
        snapshot: &StoredSnapshot,
        bytes: &[u8],
    ) -> anyhow::Result<()> {
        let message = self.connection.message(snapshot.position).await?;
        let message = message.context("the order does not have its message")?;
        let bytes_max = self.connection.bytes_max().saturating_sub(BESIDE_BYTES);
        let chunks = cut(bytes, hash(&message), bytes_max)?;
        make(&self.connection, (&self.stream, &self.subjects)).await?;
        for chunk in chunks {
            self.publish(self.subject(snapshot), chunk).await?;
        }
        Ok(())
    }

    /// Removes a snapshot.
    ///
    /// # Errors
    /// The stream does not answer.
    pub(crate) async fn remove(&self, snapshot: &StoredSnapshot) -> anyhow::Result<()> {
        let stream = self.connection.context.get_stream_no_info(&self.stream).await?;
        stream.purge().filter(self.subject(snapshot)).await?;
        Ok(())
    }

    /// Lets several servers store all streams of these nodes, as far as one stores them and there are
    /// enough servers.
    ///
    /// # Errors
    /// The servers do not answer.
    pub(super) async fn spread_streams(&self) -> anyhow::Result<()> {
        let keys = self.connection.key_stream();
        for stream in [&self.connection.stream, &keys, &self.stream] {
            spread(&self.connection, stream).await?;
        }
        Ok(())
    }

    /// The position of the first message of the order; after a deletion, that of a snapshot.
    ///
    /// # Errors
    /// The stream does not answer.
    pub(super) async fn first_message(&self) -> anyhow::Result<u64> {
        Ok(self.connection.first().await?.unwrap_or_default())
    }

    /// Deletes the messages of the order from the first one to the one before `end`.
    ///
    /// # Errors
    /// The stream does not answer.
    pub(super) async fn purge_order(&self, first: u64, end: u64) -> anyhow::Result<()> {
        for position in (first..end).step_by(PURGED_AT_ONCE).skip(1).chain([end]) {
            self.connection.purge(position).await?;
        }
        Ok(())
    }

    /// The first message of a snapshot with this number in the stream or a higher one.
    async fn chunk(
        &self,
        snapshot: &StoredSnapshot,
        first: u64,
    ) -> anyhow::Result<Option<(u64, Vec<u8>)>> {
        let stream = self.connection.context.get_stream_no_info(&self.stream).await?;
        let subject = self.subject(snapshot);
        let message = stream.get_first_raw_message_by_subject(subject, first.max(1)).await;
        Ok(if_there(message)?.map(|message| (message.sequence, message.payload.to_vec())))
    }

    async fn publish(&self, subject: String, chunk: Vec<u8>) -> anyhow::Result<()> {
        for _ in 0..TRIES_MAX {
            match self.connection.publish_at(subject.clone(), chunk.clone()).await.0 {
                Published::Stored => return Ok(()),
                Published::Refused => bail!("the servers of NATS have no space for it"),
                Published::Unknown => {} // a chunk that is there twice does no harm
            }
        }
        bail!("the servers of NATS do not answer")
    }

    fn subject(&self, snapshot: &StoredSnapshot) -> String {
        format!("{}.{}.{}", self.subjects, self.log, snapshot.tokens())
    }

    fn named(&self, subject: &str) -> Option<StoredSnapshot> {
        let tokens = subject.strip_prefix(&format!("{}.{}.", self.subjects, self.log))?;
        StoredSnapshot::parse(tokens)
    }
}

/// Whether there is no such stream yet.
fn is_missing(error: &InfoError) -> bool {
    let error = error.source().and_then(|source| source.downcast_ref::<jetstream::Error>());
    error.is_some_and(|error| error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}
