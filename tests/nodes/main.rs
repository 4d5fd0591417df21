//! Three nodes on three servers of NATS while people on all nodes say numbered lines, and something
//! fails: servers and nodes are killed, stopped and cut off. Linux only.
//!
//! However it fails, each line that somebody read is in the files of all nodes once, in one order,
//! and no line that was refused. Every step waits for what people read.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a step that fails, fails the test")]

#[path = "../support/checker/mod.rs"]
mod checker;
#[path = "../process/data.rs"]
#[allow(dead_code, reason = "no test binary needs all of it")]
mod data;
#[path = "../process/guest.rs"]
#[allow(dead_code, reason = "no test binary needs all of it")]
mod guest;
#[path = "../support/nats.rs"]
mod nats_program;
#[path = "../process/server.rs"]
#[allow(dead_code, reason = "no test binary needs all of it")]
mod server;
#[path = "../support/turns.rs"]
mod turns;

mod access;
mod copies;
mod faults;
mod hall;
mod house;
mod judge;
mod machine;
mod nats;
mod network;
mod person;
mod random;
mod rounds;

use std::io::{self, Write};
use std::time::Duration;

/// The limit of time for each step of a test; even a busy machine needs less.
const DEADLINE: Duration = Duration::from_mins(3);

/// Reports a test that cannot run here. In CI it fails, because everything must be tested there.
fn skip(what: &str) {
    let sentence = format!("SKIPPED: {what}\n");
    assert!(std::env::var_os("CI").is_none(), "{sentence}");
    // Not `eprintln!`: its output is hidden for tests that pass.
    io::stderr().write_all(sentence.as_bytes()).unwrap();
}
