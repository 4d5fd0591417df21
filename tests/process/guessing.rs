//! Strangers guess passwords, and owners can still enter.

use std::net::{IpAddr, Ipv4Addr};

use crate::admin::done;
use crate::data::{Data, STORED, enter};
use crate::guest::Guest;
use crate::owners::{ASKED, PASSWORD, change_password, come_back, register, register_as};
use crate::server::{HERE, Server};
use crate::web::{follow, open};

/// Memory for hashing two passwords at a time.
const HASHING_BYTES: u64 = 2 * (19 << 20);

/// A guest on another address of this machine.
fn from(last: u8, server: &Server) -> Guest {
    let address = Ipv4Addr::new(127, 0, 0, last);
    Guest::connect_from(IpAddr::V4(address), server.address)
}

/// Reads up to the refusal of another try.
pub(crate) fn refusal(guest: &mut Guest) {
    // The ten minutes begin with the first wrong password.
    let refusals = [10, 9, 8].map(|left| format!("-- Too many tries; try again in {left} minutes"));
    guest.lines_until("the refusal", |line| refusals.iter().any(|refusal| refusal == line));
}

/// Types this many wrong passwords for alice, and leaves.
fn guess(mut stranger: Guest, times: usize) {
    stranger.say("alice");
    for _ in 0..times {
        stranger.until(ASKED);
        stranger.say("is it this one?");
        stranger.until("-- That is not the password of alice");
    }
}

#[test]
fn guessing_strangers_lock_out_neither_the_owner_nor_others() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    register(&mut alice, PASSWORD);
    for stranger in 10..20 {
        // On a connection each: it has a minute to enter, and a busy machine hashes slowly.
        (0..10).for_each(|_| guess(from(stranger, &server), 1));
    }
    let mut refused = from(10, &server);
    refused.say("alice");
    refused.until(ASKED);
    refused.say(PASSWORD);
    refusal(&mut refused);
    // The owner enters from her old address and from an address without failures; so does somebody
    // else behind a guesser's address.
    let here = come_back(&server, PASSWORD);
    let mut there = from(99, &server);
    there.send(format!("alice\n{PASSWORD}\n").as_bytes());
    there.until(STORED);
    let mut bob = from(10, &server);
    bob.say("bob");
    bob.until(STORED);
    register_as(&mut bob, "bob", PASSWORD);
    server.close(([alice, here, there], [refused, bob]));
}

#[test]
fn a_guesser_at_the_owners_address_does_not_lock_her_out() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    register(&mut alice, PASSWORD);
    server.close([alice]);
    // This holds after a restart too, which clears counts and connections.
    let server = data.open(&[]);
    guess(Guest::connect(server.address), 5);
    guess(Guest::connect(server.address), 5);
    let mut stranger = Guest::connect(server.address);
    stranger.say("alice");
    stranger.until(ASKED);
    stranger.say("or this?");
    refusal(&mut stranger);
    let alice = come_back(&server, PASSWORD);
    server.close([alice, stranger]);
}

#[test]
fn wrong_codes_lock_nobody_out() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    register(&mut alice, PASSWORD);
    let code = alice.code();
    for _ in 0..3 {
        let mut stranger = Guest::connect(server.address);
        for _ in 0..5 {
            stranger.say("/resume aaaaa-bbbbb-ccccc-ddddd");
            stranger.until("-- That return code is wrong, or its hour is over; enter with a name");
        }
    }
    let second = come_back(&server, PASSWORD);
    let mut back = Guest::connect(server.address);
    back.say(&format!("/resume {code}"));
    back.until("You are alice");
    server.close([alice, second, back]);
}

#[test]
fn a_password_is_the_same_however_a_system_composes_it() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    alice.send("/register\ngr\u{fc}ne W\u{e4}lder\ngru\u{308}ne Wa\u{308}lder\n".as_bytes());
    alice.until("-- alice is registered: this name needs your password from now on");
    let second = come_back(&server, "gru\u{308}ne Wa\u{308}lder");
    let third = come_back(&server, "gr\u{fc}ne\u{a0}W\u{e4}lder");
    server.close([alice, second, third]);
}

#[test]
fn a_new_password_ends_followers_that_use_the_old_one() {
    let data = Data::new();
    let (server, web) = open(&data);
    let mut alice = enter(&server, "alice");
    register(&mut alice, PASSWORD);
    alice.say("hello");
    alice.until("alice: hello");
    let following = follow(web, &format!("alice:{PASSWORD}"), "lobby");
    change_password(&mut alice);
    assert_eq!(following(), "-- The name you use has a new password; this connection is closed\n");
    let following = follow(web, "alice:another horse", "lobby");
    done(&data, &["name", "release", "alice"]);
    assert_eq!(
        following(),
        "-- You were removed by the operator: this name is no longer registered\n"
    );
    server.close([alice]);
}

#[test]
fn the_memory_for_hashing_passwords_is_released() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    let before = server.resident_bytes();
    register(&mut alice, PASSWORD);
    let mut guests: Vec<_> = (100..140).map(|last| from(last, &server)).collect();
    for guest in &mut guests {
        guest.send(format!("alice\n{PASSWORD}\n").as_bytes());
    }
    let mut most = 0;
    for guest in &mut guests {
        most = most.max(server.resident_bytes());
        guest.until(STORED);
    }
    let after = server.resident_bytes();
    assert!(most < before + HASHING_BYTES + (16 << 20), "{before}, then {most}");
    assert!(after < before + (12 << 20), "{before}, then {after}");
    server.close((alice, guests));
}

#[test]
fn passwords_at_the_question_come_no_faster_than_lines() {
    let data = Data::new();
    let options = [&HERE[..], &["--rate", "20/s"]].concat(); // 200 lines at once
    let server = Server::run(data.parlor(), &options);
    let (mut alice, mut bob) = (enter(&server, "alice"), enter(&server, "bob"));
    register(&mut alice, PASSWORD);
    let mut mallory = from(10, &server);
    mallory.send(format!("alice\n{}\nlate\n", "wrong\n".repeat(300)).as_bytes());
    mallory.until(ASKED);
    for _ in 0..180 {
        mallory.until(ASKED);
    }
    for number in 0..20 {
        alice.say(&number.to_string());
        alice.until(&format!("alice: {number}")); // mallory would come in meanwhile
    }
    let seen = bob.until("late has arrived");
    assert!(seen.iter().any(|line| line == "alice: 19"), "{seen:?}");
    server.close([alice, bob, mallory]);
}
