//! The beginning of a stream: the first node makes it and names the log; the others read that name.

use anyhow::Context;
pub(crate) use parlor_wire::pack::founding::Founding;
use parlor_wire::pack::founding::{pack, unpack};
use tokio::time::{Instant, sleep};

use super::nats::{START_PAUSE, START_TIME, StreamConnection};
use super::streams::{exists, make};

/// The subject of the first message.
const SUBJECT: &str = "founded";

/// Makes the stream, unless it is there, and begins it with a name for the log, unless it has begun:
/// with that of `log_of_past`, if this node has stored something before.
///
/// # Errors
/// The stream cannot be made or read, or what was stored cannot be. The error says why.
pub(crate) async fn found(
    connection: &StreamConnection,
    log_of_past: impl Fn() -> anyhow::Result<Option<String>>,
) -> anyhow::Result<Founding> {
    let stream = &connection.stream;
    let cannot = || format!("cannot make or open the stream {stream} in NATS");
    let mut past = None;
    if !patiently(|| exists(connection, stream)).await.with_context(cannot)? {
        // The file of a node is refused before there is a stream, which would be in the way of a backup.
        past = Some(log_of_past()?);
    }
    let order = (stream.as_str(), connection.subjects.as_str());
    patiently(|| make(connection, order)).await.with_context(cannot)?;
    let (keys, subjects) = (connection.key_stream(), connection.key_subjects());
    patiently(|| make(connection, (&keys, &subjects)))
        .await
        .with_context(|| format!("cannot make or open the stream {keys} in NATS"))?;
    let mut first = patiently(|| connection.message(1)).await.with_context(cannot)?;
    if first.is_none() {
        let past = past.map_or_else(log_of_past, Ok)?;
        let new = pack(&founding(past)?).context("the name of the log is too long")?;
        let begin =
            || async { connection.publish_behind(0, SUBJECT, new.clone(), None).await?.await };
        if patiently(begin).await.with_context(cannot)? {
            tracing::info!(stream, "the stream has begun");
        }
        first = patiently(|| connection.message(1)).await.with_context(cannot)?;
    }
    let is_foreign = || format!("the stream {stream} is not one of Parlor; choose another --house");
    unpack(&first.with_context(is_foreign)?).with_context(is_foreign)
}

fn founding(log_of_past: Option<String>) -> anyhow::Result<Founding> {
    if let Some(log) = log_of_past {
        return Ok(Founding { log, has_past: true });
    }
    let log = getrandom::u64().context("the system gives no random number")?;
    Ok(Founding { log: format!("{log:016x}"), has_past: false })
}

/// Tries something again for a while: servers that start need a few seconds to choose a leader.
pub(super) async fn patiently<T, F>(what: impl Fn() -> F) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<T>>,
{
    let began = Instant::now();
    loop {
        match what().await {
            Err(error) if began.elapsed() < START_TIME => {
                tracing::warn!("NATS is not ready, trying again: {error}");
                sleep(START_PAUSE).await;
            }
            outcome => return outcome,
        }
    }
}
