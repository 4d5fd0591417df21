//! Several rooms on one connection.

use serde_json::json;

use crate::support::{TestServer, numbers};

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
