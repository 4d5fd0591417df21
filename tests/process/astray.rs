//! A node with a wrong state finds that out, tells its people, and makes its state anew, or ends.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use crc32fast::hash;
use parlor_core::ledger::Snapshot;
use parlor_wire::pack::chunk::{self, Whole};
use parlor_wire::pack::snapshot::{NEWEST, pack, unpack};
use rusqlite::{Connection, TransactionBehavior};
use serde_json::json;

use crate::admin::done;
use crate::data::{Data, enter};
use crate::founding::{says, until_equal};
use crate::guest::Guest;
use crate::nats::{Nats, SNAPSHOTS};
use crate::owners::{PASSWORD, register_as};
use crate::server::Server;
use crate::{DEADLINE, EndOnDrop, export};

/// Snapshots are taken every 27 messages and every second.
const MANY_SNAPSHOTS: [&str; 2] = ["--snapshot-speed", "3600"];

/// Ledgers are compared every 256 messages.
const CHECKED: [&str; 2] = ["--snapshot-speed", "16"];
const CHECK_EVERY: u64 = 256;

/// The file of a node stops when 1 MiB waits for it.
const LATE_FILE: [&str; 2] = ["--snapshot-speed", "64"];
const FILE_STOPS: &str = "the files of this node do not follow any more";
const FILE_IS_WHOLE: &str = "the files of this node have everything again";
const FILE_DIFFERS: &str = "the files of this node have come to another state than the other nodes";

/// Nodes begin at most this far behind a comparison. Before the next one, people enter there.
const EARLY: u64 = 60;

/// More messages than a node assumes to be wrong when nobody has compared its state.
const LINES: usize = 600;

const STOPPED: &str = "-- This node has come to another state than the others, and stops until it knows which is right; messages wait";
const BEGINS_AGAIN: &str = "-- This node begins again with the state of the others; connect again";

fn say(guest: &mut Guest, name: &str, line: &str) {
    guest.say(line);
    guest.until(&format!("{name}: {line}"));
}

/// The snapshot in the file of a node, and its position.
fn snapshot_in(data: &Data) -> Option<(u64, Vec<u8>)> {
    snapshot_of(&Connection::open(data.file()).unwrap())
}

/// The snapshot in an open file, and its position.
fn snapshot_of(file: &Connection) -> Option<(u64, Vec<u8>)> {
    let noted: String = file
        .query_row("SELECT value FROM meta WHERE key = 'snapshot'", [], |row| row.get(0))
        .ok()?;
    let mut parts = file.prepare("SELECT bytes FROM snapshot ORDER BY part").unwrap();
    let parts = parts.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    let bytes = parts.map(Result::unwrap).collect::<Vec<_>>().concat();
    Some((noted.split(' ').next().unwrap().parse().unwrap(), bytes))
}

/// A snapshot with a change that nobody has made. It is not damaged.
fn changed(bytes: &[u8], change: impl Fn(&mut Snapshot)) -> Vec<u8> {
    let mut ledger = unpack(bytes, NEWEST).unwrap();
    change(&mut ledger);
    let wrong = pack(&ledger, NEWEST).unwrap();
    assert_ne!(wrong, bytes);
    wrong
}

/// Changes the snapshot in the file of a stopped node.
fn change_file(data: &Data, change: impl Fn(&mut Snapshot)) {
    change_snapshot(&Connection::open(data.file()).unwrap(), change);
}

/// Changes the snapshot in an open file.
fn change_snapshot(file: &Connection, change: impl Fn(&mut Snapshot)) {
    let (position, bytes) = snapshot_of(file).unwrap();
    let wrong = changed(&bytes, change);
    file.execute("DELETE FROM snapshot", []).unwrap();
    file.execute("INSERT INTO snapshot (bytes) VALUES (?1)", [&wrong]).unwrap();
    let noted = format!("{position} {}", hash(&wrong));
    file.execute("UPDATE meta SET value = ?1 WHERE key = 'snapshot'", [noted]).unwrap();
}

/// Changes the snapshots in NATS, which have one chunk each.
fn change_nats(nats: &Nats, change: impl Fn(&mut Snapshot)) {
    let filter = json!({"subjects_filter": ">"}).to_string();
    let info = nats.ask(&format!("$JS.API.STREAM.INFO.{SNAPSHOTS}"), filter.as_bytes());
    for subject in info["state"]["subjects"].as_object().unwrap().keys() {
        let last = json!({"last_by_subj": subject}).to_string();
        let found = nats.ask(&format!("$JS.API.STREAM.MSG.GET.{SNAPSHOTS}"), last.as_bytes());
        let number = found["message"]["seq"].as_u64().unwrap();
        let chunk = chunk::unpack(&nats.messages(SNAPSHOTS)[&number]).unwrap();
        let wrong = changed(&chunk.bytes, &change);
        let whole = Whole { checksum: hash(&wrong), ..chunk.whole };
        let purge = json!({"filter": subject}).to_string();
        nats.ask(&format!("$JS.API.STREAM.PURGE.{SNAPSHOTS}"), purge.as_bytes());
        nats.ask(subject, &chunk::pack(0, whole, &wrong).unwrap());
    }
}

