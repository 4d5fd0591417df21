//! The HTTP requests of one connection, one after the other. A silent client is closed in the end.
//! Knows no address and no answer.

use std::convert::Infallible;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::select;
use tokio::task::yield_now;
use tokio_util::sync::CancellationToken;

use super::answer::{GOING_DOWN, last_answer};
use super::exchange::Exchange;
use super::hold_back::HoldBack;
use crate::clock::{HyperTimer, timeout};
use crate::door::transport::{Transport, say_at_once, say_last};
use crate::door::waiting::WaitingList;

/// How long an answer may still take when the server shuts down.
const FAREWELL_TIME: Duration = Duration::from_secs(10);

/// The largest head of a request: a long address and the headers of a browser fit.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// The answer to a head that is longer, or has more fields than hyper reads.
const HEAD_TOO_LONG: &str =
    "The head of this request is too large: it may have 16 KiB and 100 fields";

/// A door's settings for requests.
pub(in crate::door) struct Port<'a> {
    /// The limit of time for the head of each request.
    pub(in crate::door) head_time: Duration,
    /// A sentence that says what the port is for, for a client that sends no request.
    pub(in crate::door) purpose: &'a (dyn Fn() -> String + Sync),
    /// Cancelled when the server shuts down.
    pub(in crate::door) closing: &'a CancellationToken,
    /// The clients that are leaving.
    pub(in crate::door) leaving: &'a WaitingList,
}

/// The reason why the connection answers no more requests.
enum NoMoreRequests {
    /// All requests are answered, or the bytes were not a request.
    Served(hyper::Result<()>),
    /// Other clients need the place.
    PushedOut,
    /// No client takes the answer.
    GivenUp,
    /// The server shuts down, and no request is whole.
    GoingDown,
}

/// Answers one request after the other, and closes the connection. Returns it, with the bytes
/// received after the last request, if that request keeps it open.
pub(in crate::door) async fn answer_requests<A>(
    stream: Transport,
    exchange: &Exchange,
    port: Port<'_>,
    answer: impl Fn(Request<Incoming>) -> A,
) -> Option<(Transport, Bytes)>
where
    A: Future<Output = Result<Response, Infallible>>,
{
    let service = service_fn(|request: Request<Incoming>| {
        exchange.begin();
        let busy = request.body().is_end_stream().then(|| exchange.busy());
        let answering = answer(request);
        // Boxed, so that the connection need not be pinned: the caller gets it back.
        Box::pin(async move {
            let answered = answering.await;
            exchange.end();
            drop(busy);
            answered
        })
    });
    let io = HoldBack { stream, exchange: exchange.clone(), status: Vec::new() };
    let mut connection = http1::Builder::new()
        .timer(HyperTimer)
        .header_read_timeout(port.head_time)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(io), service);
    yield_now().await; // so that the runtime sees new input
    let end = serve(&mut connection, exchange, &port).await;
    let parts = connection.into_parts();
    let HoldBack { stream, status, .. } = parts.io.into_inner();
    match end {
        NoMoreRequests::Served(Ok(())) if exchange.is_kept_open() => {
            return Some((stream, parts.read_buf));
        }
        end => say_why(stream, end, &status, exchange, &port).await,
    }
    None
}

/// Serves requests until there is a reason to end.
async fn serve<S>(
    connection: &mut http1::Connection<TokioIo<HoldBack>, S>,
    exchange: &Exchange,
    port: &Port<'_>,
) -> NoMoreRequests
where
    S: HttpService<Incoming, ResBody = Body> + Unpin,
    S::Future: Unpin,
    S::Error: Into<BoxError>,
{
    select! {
        biased;
        end = poll_fn(|cx| match connection.poll_without_shutdown(cx) {
            Poll::Ready(served) => Poll::Ready(NoMoreRequests::Served(served)),
            Poll::Pending => exchange.poll_pushed_out(cx).map(|()| NoMoreRequests::PushedOut),
        }) => end,
        () = exchange.given_up.cancelled() => NoMoreRequests::GivenUp,
        () = port.closing.cancelled() => {
            std::pin::Pin::new(&mut *connection).graceful_shutdown();
            let rest = poll_fn(|cx| match connection.poll_without_shutdown(cx) {
                Poll::Pending if exchange.lacks_request() => Poll::Ready(NoMoreRequests::GoingDown),
                polled => polled.map(NoMoreRequests::Served),
            });
            timeout(FAREWELL_TIME, rest).await.unwrap_or(NoMoreRequests::GivenUp)
        }
    }
}

/// Closes the connection. Tells the client why it gets no further answer, if it may expect one.
async fn say_why(
    mut stream: Transport,
    end: NoMoreRequests,
    status: &[u8],
    exchange: &Exchange,
    port: &Port<'_>,
) {
    match end {
        NoMoreRequests::Served(Err(error)) => {
            tracing::debug!(%error, "no further request");
            if !exchange.has_request() {
                let words = no_request(&error, status, port);
                say_last(stream, &words, port.leaving).await;
            }
        }
        NoMoreRequests::PushedOut if exchange.may_be_told() => {
            say_at_once(&mut stream, too_late(port).as_bytes());
        }
        NoMoreRequests::GoingDown => {
            let words = last_answer("503 Service Unavailable", "", GOING_DOWN);
            say_at_once(&mut stream, words.as_bytes());
        }
        NoMoreRequests::Served(Ok(())) => {
            if let Ok(Ok(())) = timeout(FAREWELL_TIME, stream.shutdown()).await {
                port.leaving.linger(&mut stream).await;
            }
        }
        NoMoreRequests::PushedOut | NoMoreRequests::GivenUp => {}
    }
}

/// The answer to bytes that are not a request, with the status that hyper chose.
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
        status => (status.unwrap_or("400 Bad Request"), "This is not an HTTP request"),
    };
    let words = format!("{fault}. {}", (port.purpose)());
    last_answer(status, "", &words).into_bytes()
}

fn too_late(port: &Port<'_>) -> String {
    let words = format!("No complete request arrived in time; try again. {}", (port.purpose)());
    last_answer("408 Request Timeout", "", &words)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use axum::response::IntoResponse;
    use tokio::io::AsyncReadExt;
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::{Instant, sleep};

    use super::*;

    const HEAD_TIME: Duration = Duration::from_secs(30);

    /// A connection to a door that answers each request with the same text.
    async fn connection() -> TcpStream {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await;
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            let port = Port {
                head_time: HEAD_TIME,
                purpose: &|| "This port is for tests".to_owned(),
                closing: &CancellationToken::new(),
                leaving: &WaitingList::with_places(4),
            };
            let exchange = Exchange::new(&WaitingList::with_places(4));
            let answer = async |_| Ok("answered".into_response());
            answer_requests(stream.into(), &exchange, port, answer).await
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
            std::io::Result::Ok(())
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
    async fn silence_after_an_answer_ends_without_a_word() {
        let mut stream = connection().await;
        let request = b"GET / HTTP/1.1\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("answered"), "{answer}");
    }
}
