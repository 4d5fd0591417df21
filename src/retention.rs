//! The task that has lines taken out: those that are too old, from the start on and every minute; and those that their
//! speaker takes back. Knows no file.

use std::time::Duration;

use tokio::select;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::journal::{Own, Retention, StillThere};

/// Lines are kept for as long as they may be, and this much longer at most.
const ROUND_EVERY: Duration = Duration::from_secs(60);

/// What somebody wants taken back, and who waits for it.
pub(crate) struct Request {
    own: Own,
    /// Dropped where not all of it could be taken back.
    done: oneshot::Sender<usize>,
}

/// Has lines taken back. Cloned, it is the same.
#[derive(Clone, Debug)]
pub(crate) struct Forgetting {
    requests: mpsc::Sender<Request>,
}

impl Forgetting {
    /// What there is to ask, and where the requests come out.
    pub(crate) fn new() -> (Forgetting, mpsc::Receiver<Request>) {
        let (requests, queue) = mpsc::channel(1);
        (Forgetting { requests }, queue)
    }

    /// Has lines taken out of the file and out of the index: to the end, also where the one who asks does not wait for it.
    /// How many they were.
    ///
    /// # Errors
    /// Not all of them could be.
    pub(crate) async fn forget(&self, own: Own) -> Result<usize, StillThere> {
        let (done, answer) = oneshot::channel();
        let sent = self.requests.send(Request { own, done }).await;
        sent.map_err(|_| StillThere)?;
        answer.await.map_err(|_| StillThere)
    }
}

/// Takes out lines that are older than `retain` says, round by round, and what people take back, until the house ends.
pub(crate) async fn run(
    mut retention: Retention,
    mut retain: watch::Receiver<Option<Duration>>,
    mut requests: mpsc::Receiver<Request>,
    closing: CancellationToken,
) {
    let mut was_told = false;
    let rounds = async {
        loop {
            let time = *retain.borrow_and_update();
            let outcome = match time {
                Some(time) => retention.round(clock::wall().before(time)).await,
                None => retention.tidy().await.map(|()| 0),
            };
            tell(outcome, was_told);
            was_told = outcome.is_err();
            select! {
                () = sleep(ROUND_EVERY) => {}
                Ok(()) = retain.changed() => {}
                Some(Request { own, done }) = requests.recv() => {
                    if let Ok(lines) = retention.forget(&own).await {
                        retention.tidy().await.ok(); // else it is tried again every minute
                        done.send(lines).ok(); // perhaps nobody waits any more
                    }
                }
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
