//! Several rooms on one connection.

use serde_json::json;

use crate::support::{TestServer, Visitor, numbers};

#[test]
fn one_connection_is_in_several_rooms_and_leaves_one() {
    let server = TestServer::web();
    let mut alice = server.visitor("alice");
    let mut bob = server.guest_at(1).enter("bob");
    alice.hears("arrived");
    for room in ["tea", "den"] {
        alice.asks(json!({"do": "join", "room": room, "id": room}).to_string());
        let entered = &alice.until_done(room)[0];
        assert_eq!((&entered["room"], &entered["first"]), (&room.into(), &false.into()));
    }
    bob.say("/join tea");
    bob.sees("In tea: alice");
    let mut told = [alice.next(), alice.next()].map(|event| event["text"].to_string());
    told.sort(); // rooms have no common order
    assert_eq!(told, ["\"bob has arrived\"", "\"bob has left\""]);
    for room in ["lobby", "tea", "den"] {
        alice.asks(json!({"do": "say", "room": room, "text": format!("in {room}")}).to_string());
        let line = alice.hears_line("alice", &format!("in {room}"));
        assert_eq!((&line["room"], &line["seq"]), (&room.into(), &1.into()));
    }
    bob.sees("alice: in tea");
    // The last room in which a person did something is the current one.
    alice.asks(r#"{"do":"say","text":"in the den still"}"#);
    assert_eq!(alice.hears("line")["room"], "den");
    alice.asks(r#"{"do":"leave","room":"tea"}"#);
    assert_eq!(alice.hears("departed")["room"], "tea");
    bob.sees("alice has left");
    bob.say("unheard");
    bob.sees("bob: unheard");
    alice.asks(r#"{"do":"say","room":"tea","text":"x"}"#);
    assert_eq!(alice.hears("refused")["why"], "not-there");
    alice.asks(r#"{"do":"say","room":"lobby","text":"to the end"}"#);
    assert_eq!(alice.hears("line")["room"], "lobby");
}

#[test]
fn a_person_leaves_the_last_room_and_stays_on_the_server() {
    let server = TestServer::web();
    let mut alice = server.visitor("alice");
    let mut bob = server.guest_at(1).enter("bob");
    alice.hears("arrived");
    alice.asks(r#"{"do":"leave","room":"lobby","id":"l"}"#);
    bob.sees("alice has left");
    let kinds = [alice.next(), alice.next()].map(|message| message["kind"].to_string());
    assert!(kinds.contains(&"\"departed\"".to_owned()), "{kinds:?}");
    for request in [
        r#"{"do":"say","text":"x"}"#,
        r#"{"do":"say","text":"x\ny"}"#,
        r#"{"do":"me","args":["waves"]}"#,
        r#"{"do":"who"}"#,
        r#"{"do":"topic"}"#,
        r#"{"do":"topic","args":["x"]}"#,
        r#"{"do":"last"}"#,
        r#"{"do":"since","args":["yesterday"]}"#,
        r#"{"do":"history","before":9}"#,
        r#"{"do":"invite","args":["bob"]}"#,
    ] {
        alice.asks(request);
        assert_eq!(alice.hears("refused")["why"], "no-seat", "{request}");
    }
    for request in [r#"{"do":"kick","args":["bob"]}"#, r#"{"do":"ban"}"#] {
        alice.asks(request);
        assert_eq!(alice.hears("refused")["why"], "no-keeper", "{request}");
    }
    alice.asks(r#"{"do":"say","room":"lobby","text":"x"}"#);
    assert_eq!(alice.hears("refused")["why"], "not-there");
    for (request, kind) in [
        (r#"{"do":"who","args":["lobby"]}"#, "who"),
        (r#"{"do":"rooms"}"#, "rooms"),
        (r#"{"do":"help"}"#, "help"),
        (r#"{"do":"keeper"}"#, "answer"),
        (r#"{"do":"ignore","args":["bob"]}"#, "answer"),
        (r#"{"do":"unignore","args":["bob"]}"#, "answer"),
        (r#"{"do":"name","args":["ann"]}"#, "you"),
        (r#"{"do":"msg","args":["bob","psst"]}"#, "private"),
    ] {
        alice.asks(request);
        alice.hears(kind);
    }
    bob.sees("[ann -> bob] psst");
    bob.say("/msg ann still there?");
    assert_eq!(alice.hears("private")["words"], "still there?");
    bob.sees("[bob -> ann] still there?");
    alice.asks(r#"{"do":"join","room":"lobby","id":"j"}"#);
    let entered = &alice.until_done("j")[0];
    assert_eq!((&entered["name"], &entered["first"]), (&"ann".into(), &false.into()));
    bob.sees("ann has arrived");
    alice.asks(r#"{"do":"leave","room":"lobby"}"#);
    bob.sees("ann has left");
    alice.hears("departed");
    alice.asks(r#"{"do":"quit"}"#);
    assert_eq!(alice.is_closed().1, 1000);
}

#[test]
fn a_person_enters_without_a_room() {
    let server = TestServer::web();
    let mut bob = server.guest_at(1).enter("bob");
    let mut alice = Visitor::connect(server.addresses()[0]);
    alice.asks(r#"{"do":"enter","name":"bob","room":null}"#);
    assert_eq!(alice.hears("refused")["why"], "name-taken");
    alice.asks(r#"{"do":"enter","name":"alice","room":null,"id":"in"}"#);
    assert_eq!(alice.hears("you")["name"], "alice");
    alice.hears("done");
    bob.say("/msg alice nobody sees you");
    bob.sees("[bob -> alice] nobody sees you");
    assert_eq!(alice.hears("private")["from"], "bob");
    alice.asks(r#"{"do":"say","text":"x"}"#);
    assert_eq!(alice.hears("refused")["why"], "no-seat");
    let mut nameless = Visitor::connect(server.addresses()[0]);
    nameless.asks(r#"{"do":"enter","room":null}"#);
    let you = nameless.hears("you");
    assert_eq!(you["name"], nameless.hello["address"]);
    alice.asks(r#"{"do":"join","room":"lobby","id":"j"}"#);
    assert_eq!(alice.until_done("j")[0]["names"], json!(["bob"]));
    bob.sees("alice has arrived");
}

#[test]
fn a_person_is_in_at_most_a_hundred_rooms() {
    let server = TestServer::open(&["http://127.0.0.1:0", "tcp://127.0.0.1:0"], |config| {
        config.rate = "off".parse().unwrap();
    });
    let mut alice = server.visitor("alice");
    for number in 1..100 {
        alice.asks(json!({"do": "join", "room": format!("r{number}"), "id": "j"}).to_string());
        assert_eq!(alice.until_done("j")[0]["kind"], "entered");
    }
    alice.asks(r#"{"do":"join","room":"one-more","id":"j"}"#);
    assert_eq!(alice.until_done("j")[0]["why"], "too-many-seats");
    alice.asks(r#"{"do":"leave","room":"r1"}"#);
    alice.hears("departed");
    alice.asks(r#"{"do":"join","room":"one-more","id":"j"}"#);
    assert_eq!(alice.until_done("j")[0]["kind"], "entered");
}

#[test]
fn a_busy_room_delays_no_other_and_each_has_its_order() {
    const LINES: u64 = 300;
    let server = TestServer::open(&["http://127.0.0.1:0", "tcp://127.0.0.1:0"], |config| {
        config.rate = "off".parse().unwrap();
    });
    let mut alice = server.visitor("alice");
    alice.asks(r#"{"do":"join","room":"tea","id":"j"}"#);
    alice.until_done("j");
    let mut busy = server.guest_at(1).enter("busy");
    busy.send((0..LINES).map(|n| format!("{n}\n")).collect::<String>());
    let mut quiet = server.guest_at(1).enter("quiet");
    quiet.say("/join tea");
    quiet.say("a word");
    let mut heard = Vec::new();
    while numbers(&heard).len() < LINES as usize + 1 {
        heard.push(alice.next());
    }
    for (room, last) in [("lobby", LINES), ("tea", 1)] {
        let lines: Vec<_> = heard.iter().filter(|m| m["room"] == room).cloned().collect();
        let wanted: Vec<u64> = (1..=last).collect();
        assert_eq!(numbers(&lines), wanted, "{room}");
    }
}

#[test]
fn older_lines_are_read_by_their_numbers() {
    let server = TestServer::web();
    let mut alice = server.visitor("alice");
    alice.asks(json!({"do": "say", "text": (1..=30).map(|n| format!("{n}\n")).collect::<String>(), "id": "s"}).to_string());
    alice.until_done("s");
    for (request, wanted) in [
        (json!({"before": 11, "limit": 4}), 7..11),
        (json!({"before": 4, "limit": 200}), 1..4),
        (json!({"after": 0, "limit": 3}), 1..4),
        (json!({"after": 27}), 28..31),
        (json!({"before": 1}), 0..0),
        (json!({"after": 30}), 0..0),
        (json!({"before": u64::MAX, "limit": u64::MAX}), 1..31),
        (json!({"after": u64::MAX, "limit": u64::MAX}), 0..0),
    ] {
        let mut asked = json!({"do": "history", "room": "lobby", "id": "h"});
        asked.as_object_mut().unwrap().extend(request.as_object().unwrap().clone());
        alice.asks(asked.to_string());
        let heard = alice.until_done("h");
        assert_eq!(numbers(&heard), wanted.collect::<Vec<u64>>(), "{request}");
        assert!(heard.iter().all(|line| line["kind"] != "line" || line["old"] == true));
    }
}
