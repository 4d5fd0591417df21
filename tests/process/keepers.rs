//! Keepers: how people become keepers, and their authority in a room or on the whole server.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::process::{Resource, Rlimit, Signal, prlimit};

use crate::EndOnDrop;
use crate::admin::{done, order};
use crate::data::{Data, STORED, enter};
use crate::guest::Guest;
use crate::owners::another_address;
use crate::server::{HERE, Server};
use crate::visitor::Visitor;
use crate::web::{curl, follow, open};

const PASSWORD: &str = "correct horse";

/// Registers the name that the guest wears.
fn register(guest: &mut Guest, name: &str) {
    guest.send(format!("/register\n{PASSWORD}\n{PASSWORD}\n").as_bytes());
    guest.until(&format!("-- {name} is registered: this name needs your password from now on"));
}

/// Enters, and registers the name.
fn enter_as_owner(server: &Server, name: &str) -> Guest {
    let mut guest = enter(server, name);
    register(&mut guest, name);
    guest
}

/// Enters a second time under a registered name.
fn come_back(server: &Server, name: &str) -> Guest {
    let mut guest = Guest::connect(server.address);
    guest.say(name);
    guest.lines_until("the question", |line| line.contains("type its password"));
    guest.say(PASSWORD);
    guest.until(STORED);
    guest
}

fn join(guest: &mut Guest, room: &str) -> Vec<String> {
    guest.say(&format!("/join {room}"));
    let roster = format!("In {room}: ");
    guest.lines_until("the roster", |line| line.starts_with(&roster))
}

#[test]
fn a_person_who_is_banned_while_sending_without_a_pause_reads_nothing_more() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter_as_owner(&server, "alice");
    join(&mut alice, "tea");
    let mut bob = enter(&server, "bob");
    join(&mut bob, "tea");
    alice.until("bob has arrived");
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let mut sending = bob.sender();
        let is_over = &is_over;
        scope.spawn(move || {
            while !is_over.load(Ordering::Relaxed) && sending.write_all(&[b'\n'; 4096]).is_ok() {}
        });
        let _end = EndOnDrop(is_over);
        alice.say("/ban bob");
        alice.lines_until("the ban", |line| {
            line.starts_with("bob was banned by alice") || line.starts_with("bob was removed")
        });
        alice.say("for us alone");
        let heard = bob.lines_until("another room", |line| line.starts_with("In lobby: "));
        assert!(!heard.iter().any(|line| line.contains("alone")), "{heard:?}");
    });
    server.close((alice, bob));
}

#[test]
fn the_operator_names_the_keepers_of_the_server() {
    let data = Data::new();
    let server = data.open(&[]);
    assert_eq!(done(&data, &["keeper", "list"]), ["Keepers of the server: nobody"]);
    let refused = order(&data, &["keeper", "add", "alice"]).unwrap_err();
    assert_eq!(
        refused,
        "alice is not a registered name, and a keeper needs one: ask alice to type /register"
    );
    let mut alice = enter_as_owner(&server, "alice");
    let mut bob = enter(&server, "bob");
    bob.say("/kick alice");
    bob.until("-- Only keepers can do that; /keeper lists them");
    assert_eq!(done(&data, &["keeper", "add", "Alice"]), ["alice is a keeper"]);
    assert_eq!(order(&data, &["keeper", "add", "alice"]), Err("alice is already a keeper".into()));
    alice.say("/kick alice");
    alice.until("-- That is you; choose somebody else");
    alice.say("/kick bob no advertising");
    alice.until("bob was removed by alice: no advertising");
    assert_eq!(bob.rest(), ["-- You were removed by alice: no advertising"]);
    server.close([alice]);

    let server = data.open(&[]);
    assert_eq!(done(&data, &["keeper", "list"]), ["Keepers of the server: alice"]);
    let mut alice = Guest::connect(server.address);
    alice.say("alice");
    alice.lines_until("the question", |line| line.contains("type its password"));
    alice.say(PASSWORD);
    let greeting = alice.until(STORED);
    assert!(greeting.contains(&"-- You are a keeper of this server".to_owned()), "{greeting:?}");
    assert_eq!(done(&data, &["keeper", "remove", "alice"]), ["alice is no longer a keeper"]);
    alice.say("/ban bob");
    alice.until("-- Only keepers can do that; /keeper lists them");
    server.close([alice]);
}

