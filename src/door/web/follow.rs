//! Reading a room over HTTP: its last lines, or the new ones. A reader does not arrive in the room.

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use parlor_core::link::{Answer, Change, Outcome, Resumed, Start};
use parlor_wire::lines::LineEncoder;
use parlor_wire::style::LineMode;
use parlor_wire::web::{Follow, FollowEncoder};
use serde::Deserialize;

use super::following::RoomReading;
use super::pages::PAGE;
use super::respond::{HTML, RoomInPath, bad_request, refuse};
use super::visit::Visit;
use crate::door::http::{TEXT, preferred, sentence};
use crate::session::{RoomTry, replay};

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
) -> Result<Response, Response> {
    let Some(form) = FollowForm::wanted(&headers) else {
        return Ok(PAGE.answer(&headers));
    };
    let most = replay::LINES_MAX;
    let Ok(Query(wanted @ (FollowQuery { last: None, .. } | FollowQuery { replay: None, .. }))) =
        wanted
    else {
        return Err(bad_request(&format!(
            "Unknown query: write ?last=50 to read the last lines, or ?replay=20 to follow the room after \
             its last lines; {most} lines at most"
        )));
    };
    if wanted.last.or(wanted.replay) > Some(most) {
        return Err(bad_request(&format!(
            "At most {most} lines can be read at once; parlor export prints all of them"
        )));
    }
    let Some(start) = start(&wanted, &headers) else {
        return Err(bad_request(
            "Last-Event-ID is not an event's id; write LOG:NUMBER, or leave it out",
        ));
    };
    let has_password = Visit::has_room_password(&headers);
    // Otherwise a password could be guessed as fast as the server answers.
    if let Some(refused) = has_password.then(|| visit.pay(1)).flatten() {
        return Err(refused);
    }
    let owner = visit.owner(&headers).await?;
    let waits = wanted.last.is_none(); // a follower waits for a room that does not exist
    let (password, tried) = visit.room_password(&room, &headers);
    let request = Change::Listen { owner, room, password, waits, replay: 0 };
    let body = read_room(visit, (request, tried), waits, start, form).await?;
    // A proxy that buffers the answer would show nothing for a long time.
    let pass_on = [("x-accel-buffering", "no")];
    Ok(([(header::CONTENT_TYPE, form.kind())], pass_on, body).into_response())
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
    fn keepalive(self) -> &'static [u8] {
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

/// Reads a room into the body of an answer. A reader who follows the room also reads what is said
/// from now on.
async fn read_room(
    visit: Visit,
    (request, tried): (Change, RoomTry),
    follows: bool,
    start: Start,
    form: FollowForm,
) -> Result<Body, Response> {
    let settings = &visit.shared.settings;
    let (storage, clock) = (settings.storage(), visit.shared.clock.clone());
    let mut link = visit.connect();
    let (listener, mut listening) = match link.call(request).await {
        Outcome::Listening(listener, listening) => (listener, listening),
        Outcome::Answer(Answer::Refused(refusal)) => {
            return Err(refuse(&tried.refused(refusal), &clock));
        }
        _ => return Err(sentence(StatusCode::SERVICE_UNAVAILABLE, "Try again later")),
    };
    let (replay, resumed) = replay::replay(&listening.view, &start, settings).await;
    listening.replay = replay;
    let is_elsewhere = resumed == Resumed::AnotherLog;
    let log = settings.epoch.to_string();
    let listener = follows.then_some(listener); // otherwise the view ends here
    let keepalive = form.keepalive();
    let reading = RoomReading { visit, link, listener, listening, keepalive };
    let mut first = Vec::new();
    Ok(match form {
        FollowForm::Text => {
            if is_elsewhere {
                first.extend_from_slice(format!("-- {ELSEWHERE}\n").as_bytes());
            }
            let encoder = LineEncoder::new(LineMode::Named, storage, clock);
            reading.into_body(encoder, &first).await
        }
        FollowForm::Json(follow) => {
            let encoder = FollowEncoder::new(follow, log, storage, clock);
            if is_elsewhere {
                encoder.another_log(ELSEWHERE, &mut first);
            }
            reading.into_body(encoder, &first).await
        }
    })
}
