//! The parts of answers: a sentence, a refusal, the room in an address. Does not know what a
//! request does.

use std::borrow::Cow;

use axum::extract::{FromRequestParts, Path};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use parlor_core::link::Refusal;
use parlor_core::model::RoomName;
use parlor_wire::style::LocalClock;
use parlor_wire::words::refusal_row;

/// An answer of text for people.
pub(super) const TEXT: &str = "text/plain";

/// The page.
pub(super) const HTML: &str = "text/html";

/// Whether a header lists this word.
pub(super) fn lists(headers: &HeaderMap, header: HeaderName, kind: &str) -> bool {
    let kinds = headers.get_all(header).into_iter();
    let mut kinds = kinds.filter_map(|kinds| kinds.to_str().ok());
    kinds.any(|kinds| {
        let mut kinds = kinds.split(',').map(|one| one.split(';').next().unwrap_or(one));
        kinds.any(|one| one.trim().eq_ignore_ascii_case(kind))
    })
}

/// An answer of one sentence.
pub(super) fn sentence(status: StatusCode, words: &str) -> Response {
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    let words = format!("{}\n", words.trim_end());
    (status, [(header::CONTENT_TYPE, kind)], words).into_response()
}

/// An answer of one sentence, with the seconds to wait before the next try.
pub(super) fn later(status: StatusCode, seconds: u64, words: &str) -> Response {
    let mut response = sentence(status, words);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
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

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        state: &S,
    ) -> Result<RoomInPath, Response> {
        let Ok(Path(typed)) =
            <Path<String> as FromRequestParts<S>>::from_request_parts(parts, state).await
        else {
            return Err(sentence(StatusCode::BAD_REQUEST, "A room's name must be UTF-8 text"));
        };
        RoomName::parse(&typed).map(RoomInPath).map_err(|error| {
            sentence(
                StatusCode::BAD_REQUEST,
                &format!("{typed:?} cannot be a room's name: {error}"),
            )
        })
    }
}
