//! The built program as a process: real clients, signals, limits and hostile peers, over loopback
//! sockets. Linux only.
//!
//! Every server has port 0 and ends with its test. Every step waits for what it needs, and fails
//! after [`DEADLINE`].
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a step that fails, fails the test")]

mod authority;
#[path = "../support/irc.rs"]
#[allow(dead_code, reason = "no test binary needs all of it")]
mod chatter;
#[path = "../support/checker/mod.rs"]
mod checker;
mod fake;
mod guessing;
mod guest;
mod history;
#[path = "../support/nats.rs"]
mod nats_program;
mod server;
#[path = "../support/turns.rs"]
mod turns;
#[path = "../support/visitor.rs"]
mod visitor;

mod acme;
mod activation;
mod admin;
mod astray;
mod backup;
mod bytes;
mod clients;
mod clocks;
mod codes;
mod connections;
mod crowds;
mod damage;
mod data;
mod descriptors;
mod disk;
mod export;
mod files;
mod floods;
mod foreign;
mod forget;
mod founding;
mod gaps;
mod irc;
mod irc_keepers;
mod irc_stored;
mod join_piped;
mod join_terminal;
mod join_tls;
mod keepers;
mod kill;
mod markers;
mod nats;
mod nodes;
mod owners;
mod passwords;
mod proxies;
mod readiness;
mod reload;
mod reserved;
mod resets;
mod retention;
mod scripting;
mod sealed;
mod search;
mod setups;
mod signals;
mod slow;
mod snapshots;
mod standstill;
mod startup;
mod tls;
mod unix;
mod versions;
mod web;

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The limit of time for each step of a test; even a busy machine needs less.
const DEADLINE: Duration = Duration::from_mins(3);

/// Tests that hold thousands of descriptors take turns.
static MANY_DESCRIPTORS: Mutex<()> = Mutex::new(());

/// Waits for the turn to open thousands of connections, and raises this process's limit for them.
fn many_descriptors() -> MutexGuard<'static, ()> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let turn = MANY_DESCRIPTORS.lock().unwrap_or_else(PoisonError::into_inner);
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
    turn
}

/// The number of the `wanted` connections that a test may open.
fn affordable(wanted: usize) -> usize {
    use rustix::process::{Resource, getrlimit};
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    wanted.min(usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(500))
}

/// Sets the flag that ends another thread of a test when dropped, also by a failed assertion.
struct EndOnDrop<'a>(&'a AtomicBool);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Reports a test that cannot run here. In CI it fails, because everything must be tested there.
fn skip(what: &str) {
    let sentence = format!("SKIPPED: {what}\n");
    assert!(std::env::var_os("CI").is_none(), "{sentence}");
    // Not `eprintln!`: its output is hidden for tests that pass.
    io::stderr().write_all(sentence.as_bytes()).unwrap();
}
