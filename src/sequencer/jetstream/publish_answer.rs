//! The answer of a stream to a message that was published. Knows no message.

use serde::Deserialize;

use super::courier::Published;

/// Errors of the stream that mean it has no space.
const NO_SPACE: [u64; 2] = [10_077, 10_023];

/// The answer to a message that was published.
#[derive(Deserialize)]
struct PublishAnswer {
    seq: Option<u64>,
    error: Option<ServerError>,
}

#[derive(Deserialize)]
struct ServerError {
    err_code: u64,
}

/// The result in an answer, and the number that the stream has given the message.
pub(super) fn result_of(answer: &[u8]) -> (Published, Option<u64>) {
    match serde_json::from_slice(answer) {
        Ok(PublishAnswer { seq: Some(seq), error: None }) => (Published::Stored, Some(seq)),
        Ok(PublishAnswer { error: Some(error), .. }) if NO_SPACE.contains(&error.err_code) => {
            (Published::Refused, None)
        }
        _ => (Published::Unknown, None),
    }
}
