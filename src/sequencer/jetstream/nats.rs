//! The connection to servers of NATS, as far as one stream needs it. Knows no proposal.

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use async_nats::connection::State;
use async_nats::header::NATS_EXPECTED_LAST_SEQUENCE;
use async_nats::jetstream::Context;
use async_nats::jetstream::context::{ContextBuilder, PublishErrorKind};
use async_nats::jetstream::message;
use async_nats::jetstream::stream::{LastRawMessageError, LastRawMessageErrorKind};
use async_nats::{Client, ConnectError, ConnectOptions, Event, HeaderMap, Request, Subscriber};
use parlor_core::model::WallTime;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::cluster::{CONNECT_PAUSE, in_turn, leads};
use super::courier::Published;
use super::publish_answer::result_of;
use super::server_check::check_server;

/// How long a server may take to answer, and how often the connection is checked.
const ANSWER_TIME: Duration = Duration::from_secs(2);

/// How long the stream may take to answer a message. Then it is published again: a server that
/// leads no more does not answer.
const PUBLISH_TIME: Duration = Duration::from_secs(1);

/// How long servers may take to answer when a node starts, and the pause between two tries.
pub(super) const START_TIME: Duration = Duration::from_secs(30);
pub(super) const START_PAUSE: Duration = Duration::from_secs(1);

/// The number of events of the connection that may wait.
const EVENTS_MAX: usize = 64;

/// The subject of the order below the subjects of the stream; 0 is reserved for more of them.
pub(super) const ORDER: &str = "0";

/// The header of a message that was published again: when it first had its place, in milliseconds
/// since 1970. All nodes use this time, so that each entry has one time for good.
pub(super) const AT: &str = "Parlor-At";

/// A stream, and the connection to it. Clones share the connection.
#[derive(Clone, Debug)]
pub(crate) struct StreamConnection {
    pub(super) client: Client,
    pub(super) context: Context,
    /// The name of the stream.
    pub(super) stream: String,
    /// The beginning of the subjects of all its messages.
    pub(super) subjects: String,
    /// The beginning of the subjects of nodes.
    nodes: String,
}

/// A change of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkChange {
    Up,
    Down,
}

impl StreamConnection {
    /// Connects to one of these servers. Returns also the changes of the connection from then on.
    ///
    /// # Errors
    /// No server answers, or it is too old. The error says what to do.
    pub(crate) async fn connect(
        servers: &str,
        credentials: Option<&Path>,
        house: &str,
    ) -> anyhow::Result<(StreamConnection, mpsc::Receiver<LinkChange>)> {
        let (changed, changes) = mpsc::channel(EVENTS_MAX);
        let mut options = ConnectOptions::new()
            .name("parlor")
            .ping_interval(ANSWER_TIME)
            .connection_timeout(ANSWER_TIME)
            .request_timeout(Some(ANSWER_TIME))
            .reconnect_delay_callback(|tries| CONNECT_PAUSE * u32::from(tries > 1))
            .reconnect_to_server_callback(in_turn())
            .event_callback(move |event| {
                let change = match event {
                    Event::Connected => Some(LinkChange::Up),
                    Event::Disconnected | Event::Closed => Some(LinkChange::Down),
                    _ => None,
                };
                if let Some(change) = change {
                    changed.try_send(change).ok(); // the task reads the state, too
                }
                std::future::ready(())
            });
        if let Some(file) = credentials {
            options = options.credentials_file(file).await.with_context(|| {
                format!("cannot read the credentials in {}; check --nats-creds", file.display())
            })?;
        }
        let servers: Vec<&str> = servers.split(',').collect();
        let client = match first_connection(options, &servers).await {
            Err(error) if is_refusal(&error) => {
                bail!("NATS refuses this server; check --nats-creds");
            }
            outcome => outcome.with_context(|| {
                format!("no server of NATS answers at {}; check --nats", servers.join(", "))
            })?,
        };
        check_server(&client)?;
        let context = ContextBuilder::new().timeout(ANSWER_TIME).build(client.clone());
        let stream = format!("PARLOR-{house}");
        let (subjects, nodes) = (format!("parlor.{house}"), format!("parlor-nodes.{house}"));
        Ok((StreamConnection { client, context, stream, subjects, nodes }, changes))
    }

