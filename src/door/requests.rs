//! The HTTP requests of one connection, whatever they are about: one after the other, and silence has its share of the house
//! and an end. Knows no address and no answer.

use std::convert::Infallible;
use std::error::Error;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::select;
use tokio::task::yield_now;
use tokio_util::sync::CancellationToken;

use super::question::{Answerer, Questions};
use super::{say_at_once, say_last};
use crate::clock::{HyperTimer, timeout};

/// What is being answered when the server ends has this long.
const FAREWELL_TIME: Duration = Duration::from_secs(10);

/// A head may have this many bytes: a long address, and what browsers say of themselves.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// What is said of a longer one, and of one with more fields than hyper reads.
const HEAD_TOO_LONG: &str =
    "The head of this request is too large: it may have 16 KiB and 100 fields";

/// What everybody reads then.
pub(super) const GOING_DOWN: &str = "The server is going down";

/// Of hyper's own answer to bytes that are no request, this much is kept: the status is in it.
const STATUS_BYTES_MAX: usize = 128;

/// Whether a connection is waited for: then it stands at the question, and gives way when others need its place.
#[derive(Clone)]
pub(super) struct Turn(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// Cancelled when nobody takes the answer any more.
    is_given_up: CancellationToken,
}

struct State {
    answerer: Answerer,
    /// How many requests there were.
    requests: u64,
    /// Whether the head of one is there and no answer is.
    is_open: bool,
    /// How many of those there are who work for it.
    busy: usize,
}

/// While it is there, the connection is not waited for.
pub(super) struct Busy(Turn);

impl Turn {
    /// Of a connection that has its place among these.
    pub(super) fn new(questions: &Questions) -> Turn {
        Turn(Arc::new(Shared {
            state: Mutex::new(State {
                answerer: questions.answerer(),
                requests: 0,
                is_open: false,
                busy: 0,
            }),
            is_given_up: CancellationToken::new(),
        }))
    }

    /// The request is whole, or an answer goes on.
    pub(super) fn busy(&self) -> Busy {
        let mut state = self.state();
        state.busy += 1;
        state.answerer.has_answered();
        drop(state);
        Busy(self.clone())
    }

    /// Nobody takes the answer any more.
    pub(super) fn give_up(&self) {
        self.0.is_given_up.cancel();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_asked(&self) -> bool {
        self.state().requests > 0
    }

    fn begins(&self) {
        let mut state = self.state();
        state.requests += 1;
        state.is_open = true;
    }

    /// Whether a request has not come to its end, and what is said now is an answer to it.
    fn lacks_request(&self) -> bool {
        self.may_be_told() && self.state().busy == 0
    }

    /// Whether an answer that it gets now is one to its request.
    fn may_be_told(&self) -> bool {
        let state = self.state();
        state.is_open || state.requests == 0
    }

    /// Waits for the other side in a place, unless something is done for it. Ready when somebody else needs the place.
    fn poll_pushed_out(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        match state.busy {
            0 => state.answerer.poll_pushed_out(cx),
            _ => Poll::Pending,
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.busy = state.busy.saturating_sub(1);
        if state.busy == 0 {
            state.answerer.begin_anew();
        }
    }
}

/// How a door takes requests.
pub(super) struct Port<'a> {
    /// A head has this long to come, also behind another request.
    pub(super) head_time: Duration,
    /// What the port is for, in a sentence, for somebody who sends no request.
    pub(super) purpose: &'a (dyn Fn() -> String + Sync),
    /// Cancelled when the server ends.
    pub(super) closing: &'a CancellationToken,
    /// Those who leave.
    pub(super) leaving: &'a Questions,
}

/// Why no more requests are answered.
enum End {
    /// All are, or what came was none.
    Served(hyper::Result<()>),
    /// Somebody else needs the place.
    PushedOut,
    /// Nobody takes the answer.
    GivenUp,
    /// The server ends, and no request is whole.
    GoingDown,
}

/// Answers one request after the other. Where the last of them ends well, the connection is given back, with what has come in
/// behind it.
pub(super) async fn answer_requests<A, B>(
    stream: TcpStream,
    turn: &Turn,
    port: Port<'_>,
    answer: impl Fn(Request<Incoming>) -> A,
) -> Option<(TcpStream, Bytes)>
where
    A: Future<Output = Result<Response<B>, Infallible>>,
    B: Body + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let service = service_fn(|request: Request<Incoming>| {
        turn.begins();
        let busy = request.body().is_end_stream().then(|| turn.busy());
        let answering = answer(request);
        // Unpinned, as the connection is to be taken back.
        Box::pin(async move {
            let answered = answering.await;
            turn.state().is_open = false;
            drop(busy);
            answered
        })
    });
    let io = Held {
        stream,
        turn: turn.clone(),
        status: Vec::new(),
    };
    let mut connection = http1::Builder::new()
        .timer(HyperTimer)
        .header_read_timeout(port.head_time)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(io), service);
    yield_now().await; // so that what has come in is known
    let end = select! {
        biased;
        end = poll_fn(|cx| match connection.poll_without_shutdown(cx) {
            Poll::Ready(served) => Poll::Ready(End::Served(served)),
            Poll::Pending => turn.poll_pushed_out(cx).map(|()| End::PushedOut),
        }) => end,
        () = turn.0.is_given_up.cancelled() => End::GivenUp,
        () = port.closing.cancelled() => {
            Pin::new(&mut connection).graceful_shutdown();
            let rest = poll_fn(|cx| match connection.poll_without_shutdown(cx) {
                Poll::Pending if turn.lacks_request() => Poll::Ready(End::GoingDown),
                polled => polled.map(End::Served),
            });
            timeout(FAREWELL_TIME, rest).await.unwrap_or(End::GivenUp)
        }
    };
    let parts = connection.into_parts();
    let Held { stream, status, .. } = parts.io.into_inner();
    match end {
        End::Served(Ok(())) => return Some((stream, parts.read_buf)),
        End::Served(Err(error)) => {
            tracing::debug!(%error, "no further request");
            if !turn.has_asked() {
                let words = no_request(&error, &status, &port);
                say_last(stream, &words, port.leaving).await;
            }
        }
        End::PushedOut if turn.may_be_told() => {
            say_at_once(&stream, too_late(&port).as_bytes());
        }
        End::GoingDown => {
            let words = last_answer("503 Service Unavailable", "", GOING_DOWN);
            say_at_once(&stream, words.as_bytes());
        }
        End::PushedOut | End::GivenUp => {}
    }
    None
}

