//! Those who stand at the name question: a share of the house, so that silence cannot fill it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

/// Everybody at the question, the longest-waiting first.
#[derive(Clone, Debug)]
pub(crate) struct Questions {
    waiting: Arc<Mutex<Waiting>>,
    max: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct Waiting {
    places: BTreeMap<u64, CancellationToken>,
    next: u64,
}

/// A place at the question; given up when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    questions: Questions,
    number: u64,
    pushed_out: CancellationToken,
}

impl Questions {
    /// At most a quarter of all connections may stand there.
    pub(crate) fn new(connections: usize) -> Questions {
        Questions {
            waiting: Arc::default(),
            max: Arc::new(AtomicUsize::new(share(connections))),
        }
    }

    /// From now on there may be so many connections.
    pub(crate) fn set(&self, connections: usize) {
        self.max.store(share(connections), Ordering::Relaxed);
    }

    /// A number in the order of coming, under which a place is taken if one is needed.
    pub(crate) fn number(&self) -> u64 {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.next += 1;
        waiting.next
    }

    /// Takes a place. Where there is none, whoever came first gives up theirs.
    pub(crate) fn take_place(&self, number: u64) -> Place {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let pushed_out = CancellationToken::new();
        waiting.places.insert(number, pushed_out.clone());
        if waiting.places.len() > self.max.load(Ordering::Relaxed)
            && let Some((_, longest)) = waiting.places.pop_first()
        {
            longest.cancel();
        }
        Place {
            questions: self.clone(),
            number,
            pushed_out,
        }
    }
}

fn share(connections: usize) -> usize {
    (connections / 4).max(1)
}

impl Place {
    /// Waits until somebody else needs the place.
    pub(crate) async fn pushed_out(&self) {
        self.pushed_out.cancelled().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.questions
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .places
            .remove(&self.number);
    }
}
