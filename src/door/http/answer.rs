//! Answers of one sentence, for people with curl or a browser. Knows no request.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::door::admission::{RETRY_SECONDS, TurnedAway};

/// The kind of an answer for people.
pub(in crate::door) const TEXT: &str = "text/plain";

/// The answer to a request when the server shuts down.
pub(in crate::door) const GOING_DOWN: &str = "The server is going down";

/// An answer of one sentence.
pub(in crate::door) fn sentence(status: StatusCode, words: &str) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    (status, kind, format!("{}\n", words.trim_end())).into_response()
}

/// An answer written without hyper, with these headers beside the usual ones.
pub(super) fn last_answer(status: &str, headers: &str, words: &str) -> String {
    let length = words.len() + 1;
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\n{headers}\
         Connection: close\r\n\r\n{words}\n"
    )
}

/// The answer to a client that may not connect.
pub(in crate::door) fn unavailable(refused: TurnedAway) -> String {
    let when = format!("Retry-After: {RETRY_SECONDS}\r\n");
    last_answer("503 Service Unavailable", &when, &refused.to_string())
}
