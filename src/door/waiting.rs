//! The clients that the server waits for, for example at the name question. They get a share of all
//! connections, so that silent clients cannot fill the server. Knows no dialect.

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

/// The clients that the server waits for, the longest-waiting first.
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

/// A client that owes an answer.
#[derive(Debug)]
pub(crate) struct Waiter {
    list: WaitingList,
    number: u64,
    /// The place while the server waits for the client; dropped when the client answers.
    place: Option<WaitingPlace>,
}

/// A place on the list, until it is dropped.
#[derive(Debug)]
struct WaitingPlace {
    list: WaitingList,
    number: u64,
    pushed_out: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl WaitingList {
    /// A list for a quarter of all connections.
    pub(crate) fn new(connections: usize) -> WaitingList {
        WaitingList::with_places(share(connections))
    }

    /// A list for this many clients.
    pub(crate) fn with_places(places: usize) -> WaitingList {
        WaitingList { waiting: Arc::default(), max: Arc::new(AtomicUsize::new(places)) }
    }

    /// Changes the number of all connections.
    pub(crate) fn set(&self, connections: usize) {
        self.max.store(share(connections), Ordering::Relaxed);
    }

    /// Makes the waiter of the next client that owes an answer, in the order of arrival.
    pub(crate) fn waiter(&self) -> Waiter {
        Waiter { list: self.clone(), number: self.number(), place: None }
    }

    /// Reads remaining input after the final message, for a moment, in a place on the list. When
    /// others need a place, the client with the oldest place is closed, so clients that are turned
    /// away keep no other client out.
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

    /// Takes a place. If the list is full, the client that came first loses its place.
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
    /// Reads more of the answer, at most `max` bytes. A client takes a place until it answers. It
    /// takes none if its answer is there already, which helps when many clients reconnect at once.
    /// `None` if others needed the place.
    pub(crate) async fn read<R: AsyncRead + Unpin>(
        &mut self,
        input: &mut R,
        held: &mut Vec<u8>,
        max: usize,
    ) -> Option<io::Result<usize>> {
        yield_now().await; // so that the runtime sees new input
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
        let place = self.place.get_or_insert_with(|| self.list.take_place(self.number));
        place.pushed_out.as_mut().poll(cx)
    }

    /// Notes that the client has answered, or at least tried.
    pub(crate) fn has_answered(&mut self) {
        self.place = None;
    }

    /// Notes that the client has answered. The wait for the next answer begins as if the client had
    /// just come.
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
