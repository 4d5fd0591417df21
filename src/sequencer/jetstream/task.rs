//! The task of the stream: it does what the courier decides, and hands the order to the
//! broadcaster. Decides nothing.

use std::future::pending;
use std::iter::from_fn;
use std::mem::replace;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_nats::Message;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use parlor_core::link::Inbox;
use parlor_wire::pack::reach::{pack, unpack};
use tokio::select;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

use super::courier::{Courier, CourierStep, Published, StreamCounts, StreamMessage};
use super::key_work::KeyWork;
use super::mending::{Mended, begin_to_look, begin_to_pass_over, begin_to_restore};
use super::nats::{LinkChange, ORDER, StreamConnection};
use super::queue::OrderQueue;
use super::sealer::{KeyReport, Sealer};
use super::subscription::Subscription;
use crate::journal::{RawMessage, Tail};
use crate::telemetry::{Metrics, Told};

/// The pause before the stream is followed again after a failure.
const FOLLOW_PAUSE: Duration = Duration::from_millis(250);

/// How long each answer may take when the stream is followed. After each failure it is twice as long,
/// up to the second time: while servers choose a leader they do not answer, and busy ones answer
/// late.
const FOLLOW_PATIENCE: Duration = Duration::from_secs(1);
const PATIENCE_DOUBLED_MAX: u32 = 2;

/// A future of something that the task waits for.
type Waiting<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The task, with everything that it owns.
pub(crate) struct SequencerTask {
    connection: StreamConnection,
    changes: mpsc::Receiver<LinkChange>,
    queue: Arc<OrderQueue>,
    inbox: Arc<Inbox>,
    courier: Courier,
    sealer: Sealer,
    keys: KeyWork,
    /// The latest messages that have arrived.
    tail: Tail,
    /// The tries to publish that have no answer yet.
    tries: FuturesUnordered<Waiting<(u64, Published)>>,
    inflow: Inflow,
    /// How many times in a row the stream could not be followed.
    failures: u32,
    /// Looks at the stream, and the messages that are published again.
    mending: FuturesUnordered<Waiting<Mended>>,
    told: Told<Trouble>,
    /// The counts so far.
    counted: StreamCounts,
    began: Instant,
}

/// A trouble with the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    /// The connection is lost.
    Disconnected,
    /// Nothing comes back.
    Silent,
    /// There is no stream with this name.
    NoStream,
    /// It has no space.
    Full,
    /// It has messages that no node has published.
    Foreign,
}

/// The way from the stream to this node.
enum Inflow {
    /// There is none.
    None,
    /// It is being made.
    Making(Waiting<anyhow::Result<Subscription>>),
    Open(Box<Subscription>),
}

/// An event for the courier.
enum TaskEvent {
    Link(Option<LinkChange>),
    Offered,
    Published(u64, Published),
    Key(KeyReport),
    Followed(Box<anyhow::Result<Subscription>>),
    Arrived(anyhow::Result<Option<StreamMessage>>),
    Mended(Mended),
    Told(Option<Message>),
    Due,
}

impl SequencerTask {
    /// The task of a node that has applied the order up to the position of this courier, and knows
    /// keys of seals up to this number.
    pub(crate) fn new(
        (connection, changes): (StreamConnection, mpsc::Receiver<LinkChange>),
        queue: Arc<OrderQueue>,
        inbox: Arc<Inbox>,
        (courier, tail, last_key): (Courier, Tail, u64),
    ) -> SequencerTask {
        SequencerTask {
            keys: KeyWork::new(&connection),
            sealer: Sealer::new(last_key),
            connection,
            changes,
            queue,
            inbox,
            courier,
            tail,
            tries: FuturesUnordered::new(),
            inflow: Inflow::None,
            failures: 0,
            mending: FuturesUnordered::new(),
            told: Told::default(),
            counted: StreamCounts::default(),
            began: Instant::now(),
        }
    }

