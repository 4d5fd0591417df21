//! Speaking with a single request, as scripts do. The speaker does not arrive in the room.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parlor_core::link::{Answer, Change, Outcome, Refusal};
use parlor_core::model::{Claim, Line, Name, RoomName, Spoken};
use parlor_wire::style::LINE_BYTES_MAX;
use parlor_wire::web::{LINES_MAX, spoken};
use serde::Deserialize;
use serde_json::json;

use super::respond::{RoomInPath, TEXT, later, refuse, sentence};
use super::visit::Visit;
use crate::clock::timeout;
use crate::door::http::preferred;
use crate::session;

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
    name: Result<Query<SpeakQuery>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let Ok(Query(SpeakQuery { name })) = name else {
        return sentence(
            StatusCode::BAD_REQUEST,
            "Unknown query: write ?name=ci, with the name to speak under, and nothing else",
        );
    };
    let said = async {
        let claim = visit.claim(name, &headers).await?;
        let lines = read_body(body, &visit).await?;
        let _busy = visit.exchange.busy(); // the request is whole
        match visit.too_fast(lines.len()) {
            Some(refused) => Err(refused),
            None => visit.say(claim, room.clone(), lines).await,
        }
    };
    match said.await {
        Ok((first, last)) => receipt(&room, first, last, &headers),
        Err(refused) => refused,
    }
}

/// The numbers of the stored lines, each on a line.
fn receipt(room: &RoomName, first: u64, last: u64, headers: &HeaderMap) -> Response {
    if preferred(headers, TEXT, &[JSON]) == JSON {
        let kind = HeaderValue::from_static("application/json");
        let numbers = json!({ "room": room.as_str(), "first": first, "last": last });
        return ([(header::CONTENT_TYPE, kind)], format!("{numbers}\n")).into_response();
    }
    let numbers: Vec<_> = (first..=last).map(|seq| seq.to_string()).collect();
    sentence(StatusCode::OK, &numbers.join("\n"))
}

/// The lines of a body, whatever type it claims to have.
async fn read_body(body: Body, visit: &Visit) -> Result<Vec<Spoken>, Response> {
    let Ok(read) = timeout(BODY_TIME, to_bytes(body, BODY_BYTES_MAX)).await else {
        return Err(sentence(
            StatusCode::REQUEST_TIMEOUT,
            "The text did not arrive in time; send it again",
        ));
    };
    let Ok(bytes) = read else {
        visit.desk.settings.metrics.met("line");
        return Err(sentence(
            StatusCode::PAYLOAD_TOO_LARGE,
            &format!(
                "Too much at once, nothing was sent: at most {BODY_BYTES_MAX} bytes, in {LINES_MAX} lines of {LINE_BYTES_MAX} bytes"
            ),
        ));
    };
    let text = String::from_utf8_lossy(&bytes);
    let lines = spoken(&text).map_err(|refusal| visit.refuse(refusal))?;
    match lines.is_empty() {
        true => Err(sentence(
            StatusCode::BAD_REQUEST,
            "There is no text; send it as the body, as in curl -d 'hello'",
        )),
        false => Ok(lines),
    }
}

/// The name and the token from `curl -u NAME:TOKEN` (RFC 7617).
fn credentials(headers: &HeaderMap) -> Option<(String, Line)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = STANDARD.decode(encoded.trim()).ok()?;
    let colon = decoded.iter().position(|&byte| byte == b':')?;
    let (name, shown) = (decoded.get(..colon)?, decoded.get(colon + 1..)?);
    // Bytes that are not UTF-8 make a wrong name. If they made a missing one, the request would
    // pass without a proof.
    let name = String::from_utf8_lossy(name).into_owned();
    Some((name, Line::sanitise(shown)))
}

impl Visit {
    /// The name for the lines, with its proof if there is one.
    async fn claim(&self, named: Option<String>, headers: &HeaderMap) -> Result<Claim, Response> {
        let refused = |refusal: Refusal| self.refuse(refusal);
        let shown = credentials(headers);
        let typed = named.or_else(|| shown.as_ref().map(|(name, _)| name.clone()));
        let Some(typed) = typed else {
            return Err(sentence(
                StatusCode::BAD_REQUEST,
                "Give a name: ?name=ci, or -u NAME:TOKEN for a registered name",
            ));
        };
        let name = Name::parse(&typed).map_err(|error| refused(Refusal::from(error)))?;
        match shown {
            Some(shown) => self.prove(name, shown).await,
            None => Ok(name.into()),
        }
    }

    /// The registered name of a reader that gives one.
    pub(super) async fn owner(&self, headers: &HeaderMap) -> Result<Option<Claim>, Response> {
        let Some(shown) = credentials(headers) else {
            return Ok(None);
        };
        let name = Name::parse(&shown.0).map_err(|error| self.refuse(Refusal::from(error)))?;
        Ok(Some(self.prove(name, shown).await?))
    }

    /// Proves a name with the token that came with it.
    async fn prove(&self, name: Name, shown: (String, Line)) -> Result<Claim, Response> {
        let claim = session::prove_by_token(&self.desk.settings, &self.peer, name, shown);
        claim.await.map_err(|refusal| self.refuse(refusal))
    }

    /// The refusal of lines that are too fast.
    fn too_fast(&self, lines: usize) -> Option<Response> {
        let settings = &self.desk.settings;
        let rate = settings.live.rate()?;
        let now = settings.clock.monotonic();
        let taken = self.desk.paces.take(self.peer.address, rate, now, lines);
        let wait = taken.err()?;
        settings.metrics.met("rate");
        let seconds = wait.as_secs() + 1;
        let words = format!(
            "Too fast, nothing was sent; try again in {seconds} s: the limit is {}/s, and ten times that at once after a pause",
            rate.per_second
        );
        Some(later(StatusCode::TOO_MANY_REQUESTS, seconds, &words))
    }

    /// Posts lines. Returns the numbers of the first and the last.
    async fn say(
        &self,
        name: Claim,
        room: RoomName,
        lines: Vec<Spoken>,
    ) -> Result<(u64, u64), Response> {
        let mut link = self.connect();
        match link.call(Change::Speak { name, room, lines }).await {
            Outcome::Said { first, last } => Ok((first, last)),
            Outcome::Answer(Answer::Refused(refusal)) => Err(self.refuse(refusal)),
            _ => Err(sentence(StatusCode::SERVICE_UNAVAILABLE, "Try again later")),
        }
    }

    fn refuse(&self, refusal: Refusal) -> Response {
        self.desk.settings.metrics.refused(&refusal);
        let asks = matches!(refusal, Refusal::NameOwned(_) | Refusal::WrongPassword(_));
        let mut response = refuse(&refusal, &self.desk.clock);
        if asks {
            let how = HeaderValue::from_static("Basic realm=\"Parlor\", charset=\"UTF-8\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, how);
        }
        response
    }
}
