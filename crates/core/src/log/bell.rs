//! The bell: wakes one task that waits for something to look at. Knows not what.

use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use super::sync::{AtomicU64, Mutex, Ordering, lock};

/// A version that only grows, and the waker of the one task that waits for it to grow.
///
/// Whoever waits takes the version **before** looking, and then waits for it to be another: what
/// happens between the look and the wait has changed the version, so no ring is lost.
#[derive(Debug, Default)]
pub struct Bell {
    version: AtomicU64,
    /// The task to wake. Taken by the ring, so a task that does something else costs a ring nothing.
    waiting: Mutex<Option<Waker>>,
}

impl Bell {
    /// Says that there is something to look at.
    pub fn ring(&self) {
        self.version.fetch_add(1, Ordering::SeqCst);
        let waiting = lock(&self.waiting).take();
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    /// How often it was rung; to be taken before looking.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::SeqCst)
    }

    /// Ready when it was rung since it had the version `seen`; else `cx` is woken by the next ring.
    ///
    /// One task waits at a time: whoever polls last is woken.
    pub fn poll_rung(&self, seen: u64, cx: &mut Context<'_>) -> Poll<()> {
        if self.version() != seen {
            return Poll::Ready(());
        }
        let mut waiting = lock(&self.waiting);
        match &*waiting {
            Some(waker) if waker.will_wake(cx.waker()) => {}
            _ => *waiting = Some(cx.waker().clone()),
        }
        drop(waiting);
        // A ring that came before the waker was in place did not find it: look once more.
        if self.version() == seen {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }

    /// Waits until it was rung since it had the version `seen`.
    pub async fn rung(&self, seen: u64) {
        poll_fn(|cx| self.poll_rung(seen, cx)).await;
    }
}
