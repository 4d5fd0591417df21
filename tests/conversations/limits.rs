//! Limits: the length of a line, the rate of a person's lines, the number of connections.

use parlor::config::RateLimit;

use crate::support::{Guest, TestServer};

#[test]
fn a_line_too_long_is_not_sent_and_its_sender_stays() {
    let server = TestServer::named();
    let [mut alice, mut bob] = server.friends(["alice", "bob"]);
    let longest = "a".repeat(4_096);
    alice.say(&longest);
    for bytes in [4_097, 409_600] {
        alice.say(&"b".repeat(bytes));
        alice.say("next");
    }
    alice.sees(&format!("alice: {longest}"));
    bob.sees(&format!("alice: {longest}"));
    for _ in 0..2 {
        alice.sees("-- Line too long (4096 bytes at most): not sent");
        alice.sees("alice: next");
        bob.sees("alice: next");
    }
}

#[test]
fn a_classic_line_may_be_as_long_as_in_the_original() {
    let server = TestServer::classic();
    let mut alice = server.guest();
    let address = alice.address();
    alice.sees(&format!("You are {address}"));
    let mut bob = server.guest();
    bob.sees(&format!("You are {}", bob.address()));
    alice.sees(&format!("{} has arrived", bob.address()));
    let longest = "a".repeat(65_535);
    alice.say(&longest);
    for guest in [&mut alice, &mut bob] {
        guest.sees(&format!("{address}: {longest}"));
    }
    for bytes in [65_536, 6_553_600] {
        alice.say(&"b".repeat(bytes));
        alice.say("next");
        alice.sees("-- Line too long (65535 bytes at most): not sent");
        alice.sees(&format!("{address}: next"));
        bob.sees(&format!("{address}: next"));
    }
}

#[test]
fn a_paste_that_is_too_fast_arrives_whole_and_in_order_even_after_the_end_of_file() {
    let server = TestServer::open(&["tcp://127.0.0.1:0"], |config| {
        config.rate = RateLimit::per_second(20); // 200 lines at once
    });
    let mut alice = server.enter("alice");
    let mut bob = server.guest();
    let lines: Vec<String> = (0..250).map(|number| format!("line {number}")).collect();
    bob.send(format!("bob\n{}\n", lines.join("\n")));
    bob.shut();
    bob.sees_question();
    bob.sees("You are bob");
    bob.sees_roster();
    alice.sees("bob has arrived");
    for line in &lines {
        alice.sees(&format!("bob: {line}"));
        bob.sees(&format!("bob: {line}"));
    }
    alice.sees("bob has left");
    bob.sees_end();
}

#[test]
fn a_delayed_client_is_not_idle_and_delays_no_other() {
    let server = TestServer::open(
        &["tcp://127.0.0.1:0?idle=500ms", "tcp://127.0.0.1:0?idle=0"],
        |config| config.rate = RateLimit::per_second(1), // 10 lines at once
    );
    let mut alice = server.guest_at(1);
    let mut bob = server.guest();
    let lines: Vec<String> = (0..14).map(|number| format!("line {number}")).collect();
    bob.send(format!("bob\n{}\n", lines.join("\n")));
    bob.sees_question();
    bob.sees("You are bob");
    bob.sees_roster();
    for line in &lines[..10] {
        bob.sees(&format!("bob: {line}"));
    }
    alice.send("alice\nHi!\n");
    bob.sees_all(["alice has arrived", "alice: Hi!"]);
    for line in &lines[10..] {
        bob.sees(&format!("bob: {line}")); // one a second, and no warning of silence
    }
}

#[test]
fn a_connection_above_the_limit_is_told_and_a_place_is_free_when_another_ends() {
    let server = TestServer::open(&["tcp://127.0.0.1:0", "tcp://127.0.0.1:0?classic"], |config| {
        config.connections = Some(2)
    });
    let [mut alice, mut bob] = server.friends(["alice", "bob"]);
    for door in [0, 1] {
        let mut third = server.guest_at(door);
        third.sees("-- The server is full; try again in 30 s");
        third.sees_end();
    }
    alice.say("nobody in here noticed");
    bob.sees("alice: nobody in here noticed");
    bob.say("/quit");
    bob.sees_end();
    drop(bob);
    let mut third = comes_again(|| server.guest());
    third.sees_question_again();
    third.say("carol");
    third.sees("You are carol");
}

#[test]
fn a_connection_above_the_limit_of_its_address_is_told() {
    let server = TestServer::open(&["tcp://127.0.0.1:0"], |config| {
        config.connections_per_address = 2;
        config.limit_loopback = true;
    });
    let [mut alice, mut bob] = server.friends(["alice", "bob"]);
    let mut third = server.guest();
    third.sees("-- Your address has 2 connections, the most allowed; close one and try again");
    third.sees_end();
    alice.say("/quit");
    alice.sees_end();
    drop(alice);
    bob.sees("alice has left");
    comes_again(|| server.guest()).sees_question_again();
}

#[test]
fn connections_from_this_machine_are_not_counted_by_default() {
    let server = TestServer::open(&["tcp://127.0.0.1:0"], |config| {
        config.connections_per_address = 1;
    });
    server.friends(["alice", "bob", "carol"]);
}

/// Connects again until there is room: a place becomes free a moment after its owner has read the
/// end. Returns the guest after the greeting.
#[track_caller]
fn comes_again(connect: impl Fn() -> Guest) -> Guest {
    for _ in 0..1_000 {
        let mut guest = connect();
        if guest.line() == format!("You are {}", guest.address()) {
            return guest;
        }
    }
    panic!("there was never room again");
}
