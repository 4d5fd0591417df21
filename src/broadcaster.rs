//! The task that runs the broadcaster: drain, gather, commit, append, and again.
//!
//! Knows no connection. All decisions are in [`parlor_core::broadcaster`].

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use parlor_core::broadcaster::{Broadcaster, Gathered};
use parlor_core::journal::{Commit, Journal, NotKept};
use tokio::select;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::audit::Recorder;
use crate::clock::Clock;
use crate::telemetry::Metrics;

/// A commit that takes longer is told to those who wait.
const COMMIT_SLOW: Duration = Duration::from_secs(2);

/// So many lines are worth a commit of their own, whatever came before.
const PAUSE_LINES_MAX: usize = 32;

/// What ends the house, in two steps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Closing {
    /// Everybody is to leave: departures are told to nobody any more.
    pub(crate) soon: CancellationToken,
    /// Everybody has left: what is in the inbox is the last there is.
    pub(crate) now: CancellationToken,
}

/// Runs the broadcaster until the house is closed and the last batch is kept.
pub(crate) async fn run(
    mut broadcaster: Broadcaster,
    mut journal: Box<dyn Journal>,
    clock: Clock,
    closing: Closing,
    recorder: Recorder,
    metrics: Arc<Metrics>,
) {
    let inbox = broadcaster.inbox().clone();
    let mut under_way: Option<UnderWay> = None;
    let mut pace = Pace::new(journal.pause());
    let mut is_refusing = false;
    loop {
        let seen = inbox.bell().version();
        let last = closing.now.is_cancelled();
        if closing.soon.is_cancelled() {
            broadcaster.close();
        }
        broadcaster.tick(clock.now());
        broadcaster.drain(clock.now());
        for unstored in broadcaster.unstored() {
            recorder.take(unstored);
        }
        let paused = pace.pauses_until(&broadcaster).filter(|_| !last);
        if under_way.is_none() && paused.is_none() {
            under_way = begin(&mut broadcaster, journal.as_mut(), &clock);
            pace.note(&under_way);
        }
        if last && under_way.is_none() {
            break;
        }
        let due = broadcaster.deadline().map(|due| clock.instant(due));
        let slow = under_way.as_ref().and_then(UnderWay::slow_at);
        select! {
            biased;
            kept = finished(&mut under_way), if under_way.is_some() => {
                if let Some(UnderWay { gathered, since, .. }) = under_way.take() {
                    metrics.committed(gathered.lines(), since.elapsed(), kept.is_ok());
                    // Told once, however many are refused; the journal says what is wrong.
                    if let (Err(error), false) = (&kept, is_refusing) {
                        tracing::error!(%error, "a commit failed");
                    }
                    is_refusing = kept.is_err();
                    broadcaster.append(gathered, kept, clock.now());
                }
            }
            // Others who are about to post get to do so: their lines travel in the same batch.
            () = inbox.bell().rung(seen) => yield_now().await,
            () = at(slow) => {
                if let Some(under_way) = &mut under_way {
                    under_way.told_slow = true;
                    tracing::warn!("the journal is slow; lines wait for a commit");
                    broadcaster.tell_slow(&under_way.gathered);
                }
            }
            () = at(due) => {}
            () = at(paused), if under_way.is_none() => {}
            () = closing.soon.cancelled(), if !closing.soon.is_cancelled() => {}
            () = closing.now.cancelled(), if !last => {}
        }
    }
    recorder.finish().await; // before the journal ends
}

/// A batch that the journal is committing.
struct UnderWay {
    gathered: Gathered,
    commit: Commit,
    since: Instant,
    told_slow: bool,
}

impl UnderWay {
    /// When it is to be called slow, unless it has been.
    fn slow_at(&self) -> Option<Instant> {
        (!self.told_slow).then(|| self.since + COMMIT_SLOW)
    }
}

/// Lets lines gather for a moment, where many come.
struct Pace {
    /// For so long.
    pause: Duration,
    /// When the latest commit began that had more than one line.
    busy: Option<Instant>,
}

impl Pace {
    fn new(pause: Duration) -> Pace {
        Pace { pause, busy: None }
    }

    /// Until when the next commit waits, if it does. Whoever speaks alone never waits, and what is no line never does.
    fn pauses_until(&self, broadcaster: &Broadcaster) -> Option<Instant> {
        let until = self.busy? + self.pause;
        let is_worth_it = (1..PAUSE_LINES_MAX).contains(&broadcaster.gathered_lines());
        (is_worth_it && Instant::now() < until).then_some(until)
    }

    fn note(&mut self, begun: &Option<UnderWay>) {
        if let (
            Some(UnderWay {
                gathered, since, ..
            }),
            false,
        ) = (begun, self.pause.is_zero())
        {
            self.busy = (gathered.lines() > 1).then_some(*since);
        }
    }
}

/// Gathers and begins to commit; what was not said needs no journal and is appended at once.
fn begin(
    broadcaster: &mut Broadcaster,
    journal: &mut dyn Journal,
    clock: &Clock,
) -> Option<UnderWay> {
    while let Some(gathered) = broadcaster.gather(clock.now()) {
        if gathered.has_lines() {
            let commit = journal.commit(gathered.batches());
            return Some(UnderWay {
                gathered,
                commit,
                since: Instant::now(),
                told_slow: false,
            });
        }
        broadcaster.append(gathered, Ok(()), clock.now());
    }
    None
}

async fn finished(under_way: &mut Option<UnderWay>) -> Result<(), NotKept> {
    match under_way {
        Some(UnderWay { commit, .. }) => commit.await,
        None => pending().await,
    }
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => pending().await,
    }
}
