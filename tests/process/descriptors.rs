//! Shortages: of descriptors, of places, and of places for people who give no name.

use std::collections::VecDeque;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::time::Instant;

use crate::guest::{Guest, talk};
use crate::server::{HERE, Server, parlor, parlor_with_descriptors};
use crate::{DEADLINE, affordable, many_descriptors};

/// More connections than descriptors, so that these run out.
const OVERBOOKED: [&str; 4] = ["--connections", "1000", "--rate", "off"];

#[test]
fn a_shortage_of_descriptors_disturbs_nobody_and_burns_no_cpu() {
    let _turn = many_descriptors();
    let options = [&HERE[..], &OVERBOOKED].concat();
    let server = Server::run(parlor_with_descriptors(256), &options);
    let mut alice = Guest::enter(server.address, "alice");
    let mut bob = Guest::enter(server.address, "bob");
    let mut flood: Vec<_> =
        (0..affordable(2_000)).map(|_| Guest::connect(server.address)).collect();
    server.logged("cannot accept");
    talk(&mut alice, &mut bob, "while it floods", 50);

    // A few seconds of shortage, measured by the pauses between failed accepts.
    server.logged_times("cannot accept; trying again in 1s", 1);
    let (cpu, failures) = (server.cpu_centiseconds(), failures(&server));
    server.logged_times("cannot accept; trying again in 1s", 4);
    talk(&mut alice, &mut bob, "still out", 5);
    let used = server.cpu_centiseconds() - cpu;
    assert!(used < 50, "{used} hundredths of a second in 3 s of waiting");
    let failed = self::failures(&server) - failures;
    assert!(failed <= 5, "{failed} accepts failed in 3 s of waiting");

    // The connections that wait longest are accepted, and leave; the ones still waiting take their
    // places.
    flood.drain(..);
    let mut carol = Guest::enter(server.address, "carol");
    carol.until_people_here(3);
    talk(&mut alice, &mut carol, "after it", 5);
    server.close((alice, bob, carol));
}

fn failures(server: &Server) -> usize {
    let log = server.log();
    log.iter().filter(|line| line.contains("cannot accept")).count()
}