/// Closes a connection whose requests are answered.
pub(super) async fn close(mut stream: TcpStream, leaving: &Questions) {
    if let Ok(Ok(())) = timeout(FAREWELL_TIME, stream.shutdown()).await {
        leaving.linger(&mut stream).await;
    }
}

/// What somebody reads whose first bytes are no request; hyper says with which status.
fn no_request(error: &hyper::Error, status: &[u8], port: &Port<'_>) -> Vec<u8> {
    if error.is_timeout() {
        return too_late(port).into_bytes();
    }
    let status = str::from_utf8(status).ok().and_then(|head| {
        let (status, _) = head.split_once("\r\n")?;
        status.strip_prefix("HTTP/1.1 ")
    });
    let (status, fault) = match status {
        Some(long) if long.starts_with("431 ") => (long, HEAD_TOO_LONG),
        status => (
            status.unwrap_or("400 Bad Request"),
            "This is not an HTTP request",
        ),
    };
    let words = format!("{fault}. {}", (port.purpose)());
    last_answer(status, "", &words).into_bytes()
}

fn too_late(port: &Port<'_>) -> String {
    let words = format!(
        "No complete request arrived in time; try again. {}",
        (port.purpose)()
    );
    last_answer("408 Request Timeout", "", &words)
}

/// An answer for where nobody answers requests, with these headers beside the usual ones.
pub(super) fn last_answer(status: &str, headers: &str, words: &str) -> String {
    let length = words.len() + 1;
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\n{headers}\
         Connection: close\r\n\r\n{words}\n"
    )
}

/// A connection that holds back what hyper says by itself to bytes that are no request: a bare status, which says nothing to
/// people.
struct Held {
    stream: TcpStream,
    turn: Turn,
    /// The beginning of what was held back.
    status: Vec<u8>,
}

impl Held {
    fn hold(&mut self, bytes: &[u8]) -> usize {
        let room = STATUS_BYTES_MAX.saturating_sub(self.status.len());
        self.status.extend(bytes.iter().take(room));
        bytes.len()
    }
}

impl AsyncRead for Held {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        read: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, read)
    }
}

impl AsyncWrite for Held {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.turn.has_asked() {
            true => Pin::new(&mut self.stream).poll_write(cx, bytes),
            false => Poll::Ready(Ok(self.hold(bytes))),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        runs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.turn.has_asked() {
            true => Pin::new(&mut self.stream).poll_write_vectored(cx, runs),
            false => Poll::Ready(Ok(runs.iter().map(|run| self.hold(run)).sum())),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;
    use tokio::time::{Instant, sleep};

    use super::*;

    const HEAD_TIME: Duration = Duration::from_secs(30);

    /// A connection to a door that answers each request with the same word.
    async fn connection() -> TcpStream {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await;
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            let port = Port {
                head_time: HEAD_TIME,
                purpose: &|| "This port is for tests".to_owned(),
                closing: &CancellationToken::new(),
                leaving: &Questions::with_places(4),
            };
            let turn = Turn::new(&Questions::with_places(4));
            let answer = async |_| Ok(Response::new("answered".to_owned()));
            if let Some((stream, _)) = answer_requests(stream, &turn, port, answer).await {
                close(stream, &Questions::with_places(4)).await;
            }
        });
        client.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_comes_a_byte_a_second_has_an_end() {
        let begun = Instant::now();
        let (mut answer, mut request) = connection().await.into_split();
        let head = b"GET /a-long-address-that-is-not-over-yet".iter().cycle();
        tokio::spawn(async move {
            for byte in head {
                request.write_all(&[*byte]).await?;
                sleep(Duration::from_secs(1)).await;
            }
            io::Result::Ok(())
        });
        let mut words = String::new();
        answer.read_to_string(&mut words).await.ok();
        assert!(words.starts_with("HTTP/1.1 408 Request Timeout\r\n"));
        assert!(words.ends_with(
            "\r\n\r\nNo complete request arrived in time; try again. This port is for tests\n"
        ));
        assert!(begun.elapsed() < HEAD_TIME + Duration::from_secs(2));
    }

    #[tokio::test(start_paused = true)]
    async fn silence_behind_an_answer_ends_without_a_word() {
        let mut stream = connection().await;
        let request = b"GET / HTTP/1.1\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("answered"), "{answer}");
    }
}
