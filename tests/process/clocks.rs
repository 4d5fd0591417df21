//! The machine's clock is wrong for a while, like that of a board without a battery. It does no
//! lasting harm.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::SystemTime;

use rusqlite::Connection;
use tempfile::TempDir;

use crate::data::{Data, enter};
use crate::files::says;
use crate::guest::Guest;
use crate::owners::{PASSWORD, register};
use crate::retention::fill;
use crate::search;
use crate::server::{HERE, Server};

const YEARS: i64 = 5 * 365 * 24 * 3_600;

/// A clock for one program that is wrong by a number of seconds.
struct Clock(TempDir);

impl Clock {
    fn new() -> Clock {
        let clock = Clock(tempfile::tempdir().unwrap());
        let made = Command::new("cc")
            .args(["-shared", "-fPIC", "-o"])
            .arg(clock.library())
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/process/clock.c"))
            .status();
        assert!(made.unwrap().success(), "a C compiler makes the clock");
        clock.is_wrong_by(0);
        clock
    }

    fn library(&self) -> PathBuf {
        self.0.path().join("clock.so")
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("seconds")
    }

    fn is_wrong_by(&self, seconds: i64) {
        let new = self.0.path().join("new");
        fs::write(&new, seconds.to_string()).unwrap();
        fs::rename(new, self.file()).unwrap();
    }

    fn open(&self, data: &Data, options: &[&str]) -> Server {
        let mut parlor = data.parlor();
        parlor.env("LD_PRELOAD", self.library());
        parlor.env("CLOCK_FILE", self.file());
        Server::run(parlor, &[&HERE[..], options].concat())
    }
}

fn now() -> i64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64
}

/// Checks that the times of the lobby's lines never decrease and are not in the future.
fn times_are_right(data: &Data) {
    let times: Vec<_> = data.lobby().iter().map(|row| row.at).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert!(times.last().is_none_or(|last| *last <= now()), "{times:?}");
    data.assert_undamaged();
}

#[test]
fn a_clock_that_is_years_ahead_for_a_while_deletes_no_line_and_dates_none_wrong() {
    let (data, clock) = (Data::new(), Clock::new());
    data.open(&[]).close::<[Guest; 0]>([]);
    fill(&data, 10, 20); // the 10 old ones in each room expire anyway
    clock.is_wrong_by(YEARS);
    let server = clock.open(&data, &["--retain", "30d", "--replay", "0"]);
    server.logged("the clock is 1825 days later than when lines were last stored");
    server.logged("old lines are deleted lines=20");
    let mut alice = Guest::connect(server.address);
    alice.say("alice");
    alice.until("-- Lines here are stored for 30 days");
    says(&mut alice, "said too early");
    let ahead = data.lobby().pop().unwrap().at;
    assert!(ahead > now() + (YEARS - 60) * 1_000);
    assert_eq!(search::answers(&mut alice, "early").len(), 1);
    clock.is_wrong_by(0);
    says(&mut alice, "said now");
    server.logged("the clock was ahead and has gone back");
    times_are_right(&data);
    alice.say("/last 30");
    assert_eq!(alice.lines_until("the last", |line| line.contains("said now")).len(), 22);
    assert_eq!(search::answers(&mut alice, "said").len(), 2);
    server.close([alice]);
    let texts = |data: &Data| data.lobby().iter().filter(|row| !row.text.is_empty()).count();
    assert_eq!(texts(&data), 22);

    // Nobody speaks in the lobby again before the server ends.
    clock.is_wrong_by(YEARS);
    let server = clock.open(&data, &["--replay", "0"]);
    let mut alice = enter(&server, "alice");
    says(&mut alice, "too early again");
    server.close([alice]);
    clock.is_wrong_by(0);
    let server = clock.open(&data, &["--retain", "30d", "--replay", "0"]);
    server.logged("the clock was ahead and has gone back");
    server.close::<[Guest; 0]>([]);
    times_are_right(&data);
    assert_eq!(texts(&data), 23);
}

#[test]
fn a_clock_that_is_years_behind_for_a_while_dates_no_line_wrong() {
    let (data, clock) = (Data::new(), Clock::new());
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    says(&mut alice, "one");
    alice.say("/code");
    let code = alice.lines_until("the code", |line| line.contains("/resume ")).pop().unwrap();
    server.close([alice]);
    clock.is_wrong_by(-10 * YEARS);
    let server = clock.open(&data, &["--retain", "30d"]);
    server.logged("earlier than when lines were last stored");
    let mut bob = Guest::connect(server.address);
    bob.say("bob");
    bob.until("-- Lines here are stored for 30 days");
    bob.say("two");
    bob.until("bob: two");
    server.close([bob]);
    times_are_right(&data);

    let server = data.open(&["--retain", "30d"]);
    let mut alice = Guest::connect(server.address);
    let (_, code) = code.split_once("/resume ").unwrap();
    let code = code.split_whitespace().next().unwrap();
    alice.say(&format!("/resume {code}"));
    alice.until("-- Lines here are stored for 30 days");
    server.close([alice]);
    assert_eq!(data.lobby().iter().filter(|row| !row.text.is_empty()).count(), 2);
    times_are_right(&data);
}

fn owned_since(data: &Data) -> i64 {
    let file = Connection::open(data.file()).unwrap();
    let query = "SELECT since FROM accounts";
    file.query_row(query, [], |row| row.get(0)).unwrap()
}

#[test]
fn a_name_registered_under_a_wrong_clock_deletes_its_owners_lines_and_no_others() {
    for wrong in [-YEARS, 600, YEARS] {
        let (data, clock) = (Data::new(), Clock::new());
        clock.is_wrong_by(-3_600); // so the line dates from an hour ago
        let server = clock.open(&data, &[]);
        let mut other = enter(&server, "alice");
        says(&mut other, "of another alice");
        server.close([other]);
        clock.is_wrong_by(wrong);
        let server = clock.open(&data, &["--replay", "0"]);
        let mut alice = enter(&server, "alice");
        register(&mut alice, PASSWORD);
        clock.is_wrong_by(0);
        says(&mut alice, "my own");
        alice.say("/forget all");
        alice.until("-- 1 line that you said is deleted, for everybody");
        server.close([alice]);
        let texts: Vec<_> = data.lobby().into_iter().map(|row| row.text).collect();
        assert_eq!(texts, ["of another alice", ""]);
        assert!(owned_since(&data) <= now(), "for the next time");
    }
}