/// Runs nodes in which mallory is banned, until all have snapshots from much later, and the next
/// comparison is far away. Then they stop.
fn ban_mallory(nats: &Nats, all: &[(&str, &Data)]) {
    let nodes: Vec<_> =
        all.iter().map(|(name, data)| nats.node_with(name, data, &MANY_SNAPSHOTS)).collect();
    let mut alice = enter(&nodes[0], "alice");
    assert_eq!(done(all[0].1, &["ban", "mallory", "5h"]).len(), 1);
    (0..LINES).for_each(|line| say(&mut alice, "alice", &format!("line {line}")));
    let after = nats.last_position().unwrap();
    let until = Instant::now() + DEADLINE;
    let has_snapshot =
        |(_, data): &(_, &Data)| snapshot_in(data).is_some_and(|(position, _)| position > after);
    let is_early = || (1..EARLY).contains(&(nats.last_position().unwrap() % CHECK_EVERY));
    while !all.iter().all(has_snapshot) || !is_early() {
        assert!(Instant::now() < until, "no snapshot behind message {after}");
        say(&mut alice, "alice", "more");
    }
    drop(alice);
    nodes.into_iter().for_each(|node| drop(node.close(())));
}

/// Says lines until a node has stopped.
fn talk_until_noticed(alice: &mut Guest, node: &Server) {
    let until = Instant::now() + DEADLINE;
    while node.logged_so_far("has come to another state") == 0 {
        assert!(Instant::now() < until, "nobody has noticed");
        say(alice, "alice", "on the way");
    }
}

/// The status that a node tells a balancer, and its metric.
fn health(web: SocketAddr, metrics: SocketAddr) -> (String, String) {
    let get = |address, path: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let answer = get(web, "/-/healthz");
    let metrics = get(metrics, "/metrics");
    let astray = metrics.lines().find(|line| line.starts_with("parlor_node_astray "));
    (answer.lines().next().unwrap_or_default().to_owned(), astray.unwrap().to_owned())
}

/// Whether a node was seen to be not ready, and to say why, until a sentence is read.
fn watch(node: &Server, until: impl FnOnce()) -> [bool; 2] {
    let (web, metrics) = (node.listening("http"), node.listening("metrics"));
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut seen = [false; 2];
            while !is_over.load(Ordering::Relaxed) {
                let (answer, astray) = health(web, metrics);
                seen[0] |= answer.contains("503");
                seen[1] |= astray.ends_with(" 1");
            }
            seen
        });
        let end = EndOnDrop(&is_over); // also if it fails
        until();
        drop(end);
        watching.join().unwrap()
    })
}

