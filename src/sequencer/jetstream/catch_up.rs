//! Writes what the file of this node has missed, from the stream, when its disk works again. Beside
//! the chat, which goes on meanwhile, and with little memory.
//!
//! It follows the order with a broadcaster of its own, to which nobody is connected and which
//! proposes nothing: it gives the same lines the same numbers.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use parlor_core::broadcaster::{Broadcaster, NodeStart, Standing};
use parlor_core::model::{Capacity, Limits, Now, WallTime};
use tokio::select;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout};

use super::begin::{Beginning, EarlierLedger, NodeFiles, Rewind, beginning};
use super::founding::Founding;
use super::key_work::{Sealing, open_accounts, with_messages};
use super::nats::StreamConnection;
use super::queue::{OrderQueue, StreamSequencer};
use crate::journal::{
    Database, DatabaseFailed, FileView, Tail, fill, rewind, stored_position, stored_snapshot,
};

/// The pause before another try.
const PAUSE: Duration = Duration::from_secs(1);

/// How long the next message may take: a node publishes something every second.
const NEXT_TIME: Duration = Duration::from_secs(5);

/// How long what waits for the file may take before it is set back.
const SET_BACK_TIME: Duration = Duration::from_secs(60);

/// How often the file may come to another state than other nodes while this node does not differ.
const DIFFERENCES_MAX: u32 = 3;

/// How many messages are written together.
const MESSAGES_AT_ONCE: usize = 128;

/// The capacity of a room's log that nobody reads.
const LOG: Capacity = Capacity { lines: 1, bytes: 1 };

/// The task that lets the file of this node catch up.
pub(crate) struct CatchUpTask {
    pub(crate) connection: StreamConnection,
    /// How the stream has begun.
    pub(crate) founded: Founding,
    pub(crate) view: Arc<FileView>,
    pub(crate) database: Database,
    /// How this node started, without its ledger.
    pub(crate) start: NodeStart,
    pub(crate) standing: watch::Receiver<Standing>,
    /// Notes whether the file has stopped.
    pub(crate) note_stopped: Box<dyn Fn(bool) + Send + Sync>,
}

/// The ledger of the file differs from those of other nodes.
#[derive(Debug, thiserror::Error)]
#[error("they have come to another state than other nodes")]
struct OtherState;

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
    /// `rewinds` are ledgers to which the file is set back, because it was written by a wrong one. They
    /// come first.
    ///
    /// # Errors
    /// The file comes to another state than other nodes several times. Any other failure is told,
    /// and followed by another try.
    pub(crate) async fn run(self, mut rewinds: mpsc::Receiver<Rewind>) -> anyhow::Result<()> {
        let mut differences = 0;
        loop {
            let mut rewind = select! {
                biased;
                Some(rewind) = rewinds.recv() => Some(rewind),
                () = self.view.stopped() => None,
            };
            (self.note_stopped)(true);
            if rewind.is_none() {
                rewind = self.catch_up_unless_set_back(&mut rewinds, &mut differences).await?;
            }
            if let Some(rewind) = rewind {
                differences = 0;
                self.set_back(rewind).await;
            }
        }
    }

    /// Lets the file catch up. Returns an earlier ledger to which it is to be set back, if that comes
    /// first.
    async fn catch_up_unless_set_back(
        &self,
        rewinds: &mut mpsc::Receiver<Rewind>,
        differences: &mut u32,
    ) -> anyhow::Result<Option<Rewind>> {
        select! {
            biased;
            Some(rewind) = rewinds.recv() => return Ok(Some(rewind)),
            () = self.view.until_written() => {} // so the disk works again
        }
        tracing::info!("the files of this node read what they have missed");
        let caught_up = select! {
            biased;
            Some(rewind) = rewinds.recv() => return Ok(Some(rewind)),
            caught_up = self.catch_up() => caught_up,
        };
        match caught_up {
            Ok(()) => {
                *differences = 0;
                (self.note_stopped)(false);
                tracing::info!("the files of this node have everything again");
            }
            Err(error) => {
                tracing::warn!("the files of this node do not catch up yet: {error:#}");
                self.view.stop();
                // If the node itself has stopped, the file is set back soon.
                let is_astray = matches!(*self.standing.borrow(), Standing::Astray(_));
                *differences += u32::from(error.is::<OtherState>() && !is_astray);
                ensure!(
                    *differences < DIFFERENCES_MAX,
                    "the files of this node have come to another state than the other nodes \
                     {DIFFERENCES_MAX} times; start it again, and it makes them anew from the stream"
                );
                sleep(PAUSE).await;
            }
        }
        Ok(None)
    }

    /// Sets the file back. Then it stands, and catches up from there.
    async fn set_back(&self, Rewind { to, is_whole, done }: Rewind) {
        let EarlierLedger { position, ledger } = to;
        self.view.stop();
        let written = timeout(SET_BACK_TIME, self.view.until_written()).await;
        let set_back = match written {
            Ok(()) => {
                let set_back = move |file: &mut _| rewind(file, (position, is_whole), &ledger);
                self.database.write(set_back).await
            }
            Err(_) => Err(DatabaseFailed),
        };
        done.send(set_back).ok(); // the node may be ending
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
            while let Ok(arrived) = timeout(NEXT_TIME, following.next()).await
                && let Some(message) = arrived?
            {
                // Without more behind it, the broadcaster is about as far.
                let is_last = message.behind == 0;
                is_near |= is_last;
                let from = is_near.then(|| self.view.offer(message.position)).flatten();
                let is_over = from.is_some_and(|from| message.position >= from);
                if from.is_none_or(|from| message.position <= from) {
                    reader.read(message.position, message.at, &message.bytes);
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
        let mut begun = beginning(&self.connection, &self.founded, Some(&files)).await?;
        open_accounts(&self.connection, &mut begun.ledger).await;
        let position = begun.position;
        if begun.misses_some {
            let ledger = with_messages(&self.connection, &begun.ledger).await;
            self.database.write(move |file| fill(file, position, &ledger)).await?;
        }
        Ok(OrderReader::new(begun, &self.connection, self.start.clone()))
    }
}

impl OrderReader {
    /// A reader for the file of this node. It compares its ledger only with those of other nodes.
    fn new(beginning: Beginning, connection: &StreamConnection, start: NodeStart) -> OrderReader {
        let Beginning { ledger, position, .. } = beginning;
        let seals = Sealing::new(connection, ledger.seals.last());
        let start = NodeStart { nonce: 0, bytes_max: 0, ledger, position, ..start };
        let limits = Limits { rooms: usize::MAX, log: LOG, logs_bytes: 0, ..Limits::default() };
        let order = Arc::new(OrderQueue::default());
        let sequencer = Box::new(StreamSequencer(Arc::clone(&order)));
        let broadcaster = Broadcaster::one_of_several(Arc::default(), limits, start, sequencer);
        OrderReader { broadcaster, order, seals, began: Instant::now(), position, messages: 0 }
    }

    /// The time for the broadcaster; lines have that of the order.
    fn now(&self) -> Now {
        Now { monotonic: self.began.elapsed(), wall: WallTime::default() }
    }

    /// Takes the next message.
    fn read(&mut self, position: u64, at: WallTime, bytes: &[u8]) {
        (self.position, self.messages) = (position, self.messages + 1);
        self.seals.arrive(position, at, bytes);
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
            ensure!(self.broadcaster.standing() == Standing::Starting, OtherState);
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
