//! Finds out what is wrong when the ledger of this node differs from that of another one: it reads
//! the stream again, from a snapshot that is older than the difference. Then the node goes on as it
//! was, or with the new ledger, or it ends.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use parlor_core::broadcaster::{Difference, Standing};
use parlor_core::ledger::{Ledger, Snapshot};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use super::begin::{EarlierLedger, EarlierLedgers, Rewind, read_on};
use super::key_work::{open_accounts, with_messages};
use super::shelf::SnapshotShelf;

/// A ledger that nobody has compared may be wrong for this many checks: if it had been wrong for
/// longer, an earlier process would have noticed.
const CHECKS_UNKNOWN: u64 = 2;

/// How long everything together may take. The people of the node wait meanwhile.
const REBUILD_TIME: Duration = Duration::from_mins(5);

/// The way on for a node that has stopped.
#[derive(Debug)]
pub(crate) enum Renewal {
    /// Its ledger was right.
    GoOn,
    /// Its ledger was wrong, and this is the right one at the position where it has stopped.
    Anew(Box<Snapshot>),
}

/// The task that waits until the node stops, and finds the way on.
pub(crate) struct RebuildTask {
    shelf: SnapshotShelf,
    /// Whether the order begins with a past.
    has_past: bool,
    standing: watch::Receiver<Standing>,
    renewals: mpsc::Sender<Renewal>,
    /// The way to the file; none for a node without one.
    rewinds: Option<mpsc::Sender<Rewind>>,
    /// The position up to which the first ledger of this process can be trusted.
    trusted: u64,
    /// Whether the ledger of this process was wrong before.
    was_wrong: bool,
}

/// A ledger that was made anew.
struct MadeAnew {
    /// The ledger from which it was made.
    base: EarlierLedger,
    /// The ledger where the node has stopped.
    ledger: Ledger,
    /// The digest where the difference was found.
    digest: u64,
}

impl RebuildTask {
    /// The task of a node whose ledger was made from a snapshot at this position, with this distance
    /// between two checks. Returns also the end for the broadcaster's task.
    pub(crate) fn new(
        (shelf, has_past): (SnapshotShelf, bool),
        standing: watch::Receiver<Standing>,
        (snapshot, check_every): (u64, u64),
        rewinds: Option<mpsc::Sender<Rewind>>,
    ) -> (RebuildTask, mpsc::Receiver<Renewal>) {
        let (renewals, renewed) = mpsc::channel(1);
        let trusted = snapshot.saturating_sub(CHECKS_UNKNOWN * check_every);
        let was_wrong = false;
        let task = RebuildTask { shelf, has_past, standing, renewals, rewinds, trusted, was_wrong };
        (task, renewed)
    }

    /// Runs until the broadcaster ends.
    ///
    /// # Errors
    /// The node cannot go on: why.
    pub(crate) async fn run(mut self) -> anyhow::Result<()> {
        while let Some(found) = self.stopped().await {
            tracing::error!(
                "at message {} this node has come to another state than another one: it stops, and \
                 reads the stream again to find out which is right",
                found.own.position
            );
            let renewal = timeout(REBUILD_TIME, self.renewal(found)).await;
            let renewal = renewal.context("the stream could not be read again in time")??;
            if self.renewals.send(renewal).await.is_err() {
                return Ok(());
            }
            let goes_on = |standing: &Standing| !matches!(standing, Standing::Astray(_));
            self.standing.wait_for(goes_on).await.ok();
        }
        Ok(())
    }

    /// Waits until the node stops; none if the broadcaster ends.
    async fn stopped(&mut self) -> Option<Difference> {
        loop {
            if let Standing::Astray(found) = *self.standing.borrow_and_update() {
                return Some(found);
            }
            self.standing.changed().await.ok()?;
        }
    }

