//! Applies a part of the stream to a ledger. Knows no broadcaster.

use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use parlor_core::ledger::Ledger;
use parlor_wire::pack::proposal::{UnpackError, unpack};
use tokio::time::{sleep, timeout};

use super::nats::{NotFollowed, START_PAUSE, StreamConnection};

/// How long the next message may take before the stream is followed anew.
const NEXT_TIME: Duration = Duration::from_secs(5);

/// How many times in a row the stream may send nothing.
const TRIES_MAX: usize = 12;

/// How often the operator is told how far it is.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// Applies the messages behind the start of this range, up to its end.
///
/// # Errors
/// The stream is shorter, or cannot be read.
pub(super) async fn replay(
    connection: &StreamConnection,
    ledger: &mut Ledger,
    positions: Range<u64>,
) -> anyhow::Result<()> {
    let Range { start: mut applied, end: position } = positions;
    let (mut tries, mut told) = (0, Instant::now());
    while applied < position {
        ensure!(tries < TRIES_MAX, "the stream sends nothing behind message {applied}");
        tries += 1;
        let mut following = match connection.clone().follow(applied, None).await {
            Ok(following) => following,
            Err(NotFollowed::Later(error)) => {
                tracing::warn!(%error, "the stream cannot be read yet");
                sleep(START_PAUSE).await; // servers without a leader answer at once
                continue;
            }
            Err(lost) => bail!(lost),
        };
        while applied < position
            && let Ok(Some((message, _))) = timeout(NEXT_TIME, following.next()).await
        {
            (applied, tries) = (message.position, 0);
            match unpack(&message.bytes) {
                Ok(proposal) => ledger.follow(proposal, message.at),
                Err(UnpackError::NewerFormat(format)) => bail!(
                    "message {applied} of the stream has format {format}, which only a newer version of Parlor can read"
                ),
                Err(_) => {} // for every node alike
            }
            if told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                tracing::info!("message {applied} of {position} is applied");
            }
        }
    }
    Ok(())
}
