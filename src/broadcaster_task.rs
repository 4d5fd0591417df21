//! The task that runs the broadcaster: it drains, gathers, commits, appends, and starts over.
//!
//! Knows no connection. All decisions are in [`parlor_core::broadcaster`].

use std::future::pending;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use parlor_core::broadcaster::{Broadcaster, Gathered, Standing};
use parlor_core::journal::{Commit, Journal, NotStored};
use tokio::select;
use tokio::sync::{mpsc, watch};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::sequencer::{Renewal, SnapshotTaker};
use crate::telemetry::Metrics;

/// After this time, people who wait for a commit are told that it is slow.
const COMMIT_SLOW: Duration = Duration::from_secs(2);

/// This many lines are worth a separate commit, whatever came before.
const PAUSE_LINES_MAX: usize = 32;

/// Stops the server, in two steps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Closing {
    /// Everybody leaves, and no departure is announced.
    pub(crate) soon: CancellationToken,
    /// Everybody has left: the inbox has the last requests.
    pub(crate) now: CancellationToken,
}

/// The task, with everything that it owns.
pub(crate) struct BroadcasterTask {
    pub(crate) broadcaster: Broadcaster,
    pub(crate) journal: Box<dyn Journal>,
    pub(crate) clock: Clock,
    pub(crate) closing: Closing,
    pub(crate) metrics: Arc<Metrics>,
    /// Its side as one of several nodes; none without other nodes.
    pub(crate) nodes: Option<AmongNodes>,
}

/// The side of one of several nodes.
pub(crate) struct AmongNodes {
    /// Where this server stands among them.
    pub(crate) standing: watch::Sender<Standing>,
    /// Takes snapshots of the ledger.
    pub(crate) snapshots: SnapshotTaker,
    /// The way on after this server has stopped, because its ledger may be wrong.
    pub(crate) renewals: mpsc::Receiver<Renewal>,
}

impl BroadcasterTask {
    /// Runs the broadcaster until the server stops and the last batch is stored.
    pub(crate) async fn run(mut self) {
        let inbox = self.broadcaster.inbox().clone();
        let closing = self.closing.clone();
        let mut under_way: Option<UnderWay> = None;
        let mut pace = Pace::new(self.journal.pause());
        let mut is_refusing = false;
        loop {
            let seen = inbox.bell().version();
            let last = closing.now.is_cancelled();
            self.drain();
            let paused = pace.pauses_until(&self.broadcaster).filter(|_| !last);
            if under_way.is_none() && paused.is_none() {
                under_way = self.begin_commit();
                self.note_given();
            }
            self.note_standing(under_way.is_none() && paused.is_none());
            if last && under_way.is_none() && self.has_told_the_others() {
                break;
            }
            let due = self.broadcaster.deadline().map(|due| self.clock.instant(due));
            let slow = under_way.as_ref().and_then(UnderWay::slow_at);
            select! {
                biased;
                stored = commit_finished(&mut under_way), if under_way.is_some() => {
                    if let Some(done) = under_way.take() {
                        done.note(&stored, is_refusing, &self.metrics);
                        is_refusing = stored.is_err();
                        pace.note(done.gathered.lines());
                        self.broadcaster.append(done.gathered, stored, self.clock.now());
                    }
                }
                // Others who will post in a moment can do so first: their lines travel in the
                // same batch.
                () = inbox.bell().rung(seen) => yield_now().await,
                Some(renewal) = renewal(&mut self.nodes), if under_way.is_none() => {
                    self.renew(renewal);
                }
                () = at(slow) => {
                    if let Some(under_way) = &mut under_way {
                        under_way.tell_slow(&self.broadcaster);
                    }
                }
                () = at(due) => {}
                () = at(paused), if under_way.is_none() => {}
                () = closing.soon.cancelled(), if !closing.soon.is_cancelled() => {}
                () = closing.now.cancelled(), if !last => {}
            }
        }
    }

    /// Tells the server where it stands among its nodes; if it has stopped, as soon as all that has
    /// happened is with the journal.
    fn note_standing(&self, is_idle: bool) {
        if let Some(nodes) = &self.nodes {
            let standing = self.broadcaster.standing();
            let is_astray = matches!(standing, Standing::Astray(_));
            self.metrics.node.astray(is_astray);
            if is_astray && !is_idle {
                return;
            }
            nodes.standing.send_if_modified(|noted| mem::replace(noted, standing) != standing);
        }
    }

