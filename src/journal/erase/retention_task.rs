//! The task that has lines taken out: those that are too old, from the start on and every minute; and those that their
//! speaker takes back. Knows no file.

use std::sync::Arc;
use std::time::Duration;

use parlor_core::link::Refusal;
use tokio::select;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::eraser::{Retention, StillThere};
use super::takings::{Own, TakingId};
use crate::clock;
use crate::clock::{LOOK_EVERY, Trust};

/// Lines are kept for as long as they may be, and this much longer at most.
const ROUND_EVERY: Duration = LOOK_EVERY;

/// So often it is noted how late it is: a server that is killed has the next one delete that much less in its first hour.
const NOTE_CLOCK_EVERY: Duration = Duration::from_mins(10);

/// What somebody takes back: it is written down, and in nobody's log any more.
pub(crate) struct Taking {
    pub(crate) id: TakingId,
    pub(crate) own: Arc<Own>,
    /// Who waits for it, if somebody does.
    pub(crate) done: Option<oneshot::Sender<Result<usize, Refusal>>>,
}

impl From<(TakingId, Own)> for Taking {
    fn from((id, own): (TakingId, Own)) -> Taking {
        let own = Arc::new(own);
        Taking {
            id,
            own,
            done: None,
        }
    }
}

/// Takes out lines that are older than `retain` says, round by round, and what people take back, until the house ends;
/// first what a house before this one has left.
pub(crate) async fn run(
    mut retention: Retention,
    mut trust: Trust,
    left: Vec<(TakingId, Own)>,
    mut retain: watch::Receiver<Option<Duration>>,
    mut takings: mpsc::Receiver<Taking>,
    closing: CancellationToken,
) {
    let mut left: Vec<_> = left.into_iter().map(Taking::from).collect();
    let mut was_told = false;
    let mut clock_noted: Option<Instant> = None;
    let mut latest = trust.latest();
    let rounds = async {
        loop {
            let (now, before) = (trust.look(), latest);
            latest = trust.latest();
            let is_noted = clock_noted.is_some_and(|noted| noted.elapsed() < NOTE_CLOCK_EVERY);
            if !is_noted || latest < before {
                clock_noted = Some(Instant::now());
                retention.note_clock(now, latest).await.ok(); // the operator's log says why not
            }
            let taken_back = take_back(&mut retention, &mut left).await;
            let dropped = retention.drop_old_codes(now.min(clock::wall_awake())).await;
            let time = *retain.borrow_and_update();
            let outcome = match time {
                Some(time) => retention.round(now.before(time)).await,
                None => retention.tidy().await.map(|()| 0),
            };
            let outcome = taken_back.and(dropped).and(outcome);
            tell(outcome, was_told);
            was_told = outcome.is_err();
            select! {
                () = sleep(ROUND_EVERY) => {}
                Ok(()) = retain.changed() => {}
                Some(taking) = takings.recv() => left.push(taking),
            }
        }
    };
    select! {
        () = closing.cancelled() => {}
        () = rounds => {}
    }
    let (now, latest) = (trust.look(), trust.latest());
    retention.note_clock(now, latest).await.ok(); // the next server goes on from there
}

/// Takes out of the file what people take back; what cannot be taken out yet is left for the next time.
async fn take_back(retention: &mut Retention, left: &mut Vec<Taking>) -> Result<(), StillThere> {
    let mut still_there = Vec::new();
    for mut taking in left.drain(..) {
        let outcome = take_one_back(retention, &taking).await;
        if let Some(done) = taking.done.take() {
            let answer = outcome.map_err(|StillThere| Refusal::NotAllTakenBack);
            done.send(answer).ok(); // perhaps nobody waits any more
        }
        if outcome.is_err() {
            still_there.push(taking);
        }
    }
    *left = still_there;
    if left.is_empty() {
        Ok(())
    } else {
        Err(StillThere)
    }
}

async fn take_one_back(retention: &mut Retention, taking: &Taking) -> Result<usize, StillThere> {
    let lines = retention.forget(&taking.own).await?;
    retention.tidy().await.ok(); // else it is tried again every minute
    retention.is_gone(taking.id).await?;
    Ok(lines)
}

fn tell(outcome: Result<usize, StillThere>, was_told: bool) {
    match outcome {
        Ok(0) => {}
        Ok(lines) => tracing::info!(lines, "old lines are deleted"),
        Err(StillThere) if was_told => {}
        Err(StillThere) => tracing::warn!("{StillThere}; the server tries again every minute"),
    }
}
