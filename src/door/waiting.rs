//! Clients that are waited for, as at the name question: they have a share of all connections, so
//! that silent ones cannot fill the server. Knows no dialect.

use std::collections::BTreeMap;
use std::future::{poll_fn, ready};
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::AsyncRead;
use tokio::select;
use tokio::task::yield_now;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::session::{self, read_some};

/// Clients that are waited for, the longest-waiting first.
#[derive(Clone, Debug)]
pub(crate) struct WaitingList {
    waiting: Arc<Mutex<Waiters>>,
    max: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct Waiters {
    places: BTreeMap<u64, CancellationToken>,
    next: u64,
}

/// A client that is to answer.
#[derive(Debug)]
pub(crate) struct Waiter {
    list: WaitingList,
    number: u64,
    /// Taken when the client has to be waited for, and given up when it answers.
    place: Option<WaitingPlace>,
}

/// A place on the list; given up when dropped.
#[derive(Debug)]
struct WaitingPlace {
    list: WaitingList,
    number: u64,
    pushed_out: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl WaitingList {
    /// For a quarter of all connections.
    pub(crate) fn new(connections: usize) -> WaitingList {
        WaitingList::with_places(share(connections))
    }

    /// For this many clients.
    pub(crate) fn with_places(places: usize) -> WaitingList {
        WaitingList {
            waiting: Arc::default(),
            max: Arc::new(AtomicUsize::new(places)),
        }
    }

    /// Changes the number of all connections.
    pub(crate) fn set(&self, connections: usize) {
        self.max.store(share(connections), Ordering::Relaxed);
    }

    /// A client that is to answer, in the order of arrival.
    pub(crate) fn waiter(&self) -> Waiter {
        Waiter {
            list: self.clone(),
            number: self.number(),
            place: None,
        }
    }

    /// Reads remaining input after the last words, for a moment, in a place: the client that has
    /// had one for longest is closed when others need it. So clients that are turned out keep
    /// nobody out.
    pub(crate) async fn linger<R: AsyncRead + Unpin>(&self, input: &mut R) {
        let mut leaving = self.waiter();
        select! {
            biased;
            () = session::linger(input) => {}
            () = poll_fn(|cx| leaving.poll_pushed_out(cx)) => {}
        }
    }

    fn number(&self) -> u64 {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.next += 1;
        waiting.next
    }

    /// Takes a place. If none is free, the client that came first loses its place.
    fn take_place(&self, number: u64) -> WaitingPlace {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let pushed_out = CancellationToken::new();
        waiting.places.insert(number, pushed_out.clone());
        if waiting.places.len() > self.max.load(Ordering::Relaxed)
            && let Some((_, longest)) = waiting.places.pop_first()
        {
            longest.cancel();
        }
        WaitingPlace {
            list: self.clone(),
            number,
            pushed_out: Box::pin(pushed_out.cancelled_owned()),
        }
    }
}

fn share(connections: usize) -> usize {
    (connections / 4).max(1)
}

impl Waiter {
    /// Reads more of the answer, at most `max` bytes. A client takes a place until it answers, but
    /// not if its answer is there already, as in a storm of clients that reconnect. None if others
    /// needed the place.
    pub(crate) async fn read<R: AsyncRead + Unpin>(
        &mut self,
        input: &mut R,
        held: &mut Vec<u8>,
        max: usize,
    ) -> Option<io::Result<usize>> {
        yield_now().await; // so that the runtime knows what has come in
        let mut reading = pin!(read_some(input, held, max));
        select! {
            biased;
            read = &mut reading => return Some(read),
            () = ready(()) => {}
        }
        select! {
            biased;
            read = reading => Some(read),
            () = poll_fn(|cx| self.poll_pushed_out(cx)) => None,
        }
    }

    /// Waits in a place. Ready when others need it.
    pub(crate) fn poll_pushed_out(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let place = self
            .place
            .get_or_insert_with(|| self.list.take_place(self.number));
        place.pushed_out.as_mut().poll(cx)
    }

    /// The client has answered, or at least tried.
    pub(crate) fn has_answered(&mut self) {
        self.place = None;
    }

    /// The same; and the next answer is waited for as if the client came now.
    pub(crate) fn begin_anew(&mut self) {
        self.place = None;
        self.number = self.list.number();
    }
}

impl Drop for WaitingPlace {
    fn drop(&mut self) {
        self.list
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .places
            .remove(&self.number);
    }
}