#[test]
fn the_maker_of_a_room_under_a_registered_name_becomes_its_keeper() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter_as_owner(&server, "alice");
    let mut bob = enter(&server, "bob");
    join(&mut alice, "tea");
    alice.until("-- You are a keeper of this room");
    join(&mut bob, "tea");
    alice.until("bob has arrived");
    bob.say("/keeper");
    bob.until("-- Keepers of tea: alice");
    bob.until("-- Keepers of the server: nobody");
    alice.say("/keeper bob");
    for guest in [&mut alice, &mut bob] {
        guest.until("-- alice made bob a keeper for the time being");
    }
    bob.say("/keeper -alice");
    bob.until("-- alice keeps this room for good, and you only while you are here");
    alice.say("/keeper nobody-here");
    alice.until("-- Nobody here is called nobody-here; /who lists the people in this room");
    alice.say("/keeper -alice");
    alice.until("-- alice is the last keeper of this room; first make another with /keeper NAME");
    register(&mut bob, "bob");
    alice.say("/keeper bob");
    for guest in [&mut alice, &mut bob] {
        guest.until("-- alice made bob a keeper");
    }
    bob.say("/kick alice");
    bob.until("-- alice is a keeper; only the operator can remove a keeper");
    bob.say("/keeper -alice");
    bob.until("-- bob removed alice as a keeper");
    bob.say("see you");
    bob.until("bob: see you");
    server.close([alice, bob]); // and tea is empty

    let server = data.open(&[]);
    let mut alice = come_back(&server, "alice");
    assert_eq!(join(&mut alice, "tea"), ["In tea: nobody else"]);
    alice.say("/keeper");
    alice.until("-- Keepers of tea: bob");
    alice.say("/topic lock");
    alice.until("-- Only keepers can do that; /keeper lists them");
    // A room with lines exists already, so the next person who enters it does not make it.
    let mut carol = enter_as_owner(&server, "carol");
    join(&mut carol, "tea");
    carol.say("/keeper");
    carol.until("-- Keepers of tea: bob");
    let mut bob = come_back(&server, "bob");
    join(&mut bob, "tea");
    bob.until("-- You are a keeper of this room");
    server.close([alice, bob, carol]);
}

#[test]
fn the_rules_of_a_room_are_the_same_after_a_restart() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter_as_owner(&server, "alice");
    join(&mut alice, "tea");
    for (typed, told) in [
        (
            "/room private",
            "-- alice made the room private: only people who are invited enter, and nobody else sees it",
        ),
        ("/room password beer", "-- alice gave the room a password: /room shows it"),
        ("/room limit 5", "-- alice lets at most 5 people into the room"),
        ("/room moderated", "-- alice lets only keepers and people with a voice speak"),
        ("/room secret off", "-- alice made the room visible to people outside"),
    ] {
        alice.say(typed);
        alice.until(told);
    }
    let log = done(&data, &["log"]);
    assert!(log.iter().any(|row| row.ends_with(" alice: room password in tea")), "{log:?}");
    assert!(log.iter().all(|row| !row.contains("beer")), "{log:?}");
    server.close([alice]);

    let server = data.open(&[]);
    let mut bob = enter(&server, "bob");
    bob.say("/join tea");
    bob.until(
        "-- tea is for invited people only; ask a keeper there to type /invite with your name",
    );
    let mut alice = come_back(&server, "alice");
    join(&mut alice, "tea");
    alice.until(
        "-- This room is for invited people only, with the password beer, for at most 5 people, \
         moderated",
    );
    alice.say("/room open");
    alice.until("-- alice made the room open to everybody");
    server.close([alice, bob]);

    let server = data.open(&[]);
    let mut bob = enter(&server, "bob");
    assert_eq!(join(&mut bob, "tea"), ["In tea: nobody else"]);
    server.close([bob]);
}

