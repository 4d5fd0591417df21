//! Nodes begin with snapshots of what they share, and old messages are deleted from the stream.

use std::fs;
use std::time::Instant;

use serde_json::json;

use crate::DEADLINE;
use crate::admin::done;
use crate::data::{Data, enter, untimed};
use crate::disk::{copy_files, in_directory, on_a_small_disk};
use crate::guest::Guest;
use crate::nats::{KEYS, Nats, SNAPSHOTS};
use crate::owners::{PASSWORD, STORED_FOR_ALICE, come_back, register_as};
use crate::server::Server;
use crate::web::curl;

/// Snapshots are taken every 27 messages and every second, instead of every 100,000 and every hour.
pub(crate) const FAST: [&str; 2] = ["--snapshot-speed", "3600"];

/// Lines are stored for an hour, and for a second in the stream.
const FAST_AND_SHORT: [&str; 4] = ["--snapshot-speed", "3600", "--retain", "1h"];

/// Says lines until something holds. Returns how many.
pub(crate) fn talk_until(guest: &mut Guest, name: &str, mut holds: impl FnMut() -> bool) -> usize {
    let until = Instant::now() + DEADLINE;
    let mut lines = 0;
    while !holds() {
        assert!(Instant::now() < until, "nothing happens after {lines} lines");
        guest.say(&format!("line {lines}"));
        guest.until(&format!("{name}: line {lines}"));
        lines += 1;
    }
    lines
}

/// The subjects of the snapshots, the oldest first.
pub(crate) fn snapshots(nats: &Nats) -> Vec<String> {
    let info = nats.ask(
        &format!("$JS.API.STREAM.INFO.{SNAPSHOTS}"),
        json!({"subjects_filter": ">"}).to_string().as_bytes(),
    );
    let subjects = info["state"]["subjects"].as_object();
    let mut subjects: Vec<_> = subjects.into_iter().flat_map(|all| all.keys().cloned()).collect();
    subjects.sort_by_key(|subject| position(subject));
    subjects
}

/// The position of a snapshot.
pub(crate) fn position(subject: &str) -> u64 {
    subject.split('.').nth(3).unwrap().parse().unwrap()
}

/// The position of the snapshot from which a node began, from its log.
fn began_with(server: &Server) -> u64 {
    let line = server.logged(" messages behind it are read");
    let (_, rest) = line.split_once("the snapshot of message ").unwrap();
    rest.split(' ').next().unwrap().parse().unwrap()
}

#[test]
fn a_node_begins_with_the_snapshot_in_its_files_and_another_one_with_that_in_the_stream() {
    let Some(nats) = Nats::start() else { return };
    let data = Data::new();
    let red = nats.node_with("red", &data, &FAST);
    let mut alice = enter(&red, "alice");
    register_as(&mut alice, "alice", "correct horse");
    talk_until(&mut alice, "alice", || snapshots(&nats).len() > 1);
    red.close([alice]);
    let red = nats.node_with("red", &data, &FAST);
    assert!(began_with(&red) > 1);
    let blue = nats.node_in_memory("blue", &[]);
    assert!(began_with(&blue) > 1);
    let mut bob = Guest::connect(blue.address);
    bob.say("bob");
    let mut alice = come_back(&red, "correct horse");
    bob.until("alice has arrived");
    alice.say("hello");
    bob.until("alice: hello");
    blue.close([bob]);
    red.close([alice]);
    let lines = data.lobby();
    assert_eq!(lines.last().map(|row| row.text.as_str()), Some("hello"));
    assert_eq!(data.numbers(), (1..=lines.len() as i64).collect::<Vec<_>>());
    data.assert_undamaged();
}

/// A metric of a server.
fn metric(server: &Server, name: &str) -> f64 {
    let (metrics, _) = curl(server.listening("metrics"), &[], "/metrics");
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().parse().unwrap()
}

#[test]
fn metrics_tell_the_place_and_the_age_of_the_newest_snapshot_and_what_failed() {
    const POSITION: &str = "parlor_node_snapshot_position ";
    const FAILURES: &str = "parlor_node_snapshot_failures_total ";
    let Some(nats) = Nats::start() else { return };
    let metrics = [&FAST[..], &["--listen", "metrics://127.0.0.1:0"]].concat();
    let red = nats.node_in_memory("red", &metrics);
    let blue = nats.node_in_memory("blue", &metrics);
    assert!(metric(&red, "parlor_node_snapshot_age_seconds ") < 3_600.0);
    let mut alice = Guest::connect(red.address);
    alice.say("alice");
    let first = |server: &Server| metric(server, POSITION) > 0.0;
    talk_until(&mut alice, "alice", || first(&red) && first(&blue));
    let before = metric(&blue, POSITION);
    talk_until(&mut alice, "alice", || metric(&blue, POSITION) > before);
    assert!(metric(&blue, "parlor_node_snapshot_age_seconds ") < 60.0);
    // A slow machine leaves snapshots out, and says so.
    let has_other_failures =
        || metric(&red, FAILURES) > red.logged_so_far("a snapshot is left out") as f64;
    talk_until(&mut alice, "alice", || !has_other_failures());
    // A stream that takes no message is full.
    let info = nats.ask(&format!("$JS.API.STREAM.INFO.{SNAPSHOTS}"), b"");
    let mut config = info["config"].clone();
    config["max_msgs"] = json!(1);
    nats.ask(&format!("$JS.API.STREAM.UPDATE.{SNAPSHOTS}"), config.to_string().as_bytes());
    let is_refused = || red.logged_so_far("a snapshot is not written into NATS") > 0;
    talk_until(&mut alice, "alice", || is_refused() && has_other_failures());
    blue.close(());
    red.close([alice]);
}

