//! The bell: it wakes the one task that waits. Does not know why the task waits.

use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use super::sync::{AtomicU64, Mutex, Ordering, lock};

/// A version that only grows, and the waker of the one task that waits for it to grow.
///
/// A task reads the version **before** it looks, and then waits for another version. An event
/// between the look and the wait changes the version, so no ring is lost.
#[derive(Debug, Default)]
pub struct Bell {
    version: AtomicU64,
    /// The task to wake. A ring takes it, so the next ring costs nothing while the task is busy.
    waiting: Mutex<Option<Waker>>,
}

impl Bell {
    /// Wakes the task: there is something new.
    pub fn ring(&self) {
        self.version.fetch_add(1, Ordering::SeqCst);
        let waiting = lock(&self.waiting).take();
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    /// The number of rings. Read it before you look.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::SeqCst)
    }

    /// Ready if the bell rang after version `seen`; otherwise the next ring wakes `cx`.
    ///
    /// One task waits at a time: a ring wakes the task that polled last.
    pub(crate) fn poll_rung(&self, seen: u64, cx: &mut Context<'_>) -> Poll<()> {
        if self.version() != seen {
            return Poll::Ready(());
        }
        let mut waiting = lock(&self.waiting);
        match &*waiting {
            Some(waker) if waker.will_wake(cx.waker()) => {}
            _ => *waiting = Some(cx.waker().clone()),
        }
        drop(waiting);
        // A ring just before the waker was stored did not wake it, so check once more.
        if self.version() == seen { Poll::Pending } else { Poll::Ready(()) }
    }

    /// Waits until the bell rings after version `seen`.
    pub async fn rung(&self, seen: u64) {
        poll_fn(|cx| self.poll_rung(seen, cx)).await;
    }
}
