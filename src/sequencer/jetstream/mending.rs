//! Looks at the stream, and publishes again what it has lost. Decides nothing.

use std::collections::VecDeque;

use anyhow::ensure;

use super::nats::StreamConnection;
use super::streams::exists;
use super::verdict::{DELETED, FILLER, Look};
use crate::journal::Tail;

/// How many messages are looked for that the stream still has: others were deleted from it.
const COMPARED_MAX: usize = 64;

/// How many messages may be on their way.
const UNDER_WAY_MAX: usize = 64;

/// The result of work on the stream.
pub(super) enum Mended {
    /// A look; none if the stream did not answer.
    Looked(Option<Look>),
    /// There is no stream to look at.
    NoStream,
    /// Whether all messages are published again.
    Restored(bool),
}

/// Looks at the stream for a courier.
pub(super) async fn begin_to_look(
    connection: StreamConnection,
    tail: Tail,
    position: u64,
) -> Mended {
    match look(&connection, &tail, position).await {
        Ok(look) => Mended::Looked(Some(look)),
        Err(error) => {
            tracing::debug!(%error, "no look");
            match exists(&connection, &connection.stream).await {
                Ok(false) => Mended::NoStream,
                _ => Mended::Looked(None),
            }
        }
    }
}

/// Publishes messages again for a courier.
pub(super) async fn begin_to_restore(
    connection: StreamConnection,
    tail: Tail,
    (after, last): (u64, u64),
) -> Mended {
    tracing::warn!(
        "the stream has lost the messages behind number {after}; this node publishes them again, up \
         to number {last}"
    );
    let restored = restore(connection, tail, (after, last)).await;
    match &restored {
        Ok(()) => tracing::warn!("the stream has all messages again"),
        Err(error) => tracing::warn!(%error, "not all messages are published again"),
    }
    Mended::Restored(restored.is_ok())
}

/// Says in the stream, for a courier, that the messages behind `after` and up to `last`, its end, are
/// no part of the order.
pub(super) async fn begin_to_pass_over(
    connection: StreamConnection,
    (after, last): (u64, u64),
) -> Mended {
    tracing::warn!(
        "the messages behind number {after}, up to {last}, were deleted at the end of the stream; no \
         live node has read them, and all nodes pass them over"
    );
    let first = (after + 1).to_string().into_bytes();
    let published = async { connection.publish_behind(last, DELETED, first, None).await?.await };
    let published = published.await;
    let told = published.inspect_err(|error| tracing::warn!(%error, "the stream does not know it"));
    Mended::Restored(told.unwrap_or(false))
}

/// Looks at the stream, and compares it with the messages up to this position.
///
/// # Errors
/// The stream does not answer, or the messages cannot be read.
pub(super) async fn look(
    connection: &StreamConnection,
    tail: &Tail,
    position: u64,
) -> anyhow::Result<Look> {
    let last = connection.last().await?;
    let there = connection.last_there().await?.min(last);
    let end = position.min(last);
    let first = end.saturating_sub(COMPARED_MAX as u64 - 1);
    let own = tail.range((first, end), COMPARED_MAX).await?;
    let (mut differs, mut begins) = (None, None);
    let mut is_there = false;
    for message in own.iter().rev() {
        if let Some(bytes) = connection.message(message.position).await? {
            is_there = true;
            differs = (*bytes != *message.bytes).then_some(message.position);
            break;
        }
    }
    if !is_there && position < last {
        begins = connection.first().await?.filter(|first| *first > position + 1);
    }
    Ok(Look { last, there, after: tail.after().await?, differs, begins })
}

/// Publishes the messages behind `after` again, up to `last`. Each goes only into its old place.
///
/// # Errors
/// The stream has another message there, or does not answer.
async fn restore(
    connection: StreamConnection,
    tail: Tail,
    (after, last): (u64, u64),
) -> anyhow::Result<()> {
    let mut under_way = VecDeque::new();
    let mut next = after + 1;
    while next <= last {
        let some = tail.range((next, last), UNDER_WAY_MAX).await?;
        let end = some.last().filter(|_| some.len() == UNDER_WAY_MAX);
        let end = end.map_or(last, |message| message.position);
        let mut some = some.into_iter().peekable();
        for position in next..=end {
            let message = some.next_if(|message| message.position == position);
            let (subject, bytes, at) = match &message {
                Some(message) => (&*message.subject, message.bytes.to_vec(), Some(message.at)),
                None => (FILLER, Vec::new(), None),
            };
            let published = connection.publish_behind(position - 1, subject, bytes, at).await?;
            under_way.push_back((position, published));
            if under_way.len() >= UNDER_WAY_MAX
                && let Some((position, published)) = under_way.pop_front()
            {
                ensure!(published.await?, "another message has position {position}");
            }
        }
        next = end + 1;
    }
    for (position, published) in under_way {
        ensure!(published.await?, "another message has position {position}");
    }
    Ok(())
}