#[test]
fn a_damaged_snapshot_is_passed_over() {
    let Some(nats) = Nats::start() else { return };
    let data = Data::new();
    let red = nats.node_with("red", &data, &FAST);
    let mut alice = enter(&red, "alice");
    talk_until(&mut alice, "alice", || snapshots(&nats).len() > 1);
    red.close([alice]);
    let all = snapshots(&nats);
    let [.., before, newest] = &all[..] else { panic!("{all:?}") };
    let purge = json!({"filter": newest}).to_string();
    nats.ask(&format!("$JS.API.STREAM.PURGE.{SNAPSHOTS}"), purge.as_bytes());
    nats.ask(newest, b"\x01\x00\x01\x00\x00 these bytes are no snapshot");
    let blue = nats.node_in_memory("blue", &[]);
    let number = position(newest);
    blue.logged(&format!("the snapshot of message {number} is passed over: it is damaged"));
    assert_eq!(began_with(&blue), position(before));
    blue.close(());
}

#[test]
fn old_messages_leave_the_stream_and_nodes_begin_where_it_begins_then() {
    let Some(nats) = Nats::start() else { return };
    let data = [Data::new(), Data::new(), Data::new()];
    let green = nats.node_with("green", &data[2], &FAST);
    let mut alice = enter(&green, "alice");
    alice.say("before all others");
    alice.until("alice: before all others");
    green.close([alice]);

    let red = nats.node_with("red", &data[0], &FAST_AND_SHORT);
    let mut alice = Guest::connect(red.address);
    alice.say("alice");
    alice.until("-- Lines here are stored for 1 hour");
    register_as(&mut alice, "alice", "correct horse");
    assert_eq!(done(&data[0], &["ban", "mallory", "5h"]).len(), 1);
    alice.say("/topic tea at five");
    talk_until(&mut alice, "alice", || {
        red.logged_so_far("are older than --retain") > 2 && deleted_before(&red) > 30
    });
    alice.say("the last one");
    alice.until("alice: the last one");
    red.close([alice]);
    // Without --retain, red deletes no message that the next nodes are about to read.
    let red = nats.node_with("red", &data[0], &FAST);

    // A new node has no line from before, and numbers and rules are right.
    let blue = nats.node_with("blue", &data[1], &FAST);
    assert!(began_with(&blue) > 27);
    let mut bob = enter(&blue, "bob");
    bob.say("/last 1");
    let last = bob.lines_until("the line", |line| line.ends_with("the last one"));
    assert_eq!(untimed(last.last().unwrap()), "alice: the last one");
    bob.say("/topic");
    bob.lines_until("the topic", |line| line.contains("tea at five"));
    let bans = done(&data[1], &["bans"]);
    assert!(bans[0].starts_with("mallory is banned until "), "{bans:?}");
    bob.say("hello");
    bob.until("bob: hello");
    blue.close([bob]);

    // A node that was away for longer has a gap in its history, and says so.
    let green = nats.node_with("green", &data[2], &FAST);
    green.logged("that this node does not have were deleted from the stream");
    let mut carol = enter(&green, "carol");
    carol.say("/last 1");
    carol.lines_until("the newest", |line| line.ends_with("bob: hello"));
    green.close([carol]);
    red.close(());
    let [of_red, of_blue, of_green] = data.each_ref().map(Data::lobby);
    let of_both = |of: &[crate::data::Row]| -> Vec<_> {
        let with_words = of.iter().filter(|row| !row.text.is_empty());
        with_words.map(|row| row.seq).collect()
    };
    let numbers = of_both(&of_red);
    assert!(numbers.ends_with(&of_both(&of_blue)) && of_both(&of_blue).len() < numbers.len());
    assert_eq!(of_both(&of_green)[0], 1);
    data.iter().for_each(Data::assert_undamaged);
    // Both files are whole without other nodes, too.
    let server = data[1].open(&[]);
    let mut bob = enter(&server, "bob");
    bob.say("alone");
    bob.until("bob: alone");
    server.close([bob]);
}