    /// Runs until the stream cannot be followed any more, and counts what it does.
    ///
    /// # Errors
    /// The stream has lost messages, or has messages of a newer program.
    pub(crate) async fn run(mut self, metrics: Arc<Metrics>) -> anyhow::Result<()> {
        let mut told = self.connection.told().await?;
        self.courier.connected(self.now());
        self.sealer.connected(self.now());
        loop {
            while let Some(step) = self.courier.next_step() {
                self.take_step(step).await;
            }
            while let Some(step) = self.sealer.next_step() {
                self.keys.begin(step);
            }
            let due = self.courier.due().into_iter().chain(self.sealer.due()).min();
            let due = due.map(|due| self.began + due);
            let event = select! {
                biased;
                change = self.changes.recv() => TaskEvent::Link(change),
                () = self.queue.offered.notified() => TaskEvent::Offered,
                Some((number, published)) = self.tries.next() => {
                    TaskEvent::Published(number, published)
                }
                Some(report) = self.keys.next() => TaskEvent::Key(report),
                Some(mended) = self.mending.next() => TaskEvent::Mended(mended),
                message = told.next() => TaskEvent::Told(message),
                event = next(&mut self.inflow, &self.queue), if !self.sealer.is_full() => event,
                () = at(due) => TaskEvent::Due,
            };
            self.take(event)?;
            self.hand_over(&metrics);
            if self.courier.waits_to_apply()
                && self.sealer.has_opened_all()
                && self.queue.is_all_applied()
            {
                self.courier.all_applied(self.now())?;
            }
        }
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Tells and counts what has gone wrong.
    fn count(&mut self, metrics: &Metrics) {
        let counts = self.courier.counts();
        let before = replace(&mut self.counted, counts);
        metrics.node.followed(self.courier.position(), counts.behind);
        metrics.node.repeated(counts.repeats, counts.anew);
        metrics.node.passed_over(counts.foreign, counts.refused);
        if counts.refused > before.refused && self.told.is_due(Trouble::Full) {
            tracing::warn!(
                "the stream in NATS has no space, so messages are not sent; give it more space, or \
                 shorten --retain"
            );
        }
        if counts.foreign > before.foreign && self.told.is_due(Trouble::Foreign) {
            tracing::warn!(
                position = self.courier.position(),
                "a message of the stream is not one of a node, and is passed over; check who may publish \
                 into the stream"
            );
        }
    }

    async fn take_step(&mut self, step: CourierStep) {
        match step {
            CourierStep::Publish { number, bytes } => {
                let published = self.connection.publish(ORDER, bytes);
                self.tries.push(Box::pin(async move { (number, published.await) }));
            }
            CourierStep::Follow { after } => {
                self.failures = 0;
                self.follow(after, Duration::ZERO);
            }
            CourierStep::Look { position } => {
                let (connection, tail) = (self.connection.clone(), self.tail.clone());
                self.mending.push(Box::pin(begin_to_look(connection, tail, position)));
            }
            CourierStep::Say(reach) => {
                if let Ok(bytes) = pack(&reach) {
                    self.connection.tell_nodes(bytes).await;
                }
            }
            CourierStep::Restore { after, last } => {
                let (connection, tail) = (self.connection.clone(), self.tail.clone());
                self.mending.push(Box::pin(begin_to_restore(connection, tail, (after, last))));
            }
            CourierStep::PassOver { after, last } => {
                let connection = self.connection.clone();
                self.mending.push(Box::pin(begin_to_pass_over(connection, (after, last))));
            }
            CourierStep::Reconnect => {
                if self.told.is_due(Trouble::Silent) {
                    tracing::warn!("nothing comes back from the stream in NATS; connecting anew");
                }
                self.connection.reconnect().await;
            }
        }
    }

    /// Takes an event in.
    ///
    /// # Errors
    /// The stream cannot be followed any more.
    fn take(&mut self, event: TaskEvent) -> anyhow::Result<()> {
        let now = self.now();
        match event {
            TaskEvent::Link(Some(LinkChange::Up)) => {
                tracing::info!("connected to a server of NATS");
                self.courier.connected(now);
                self.sealer.connected(now);
            }
            TaskEvent::Link(_) => {
                if self.told.is_due(Trouble::Disconnected) {
                    tracing::warn!("the connection to NATS is lost; connecting again");
                }
                self.inflow = Inflow::None;
                self.courier.disconnected();
                self.sealer.disconnected();
            }
            TaskEvent::Offered => {
                if let Some(live) = self.queue.take_live() {
                    self.courier.note_live(live);
                }
                if let Some(proposal) = self.queue.take_offered() {
                    self.sealer.offer(proposal, now);
                }
                if let Some(keys) = self.queue.take_needless_keys() {
                    self.sealer.erase(&keys);
                }
            }
            TaskEvent::Published(number, published) => {
                self.courier.published(number, published, now);
            }
            TaskEvent::Key(report) => self.sealer.report(report, now),
            TaskEvent::Followed(followed) => match *followed {
                Ok(subscription) => self.inflow = Inflow::Open(Box::new(subscription)),
                Err(error) => self.follow_later(&error),
            },
            TaskEvent::Mended(Mended::Looked(look)) => self.courier.looked(look, now)?,
            TaskEvent::Mended(Mended::NoStream) => {
                if self.told.is_due(Trouble::NoStream) {
                    let stream = &self.connection.stream;
                    tracing::error!(
                        "the stream {stream} does not exist in NATS; restore its backup"
                    );
                }
                self.courier.looked(None, now)?;
            }
            TaskEvent::Mended(Mended::Restored(is_done)) => self.courier.restored(is_done, now),
            TaskEvent::Told(message) => {
                let message = message.context("the connection to NATS is closed")?;
                if let Ok(reach) = unpack(&message.payload) {
                    self.courier.heard(reach, now)?;
                }
            }
            TaskEvent::Arrived(arrived) => match arrived? {
                Some(message) => {
                    if message.position > self.courier.position() {
                        self.tail.push(raw(&message));
                    }
                    self.courier.arrived(message, now);
                }
                None => {
                    self.inflow = Inflow::None;
                    self.courier.lost_subscription(now);
                }
            },
            TaskEvent::Due => {
                self.courier.tick(now)?;
                self.sealer.tick(now);
            }
        }
        if let Some(proposal) = self.sealer.next_sealed() {
            self.courier.offer(&proposal, now);
        }
        Ok(())
    }

    fn follow_later(&mut self, error: &anyhow::Error) {
        tracing::debug!(%error, "the stream cannot be followed yet");
        self.failures += 1;
        self.follow(self.courier.position(), FOLLOW_PAUSE);
    }

    /// Begins to follow the stream behind a position, after a pause.
    fn follow(&mut self, after: u64, pause: Duration) {
        let patience = FOLLOW_PATIENCE * 2_u32.pow(self.failures.min(PATIENCE_DOUBLED_MAX));
        let connection = self.connection.clone().with_patience(patience);
        self.inflow = Inflow::Making(Box::pin(async move {
            sleep(pause).await;
            connection.follow(after).await
        }));
    }

    /// Hands over everything that is for the broadcaster.
    fn hand_over(&mut self, metrics: &Metrics) {
        let mut is_new = false;
        let now = self.now();
        while let Some(decided) = self.courier.next_decided() {
            self.sealer.arrive(decided, now);
        }
        while let Some(decided) = self.sealer.next_opened() {
            self.queue.decide(decided);
            is_new = true;
        }
        let refused = || self.courier.next_refused().or_else(|| self.sealer.next_refused());
        for id in from_fn(refused) {
            self.queue.refuse(id);
            is_new = true;
        }
        while let Some(key) = self.sealer.next_erased() {
            self.queue.erased(key); // the broadcaster asks for it soon
        }
        if is_new {
            self.inbox.bell().ring();
        }
        self.count(metrics);
        while let Some(time) = self.courier.next_time() {
            metrics.node.came_back(time);
        }
    }
}

/// A message as this node keeps it.
fn raw(message: &StreamMessage) -> RawMessage {
    let StreamMessage { position, at, subject, bytes, .. } = message.clone();
    RawMessage { position, at, subject, bytes }
}

/// The next event of the way from the stream. Nothing is read while the broadcaster has enough to
/// do.
async fn next(inflow: &mut Inflow, queue: &OrderQueue) -> TaskEvent {
    match inflow {
        Inflow::None => pending().await,
        Inflow::Making(following) => TaskEvent::Followed(Box::new(following.await)),
        Inflow::Open(subscription) => {
            while queue.is_full() {
                queue.taken.notified().await;
            }
            TaskEvent::Arrived(subscription.next().await.map_err(Into::into))
        }
    }
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => pending().await,
    }
}