    /// The way on after a difference.
    ///
    /// # Errors
    /// There is none: why.
    async fn renewal(&mut self, found: Difference) -> anyhow::Result<Renewal> {
        ensure!(
            !found.is_again,
            "this node and another one have both read the stream again, and their states differ still: \
             all nodes need the same version of Parlor; if they have it, this is a bug"
        );
        let made = self.made_anew(found, false).await?;
        if made.digest == found.own.digest {
            ensure!(
                !found.is_outvoted,
                "this node has come to another state than most others, and to the same one when it read \
                 the stream again: all nodes need the same version of Parlor; if they have it, this is a \
                 bug"
            );
            tracing::warn!("this node was right at message {}, and goes on", found.own.position);
            return Ok(Renewal::GoOn);
        }
        ensure!(
            made.digest == found.other,
            "this node has come to a third state when it read the stream again: this is a bug, or a \
             failure of memory"
        );
        ensure!(
            !self.was_wrong,
            "this node has come to a wrong state for the second time: this is a bug, or a failure of \
             memory"
        );
        self.was_wrong = true;
        let mut ledger = made.ledger.snapshot();
        open_accounts(self.shelf.connection(), &mut ledger).await;
        // Those that this node may have written while it was wrong.
        let is_live = |boot: u32| ledger.boots.get(&boot).is_some_and(|boot| boot.is_live);
        let stays = |boot: u32| boot != found.boot && is_live(boot);
        let removed = self.shelf.remove_behind(made.base.position, stays);
        removed.await.context("cannot remove snapshots in NATS")?;
        tracing::warn!(
            "this node was wrong at message {}: its connections end, and it goes on with the state of \
             message {} and what came behind it",
            found.own.position,
            made.base.position
        );
        self.set_file_back(found, made).await?;
        Ok(Renewal::Anew(Box::new(ledger)))
    }

    /// Makes the ledger anew up to where the node has stopped: from the newest snapshot that can be
    /// trusted, or from the oldest one.
    async fn made_anew(&self, found: Difference, is_whole: bool) -> anyhow::Result<MadeAnew> {
        let trusted = found.agreed.map_or(self.trusted, |agreed| agreed.position);
        let trusted = if is_whole { 0 } else { trusted };
        let all =
            EarlierLedgers::before((&self.shelf, self.has_past), found.own.position, trusted).await;
        let mut all = all.context("cannot read the snapshots in NATS")?;
        while let Some(base) = all.next().await? {
            if let Some(made) = self.made_from(base, found).await? {
                return Ok(made);
            }
        }
        bail!(
            "there is no snapshot in NATS from which this node can make its state anew; give it an empty \
             --data"
        )
    }

    /// Makes the ledger anew from an earlier one; none if that one is wrong.
    async fn made_from(
        &self,
        base: EarlierLedger,
        found: Difference,
    ) -> anyhow::Result<Option<MadeAnew>> {
        let connection = self.shelf.connection();
        let mut ledger = Ledger::restore(base.ledger.clone());
        let mut applied = base.position;
        if let Some(agreed) = found.agreed.filter(|agreed| agreed.position >= applied) {
            read_on(connection, &mut ledger, applied..agreed.position).await?;
            applied = agreed.position;
            if ledger.digest() != agreed.digest {
                let position = base.position;
                tracing::warn!("the snapshot of message {position} is passed over: it is wrong");
                return Ok(None);
            }
        }
        read_on(connection, &mut ledger, applied..found.own.position).await?;
        let digest = ledger.digest();
        read_on(connection, &mut ledger, found.own.position..found.position).await?;
        Ok(Some(MadeAnew { base, ledger, digest }))
    }

    /// Sets the file back to the ledger from which the new one was made. It catches up from there. If
    /// lines were deleted since then, it begins with the oldest ledger: they may have to stay.
    async fn set_file_back(&self, found: Difference, made: MadeAnew) -> anyhow::Result<()> {
        let Some(rewinds) = &self.rewinds else {
            return Ok(());
        };
        let is_whole = found.deleted > made.base.position;
        let made = if is_whole { self.made_anew(found, true).await? } else { made };
        let EarlierLedger { position, ledger } = made.base;
        let mut ledger = with_messages(self.shelf.connection(), &ledger).await;
        open_accounts(self.shelf.connection(), &mut ledger).await;
        let to = EarlierLedger { position, ledger };
        let (done, set_back) = oneshot::channel();
        rewinds.send(Rewind { to, is_whole, done }).await.ok();
        let set_back = set_back.await.context("the files of this node are closed")?;
        set_back.context("the files of this node cannot be set right: the disk is full or broken")
    }
}