/// The position before which everything was deleted in NATS, from the log of the node that did it.
fn deleted_before(server: &Server) -> u64 {
    let log = server.log();
    let line = log.iter().rev().find_map(|line| line.split_once("the messages before number "));
    line.map_or(0, |(_, rest)| rest.split(' ').next().unwrap().parse().unwrap())
}

/// Writes to alice, who is away.
fn write_to_alice(bob: &mut Guest, text: &str) {
    bob.say(&format!("/msg alice {text}"));
    bob.until(STORED_FOR_ALICE);
}

#[test]
fn a_node_that_begins_with_a_snapshot_has_the_messages_that_wait_for_absent_owners() {
    const TEXTS: [&str; 2] = ["marzipan", "gallimaufry"];
    let Some(nats) = Nats::start() else { return };
    let data = [Data::new(), Data::new(), Data::new()];
    let alone = data[0].open(&[]);
    let mut bob = enter(&alone, "bob");
    let mut alice = enter(&alone, "alice");
    register_as(&mut alice, "alice", PASSWORD);
    drop(alice);
    bob.until("alice has left");
    write_to_alice(&mut bob, TEXTS[0]);
    alone.close(bob);

    let red = nats.node_with("red", &data[0], &FAST_AND_SHORT);
    let mut bob = Guest::connect(red.address);
    bob.say("bob");
    bob.until("-- Lines here are stored for 1 hour");
    write_to_alice(&mut bob, TEXTS[1]);
    assert_eq!(nats.messages(KEYS).len(), 1 + TEXTS.len(), "that of the password, and theirs");
    talk_until(&mut bob, "bob", || done(&data[0], &["nodes"])[1] == "format 2 is in use");
    let written = nats.last_position().unwrap();
    talk_until(&mut bob, "bob", || deleted_before(&red) > written);
    red.close(bob);

    let blue = nats.node_with("blue", &data[1], &FAST);
    assert!(began_with(&blue) > written);
    let mut bob = enter(&blue, "bob");
    let mut alice = come_back(&blue, PASSWORD);
    alice.until("-- 2 messages while you were away");
    for text in TEXTS {
        assert_eq!(untimed(&alice.line()), format!("[bob -> alice] {text}"));
        assert_eq!(nats.traces(text.as_bytes()), 0, "it is sealed in snapshots, too");
    }
    talk_until(&mut bob, "bob", || nats.messages(KEYS).len() == 1);

    // The snapshot has them still, and nobody can open them.
    let green = nats.node_with("green", &data[2], &FAST);
    assert_eq!(began_with(&green), began_with(&blue));
    let mut again = come_back(&green, PASSWORD);
    again.say("hello");
    let shown = again.until("alice: hello");
    assert!(!shown.iter().any(|line| line.contains("while you were away")), "{shown:#?}");
    green.close(again);
    blue.close((alice, bob));
    assert_eq!(TEXTS.map(|text| data[2].traces(text)), [0; 2]);
    data.iter().for_each(Data::assert_undamaged);
}

#[test]
fn a_node_whose_disk_was_full_catches_up_by_itself() {
    let Some(nats) = Nats::start() else { return };
    let data = [Data::new(), Data::new()];
    let Some(parlor) = on_a_small_disk(&data[0]) else { return };
    // At this speed the file stops if 1 MiB waits for it.
    let options = ["--snapshot-speed", "1000", "--log-lines", "50"];
    let red = nats.run_node(parlor, "red", &options);
    let disk = red.directory(data[0].directory());
    let blue = nats.node("blue", &data[1]);
    let mut alice = enter(&red, "alice");
    let long = "x".repeat(3_000);
    let mut lines = 0;
    let mut say = |alice: &mut Guest| {
        lines += 1;
        alice.say(&format!("{lines} {long}"));
        alice.until(&format!("alice: {lines} {long}"));
    };
    while red.logged_so_far("do not follow any more") == 0 {
        say(&mut alice);
    }
    for _ in 0..100 {
        say(&mut alice);
    }
    alice.say("/last 100");
    alice.lines_until("the end of history", |line| {
        line.contains("not in the history of this node yet")
    });
    fs::remove_file(in_directory(&disk, "ballast")).unwrap();
    red.logged("the files of this node read what they have missed");
    while !red
        .log()
        .iter()
        .any(|line| line.contains("the files of this node have everything again"))
    {
        say(&mut alice);
    }
    say(&mut alice);
    alice.say("/last 100");
    let shown = alice.lines_until("the newest", |line| line.contains(&format!("alice: {lines} x")));
    assert!(shown.iter().all(|line| line.contains("alice: ")), "{shown:#?}");
    drop(alice);
    let log = red.end();
    assert!(!log.iter().any(|line| line.contains("panicked")), "{log:#?}");
    blue.close(());
    copy_files(&disk, &data[0]);
    assert_eq!(data[0].lobby().len(), lines);
    assert_eq!(data[0].lobby(), data[1].lobby());
    data.iter().for_each(Data::assert_undamaged);
}