    /// Tells the journal that it has everything up to here, and takes a snapshot of the ledger, if it
    /// is due.
    fn note_given(&mut self) {
        let Some(nodes) = &mut self.nodes else {
            return;
        };
        if let Standing::Astray(_) = self.broadcaster.standing() {
            return nodes.snapshots.rest();
        }
        let now = self.clock.monotonic();
        self.journal.note_given(self.broadcaster.position());
        if let Some(snapshot) = nodes.snapshots.take_due(&self.broadcaster, now) {
            self.journal.note_snapshot(self.broadcaster.position(), &snapshot);
        }
    }

    /// Lets a server go on that has stopped.
    fn renew(&mut self, renewal: Renewal) {
        let now = self.clock.now();
        match renewal {
            Renewal::GoOn => self.broadcaster.go_on(now),
            Renewal::Anew(ledger) => {
                // People read it, but it is not stored any more.
                while let Some(gathered) = self.broadcaster.gather(now) {
                    self.broadcaster.append(gathered, Ok(()), now);
                }
                self.broadcaster.begin_anew(*ledger);
            }
        }
    }

    /// Whether the other nodes know that this one stops, as far as they can be told.
    fn has_told_the_others(&self) -> bool {
        self.broadcaster.standing() != Standing::InTouch
    }

    /// Carries out everything in the inbox, and everything that is due.
    fn drain(&mut self) {
        if self.closing.soon.is_cancelled() {
            self.broadcaster.close();
        }
        self.broadcaster.tick(self.clock.now());
        self.broadcaster.drain(self.clock.now());
    }

    /// Gathers a batch and begins to commit it. A batch without lines and records is
    /// appended at once.
    fn begin_commit(&mut self) -> Option<UnderWay> {
        while let Some(gathered) = self.broadcaster.gather(self.clock.now()) {
            if gathered.needs_commit() {
                self.journal.note_position(gathered.position());
                let commit = self.journal.commit(gathered.batches(), gathered.records());
                return Some(UnderWay {
                    gathered,
                    commit,
                    since: Instant::now(),
                    told_slow: false,
                });
            }
            self.broadcaster.append(gathered, Ok(()), self.clock.now());
        }
        None
    }
}

/// A batch that the journal is committing.
struct UnderWay {
    gathered: Gathered,
    commit: Commit,
    since: Instant,
    told_slow: bool,
}

impl UnderWay {
    /// The time at which people are told that it is slow, unless they have been told.
    fn slow_at(&self) -> Option<Instant> {
        (!self.told_slow).then(|| self.since + COMMIT_SLOW)
    }

    fn tell_slow(&mut self, broadcaster: &Broadcaster) {
        self.told_slow = true;
        tracing::warn!("the journal is slow; lines wait for a commit");
        broadcaster.tell_slow(&self.gathered);
    }

    /// Counts the commit, and logs it if it failed.
    fn note(&self, stored: &Result<(), NotStored>, is_refusing: bool, metrics: &Metrics) {
        metrics.committed(self.gathered.lines(), self.since.elapsed(), stored.is_ok());
        // Logged once, however many commits fail; the journal logs the reason.
        if let (Err(error), false) = (stored, is_refusing) {
            tracing::error!(%error, "a commit failed");
        }
    }
}

/// Lets lines gather for a moment if many come.
struct Pace {
    /// How long they gather.
    pause: Duration,
    /// The end of the last commit, if it had more than one line.
    busy: Option<Instant>,
}

impl Pace {
    fn new(pause: Duration) -> Pace {
        Pace { pause, busy: None }
    }

    /// The end of the pause before the next commit, if there is one. A person who speaks alone
    /// never waits, nor does a batch without lines.
    fn pauses_until(&self, broadcaster: &Broadcaster) -> Option<Instant> {
        let until = self.busy? + self.pause;
        let is_worth_it = (1..PAUSE_LINES_MAX).contains(&broadcaster.gathered_lines());
        (is_worth_it && Instant::now() < until).then_some(until)
    }

    /// Notes that a commit of this many lines has ended. People answer what they read, so the pause
    /// begins here, however long the commit took.
    fn note(&mut self, lines: u64) {
        self.busy = (lines > 1 && !self.pause.is_zero()).then(Instant::now);
    }
}

async fn commit_finished(under_way: &mut Option<UnderWay>) -> Result<(), NotStored> {
    match under_way {
        Some(UnderWay { commit, .. }) => commit.await,
        None => pending().await,
    }
}

async fn renewal(nodes: &mut Option<AmongNodes>) -> Option<Renewal> {
    match nodes {
        Some(nodes) => nodes.renewals.recv().await,
        None => pending().await,
    }
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => pending().await,
    }
}
