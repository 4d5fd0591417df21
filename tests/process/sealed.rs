//! Sealed lines of owners, passwords and kept messages in the stream of several nodes: nobody can open
//! them when they are deleted.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::DEADLINE;
use crate::data::{Data, enter};
use crate::guest::Guest;
use crate::nats::{KEYS, Nats};
use crate::owners::{PASSWORD, change_password, come_back, register, register_as};
use crate::server::Server;

/// The keys by their numbers.
type Keys = BTreeMap<u64, Vec<u8>>;

/// Waits until these keys are deleted, while the guest sends requests. Afterwards no file of the
/// servers has their bytes.
fn until_erased(nats: &Nats, keys: &Keys, guest: &mut Guest) {
    let until = Instant::now() + DEADLINE;
    while nats.messages(KEYS).keys().any(|number| keys.contains_key(number)) {
        assert!(Instant::now() < until, "the keys are still there");
        guest.say("/topic");
        guest.line();
    }
    for (number, key) in keys {
        assert_eq!(nats.traces(key), 0, "key {number} is in a file");
    }
}

/// The keys that were made since then.
fn new_keys(nats: &Nats, before: &Keys) -> Keys {
    let mut keys = nats.messages(KEYS);
    keys.retain(|number, _| !before.contains_key(number));
    keys
}

fn say(speaker: &mut Guest, reader: &mut Guest, name: &str, line: &str) {
    speaker.say(line);
    let shown = format!("{name}: {line}");
    speaker.until(&shown);
    reader.until(&shown);
}

/// Ends nodes without an error in their logs, whose files have the same lines then.
fn end(nodes: Vec<Server>, data: &[Data]) {
    for node in nodes {
        let log = node.end();
        let is_bad = |line: &&String| line.contains(" ERROR ") || line.contains("panicked");
        assert_eq!(log.iter().find(is_bad), None, "{log:#?}");
    }
    let first = data[0].lobby();
    for data in data {
        assert_eq!(data.lobby(), first);
        data.assert_undamaged();
    }
}

/// The nodes red and blue, alice at red, who owns her name, and bob at blue.
fn owner_and_guest(nats: &Nats, data: &[Data]) -> ([Server; 2], [Guest; 2]) {
    let (red, blue) = (nats.node("red", &data[0]), nats.node("blue", &data[1]));
    let mut alice = enter(&red, "alice");
    let bob = enter(&blue, "bob");
    register(&mut alice, PASSWORD);
    ([red, blue], [alice, bob])
}

#[test]
fn nobody_can_open_the_lines_of_an_owner_who_deleted_them() {
    let Some(nats) = Nats::start() else { return };
    let data = [Data::new(), Data::new(), Data::new()];
    let ([red, blue], [mut alice, mut bob]) = owner_and_guest(&nats, &data);
    let before = nats.messages(KEYS);
    say(&mut alice, &mut bob, "alice", "zarzuela");
    say(&mut alice, &mut bob, "alice", "a second zarzuela");
    say(&mut bob, &mut alice, "bob", "gallimaufry");
    assert_eq!(nats.traces(b"zarzuela"), 0, "it is sealed");
    assert_ne!(nats.traces(b"gallimaufry"), 0, "lines of strangers are not");
    let keys = new_keys(&nats, &before);
    assert_eq!(keys.len(), 1, "the lines share a key");
    assert!(keys.values().all(|key| nats.traces(key) > 0));
    alice.say("/forget all");
    alice.until("-- 2 lines that you said are deleted, for everybody");
    until_erased(&nats, &keys, &mut bob);

    let green = nats.node("green", &data[2]);
    let mut carol = enter(&green, "carol");
    carol.say("/last 9");
    let last = carol.lines_until("the line", |line| line.ends_with("bob: gallimaufry"));
    assert!(last.iter().all(|line| !line.contains("zarzuela")), "{last:?}");
    say(&mut alice, &mut carol, "alice", "a new zarzuela");
    assert_eq!(data[2].numbers()[..3], [1, 2, 3], "each line has its number");
    drop((alice, bob, carol));
    end(vec![green, blue, red], &data);
}

