//! Three servers store the streams: also if there were fewer when the nodes began, and a server that
//! was down has no key that was deleted.

use rustix::process::Signal;

use crate::access::node;
use crate::data::{Data, enter};
use crate::guest::Guest;
use crate::house::SERVERS;
use crate::machine::Machine;
use crate::nats::{Cluster, KEYS, STREAM};

/// Work of once a minute is done once a second.
const FAST: [&str; 2] = ["--snapshot-speed", "60"];

/// Says a line and reads it.
fn say(alice: &mut Guest, words: &str) {
    alice.say(words);
    alice.until(&format!("alice: {words}"));
}

#[test]
fn streams_that_one_server_stores_are_stored_by_three_when_there_are_three() {
    let Some(mut cluster) = Cluster::configured(&Machine::here(SERVERS), "") else { return };
    cluster.start_one(0);
    cluster.start_one(1);
    let data = Data::new();
    let red = node(data.parlor(), &cluster.urls(), &FAST);
    red.logged("the stream is stored by one server only");
    let mut alice = enter(&red, "alice");
    say(&mut alice, "stored once");
    cluster.start_one(2);
    red.logged_times("is stored by 3 servers from now on", 2);
    say(&mut alice, "stored three times");
    cluster.stored_by_all(KEYS);
    // Each of them may be lost.
    let leader = cluster.stored_by_all(STREAM);
    cluster.end_one(leader, Signal::KILL);
    say(&mut alice, "without one");
    red.close([alice]);
    let texts: Vec<_> = data.lobby().into_iter().map(|row| row.text).collect();
    assert_eq!(texts, ["stored once", "stored three times", "without one"]);
}

#[test]
fn a_deleted_key_is_gone_on_all_servers_also_on_one_that_was_down() {
    let Some(mut cluster) = Cluster::start(&Machine::here(SERVERS)) else { return };
    let data = Data::new();
    let red = node(data.parlor(), &cluster.urls(), &[]);
    let mut alice = enter(&red, "alice");
    alice.say("/register");
    for _ in 0..2 {
        alice.lines_until("the question", |line| line.starts_with("-- Type "));
        alice.say("correct horse");
    }
    alice.lines_until("the answer", |line| line.starts_with("-- alice is registered"));
    say(&mut alice, "zarzuela");
    let (number, key) = cluster.last_message(KEYS);
    let leader = cluster.stored_by_all(KEYS);
    assert!((0..SERVERS).all(|server| cluster.traces(server, KEYS, &key) > 0));
    let down = (leader + 1) % SERVERS;
    cluster.end_one(down, Signal::KILL);
    alice.say("/forget all");
    alice.until("-- 1 line that you said is deleted, for everybody");
    cluster.until_deleted(KEYS, number);
    cluster.start_one(down);
    cluster.stored_by_all(KEYS);
    cluster.end_one(leader, Signal::KILL);
    say(&mut alice, "later");
    cluster.start_one(leader);
    for server in 0..SERVERS {
        cluster.stored_by_all(KEYS);
        cluster.lead_in(KEYS, server);
        cluster.until_deleted(KEYS, number);
        assert_eq!(cluster.traces(server, KEYS, &key), 0, "server {server}");
    }
    red.close([alice]);
}
