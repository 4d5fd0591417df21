//! The ends of conversations: a person leaves, or the server goes down.

use crate::support::TestServer;

#[test]
fn a_client_that_half_closes_still_receives_earlier_lines() {
    let server = TestServer::named();
    let [mut alice, mut bob] = server.friends(["alice", "bob"]);
    for line in ["one", "two", "three"] {
        alice.say(line);
        alice.sees(&format!("alice: {line}"));
    }
    bob.send("bye\nand good night");
    bob.shut();
    alice.sees_all(["bob: bye", "bob: and good night", "bob has left"]);
    alice.say("he is gone");
    alice.sees("alice: he is gone");
    bob.sees_all(["alice: one", "alice: two", "alice: three", "bob: bye", "bob: and good night"]);
    bob.sees_end();
}

#[test]
fn a_connection_that_breaks_leaves_like_any_other() {
    let server = TestServer::named();
    let [mut alice, bob, carol] = server.friends(["alice", "bob", "carol"]);
    bob.reset();
    alice.sees("bob has left");
    drop(carol);
    alice.sees("carol has left");
}

#[test]
fn a_shutdown_is_announced_after_all_earlier_lines() {
    let mut server =
        TestServer::open(&["tcp://127.0.0.1:0", "tcp://127.0.0.1:0?classic"], |config| {
            config.rate = parlor::config::RateLimit::Off
        });
    let [mut alice, mut bob] = server.friends(["alice", "bob"]);
    let mut classic = server.guest_at(1);
    let address = classic.address();
    classic.sees(&format!("You are {address}"));
    for guest in [&mut alice, &mut bob] {
        guest.sees(&format!("{address} has arrived"));
    }
    let mut undecided = server.guest();
    undecided.sees_question();
    let words = |number| format!("last words {number}");
    for number in 0..1_000 {
        alice.say(&words(number));
    }
    for number in 0..1_000 {
        alice.sees(&format!("alice: {}", words(number)));
    }
    server.goes_down();
    for guest in [&mut bob, &mut classic] {
        for number in 0..1_000 {
            guest.sees(&format!("alice: {}", words(number)));
        }
    }
    for guest in [&mut alice, &mut bob, &mut undecided] {
        guest.sees("-- The server is going down");
        guest.sees_end();
    }
    classic.sees_end(); // without a message, as in the original
}

#[test]
fn the_final_message_arrives_even_if_the_client_keeps_sending() {
    let much = "too late\n".repeat(30_000);
    let server = TestServer::named();
    let mut browser = server.guest();
    browser.send(format!("POST / HTTP/1.1\r\n{much}"));
    browser.sees_question();
    assert!(browser.rest().starts_with("HTTP/1.1 400 "));

    let full = TestServer::open(&["tcp://127.0.0.1:0"], |config| {
        config.connections = Some(1);
    });
    let mut alice = full.enter("alice");
    let mut bob = full.guest();
    bob.send(format!("bob\n{much}"));
    bob.sees("-- The server is full; try again in 30 s");
    bob.sees_end();
    alice.send(format!("good night\n/quit\n{much}"));
    alice.sees("alice: good night");
    alice.sees_end();
    drop((server, full));
    for guest in [browser, alice, bob] {
        guest.was_not_reset(); // a reset could lose the message on a real network
    }
}
