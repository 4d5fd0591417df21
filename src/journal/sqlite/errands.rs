//! Errands: what is to be done in the file beside keeping lines, by the one thread that writes there. Knows no table.

use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use super::reader::History;
use super::store::Store;
use super::writer::{Signals, Work};

/// So many errands may wait; whoever has another one waits for a place.
pub(crate) const ERRANDS_MAX: usize = 64;

/// Who waits for an errand looks so often whether the disk still answers.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What is kept cannot be read or changed: the log says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the file cannot be written")]
pub(crate) struct Undone;

/// What is to be done; none where the file cannot be used just now. It hands over by itself what comes of it.
pub(crate) type Errand = Box<dyn FnOnce(Option<&mut Store>) -> rusqlite::Result<()> + Send>;

/// Has things done by the thread that writes, when no lines wait for it. Cloned, it is the same.
#[derive(Clone, Debug)]
pub struct Errands {
    work: SyncSender<Work>,
    places: Arc<Semaphore>,
    signals: Arc<Signals>,
    history: History,
}

impl Errands {
    pub(crate) fn new(work: SyncSender<Work>, signals: Arc<Signals>, history: History) -> Errands {
        Errands {
            work,
            places: Arc::new(Semaphore::new(ERRANDS_MAX)),
            signals,
            history,
        }
    }

    /// Has something done, and waits until it is. It is to be short, and all or nothing: one transaction.
    ///
    /// # Errors
    /// It could not be done, or nobody knows whether it has been.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        what: impl FnOnce(&mut Store) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Undone> {
        let place = self.unless_stuck(Arc::clone(&self.places).acquire_owned());
        let place = place.await?;
        let (answer, answered) = oneshot::channel();
        let errand: Errand = Box::new(move |store| {
            let Some(store) = store.filter(|_| !answer.is_closed()) else {
                return Ok(());
            };
            let done = what(store)?;
            answer.send(done).ok(); // perhaps nobody waits any more
            drop(place);
            Ok(())
        });
        // There is a place for each; else the thread has ended.
        self.work
            .try_send(Work::Errand(errand))
            .map_err(|_| Undone)?;
        self.unless_stuck(answered).await?.map_err(|_| Undone)
    }

    /// Reads something, also while the disk takes nothing.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        what: impl FnOnce(&mut Store) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Undone> {
        self.history.ask(what).await.map_err(|_| Undone)
    }

    /// Waits for something, but not for a disk that does not answer.
    async fn unless_stuck<T>(&self, what: impl Future<Output = T>) -> Result<T, Undone> {
        let mut what = pin!(what);
        loop {
            if self.signals.is_stuck() {
                return Err(Undone);
            }
            if let Ok(done) = timeout(LOOK_EVERY, what.as_mut()).await {
                return Ok(done);
            }
        }
    }
}
