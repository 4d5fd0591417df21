//! The parts of answers: a sentence, a refusal, the room in an address. Does not know what a
//! request does.

use std::borrow::Cow;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use parlor_core::link::Refusal;
use parlor_core::model::RoomName;
use parlor_wire::style::LocalClock;
use parlor_wire::words::refusal_row;

use crate::door::http::sentence;

/// The kind of the page.
pub(super) const HTML: &str = "text/html";

/// The answer to a request that makes no sense.
pub(super) fn bad_request(words: &str) -> Response {
    sentence(StatusCode::BAD_REQUEST, words)
}

/// An answer of one sentence, with the seconds to wait before the next try.
pub(super) fn later(status: StatusCode, seconds: u64, words: &str) -> Response {
    ([(header::RETRY_AFTER, seconds)], sentence(status, words)).into_response()
}

/// Tells why a request is refused, in the words that netcat shows, or in words for curl if the row
/// has some.
pub(super) fn refuse(refusal: &Refusal, clock: &LocalClock) -> Response {
    let row = refusal_row(refusal, clock);
    let status = StatusCode::from_u16(row.status).unwrap_or(StatusCode::BAD_REQUEST);
    let words = row.for_curl.map_or(row.sentence, Cow::Owned);
    match row.retry_after {
        Some(seconds) => later(status, seconds, &words),
        None => sentence(status, &words),
    }
}

/// The room in an address.
pub(super) struct RoomInPath(pub(super) RoomName);

impl<S: Send + Sync> FromRequestParts<S> for RoomInPath {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<RoomInPath, Response> {
        let typed = Path::<String>::from_request_parts(parts, state).await;
        let Path(typed) = typed.map_err(|_| bad_request("A room's name must be UTF-8 text"))?;
        RoomName::parse(&typed)
            .map(RoomInPath)
            .map_err(|error| bad_request(&format!("{typed:?} cannot be a room's name: {error}")))
    }
}
