//! People send without end, while others chat.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::guest::{Guest, talk};
use crate::server::Server;

const MEBIBYTE: usize = 1 << 20;

/// The memory that one client may take: a line, a read buffer, and slack of the allocator.
/// Measured: 130 KiB.
const GROWTH_BYTES_MAX: u64 = 1 << 20;

const TOO_LONG: &str = "-- Line too long (4096 bytes at most): not sent";

#[test]
fn a_gibibyte_without_a_newline_takes_no_memory_and_delays_nobody() {
    // The log is short, because a long one would grow with the lines said meanwhile.
    let server = Server::open(&["--rate", "off", "--log-lines", "100"]);
    let mut alice = Guest::enter(server.address, "alice");
    let mut bob = Guest::enter(server.address, "bob");
    let mut eve = Guest::enter(server.address, "eve");
    talk(&mut alice, &mut bob, "before", 100);
    let baseline = server.resident_bytes();

    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let chunk = vec![b'a'; MEBIBYTE];
            let sent = (0..1_024).all(|_| eve.try_send(&chunk));
            is_over.store(true, Ordering::Release);
            assert!(sent, "eve is still connected");
        });
        while !is_over.load(Ordering::Acquire) {
            talk(&mut alice, &mut bob, "meanwhile", 10);
            let growth = server.resident_bytes().saturating_sub(baseline);
            assert!(growth < GROWTH_BYTES_MAX, "{growth} bytes more");
        }
    });
    eve.say("");
    eve.say("still here");
    let read = eve.until("eve: still here");
    let told = read.iter().filter(|line| *line == TOO_LONG).count();
    assert_eq!(told, 1, "{read:#?}");
    bob.until("eve: still here");
    server.close((alice, bob, eve));
}

#[test]
fn an_endless_answer_to_the_question_takes_no_memory_either() {
    let server = Server::open(&[]);
    let mut eve = Guest::connect(server.address);
    let chunk = vec![b'a'; MEBIBYTE];
    let mut answer_with = |chunks: usize| {
        eve.lines_until("the question", |line| line.starts_with("What is your name?"));
        for _ in 0..chunks {
            eve.send(&chunk);
        }
        eve.say("");
        assert_eq!(eve.line(), TOO_LONG);
    };
    // After the first refusal, the server has the memory that it always needs.
    answer_with(1);
    let baseline = server.resident_bytes();
    answer_with(64);
    let growth = server.resident_bytes().saturating_sub(baseline);
    assert!(growth < GROWTH_BYTES_MAX, "{growth} bytes more");
    eve.lines_until("the question", |line| line.starts_with("What is your name?"));
    eve.answer("eve");
    server.close(eve);
}

#[test]
fn a_quiet_pair_misses_nothing_among_a_hundred_flooders() {
    const FLOODERS: usize = 100;
    let server = Server::open(&[]);
    let mut alice = Guest::enter(server.address, "alice");
    let mut bob = Guest::enter(server.address, "bob");
    let flooders: Vec<_> = (0..FLOODERS)
        .map(|number| Guest::enter(server.address, &format!("flood{number}")))
        .collect();
    thread::scope(|scope| {
        for flooder in &flooders {
            let chunk = "buy this\n".repeat(1_000);
            scope.spawn(move || while flooder.stream().write_all(chunk.as_bytes()).is_ok() {});
            scope.spawn(move || io::copy(&mut flooder.stream(), &mut io::sink()));
        }
        // They talk within the burst that each person gets, and then at the limited rate.
        let talking = thread::Builder::new().spawn_scoped(scope, || {
            talk(&mut alice, &mut bob, "in the flood", 90);
        });
        let talked = talking.unwrap().join();
        // Otherwise the flooders would keep a failed test waiting forever.
        for flooder in &flooders {
            flooder.stream().shutdown(Shutdown::Both).ok();
        }
        talked.unwrap();
    });
    drop(flooders);
    server.close((alice, bob));
}

const IAC: u8 = 255;
const ANSWERS_MAX: usize = 64;

/// A million offers and requests, for every option in turn.
fn negotiations() -> Vec<u8> {
    let commands = (0..1_000_000_u32).flat_map(|round| {
        let [option, page, ..] = round.to_le_bytes();
        let verb = if page & 1 == 0 { 251 } else { 253 };
        [IAC, verb, option]
    });
    commands.collect()
}

/// The number of answers from the server.
fn answers(bytes: &[u8]) -> usize {
    let commands = bytes.iter().filter(|byte| **byte == IAC).count();
    let refusals = bytes.windows(2).filter(|pair| pair[0] == IAC && matches!(pair[1], 252 | 254));
    assert_eq!(refusals.count(), commands, "refusals and nothing else");
    commands
}

#[test]
fn a_million_negotiations_get_at_most_64_answers_and_their_sender_can_still_talk() {
    let server = Server::open(&[]);
    let mut wendy = Guest::enter(server.address, "wendy");
    let mut tina = Guest::enter(server.address, "tina");
    tina.send(&negotiations());
    tina.send(b"hello\r\n");
    let read = tina.bytes_until(b"tina: hello\r\n");
    assert!((1..=ANSWERS_MAX).contains(&answers(&read)), "{}", answers(&read));
    assert_eq!(wendy.until("tina: hello"), ["tina has arrived", "tina: hello"]);

    let mut theo = Guest::connect(server.address);
    theo.send(&negotiations());
    theo.send(b"theo\r\0hello\r\n");
    let read = theo.bytes_until(b"theo: hello\r\n");
    assert!((1..=ANSWERS_MAX).contains(&answers(&read)), "{}", answers(&read));
    assert_eq!(wendy.until("theo: hello"), ["theo has arrived", "theo: hello"]);
    server.close((wendy, tina, theo));
}

#[test]
fn a_paste_longer_than_the_rate_allows_arrives_whole_and_in_order() {
    let server = Server::open(&["--rate", "100/s"]);
    let mut alice = Guest::enter(server.address, "alice");
    let mut bob = Guest::enter(server.address, "bob");
    let paste: String = (0..1_200).map(|line| format!("{line}\n")).collect();
    alice.send(paste.as_bytes());
    alice.end_input();
    let mut expected: Vec<_> = (0..1_200).map(|line| format!("alice: {line}")).collect();
    expected.push("alice has left".to_owned());
    assert_eq!(bob.until("alice has left"), expected);
    let mut rest = Vec::new();
    alice.read_to_end(&mut rest).unwrap();
    server.close((alice, bob));
}
