//! Stored lines: they survive a restart under the same numbers.

use crate::data::{Data, STORED, enter, untimed};
use crate::guest::Guest;
use crate::server::HERE;

fn hears_stored(guest: &mut Guest, numbers: impl IntoIterator<Item = usize>) {
    for number in numbers {
        assert_eq!(untimed(&guest.line()), format!("alice: {number}"));
    }
}

#[test]
fn lines_from_before_a_restart_are_shown_after_it() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    for number in 1..=30 {
        alice.say(&number.to_string());
        assert_eq!(alice.line(), format!("alice: {number}"));
    }
    alice.say("/me waves");
    assert_eq!(alice.line(), "* alice waves");
    server.close([alice]);

    let server = data.open(&["--replay", "3"]);
    let mut bob = enter(&server, "bob");
    hears_stored(&mut bob, 29..=30);
    assert_eq!(untimed(&bob.line()), "* alice waves");
    bob.say("32");
    assert_eq!(bob.line(), "bob: 32");
    bob.say("/last 1000");
    hears_stored(&mut bob, 1..=30);
    assert_eq!(untimed(&bob.line()), "* alice waves");
    assert_eq!(untimed(&bob.line()), "bob: 32");
    bob.say("/last 2");
    assert_eq!(untimed(&bob.line()), "* alice waves");
    assert_eq!(untimed(&bob.line()), "bob: 32");
    bob.say("/since 2026-01-01");
    hears_stored(&mut bob, 1..=30);
    assert_eq!(untimed(&bob.line()), "* alice waves");
    assert_eq!(untimed(&bob.line()), "bob: 32");
    bob.say("/since 2999-01-01");
    assert_eq!(bob.line(), "-- There are no such lines here");
    server.close([bob]);
}

#[test]
fn a_room_keeps_its_lines_while_it_is_empty() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    for round in 1..=3 {
        alice.say("/join tea");
        assert_eq!(alice.line(), "In tea: nobody else");
        hears_stored(&mut alice, 1..round);
        if round == 1 {
            assert_eq!(alice.line(), "-- You keep this room while you are here");
        }
        alice.say(&round.to_string());
        assert_eq!(alice.line(), format!("alice: {round}"));
        alice.say("/join lobby");
        assert_eq!(alice.line(), "In lobby: nobody else");
    }
    server.close([alice]);
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut second = data.parlor();
    let output = second.arg("serve").args(HERE).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("another server uses"), "{words}");
    server.close::<[Guest; 0]>([]);
}

#[test]
fn lines_that_were_skipped_can_be_read_later() {
    let data = Data::new();
    let server = data.open(&["--log-lines", "100", "--keep", "written"]);
    let mut alice = enter(&server, "alice");
    let mut slow = Guest::connect_narrow(server.address);
    slow.say("slow");
    slow.until(STORED);
    let text = "x".repeat(4_000);
    let said = 2_000;
    for number in 1..=said {
        alice.say(&format!("{number} {text}"));
        alice.lines_until("the echo", |line| line.starts_with(&format!("alice: {number} ")));
    }
    let (mut next, mut missed) = (1, None);
    while next <= said {
        let line = slow.line();
        if let Some(number) = line.strip_prefix("alice: ") {
            assert_eq!(number.split(' ').next(), Some(next.to_string().as_str()));
            next += 1;
        } else if let Some((count, _)) = line.strip_prefix("-- ").and_then(|rest| {
            rest.split_once(" lines skipped: you were reading too slowly (/missed shows them)")
        }) {
            let count: usize = count.parse().unwrap();
            missed = Some(next..next + count);
            next += count;
        }
    }
    let missed = missed.expect("two thousand lines fit no socket");
    slow.say("/missed");
    for number in missed {
        let line = slow.line();
        assert!(untimed(&line).starts_with(&format!("alice: {number} ")), "{number}: {line:.40}");
    }
    slow.say("/missed that"); // it can be read again
    slow.line();
    server.close([alice, slow]);
}