#[test]
fn a_person_removed_from_a_room_is_in_the_lobby() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter_as_owner(&server, "alice");
    let mut bob = enter(&server, "bob");
    let mut carol = enter(&server, "carol");
    join(&mut alice, "tea");
    join(&mut bob, "tea");
    alice.until("bob has arrived");
    alice.say("/kick carol");
    alice.until("-- carol is in lobby, not here");
    alice.say("/kick bob too loud");
    alice.until("bob was removed by alice: too loud");
    bob.until("-- You were removed from tea by alice: too loud");
    bob.until("In lobby: carol");
    carol.until("bob has arrived");
    bob.say("hello lobby");
    carol.until("bob: hello lobby");
    join(&mut bob, "tea"); // the kick was no ban
    alice.until("bob has arrived");
    alice.say("/ban bob 30m and stay there");
    bob.lines_until("the ban", |line| {
        line.starts_with("-- You are banned from tea until ")
            && line.ends_with(" by alice: and stay there")
    });
    bob.until("In lobby: carol");
    bob.say("/join tea");
    bob.lines_until("the ban", |line| {
        line.starts_with("-- You are banned from tea until ")
            && line.ends_with(" by alice: and stay there")
    });
    bob.say("/name b0b"); // it looks like the name that is banned
    bob.until("You are b0b");
    bob.say("/join tea");
    bob.lines_until("the ban", |line| line.starts_with("-- You are banned from tea until "));
    alice.say("/ban");
    alice.lines_until("the bans", |line| {
        line.starts_with("-- bob is banned until ") && line.ends_with(" by alice: and stay there")
    });
    alice.say("/unban bob");
    alice.until("-- alice lifted the ban on bob");
    join(&mut bob, "tea");
    alice.until("b0b has arrived");
    alice.say("/ban bob"); // the ban covers names that look like bob
    alice.until("b0b was banned by alice");
    bob.until("-- You are banned from tea by alice");
    bob.until("In lobby: carol");
    server.close([alice, bob, carol]);
}

#[test]
fn a_person_with_many_lines_waiting_is_removed_before_they_are_delivered() {
    let data = Data::new();
    let server = Server::run(data.parlor(), &[&HERE[..], &["--rate", "1/s"]].concat());
    let mut alice = enter_as_owner(&server, "alice");
    let mut bob = enter(&server, "bob");
    join(&mut alice, "tea");
    join(&mut bob, "tea");
    alice.until("bob has arrived");
    bob.send("and on\n".repeat(1_000).as_bytes()); // a quarter of an hour at this rate
    alice.until("bob: and on");
    alice.say("/ban bob");
    bob.until("-- You are banned from tea by alice");
    bob.until("In lobby: nobody else");
    alice.until("bob was banned by alice");
    server.close([alice, bob]);
}

#[test]
fn a_ban_from_the_server_survives_a_restart_and_ends_when_it_is_lifted() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter_as_owner(&server, "alice");
    done(&data, &["keeper", "add", "alice"]);
    let mut bob = enter(&server, "bob");
    alice.until("bob has arrived");
    alice.say("/ban bob for good");
    alice.until("bob was banned by alice: for good");
    assert_eq!(bob.rest(), ["-- You are banned by alice: for good"]);
    server.close([alice]);

    let server = data.open(&[]);
    let mut bob = Guest::connect(server.address);
    for name in ["BOB", "b0b"] {
        bob.say(name); // the second only looks like it
        bob.until("-- You are banned by alice: for good");
    }
    bob.say("mallory");
    bob.until(STORED);
    bob.say("/name bob");
    bob.until("-- You are banned by alice: for good");
    assert_eq!(done(&data, &["bans"]), ["bob is banned by alice: for good"]);
    assert_eq!(
        order(&data, &["ban", "alice"]),
        Err("alice is a keeper of the server; first run: parlor admin keeper remove alice".into())
    );
    assert_eq!(done(&data, &["unban", "Bob"]), ["bob is no longer banned"]);
    assert_eq!(
        order(&data, &["unban", "bob"]),
        Err("bob is not banned; parlor admin bans lists the bans".into())
    );
    bob.say("/name bob");
    bob.until("You are bob");
    server.close([bob]);
}

