//! The name question: the first line answers it.

use crate::support::{Guest, TestServer};

/// Types `name` at the question. Reads the reason of the refusal, and the question again.
#[track_caller]
fn is_refused(guest: &mut Guest, name: &str, why: &str) {
    guest.say(name);
    guest.sees(&format!("-- {why}"));
    guest.sees_question_again();
}

#[test]
fn a_name_and_lines_may_come_in_one_packet() {
    let server = TestServer::named();
    let mut alice = server.enter("alice");
    let mut ci = server.guest();
    ci.send("ci\nbuild 7 passed\nall green\n");
    ci.shut();
    alice.sees_all(["ci has arrived", "ci: build 7 passed", "ci: all green", "ci has left"]);
    ci.sees_question();
    ci.sees_all([
        "You are ci",
        "In lobby: alice",
        "-- /help lists what you can type",
        "-- Lines here are not stored: they are gone when the server stops",
        "ci: build 7 passed",
        "ci: all green",
    ]);
    ci.sees_end();
}

#[test]
fn a_line_left_unfinished_counts_in_the_room() {
    let server = TestServer::named();
    let mut alice = server.enter("alice");
    let mut ci = server.guest();
    ci.send("ci\nhello");
    ci.shut();
    alice.sees_all(["ci has arrived", "ci: hello", "ci has left"]);
}

#[test]
fn pressing_enter_keeps_the_address() {
    let server = TestServer::named();
    let mut alice = server.enter("alice");
    for blank in ["", " \t "] {
        let mut stranger = server.guest();
        let address = stranger.address();
        stranger.sees_question();
        stranger.say(blank);
        stranger.sees(&format!("You are {address}"));
        stranger.sees_roster();
        stranger.say("hello");
        alice.sees(&format!("{address} has arrived"));
        alice.sees(&format!("{address}: hello"));
        drop(stranger);
        alice.sees(&format!("{address} has left"));
    }
}

#[test]
fn a_refused_name_gets_a_sentence_and_the_question_again() {
    let server = TestServer::named();
    for refused in [
        [
            (
                "a-name-that-goes-on-for-far-too-long",
                "A name has at most 32 characters; this one has 36",
            ),
            ("al ice", "A name is one word; write - or _ instead of a blank"),
            ("al!ce", "A name can contain only letters, digits, -, _ and .; leave out !"),
            ("/help", "Type a name first, then commands; Enter alone enters without a name"),
        ],
        [
            ("ﬁona", "A name can contain only letters and digits in everyday use; leave out ﬁ"),
            ("-alice", "A name starts with a letter or a digit, not with -"),
            ("ーー", "A name needs at least one letter"), // looks like the server's --
            ("a1\u{301}", "An accent belongs on a letter; leave out U+0301"),
        ],
        [
            ("x\u{301}\u{301}", "Too many accents on one letter; leave some out"),
            (
                "\u{430}lice",
                "A name uses one alphabet; this one mixes several and could pass for another name",
            ),
            ("Admin", "admin is reserved; choose another name"),
            ("r00t", "root is reserved; choose another name"),
        ],
    ] {
        let mut guest = server.guest();
        guest.sees_question();
        for (name, why) in refused {
            is_refused(&mut guest, name, why);
        }
        guest.say(" alice\t");
        guest.sees("You are alice");
        guest.sees_roster();
        guest.say("/quit");
        guest.sees_end();
    }
}

#[test]
fn reserved_names_are_refused() {
    let server = TestServer::named();
    for name in ["server", "parlor", "root", "admin", "operator", "all", "here", "everyone", "you"]
    {
        let mut guest = server.guest();
        guest.sees_question();
        let why = format!("{name} is reserved; choose another name");
        is_refused(&mut guest, name, &why);
        is_refused(&mut guest, &name.to_uppercase(), &why);
    }
}

#[test]
fn after_five_refusals_a_client_keeps_its_address() {
    let server = TestServer::named();
    let mut alice = server.enter("alice");
    let mut guest = server.guest();
    let address = guest.address();
    guest.sees_question();
    for _ in 0..4 {
        is_refused(&mut guest, "42", "A name needs at least one letter");
    }
    guest.say("42");
    guest.sees("-- A name needs at least one letter");
    guest
        .sees(&format!("-- No usable name in 5 tries: you stay {address}; /name NEW takes a name"));
    guest.sees(&format!("You are {address}"));
    guest.sees_roster();
    alice.sees(&format!("{address} has arrived"));
    guest.say("42");
    alice.sees(&format!("{address}: 42"));
}

#[test]
fn a_name_and_its_look_alikes_are_refused_while_in_use_and_free_afterwards() {
    let server = TestServer::named();
    let [mut mike, mut alice] = server.friends(["mike", "alice"]);
    let mut second = server.guest();
    second.sees_question();
    for name in ["MIKE", "rnike", "a1ice", "ALlCE"] {
        let why =
            format!("{name} is taken, or looks like a name that is taken; choose another name");
        is_refused(&mut second, name, &why);
    }
    alice.say("/quit");
    alice.sees_end();
    mike.sees("alice has left");
    second.say("a1ice");
    second.sees("You are a1ice");
    mike.sees("a1ice has arrived");
}

#[test]
fn a_client_that_leaves_at_the_question_never_arrived() {
    let server = TestServer::named();
    let mut alice = server.enter("alice");
    let mut shy = server.guest();
    shy.sees_question();
    shy.send("unfinished");
    shy.shut();
    shy.sees_end();
    let broken = server.guest();
    broken.reset();
    let bob = server.enter("bob");
    alice.sees("bob has arrived");
    drop(bob);
    alice.sees("bob has left");
}

#[test]
fn a_door_may_ask_for_no_name() {
    let server = TestServer::open(&["tcp://127.0.0.1:0?names=address"], |_| {});
    let mut guest = server.guest();
    guest.sees(&format!("You are {}", guest.address()));
    guest.sees_all([
        "In lobby: nobody else",
        "-- /help lists what you can type",
        "-- Lines here are not stored: they are gone when the server stops",
    ]);
    guest.say("alice");
    guest.sees(&format!("{}: alice", guest.address()));
    guest.say("/name alice");
    guest.sees("You are alice");
}

#[test]
fn too_long_a_name_is_a_line_too_long() {
    let server = TestServer::named();
    let mut guest = server.guest();
    guest.sees_question();
    is_refused(&mut guest, &"a".repeat(4_097), "Line too long (4096 bytes at most): not sent");
    is_refused(
        &mut guest,
        &"a".repeat(4_096),
        "A name has at most 32 characters; this one has 4096",
    );
    guest.say("alice");
    guest.sees("You are alice");
}

#[test]
fn the_client_that_waits_longest_at_the_question_makes_room() {
    let server = TestServer::open(&["tcp://127.0.0.1:0"], |config| {
        config.connections = Some(8); // a quarter of them is kept free of silent clients
    });
    let mut waiting: Vec<Guest> = (0..7)
        .map(|_| {
            let mut guest = server.guest();
            guest.sees_question();
            guest
        })
        .collect();
    waiting[0]
        .sees("-- Too many people are at the name prompt: closed; connect again and answer sooner");
    waiting[0].sees_end();
    for (guest, name) in waiting[5..].iter_mut().zip(["bob", "carol"]) {
        guest.say(name);
        guest.sees(&format!("You are {name}"));
    }
}