#[test]
fn a_full_server_says_so_and_has_room_after_a_departure() {
    // 256 descriptors less 64 remain for connections, so descriptors do not run out first.
    let options = ["--listen", "tcp://127.0.0.1:0?names=address", "--rate", "off"];
    let server = Server::run(parlor_with_descriptors(256), &options);
    let mut inside: Vec<_> = (0..192)
        .map(|_| {
            let mut guest = Guest::connect(server.address);
            guest.until("-- Lines here are not stored: they are gone when the server stops");
            guest
        })
        .collect();
    const FULL: &str = "-- The server is full; try again in 30 s\n";
    assert_eq!(Guest::connect(server.address).rest_or_reset(), FULL);

    let outside: Vec<_> = (0..200).map(|_| Guest::connect(server.address)).collect();
    let (mut told, mut closed) = (0, 0);
    for guest in outside {
        match guest.rest_or_reset().as_str() {
            FULL => told += 1,
            "" => closed += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(told >= 16, "{told} were told, {closed} just closed");
    assert_eq!(failures(&server), 0);

    let (mut alice, mut bob) = (inside.pop().unwrap(), inside.pop().unwrap());
    talk(&mut alice, &mut bob, "on a full server", 20);
    drop(inside.pop());
    alice.until_people_here(191);
    // The place becomes free when the connection ends, a moment after its departure is announced.
    let is_let_in = |_| {
        let mut words = [0; 64];
        let read = TcpStream::connect(server.address).and_then(|mut guest| guest.read(&mut words));
        matches!(read, Ok(1..)) && !words.starts_with(b"-- The server is full")
    };
    assert!((0..10_000).any(is_let_in), "nobody is let in any more");
    drop(inside);
    server.close(());
}

#[test]
fn thousands_of_nameless_connections_block_no_newcomer() {
    let _turn = many_descriptors();
    let server = Server::open(&[]);
    let mut alice = Guest::enter(server.address, "alice");
    let silent: Vec<_> = (0..affordable(5_000)).map(|_| Guest::connect(server.address)).collect();
    let mut bob = Guest::enter(server.address, "bob");
    talk(&mut alice, &mut bob, "among the silent", 20);
    alice.until_people_here(2);
    drop(silent);
    server.close((alice, bob));
}

#[test]
fn a_newcomer_at_the_question_replaces_the_guest_who_waited_longest() {
    // The server has 80 places. It keeps 20 of them free of silent clients.
    let server = Server::open(&["--connections", "80"]);
    const TOO_MANY: &str =
        "-- Too many people are at the name prompt: closed; connect again and answer sooner\n";
    let question = |line: &str| line.starts_with("What is your name?");
    let newcomer = || {
        let mut guest = Guest::connect(server.address);
        guest.lines_until("the question", question);
        guest
    };
    let mut waiting: VecDeque<_> = (0..80).map(|_| newcomer()).collect();
    for _ in 0..2_000 {
        waiting.push_back(newcomer());
        let longest = waiting.pop_front().unwrap();
        assert_eq!(longest.rest_or_reset(), TOO_MANY);
    }
    waiting.drain(..60);
    for (index, guest) in waiting.iter_mut().enumerate() {
        guest.answer(&format!("guest{index}"));
    }
    server.close(waiting);
}

#[test]
fn a_flood_from_twenty_addresses_gets_five_places_each() {
    let server = Server::open(&["--limit-loopback", "--connections-per-address", "5"]);
    let mut alice = Guest::enter(server.address, "alice");
    let mut bob = Guest::enter(server.address, "bob");
    let sources = (2..22).map(|last| IpAddr::from(Ipv4Addr::new(127, 0, 0, last)));
    let (mut inside, mut over) = (Vec::new(), Vec::new());
    for source in sources.clone() {
        for _ in 0..5 {
            inside.push(Guest::connect_from(source, server.address));
        }
        for _ in 0..15 {
            over.push(Guest::connect_from(source, server.address));
        }
        talk(&mut alice, &mut bob, "in the flood", 2);
    }
    const SENTENCE: &str =
        "-- Your address has 5 connections, the most allowed; close one and try again\n";
    let mut told = 0;
    for guest in over {
        match guest.rest_or_reset().as_str() {
            SENTENCE => told += 1,
            "" => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(told >= 16, "{told} were told");
    for guest in &mut inside {
        guest.lines_until("the question", |line| line.starts_with("What is your name?"));
    }
    // Earlier connections may hold all spare places for a moment; then a newcomer reads nothing but
    // the end.
    let until = Instant::now() + DEADLINE;
    for source in sources.clone() {
        let told = || Guest::connect_from(source, server.address).rest_or_reset();
        while told() != SENTENCE {
            assert!(Instant::now() < until, "{source} is told in time");
        }
    }

    // A departure makes room for the next connection from the same address.
    drop(inside.remove(0));
    let from = sources.clone().next().unwrap();
    let until = Instant::now() + DEADLINE;
    let mut next = loop {
        let mut next = Guest::connect_from(from, server.address);
        if next.line().starts_with("You are ") {
            break next;
        }
        assert!(Instant::now() < until, "a place in time");
    };
    next.answer("carol");
    drop(inside);
    server.close((alice, bob, next));
}

#[test]
fn this_machine_is_exempt_from_the_share_of_an_address() {
    let server = Server::run(parlor(), &[&HERE[..], &["--connections-per-address", "1"]].concat());
    let mut alice = Guest::enter(server.address, "alice");
    let mut bob = Guest::enter(server.address, "bob");
    talk(&mut alice, &mut bob, "hello", 1);
    server.close((alice, bob));
}
