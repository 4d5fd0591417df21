//! A room as the body of an answer, until one of the two ends. Knows no request.

use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::Stream;
use parlor_core::link::{Answer, Encoder, Link, Listener, Listening, Mail, Mark, Notice};
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio::select;
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::io::ReaderStream;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::visit::Visit;
use crate::door::http::Busy;
use crate::session::{Output, Writing};

/// The number of bytes that are buffered between the room and the connection, in addition to those
/// in the kernel.
const BETWEEN_BYTES_MAX: usize = 8 * 1024;

/// After a silence of once to twice this time, a keepalive is sent. Balancers end
/// connections that are silent for 20 s or more.
const SILENCE: Duration = Duration::from_secs(9);

/// A room that a client reads without a session.
pub(super) struct RoomReading {
    pub(super) visit: Visit,
    pub(super) link: Link,
    /// Ends the view when it is dropped; `None` if the view has ended.
    pub(super) listener: Option<Listener>,
    pub(super) listening: Box<Listening>,
    /// The bytes that show that the connection works.
    pub(super) keepalive: &'static [u8],
}

impl RoomReading {
    /// Writes the first bytes and then the room into the body.
    pub(super) async fn into_body<E>(self, encoder: E, first: &[u8]) -> Body
    where
        E: Encoder + Unpin + 'static,
    {
        let RoomReading { visit, link, listener, listening, keepalive } = self;
        let (mut output, input) = duplex(BETWEEN_BYTES_MAX);
        output.write_all(first).await.ok(); // the bytes fit, and the reader exists
        let end = Mark::behind(listening.view.room());
        link.reply(end.clone(), Mail::Listening(listening));
        let writing = visit.reception.writers.write(output, encoder, link.client());
        let is_over = CancellationToken::new();
        let guards = (visit.exchange.busy(), is_over.clone().drop_guard());
        let tasks = visit.reception.tasks.clone();
        tasks.spawn(watch(visit, link, listener, end, writing, is_over));
        Body::from_stream(Following::new(input, keepalive, guards))
    }
}

/// Waits beside an answer until there is a reason to end it.
async fn watch(
    visit: Visit,
    link: Link,
    listener: Option<Listener>,
    end: Mark,
    mut writing: Writing,
    is_over: CancellationToken,
) {
    let notice = select! {
        biased;
        written = &mut writing => {
            if written.is_err() {
                visit.exchange.give_up(); // the client no longer reads the answer
            }
            return;
        }
        () = is_over.cancelled() => return, // the connection has ended
        () = visit.reception.closing.cancelled() => Notice::GoingDown,
        act = link.client().removal() => Notice::Act(Arc::clone(act)),
    };
    link.reply(end, Mail::Answer(Answer::Notice(notice)));
    drop(link); // no more mail comes, so the writer need not wait
    drop(listener); // dropping it rings for the writer
    writing.await.ok();
}

/// The body of an answer that follows a room. It notices when the client stops reading.
struct Following {
    bytes: ReaderStream<DuplexStream>,
    silence: Pin<Box<Sleep>>,
    /// Nothing has come since the timer started.
    is_silent: bool,
    is_between_lines: bool,
    keepalive: &'static [u8],
    /// The server does not wait for the client, and the task beside the answer runs.
    _guards: (Busy, DropGuard),
}

impl Following {
    fn new(input: DuplexStream, keepalive: &'static [u8], guards: (Busy, DropGuard)) -> Following {
        Following {
            bytes: ReaderStream::new(input),
            silence: Box::pin(sleep(SILENCE)),
            is_silent: true,
            is_between_lines: true,
            keepalive,
            _guards: guards,
        }
    }
}

impl Stream for Following {
    type Item = std::io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Poll::Ready(read) = Pin::new(&mut self.bytes).poll_next(cx) {
            if let Some(Ok(bytes)) = &read {
                self.is_silent = false;
                self.is_between_lines = bytes.ends_with(b"\n");
            }
            return Poll::Ready(read);
        }
        loop {
            ready!(self.silence.as_mut().poll(cx));
            self.silence.as_mut().reset(Instant::now() + SILENCE);
            if mem::replace(&mut self.is_silent, true) && self.is_between_lines {
                return Poll::Ready(Some(Ok(Bytes::from_static(self.keepalive))));
            }
        }
    }
}

impl Output for DuplexStream {}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use std::future::poll_fn;

    use super::*;
    use crate::door::http::Exchange;
    use crate::door::waiting::WaitingList;

    #[tokio::test(start_paused = true)]
    async fn a_silent_stream_gets_keepalives_between_lines_only() {
        let (mut output, input) = duplex(BETWEEN_BYTES_MAX);
        let busy = Exchange::new(&WaitingList::with_places(1)).busy();
        let guards = (busy, CancellationToken::new().drop_guard());
        let mut body = Following::new(input, b":\n\n", guards);
        let mut next = async || poll_fn(|cx| Pin::new(&mut body).poll_next(cx)).await;
        let begun = Instant::now();
        for _ in 0..3 {
            assert_eq!(next().await.unwrap().unwrap(), ":\n\n");
        }
        output.write_all(b"data: one\n\n").await.unwrap();
        assert_eq!(next().await.unwrap().unwrap(), "data: one\n\n");
        let said = Instant::now();
        assert_eq!(next().await.unwrap().unwrap(), ":\n\n");
        assert!(said.elapsed() < Duration::from_secs(20));
        output.write_all(b"data: tw").await.unwrap();
        assert_eq!(next().await.unwrap().unwrap(), "data: tw");
        tokio::spawn(async move {
            sleep(Duration::from_secs(100)).await;
            output.write_all(b"o\n\n").await
        });
        assert_eq!(next().await.unwrap().unwrap(), "o\n\n");
        assert!(next().await.is_none());
        assert!(begun.elapsed() > Duration::from_secs(100));
    }
}
