//! Earlier lines: on arrival, and with `/last` and `/since`.

use std::ops::Range;

use parlor::config::RateLimit;

use crate::exercises::count_in;
use crate::support::{Guest, TestServer};

/// The answer when there are no earlier lines.
const NOTHING: &str = "-- There are no such lines here";

/// Says "line 1" to "line `count`".
#[track_caller]
fn says_lines(guest: &mut Guest, count: usize) {
    for number in 1..=count {
        guest.say(&format!("line {number}"));
    }
    for number in 1..=count {
        guest.sees(&format!("alice: line {number}"));
    }
}

#[test]
fn a_new_client_reads_the_last_lines_oldest_first_and_then_new_ones() {
    let server = TestServer::named();
    let mut alice = server.enter("alice");
    says_lines(&mut alice, 11);
    alice.say("/me yawns");
    alice.say("/topic neither topics nor arrivals are lines");
    alice.sees("* alice yawns");
    alice.sees("alice changed the topic to: neither topics nor arrivals are lines");
    let mut bob = server.guest();
    bob.sees_question();
    bob.say("bob");
    bob.sees_all([
        "You are bob",
        "In lobby: alice",
        "-- Topic: neither topics nor arrivals are lines",
        "-- /help lists what you can type",
        "-- Lines here are not stored: they are gone when the server stops",
    ]);
    for number in 3..=11 {
        bob.sees_replayed(&format!("alice: line {number}"));
    }
    bob.sees_replayed("* alice yawns");
    alice.sees("bob has arrived");
    alice.say("good morning");
    bob.sees("alice: good morning");
}

#[test]
fn last_shows_the_last_lines_again() {
    let server = TestServer::named();
    let mut alice = server.enter("alice");
    alice.say("/last");
    alice.sees(NOTHING);
    says_lines(&mut alice, 12);
    for (command, lines) in [("/last", 3..=12), ("/last 2", 11..=12), ("/last 1000000", 1..=12)] {
        alice.say(command);
        for number in lines {
            alice.sees_replayed(&format!("alice: line {number}"));
        }
    }
    for typed in ["/last words", "/last -1", "/last 0"] {
        alice.say(typed);
        alice.sees("-- Type /last [N]: it shows the last lines again, with times");
    }
}

#[test]
fn since_shows_the_lines_since_a_time_or_a_day() {
    let server = TestServer::named();
    let mut alice = server.enter("alice");
    alice.say("Hi!");
    alice.sees("alice: Hi!");
    alice.say("/last");
    let time = alice.replayed_line("alice: Hi!");
    let minute = time.split(' ').next_back().unwrap();
    for when in [
        minute,
        &format!("[{minute}]"),
        "2000-01-02",
        "2000-01-02 12:01",
        "[2000-01-02 12:01]",
        "2000-01-02T12:01",
        "2000-01-02T12:01:30+09:00",
        "yesterday",
        "2h",
    ] {
        alice.say(&format!("/since {when}"));
        alice.sees_replayed("alice: Hi!");
    }
    alice.say("/since 2999-12-31");
    alice.sees(NOTHING);
    for typed in ["24:00", "noon", "12-31", "2026-02-30", "2026-11-20 25:00"] {
        alice.say(&format!("/since {typed}"));
        alice.sees(
            "-- That is not a time; type 14:00, 2026-11-20, 2026-11-20 12:01, yesterday or 2h",
        );
    }
    alice.say("/since");
    alice.sees("-- Type /since TIME: it shows what was said since then");
}

#[test]
fn history_leaves_out_ignored_people_too() {
    let server = TestServer::named();
    let [mut alice, mut bob] = server.friends(["alice", "bob"]);
    alice.say("one");
    bob.sees("alice: one");
    bob.say("two");
    alice.sees_all(["alice: one", "bob: two"]);
    alice.say("/ignore bob");
    alice.sees("-- You no longer see lines from bob; /unignore bob shows them again");
    alice.say("three");
    alice.sees("alice: three");
    alice.say("/last");
    alice.sees_replayed("alice: one");
    alice.sees_replayed("alice: three");
}

#[test]
fn commands_that_need_stored_lines_say_so() {
    let server = TestServer::named();
    let mut alice = server.enter("alice");
    for command in ["search", "missed"] {
        alice.say(&format!("/{command} cake"));
        alice.sees(&format!(
            "-- /{command} needs lines stored on disk, and this server stores none; /last shows the latest"
        ));
    }
}

#[test]
fn lines_dropped_from_history_during_reading_are_counted() {
    const ASKED: usize = 150;
    const SAID_SINCE: usize = 400;
    let said = |number: usize| format!("alice: {number} {}", "x".repeat(4_000));
    let server = TestServer::open(&["tcp://127.0.0.1:0"], |config| {
        config.rate = RateLimit::Off;
        config.replay = 0;
        config.log_lines = 200;
    });
    let mut alice = server.enter("alice");
    let says = |alice: &mut Guest, numbers: Range<usize>| {
        for number in numbers {
            alice.say(&said(number)["alice: ".len()..]);
            alice.sees(&said(number));
        }
    };
    says(&mut alice, 0..ASKED);
    let mut bob = Guest::connect_narrow(server.addresses()[0]).enter("bob");
    bob.send(format!("/last {ASKED}\nthanks\n"));
    alice.sees_all(["bob has arrived", "bob: thanks"]);
    says(&mut alice, ASKED..ASKED + SAID_SINCE);

    let mut old = 0;
    let forgotten = loop {
        match bob.line() {
            line if line.starts_with('[') => {
                assert!(line.ends_with(&said(old)), "line {old} was to come, and not {line:?}");
                old += 1;
            }
            line => break count_in(&line, " lines no longer stored").expect(&line),
        }
    };
    assert_eq!(old + forgotten, ASKED);
    let skipped = count_in(&bob.line(), " lines skipped: you were reading too slowly").unwrap();
    // The count includes his line and hers.
    for number in ASKED + skipped - 1..ASKED + SAID_SINCE {
        bob.sees(&said(number));
    }
}