#[test]
fn bans_of_all_kinds_are_the_same_after_a_restart() {
    let data = Data::new();
    let server = data.open(&[]);
    for words in [
        &["ban", "192.0.2.7/24", "7d", "spam", "and more"][..],
        &["ban", "2001:db8::7"],
        &["ban", "192.0.2.7/24", "1h"], // in place of the first
    ] {
        done(&data, words);
    }
    let wrong = order(&data, &["ban", "192.0.2.7/33"]).unwrap_err();
    assert_eq!(wrong, "192.0.2.7/33 is not an address; write it as 192.0.2.7 or 192.0.2.0/24");
    let bans = done(&data, &["bans"]);
    let [hour, good] = bans.as_slice() else {
        panic!("{bans:?}");
    };
    assert!(hour.starts_with("192.0.2.0/24 is banned until "), "{hour}");
    assert!(hour.ends_with(" by the operator"), "{hour}");
    assert_eq!(good, "2001:db8::/64 is banned by the operator");
    server.close(());
    let server = data.open(&[]);
    assert_eq!(done(&data, &["bans"]), bans);
    server.close(());
}

#[test]
fn an_act_that_cannot_be_stored_holds_and_the_answer_says_so() {
    let data = Data::new();
    let mut server = Server::run(data.parlor_with_small_files(100_000), &HERE);
    let process = Some(server.process());
    let limit = |current| {
        let maximum = None;
        prlimit(process, Resource::Fsize, Rlimit { current, maximum }).unwrap();
    };
    limit(Some(0));
    assert_eq!(
        done(&data, &["ban", "bob"]),
        [
            "bob is banned by the operator",
            "This could not be stored; it holds until the server stops"
        ]
    );
    let mut bob = Guest::connect(server.address);
    bob.say("bob");
    bob.until("-- You are banned by the operator");
    limit(None);
    drop(bob);
    server.signal(Signal::TERM); // not closed as usual: the log must have an error
    assert_eq!(server.ended().code(), Some(0));
    let server = data.open(&[]);
    assert_eq!(done(&data, &["bans"]), ["Nobody is banned"]);
    server.close(());
}

#[test]
fn an_owner_is_removed_on_all_connections() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut first = enter_as_owner(&server, "alice");
    let mut second = come_back(&server, "alice");
    let mut bob = enter(&server, "bob");
    assert_eq!(done(&data, &["kick", "alice"]), ["alice is removed"]);
    for alice in [&mut first, &mut second] {
        assert_eq!(alice.rest().last().unwrap(), "-- You were removed by the operator");
    }
    bob.until("alice was removed by the operator");
    bob.say("once");
    assert_eq!(bob.until("bob: once"), ["bob: once"]);
    server.close([bob]);
}

