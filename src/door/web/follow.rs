//! Reading a room over HTTP: its last lines, or the new ones. A reader does not arrive in the room.

use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use parlor_core::link::{
    Answer, Change, Encoder, Link, Listener, Listening, Mail, Mark, Notice, Outcome, Resumed, Start,
};
use parlor_core::model::{Claim, RoomName};
use parlor_wire::lines::LineEncoder;
use parlor_wire::style::LineMode;
use parlor_wire::web::{Follow, FollowEncoder};
use serde::Deserialize;
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio::select;
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::io::ReaderStream;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::pages::PAGE;
use super::respond::{HTML, RoomInPath, TEXT, refuse, sentence};
use super::visit::Visit;
use crate::door::http::{Busy, preferred};
use crate::session::{Output, Watching, replay};

/// The number of bytes that are buffered between the room and the connection, in addition to those
/// in the kernel.
const BETWEEN_BYTES_MAX: usize = 8 * 1024;

/// After a silence of once to twice this time, a sign of activity is sent. Balancers end
/// connections that are silent for 20 s or more.
const SILENCE: Duration = Duration::from_secs(9);

/// The header in which a browser names the last event it has seen (HTML, section 9.2).
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The first sentence for a client whose last line is not known.
const ELSEWHERE: &str = "Your last line is from another log, or newer than this one; the lines you missed cannot be counted";

/// The query of a request: one of these fields, and nothing else.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FollowQuery {
    /// The number of the last lines to show; then the answer ends.
    last: Option<u64>,
    /// The number of the last lines to show first; then the answer follows the room.
    replay: Option<u64>,
}

/// Shows a room: to browsers as a page, to other clients as lines.
pub(super) async fn read(
    Extension(visit): Extension<Visit>,
    RoomInPath(room): RoomInPath,
    wanted: Result<Query<FollowQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let Some(form) = FollowForm::wanted(&headers) else {
        return PAGE.answer(&headers);
    };
    let most = replay::LINES_MAX;
    let Ok(Query(wanted @ (FollowQuery { last: None, .. } | FollowQuery { replay: None, .. }))) =
        wanted
    else {
        return sentence(
            StatusCode::BAD_REQUEST,
            &format!(
                "Unknown query: write ?last=50 to read the last lines, or ?replay=20 to follow the room after \
                 its last lines; {most} lines at most"
            ),
        );
    };
    if wanted.last.or(wanted.replay) > Some(most) {
        return sentence(
            StatusCode::BAD_REQUEST,
            &format!("At most {most} lines can be read at once; parlor export prints all of them"),
        );
    }
    let Some(start) = start(&wanted, &headers) else {
        return sentence(
            StatusCode::BAD_REQUEST,
            "Last-Event-ID is not an event's id; write LOG:NUMBER, or leave it out",
        );
    };
    let read = async {
        let owner = visit.owner(&headers).await?;
        visit.read_room(owner, room, &wanted, start, form).await
    };
    match read.await {
        Ok(body) => answer(form, body),
        Err(refused) => refused,
    }
}

/// The place where reading begins; `None` if the header is invalid.
fn start(wanted: &FollowQuery, headers: &HeaderMap) -> Option<Start> {
    let Some(id) = headers.get(LAST_EVENT_ID) else {
        let lines = wanted.last.or(wanted.replay);
        return Some(Start::Last(lines.unwrap_or(0)));
    };
    let (log, seq) = id.to_str().ok()?.rsplit_once(':')?;
    let is_log = !log.is_empty() && log.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_log.then_some(Start::After { log: log.to_owned(), seq: seq.parse().ok()? })
}

const JSON_LINES: &str = "application/x-ndjson";
const EVENTS: &str = "text/event-stream";

/// The form in which a room is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FollowForm {
    /// The same lines as with netcat.
    Text,
    Json(Follow),
}

impl FollowForm {
    /// `None` for the page.
    fn wanted(headers: &HeaderMap) -> Option<FollowForm> {
        match preferred(headers, TEXT, &[HTML, JSON_LINES, EVENTS]) {
            HTML => None,
            JSON_LINES => Some(FollowForm::Json(Follow::JsonLines)),
            EVENTS => Some(FollowForm::Json(Follow::Events)),
            _ => Some(FollowForm::Text),
        }
    }

    /// The bytes that show that the connection works: a comment, or an empty line, which `jq` and
    /// most readers of JSON lines skip.
    fn sign_of_life(self) -> &'static [u8] {
        match self {
            FollowForm::Json(Follow::Events) => b":\n\n",
            FollowForm::Text | FollowForm::Json(Follow::JsonLines) => b"\n",
        }
    }

    fn kind(self) -> &'static str {
        match self {
            FollowForm::Text => "text/plain; charset=utf-8",
            FollowForm::Json(Follow::JsonLines) => JSON_LINES,
            FollowForm::Json(Follow::Events) => EVENTS,
        }
    }
}

