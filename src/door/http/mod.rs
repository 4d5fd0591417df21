//! HTTP as every door with requests needs it: one request after the other, and what a request
//! prefers. Knows no address and no answer.

mod exchange;
mod hold_back;
mod preference;
mod requests;

pub(super) use exchange::{Busy, Exchange};
pub(super) use preference::{preferred, wants_gzip};
pub(super) use requests::{GOING_DOWN, Port, answer_requests, close, unavailable};
