//! Those who came to the wrong port, and those who speak telnet.

use crate::support::House;

/// What a web page can make a browser send, with a body that looks like lines.
fn requests() -> impl Iterator<Item = String> {
    const BODY: &str = "mallory\nhello from a web page\n";
    [
        "GET / HTTP/1.1",
        "HEAD / HTTP/1.1",
        "POST / HTTP/1.1",
        "PUT /alice HTTP/1.0",
        "DELETE /alice HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "PATCH /alice?a=b HTTP/1.1",
        "TRACE / HTTP/1.1",
        "CONNECT example.com:443 HTTP/1.1",
        "PRI * HTTP/2.0",
    ]
    .into_iter()
    .map(|line| {
        let length = BODY.len();
        format!("{line}\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{BODY}")
    })
}

#[track_caller]
fn assert_is_refusal(answer: &str) {
    assert!(
        answer.starts_with("HTTP/1.1 400 Bad Request\r\n"),
        "{answer}"
    );
    assert!(answer.contains("speaks lines of text"), "{answer}");
}

#[test]
fn a_browser_is_refused_and_nothing_of_it_is_broadcast() {
    let house = House::named();
    let mut alice = house.enter("alice");
    for request in requests() {
        let mut browser = house.guest();
        browser.sees_question();
        browser.send(request);
        assert_is_refusal(&browser.rest());
    }
    alice.say("nothing was heard");
    alice.sees("alice: nothing was heard");
}

#[test]
fn a_browser_with_too_long_a_request_line_is_refused_too() {
    let house = House::named();
    let mut alice = house.enter("alice");
    let mut browser = house.guest();
    browser.sees_question();
    let path = "a".repeat(5_000);
    browser.send(format!(
        "GET /{path} HTTP/1.1\r\nHost: localhost\r\n\r\nhello\n"
    ));
    browser.sees("-- Line too long (4096 bytes at most): not sent");
    browser.sees_question_again();
    assert_is_refusal(&browser.rest());
    alice.say("nothing was heard");
    alice.sees("alice: nothing was heard");
}

#[test]
fn a_browser_at_a_classic_door_arrives_and_leaves_and_says_nothing() {
    let house = House::open(
        &[
            "tcp://127.0.0.1:0?classic",
            "tcp://127.0.0.1:0?names=address",
        ],
        |_| {},
    );
    let mut alice = house.guest();
    alice.sees(&format!("You are {}", alice.address()));
    for request in requests() {
        let mut browser = house.guest();
        let address = browser.address();
        browser.sees(&format!("You are {address}"));
        browser.send(&request);
        assert_is_refusal(&browser.rest());
        alice.sees(&format!("{address} has arrived"));
        alice.sees(&format!("{address} has left"));
    }
    // Where no name is asked for it is the same.
    let mut browser = house.guest_at(1);
    let address = browser.address();
    browser.sees(&format!("You are {address}"));
    browser.sees_roster();
    browser.send("POST / HTTP/1.1\r\n\r\n/me waves\nhello\n");
    assert_is_refusal(&browser.rest());
    alice.sees(&format!("{address} has arrived"));
    alice.sees(&format!("{address} has left"));
}

#[test]
fn people_may_talk_about_http() {
    let house = House::named();
    let mut alice = house.enter("alice");
    for line in ["GET / HTTP/1.1", "Host: localhost", "I like HTTP/2"] {
        alice.say(line);
        alice.sees(&format!("alice: {line}"));
    }
}

#[test]
fn a_binary_protocol_is_told_what_this_port_speaks() {
    const TLS_CLIENT_HELLO: &[u8] = b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03";
    const TLS_WITH_A_NEWLINE: &[u8] = b"\x16\x03\x01\x00\x05\n\x00\x00\x01\x03";
    const SMB: &[u8] = b"\x00\x00\x00\x54\xfeSMB";
    const SOCKS: &[u8] = b"\x05\x01\x00";
    let house = House::open(
        &["tcp://127.0.0.1:0", "tcp://127.0.0.1:0?names=address"],
        |_| {},
    );
    let mut alice = house.enter("alice");
    const SSH: &[u8] = b"SSH-2.0-OpenSSH_9.6\r\n";
    for hello in [TLS_CLIENT_HELLO, TLS_WITH_A_NEWLINE, SMB, SOCKS, SSH] {
        let mut stranger = house.guest();
        stranger.sees_question();
        stranger.send(hello);
        stranger.sees("-- This port speaks lines of text");
        stranger.sees_end();
    }
    let mut stranger = house.guest_at(1);
    let address = stranger.address();
    stranger.sees(&format!("You are {address}"));
    stranger.sees_roster();
    stranger.send(TLS_CLIENT_HELLO);
    stranger.sees("-- This port speaks lines of text");
    stranger.sees_end();
    alice.sees_all([
        format!("{address} has arrived"),
        format!("{address} has left"),
    ]);
    alice.say("nothing was heard");
    alice.sees("alice: nothing was heard");
}

#[test]
fn telnet_is_refused_its_options_and_given_its_line_endings() {
    let house = House::named();
    let mut alice = house.enter("alice");
    let mut bob = house.guest();
    bob.sees_question();
    bob.send(b"\xff\xfb\x1f"); // WILL window size
    bob.sees_bytes(b"\xff\xfe\x1f"); // DONT
    bob.send("bob\r\n");
    bob.sees_bytes(b"You are bob\r\nIn lobby: alice\r\n");
    bob.sees_bytes(b"-- /help lists what you can type\r\n");
    bob.sees_bytes(b"-- Lines here are not kept: they are gone when the server ends\r\n");
    alice.sees("bob has arrived");
    // In the middle of a word: DO echo, a window size, a no-operation.
    bob.send(b"he\xff\xfd\x01ll\xff\xfa\x1f\x00\x50\x00\x0a\xff\xf0o\xff\xf1\r\n");
    bob.sees_bytes(b"\xff\xfc\x01"); // WONT
    bob.sees_bytes(b"bob: hello\r\n");
    alice.sees("bob: hello");
    bob.send(b"CR NUL\r\0ends a line\r\0");
    bob.sees_bytes(b"bob: CR NUL\r\nbob: ends a line\r\n");
    alice.sees_all(["bob: CR NUL", "bob: ends a line"]);
    alice.say("Hi!");
    alice.sees("alice: Hi!");
    bob.sees_bytes(b"alice: Hi!\r\n");
    bob.send(b"/topic\r\n");
    bob.sees_bytes(b"-- lobby has no topic; /topic TEXT sets one\r\n");
}

#[test]
fn telnet_commands_are_never_shown_in_classic_mode_either() {
    let house = House::classic();
    let mut alice = house.guest();
    alice.sees(&format!("You are {}", alice.address()));
    let mut bob = house.guest();
    let address = bob.address();
    bob.sees(&format!("You are {address}"));
    alice.sees(&format!("{address} has arrived"));
    bob.send(b"a\xff\xf1b\xff\xffc\n"); // a no-operation, and an escaped 255
    alice.sees(&format!("{address}: ab\u{fffd}c"));
    bob.sees(&format!("{address}: ab\u{fffd}c"));
    bob.send(b"\xff\xfb\x01hello\n");
    bob.sees_bytes(b"\xff\xfe\x01");
    bob.sees_bytes(format!("{address}: hello\r\n").as_bytes());
    alice.sees(&format!("{address}: hello"));
}
