//! The clerk: has what was done with authority written down, one thing after the other. Knows no rule.

pub(crate) mod table;

pub(crate) use table::{moment, past};

use parlor_core::broadcaster::Unsettled;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::journal::Database;

/// Where it is written; where nothing is kept, nobody waits.
///
/// The queue is bounded without a limit of its own, as the broadcaster's inbox is: each connection waits for one thing.
#[derive(Debug)]
pub(crate) struct Clerk(Option<(mpsc::UnboundedSender<Unsettled>, JoinHandle<()>)>);

impl Clerk {
    /// One who writes where these database are done.
    pub(crate) fn new(database: Option<Database>) -> Clerk {
        Clerk(database.map(|database| {
            let (orders, queue) = mpsc::unbounded_channel();
            (orders, tokio::spawn(write(database, queue)))
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

/// So much is written down at once: whatever many people want done at a time, an order waits for two syncs at most.
const RECORDS_MAX: usize = 256;

async fn write(database: Database, mut queue: mpsc::UnboundedReceiver<Unsettled>) {
    let mut taken = Vec::new();
    while queue.recv_many(&mut taken, RECORDS_MAX).await > 0 {
        let records: Vec<_> = taken.iter().map(|one| one.record.clone()).collect();
        let written = database.write(move |store| store.record(&records)).await;
        for unsettled in taken.drain(..) {
            unsettled.settle(written.is_ok());
        }
    }
}
