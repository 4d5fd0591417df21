//! The store of keys: a stream beside the order, from which a message can be deleted for good. Does
//! not know which keys are needed.

use std::sync::Arc;

use anyhow::Context as _;
use async_nats::jetstream::stream::Stream;

use super::courier::Published;
use super::key_ring::Key;
use super::nats::{StreamConnection, if_there};
use super::sealer::{KeyMade, KeyRead, KeyReport, KeyStep};
use super::streams::{exists, make};
use crate::telemetry::Told;

/// How many lost numbers one try passes over.
const PASSED_OVER_MAX: usize = 1_000;

/// The subject of all keys below their subjects.
const SUBJECT: &str = "0";

/// A trouble with the stream of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum KeyTrouble {
    /// A key is not deleted.
    NotDeleted,
    /// No key can be stored.
    NotStored,
    /// The numbers of keys are given again.
    Lost,
    /// A key cannot be read.
    NotRead,
    /// A key is not there.
    Missing,
}

/// The stream of keys of one house.
#[derive(Clone, Debug)]
pub(super) struct KeyStore {
    connection: StreamConnection,
    told: Arc<Told<KeyTrouble>>,
}

impl KeyStore {
    /// The store beside the order of this connection.
    pub(super) fn new(connection: &StreamConnection) -> KeyStore {
        KeyStore { connection: connection.clone(), told: Arc::default() }
    }

    /// Takes a step. None if nobody waits for a report.
    pub(super) async fn take(self, step: KeyStep) -> Option<KeyReport> {
        Some(match step {
            KeyStep::Make { number, above } => KeyReport::Made(number, self.make(above).await),
            KeyStep::Read(key) => KeyReport::Read(key, self.read(key).await),
            KeyStep::Erase(key) => {
                let erased = self.erase(key).await;
                if let Err(error) = &erased
                    && self.told.is_due(KeyTrouble::NotDeleted)
                {
                    tracing::warn!(key, %error, "a key is not deleted yet; it is tried again");
                }
                KeyReport::Erased(key, erased.is_ok())
            }
            KeyStep::Reconnect => {
                if self.told.is_due(KeyTrouble::NotStored) {
                    tracing::warn!("no key can be stored in NATS; connecting anew");
                }
                self.connection.reconnect().await;
                return None;
            }
        })
    }

    /// Makes a key with a number above this one. A store that has lost its last keys gives their
    /// numbers again: these are passed over.
    async fn make(&self, above: u64) -> KeyMade {
        for _ in 0..PASSED_OVER_MAX {
            match self.make_any().await {
                KeyMade::Key(number, _) if number <= above => {
                    if self.told.is_due(KeyTrouble::Lost) {
                        tracing::warn!(number, above, "the stream of keys has lost keys");
                    }
                }
                KeyMade::Unknown => {
                    let made = self.make_stream_again().await;
                    made.inspect_err(|error| tracing::debug!(%error, "no stream of keys")).ok();
                    return KeyMade::Unknown; // the next try finds it
                }
                made => return made,
            }
        }
        KeyMade::Unknown
    }

    /// Makes the stream, if somebody has deleted it: without it nobody could register a name.
    async fn make_stream_again(&self) -> anyhow::Result<()> {
        let (keys, subjects) = (self.connection.key_stream(), self.connection.key_subjects());
        if exists(&self.connection, &keys).await? {
            return Ok(());
        }
        tracing::error!(
            "the stream {keys} does not exist in NATS any more, and is made again: no node can open what \
             was sealed with the lost keys, except what it has in its own file"
        );
        make(&self.connection, (&keys, &subjects)).await
    }

    /// Makes a key by chance and stores it. Each try makes another one: of a try without an answer
    /// nothing is left that opens anything.
    async fn make_any(&self) -> KeyMade {
        let mut bytes = [0; Key::BYTES];
        if getrandom::fill(&mut bytes).is_err() {
            return KeyMade::Unknown;
        }
        let subject = format!("{}.{SUBJECT}", self.connection.key_subjects());
        let (published, number) = self.connection.publish_at(subject, bytes.to_vec()).await;
        match (published, number, Key::from_bytes(&bytes)) {
            (Published::Stored, Some(number), Some(key)) => KeyMade::Key(number, key),
            (Published::Refused, ..) => KeyMade::Refused,
            _ => KeyMade::Unknown,
        }
    }

    /// Reads a key.
    pub(super) async fn read(&self, key: u64) -> KeyRead {
        self.try_read(key).await.unwrap_or_else(|error| {
            if self.told.is_due(KeyTrouble::NotRead) {
                tracing::warn!(key, %error, "a key cannot be read yet; it is tried again");
            }
            KeyRead::Unknown
        })
    }

    async fn try_read(&self, key: u64) -> anyhow::Result<KeyRead> {
        let stream = self.stream().await?;
        if let Some(message) = if_there(stream.get_raw_message(key).await)? {
            let key = Key::from_bytes(&message.payload);
            return Ok(key.map_or(KeyRead::Gone, KeyRead::Key)); // something else opens nothing
        }
        // The server that answers may not have it yet.
        let last = stream.get_info().await?.state.last_sequence;
        if last < key {
            if self.told.is_due(KeyTrouble::Missing) {
                tracing::warn!(key, last, "a key is not in the stream of keys yet, or is lost");
            }
            return Ok(KeyRead::Missing);
        }
        Ok(KeyRead::Gone)
    }

    /// Deletes a key for good: the servers overwrite it.
    async fn erase(&self, key: u64) -> anyhow::Result<()> {
        let stream = self.stream().await?;
        let Err(error) = stream.delete_message(key).await else {
            return Ok(());
        };
        match self.try_read(key).await? {
            KeyRead::Gone => Ok(()), // it was deleted before
            _ => Err(error.into()),
        }
    }

    async fn stream(&self) -> anyhow::Result<Stream<()>> {
        let stream = self.connection.context.get_stream_no_info(self.connection.key_stream());
        stream.await.context("the stream of keys does not answer")
    }
}
