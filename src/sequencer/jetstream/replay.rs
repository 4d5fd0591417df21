//! Applies a part of the stream to a ledger. Knows no broadcaster.

use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use parlor_core::ledger::Ledger;
use parlor_core::model::Format;
use parlor_wire::pack::NEWEST;
use tokio::time::{sleep, timeout};

use super::nats::{START_PAUSE, StreamConnection};
use super::verdict::{Look, StreamGone, TooOld, proposal_of};
use crate::journal::Tail;

/// How long the next message may take before the stream is followed anew.
const NEXT_TIME: Duration = Duration::from_secs(5);

/// How many times in a row the stream may send nothing.
const TRIES_MAX: usize = 12;

/// How often the operator is told how far it is.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// How many of its own messages a node reads together.
const OWN_MAX: usize = 256;

/// Applies the messages behind the start of this range, up to its end: from the stream, and if that
/// has lost some, from those that came here before. `found` is a look at the end of the range.
///
/// # Errors
/// The messages cannot be read, or some are neither here nor there, or were deleted meanwhile.
pub(super) async fn replay(
    connection: &StreamConnection,
    (found, tail): (Look, &Tail),
    ledger: &mut Ledger,
    positions: Range<u64>,
) -> anyhow::Result<()> {
    let Range { start: mut applied, end: position } = positions;
    found.differs.map_or(Ok(()), |differs| Err(StreamGone::Differs(differs)))?;
    let mut end = position.min(found.there);
    let mut apply = |position, at, bytes: &[u8]| {
        proposal_of(bytes).into_iter().for_each(|proposal| ledger.follow(proposal, at));
        let Format(format) = ledger.format();
        if format > NEWEST.0 { Err(TooOld { position, format }) } else { Ok(()) }
    };
    let (mut tries, mut told) = (0, Instant::now());
    while applied < end {
        ensure!(tries < TRIES_MAX, "the stream sends nothing behind message {applied}");
        tries += 1;
        let mut following = match connection.clone().follow(applied).await {
            Ok(following) => following,
            Err(error) => {
                tracing::warn!(%error, "the stream cannot be read yet");
                sleep(START_PAUSE).await; // servers without a leader answer at once
                continue;
            }
        };
        while applied < end
            && let Ok(arrived) = timeout(NEXT_TIME, following.next()).await
        {
            if matches!(arrived, Err(StreamGone::Gap(_))) && found.after <= applied {
                end = applied; // this node has read what is missing
                break;
            }
            let Some(message) = arrived? else {
                break;
            };
            (applied, tries) = (message.position, 0);
            apply(applied, message.at, &message.bytes)?;
            if told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                tracing::info!("message {applied} of {position} is applied");
            }
        }
    }
    if applied < position && found.after > applied {
        bail!(StreamGone::Lost { last: found.last, position });
    }
    while applied < position {
        let own = tail.range((applied + 1, position), OWN_MAX).await?;
        for message in &own {
            apply(message.position, message.at, &message.bytes)?;
        }
        applied = own.last().map_or(position, |message| message.position);
    }
    Ok(())
}
