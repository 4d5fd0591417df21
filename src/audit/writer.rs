//! Stores acts, and tells the broadcaster. Knows no rule.

use std::sync::Arc;

use parlor_core::link::Unstored;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::table::record;
use crate::journal::Database;

/// Stores acts. Without a file, acts are settled at once.
///
/// The queue is bounded without a limit, like the broadcaster's inbox: each connection waits for
/// one act.
#[derive(Debug)]
pub(crate) struct Recorder(Option<(mpsc::UnboundedSender<Unstored>, JoinHandle<()>)>);

impl Recorder {
    /// Stores acts in this file.
    pub(crate) fn new(database: Option<Database>) -> Recorder {
        Recorder(database.map(|database| {
            let (acts, queue) = mpsc::unbounded_channel();
            (acts, tokio::spawn(write(database, queue)))
        }))
    }

    /// Stores an act, and then settles it.
    pub(crate) fn take(&self, unstored: Unstored) {
        let Some((acts, _)) = &self.0 else {
            return unstored.settle(true);
        };
        if let Err(mpsc::error::SendError(unstored)) = acts.send(unstored) {
            unstored.settle(false);
        }
    }

    /// Waits until everything is written.
    pub(crate) async fn finish(self) {
        if let Some((acts, writing)) = self.0 {
            drop(acts);
            writing.await.ok();
        }
    }
}

/// The number of acts that are stored at once. Even in a burst, an act waits for two syncs at most.
const ACTS_MAX: usize = 256;

async fn write(database: Database, mut queue: mpsc::UnboundedReceiver<Unstored>) {
    let mut taken = Vec::new();
    while queue.recv_many(&mut taken, ACTS_MAX).await > 0 {
        let acts: Vec<_> = taken.iter().map(|one| Arc::clone(&one.act)).collect();
        let stored = database.write(move |connection| record(connection, &acts)).await;
        for unstored in taken.drain(..) {
            unstored.settle(stored.is_ok());
        }
    }
}
