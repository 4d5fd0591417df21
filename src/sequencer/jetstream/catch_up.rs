//! Writes what the file of this node has missed, from the stream, when its disk works again. Beside
//! the chat, which goes on meanwhile, and with little memory.
//!
//! It follows the order with a broadcaster of its own, to which nobody is connected and which
//! proposes nothing: it gives the same lines the same numbers.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use parlor_core::broadcaster::{Broadcaster, CHECK_EVERY, NodeStart, Standing};
use parlor_core::model::{Capacity, Limits, NodeName, Now, WallTime};
use tokio::time::{Instant, sleep, timeout};

use super::begin::{Beginning, NodeFiles, beginning, own_program};
use super::key_work::{Sealing, open_accounts};
use super::nats::StreamConnection;
use super::queue::{OrderQueue, StreamSequencer};
use crate::journal::{Database, FileView, Tail, fill, stored_position, stored_snapshot};

/// The pause before another try.
const PAUSE: Duration = Duration::from_secs(1);

/// How long the next message may take: a node publishes something every second.
const NEXT_TIME: Duration = Duration::from_secs(5);

/// How many messages are written together.
const MESSAGES_AT_ONCE: usize = 128;

/// The name of the other broadcaster among the nodes, to which it is no node.
const NAME: &str = "the-file-of-a-node";

/// The capacity of a room's log that nobody reads.
const LOG: Capacity = Capacity { lines: 1, bytes: 1 };

/// The task that lets the file of this node catch up.
pub(crate) struct CatchUpTask {
    pub(crate) connection: StreamConnection,
    /// The name of the log, and whether it begins with a past.
    pub(crate) log: (String, bool),
    pub(crate) view: Arc<FileView>,
    pub(crate) database: Database,
    /// Notes whether the file has stopped.
    pub(crate) note_stopped: Box<dyn Fn(bool) + Send + Sync>,
}

/// A broadcaster without people, which gives lines their numbers.
struct OrderReader {
    broadcaster: Broadcaster,
    order: Arc<OrderQueue>,
    seals: Sealing,
    began: Instant,
    /// The position of the last message that it has read.
    position: u64,
    /// How many messages were read since something was written.
    messages: usize,
}

impl CatchUpTask {
    /// Waits until the file stops, and lets it catch up when its disk works; then waits again.
    ///
    /// # Errors
    /// Never: a failure is told, and followed by another try.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        loop {
            self.view.stopped().await;
            (self.note_stopped)(true);
            self.view.until_written().await; // so the disk works again
            tracing::info!(
                "the disk works again: the files of this node read what they have missed"
            );
            match self.catch_up().await {
                Ok(()) => {
                    (self.note_stopped)(false);
                    tracing::info!("the files of this node have everything again");
                }
                Err(error) => {
                    tracing::warn!("the files of this node do not catch up yet: {error:#}");
                    self.view.stop();
                    sleep(PAUSE).await;
                }
            }
        }
    }

    /// Writes everything behind the position of the file, until the broadcaster takes over.
    async fn catch_up(&self) -> anyhow::Result<()> {
        let mut reader = self.reader().await?;
        let mut is_near = false;
        loop {
            let following = self.connection.clone().follow(reader.position).await;
            let mut following = match following {
                Ok(following) => following,
                Err(error) => {
                    tracing::debug!(%error, "the stream cannot be read yet");
                    sleep(PAUSE).await;
                    continue;
                }
            };
            while let Ok(Some(message)) = timeout(NEXT_TIME, following.next()).await {
                // Without more behind it, the broadcaster is about as far.
                let is_last = message.behind == 0;
                is_near |= is_last;
                let from = is_near.then(|| self.view.offer(message.position)).flatten();
                let is_over = from.is_some_and(|from| message.position >= from);
                if from.is_none_or(|from| message.position <= from) {
                    reader.read(message.position, message.at, &message.bytes)?;
                }
                if is_over || is_last || reader.messages >= MESSAGES_AT_ONCE {
                    reader.write(&self.view).await?;
                }
                if is_over {
                    return Ok(self.view.follow()?);
                }
            }
        }
    }

    /// A reader at the position of the file. If the stream begins later, the file continues there.
    async fn reader(&self) -> anyhow::Result<OrderReader> {
        let files = self.database.write(|file| {
            let snapshot = stored_snapshot(file)?;
            let position = stored_position(file)?;
            Ok(NodeFiles { position, snapshot, tail: Tail::in_memory(position) })
        });
        let files = files.await?;
        let (log, has_past) = &self.log;
        let mut begun = beginning(&self.connection, (log, *has_past), Some(&files)).await?;
        open_accounts(&self.connection, &mut begun.ledger).await;
        let position = begun.position;
        if begun.misses_some {
            let ledger = begun.ledger.clone();
            self.database.write(move |file| fill(file, position, &ledger)).await?;
        }
        OrderReader::new(begun, &self.connection)
    }
}

impl OrderReader {
    fn new(beginning: Beginning, connection: &StreamConnection) -> anyhow::Result<OrderReader> {
        let Beginning { ledger, position, .. } = beginning;
        let seals = Sealing::new(connection, ledger.seals.last());
        let name = NodeName::parse(NAME).context("the name is too long")?;
        let (program, check_every) = (own_program()?, CHECK_EVERY);
        let start =
            NodeStart { name, nonce: 0, program, bytes_max: 0, ledger, position, check_every };
        let limits = Limits { rooms: usize::MAX, log: LOG, logs_bytes: 0, ..Limits::default() };
        let order = Arc::new(OrderQueue::default());
        let sequencer = Box::new(StreamSequencer(Arc::clone(&order)));
        let broadcaster = Broadcaster::one_of_several(Arc::default(), limits, start, sequencer);
        Ok(OrderReader { broadcaster, order, seals, began: Instant::now(), position, messages: 0 })
    }

    /// The time for the broadcaster; lines have that of the order.
    fn now(&self) -> Now {
        Now { monotonic: self.began.elapsed(), wall: WallTime::default() }
    }

    /// Takes the next message.
    fn read(&mut self, position: u64, at: WallTime, bytes: &[u8]) -> anyhow::Result<()> {
        (self.position, self.messages) = (position, self.messages + 1);
        Ok(self.seals.arrive(position, at, bytes)?)
    }

    /// Applies all messages so far, and writes their lines and records.
    async fn write(&mut self, view: &FileView) -> anyhow::Result<()> {
        self.messages = 0;
        while let Some(decided) = self.seals.next_opened().await {
            self.order.decide(decided);
        }
        loop {
            self.broadcaster.tick(self.now());
            self.broadcaster.drain(self.now());
            ensure!(
                self.broadcaster.standing() == Standing::Starting,
                "it has come to another state"
            );
            let Some(gathered) = self.broadcaster.gather(self.now()) else {
                return Ok(());
            };
            if gathered.needs_commit() {
                view.write(&gathered).await?;
            }
            self.broadcaster.append(gathered, Ok(()), self.now());
        }
    }
}