#[test]
fn a_banned_address_is_refused_under_every_name_except_a_keepers() {
    let data = Data::new();
    let Some(address) = another_address() else {
        return crate::skip("no ban of an address: this machine has none but loopback");
    };
    let server = Server::run(data.parlor(), &["--listen", "tcp://*:0", "--allow-plain-passwords"]);
    let door = SocketAddr::from((Ipv4Addr::LOCALHOST, server.address.port()));
    let mut alice = Guest::connect(door);
    alice.say("alice");
    alice.until(STORED);
    register(&mut alice, "alice");
    done(&data, &["keeper", "add", "alice"]);
    let mut eve = Guest::connect_from(address, door);
    eve.say("eve");
    eve.until(STORED);
    alice.until("eve has arrived");
    alice.say("/who");
    let at = format!("--   eve, {}, active", eve.stream().local_addr().unwrap());
    alice.until(&at);
    eve.say("/who");
    eve.until("--   eve, active");
    alice.say("/ban 127.0.0.1");
    alice.until("-- That is the server's own machine, which cannot be banned");
    alice.say(&format!("/ban {address}/24 1h spam"));
    let end = " by alice: spam";
    let last = eve.rest();
    let word = last.last().unwrap();
    assert!(word.starts_with("-- You are banned until ") && word.ends_with(end), "{word}");
    let mut eve = Guest::connect_from(address, door);
    eve.say("mallory");
    let word = eve.rest();
    let word = word.last().unwrap();
    assert!(word.starts_with("-- You are banned until ") && word.ends_with(end), "{word}");
    // A keeper may still enter from there, and can then no longer be locked out.
    let mut other = Guest::connect_from(address, door);
    other.say("alice");
    other.lines_until("the question", |line| line.contains("type its password"));
    other.say(PASSWORD);
    other.until(STORED);
    alice.say(&format!("/unban {address}/24"));
    alice.lines_until("the unban", |line| line.contains(" lifted the ban on "));
    alice.say(&format!("/ban {address}"));
    alice.until("-- alice is a keeper and connects from there");
    server.close([alice, other]);
}

#[test]
fn a_muted_person_is_told_and_cannot_speak_until_the_mute_ends() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter_as_owner(&server, "alice");
    let mut bob = enter(&server, "bob");
    join(&mut alice, "tea");
    join(&mut bob, "tea");
    alice.until("bob has arrived");
    let told = |line: &str| {
        line.starts_with("-- You are muted in tea until ") && line.ends_with(" by alice")
    };
    alice.say("/mute bob");
    bob.lines_until("the mute", told);
    alice.lines_until("the ruling", |line| line.starts_with("-- alice muted bob until "));
    let mut carol = enter(&server, "carol");
    for line in
        ["hello", "/me waves", "/topic mine", "/name buy-cheap-at.example.org", "/msg carol buy"]
    {
        bob.say(line);
        bob.lines_until("the mute", told);
    }
    bob.say("/msg alice why");
    alice.until("[bob -> alice] why");
    carol.say("/quit");
    join(&mut bob, "lobby");
    bob.say("here I may");
    bob.until("bob: here I may");
    join(&mut bob, "tea");
    alice.say("/unmute bob");
    bob.until("-- alice unmuted you");
    bob.say("thank you");
    alice.until("bob: thank you");
    assert_eq!(done(&data, &["mute", "bob", "1h"]).len(), 1);
    bob.lines_until("the mute", |line| {
        line.starts_with("-- You are muted until ") && line.ends_with(" by the operator")
    });
    bob.say("/quit buy");
    alice.until("bob has left");
    assert_eq!(done(&data, &["unmute", "bob"]), ["bob is no longer muted"]);
    let wrong = order(&data, &["mute", "bob", "soon"]).unwrap_err();
    assert_eq!(wrong, "\"soon\" is not a time; write it as 30m, 2h or 7d");
    server.close([alice]);
}

