//! Whether the server waits for an HTTP connection. If so, the connection takes a place on the
//! waiting list, and is closed when others need the place. Knows no address and no answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio_util::sync::CancellationToken;

use crate::door::waiting::{Waiter, WaitingList};

/// The requests of one connection and their answers. Clones share one state.
#[derive(Clone)]
pub(in crate::door) struct Exchange {
    progress: Arc<Mutex<ExchangeState>>,
    /// Cancelled when the client no longer reads the answer.
    pub(super) given_up: CancellationToken,
}

struct ExchangeState {
    waiter: Waiter,
    /// The number of requests.
    requests: u64,
    /// Whether the head of a request is received, and its answer is not ready.
    is_open: bool,
    /// The number of parts of the server that work on the request.
    busy: usize,
    /// Whether the connection goes on without requests after this one.
    is_kept_open: bool,
}

/// While it exists, the server works and does not wait for the client.
pub(in crate::door) struct Busy(Exchange);

impl Exchange {
    /// The exchange of a connection whose places are on this list.
    pub(in crate::door) fn new(list: &WaitingList) -> Exchange {
        Exchange {
            progress: Arc::new(Mutex::new(ExchangeState {
                waiter: list.waiter(),
                requests: 0,
                is_open: false,
                busy: 0,
                is_kept_open: false,
            })),
            given_up: CancellationToken::new(),
        }
    }

    /// Notes that the request is whole, or that its answer continues.
    pub(in crate::door) fn busy(&self) -> Busy {
        let mut progress = self.progress();
        progress.busy += 1;
        progress.waiter.has_answered();
        drop(progress);
        Busy(self.clone())
    }

    /// Notes that the client no longer reads the answer.
    pub(in crate::door) fn give_up(&self) {
        self.given_up.cancel();
    }

    /// Keeps the connection open after the answer, which ends the requests.
    pub(in crate::door) fn keep_open(&self) {
        self.progress().is_kept_open = true;
    }

    fn progress(&self) -> MutexGuard<'_, ExchangeState> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the connection stays open after its requests.
    pub(super) fn is_kept_open(&self) -> bool {
        self.progress().is_kept_open
    }

    /// Whether a request was received.
    pub(super) fn has_request(&self) -> bool {
        self.progress().requests > 0
    }

    /// Notes that the head of a request was received.
    pub(super) fn begin(&self) {
        let mut progress = self.progress();
        progress.requests += 1;
        progress.is_open = true;
    }

    /// Notes that the answer is ready.
    pub(super) fn end(&self) {
        self.progress().is_open = false;
    }

    /// Whether a request is not whole, and a message now would be its answer.
    pub(super) fn lacks_request(&self) -> bool {
        self.may_be_told() && self.progress().busy == 0
    }

    /// Whether a message may be sent now: as the answer to a request, or before the first request.
    pub(super) fn may_be_told(&self) -> bool {
        let progress = self.progress();
        progress.is_open || progress.requests == 0
    }

    /// Waits for the client in a place on the list, unless the server works for it. Ready when
    /// others need the place.
    pub(super) fn poll_pushed_out(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut progress = self.progress();
        match progress.busy {
            0 => progress.waiter.poll_pushed_out(cx),
            _ => Poll::Pending,
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut progress = self.0.progress();
        progress.busy = progress.busy.saturating_sub(1);
        if progress.busy == 0 {
            progress.waiter.begin_anew();
        }
    }
}
