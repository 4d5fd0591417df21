//! The writing half of a session: everything new in one system call.
//!
//! A writer that waits for its socket holds no batch, only a cursor and the unfinished rest of one
//! line. Knows no room and no dialect: what there is to write, its backlog knows.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use parlor_core::backlog::{BATCHES_MAX, Backlog};
use parlor_core::client::Client;
use parlor_core::dialect::Encoder;
use tokio::io::AsyncWrite;
use tokio::time::{Sleep, sleep};

/// Whoever takes no byte for this long is closed.
const STALL_TIME: Duration = Duration::from_secs(120);

/// The writing half: a future that writes until the own departure is reached and the mailbox is
/// empty.
pub(super) struct Writer<W, E> {
    output: W,
    backlog: Backlog<E>,
    /// Runs while the socket takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
}

/// How writing ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// Everything up to the own departure is written, and the other side knows that it was all.
    All,
    /// The connection broke, or took no byte for too long.
    Broken,
}

impl<W: AsyncWrite + Unpin, E: Encoder + Unpin> Future for Writer<W, E> {
    type Output = Written;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Written> {
        self.get_mut()
            .poll_write_lines(cx)
            .map(|written| match written {
                Ok(()) => Written::All,
                Err(_) => Written::Broken,
            })
    }
}

impl<W: AsyncWrite + Unpin, E: Encoder> Writer<W, E> {
    pub(super) fn new(output: W, encoder: E, client: Arc<Client>) -> Self {
        Writer {
            output,
            backlog: Backlog::new(encoder, client),
            stalled: None,
        }
    }

    fn poll_write_lines(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let seen = self.backlog.client().bell().version(); // before looking, so that no ring is lost
            self.backlog.collect();
            if !self.backlog.is_empty() {
                ready!(self.poll_write(cx))?;
            } else if self.backlog.is_over() {
                return Pin::new(&mut self.output).poll_shutdown(cx);
            } else {
                if let Poll::Ready(flushed) = Pin::new(&mut self.output).poll_flush(cx) {
                    flushed?;
                }
                ready!(self.backlog.client().bell().poll_rung(seen, cx));
            }
        }
    }

    /// Writes what has been collected with one system call; or fails if the socket takes nothing
    /// for too long.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut vector = [IoSlice::new(&[]); BATCHES_MAX + 1];
        let mut used = 0;
        for (place, run) in vector.iter_mut().zip(self.backlog.runs()) {
            *place = IoSlice::new(run);
            used += 1;
        }
        let output = Pin::new(&mut self.output);
        let polled = match &vector[..used] {
            [] => Poll::Ready(Ok(0)), // entries that this dialect does not show
            [one] => output.poll_write(cx, one),
            several => output.poll_write_vectored(cx, several),
        };
        match polled {
            Poll::Ready(Ok(0)) if used > 0 => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            Poll::Ready(Ok(written)) => {
                self.backlog.advance(written);
                self.stalled = None;
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                self.backlog.let_go();
                let stalled = self
                    .stalled
                    .get_or_insert_with(|| Box::pin(sleep(STALL_TIME)));
                ready!(stalled.as_mut().poll(cx));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}
