//! The task that has old lines taken out, from the start on and every minute. Knows no file.

use std::time::Duration;

use tokio::select;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::journal::{Retention, StillThere};

/// Lines are kept for as long as they may be, and this much longer at most.
const ROUND_EVERY: Duration = Duration::from_secs(60);

/// Has lines taken out, round by round, until the house ends.
pub(crate) async fn run(mut retention: Retention, closing: CancellationToken) {
    let mut was_told = false;
    let rounds = async {
        loop {
            match retention.round(clock::wall()).await {
                Ok(lines) => {
                    if lines > 0 {
                        tracing::info!(lines, "what was too old is taken out");
                    }
                    was_told = false;
                }
                Err(StillThere) if was_told => {}
                Err(StillThere) => {
                    tracing::warn!("{StillThere}; this is tried again every minute");
                    was_told = true;
                }
            }
            sleep(ROUND_EVERY).await;
        }
    };
    select! {
        () = closing.cancelled() => {}
        () = rounds => {}
    }
}