fn answer(form: FollowForm, body: Body) -> Response {
    let kind = HeaderValue::from_static(form.kind());
    // A proxy that buffers the answer would show nothing for a long time.
    let pass_on = (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    ([(header::CONTENT_TYPE, kind), pass_on], body).into_response()
}

impl Visit {
    /// Reads a room into the body of an answer.
    async fn read_room(
        &self,
        owner: Option<Claim>,
        room: RoomName,
        wanted: &FollowQuery,
        start: Start,
        form: FollowForm,
    ) -> Result<Body, Response> {
        let mut link = self.connect();
        let (listener, mut listening) = self.listen(&mut link, owner, room, wanted).await?;
        let view = &listening.view;
        let (replay, resumed) = replay::replay(view, &start, &self.desk.settings).await;
        listening.replay = replay;
        let is_elsewhere = resumed == Resumed::AnotherLog;
        let listener = wanted.last.is_none().then_some(listener); // otherwise the view ends here
        let (keeping, clock) = (self.desk.settings.keeping(), self.desk.clock.clone());
        let log = self.desk.settings.log.to_string();
        let (mut first, sign_of_life) = (Vec::new(), form.sign_of_life());
        Ok(match form {
            FollowForm::Text => {
                let encoder = LineEncoder::new(LineMode::Named, keeping, clock);
                if is_elsewhere {
                    first.extend_from_slice(format!("-- {ELSEWHERE}\n").as_bytes());
                }
                self.follow(link, listener, listening, encoder, &first, sign_of_life).await
            }
            FollowForm::Json(follow) => {
                let encoder = FollowEncoder::new(follow, log, keeping, clock);
                if is_elsewhere {
                    encoder.another_log(ELSEWHERE, &mut first);
                }
                self.follow(link, listener, listening, encoder, &first, sign_of_life).await
            }
        })
    }

    /// Begins to listen to a room.
    async fn listen(
        &self,
        link: &mut Link,
        owner: Option<Claim>,
        room: RoomName,
        wanted: &FollowQuery,
    ) -> Result<(Listener, Box<Listening>), Response> {
        let request = Change::Listen {
            owner,
            room,
            waits: wanted.last.is_none(), // a follower waits for a room that does not exist
            replay: 0,
        };
        match link.call(request).await {
            Outcome::Listening(listener, listening) => Ok((listener, listening)),
            Outcome::Answer(Answer::Refused(refusal)) => Err(refuse(&refusal, &self.desk.clock)),
            _ => Err(sentence(StatusCode::SERVICE_UNAVAILABLE, "Try again later")),
        }
    }

    /// Writes the first bytes and then the room into the body, until one of them ends.
    async fn follow<E: Encoder + Unpin + 'static>(
        &self,
        link: Link,
        listener: Option<Listener>,
        listening: Box<Listening>,
        encoder: E,
        first: &[u8],
        sign_of_life: &'static [u8],
    ) -> Body {
        let (mut output, input) = duplex(BETWEEN_BYTES_MAX);
        output.write_all(first).await.ok(); // the bytes fit, and the reader exists
        let mark = Mark { room: listening.view.room(), position: u64::MAX };
        link.reply(mark, Mail::Listening(listening));
        let watching = self.reception.writers.watch(output, encoder, &link);
        let is_over = CancellationToken::new();
        let body = Following {
            bytes: ReaderStream::new(input),
            silence: Box::pin(sleep(SILENCE)),
            is_silent: true,
            is_between_lines: true,
            sign_of_life,
            _busy: self.exchange.busy(),
            _is_over: is_over.clone().drop_guard(),
        };
        let follower = FollowTask { visit: self.clone(), link, listener, mark };
        self.reception.tasks.spawn(follower.stay(watching, is_over));
        Body::from_stream(body)
    }
}

/// A task beside an answer that follows a room.
struct FollowTask {
    visit: Visit,
    link: Link,
    /// Ends the view when it is dropped; `None` if the view has ended.
    listener: Option<Listener>,
    /// The place after the last line to read.
    mark: Mark,
}

impl FollowTask {
    async fn stay(self, mut watching: Watching, is_over: CancellationToken) {
        let FollowTask { visit, link, listener, mark } = self;
        let is_going_down = select! {
            biased;
            was_all_taken = &mut watching => {
                if !was_all_taken {
                    visit.exchange.give_up(); // the client no longer reads the answer
                }
                return;
            }
            () = is_over.cancelled() => return, // the connection has ended
            () = visit.reception.closing.cancelled() => true,
            act = link.client().removal() => {
                let notice = Notice::Act(Arc::clone(act));
                link.reply(mark, Mail::Answer(Answer::Notice(notice)));
                false
            }
        };
        if is_going_down {
            link.reply(mark, Mail::Answer(Answer::Notice(Notice::GoingDown)));
        }
        drop(link); // no more mail comes, so the writer need not wait
        drop(listener); // dropping it rings for the writer
        watching.await;
    }
}

/// The body of an answer that follows a room. It notices when the client stops reading.
struct Following {
    bytes: ReaderStream<DuplexStream>,
    silence: Pin<Box<Sleep>>,
    /// Nothing has come since the timer started.
    is_silent: bool,
    is_between_lines: bool,
    sign_of_life: &'static [u8],
    _busy: Busy,
    _is_over: DropGuard,
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
                return Poll::Ready(Some(Ok(Bytes::from_static(self.sign_of_life))));
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
    async fn a_silent_stream_shows_signs_of_life_between_lines_alone() {
        let (mut output, input) = duplex(BETWEEN_BYTES_MAX);
        let mut body = Following {
            bytes: ReaderStream::new(input),
            silence: Box::pin(sleep(SILENCE)),
            is_silent: true,
            is_between_lines: true,
            sign_of_life: b":\n\n",
            _busy: Exchange::new(&WaitingList::with_places(1)).busy(),
            _is_over: CancellationToken::new().drop_guard(),
        };
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