#[test]
fn an_act_is_announced_when_it_is_stored_and_survives_a_kill() {
    let data = Data::new();
    let mut server = data.open(&[]);
    let mut alice = enter_as_owner(&server, "alice");
    let carol = enter_as_owner(&server, "carol");
    join(&mut alice, "tea");
    let mut bob = enter(&server, "bob");
    join(&mut bob, "tea");
    // Nothing can be written, so nobody reads about the act, and the kill undoes it.
    let file = rusqlite::Connection::open(data.file()).unwrap();
    file.execute_batch("BEGIN IMMEDIATE").unwrap();
    alice.say("/ban zoe");
    for _ in 0..3 {
        bob.say("/who");
        let heard = bob.lines_until("those here", |line| line.contains("alice, "));
        assert!(!heard.iter().any(|line| line.contains("zoe")), "{heard:?}");
    }
    server.kill();
    drop((file, bob, carol));
    assert!(!alice.rest_or_reset().contains("zoe"));

    for (act, told, check) in [
        ("/ban zoe", "-- alice banned zoe", "-- zoe is banned by alice"),
        ("/keeper carol", "-- alice made carol a keeper", "-- Keepers of tea: alice, carol"),
        ("/unban zoe", "-- alice lifted the ban on zoe", "-- Nobody is banned"),
        ("/keeper -carol", "-- alice removed carol as a keeper", "-- Keepers of tea: alice"),
    ] {
        let mut server = data.open(&[]);
        let mut alice = come_back(&server, "alice");
        join(&mut alice, "tea");
        alice.say(act);
        alice.until(told);
        server.kill();
        drop(alice);
        let server = data.open(&[]);
        let mut alice = come_back(&server, "alice");
        join(&mut alice, "tea");
        alice.say(if act.contains("ban") { "/ban" } else { "/keeper" });
        alice.until(check);
        server.close([alice]);
    }
}

#[test]
fn topics_locks_and_mutes_survive_a_restart_and_a_kill() {
    let data = Data::new();
    let mut server = data.open(&[]);
    let mut alice = enter_as_owner(&server, "alice");
    let mut bob = enter(&server, "bob");
    bob.say("/topic for all");
    bob.until("bob changed the topic to: for all");
    join(&mut alice, "tea");
    join(&mut bob, "tea");
    alice.say("/topic green");
    alice.until("alice changed the topic to: green");
    alice.say("/topic lock");
    alice.until("-- alice locked the topic: only keepers can change it");
    alice.say("/mute bob 1h");
    alice.lines_until("the mute", |line| line.starts_with("-- alice muted bob"));
    assert_eq!(done(&data, &["mute", "bob", "2h"]).len(), 1);
    server.kill();
    drop((alice, bob));

    let muted = |line: &str| line.starts_with("-- You are muted");
    let server = data.open(&[]);
    let mut bob = Guest::connect(server.address);
    bob.say("bob");
    bob.until("-- Topic: for all");
    bob.say("hello");
    bob.lines_until("the mute", muted);
    assert_eq!(done(&data, &["unmute", "bob"]), ["bob is no longer muted"]);
    bob.until("-- the operator unmuted you");
    bob.say("/join tea");
    bob.until("-- Topic: green");
    bob.say("hello");
    bob.lines_until("the mute", muted);
    let mut carol = enter(&server, "carol");
    join(&mut carol, "tea");
    carol.say("/topic mine");
    carol.until("-- Only keepers can change the topic of this room");
    let mut alice = come_back(&server, "alice");
    join(&mut alice, "tea");
    alice.say("/unmute bob");
    bob.until("-- alice unmuted you");
    alice.say("/topic unlock");
    alice.until("-- alice unlocked the topic: everybody can change it");
    alice.say("/topic -");
    alice.until("alice cleared the topic");
    server.close([alice, bob, carol]);

    let server = data.open(&[]);
    let mut bob = enter(&server, "bob");
    join(&mut bob, "tea");
    bob.say("/topic");
    bob.until("-- tea has no topic; /topic TEXT sets one");
    bob.say("hello");
    bob.until("bob: hello");
    server.close([bob]);
}

