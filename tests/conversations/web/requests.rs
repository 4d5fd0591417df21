//! Entering by a socket, and its requests.

use std::collections::BTreeSet;

use parlor_core::link::COMMANDS;
use serde_json::{Value, json};

use crate::support::{TestServer, Visitor};

#[test]
fn the_first_message_says_what_this_is() {
    let server = TestServer::web();
    let visitor = Visitor::connect(server.addresses()[0]);
    let hello = visitor.hello;
    assert_eq!(hello["version"], 1);
    assert_eq!(hello["keeps"], "memory");
    assert_eq!(hello["retain"], Value::Null);
    assert_eq!(hello["text"], 4_096);
    assert_eq!(hello["lines"], 200);
    assert_eq!(hello["log"].as_str().unwrap().len(), 16);
    assert!(hello["server"].as_str().unwrap().starts_with("parlor "));
}

#[test]
fn a_new_client_reads_who_is_there_and_the_last_lines() {
    let server = TestServer::web();
    let mut bob = server.guest_at(1).enter("bob");
    for text in ["one", "two", "three"] {
        bob.say(text);
        bob.sees(&format!("bob: {text}"));
    }
    let mut alice = Visitor::connect(server.addresses()[0]);
    alice.asks(json!({"do": "enter", "name": "alice", "replay": 2, "id": 7}).to_string());
    let entered = alice.hears("entered");
    assert_eq!(entered["room"], "lobby");
    assert_eq!(entered["name"], "alice");
    assert_eq!(entered["names"], json!(["bob"]));
    assert_eq!(entered["seq"], 3);
    for (seq, text) in [(2, "two"), (3, "three")] {
        let line = alice.hears_line("bob", text);
        assert_eq!((&line["seq"], &line["old"]), (&seq.into(), &true.into()));
    }
    assert_eq!(alice.hears("done")["id"], 7);
    bob.sees("alice has arrived");
    drop(alice);
    bob.sees("alice has left");
}

