//! HTTP for every door with requests: one request after the other, and the form that a request
//! prefers. Knows no address and no answer.

mod answer;
mod exchange;
mod hold_back;
mod preference;
mod requests;

pub(super) use answer::{GOING_DOWN, TEXT, refuse_clear_text, sentence, unavailable};
pub(super) use exchange::{Busy, Exchange};
pub(super) use preference::{preferred, wants_gzip};
pub(super) use requests::{Port, answer_requests};