#[test]
fn a_stored_rule_for_an_invalid_room_name_holds_nowhere_and_is_logged() {
    let data = Data::new();
    let server = data.open(&[]);
    let alice = enter_as_owner(&server, "alice");
    server.close([alice]);
    let file = rusqlite::Connection::open(data.file()).unwrap();
    for (room, whom) in [("no room", "eve"), ("Tea", "zoe"), ("x/../y\nWARN", "bob")] {
        let until = i64::MAX;
        for (rule, values) in [
            (
                "keepers (room, account)",
                "(?1, (SELECT id FROM accounts WHERE ?2 <> '' AND ?3 > 0))",
            ),
            ("bans (room, whom, at, until, keeper, reason)", "(?1, ?2, 0, ?3, '', '')"),
            ("mutes (room, name, at, until, keeper)", "(?1, ?2, 0, ?3, '')"),
        ] {
            let insert = format!("INSERT INTO {rule} VALUES {values}");
            file.execute(&insert, rusqlite::params![room, whom, until]).unwrap();
        }
        file.execute("INSERT INTO topics VALUES (?1, 'buy', 'eve', 1)", [room]).unwrap();
    }
    drop(file);

    let server = data.open(&[]);
    for what in ["a keeper", "a ban", "a mute", "a topic"] {
        server.logged_times(&format!("{what} belongs to a room with an invalid name"), 3);
    }
    assert_eq!(done(&data, &["keeper", "list"]), ["Keepers of the server: nobody"]);
    assert_eq!(done(&data, &["bans"]), ["Nobody is banned"]);
    let mut alice = come_back(&server, "alice");
    let mut bob = enter(&server, "bob");
    bob.say("hello");
    alice.until("bob: hello");
    alice.say("/ban bob");
    alice.until("-- Only keepers can do that; /keeper lists them");
    server.close([alice, bob]);
}

