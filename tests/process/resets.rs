//! Broken connections: a person inside is announced as gone once, one at the question is not.

use crate::guest::{Guest, Traffic};
use crate::server::Server;

const TIMES: usize = 4;

#[test]
fn a_broken_connection_is_announced_once() {
    let server = Server::open(&["--rate", "off"]);
    let mut noise = Guest::enter(server.address, "noise");
    let mut wendy = Guest::enter(server.address, "wendy");
    let mut seen = Vec::new();
    for time in 0..TIMES {
        let mut at_the_question = Guest::connect(server.address);
        at_the_question.lines_until("the question", |line| line.starts_with("What is your name?"));
        at_the_question.send(b"nobo");
        at_the_question.reset();

        let mut in_a_line = Guest::enter(server.address, &format!("line{time}"));
        in_a_line.send(b"half a li");
        in_a_line.reset();

        let mut reader = Guest::connect_narrow(server.address);
        reader.answer(&format!("reader{time}"));
        for line in 0..200 {
            noise.say(&format!("{} {line}", "words ".repeat(600)));
        }
        seen.extend(wendy.lines_until("all of the noise", |line| line.ends_with(" 199")));
        reader.reset();
    }
    let mut traffic = Traffic::default();
    seen.iter().for_each(|line| traffic.count(line));
    wendy.lines_until("the last of them", |line| {
        traffic.count(line);
        traffic.gone == 2 * TIMES
    });
    wendy.until_people_here(2);
    wendy.say("/quit");
    wendy.rest().iter().for_each(|line| traffic.count(line));
    let twice = 2 * TIMES;
    assert_eq!((traffic.come, traffic.gone), (twice, twice));
    server.close((noise, wendy));
}

#[test]
fn the_name_of_a_broken_connection_becomes_free() {
    let server = Server::open(&[]);
    let mut wendy = Guest::enter(server.address, "wendy");
    for _ in 0..4 {
        let alice = Guest::enter(server.address, "alice");
        wendy.until("alice has arrived");
        alice.reset();
        wendy.until("alice has left");
    }
    server.close(wendy);
}
