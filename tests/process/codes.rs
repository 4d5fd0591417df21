//! Reconnecting with a return code, to the same name and room and the missed lines.

use rustix::process::Signal;

use crate::admin::done;
use crate::data::{Data, STORED, enter};
use crate::guest::Guest;
use crate::owners::{PASSWORD, change_password, register};
use crate::server::Server;

const WELCOME: &str = "-- Welcome back, alice: here is what you missed; a few lines may come twice";

/// Reconnects with a code. Returns the guest and the lines up to the roster.
fn resume(server: &Server, code: &str) -> (Guest, Vec<String>) {
    let mut guest = Guest::connect(server.address);
    guest.say(&format!("/resume {code}"));
    guest.until(WELCOME);
    let shown = guest.until("You are alice");
    (guest, shown)
}

/// The numbers that bob said, without their times.
fn numbers(lines: &[String]) -> Vec<u64> {
    let of = |line: &String| line.split_once("] bob: ")?.1.parse().ok();
    lines.iter().filter_map(of).collect()
}

#[test]
fn a_lost_connection_resumes_with_its_name_room_and_missed_lines() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut bob = enter(&server, "bob");
    let mut old = enter(&server, "alice");
    for guest in [&mut bob, &mut old] {
        guest.say("/join tea");
        guest.lines_until("the roster", |line| line.starts_with("In tea: "));
    }
    bob.until("alice has arrived");
    let code = old.code();
    assert_eq!(old.code(), code, "it stays the same");
    for number in 1..=20 {
        bob.say(&number.to_string());
        bob.until(&format!("bob: {number}"));
    }
    let (mut alice, shown) = resume(&server, &code);
    assert_eq!(numbers(&shown), (1..=20).collect::<Vec<_>>());
    assert_eq!(alice.line(), "In tea: bob");
    old.until("-- You came back on another connection; this one is closed");
    assert!(old.rest().is_empty());
    alice.say("back");
    let heard = bob.until("alice: back");
    assert_eq!(heard, ["alice: back"], "nobody has left or arrived");
    server.close([alice, bob]);
}

#[test]
fn a_code_survives_the_server_however_it_ends() {
    let data = Data::new();
    for signal in [Signal::TERM, Signal::KILL] {
        let mut server = data.open(&[]);
        let mut bob = enter(&server, "bob");
        let mut alice = enter(&server, "alice");
        let code = alice.code();
        bob.say("7");
        bob.lines_until("7", |line| line == "bob: 7");
        server.signal(signal);
        server.ended();
        drop((alice, bob));

        let server = data.open(&[]);
        let (mut alice, shown) = resume(&server, &code);
        assert_eq!(numbers(&shown).last(), Some(&7), "{signal:?}: {shown:?}");
        alice.until("In lobby: nobody else");
        server.close([alice]);
    }
}

#[test]
fn lines_possibly_unread_in_the_buffers_are_shown_again() {
    let data = Data::new();
    let server = data.open(&["--keep", "written"]);
    let mut bob = enter(&server, "bob");
    let mut old = Guest::connect_narrow(server.address);
    old.say("alice");
    old.until(STORED);
    let code = old.code();
    // This is more than any buffer holds: alice reads none of it.
    let (said, text) = (2_000, "x".repeat(4_000));
    for number in 1..=said {
        bob.say(&format!("{number} {text}"));
        bob.lines_until("the echo", |line| line.starts_with(&format!("bob: {number} ")));
    }
    let read = old.line();
    assert!(read.starts_with("bob: 1 "), "{read:.20}");
    let (alice, shown) = resume(&server, &code);
    let number = |line: &String| {
        let text = line.split_once("] bob: ")?.1;
        text.split(' ').next()?.parse().ok()
    };
    let shown: Vec<u64> = shown.iter().filter_map(number).collect();
    let (first, last) = (shown[0], shown[shown.len() - 1]);
    assert_eq!(shown, (first..=said).collect::<Vec<_>>());
    assert_eq!(last, said);
    // The server's last write, and bob's line 1, are at least 128 KiB apart.
    drop(old);
    assert!(first < said - 32, "the last 128 KiB are shown in any case");
    server.close([alice, bob]);
}

#[test]
fn a_guest_who_is_catching_up_can_be_removed() {
    let data = Data::new();
    let server = data.open(&["--keep", "written"]);
    let mut bob = enter(&server, "bob");
    let mut old = enter(&server, "alice");
    let code = old.code();
    drop(old);
    bob.until("alice has left");
    // This is more than any buffer holds.
    let (said, text) = (2_000, "x".repeat(4_000));
    for number in 1..=said {
        bob.say(&format!("{number} {text}"));
        bob.lines_until("the echo", |line| line.starts_with(&format!("bob: {number} ")));
    }
    let mut alice = Guest::connect_narrow(server.address);
    alice.say(&format!("/resume {code}"));
    alice.until(WELCOME); // alice reads nothing further
    assert_eq!(done(&data, &["kick", "alice"]), ["alice is removed"]);
    let shown = alice.rest();
    assert_eq!(shown.last().unwrap(), "-- You were removed by the operator");
    let is_last = |line: &String| line.contains(&format!("] bob: {said} "));
    assert!(!shown.iter().any(is_last), "all was shown");
    bob.until("alice was removed by the operator");
    server.close([bob]);
}

#[test]
fn a_wrong_code_is_refused_at_the_question_and_later() {
    let data = Data::new();
    let server = data.open(&[]);
    let refused = "-- That return code is wrong, or its hour is over; enter with a name";
    let mut mallory = Guest::connect(server.address);
    for _ in 0..5 {
        mallory.say("/resume aaaaa-bbbbb-ccccc-ddddd");
        mallory.until(refused);
    }
    mallory.until(STORED);
    mallory.say("/resume aaaaa-bbbbb-ccccc-ddddd");
    mallory
        .until("-- You have entered already; type /resume at the name prompt of a new connection");
    server.close([mallory]);
}

#[test]
fn the_owner_of_a_name_resumes_as_its_owner() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut old = enter(&server, "alice");
    register(&mut old, PASSWORD);
    let code = old.code();
    let (mut alice, _) = resume(&server, &code);
    change_password(&mut alice);
    server.close([alice]);
}

#[test]
fn a_code_can_be_used_many_times() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut bob = enter(&server, "bob");
    let mut first = enter(&server, "alice");
    let code = first.code();
    // A connection that is closed does not learn who used the code.
    let (mut second, _) = resume(&server, &code);
    first.rest();
    second.say("/join tea");
    assert_eq!(second.code(), code); // asking again stores where alice is now
    let (mut third, _) = resume(&server, &code);
    second.rest();
    assert_eq!(third.line(), "In tea: nobody else");
    drop(third);
    let (mut fourth, _) = resume(&server, &code);
    assert_eq!(fourth.line(), "In tea: nobody else");
    bob.say("still bob");
    bob.until("bob: still bob");
    server.close((bob, fourth));
}

#[test]
fn an_older_code_works_for_the_owner_until_the_password_changes() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    let code = alice.code();
    register(&mut alice, PASSWORD);
    let (mut again, _) = resume(&server, &code);
    drop(again.until("In lobby: nobody else"));
    let mut other = Guest::connect(server.address);
    other.send(b"alice\ncorrect horse\n");
    other.until(STORED);
    change_password(&mut other);
    let mut stranger = Guest::connect(server.address);
    stranger.say(&format!("/resume {code}"));
    stranger.until("-- That return code is wrong, or its hour is over; enter with a name");
    server.close((alice, again, other));
}