#[test]
fn a_person_banned_from_a_room_cannot_read_it_at_any_door() {
    let data = Data::new();
    let (server, web) = open(&data);
    let mut alice = enter_as_owner(&server, "alice");
    let mut bob = enter_as_owner(&server, "bob");
    join(&mut alice, "tea");
    let token = bob.token();
    let user = format!("bob:{token}");
    let words = |line: &str| line.contains("a secret leaf");
    alice.say("a secret leaf");
    alice.lines_until("the line", words);
    bob.say("/search leaf");
    bob.lines_until("the line", words);
    assert_eq!(curl(web, &["-u", &user], "/tea?last=1").1, "200");
    let following = follow(web, &user, "tea");
    alice.say("/ban bob");
    alice.until("-- alice banned bob");
    assert!(following().ends_with("-- You are banned from tea by alice\n"));

    for line in ["/who tea", "/join tea"] {
        bob.say(line);
        bob.until("-- You are banned from tea by alice");
    }
    bob.say("/search leaf");
    let found = bob.lines_until("nothing", |line| line.starts_with("-- Nothing found"));
    assert!(!found.iter().any(|line| words(line)), "{found:?}");
    bob.say("/rooms");
    let rooms = bob.lines_until("the lobby", |line| line.starts_with("-- lobby"));
    bob.say("/last 1");
    let rest = bob.lines_until("no line", |line| line.starts_with("-- "));
    assert!(
        !rooms.iter().chain(&rest).any(|line| line.starts_with("-- tea")),
        "{rooms:?} {rest:?}"
    );
    bob.say("/quit");
    alice.say("still here");
    for target in ["/tea?last=10", "/tea"] {
        let (told, status) = curl(web, &["-u", &user], target);
        assert_eq!(status, "403", "{told}");
        assert!(told.contains("banned from tea"), "{told}");
    }
    assert_eq!(curl(web, &["-d", "hi", "-u", &user], "/tea").1, "403");
    let mut socket = Visitor::connect(web);
    let password = format!(r#"{{"do":"enter","name":"bob","password":"{PASSWORD}","room":"tea"}}"#);
    socket.asks(password.clone());
    assert_eq!(socket.hears("refused")["why"], "banned");
    socket.asks(password.replace("tea", "lobby"));
    socket.hears("entered");
    socket.asks(r#"{"do":"join","room":"tea"}"#);
    assert_eq!(socket.hears("refused")["why"], "banned");
    drop(socket);
    server.close([alice]);
}

#[test]
fn the_maker_of_a_room_by_websocket_or_curl_becomes_its_keeper() {
    let data = Data::new();
    let (server, web) = open(&data);
    let mut carol = enter_as_owner(&server, "carol");
    let token = carol.token();
    let user = format!("carol:{token}");
    assert_eq!(curl(web, &["-d", "hi", "-u", &user], "/shed").1, "200");
    let mut socket = Visitor::connect(web);
    socket.asks(format!(r#"{{"do":"enter","name":"carol","password":"{PASSWORD}","room":"den"}}"#));
    socket.hears("entered");
    for room in ["den", "shed"] {
        join(&mut carol, room);
        carol.say("/keeper");
        carol.until(&format!("-- Keepers of {room}: carol"));
    }
    drop(socket);
    server.close([carol]);
}

#[test]
fn only_keepers_can_change_a_locked_topic() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter_as_owner(&server, "alice");
    let mut bob = enter(&server, "bob");
    join(&mut alice, "tea");
    join(&mut bob, "tea");
    alice.say("/topic green");
    alice.say("/topic lock");
    bob.until("-- alice locked the topic: only keepers can change it");
    bob.say("/topic black");
    bob.until("-- Only keepers can change the topic of this room");
    alice.say("/topic oolong");
    bob.until("alice changed the topic to: oolong");
    alice.say("/topic unlock");
    bob.until("-- alice unlocked the topic: everybody can change it");
    bob.say("/topic black");
    alice.until("bob changed the topic to: black");
    server.close([alice, bob]);
}

#[test]
fn every_act_is_in_the_log_of_moderation() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter_as_owner(&server, "alice");
    let bob = enter(&server, "bob");
    join(&mut alice, "tea");
    alice.say("/ban bob 2h spam");
    alice.lines_until("the ban", |line| line.starts_with("-- alice banned bob until "));
    alice.say("/unban bob");
    alice.until("-- alice lifted the ban on bob");
    done(&data, &["broadcast", "hello"]);
    done(&data, &["kick", "bob", "enough"]);
    done(&data, &["keeper", "add", "alice"]);
    order(&data, &["kick", "zoe"]).unwrap_err(); // failed, so it is not in the log
    server.close([alice, bob]);

    let server = data.open(&[]);
    let log = done(&data, &["log"]);
    let without_times: Vec<_> = log
        .iter()
        .map(|line| {
            let (time, what) = line.split_at("2026-11-20 14:00 ".len());
            assert!(time.starts_with("20"), "{line}");
            match what.split_once(" until ") {
                Some((what, until)) => format!("{what}{}", &until["2026-11-20 14:00".len()..]),
                None => what.to_owned(),
            }
        })
        .collect();
    assert_eq!(
        without_times,
        [
            "alice: make the room in tea",
            "alice: ban bob in tea (spam)",
            "alice: unban bob in tea",
            "the operator: broadcast (hello)",
            "the operator: kick bob (enough)",
            "the operator: keeper add alice",
        ]
    );
    assert_eq!(done(&data, &["log", "1"]), log[5..]);
    server.close(());
}

#[test]
fn without_stored_data_nobody_keeps_a_room_for_good() {
    let server = Server::open(&[]);
    let mut alice = Guest::enter(server.address, "alice");
    for line in ["/kick bob", "/ban 192.0.2.7", "/mute bob", "/topic lock"] {
        alice.say(line);
        alice.until("-- Only keepers can do that; /keeper lists them");
    }
    alice.say("/keeper");
    alice.until("-- Keepers of lobby: nobody");
    join(&mut alice, "tea");
    alice.say("/keeper");
    alice.until("-- Keepers of tea: alice (for the time being)");
    server.close([alice]);
}
