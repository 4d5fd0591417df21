//! The clients that the server waits for, for example at the name question. They get a share of all
//! connections, so that silent clients cannot fill the server. Knows no dialect.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::AsyncRead;
use tokio::select;
use tokio::sync::oneshot;
use tokio::task::yield_now;

use crate::session::{self, read_some};

/// The clients that the server waits for. Clones share one list.
#[derive(Clone, Debug)]
pub(crate) struct WaitingList(Arc<Mutex<Waiters>>);

#[derive(Debug)]
struct Waiters {
    /// The places in the order of arrival. A client is pushed out when its sender is dropped.
    places: BTreeMap<u64, oneshot::Sender<()>>,
    /// The number of clients that stay when others need places.
    share: usize,
    /// Whether the list has only as many places.
    is_fixed: bool,
    /// The number of the latest client.
    latest: u64,
}

/// A client that owes an answer.
#[derive(Debug)]
pub(crate) struct Waiter {
    list: WaitingList,
    number: u64,
    /// The place while the server waits for the client.
    place: Option<oneshot::Receiver<()>>,
}

impl WaitingList {
    /// A list for a quarter of all connections, and for more of them while the server has room.
    pub(crate) fn new(connections: usize) -> WaitingList {
        WaitingList::of(quarter(connections), false)
    }

    /// A list for this many clients.
    pub(crate) fn with_places(share: usize) -> WaitingList {
        WaitingList::of(share, true)
    }

    fn of(share: usize, is_fixed: bool) -> WaitingList {
        let waiters = Waiters { places: BTreeMap::new(), share, is_fixed, latest: 0 };
        WaitingList(Arc::new(Mutex::new(waiters)))
    }

    /// Changes the number of all connections.
    pub(crate) fn set(&self, connections: usize) {
        self.waiters().share = quarter(connections);
    }

    /// Closes the clients beyond the share of this list, the first ones first.
    pub(crate) fn make_room(&self) {
        self.waiters().make_room();
    }

    /// Makes the waiter of the next client that owes an answer, in the order of arrival.
    pub(crate) fn waiter(&self) -> Waiter {
        Waiter { list: self.clone(), number: self.next_number(), place: None }
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

    fn waiters(&self) -> MutexGuard<'_, Waiters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_number(&self) -> u64 {
        let mut waiters = self.waiters();
        waiters.latest += 1;
        waiters.latest
    }

    /// Takes a place. If the list has no more places, the client that came first loses its place.
    fn take_place(&self, number: u64) -> oneshot::Receiver<()> {
        let (place, pushed_out) = oneshot::channel();
        let mut waiters = self.waiters();
        waiters.places.insert(number, place);
        if waiters.is_fixed {
            waiters.make_room();
        }
        pushed_out
    }
}

impl Waiters {
    fn make_room(&mut self) {
        while self.places.len() > self.share {
            self.places.pop_first();
        }
    }
}

/// A quarter of this many places.
pub(super) fn quarter(connections: usize) -> usize {
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
        select! {
            biased;
            read = read_some(input, held, max) => Some(read),
            () = poll_fn(|cx| self.poll_pushed_out(cx)) => None,
        }
    }

    /// Waits in a place. Ready when others need it; not to be polled after that.
    pub(crate) fn poll_pushed_out(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let place = self.place.get_or_insert_with(|| self.list.take_place(self.number));
        Pin::new(place).poll(cx).map(drop)
    }

    /// Notes that the client has answered, or at least tried.
    pub(crate) fn has_answered(&mut self) {
        if self.place.take().is_some() {
            self.list.waiters().places.remove(&self.number);
        }
    }

    /// Notes that the client has answered. The wait for the next answer begins as if the client had
    /// just come.
    pub(crate) fn begin_anew(&mut self) {
        self.has_answered();
        self.number = self.list.next_number();
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.has_answered();
    }
}
