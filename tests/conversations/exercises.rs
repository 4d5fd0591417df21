//! Exercises 8.12 to 8.15 of "The Go Programming Language", as named mode solves them.

use std::time::Duration;

use parlor::config::RateLimit;

use crate::support::{Guest, TestServer};

#[test]
fn exercise_8_12_a_new_client_reads_who_is_here() {
    let server = TestServer::named();
    let mut alice = server.guest();
    alice.sees_question();
    alice.say("alice");
    alice.sees_all([
        "You are alice",
        "In lobby: nobody else",
        "-- /help lists what you can type",
        "-- Lines here are not stored: they are gone when the server stops",
    ]);
    let bob = server.enter("bob");
    alice.sees("bob has arrived");
    let mut carol = server.guest();
    carol.sees_question();
    carol.say("carol");
    carol.sees_all(["You are carol", "In lobby: alice, bob"]);
    alice.sees("carol has arrived");
    drop(bob);
    alice.sees("bob has left");
    let mut dave = server.guest();
    dave.sees_question();
    dave.say("dave");
    dave.sees_all(["You are dave", "In lobby: alice, carol"]);
}

#[test]
fn exercise_8_13_a_silent_client_is_warned_and_then_closed() {
    let server =
        TestServer::open(&["tcp://127.0.0.1:0?idle=30s", "tcp://127.0.0.1:0?idle=0"], |_| {});
    let mut alice = server.guest_at(1).enter("alice");
    let mut bob = server.enter("bob");
    alice.sees("bob has arrived");
    bob.sees("-- Silent for 24 seconds: closing in 6 seconds; press Enter to stay");
    alice.say("being told this is not being active");
    bob.sees("alice: being told this is not being active");
    bob.sees("-- Silent for 30 seconds: closed");
    bob.sees_end();
    alice.sees("alice: being told this is not being active");
    alice.sees("bob has left");
    alice.say("and I may be silent for ever");
    alice.sees("alice: and I may be silent for ever");
}

#[test]
fn exercise_8_13_pressing_enter_keeps_a_client_connected() {
    let server = TestServer::open(&["tcp://127.0.0.1:0?idle=30s"], |_| {});
    let [mut alice, mut bob] = server.friends(["alice", "bob"]);
    let warning = "-- Silent for 24 seconds: closing in 6 seconds; press Enter to stay";
    alice.sees(warning);
    alice.say("");
    bob.sees(warning);
    bob.sees("-- Silent for 30 seconds: closed");
    bob.sees_end();
    // She came before him, so silence would have closed her before him.
    alice.sees("bob has left");
    alice.say("still here");
    alice.sees("alice: still here");
}

#[test]
fn by_default_only_clients_without_a_name_are_closed_for_silence() {
    let server = TestServer::open(&["tcp://127.0.0.1:0"], |config| {
        assert_eq!(config.nameless_idle, Duration::from_mins(5));
        config.nameless_idle = Duration::from_secs(5);
    });
    let mut alice = server.enter("alice");
    let mut nameless = server.guest();
    let address = nameless.address();
    nameless.sees_question();
    nameless.say("");
    nameless.sees(&format!("You are {address}"));
    nameless.sees_roster();
    let mut late = server.guest();
    late.sees_question();
    late.say("");
    late.sees(&format!("You are {}", late.address()));
    late.sees_roster();
    late.say("/name zed");
    late.sees("You are zed");
    let warning = "-- Silent for 4 seconds: closing in 1 second; press Enter to stay";
    for line in [warning, "-- Silent for 5 seconds: closed"] {
        while nameless.line() != line {}
    }
    nameless.sees_end();
    // Both came before and have been silent since: people with a name may stay silent.
    while alice.line() != format!("{address} has left") {}
    late.sees(&format!("{address} has left"));
    late.say("still here");
    for guest in [&mut alice, &mut late] {
        guest.sees("zed: still here");
    }
}

#[test]
fn exercise_8_14_each_client_has_the_name_that_it_gives() {
    let server = TestServer::named();
    let mut alice = server.enter("alice");
    let mut bob = server.enter("bob");
    alice.sees("bob has arrived");
    bob.say("Hi!");
    alice.sees("bob: Hi!");
    bob.sees("bob: Hi!");
    alice.say("Hi yourself.");
    bob.sees("alice: Hi yourself.");
    drop(bob);
    alice.sees("alice: Hi yourself.");
    alice.sees("bob has left");
}

/// The notice to a slow reader, in both modes.
const SKIPPED: [&str; 2] = [" lines skipped: you were reading too slowly", " lines skipped"];

#[test]
fn exercise_8_15_a_slow_reader_skips_with_an_exact_count_and_blocks_nobody() {
    const LINES: usize = 3_000;
    let said = |number: usize| format!("alice: {number} {}", "x".repeat(1_000));
    let server = TestServer::open(&["tcp://127.0.0.1:0", "tcp://127.0.0.1:0?classic"], |config| {
        config.rate = RateLimit::Off;
        config.log_lines = 200;
    });
    let [mut alice, mut bob] = server.friends(["alice", "bob"]);
    let mut carol = Guest::connect_narrow(server.addresses()[0]).enter("carol");
    alice.sees("carol has arrived");
    bob.sees("carol has arrived");
    let mut dave = Guest::connect_narrow(server.addresses()[1]);
    dave.sees(&format!("You are {}", dave.address()));
    let dave_arrived = format!("{} has arrived", dave.address());
    for guest in [&mut alice, &mut bob, &mut carol] {
        guest.sees(&dave_arrived);
    }

    // Carol and dave read none of this, and alice and bob do not notice.
    for first in (0..LINES).step_by(50) {
        for number in first..first + 50 {
            alice.say(&said(number)["alice: ".len()..]);
        }
        for number in first..first + 50 {
            alice.sees(&said(number));
            bob.sees(&said(number));
        }
    }

    for (reader, notice) in [&mut carol, &mut dave].into_iter().zip(SKIPPED) {
        let (mut next, mut skipped) = (0, 0);
        while next < LINES {
            let line = reader.line();
            match count_in(&line, notice) {
                Some(lines) => {
                    next += lines;
                    skipped += lines;
                }
                None if line == said(next) => next += 1,
                None => reader.fail(&format!("line {next} was to come, and not {line:?}")),
            }
        }
        assert!((1..LINES).contains(&skipped), "{skipped} lines skipped");
    }
    alice.say("welcome back");
    carol.sees("alice: welcome back");
    dave.sees("alice: welcome back");
}

/// The number in `-- 128 lines skipped`; `None` for another line.
pub(crate) fn count_in(line: &str, words: &str) -> Option<usize> {
    line.strip_prefix("-- ")?.strip_suffix(words)?.parse().ok()
}
