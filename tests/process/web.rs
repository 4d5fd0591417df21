//! The web door of the built program, where lines are stored: restarts, registered names, tokens,
//! order.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::process::{Command, Output, Stdio};

use rustix::process::Signal;
use serde_json::json;

use crate::data::{Data, enter};
use crate::guest::Guest;
use crate::owners::{PASSWORD, register};
use crate::server::Server;
use crate::visitor::{Visitor, numbers};

/// A server that stores lines, and the address of its web door.
pub(crate) fn open(data: &Data) -> (Server, SocketAddr) {
    let server = data.open(&["--listen", "http://127.0.0.1:0"]);
    let web = server.web();
    (server, web)
}

/// The output of curl, and the HTTP status.
pub(crate) fn curl(web: SocketAddr, arguments: &[&str], target: &str) -> (String, String) {
    let Output { stdout, .. } = Command::new("curl")
        .args(["-sS", "--max-time", "30", "-w", "%{http_code}"])
        .args(arguments)
        .arg(format!("http://{web}{target}"))
        .output()
        .unwrap();
    let printed = String::from_utf8(stdout).unwrap();
    let (words, code) = printed.split_at(printed.len() - 3);
    (words.to_owned(), code.to_owned())
}

/// Follows a room with curl, and returns once the last line is shown. The result reads the rest
/// until the server ends it: curl itself gives up later, and fails.
pub(crate) fn follow(web: SocketAddr, user: &str, room: &str) -> impl FnOnce() -> String + use<> {
    let mut curl = Command::new("curl")
        .args(["-sSN", "--max-time", "30", "-u", user])
        .arg(format!("http://{web}/{room}?replay=1"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut shown = BufReader::new(curl.stdout.take().unwrap());
    shown.read_line(&mut String::new()).unwrap();
    move || {
        let mut rest = String::new();
        shown.read_to_string(&mut rest).unwrap();
        assert!(curl.wait().unwrap().success(), "not ended: {rest}");
        rest
    }
}

#[test]
fn a_socket_continues_with_the_next_line_after_a_restart() {
    let data = Data::new();
    let (server, web) = open(&data);
    let mut alice = Visitor::connect(web).enter("alice");
    let log = alice.hello["log"].clone();
    assert_eq!(alice.hello["keeps"], "disk");
    alice.asks(json!({"do": "say", "text": "one\ntwo\nthree", "id": "s"}).to_string());
    assert_eq!(numbers(&alice.until_done("s")), [1, 2, 3]);
    alice.asks(r#"{"do":"code"}"#);
    let code = alice.hears("code")["code"].clone();
    server.close([alice]);

    let (server, web) = open(&data);
    let mut bob = enter(&server, "bob");
    bob.say("four");
    bob.until("bob: four");
    let mut alice = Visitor::connect(web);
    assert_ne!(alice.hello["log"], log); // the lines are recognized nevertheless
    alice.asks(
        json!({"do": "enter", "code": code, "room": "lobby", "log": log, "after": 2, "id": "in"})
            .to_string(),
    );
    let heard = alice.until_done("in");
    assert_eq!((&heard[0]["name"], &heard[0]["resumed"]), (&"alice".into(), &"exact".into()));
    assert_eq!(numbers(&heard), [3, 4]);
    bob.until("alice has arrived");

    // Resume once more while the connection is open: it is closed, and nobody is told.
    let mut again = Visitor::connect(web);
    let log = again.hello["log"].clone();
    again
        .asks(json!({"do": "enter", "code": code, "log": log, "after": 4, "id": "in"}).to_string());
    let heard = again.until_done("in");
    assert_eq!((&heard[0]["name"], numbers(&heard)), (&"alice".into(), vec![]));
    let (heard, closed) = alice.is_closed();
    assert_eq!((heard.last().unwrap()["kind"].as_str(), closed), (Some("removed"), 4001));
    bob.say("five");
    assert_eq!(bob.until("bob: five"), ["bob: five"]);
    again.hears_line("bob", "five");

    let mut guesser = Visitor::connect(web);
    guesser.asks(r#"{"do":"enter","code":"aaaaa-aaaaa-aaaaa-aaaaa"}"#);
    assert_eq!(guesser.hears("refused")["why"], "no-such-code");
    drop((again, guesser));
    server.close([bob]);
}

#[test]
fn a_reader_of_lines_that_a_restored_copy_lacks_is_told_so() {
    let data = Data::new();
    let (server, web) = open(&data);
    let mut x = enter(&server, "x");
    let say = |x: &mut Guest, numbers: RangeInclusive<u64>| {
        for number in numbers {
            x.say(&format!("x {number}"));
            x.until(&format!("x: x {number}"));
        }
    };
    say(&mut x, 1..=10);
    let copies = tempfile::tempdir().unwrap();
    let copy = copies.path().join("copy.db");
    let made = data.parlor().arg("backup").arg(&copy).status().unwrap();
    assert!(made.success());
    say(&mut x, 11..=20);
    let mut alice = Visitor::connect(web).enter("alice");
    let before = alice.hello["log"].as_str().unwrap().to_owned();
    alice.asks(r#"{"do":"code","id":"c"}"#);
    drop(alice);
    server.close([x]);

    // A copy of the database is restored, and each start continues from it.
    let mut logs = vec![before.clone()];
    for start in 0..2 {
        fs::remove_file(data.file()).unwrap();
        fs::copy(&copy, data.file()).unwrap();
        let (server, web) = open(&data);
        let mut x = enter(&server, "x");
        say(&mut x, 11..=35);
        let reads_on = |log: &str, after: u64| {
            let mut visitor = Visitor::connect(web);
            visitor.asks(
                json!({"do": "enter", "name": "visitor", "log": log, "after": after, "id": "in"})
                    .to_string(),
            );
            let heard = visitor.until_done("in");
            let id = format!("Last-Event-ID: {log}:{after}");
            let events = ["-H", "Accept: text/event-stream", "-H", &id];
            let (events, _) = curl(web, &events, "/lobby?last=50");
            let is_told = events.contains("cannot be counted");
            let resumed = heard[0]["resumed"].as_str().unwrap().to_owned();
            assert_eq!(resumed == "another log", is_told, "{log} {after}: {events}");
            (resumed, numbers(&heard)[0])
        };
        let exact = "exact".to_owned();
        assert_eq!(reads_on(&before, 9), (exact.clone(), 10));
        assert_eq!(reads_on(&before, 10), (exact.clone(), 11));
        let usual = ("another log".to_owned(), 26);
        assert_eq!(reads_on(&before, 11), usual);
        assert_eq!(reads_on(&before, 20), usual);
        // This file never knew the id that another start gave the log.
        for log in &logs[1..] {
            assert_eq!(reads_on(log, 10), usual);
        }
        let now = Visitor::connect(web).hello["log"].as_str().unwrap().to_owned();
        assert_eq!(reads_on(&now, 34), (exact.clone(), 35));
        logs.push(now);
        if start == 1 {
            // However the server ends, its readers then continue at the right line.
            server.signal(Signal::KILL);
            drop(server);
            let (server, web) = open(&data);
            let mut visitor = Visitor::connect(web);
            visitor.asks(
                json!({"do": "enter", "name": "v", "log": logs[2], "after": 34, "id": "in"})
                    .to_string(),
            );
            let heard = visitor.until_done("in");
            assert_eq!((&heard[0]["resumed"], numbers(&heard)), (&"exact".into(), vec![35]));
            drop(visitor);
            server.close::<[(); 0]>([]);
        } else {
            server.close([x]);
        }
    }
}

#[test]
fn history_reaches_back_to_the_first_line() {
    const LINES: u64 = 2_000;
    let data = Data::new();
    let (server, _) = open(&data);
    let mut bob = enter(&server, "bob");
    for number in 1..=LINES {
        bob.say(&number.to_string());
    }
    bob.until(&format!("bob: {LINES}"));
    server.close([bob]);

    let (server, web) = open(&data); // no line is in memory
    let mut alice = Visitor::connect(web).enter("alice");
    for (before, limit) in [(LINES + 1, 200), (LINES, 7), (150, 200), (51, 50)] {
        alice.asks(
            json!({"do": "history", "room": "lobby", "before": before, "limit": limit, "id": "h"})
                .to_string(),
        );
        let first = before.saturating_sub(limit).max(1);
        assert_eq!(numbers(&alice.until_done("h")), (first..before).collect::<Vec<_>>());
    }
    let log = alice.hello["log"].clone();
    for after in [0, 500, 1_000, 1_001, LINES] {
        let mut visitor = Visitor::connect(web);
        visitor.asks(json!({"do": "enter", "name": format!("n{after}"), "log": log, "after": after, "id": "in"}).to_string());
        let heard = visitor.until_done("in");
        let first = after.max(1_000) + 1;
        assert_eq!(numbers(&heard), (first..=LINES).collect::<Vec<_>>());
        let skipped = heard.iter().find(|message| message["kind"] == "skipped");
        assert_eq!(
            skipped.map_or(0, |skipped| skipped["lines"].as_u64().unwrap()),
            first - 1 - after
        );
    }
    let heard = loop {
        alice.asks(r#"{"do":"search","args":["1234"],"id":"f"}"#);
        let heard = alice.until_done("f");
        // The index may lag on a busy machine.
        if !heard.iter().any(|message| message["about"] == "search-behind") {
            break heard;
        }
    };
    let found = heard.iter().find(|message| message["kind"] == "found");
    assert_eq!(found.map(|found| &found["seq"]), Some(&1_234.into()), "{heard:?}");
    drop(alice);
    server.close::<[(); 0]>([]);
}

#[test]
fn history_skips_deleted_lines_to_the_next_existing_ones() {
    let data = Data::new();
    let (server, web) = open(&data);
    let mut x = enter(&server, "x");
    for number in 1..=30 {
        x.say(&format!("x {number}"));
    }
    x.until("x: x 30");
    let mut alice = enter(&server, "alice");
    register(&mut alice, PASSWORD);
    for number in 31..=330 {
        alice.say(&format!("alice {number}"));
    }
    alice.until("alice: alice 330");
    alice.say("/forget all");
    alice.until("-- 300 lines that you said are deleted, for everybody");
    x.say("the last");
    x.until("x: the last");
    let reads_on = |web: SocketAddr| {
        let mut visitor = Visitor::connect(web).enter("visitor");
        let mut reads = |beside: &str, seq: u64, limit: u64| {
            let request =
                json!({"do": "history", "room": "lobby", beside: seq, "limit": limit, "id": "h"});
            visitor.asks(request.to_string());
            let heard = visitor.until_done("h");
            let is_answered = heard.iter().all(|message| message["about"] == "nothing-kept");
            assert_eq!(numbers(&heard).is_empty(), is_answered, "{heard:?}");
            numbers(&heard)
        };
        let last = [28, 29, 30, 331];
        assert_eq!(reads("before", 331, 50), (1..=30).collect::<Vec<_>>());
        assert_eq!(reads("before", 331, 2), [29, 30]);
        assert_eq!(reads("before", 200, 2), [29, 30]);
        assert_eq!(reads("before", 31, 1), [30]);
        for seq in [332, 1_000_000, u64::MAX] {
            assert_eq!(reads("before", seq, 4), last);
            assert_eq!(reads("after", seq, 4), [0; 0]);
        }
        assert_eq!(reads("before", 1, 50), [0; 0]);
        assert_eq!(reads("before", 0, 50), [0; 0]);
        assert_eq!(reads("after", 0, 2), [1, 2]);
        assert_eq!(reads("after", 27, 50), last);
        assert_eq!(reads("after", 27, 3), [28, 29, 30]);
        assert_eq!(reads("after", 30, 50), [331]);
        assert_eq!(reads("after", 200, 1), [331]);
        assert_eq!(reads("after", 331, 1), [0; 0]);
        visitor.asks(r#"{"do":"last","args":["4"],"id":"l"}"#);
        assert_eq!(numbers(&visitor.until_done("l")), last);
        visitor.asks(r#"{"do":"last","args":["1000000"],"id":"l"}"#);
        assert_eq!(numbers(&visitor.until_done("l")).len(), 31);
        let mut newcomer = Visitor::connect(web);
        newcomer.asks(r#"{"do":"enter","name":"newcomer","replay":4,"id":"in"}"#);
        assert_eq!(numbers(&newcomer.until_done("in")), last);
        let (shown, _) = curl(web, &[], "/lobby?last=4");
        assert_eq!(shown.lines().count(), 4, "{shown}");
    };
    reads_on(web);
    server.close([x, alice]);

    let (server, web) = open(&data);
    reads_on(web);
    server.close::<[(); 0]>([]);
}

#[test]
fn a_registered_name_needs_its_password_at_the_web_door_too() {
    let data = Data::new();
    let (server, web) = open(&data);
    let mut alice = Visitor::connect(web).enter("alice");
    alice.asks(r#"{"do":"register","id":"r"}"#);
    assert_eq!(alice.hears("password")["for"], "new");
    // Lines still work meanwhile, and only one question is open at a time.
    alice.asks(r#"{"do":"say","text":"no password"}"#);
    assert_eq!(alice.hears("line")["text"], "no password");
    for request in [r#"{"do":"register"}"#, r#"{"do":"name","args":["al"]}"#] {
        alice.asks(request);
        assert_eq!(alice.hears("refused")["why"], "answer-first");
    }
    alice.asks(json!({"do": "password", "text": "short"}).to_string());
    assert_eq!(alice.hears("refused")["why"], "password-too-short");
    assert_eq!(alice.hears("password")["for"], "new");
    for _ in 0..2 {
        alice.asks(json!({"do": "password", "text": PASSWORD}).to_string());
    }
    assert_eq!(alice.hears("password")["for"], "again");
    assert_eq!(
        alice.hears("answer")["text"],
        "alice is registered: this name needs your password from now on"
    );
    alice.hears("done");

    let mut mallory = Visitor::connect(web);
    mallory.asks(r#"{"do":"enter","name":"alice"}"#);
    assert_eq!(mallory.hears("refused")["why"], "name-owned");
    mallory.asks(r#"{"do":"enter","name":"alice","password":"guessed wrong"}"#);
    assert_eq!(mallory.hears("refused")["why"], "wrong-password");
    mallory.asks(r#"{"do":"enter","name":"mallory"}"#);
    mallory.hears("entered");
    assert_eq!(mallory.hears("line")["text"], "no password");
    mallory.asks(r#"{"do":"name","args":["alice"],"id":"n"}"#);
    assert_eq!(mallory.hears("password")["for"], "own");
    mallory.asks(r#"{"do":"password","text":""}"#);
    assert_eq!(mallory.hears("refused")["why"], "name-owned");
    mallory.hears("done");

    let mut second = Visitor::connect(web);
    second.asks(json!({"do": "enter", "name": "alice", "password": PASSWORD}).to_string());
    assert_eq!(second.hears("entered")["name"], "alice");
    drop((alice, mallory, second));
    server.close::<[(); 0]>([]);
}

#[test]
fn scripts_speak_under_a_registered_name_with_its_token_until_it_is_revoked() {
    let data = Data::new();
    let (server, web) = open(&data);
    let mut alice = enter(&server, "alice");
    alice.say("/token");
    alice.until("-- Only the owner of a registered name can do that; /register registers yours");
    register(&mut alice, PASSWORD);
    let (words, status) = curl(web, &["-d", "x"], "/lobby?name=alice");
    assert_eq!(status, "401");
    assert!(
        words.starts_with(
            "alice is registered; choose another name, or, if it is yours, use curl -u alice:TOKEN"
        ),
        "{words}"
    );
    let token = alice.token();
    let user = format!("alice:{token}");
    assert_eq!(
        curl(web, &["-u", &user, "-d", "by a script"], "/lobby"),
        ("1\n".to_owned(), "200".to_owned())
    );
    alice.until("alice: by a script");
    let by_password = format!("alice:{PASSWORD}");
    assert_eq!(curl(web, &["-u", &by_password, "-d", "by password"], "/lobby?name=alice").1, "200");
    for wrong in ["alice:wrong", "bob:wrong", "alice:"] {
        let (words, status) = curl(web, &["-u", wrong, "-d", "x"], "/lobby?name=alice");
        assert_eq!(status, "401", "{wrong}");
        assert!(
            words.starts_with("That is not the token of alice, nor a password that is accepted"),
            "{words}"
        );
    }
    assert_eq!(curl(web, &["-d", "x"], &format!("/lobby?name=alice&token={token}")).1, "400");
    alice.say("/token revoke");
    alice.until("-- Your token is revoked");
    assert_eq!(curl(web, &["-u", &user, "-d", "x"], "/lobby").1, "401");
    alice.say("/token revoke");
    alice.until("-- You have no token; /token makes one");
    assert_eq!(data.traces(&token.replace('-', "")), 0, "it is kept as a hash");
    server.close([alice]);
}

#[test]
fn a_removed_person_reads_by_whom_and_is_closed_or_in_the_lobby() {
    let data = Data::new();
    let (server, web) = open(&data);
    let mut alice = enter(&server, "alice");
    register(&mut alice, PASSWORD);
    alice.say("/join den");
    alice.until("In den: nobody else");
    let mut bob = Visitor::connect(web).enter("bob");
    bob.asks(r#"{"do":"join","room":"den","id":"j"}"#);
    bob.until_done("j");
    alice.say("/kick bob too loud");
    let removed = loop {
        let message = bob.next();
        if message["kind"] == "removed" {
            break message;
        }
    };
    assert_eq!(
        (&removed["room"], &removed["by"], &removed["reason"]),
        (&"den".into(), &"alice".into(), &"too loud".into())
    );
    bob.asks(r#"{"do":"say","room":"den","text":"x"}"#);
    let refused = loop {
        let message = bob.next();
        if message["kind"] == "refused" {
            break message;
        }
    };
    assert_eq!(refused["why"], "not-there");
    bob.asks(r#"{"do":"say","room":"lobby","text":"still here"}"#);
    bob.hears_line("bob", "still here");
    alice.say("/ban bob 1h");
    alice.lines_until("the ban", |line| line.starts_with("-- alice banned bob"));
    bob.asks(r#"{"do":"join","room":"den"}"#);
    assert_eq!(bob.hears("refused")["why"], "banned");

    let admin = |arguments: &[&str]| {
        let output = data.parlor().arg("admin").args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    admin(&["kick", "bob"]);
    let (heard, code) = bob.is_closed();
    assert_eq!((heard.last().unwrap()["kind"].as_str(), code), (Some("removed"), 4001));
    let mut carol = Visitor::connect(web).enter("carol");
    admin(&["ban", "carol"]);
    assert_eq!(carol.is_closed().1, 4003);
    let mut again = Visitor::connect(web);
    again.asks(r#"{"do":"enter","name":"carol"}"#);
    assert_eq!(again.hears("refused")["why"], "banned");
    assert_eq!(curl(web, &["-d", "x"], "/lobby?name=carol").1, "403");
    drop(again);
    server.close([alice]);
}

#[test]
fn a_person_removed_from_the_last_room_keeps_the_name_and_may_come_back_to_no_room() {
    let data = Data::new();
    let (server, web) = open(&data);
    let mut alice = enter(&server, "alice");
    register(&mut alice, PASSWORD);
    alice.say("/join den");
    alice.until("In den: nobody else");
    let mut bob = Visitor::connect(web);
    bob.asks(r#"{"do":"enter","name":"bob","room":"den","id":"in"}"#);
    bob.until_done("in");
    alice.say("/kick bob");
    bob.hears("departed");
    assert_eq!(bob.hears("removed")["room"], "den");
    bob.asks(r#"{"do":"say","text":"x"}"#);
    assert_eq!(bob.hears("refused")["why"], "no-seat");
    bob.asks(r#"{"do":"code","id":"c"}"#);
    let code = bob.until_done("c")[0]["code"].clone();

    let mut again = Visitor::connect(web);
    again.asks(json!({"do": "enter", "code": code, "room": null, "id": "in"}).to_string());
    assert_eq!(again.hears("you")["name"], "bob");
    again.hears("done");
    assert_eq!(bob.is_closed().1, 4001);
    alice.say("/msg bob no hard feelings");
    assert_eq!(again.hears("private")["from"], "alice");
    let mut back = Visitor::connect(web);
    back.asks(json!({"do": "enter", "code": code, "id": "in"}).to_string());
    assert_eq!(back.until_done("in")[0]["room"], "lobby");
    assert_eq!(again.is_closed().1, 4001);

    let mut second = Visitor::connect(web);
    second.asks(r#"{"do":"enter","name":"alice","room":null}"#);
    assert_eq!(second.hears("refused")["why"], "name-owned");
    let request = json!({"do": "enter", "name": "alice", "password": PASSWORD, "room": null});
    second.asks(request.to_string());
    assert_eq!(second.hears("you")["name"], "alice");
    second.asks(r#"{"do":"token","id":"t"}"#);
    assert_eq!(second.until_done("t")[0]["kind"], "token");
    drop((again, back, second));
    server.close([alice]);
}

/// A visitor in no room.
fn nowhere(web: SocketAddr, name: &str) -> Visitor {
    let mut visitor = Visitor::connect(web);
    visitor.asks(json!({"do": "enter", "name": name, "room": null, "id": "in"}).to_string());
    assert_eq!(visitor.until_done("in")[0]["name"], name);
    visitor
}

#[test]
fn a_person_without_a_room_reads_of_a_removal_and_of_the_end() {
    let data = Data::new();
    let (server, web) = open(&data);
    let mut bob = Visitor::connect(web).enter("bob");
    bob.asks(r#"{"do":"leave","room":"lobby","id":"l"}"#);
    bob.until_done("l");
    let carol = nowhere(web, "carol");
    let mut dora = nowhere(web, "dora");
    for (mut visitor, name) in [(bob, "bob"), (carol, "carol")] {
        let status = data.parlor().args(["admin", "kick", name]).status().unwrap();
        assert!(status.success(), "{status}");
        let (heard, code) = visitor.is_closed();
        assert_eq!((heard.last().unwrap()["kind"].as_str(), code), (Some("removed"), 4001));
    }
    server.close::<[(); 0]>([]);
    let (heard, code) = dora.is_closed();
    assert_eq!((heard.last().unwrap()["about"].as_str(), code), (Some("going-down"), 1001));
}

#[test]
fn a_web_door_that_was_asked_for_must_open() {
    let data = Data::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", taken.local_addr().unwrap());
    let output = data
        .parlor()
        .args(["serve", "--listen", &url, "--listen", "tcp://127.0.0.1:0"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("is in use"), "{words}");
}

#[test]
fn a_name_still_worn_on_another_connection_stays_in_the_list() {
    let data = Data::new();
    let (server, web) = open(&data);
    let mut owner = enter(&server, "alice");
    register(&mut owner, PASSWORD);
    let mut reader = Visitor::connect(web).enter("reader");
    let mut second = Guest::connect(server.address);
    second.send(format!("Alice\n{PASSWORD}\n").as_bytes());
    second.until("You are Alice");
    owner.say("/name rita");
    assert_eq!(reader.hears("arrived")["name"], "rita");
    second.say("/name ALICE");
    assert_eq!(reader.hears("renamed")["name"], "ALICE");
    second.say("/quit");
    assert_eq!(reader.hears("left")["name"], "ALICE");
    drop(reader);
    server.close((owner, second));
}

/// A visitor with a return code, in the lobby and in tea.
fn with_code(web: SocketAddr) -> (Visitor, serde_json::Value) {
    let mut alice = Visitor::connect(web).enter("alice");
    alice.asks(r#"{"do":"join","room":"tea","id":"tea"}"#);
    alice.until_done("tea");
    alice.asks(r#"{"do":"code","id":"code"}"#);
    let heard = alice.until_done("code");
    let code = heard.iter().find(|message| message["kind"] == "code");
    let code = code.unwrap()["code"].clone();
    (alice, code)
}

fn back_in_lobby(web: SocketAddr, code: &serde_json::Value) -> Visitor {
    let mut alice = Visitor::connect(web);
    alice.asks(json!({"do": "enter", "code": code, "room": "lobby", "id": "in"}).to_string());
    assert_eq!(alice.until_done("in")[0]["name"], "alice");
    alice
}

fn reads_nothing_of_alice(guest: &mut Guest) {
    guest.say("is anybody gone?");
    let lines = guest.lines_until("the own line", |line| line.ends_with("is anybody gone?"));
    assert!(lines.iter().all(|line| !line.contains("alice")), "{lines:?}");
}

#[test]
fn a_reloaded_page_leaves_no_room_and_arrives_in_none() {
    let data = Data::new();
    let (server, web) = open(&data);
    let mut bob = enter(&server, "bob");
    let mut carol = enter(&server, "carol");
    carol.say("/join tea");
    carol.until("In tea: nobody else");
    let (mut alice, code) = with_code(web);
    bob.until("alice has arrived");
    carol.until("alice has arrived");
    // Close without a frame; with the code of a browser that navigates away; and twice before all
    // rooms are rejoined.
    for closes in [false, true, false] {
        if closes {
            let code = tungstenite::protocol::frame::coding::CloseCode::Away;
            let reason = "".into();
            let frame = tungstenite::protocol::CloseFrame { code, reason };
            alice.socket.close(Some(frame)).unwrap();
        }
        drop(alice);
        drop(back_in_lobby(web, &code));
        alice = back_in_lobby(web, &code);
        alice.asks(r#"{"do":"join","room":"tea","id":"tea"}"#);
        alice.until_done("tea");
        reads_nothing_of_alice(&mut bob);
        reads_nothing_of_alice(&mut carol);
    }
    carol.say("/msg alice are you there?");
    carol.until("[carol -> alice] are you there?");
    drop(alice);
    server.close((bob, carol));
}

#[test]
fn a_person_who_quits_or_does_not_return_has_left() {
    let data = Data::new();
    let (server, web) = open(&data);
    let mut bob = enter(&server, "bob");
    let mut carol = enter(&server, "carol");
    carol.say("/join tea");
    let (alice, code) = with_code(web);
    bob.until("alice has arrived");
    drop(alice);
    let mut alice = back_in_lobby(web, &code);
    carol.until("alice has left"); // in tea, which she did not rejoin
    alice.asks(r#"{"do":"quit","args":["good night"]}"#);
    bob.until("alice has left (good night)");
    let (mut alice, _) = with_code(web);
    bob.until("alice has arrived");
    alice.socket.close(None).unwrap();
    bob.until("alice has left");
    let (alice, _) = with_code(web);
    bob.until("alice has arrived");
    drop(alice);
    bob.until("alice has left");
    server.close((bob, carol));
}
