//! Replays the corpora of the fuzz targets, so that old findings do not come back. It looks for
//! nothing new.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and what it prints is shown then"
)]

mod fuzz_bodies;

use std::fs;
use std::path::Path;

/// Runs `body` over each file of a target's corpus.
fn replay(target: &str, body: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut files = 0;
    for entry in fs::read_dir(&corpus).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        println!("{}", path.display());
        body(&bytes);
        files += 1;
    }
    assert!(files >= 12, "{files} files in {}", corpus.display());
}

#[test]
fn framer() {
    replay("framer", fuzz_bodies::framer::run);
}

#[test]
fn telnet() {
    replay("telnet", fuzz_bodies::telnet::run);
}

#[test]
fn first_line() {
    replay("first_line", fuzz_bodies::first_line::run);
}

#[test]
fn lines() {
    replay("lines", fuzz_bodies::lines::run);
}

#[test]
fn websocket() {
    replay("websocket", fuzz_bodies::websocket::run);
}

#[test]
fn web() {
    replay("web", fuzz_bodies::web::run);
}
