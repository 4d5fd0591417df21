//! Reconnecting with the number of the last line: no line is missed, and none comes twice.

use serde_json::{Value, json};

use crate::support::{TestServer, Visitor, numbers};

/// Posts this many lines.
fn say(server: &TestServer, name: &str, lines: usize) {
    let mut speaker = server.visitor(name);
    for part in (0..lines).collect::<Vec<_>>().chunks(200) {
        let text: Vec<_> = part.iter().map(ToString::to_string).collect();
        speaker.asks(json!({"do": "say", "text": text.join("\n"), "id": "s"}).to_string());
        speaker.until_done("s");
    }
}

/// Enters as a client that has seen this line of this log. Returns the messages up to the end of
/// entering.
fn come_back(server: &TestServer, log: &Value, after: u64) -> Vec<Value> {
    let mut visitor = Visitor::connect(server.addresses()[0]);
    visitor.asks(
        json!({"do": "enter", "name": format!("n{after}"), "log": log, "after": after, "id": "in"})
            .to_string(),
    );
    visitor.until_done("in")
}

fn busy(log_lines: usize) -> TestServer {
    TestServer::open(&["http://127.0.0.1:0"], |config| {
        config.rate = "off".parse().unwrap();
        config.log_lines = log_lines;
    })
}

#[test]
fn a_client_that_reconnects_reads_the_very_next_line_or_an_exact_count() {
    let server = busy(16_384);
    say(&server, "bob", 2_500);
    let log = server.visitor("carol").hello["log"].clone();
    for after in [2_500, 2_499, 1_600, 1_500, 1_499, 100, 0] {
        let heard = come_back(&server, &log, after);
        assert_eq!(heard[0]["resumed"], "exact");
        let skipped = heard.iter().find(|message| message["kind"] == "skipped");
        let shown = numbers(&heard);
        let first = shown.first().copied().unwrap_or(2_501);
        assert_eq!(shown, (first..=2_500).collect::<Vec<_>>(), "after {after}");
        match skipped {
            None => assert_eq!(first, after + 1),
            Some(skipped) => {
                assert_eq!(skipped["first"], after + 1);
                assert_eq!(skipped["last"], first - 1);
                assert_eq!(skipped["lines"], first - 1 - after);
                assert_eq!(shown.len(), 1_000, "as many as come at once");
            }
        }
    }
}

#[test]
fn deleted_lines_are_counted_exactly() {
    let server = busy(50);
    say(&server, "bob", 500);
    let log = server.visitor("carol").hello["log"].clone();
    let heard = come_back(&server, &log, 10);
    let shown = numbers(&heard);
    let skipped = heard.iter().find(|message| message["kind"] == "skipped").unwrap();
    let first = shown.first().copied().unwrap_or(501);
    assert_eq!((&skipped["first"], &skipped["last"]), (&11.into(), &(first - 1).into()));
    assert_eq!(shown, (first..=500).collect::<Vec<_>>());
}

#[test]
fn the_numbers_of_another_log_mean_nothing() {
    let server = busy(16_384);
    say(&server, "bob", 50);
    for (log, after) in [(json!("0123456789abcdef"), 20), (json!(""), 0)] {
        let heard = come_back(&server, &log, after);
        assert_eq!(heard[0]["resumed"], "another log");
        assert_eq!(numbers(&heard), (41..=50).collect::<Vec<_>>(), "the usual replay");
    }
    // A number beyond the last one means nothing either.
    let log = server.visitor("carol").hello["log"].clone();
    assert_eq!(come_back(&server, &log, 51)[0]["resumed"], "another log");
}

#[test]
fn reconnecting_works_the_same_way_in_other_rooms() {
    let server = busy(16_384);
    let mut bob = server.visitor("bob");
    bob.asks(r#"{"do":"join","room":"tea"}"#);
    bob.asks(r#"{"do":"say","room":"tea","text":"1\n2\n3\n4","id":"s"}"#);
    bob.until_done("s");
    let mut alice = server.visitor("alice");
    let log = alice.hello["log"].clone();
    alice.asks(json!({"do": "join", "room": "tea", "log": log, "after": 2, "id": "j"}).to_string());
    let heard = alice.until_done("j");
    assert_eq!(heard[0]["resumed"], "exact");
    assert_eq!(numbers(&heard), [3, 4]);
}
