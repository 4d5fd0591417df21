//! Changed passwords: everything that depends on the old one ends, at every door.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use serde_json::json;

use crate::data::{Data, STORED, enter};
use crate::guest::{Guest, word_after};
use crate::owners::{ASKED, PASSWORD, come_back, register};
use crate::server::Server;
use crate::visitor::Visitor;
use crate::web::open;

const PRESENT: &str = "-- Type the present password of alice (Enter to cancel)";
const NEW: &str = "-- Type a password for alice; nobody else sees it (Enter to cancel)";
const CHANGED: &str =
    "-- alice has a new password: your other connections, return codes and token end";
const CLOSED: &str = "-- The name you use has a new password; this connection is closed";

/// Changes alice's password by `/register` and the answers to its questions.
fn change(alice: &mut Guest, command: &str, from: &str, to: &str, answer: &str) {
    alice.say(command);
    alice.until(PRESENT);
    alice.say(from);
    alice.until(NEW);
    alice.say(to);
    alice.until("-- Type the password again");
    alice.say(to);
    alice.until(answer);
}

/// The HTTP status when curl posts a line as alice.
pub(crate) fn speak(web: SocketAddr, secret: impl AsRef<[u8]>) -> String {
    let output = Command::new("curl")
        .args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "-d", "hello", "-u"])
        .arg(OsStr::from_bytes(&[b"alice:", secret.as_ref()].concat()))
        .arg(format!("http://{web}/lobby"))
        .output();
    String::from_utf8(output.unwrap().stdout).unwrap()
}

fn resume(server: &Server, code: &str) -> Guest {
    let mut guest = Guest::connect(server.address);
    guest.say(&format!("/resume {code}"));
    guest
}

#[test]
fn a_new_password_ends_connections_codes_and_the_token() {
    let data = Data::new();
    let (server, web) = open(&data);
    let mut bob = enter(&server, "bob");
    let mut alice = enter(&server, "alice");
    register(&mut alice, PASSWORD);
    let own_code = alice.code();
    let mut thief = come_back(&server, PASSWORD);
    let open = thief.code();
    let mut gone = come_back(&server, PASSWORD);
    let ended = gone.code();
    drop(gone);
    let token = thief.token();
    assert_eq!(speak(web, &token), "200");
    let mut tab = Visitor::connect(web);
    tab.asks(json!({"do": "enter", "name": "alice", "password": PASSWORD}).to_string());
    tab.hears("entered");
    bob.say("/msg alice before");
    alice.until("[bob -> alice] before");

    // The thief does not know the password, so she cannot change it; alice can.
    thief.say("/register");
    thief.until(PRESENT);
    thief.say("a guess");
    thief.until("-- That is not the password of alice");
    thief.until(PRESENT);
    change(&mut alice, "/register", PASSWORD, "another horse", CHANGED);
    let another = alice.line();
    let another = word_after(&another, "-- Your return code is ").to_owned();
    assert_eq!(thief.rest().last().unwrap(), CLOSED);
    let (last, _) = tab.is_closed();
    let last = last.last().unwrap();
    assert_eq!((&last["kind"], &last["by"]), (&json!("removed"), &json!("new-password")));
    alice.say("still here");
    bob.until("alice: still here");
    for code in [&own_code, &open, &ended] {
        resume(&server, code)
            .until("-- That return code is wrong, or its hour is over; enter with a name");
    }
    assert_eq!(speak(web, &token), "401");
    assert_eq!(speak(web, PASSWORD), "401");
    assert_eq!(speak(web, "another horse"), "200");
    let mut late = Guest::connect(server.address);
    late.say("alice");
    late.until(ASKED);
    late.say(PASSWORD);
    late.until("-- That is not the password of alice");
    let mut back = resume(&server, &another);
    back.until("You are alice");
    server.close(([bob, alice, late, back], tab));
}

#[test]
fn a_new_password_keeps_the_owners_token_and_messages() {
    let data = Data::new();
    let (server, web) = open(&data);
    let mut alice = enter(&server, "alice");
    register(&mut alice, PASSWORD);
    let token = alice.token();
    change(
        &mut alice,
        "/register keep",
        PASSWORD,
        "another horse",
        "-- alice has a new password: your other connections and return codes end; your token stays",
    );
    assert_eq!(speak(web, &token), "200");
    alice.say("/name al");
    alice.until("You are al");
    alice.say("/msg alice kept");
    alice.until("-- alice is away and gets your message on return");
    let mut second = come_back(&server, "another horse");
    second.until("-- 1 message while you were away");
    change(&mut second, "/register", "another horse", PASSWORD, CHANGED);
    server.close([alice, second]);
}

#[test]
fn the_operator_chooses_how_short_a_password_may_be() {
    let data = Data::new();
    let server = data.open(&["--password-chars", "3", "--listen", "http://127.0.0.1:0"]);
    let mut visitor = Visitor::connect(server.web()).enter("bob");
    visitor.asks(json!({"do": "register"}).to_string());
    let question = visitor.hears("password");
    assert_eq!((&question["for"], &question["chars"]), (&json!("new"), &json!(3)));
    let mut alice = enter(&server, "alice");
    alice.say("/register");
    alice.until(NEW);
    alice.say("ab");
    alice.until("-- A password needs at least 3 characters: try again");
    alice.until(NEW);
    alice.say("abc");
    alice.until("-- Type the password again");
    alice.say("abc");
    alice.until("-- alice is registered: this name needs your password from now on");
    server.close((alice, visitor));
}

