//! Stuck readers over TCP and Unix sockets: nobody else notices, memory does not grow, and they learn how many lines they
//! missed.

use crate::guest::Guest;
use crate::many_descriptors;
use crate::server::Server;
use crate::unix::at_path;

const STUCK: usize = 500;
const MEMBERS: usize = 3;

/// 64 MiB in lines of 1 KiB, this many at a time; the log holds 4 MiB.
const LINES: usize = 65_536;
const LINES_AT_ONCE: usize = 256;
const LINE_BYTES: usize = 1_024;

/// Growth during another 56 MiB. Measured: 1 to 2 MiB, which the allocator keeps of dropped
/// batches.
const GROWTH_BYTES_MAX: u64 = 6 << 20;

/// A full log twice, as entries and as bytes, the 500 connections, and the program itself.
/// Measured: 23 MiB.
const RESIDENT_BYTES_MAX: u64 = 48 << 20;

fn line(number: usize) -> String {
    let number = format!("{number} ");
    let rest = LINE_BYTES - number.len();
    number + &"x".repeat(rest)
}

#[test]
fn five_hundred_stuck_readers_delay_nobody_and_learn_how_many_lines_they_missed() {
    let _turn = many_descriptors();
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("lines");
    let server = Server::open(&["--rate", "off", "--listen", &at_path(&path)]);
    let mut talker = Guest::enter(server.address, "talker");
    let mut stuck: Vec<_> = (0..STUCK)
        .map(|number| {
            let mut guest = match number % 2 {
                0 => Guest::connect_narrow(server.address),
                _ => Guest::connect_unix(&path),
            };
            guest.say(&format!("stuck{number}"));
            guest
        })
        .collect();
    let mut members: Vec<_> = (0..MEMBERS)
        .map(|number| Guest::enter(server.address, &format!("member{number}")))
        .collect();
    talker.until_people_here(1 + STUCK + MEMBERS);

    let mut baseline = 0;
    for first in (0..LINES).step_by(LINES_AT_ONCE) {
        let numbers = first..first + LINES_AT_ONCE;
        let window: String = numbers.clone().map(|number| line(number) + "\n").collect();
        talker.send(window.as_bytes());
        for reader in members.iter_mut().chain([&mut talker]) {
            hear_all(reader, numbers.clone());
        }
        if first == LINES / 8 {
            baseline = server.resident_bytes(); // the log is full now
        }
    }
    let resident = server.resident_bytes();
    let growth = resident.saturating_sub(baseline);
    assert!(growth < GROWTH_BYTES_MAX, "{growth} more bytes than at first");
    assert!(resident < RESIDENT_BYTES_MAX, "{resident} bytes");

    talker.say(&line(LINES));
    for guest in stuck.iter_mut().take(5) {
        let skipped = read_or_count(guest, LINES);
        assert!(skipped > LINES / 2, "{skipped} lines skipped");
    }
    drop(stuck);
    server.close((talker, members));
}

/// Reads the talker's lines, number for number; other lines may stand between.
fn hear_all(reader: &mut Guest, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let said = reader.lines_until("the next number", |line| line.starts_with("talker: "));
        let said = said.last().unwrap();
        assert!(said.starts_with(&format!("talker: {number} ")), "{said}");
    }
}

/// Reads up to the line `last`. Every number is in its place, or a notice there counts it. Returns
/// the number of skipped lines.
fn read_or_count(guest: &mut Guest, last: usize) -> usize {
    let (mut next, mut skipped) = (0, 0);
    guest.lines_until("the last number", |line| {
        if let Some(said) = line.strip_prefix("talker: ") {
            assert!(said.starts_with(&format!("{next} ")), "{next}, not {said}");
            assert_eq!(said.len(), LINE_BYTES, "whole");
            next += 1;
        } else if line.contains(" skipped: you were reading too slowly") {
            let count = line.strip_prefix("-- ").and_then(|line| line.split(' ').next());
            let count: usize = count.unwrap().parse().unwrap();
            next += count;
            skipped += count;
        }
        next > last
    });
    skipped
}
