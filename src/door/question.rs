//! Those who are waited for, as at the name question: a share of the house, so that silence cannot fill it. Knows no dialect.

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

use crate::session;
use crate::session::read_some;

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

/// Somebody who is to answer the question.
#[derive(Debug)]
pub(crate) struct Answerer {
    questions: Questions,
    number: u64,
    /// Held from waiting for an answer until there is one.
    place: Option<Place>,
    is_pushed_out: bool,
}

/// A place at the question; given up when dropped.
#[derive(Debug)]
struct Place {
    questions: Questions,
    number: u64,
    pushed_out: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Questions {
    /// At most a quarter of all connections may stand there.
    pub(crate) fn new(connections: usize) -> Questions {
        Questions::with_places(share(connections))
    }

    /// This many may stand there.
    pub(crate) fn with_places(places: usize) -> Questions {
        Questions {
            waiting: Arc::default(),
            max: Arc::new(AtomicUsize::new(places)),
        }
    }

    /// From now on there may be so many connections.
    pub(crate) fn set(&self, connections: usize) {
        self.max.store(share(connections), Ordering::Relaxed);
    }

    /// Somebody who is to answer the question, in the order of coming.
    pub(crate) fn answerer(&self) -> Answerer {
        Answerer {
            questions: self.clone(),
            number: self.number(),
            place: None,
            is_pushed_out: false,
        }
    }

    /// Reads what still comes behind the last words, for a moment, in a place: whoever has done so for longest is closed when
    /// others need it. So those who are turned out keep nobody out.
    pub(crate) async fn linger<R: AsyncRead + Unpin>(&self, input: &mut R) {
        let mut leaving = self.answerer();
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

    /// Takes a place. Where there is none, whoever came first gives up theirs.
    fn take_place(&self, number: u64) -> Place {
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
            pushed_out: Box::pin(pushed_out.cancelled_owned()),
        }
    }
}

fn share(connections: usize) -> usize {
    (connections / 4).max(1)
}

impl Answerer {
    /// Reads more of the answer, at most `max` bytes. Whoever has to be waited for stands at the question until there is an
    /// answer; who has sent it already, as everybody does who comes back in a storm, takes no place. None if somebody else
    /// needed the place.
    pub(crate) async fn read<R: AsyncRead + Unpin>(
        &mut self,
        input: &mut R,
        held: &mut Vec<u8>,
        max: usize,
    ) -> Option<io::Result<usize>> {
        yield_now().await; // so that what has come in is known
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

    /// Waits in a place. Ready when somebody else needs it.
    pub(crate) fn poll_pushed_out(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let place = self
            .place
            .get_or_insert_with(|| self.questions.take_place(self.number));
        let polled = place.pushed_out.as_mut().poll(cx);
        self.is_pushed_out = polled.is_ready();
        polled
    }

    /// Whether somebody else has the place now.
    pub(crate) fn is_pushed_out(&self) -> bool {
        self.is_pushed_out
    }

    /// There is an answer, or at least a try.
    pub(crate) fn has_answered(&mut self) {
        self.place = None;
    }

    /// The same; and whatever comes next is waited for as if somebody came now.
    pub(crate) fn begin_anew(&mut self) {
        self.place = None;
        self.number = self.questions.number();
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
