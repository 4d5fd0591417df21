//! The writing half of a session: everything new in one system call.
//!
//! A writer that waits for its socket holds no batch, only a cursor and the rest of one line. Knows
//! no room and no dialect: the backlog does.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use parlor_core::link::{BATCHES_MAX, Backlog, Client, Encoder, Rooms};

use super::io::Output;
use crate::clock::{Sleep, sleep};

/// How long a client may accept no byte before it is closed.
const STALL_TIME: Duration = Duration::from_secs(120);

/// A writing half, whatever its transport and dialect: a future that writes until the departure is
/// reached and the mailbox is empty. It fails if the connection breaks, or accepts no byte for too
/// long.
///
/// It registers no waker for new lines and mail: the bell of its group rings, and the group polls
/// it.
pub(super) trait WriteLines: Future<Output = io::Result<()>> + Send + Unpin {
    /// The rooms whose lines it waits for. There are none while it waits for its socket, which
    /// wakes it: a client that reads nothing costs nothing when a new line comes.
    fn rooms(&self) -> Rooms;

    /// Another value than before if the [rooms](Self::rooms) are others: the number of their changes,
    /// and none while it waits for its socket.
    fn rooms_changes(&self) -> Option<u64>;

    /// Touches the memory that the next poll reads, so that it is in the cache. The result has no
    /// meaning.
    fn prefetch(&self) -> usize;
}

/// The writing half over one transport and in one dialect.
pub(super) struct Writer<W, E> {
    output: W,
    backlog: Backlog<E>,
    /// The timer that runs while the socket accepts nothing.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<W: Output, E: Encoder + Unpin> Future for Writer<W, E> {
    type Output = io::Result<()>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_write_lines(cx)
    }
}

impl<W: Output, E: Encoder + Unpin> WriteLines for Writer<W, E> {
    fn rooms(&self) -> Rooms {
        match self.stalled {
            None => self.backlog.rooms(),
            Some(_) => Rooms::new(),
        }
    }

    fn rooms_changes(&self) -> Option<u64> {
        match self.stalled {
            None => Some(self.backlog.rooms_changes()),
            Some(_) => None,
        }
    }

    fn prefetch(&self) -> usize {
        self.backlog.prefetch() ^ self.output.prefetch() ^ usize::from(self.stalled.is_some())
    }
}

impl<W: Output, E: Encoder> Writer<W, E> {
    pub(super) fn new(output: W, encoder: E, client: Arc<Client>) -> Self {
        Writer { output, backlog: Backlog::new(encoder, client), stalled: None }
    }

    fn poll_write_lines(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            self.backlog.collect();
            if !self.backlog.is_empty() {
                ready!(self.poll_write(cx))?;
            } else if self.backlog.is_over() {
                return Pin::new(&mut self.output).poll_shutdown(cx);
            } else {
                if let Poll::Ready(flushed) = Pin::new(&mut self.output).poll_flush(cx) {
                    flushed?;
                }
                return Poll::Pending;
            }
        }
    }

    /// Writes the collected bytes with one system call; fails if the socket accepts nothing for too
    /// long.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let output = Pin::new(&mut self.output);
        let mut runs = self.backlog.runs();
        let polled = match (runs.next(), runs.next()) {
            (Some(one), None) => output.poll_write(cx, one),
            (Some(_), Some(_)) => poll_write_vectored(output, cx, self.backlog.runs()),
            (None, _) => {
                drop(runs);
                self.backlog.advance(0); // skips entries that this dialect does not show
                return Poll::Ready(Ok(()));
            }
        };
        drop(runs);
        match polled {
            Poll::Ready(Ok(0)) => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            Poll::Ready(Ok(written)) => {
                self.backlog.advance(written);
                self.stalled = None;
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                self.backlog.release();
                let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(STALL_TIME)));
                ready!(stalled.as_mut().poll(cx));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

/// Writes several runs with one system call, as far as it accepts them.
fn poll_write_vectored<'a>(
    output: Pin<&mut impl Output>,
    cx: &mut Context<'_>,
    runs: impl Iterator<Item = &'a [u8]>,
) -> Poll<io::Result<usize>> {
    let mut vector = [IoSlice::new(&[]); BATCHES_MAX + 1];
    let mut used = 0;
    for (place, run) in vector.iter_mut().zip(runs) {
        *place = IoSlice::new(run);
        used += 1;
    }
    output.poll_write_vectored(cx, &vector[..used])
}
