//! The clerk: has what was done with authority written down, one thing after the other. Knows no rule.

use parlor_core::broadcaster::Unsettled;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::journal::Errands;

/// Where it is written; where nothing is kept, nobody waits.
///
/// The queue is bounded without a limit of its own, as the broadcaster's inbox is: whoever gives an order waits for it.
#[derive(Debug)]
pub(crate) struct Clerk(Option<(mpsc::UnboundedSender<Unsettled>, JoinHandle<()>)>);

impl Clerk {
    /// One who writes where these errands are done.
    pub(crate) fn new(errands: Option<Errands>) -> Clerk {
        Clerk(errands.map(|errands| {
            let (orders, queue) = mpsc::unbounded_channel();
            (orders, tokio::spawn(write(errands, queue)))
        }))
    }

    /// Has something written down, and then settled.
    pub(crate) fn take(&self, unsettled: Unsettled) {
        let Some((orders, _)) = &self.0 else {
            return unsettled.settle(true);
        };
        if let Err(mpsc::error::SendError(unsettled)) = orders.send(unsettled) {
            unsettled.settle(false);
        }
    }

    /// Waits until everything is written.
    pub(crate) async fn finish(self) {
        if let Some((orders, writing)) = self.0 {
            drop(orders);
            writing.await.ok();
        }
    }
}

async fn write(errands: Errands, mut queue: mpsc::UnboundedReceiver<Unsettled>) {
    while let Some(unsettled) = queue.recv().await {
        let record = unsettled.record.clone();
        let written = errands.run(move |store| store.record(&record)).await;
        unsettled.settle(written.is_ok());
    }
}