#[test]
fn a_command_is_not_said_over_the_web_by_mistake() {
    let server = TestServer::web();
    let mut bob = server.guest_at(1).enter("bob");
    let mut alice = server.visitor("alice");
    bob.sees("alice has arrived");
    for text in [" /msg bob secret", "\u{c}/msg bob secret", "\n\u{ff0f}msg bob secret"] {
        alice.asks(json!({"do": "say", "text": text, "id": 1}).to_string());
        let refused = alice.hears("refused");
        assert_eq!(refused["why"], "slipped", "{text}");
        alice.hears("done");
    }
    // A slash at the start is text here (the page sends it for two slashes), and so is a paste.
    alice.asks(r#"{"do":"say","text":"/msg is a command"}"#);
    alice.asks(r#"{"do":"say","text":" /msg\n /me"}"#);
    for text in ["/msg is a command", " /msg", " /me"] {
        bob.sees(&format!("alice: {text}"));
    }
}

#[test]
fn without_a_name_a_client_is_called_by_its_address() {
    let server = TestServer::web();
    let mut visitor = Visitor::connect(server.addresses()[0]);
    visitor.asks(r#"{"do":"enter"}"#);
    let entered = visitor.hears("entered");
    assert_eq!(entered["name"], visitor.hello["address"]);
}

#[test]
fn a_name_that_is_taken_can_be_tried_again_and_the_fifth_refusal_is_the_last() {
    let server = TestServer::web();
    let _bob = server.guest_at(1).enter("bob");
    let mut visitor = Visitor::connect(server.addresses()[0]);
    for (name, why) in [("bob", "name-taken"), ("b o b", "no-name"), ("server", "no-name")] {
        visitor.asks(json!({"do": "enter", "name": name}).to_string());
        assert_eq!(visitor.hears("refused")["why"], why, "{name}");
    }
    visitor.asks(r#"{"do":"enter","name":"alice"}"#);
    visitor.hears("entered");

    let mut stubborn = Visitor::connect(server.addresses()[0]);
    for _ in 0..5 {
        stubborn.asks(r#"{"do":"enter","name":"bob"}"#);
    }
    let (refused, code) = stubborn.is_closed();
    assert_eq!((refused.len(), code), (5, 4002), "{refused:?}");
}

#[test]
fn before_entering_only_a_ping_is_answered() {
    let server = TestServer::web();
    let mut bob = server.guest_at(1).enter("bob");
    let mut visitor = Visitor::connect(server.addresses()[0]);
    visitor.asks(r#"{"do":"ping"}"#);
    visitor.hears("pong");
    for request in [r#"{"do":"say","text":"unheard","id":"x"}"#, r#"{"do":"who","id":"x"}"#] {
        visitor.asks(request);
        assert_eq!(visitor.until_done("x")[0]["why"], "no-request");
    }
    let _visitor = visitor.enter("alice");
    bob.sees("alice has arrived"); // no line came before
}

#[test]
fn every_request_with_an_id_gets_a_receipt_even_a_senseless_one() {
    let server = TestServer::web();
    let mut visitor = Visitor::connect(server.addresses()[0]);
    for has_entered in [false, true] {
        if has_entered {
            visitor = visitor.enter("alice");
        }
        visitor.asks(r#"{"do":"ping","id":"p"}"#);
        visitor.hears("pong");
        assert_eq!(visitor.hears("done")["id"], "p");
        for (id, request) in [
            ("lacks", json!({"id": "lacks"})),
            ("wrong", json!({"id": "wrong", "do": 7})),
            ("text", json!({"do": "say", "text": 1.5, "id": "text"})),
        ] {
            visitor.asks(request.to_string());
            let heard = visitor.until_done(id);
            assert_eq!(heard[0]["why"], "no-request", "{heard:?}");
        }
    }
    // These have no id to return.
    for request in [
        json!({"id": "x".repeat(65)}).to_string(),
        json!({"id": vec![1; 65]}).to_string(),
        r#"{"id":null}"#.to_owned(),
        r#"["id",1]"#.to_owned(),
        r#"{"id":1,"#.to_owned(),
    ] {
        visitor.asks(request);
        assert_eq!(visitor.hears("refused")["why"], "no-request");
    }
    visitor.asks(r#"{"do":"ping"}"#);
    visitor.hears("pong");
}

#[test]
fn json_that_the_server_cannot_represent_gets_a_receipt_too() {
    let server = TestServer::web();
    let mut alice = server.visitor("alice");
    let deep = "[".repeat(5_000) + &"]".repeat(5_000);
    for (request, said) in [
        (r#"{"do":"say","room":"lobby","text":"half \ud83d","id":"7"}"#, "half \u{fffd}"),
        (r#"{"do":"say","text":"\ude00\ud83d","id":"7"}"#, "\u{fffd}\u{fffd}"),
        (r#"{"do":"say","text":"whole \ud83d\ude00","\ud83d":1,"id":"7"}"#, "whole \u{1f600}"),
        (r#"{"do":"say","text":"one","text":"two","id":"7","do":"say"}"#, "two"),
        (r#"{"id":"x","do":"say","text":"x","id":"7"}"#, "x"),
        ("\u{feff}{\"do\":\"say\",\"text\":\"marked\",\"id\":\"7\"}", "marked"),
        (r#"{"do":"say","text":"vast","number":1e999,"id":"7"}"#, "vast"),
    ] {
        alice.asks(request);
        let heard = alice.until_done("7");
        assert_eq!(heard[0]["text"], said, "{request}: {heard:?}");
    }
    for fields in [
        r#""do":"history","before":1e999"#,
        r#""do":"history","before":-1"#,
        r#""do":"history","after":99999999999999999999"#,
        r#""do":"join","room":"tea","replay":1.5"#,
        r#""do":"join","room":["tea"]"#,
        r#""do":"say","text":null"#,
        r#""do":"say","text":{"a":1}"#,
        r#""do":"who","args":"tea""#,
        r#""do":"d\udc00nce""#,
        r#""do":{}"#,
        r#""do":["say","say"]"#,
        r#""text":"x""#,
        &format!(r#""do":"say","text":{deep}"#),
    ] {
        alice.asks(format!(r#"{{{fields},"id":"7"}}"#));
        let heard = alice.until_done("7");
        assert_eq!(heard.len(), 1, "{fields}: {heard:?}");
        assert_eq!(heard[0]["kind"], "refused", "{fields}");
        assert_ne!(heard[0]["text"], "it is not JSON", "{fields}");
    }
    // An id of any form is returned as it is.
    for id in [
        "true",
        "-1.50",
        "[1,[2]]",
        r#"{"a":null}"#,
        r#""\u00e4""#,
        r#""""#,
        "0.1e-5",
        "18446744073709551616",
    ] {
        alice.asks(format!(r#"{{"do":"ping","id":{id}}}"#));
        alice.hears("pong");
        let id: Value = serde_json::from_str(id).unwrap();
        assert_eq!(alice.hears("done")["id"], id);
    }
}

#[test]
fn invisible_lines_are_refused_at_every_door() {
    let server = TestServer::web();
    let mut alice = server.visitor("alice");
    let mut bob = server.guest_at(1).enter("bob");
    alice.hears("arrived");
    for unseen in ["", "   ", "\u{3000}", "\u{202e}", "\u{200b}\u{feff}", "\u{301}", "\u{3164}"] {
        alice.asks(json!({"do": "say", "room": "lobby", "text": unseen, "id": "s"}).to_string());
        assert_eq!(alice.until_done("s").len(), 0, "{unseen:?}");
        for request in [
            json!({"do": "me", "args": [unseen], "id": "s"}),
            json!({"do": "msg", "args": ["bob", unseen], "id": "s"}),
        ] {
            alice.asks(request.to_string());
            assert_eq!(alice.until_done("s")[0]["why"], "usage", "{unseen:?}");
        }
        bob.say(unseen);
        bob.say(&format!("/me {unseen}"));
        assert!(bob.line().starts_with("-- Type /me "), "{unseen:?}");
        bob.say(&format!("/msg alice {unseen}"));
        assert!(bob.line().starts_with("-- Type /msg "), "{unseen:?}");
    }
    bob.say("/topic \u{202e}");
    assert!(bob.line().starts_with("-- "));
    bob.say("first");
    assert_eq!(alice.hears_line("bob", "first")["seq"], 1);
    bob.sees("bob: first");
    alice.asks(json!({"do": "say", "text": "one\n\u{200b}\n  \ntwo", "id": "s"}).to_string());
    let said = alice.until_done("s");
    assert_eq!((said.len(), &said[1]["seq"]), (2, &3.into()), "{said:?}");
    bob.say("/quit \u{202e}");
    assert_eq!(alice.hears("left")["words"], Value::Null);
}

#[test]
fn browsers_and_netcat_read_the_same_lines_in_the_same_order() {
    let server = TestServer::web();
    let mut alice = server.visitor("alice");
    let mut bob = server.guest_at(1).enter("bob");
    assert_eq!(alice.hears("arrived")["name"], "bob");
    bob.say("hello");
    bob.sees("bob: hello");
    alice.hears_line("bob", "hello");
    alice.asks(json!({"do": "say", "text": "/not a command", "id": "s"}).to_string());
    let echo = alice.until_done("s");
    assert_eq!(echo[0]["text"], "/not a command", "{echo:?}");
    bob.sees("alice: /not a command");
    alice.asks(json!({"do": "me", "args": ["waves", "twice"]}).to_string());
    let action = alice.hears("action");
    assert_eq!((&action["text"], &action["seq"]), (&"waves twice".into(), &3.into()));
    bob.sees("* alice waves twice");
    alice.asks(r#"{"do":"topic","args":["tea & <b>cake</b>"]}"#);
    assert_eq!(alice.hears("topic")["topic"], "tea & <b>cake</b>");
    bob.sees("alice changed the topic to: tea & <b>cake</b>");
    alice.asks(r#"{"do":"name","args":["al"]}"#);
    assert_eq!(alice.hears("presence")["come"], "al");
    assert_eq!(alice.hears("you")["name"], "al");
    bob.sees("alice is now known as al");
    bob.say("/msg al psst");
    bob.sees("[bob -> al] psst");
    let private = alice.hears("private");
    assert_eq!((&private["from"], &private["words"]), (&"bob".into(), &"psst".into()));
    alice.asks(r#"{"do":"quit","args":["good night"]}"#);
    bob.sees("al has left (good night)");
    let (rest, code) = alice.is_closed();
    assert_eq!((rest.len(), code), (0, 1000), "{rest:?}");
}

#[test]
fn lines_that_are_said_together_stay_together() {
    let server = TestServer::web();
    let mut listener = server.visitor("listener");
    let mut speakers = ["alice", "bob", "carol"].map(|name| server.visitor(name));
    for round in 0..5 {
        for (speaker, visitor) in speakers.iter_mut().enumerate() {
            let lines: Vec<_> = (0..6).map(|n| format!("{speaker} {round} {n}")).collect();
            let text = lines.join("\r\n\n"); // empty lines are left out
            visitor.asks(json!({"do": "say", "text": text}).to_string());
        }
    }
    let mut heard = Vec::new();
    while heard.len() < 3 * 5 * 6 {
        let message = listener.next();
        if message["kind"] == "line" {
            heard.push(message["text"].as_str().unwrap().to_owned());
        }
    }
    for together in heard.chunks(6) {
        let (begin, _) = together[0].rsplit_once(' ').unwrap();
        let wanted: Vec<_> = (0..6).map(|n| format!("{begin} {n}")).collect();
        assert_eq!(together, wanted);
    }
}

#[test]
fn a_post_that_is_too_large_is_refused_as_a_whole() {
    let server = TestServer::web();
    let mut alice = server.visitor("alice");
    let long = "x".repeat(4_097);
    let many = vec!["x"; 201].join("\n");
    for (text, why) in [(format!("fine\n{long}"), "too-long"), (many, "too-many-lines")] {
        alice.asks(json!({"do": "say", "text": text}).to_string());
        assert_eq!(alice.hears("refused")["why"], why);
    }
    alice.asks(json!({"do": "say", "text": "x".repeat(4_096)}).to_string());
    assert_eq!(alice.hears("line")["seq"], 1);
}

#[test]
fn a_malformed_request_is_refused_and_changes_nothing() {
    let server = TestServer::web();
    let mut alice = server.visitor("alice");
    for (request, why) in [
        ("", "no-request"),
        ("nonsense", "no-request"),
        ("[]", "no-request"),
        ("{}", "no-request"),
        (r#"{"do":7}"#, "no-request"),
        (r#"{"do":"say"}"#, "no-request"),
        (r#"{"do":"join"}"#, "no-request"),
        (r#"{"do":"history"}"#, "no-request"),
        (r#"{"do":"enter","name":"bob"}"#, "no-request"),
        (r#"{"do":"password","text":"x"}"#, "no-request"),
        (r#"{"do":"dance"}"#, "no-command"),
        (r#"{"do":"hlep"}"#, "no-command"),
        (r#"{"do":"msg","args":["bob"]}"#, "usage"),
        (r#"{"do":"say","room":"a/b","text":"x"}"#, "no-name"),
        (r#"{"do":"say","room":"tea","text":"x"}"#, "no-room"),
        (r#"{"do":"leave","room":"tea"}"#, "no-room"),
        (r#"{"do":"join","room":"lobby"}"#, "already-in"),
    ] {
        alice.asks(request);
        let refused = alice.hears("refused");
        assert_eq!(refused["why"], why, "{request}");
        assert!(!refused["text"].as_str().unwrap().is_empty());
    }
    let deep = "[".repeat(8_000) + &"]".repeat(8_000);
    alice.asks(format!(r#"{{"do":"say","text":"x","more":{deep}}}"#));
    alice.hears_line("alice", "x");
    alice.asks(r#"{"do":"say","text":"still here","unknown":{"fields":[1]}}"#);
    alice.hears_line("alice", "still here");
}

#[test]
fn every_command_of_the_table_is_a_request() {
    let server = TestServer::web();
    let mut alice = server.visitor("alice");
    let _bob = server.guest_at(1).enter("bob");
    alice.hears("arrived");
    let alone =
        COMMANDS.iter().filter(|spec| !["quit", "register", "join", "help"].contains(&spec.name));
    for spec in alone {
        let names = [spec.name].into_iter().chain(spec.aliases.iter().copied());
        for name in names {
            let request = json!({"do": name, "args": ["bob", "x"], "id": name});
            alice.asks(request.to_string());
            let heard = alice.until_done(name);
            assert!(!heard.is_empty(), "{name}");
            for message in &heard {
                assert!(message["kind"].is_string() && message["text"].is_string(), "{message}");
                assert_ne!(message["why"], "no-command", "{message}");
            }
        }
    }
    alice.asks(r#"{"do":"help","id":"table"}"#);
    let help = alice.until_done("table");
    assert_eq!(help[0]["commands"].as_array().unwrap().len(), COMMANDS.len() - 1, "all but /echo");
}

#[test]
fn ignoring_and_quiet_hold_for_a_socket_too() {
    let server = TestServer::web();
    let mut alice = server.visitor("alice");
    let mut bob = server.guest_at(1).enter("bob");
    alice.hears("arrived");
    alice.asks(r#"{"do":"ignore","args":["bob"],"id":"i"}"#);
    alice.until_done("i");
    alice.asks(r#"{"do":"quiet","id":"q"}"#);
    alice.until_done("q");
    bob.say("unseen");
    bob.sees("bob: unseen");
    let mut carol = server.guest_at(1).enter("carol");
    let presence = alice.hears("presence");
    assert_eq!(presence["come"], "carol", "who is here is known all the same");
    assert!(presence["text"].is_null(), "{presence}");
    carol.say("seen");
    let line = alice.hears_line("carol", "seen");
    assert_eq!(line["seq"], 2, "what is hidden has a number all the same");
    bob.say("/quit and nobody stops me");
    assert_eq!(alice.hears("presence")["gone"], "bob");
    alice.asks(r#"{"do":"name","args":["ally"]}"#);
    let heard = [alice.next(), alice.next()];
    let is_known = |message: &Value| message["come"] == "ally" && message["gone"] == "alice";
    assert!(heard.iter().any(is_known), "{heard:?}");
}

#[test]
fn arrivals_and_departures_in_a_crowd_are_told_at_once() {
    const CROWD: usize = 30;
    let server = TestServer::web();
    let mut alice = server.visitor("alice");
    let mut here = BTreeSet::from(["alice".to_owned()]);
    let names = |count: usize| (0..count).map(|n| format!("guest-{n}"));
    for _ in 0..2 {
        let crowd: Vec<_> = names(CROWD).map(|name| server.guest_at(1).enter(&name)).collect();
        while here.len() <= CROWD {
            follow(&mut here, &alice.next());
        }
        assert!(names(CROWD).all(|name| here.contains(&name)), "{here:?}");
        // The list equals the sum of the events.
        alice.asks(r#"{"do":"people","room":"lobby","id":"all"}"#);
        let heard = alice.until_done("all");
        heard.iter().for_each(|message| follow(&mut here, message));
        let page = heard.iter().find(|message| message["kind"] == "people");
        let page = page.expect("a page of people");
        assert_eq!(page["next"], Value::Null);
        let listed = page["names"].as_array().unwrap().iter();
        let listed: BTreeSet<_> = listed.map(|name| name.as_str().unwrap().to_owned()).collect();
        assert_eq!(listed, here);
        drop(crowd);
        while here.len() > 1 {
            follow(&mut here, &alice.next());
        }
        assert!(here.contains("alice"), "{here:?}");
    }
}

/// Applies a message to a list of the people here.
fn follow(here: &mut BTreeSet<String>, message: &Value) {
    let field = |name: &str| message[name].as_str().map(str::to_owned);
    let (come, gone) = match message["kind"].as_str().unwrap() {
        "arrived" => (field("name"), None),
        "left" => (None, field("name")),
        "presence" => (field("come"), field("gone")),
        _ => (None, None),
    };
    here.retain(|name| Some(name) != gone.as_ref());
    here.extend(come);
}

#[test]
fn people_are_listed_only_to_people_in_the_room() {
    let server = TestServer::web();
    let mut alice = server.visitor("alice");
    let mut bob = server.guest_at(1).enter("bob");
    bob.say("/join tea");
    alice.hears("arrived");
    alice.hears("left");
    for (request, why) in [
        (r#"{"do":"people","room":"tea","id":1}"#, "not-there"),
        (r#"{"do":"people","room":"no room","id":1}"#, "no-name"),
        (r#"{"do":"people","room":"lobby","from":-1,"id":1}"#, "no-request"),
        (r#"{"do":"people","id":1}"#, "no-request"),
    ] {
        alice.asks(request);
        assert_eq!(alice.hears("refused")["why"], why, "{request}");
        alice.hears("done");
    }
    alice.asks(r#"{"do":"people","room":"lobby","from":18446744073709551615,"id":1}"#);
    let page = alice.hears("people");
    assert_eq!(page["names"], json!([]), "{page}");
}

#[test]
fn a_shutdown_is_announced_and_closes_sockets_with_its_code() {
    let mut server = TestServer::web();
    let mut alice = server.visitor("alice");
    let mut nobody = Visitor::connect(server.addresses()[0]);
    server.goes_down();
    let (heard, code) = alice.is_closed();
    assert_eq!(code, 1001);
    assert_eq!(heard.last().unwrap()["text"], "The server is going down");
    assert_eq!(nobody.is_closed().1, 1001, "also who has not entered");
}

#[test]
fn a_slow_reader_is_told_exactly_which_lines_are_skipped() {
    const LINES: u64 = 5_000;
    let server = TestServer::open(&["http://127.0.0.1:0", "tcp://127.0.0.1:0"], |config| {
        config.log_lines = 100;
        config.rate = "off".parse().unwrap();
    });
    let mut slow = server.visitor("slow");
    let mut speaker = server.visitor("speaker");
    let long = "x".repeat(3_000);
    for number in 0..LINES / 5 {
        let text = [long.as_str(); 5].join("\n");
        speaker.asks(json!({"do": "say", "text": text, "id": number.to_string()}).to_string());
        speaker.until_done(&number.to_string());
    }
    let (mut next, mut skipped) = (1, 0);
    while next <= LINES {
        let message = slow.next();
        match message["kind"].as_str().unwrap() {
            "line" => {
                assert_eq!(message["seq"], next, "after {skipped} skipped");
                next += 1;
            }
            "skipped" => {
                assert_eq!(message["first"], next);
                let lines = message["lines"].as_u64().unwrap();
                assert_eq!(message["last"], next + lines - 1);
                (next, skipped) = (next + lines, skipped + lines);
            }
            _ => {}
        }
    }
    assert!(skipped > 0, "nothing was skipped, so nothing was tested");
}

#[test]
fn a_person_asks_and_says_how_far_a_room_is_read() {
    let server = TestServer::web();
    let mut alice = server.visitor("alice");
    let read = |time: Value| json!({"do": "read", "room": "lobby", "time": time, "id": "r"});
    alice.asks(read(json!(null)).to_string());
    let answer = alice.until_done("r").remove(0);
    assert_eq!(answer, json!({"kind": "read", "room": "lobby", "time": null}));
    for (said, answered) in [
        ("2019-06-01T12:00:00.123Z", "2019-06-01T12:00:00.123Z"),
        ("2019-06-01T14:00:00+02:00", "2019-06-01T12:00:00.123Z"),
        ("2019-06-02T00:00:00Z", "2019-06-02T00:00:00.000Z"),
    ] {
        alice.asks(read(json!(said)).to_string());
        assert_eq!(alice.until_done("r")[0]["time"], answered);
    }
    for wrong in ["now", "", "2019-06-02", "+999999-01-01T00:00:00Z"] {
        alice.asks(read(json!(wrong)).to_string());
        let refused = alice.until_done("r").remove(0);
        assert_eq!((&refused["kind"], &refused["why"]), (&json!("refused"), &json!("no-request")));
    }
    alice.asks(r#"{"do":"read","id":"r"}"#);
    assert_eq!(alice.until_done("r")[0]["why"], "no-request", "it needs a room");
}