    /// The subject of the node whose process has this random number. It is outside the stream.
    pub(super) fn node_subject(&self, nonce: u64) -> String {
        format!("{}.{nonce:016x}", self.nodes)
    }

    /// The beginning of the subjects of snapshots. It is outside the stream.
    pub(super) fn snapshot_subjects(&self) -> String {
        self.subjects.replacen("parlor.", "parlor-snapshots.", 1)
    }

    /// The name of the stream of keys.
    pub(super) fn key_stream(&self) -> String {
        format!("{}-KEYS", self.stream)
    }

    /// The beginning of the subjects of keys. It is outside the stream.
    pub(super) fn key_subjects(&self) -> String {
        self.subjects.replacen("parlor.", "parlor-keys.", 1)
    }

    /// A subject of the stream, without its beginning.
    pub(super) fn below<'a>(&self, subject: &'a str) -> &'a str {
        let below = subject.strip_prefix(self.subjects.as_str());
        below.and_then(|below| below.strip_prefix('.')).unwrap_or(subject)
    }

    /// Connects to another server.
    pub(super) async fn reconnect(&self) {
        self.client.force_reconnect().await.ok(); // without an effect while it closes
    }

    /// The largest message that the servers take, in bytes.
    pub(crate) fn bytes_max(&self) -> usize {
        self.client.max_payload()
    }

    /// Publishes a message below the subjects of the stream.
    pub(super) fn publish(
        &self,
        subject: &str,
        bytes: Vec<u8>,
    ) -> impl Future<Output = Published> + Send + use<> {
        let published = self.publish_at(format!("{}.{subject}", self.subjects), bytes);
        async { published.await.0 }
    }

    /// Publishes a message with this subject. Returns also the number that its stream has given it.
    pub(super) fn publish_at(
        &self,
        subject: String,
        bytes: Vec<u8>,
    ) -> impl Future<Output = (Published, Option<u64>)> + Send + use<> {
        let client = self.client.clone();
        let is_connected = self.is_connected();
        async move {
            if !is_connected {
                sleep(CONNECT_PAUSE).await; // a copy in the client's buffer would come late
                return (Published::Unknown, None);
            }
            let request = Request::new().payload(bytes.into());
            let answer = timeout(PUBLISH_TIME, client.send_request(subject, request)).await;
            let Ok(Ok(answer)) = answer else {
                return (Published::Unknown, None);
            };
            result_of(&answer.payload)
        }
    }

    /// Publishes a message behind the one at this position, which must be the last. Waits until it
    /// is on its way. The answer says whether it has its place.
    ///
    /// # Errors
    /// Nobody knows whether the stream has it.
    pub(super) async fn publish_behind(
        &self,
        position: u64,
        subject: &str,
        bytes: Vec<u8>,
        at: Option<WallTime>,
    ) -> anyhow::Result<impl Future<Output = anyhow::Result<bool>> + Send + use<>> {
        let mut headers = HeaderMap::new();
        headers.insert(NATS_EXPECTED_LAST_SEQUENCE, position.to_string());
        if let Some(at) = at {
            headers.insert(AT, at.0.to_string());
        }
        let subject = format!("{}.{subject}", self.subjects);
        let answer = self.context.publish_with_headers(subject, headers, bytes.into()).await?;
        Ok(async move {
            match answer.await {
                Ok(_) => Ok(true),
                Err(error) if matches!(error.kind(), PublishErrorKind::WrongLastSequence) => {
                    Ok(false)
                }
                Err(error) => Err(error.into()),
            }
        })
    }

    /// Tells all nodes something, whose bytes these are, outside the stream.
    pub(super) async fn tell_nodes(&self, bytes: Vec<u8>) {
        // Without a connection, the next comparison says it again.
        self.client.publish(self.all_nodes(), bytes.into()).await.ok();
    }

    /// The messages of nodes to all others.
    ///
    /// # Errors
    /// The connection is closed.
    pub(super) async fn told(&self) -> anyhow::Result<Subscriber> {
        Ok(self.client.subscribe(self.all_nodes()).await?)
    }

    /// The subject of all nodes.
    fn all_nodes(&self) -> String {
        format!("{}.all", self.nodes)
    }

    /// Whether the connection stands.
    pub(super) fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// The bytes of the message at a position, from the leader of the stream; none if it was
    /// deleted, or was never there.
    ///
    /// # Errors
    /// The stream does not answer.
    pub(super) async fn message(&self, position: u64) -> anyhow::Result<Option<Vec<u8>>> {
        let stream = self.context.get_stream_no_info(&self.stream).await?;
        let message = if_there(stream.get_raw_message(position).await)?;
        Ok(message.map(|message| message.payload.to_vec()))
    }

    /// The position of the last message.
    ///
    /// # Errors
    /// The stream does not answer, or it is not sure that the server which does leads it.
    pub(super) async fn last(&self) -> anyhow::Result<u64> {
        let stream = self.context.get_stream_no_info(&self.stream).await?;
        let info = stream.get_info().await?;
        ensure!(
            info.cluster.as_ref().is_none_or(leads),
            "the server that answers does not lead the stream, or not for sure"
        );
        Ok(info.state.last_sequence)
    }

    /// The position of the last message that was not deleted; 0 if there is none.
    ///
    /// # Errors
    /// The stream does not answer.
    pub(super) async fn last_there(&self) -> anyhow::Result<u64> {
        let stream = self.context.get_stream_no_info(&self.stream).await?;
        let subjects = format!("{}.>", self.subjects);
        let message = if_there(stream.get_last_raw_message_by_subject(&subjects).await)?;
        Ok(message.map_or(0, |message| message.sequence))
    }

    /// The same connection, where the stream may take this time for each answer.
    pub(super) fn with_patience(mut self, patience: Duration) -> StreamConnection {
        self.context = ContextBuilder::new().timeout(patience).build(self.client.clone());
        self
    }

    /// The position of the first message of the order; none if there is none.
    ///
    /// # Errors
    /// The stream does not answer.
    pub(super) async fn first(&self) -> anyhow::Result<Option<u64>> {
        let stream = self.context.get_stream_no_info(&self.stream).await?;
        let subject = format!("{}.{ORDER}", self.subjects);
        let message = if_there(stream.get_next_raw_message_by_subject(subject).await)?;
        Ok(message.map(|message| message.sequence))
    }

    /// Deletes the messages of the order before a position.
    ///
    /// # Errors
    /// The stream does not answer.
    pub(super) async fn purge(&self, position: u64) -> anyhow::Result<()> {
        let stream = self.context.get_stream_no_info(&self.stream).await?;
        let subject = format!("{}.{ORDER}", self.subjects);
        stream.purge().sequence(position).filter(subject).await?;
        Ok(())
    }
}

/// The message that a stream was asked for; none if it has no such message.
///
/// # Errors
/// The stream does not answer.
pub(super) fn if_there(
    answer: Result<message::StreamMessage, LastRawMessageError>,
) -> Result<Option<message::StreamMessage>, LastRawMessageError> {
    match answer {
        Ok(message) => Ok(Some(message)),
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a server has answered that this client may not connect.
fn is_refusal(error: &ConnectError) -> bool {
    use async_nats::ConnectErrorKind as Kind;
    matches!(error.kind(), Kind::Authentication | Kind::AuthorizationViolation)
}

/// Connects, as soon as a server answers. A server that refuses this client is not asked again.
async fn first_connection(
    options: ConnectOptions,
    servers: &[&str],
) -> Result<Client, ConnectError> {
    use async_nats::ConnectErrorKind as Kind;
    let began = Instant::now();
    loop {
        match options.clone().connect(servers).await {
            Err(error)
                if matches!(error.kind(), Kind::Io | Kind::TimedOut | Kind::Dns)
                    && began.elapsed() < START_TIME =>
            {
                tracing::warn!("no server of NATS answers, trying again: {error}");
                sleep(START_PAUSE).await;
            }
            outcome => return outcome,
        }
    }
}