#[test]
fn a_node_with_a_wrong_state_stops_and_makes_it_anew() {
    let Some(nats) = Nats::start() else { return };
    let data = [Data::new(), Data::new(), Data::new()];
    let [of_red, of_blue, of_green] = &data;
    ban_mallory(&nats, &[("red", of_red), ("blue", of_blue), ("green", of_green)]);
    change_file(of_blue, |ledger| ledger.bans.clear());
    let red = nats.node_with("red", of_red, &CHECKED);
    let green = nats.node_with("green", of_green, &CHECKED);
    let mut alice = enter(&red, "alice");
    let doors = ["--listen", "http://127.0.0.1:0", "--listen", "metrics://127.0.0.1:0"];
    let blue = nats.node_with("blue", of_blue, &[&CHECKED[..], &doors].concat());
    let mut bob = enter(&blue, "bob");
    alice.until("bob has arrived");
    // Blue lets somebody in and writes down what the others never hear.
    let mut mallory = enter(&blue, "mallory");
    say(&mut mallory, "mallory", "nobody may read this");
    say(&mut bob, "bob", "hello");
    alice.until("bob: hello");
    let seen = watch(&blue, || {
        talk_until_noticed(&mut alice, &blue);
        bob.until(STOPPED);
        bob.until(BEGINS_AGAIN);
        assert!(bob.rest().is_empty());
    });
    assert_eq!(seen, [true; 2], "it was not ready, and said why");
    mallory.until(BEGINS_AGAIN);

    let mut bob = enter(&blue, "bob");
    let mut again = Guest::connect(blue.address);
    again.say("mallory");
    again.lines_until("the refusal", |line| line.starts_with("-- You are banned until "));
    assert!(done(of_blue, &["bans"])[0].starts_with("mallory is banned until "));
    say(&mut bob, "bob", "back again");
    alice.until("bob: back again");
    blue.logged("the files of this node have everything again");
    bob.say("/search nobody");
    bob.lines_until("the answer", |line| line.starts_with("-- Nothing found"));
    let (web, metrics) = (blue.listening("http"), blue.listening("metrics"));
    let (answer, astray) = health(web, metrics);
    assert!(answer.contains("200") && astray.ends_with(" 0"), "{answer} {astray}");
    let began = blue.logged("it goes on with the state of message ");
    assert!(!began.contains("of message 1 and"), "from a snapshot: {began}");
    drop((alice, bob, again));
    [red, green].into_iter().for_each(|node| drop(node.close(())));
    let log = blue.end();
    assert!(!log.iter().any(|line| line.contains("panicked")), "{log:#?}");
    assert_eq!(of_blue.lobby(), of_red.lobby());
    assert_eq!(of_green.lobby(), of_red.lobby());
    data.iter().for_each(Data::assert_undamaged);
    // It begins with what is right now.
    let blue = nats.node_with("blue", of_blue, &CHECKED);
    assert_eq!(done(of_blue, &["bans"]).len(), 1);
    blue.close(());
}

#[test]
fn of_two_nodes_the_right_one_keeps_its_people() {
    let Some(nats) = Nats::start() else { return };
    let data = [Data::new(), Data::new()];
    ban_mallory(&nats, &[("red", &data[0]), ("blue", &data[1])]);
    change_file(&data[1], |ledger| ledger.bans.clear());
    let red = nats.node_with("red", &data[0], &CHECKED);
    let mut alice = enter(&red, "alice");
    let blue = nats.node_with("blue", &data[1], &CHECKED);
    let mut bob = enter(&blue, "bob");
    alice.until("bob has arrived");
    talk_until_noticed(&mut alice, &blue);
    bob.until(BEGINS_AGAIN);
    let mut bob = enter(&blue, "bob");
    say(&mut bob, "bob", "back again");
    alice.until("bob: back again");
    assert!(done(&data[1], &["bans"])[0].starts_with("mallory is banned until "));
    blue.logged("the files of this node have everything again");
    drop((alice, bob));
    for node in [red, blue] {
        let log = node.end();
        assert!(!log.iter().any(|line| line.contains("panicked")), "{log:#?}");
    }
    assert_eq!(data[0].lobby(), data[1].lobby());
    data.iter().for_each(Data::assert_undamaged);
}

#[test]
fn a_node_that_comes_to_the_same_wrong_state_again_ends() {
    let Some(nats) = Nats::start() else { return };
    let data = [Data::new(), Data::new(), Data::new()];
    let [of_red, of_blue, of_green] = &data;
    ban_mallory(&nats, &[("red", of_red), ("blue", of_blue), ("green", of_green)]);
    let change = |ledger: &mut Snapshot| ledger.last_kept = 7;
    change_file(of_blue, change);
    change_nats(&nats, change);
    let red = nats.node_with("red", of_red, &CHECKED);
    let green = nats.node_with("green", of_green, &CHECKED);
    let mut alice = enter(&red, "alice");
    let mut blue = nats.node_with("blue", of_blue, &CHECKED);
    let mut bob = enter(&blue, "bob");
    talk_until_noticed(&mut alice, &blue);
    bob.until(STOPPED);
    bob.until("-- The server is going down");
    assert_eq!(blue.ended().code(), Some(1));
    let log = blue.log().concat();
    assert!(log.contains("and to the same one when it read the stream again"), "{log}");
    drop(alice);
    [red, green].into_iter().for_each(|node| drop(node.close(())));
}