#[test]
fn the_first_of_two_simultaneous_password_changes_wins() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut first = enter(&server, "alice");
    register(&mut first, PASSWORD);
    let mut second = come_back(&server, PASSWORD);
    for guest in [&mut first, &mut second] {
        guest.say("/register");
        guest.until(PRESENT);
        guest.say(PASSWORD);
        guest.until(NEW);
        guest.say("another horse");
        guest.until("-- Type the password again");
    }
    first.say("another horse");
    second.say("another horse");
    // In either order, one of them changes the password and stays, and the other one is closed.
    let last = |guest: &mut Guest| {
        let lines = guest.lines_until("the outcome", |line| line == CHANGED || line == CLOSED);
        lines.last().unwrap().clone()
    };
    let mut outcomes = [last(&mut first), last(&mut second)];
    outcomes.sort_unstable();
    assert_eq!(outcomes, [CLOSED, CHANGED]);
    let third = come_back(&server, "another horse");
    server.close([first, second, third]);
}

#[test]
fn a_name_cannot_be_changed_while_it_is_being_registered() {
    let data = Data::new();
    let (server, web) = open(&data);
    let mut bob = Visitor::connect(web).enter("bob");
    bob.asks(json!({"do": "register", "id": "r"}).to_string());
    bob.hears("password");
    bob.asks(json!({"do": "name", "args": ["mallory"], "id": "n"}).to_string());
    let refused = bob.hears("refused");
    assert_eq!(refused["why"], "answer-first", "{refused}");
    bob.asks(json!({"do": "password", "text": PASSWORD}).to_string());
    assert_eq!(bob.hears("password")["for"], "again");
    bob.asks(json!({"do": "password", "text": PASSWORD}).to_string());
    let registered = bob.hears("answer");
    assert_eq!((&registered["about"], &registered["name"]), (&json!("registered"), &json!("bob")));
    bob.until_done("r");
    bob.asks(json!({"do": "name", "args": ["mallory"], "id": "m"}).to_string());
    let told = bob.until_done("m");
    assert!(told.iter().any(|message| message["kind"] == "you"), "{told:?}");
    // It is registered, and its owner can wear it.
    let mut again = Guest::connect(server.address);
    again.say("bob");
    again.until("-- bob is registered: type its password (Enter to go without this name)");
    again.say(PASSWORD);
    again.until(STORED);
    server.close((bob, again));
}

#[test]
fn a_departure_while_a_password_is_stored_leaves_file_and_server_in_agreement() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut bob = enter(&server, "bob");
    for name in ["one", "two", "three"] {
        let mut guest = enter(&server, name);
        guest.send(format!("/register\n{PASSWORD}\n{PASSWORD}\n").as_bytes());
        guest.until("-- Type the password again");
        guest.reset(); // while the password is hashed, or a moment before or after
        bob.lines_until("the departure", |line| line == format!("{name} has left"));
        // In each case the file and the server agree.
        let mut another = Guest::connect(server.address);
        another.say(name);
        let question =
            format!("-- {name} is registered: type its password (Enter to go without this name)");
        let line = another.lines_until("an answer", |line| line == question || line == STORED);
        if line.last() == Some(&question) {
            another.say(PASSWORD);
            another.until(STORED);
        } else {
            another.say("/register");
            another.until(&format!(
                "-- Type a password for {name}; nobody else sees it (Enter to cancel)"
            ));
        }
        drop(another);
        bob.lines_until("the departure", |line| line == format!("{name} has left"));
    }
    server.close([bob]);
}

/// The bytes that a terminal set to Latin-1 sends.
const LATIN_1: &[u8] = b"gr\xfcne W\xe4lder";
const NOT_TEXT: &str =
    "-- That password is not in UTF-8: set your terminal to UTF-8, or type it without such letters";
const WRONG: &str = "-- That is not the password of alice";

#[test]
fn a_password_that_is_not_in_utf_8_is_refused_and_matches_nothing() {
    let latin_1 = [LATIN_1, b"\n"].concat();
    let data = Data::new();
    let (server, web) = open(&data);
    let mut alice = enter(&server, "alice");
    alice.say("/register");
    for typed in [&latin_1[..], "gr\u{fffd}ne W\u{fffd}lder\n".as_bytes()] {
        alice.until(NEW);
        alice.send(typed);
        alice.until(NOT_TEXT);
    }
    alice.until(NEW);
    alice.say("gr\u{fc}ne W\u{e4}lder");
    alice.until("-- Type the password again");
    alice.send(&latin_1);
    alice.until("-- The two passwords differ: try again");
    alice.until(NEW);
    for _ in 0..2 {
        alice.say("gr\u{fc}ne W\u{e4}lder");
    }
    alice.until("-- alice is registered: this name needs your password from now on");
    // The same holds at every other password prompt.
    alice.say("/register");
    alice.until(PRESENT);
    alice.send(&latin_1);
    alice.until(WRONG);
    alice.until(PRESENT);
    alice.say("");
    let mut late = Guest::connect(server.address);
    late.say("alice");
    late.until(ASKED);
    late.send(&latin_1);
    late.until(WRONG);
    late.until(ASKED);
    late.say("");
    late.until("-- alice is registered; choose another name");
    late.say("bob");
    late.until("You are bob");
    late.say("/name alice");
    late.until(ASKED);
    late.send(&latin_1);
    late.until(WRONG);
    late.until(ASKED);
    late.say("gr\u{fc}ne W\u{e4}lder");
    late.until("You are alice");
    assert_eq!(speak(web, LATIN_1), "401");
    assert_eq!(speak(web, "gr\u{fc}ne W\u{e4}lder"), "200");
    server.close([alice, late]);
}
