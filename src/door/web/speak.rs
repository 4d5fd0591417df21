//! Speaking with a single request, as scripts do. The speaker does not arrive in the room.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use parlor_core::link::{Answer, Change, Outcome};
use parlor_core::model::{RoomName, Spoken};
use parlor_wire::style::{LINE_BYTES_MAX, LINES_MAX};
use parlor_wire::web::spoken;
use serde::Deserialize;
use serde_json::json;

use super::respond::{RoomInPath, bad_request, later};
use super::visit::Visit;
use crate::clock::timeout;
use crate::door::http::{TEXT, preferred, sentence};

/// The form for programs.
const JSON: &str = "application/json";

/// The size of a body.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// The limit of time for a body.
const BODY_TIME: Duration = Duration::from_secs(30);

/// The whole query.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SpeakQuery {
    name: Option<String>,
}

/// Posts the body of a request in a room.
pub(super) async fn speak(
    Extension(visit): Extension<Visit>,
    RoomInPath(room): RoomInPath,
    query: Result<Query<SpeakQuery>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Response> {
    let Ok(Query(SpeakQuery { name })) = query else {
        return Err(bad_request(
            "Unknown query: write ?name=ci, with the name to speak under, and nothing else",
        ));
    };
    let name = visit.claim(name, &headers).await?;
    let lines = read_body(body, &visit).await?;
    let _busy = visit.exchange.busy(); // the request is whole
    if let Some(refused) = visit.pay(lines.len()) {
        return Err(refused);
    }
    let profile = Some(Arc::clone(&visit.shared.script));
    let (password, tried) = visit.room_password(&room, &headers);
    let request = Change::SpeakOnce { name, profile, room: room.clone(), password, lines };
    match visit.connect().call(request).await {
        Outcome::Said { first, last } => Ok(receipt(&room, first, last, &headers)),
        Outcome::Answer(Answer::Refused(refusal)) => Err(visit.refuse(tried.refused(refusal))),
        _ => Err(sentence(StatusCode::SERVICE_UNAVAILABLE, "Try again later")),
    }
}

/// The numbers of the stored lines, each on a line.
fn receipt(room: &RoomName, first: u64, last: u64, headers: &HeaderMap) -> Response {
    if preferred(headers, TEXT, &[JSON]) == JSON {
        let numbers = json!({ "room": room.as_str(), "first": first, "last": last });
        return ([(header::CONTENT_TYPE, JSON)], format!("{numbers}\n")).into_response();
    }
    let numbers: Vec<_> = (first..=last).map(|seq| seq.to_string()).collect();
    sentence(StatusCode::OK, &numbers.join("\n"))
}

/// The lines of a body, whatever type it claims to have.
async fn read_body(body: Body, visit: &Visit) -> Result<Vec<Spoken>, Response> {
    let read = timeout(BODY_TIME, to_bytes(body, BODY_BYTES_MAX)).await.map_err(|_| {
        let words = "The text did not arrive in time; send it again";
        sentence(StatusCode::REQUEST_TIMEOUT, words)
    })?;
    let bytes = read.map_err(|_| {
        visit.shared.settings.metrics.met("line");
        let words = format!(
            "Too much at once, nothing was sent: at most {BODY_BYTES_MAX} bytes, in {LINES_MAX} lines of {LINE_BYTES_MAX} bytes"
        );
        sentence(StatusCode::PAYLOAD_TOO_LARGE, &words)
    })?;
    let text = String::from_utf8_lossy(&bytes);
    let lines = spoken(&text).map_err(|refusal| visit.refuse(refusal))?;
    match lines.is_empty() {
        true => Err(bad_request("There is no text; send it as the body, as in curl -d 'hello'")),
        false => Ok(lines),
    }
}

impl Visit {
    /// Takes lines from the bucket of the address; returns the refusal of lines that are too fast.
    pub(super) fn pay(&self, lines: usize) -> Option<Response> {
        let settings = &self.shared.settings;
        let rate = settings.live.rate()?;
        let now = settings.clock.monotonic();
        let wait = self.shared.paces.take(self.peer.ip(), rate, now, lines).err()?;
        settings.metrics.met("rate");
        let seconds = wait.as_secs() + 1;
        let words = format!(
            "Too fast, nothing was done; try again in {seconds} s: the limit is {}/s, and ten times that at once after a pause",
            rate.per_second
        );
        Some(later(StatusCode::TOO_MANY_REQUESTS, seconds, &words))
    }
}