#[test]
fn a_node_whose_file_alone_differs_ends_and_then_makes_it_anew() {
    let Some(nats) = Nats::start() else { return };
    let data = [Data::new(), Data::new()];
    let blue = nats.node_with("blue", &data[1], &LATE_FILE);
    let mut red = nats.node_with("red", &data[0], &LATE_FILE);
    let mut alice = enter(&blue, "alice");
    while snapshot_in(&data[0]).is_none() {
        say(&mut alice, "alice", "more");
    }
    let long = "x".repeat(3_000);
    // If a snapshot becomes due while the file waits, that one is in it, and all is well.
    while red.logged_so_far(FILE_DIFFERS) == 0 {
        let (stops, ends) = (red.logged_so_far(FILE_STOPS), red.logged_so_far(FILE_IS_WHOLE));
        let mut file = Connection::open(data[0].file()).unwrap();
        let change = file.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
        while red.logged_so_far(FILE_STOPS) == stops {
            say(&mut alice, "alice", &long);
        }
        change_snapshot(&change, |ledger| ledger.last_kept += 7);
        change.commit().unwrap();
        while red.logged_so_far(FILE_DIFFERS) == 0 && red.logged_so_far(FILE_IS_WHOLE) == ends {
            say(&mut alice, "alice", "on the way");
        }
    }
    assert_eq!(red.ended().code(), Some(1));

    let red = nats.node_with("red", &data[0], &LATE_FILE);
    red.logged("it goes on with the state of message ");
    red.logged(FILE_IS_WHOLE);
    drop(alice);
    red.end();
    blue.close(());
    assert_eq!(data[0].lobby(), data[1].lobby());
    data.iter().for_each(Data::assert_undamaged);
}

/// Stores the past of a server without other nodes: zoe owns her name, and a message waits for her.
fn past_of_zoe(data: &Data) {
    let alone = data.open(&[]);
    let mut bob = enter(&alone, "bob");
    let mut zoe = enter(&alone, "zoe");
    says(&mut zoe, "before I had a password", "zoe: before");
    register_as(&mut zoe, "zoe", PASSWORD);
    says(&mut zoe, "zarzuela", "zoe: zarzuela");
    says(&mut zoe, "/topic at five", "zoe changed the topic to: at five");
    assert_eq!(done(data, &["ban", "eve", "1h"]).len(), 1);
    drop(zoe);
    bob.until("zoe has left");
    says(&mut bob, "/msg zoe marzipan", "-- zoe is away and gets your message on return");
    says(&mut bob, "gallimaufry", "bob: gallimaufry");
    alone.close(bob);
}

/// Zoe comes to a node of a house with her past, reads the message, and deletes her lines.
fn zoe_comes_and_forgets(node: &Server) {
    let mut zoe = Guest::connect(node.address);
    zoe.say("zoe");
    zoe.lines_until("the question", |line| line.contains("type its password"));
    zoe.say(PASSWORD);
    zoe.lines_until("the message", |line| line.ends_with("[bob -> zoe] marzipan"));
    says(&mut zoe, "a second zarzuela", "zoe: a second zarzuela");
    says(&mut zoe, "/forget all", "-- 3 lines that you said are deleted");
}

/// One of three nodes of a house with a past has a wrong state, finds that out, and makes it anew. Its
/// file is written again from the end of the past, because lines were deleted since then.
fn makes_anew_what_is_behind_the_past(wrong: usize) {
    let Some(nats) = Nats::start() else { return };
    let data = [Data::new(), Data::new(), Data::new()];
    past_of_zoe(&data[0]);
    let names = ["red", "blue", "green"];
    ban_mallory(&nats, &[0, 1, 2].map(|node| (names[node], &data[node])));
    change_file(&data[wrong], |ledger| ledger.bans.clear());
    let nodes = [0, 1, 2].map(|node| nats.node_with(names[node], &data[node], &CHECKED));
    let mut alice = enter(&nodes[2], "alice");
    zoe_comes_and_forgets(&nodes[2]);
    talk_until_noticed(&mut alice, &nodes[wrong]);
    nodes[wrong].logged("it goes on with the state of message ");
    nodes[wrong].logged(FILE_IS_WHOLE);
    let mut bob = enter(&nodes[wrong], "bob");
    alice.until("bob has arrived");
    says(&mut bob, "back again", "bob: back again");
    alice.until("bob: back again");
    until_equal(&data, |_| true);
    drop((alice, bob));
    for node in nodes {
        let log = node.end();
        assert!(!log.iter().any(|line| line.contains("panicked")), "{log:#?}");
    }
    let exported = data.each_ref().map(|data| export::lines(data, &[]));
    assert!(exported[0].iter().any(|line| line.ends_with("gallimaufry")), "{exported:?}");
    assert!(!exported[0].iter().any(|line| line.contains("zarzuela")), "{exported:?}");
    assert_eq!(exported[1], exported[0]);
    assert_eq!(exported[2], exported[0]);
    data.iter().for_each(Data::assert_undamaged);
}

#[test]
fn the_first_node_of_a_house_with_a_past_makes_a_wrong_state_anew() {
    makes_anew_what_is_behind_the_past(0);
}

#[test]
fn a_later_node_of_a_house_with_a_past_makes_a_wrong_state_anew() {
    makes_anew_what_is_behind_the_past(1);
}
