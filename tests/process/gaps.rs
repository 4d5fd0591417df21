//! The stream of nodes has lost single messages, or has others that no node has published.

use std::net::TcpListener;
use std::thread;
use std::time::Instant;

use serde_json::json;

use crate::DEADLINE;
use crate::data::{Data, enter};
use crate::nats::{Nats, ORDER};
use crate::snapshots::{FAST, position, snapshots, talk_until};
use crate::web::curl;

/// Deletes the message of the order that has this text. Returns its position.
fn delete(nats: &Nats, text: &str) -> u64 {
    let has_text = |bytes: &Vec<u8>| bytes.windows(text.len()).any(|it| it == text.as_bytes());
    let messages = nats.messages(ORDER);
    let (&position, _) = messages.iter().find(|(_, bytes)| has_text(bytes)).unwrap();
    delete_at(nats, position);
    position
}

fn delete_at(nats: &Nats, position: u64) {
    let request = json!({"seq": position}).to_string();
    let subject = format!("$JS.API.STREAM.MSG.DELETE.{ORDER}");
    assert_eq!(nats.ask(&subject, request.as_bytes())["success"], true);
}

#[test]
fn a_node_ends_at_a_gap_in_the_stream_and_continues_behind_it_when_there_is_a_snapshot() {
    let Some(nats) = Nats::start() else { return };
    let data = [Data::new(), Data::new()];
    let red = nats.node("red", &data[0]);
    nats.node("blue", &data[1]).close(());
    let mut alice = enter(&red, "alice");
    for line in ["marzipan", "nougat"] {
        alice.say(line);
        alice.until(&format!("alice: {line}"));
    }
    let gap = delete(&nats, "marzipan");
    let said = nats.node_that_ends("blue", &data[1]);
    assert!(said.contains(&format!("message {gap} of the stream in NATS is missing")), "{said}");

    // Red has read it, also when it starts again.
    red.close([alice]);
    let red = nats.node_with("red", &data[0], &FAST);
    let mut alice = enter(&red, "alice");
    talk_until(&mut alice, "alice", || {
        snapshots(&nats).iter().any(|subject| position(subject) > gap)
    });
    let blue = nats.node("blue", &data[1]);
    blue.logged("that this node does not have were deleted from the stream");
    let mut bob = enter(&blue, "bob");
    alice.until("bob has arrived");
    bob.say("hello");
    alice.until("bob: hello");
    blue.close([bob]);
    red.close([alice]);
    let texts = |data: &Data| data.lobby().into_iter().map(|row| row.text).collect::<Vec<_>>();
    let [of_red, of_blue] = data.each_ref().map(texts);
    assert!(of_red.contains(&"marzipan".to_owned()) && !of_blue.contains(&"marzipan".to_owned()));
    assert_eq!(of_red.last(), of_blue.last());
    data.iter().for_each(Data::assert_undamaged);
}

#[test]
fn all_nodes_pass_over_messages_that_no_node_has_published() {
    let Some(nats) = Nats::start() else { return };
    let data = [Data::new(), Data::new()];
    let red = nats.node("red", &data[0]);
    let blue = nats.node("blue", &data[1]);
    let (mut alice, mut bob) = (enter(&red, "alice"), enter(&blue, "bob"));
    alice.until("bob has arrived");
    // The first byte is a format; that of the second is one that these nodes can read, and do not use.
    for stray in [&b"hello"[..], b"\x02\x01\x7f\0\0\0\x01\x13", b"", b"\xff\xff"] {
        assert!(nats.ask("parlor.main.0", stray)["seq"].as_u64().is_some());
        alice.say("after it");
        assert_eq!(bob.line(), "alice: after it", "and nobody has left");
    }
    red.logged("a message of the stream is not one of a node, and is passed over");
    assert_eq!(red.logged_so_far("is passed over"), 1, "once a minute");
    red.close([alice]);
    let red = nats.node("red", &data[0]);
    let mut alice = enter(&red, "alice");
    bob.until("alice has arrived");
    bob.say("goodbye");
    alice.until("bob: goodbye");
    red.close([alice]);
    blue.close([bob]);
    assert_eq!(data[0].lobby(), data[1].lobby());
    data.iter().for_each(Data::assert_undamaged);
}

#[test]
fn nodes_start_without_the_end_of_the_stream_if_it_was_deleted() {
    let Some(nats) = Nats::start() else { return };
    let data = [Data::new(), Data::new(), Data::new()];
    let mut red = nats.node("red", &data[0]);
    let mut blue = nats.node("blue", &data[1]);
    let mut alice = enter(&red, "alice");
    alice.say("before");
    alice.until("alice: before");
    red.kill();
    blue.kill();
    let last = nats.ask("parlor.main.0", b"hello")["seq"].as_u64().unwrap();
    delete_at(&nats, last);

    let web = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let door = format!("http://{web}");
    let health = || curl(web, &[], "/-/healthz").1;
    let until = Instant::now() + DEADLINE;
    let (red, blue) = thread::scope(|scope| {
        let red = scope.spawn(|| nats.node_with("red", &data[0], &["--listen", &door]));
        // It waits for blue, which may have read what was deleted.
        while health() != "503" {
            assert!(Instant::now() < until && !red.is_finished(), "red does not say that it waits");
        }
        let blue = nats.node("blue", &data[1]);
        (red.join().unwrap(), blue)
    });
    assert_eq!(health(), "200");
    let mut alice = enter(&red, "alice");
    let mut bob = enter(&blue, "bob");
    alice.until("bob has arrived");
    // A new node passes over it, too.
    let green = nats.node("green", &data[2]);
    let mut carol = enter(&green, "carol");
    bob.until("carol has arrived");
    carol.say("after");
    alice.until("carol: after");
    red.close([alice]);
    blue.close([bob]);
    green.close([carol]);
    assert_eq!(data[0].lobby(), data[1].lobby());
    assert_eq!(data[0].lobby(), data[2].lobby());
    data.iter().for_each(Data::assert_undamaged);
}

#[test]
fn a_stream_that_somebody_has_deleted_is_named() {
    let Some(nats) = Nats::start() else { return };
    let red = nats.node_in_memory("red", &[]);
    nats.delete_stream(ORDER);
    red.logged("the stream PARLOR-main does not exist in NATS; restore its backup");
    red.end();
}

#[test]
fn a_node_whose_stream_is_gone_does_not_stand_in_the_way_of_its_backup() {
    let Some(nats) = Nats::start() else { return };
    let data = Data::new();
    let red = nats.node("red", &data);
    red.close(());
    nats.delete_stream(ORDER);
    let said = nats.node_that_ends("red", &data);
    assert!(said.contains("restore the backup of the streams"), "{said}");
    let info = nats.ask(&format!("$JS.API.STREAM.INFO.{ORDER}"), b"");
    assert_eq!(info["error"]["code"], 404, "it makes no stream: {info}");
    data.assert_undamaged();
}

#[test]
fn a_server_whose_directory_is_in_use_makes_no_stream() {
    let Some(nats) = Nats::start() else { return };
    let data = Data::new();
    let alone = data.open(&[]);
    nats.node_that_ends("red", &data);
    assert_eq!(nats.last_position(), None);
    alone.close(());
}
