//! Follows a stream, and notices messages that are missing. Knows no proposal.

use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull, push};
use async_nats::{StatusCode, Subscriber};
use futures_util::StreamExt as _;
use parlor_core::model::WallTime;

use super::courier::StreamMessage;
use super::nats::{AT, ORDER, StreamConnection, if_there};
use super::verdict::{DELETED, StreamGone};

/// How often the server says that a consumer is there, while it has nothing to send.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// A consumer that nobody listens to is deleted after this time.
const CONSUMER_LIFE: Duration = Duration::from_secs(30);

/// A consumer that only counts is deleted after this time.
const COUNTING_LIFE: Duration = Duration::from_secs(1);

/// Messages of a stream, without gaps.
pub(super) struct Subscription {
    subscriber: Subscriber,
    /// The number of the last message of this consumer.
    last: u64,
    /// The position of the last message, or the one behind which it began.
    position: u64,
    /// The position of the last message of the order, or the one behind which it began.
    read: u64,
    connection: StreamConnection,
}

impl StreamConnection {
    /// Follows the stream behind the message at this position.
    ///
    /// # Errors
    /// The stream does not answer.
    pub(super) async fn follow(self, after: u64) -> anyhow::Result<Subscription> {
        let inbox = self.client.new_inbox();
        let subscriber = self.client.subscribe(inbox.clone()).await?;
        let config = push::Config {
            deliver_subject: inbox,
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: after + 1 },
            ack_policy: AckPolicy::None,
            flow_control: true,
            idle_heartbeat: HEARTBEAT,
            inactive_threshold: CONSUMER_LIFE,
            memory_storage: true,
            num_replicas: 1,
            ..push::Config::default()
        };
        self.context.create_consumer_on_stream(config, &self.stream).await?;
        let (position, read) = (after, after);
        Ok(Subscription { subscriber, last: 0, position, read, connection: self })
    }

    /// Whether messages behind a position are missing, and later ones are there. If the stream grows
    /// meanwhile, a gap may not be noticed.
    ///
    /// # Errors
    /// The stream does not answer.
    pub(super) async fn has_gap_behind(&self, position: u64) -> anyhow::Result<bool> {
        let last = self.last_there().await?;
        let config = pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: position + 1 },
            ack_policy: AckPolicy::None,
            inactive_threshold: COUNTING_LIFE,
            memory_storage: true,
            num_replicas: 1,
            ..pull::Config::default()
        };
        let counting = self.context.create_consumer_on_stream(config, &self.stream).await?;
        let deleted = self.deleted_behind(position).await?;
        Ok(position + counting.cached_info().num_pending + deleted < last)
    }

    /// How many messages behind a position were deleted before any node had read them.
    async fn deleted_behind(&self, position: u64) -> anyhow::Result<u64> {
        let stream = self.context.get_stream_no_info(&self.stream).await?;
        let subject = format!("{}.{DELETED}", self.subjects);
        let (mut deleted, mut next) = (0, position + 1);
        while let Some(said) =
            if_there(stream.get_first_raw_message_by_subject(&subject, next).await)?
        {
            let first = position_in(&said.payload).unwrap_or(u64::MAX);
            deleted += said.sequence.saturating_sub(first.max(position + 1));
            next = said.sequence + 1;
        }
        Ok(deleted)
    }
}

impl Subscription {
    /// The next message. None if messages are missing: a new subscription gets them.
    ///
    /// # Errors
    /// Messages before it are missing for good: they were deleted from the beginning of the order, or
    /// the stream has a gap. A node that passes over a gap has another state than those that have read
    /// what was there.
    pub(super) async fn next(&mut self) -> Result<Option<StreamMessage>, StreamGone> {
        let Some(message) = self.next_there().await else {
            return Ok(None);
        };
        let position = message.position;
        let expected = self.position + 1;
        let deleted = first_deleted(&message);
        if let Some(first) = deleted.filter(|first| *first <= self.read) {
            // Unless it is a stray one, this node has read what all others pass over.
            match self.connection.message(position - 1).await {
                Ok(None) => return Err(StreamGone::Differs(first)),
                Ok(Some(_)) => {}
                Err(_) => return Ok(None),
            }
        }
        if position > expected && deleted != Some(expected) {
            let Ok(first) = self.connection.first().await else {
                return Ok(None);
            };
            let first = first.unwrap_or(position);
            return Err(match first > expected {
                true => StreamGone::Deleted(first),
                false => StreamGone::Gap(expected),
            });
        }
        self.position = position;
        if &*message.subject == ORDER {
            self.read = position;
        }
        Ok(Some(message))
    }

    /// The next message that the stream still has.
    async fn next_there(&mut self) -> Option<StreamMessage> {
        loop {
            let message = self.subscriber.next().await?;
            if message.status == Some(StatusCode::IDLE_HEARTBEAT) {
                let header = |name| message.headers.as_ref()?.get(name).map(|it| it.to_string());
                let stalled = header("Nats-Consumer-Stalled");
                let reply = message.reply.as_ref().map(ToString::to_string);
                for subject in reply.into_iter().chain(stalled) {
                    // Tells the server that everything before it has arrived.
                    self.connection.client.publish(subject, Vec::new().into()).await.ok();
                }
                let last = header("Nats-Last-Consumer").and_then(|last| last.parse().ok());
                if last.is_some_and(|last: u64| last != self.last) {
                    return None;
                }
                continue;
            }
            if message.status.is_some() {
                continue;
            }
            let context = self.connection.context.clone();
            let message = jetstream::Message { message, context };
            let info = message.info().ok()?;
            if info.consumer_sequence != self.last + 1 {
                return None;
            }
            self.last = info.consumer_sequence;
            let at = info.published.unix_timestamp_nanos() / 1_000_000;
            let first_at = message.headers.as_ref().and_then(|headers| headers.get(AT));
            let first_at = first_at.and_then(|at| at.as_str().parse().ok());
            let at = first_at.unwrap_or_else(|| i64::try_from(at).unwrap_or(i64::MAX));
            let message = StreamMessage {
                position: info.stream_sequence,
                at: WallTime(at),
                subject: self.connection.below(&message.subject).into(),
                bytes: message.payload.as_ref().into(),
                behind: info.pending,
            };
            return Some(message);
        }
    }
}

/// The first message that was deleted before any node had read it, if this one says so.
fn first_deleted(message: &StreamMessage) -> Option<u64> {
    position_in(&message.bytes).filter(|_| &*message.subject == DELETED)
}

/// The position in the content of a message.
fn position_in(bytes: &[u8]) -> Option<u64> {
    str::from_utf8(bytes).ok()?.parse().ok()
}
