//! Conversations with a running server: each test reads as people would see it with netcat.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a step that fails, fails the test"
)]

#[path = "../support/mod.rs"]
mod support;

mod reference;