#[test]
fn nobody_can_open_an_old_password_or_a_message_that_was_delivered() {
    let Some(nats) = Nats::start() else { return };
    let data = [Data::new(), Data::new()];
    let ([red, blue], [mut alice, mut bob]) = owner_and_guest(&nats, &data);
    let first = nats.messages(KEYS);
    assert_eq!((first.len(), nats.traces(b"$argon2id$")), (1, 0));
    change_password(&mut alice);
    until_erased(&nats, &first, &mut bob);
    let second = nats.messages(KEYS);
    assert_eq!(second.len(), 1);
    drop(alice);
    bob.until("alice has left");

    bob.say("/msg alice marzipan");
    bob.lines_until("the answer", |line| line.contains("alice") && line.starts_with("-- "));
    assert_eq!(nats.traces(b"marzipan"), 0);
    let message = new_keys(&nats, &second);
    assert_eq!(message.len(), 1);
    let mut alice = come_back(&blue, "another horse");
    alice.lines_until("the message", |line| line.contains("marzipan"));
    until_erased(&nats, &message, &mut bob);

    // The password is known also on a node that has read it in the stream.
    red.end();
    let red = nats.node("red", &data[0]);
    let mut again = come_back(&red, "another horse");
    say(&mut again, &mut bob, "alice", "still me");
    drop((alice, again, bob));
    end(vec![blue, red], &data);
}

#[test]
fn keys_are_deleted_although_all_nodes_are_killed() {
    let Some(nats) = Nats::start() else { return };
    let data = [Data::new(), Data::new()];
    let mut red = nats.node("red", &data[0]);
    let mut alice = enter(&red, "alice");
    register(&mut alice, PASSWORD);
    let before = nats.messages(KEYS);
    alice.say("zarzuela");
    alice.until("alice: zarzuela");
    let keys = new_keys(&nats, &before);
    alice.say("/forget all");
    alice.until("alice deleted everything alice said");
    red.kill(); // mostly before the key is deleted
    drop(alice);

    let blue = nats.node("blue", &data[1]);
    let mut bob = enter(&blue, "bob");
    until_erased(&nats, &keys, &mut bob);
    blue.close([bob]);
    assert!(data[1].lobby().iter().all(|row| !row.text.contains("zarzuela")));
}

#[test]
fn a_stream_that_has_lost_keys_gives_none_of_their_numbers_again() {
    let Some(mut nats) = Nats::start() else { return };
    let data = [Data::new(), Data::new()];
    let red = nats.node("red", &data[0]);
    let mut alice = enter(&red, "alice");
    let mut bob = enter(&red, "bob");
    register(&mut alice, PASSWORD);
    say(&mut alice, &mut bob, "alice", "zarzuela");
    nats.kill();
    nats.copy();
    nats.start_again();
    register_as(&mut bob, "bob", PASSWORD);
    let lost = nats.messages(KEYS);
    nats.kill();
    nats.restore_stream(KEYS);
    nats.start_again();
    assert!(nats.messages(KEYS).len() < lost.len());
    change_password(&mut alice);
    let keys = nats.messages(KEYS);
    assert!(keys.last_key_value() > lost.last_key_value(), "its number is new");

    let mut blue = nats.node("blue", &data[1]);
    let mut again = come_back(&blue, "another horse");
    again.say("/last 9");
    again.lines_until("the line", |line| line.ends_with("alice: zarzuela"));
    blue.kill();
    drop((alice, again, bob));
    let blue = nats.node("blue", &data[1]);
    blue.logged("ERROR the key of this password is lost: set another one with parlor admin");
    blue.end();
    red.end();
}

#[test]
fn names_are_registered_also_if_somebody_has_deleted_the_stream_of_keys() {
    let Some(nats) = Nats::start() else { return };
    let data = [Data::new(), Data::new()];
    let ([red, blue], [mut alice, mut bob]) = owner_and_guest(&nats, &data);
    nats.delete_stream(KEYS);
    register_as(&mut bob, "bob", PASSWORD);
    blue.logged("the stream PARLOR-main-KEYS does not exist in NATS any more, and is made again");
    say(&mut bob, &mut alice, "bob", "hello");
    say(&mut alice, &mut bob, "alice", "hello");
    drop((alice, bob));
    let logs = [red, blue].map(Server::end);
    assert!(!logs.concat().iter().any(|line| line.contains("panicked")));
    assert_eq!(data[0].lobby(), data[1].lobby());
}
