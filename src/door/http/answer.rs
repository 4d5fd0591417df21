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

/// The answer to a request without TLS at a door with TLS: the address with `https`, if the head of
/// the request names the host.
pub(in crate::door) fn refuse_clear_text(head: &[u8]) -> String {
    let head = String::from_utf8_lossy(head);
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    let host = fields.find(|(name, _)| name.eq_ignore_ascii_case("host"));
    let host = host.map(|(_, host)| host.trim());
    let is_sign = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    let words = match host.filter(|host| !host.is_empty() && host.chars().all(is_sign)) {
        Some(host) => format!("This port speaks HTTPS: https://{host}/"),
        None => "This port speaks HTTPS; write https:// in front of the address".to_owned(),
    };
    last_answer("400 Bad Request", "", &words)
}
