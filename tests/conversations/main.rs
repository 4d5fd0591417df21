//! Conversations with a running server: each test shows the lines that people would see with
//! netcat.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a step that fails, fails the test")]

#[path = "../support/mod.rs"]
mod support;

mod book;
mod crowds;
mod doors;
mod endings;
mod exercises;
mod foreign;
mod help;
mod history;
mod irc;
mod keepers;
mod kept;
mod limits;
mod metrics;
mod names;
mod people;
mod private;
mod reference;
mod room_rules;
mod rooms;
mod web;
