//! The task that has old lines taken out, from the start on and every minute. Knows no file.

use std::time::Duration;

use tokio::select;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::journal::{Retention, StillThere};

/// Lines are kept for as long as they may be, and this much longer at most.
const ROUND_EVERY: Duration = Duration::from_secs(60);

/// Has lines taken out that are older than `retain` says, round by round, until the house ends.
pub(crate) async fn run(
    mut retention: Retention,
    mut retain: watch::Receiver<Option<Duration>>,
    closing: CancellationToken,
) {
    let mut was_told = false;
    let rounds = async {
        loop {
            let time = *retain.borrow_and_update();
            if let Some(time) = time {
                let outcome = retention.round(clock::wall().before(time)).await;
                tell(outcome, was_told);
                was_told = outcome.is_err();
            }
            select! {
                () = sleep(ROUND_EVERY) => {}
                Ok(()) = retain.changed() => {}
            }
        }
    };
    select! {
        () = closing.cancelled() => {}
        () = rounds => {}
    }
}

fn tell(outcome: Result<usize, StillThere>, was_told: bool) {
    match outcome {
        Ok(0) => {}
        Ok(lines) => tracing::info!(lines, "what was too old is taken out"),
        Err(StillThere) if was_told => {}
        Err(StillThere) => tracing::warn!("{StillThere}; this is tried again every minute"),
    }
}
