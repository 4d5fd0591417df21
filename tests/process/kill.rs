//! Seen means kept: whatever ends the server, what anybody saw is in the file, and the file holds nothing else than what
//! was said, in the order in which it was said.

use std::collections::{HashMap, HashSet};
use std::process::Stdio;

use fastrand::Rng;
use rustix::process::Signal;

use crate::data::{Data, Row, enter};
use crate::house::HERE;

/// So often the server is killed; `PARLOR_KILL_ROUNDS` says another number.
const ROUNDS: usize = 100;

/// Each says so many lines at once.
const LINES: usize = 60;

const SPEAKERS: [&str; 3] = ["alice", "bob", "carol"];

/// A line that is said once in the whole test.
fn token(round: usize, name: &str, number: usize) -> String {
    format!("{round}-{name}-{number}")
}

/// What somebody read, without what is nobody's words.
fn said(line: &str) -> Option<(&str, &str)> {
    let (name, text) = line.split_once(": ")?;
    SPEAKERS.contains(&name).then_some((name, text))
}

#[test]
fn what_anybody_saw_is_kept_however_often_the_server_is_killed() {
    let rounds = std::env::var("PARLOR_KILL_ROUNDS");
    let rounds = rounds.map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let mut rng = Rng::with_seed(8_10);
    let data = Data::new();
    let mut seen: Vec<Vec<(String, String)>> = Vec::new();
    for round in 0..rounds {
        if round % 5 == 4 {
            kill_at_the_start(&data, &mut rng);
        }
        seen.extend(talk_and_kill(&data, round, &mut rng));
    }
    let kept = data.lobby();
    assert!(kept.len() > rounds, "{} lines are no load", kept.len());
    is_what_was_said(&kept, rounds);
    for lines in &seen {
        is_in(lines, &kept);
    }
}

/// All speak at once, and the server is killed while they are heard. What each of them read.
fn talk_and_kill(data: &Data, round: usize, rng: &mut Rng) -> Vec<Vec<(String, String)>> {
    let mut house = data.open(&["--replay", "0"]);
    let mut guests = SPEAKERS.map(|name| enter(&house, name));
    for (guest, name) in guests.iter_mut().zip(SPEAKERS) {
        let lines = (0..LINES).map(|number| token(round, name, number) + "\n");
        guest.send(lines.collect::<String>().as_bytes());
    }
    let mut read = SPEAKERS.map(|_| String::new());
    let first = guests.first_mut().unwrap();
    let wanted = rng.usize(0..LINES * 2);
    let mut heard = 0;
    while heard < wanted {
        let line = first.line();
        heard += usize::from(said(&line).is_some());
        read[0] += &(line + "\n");
    }
    house.signal(Signal::KILL);
    house.ended();
    let mut seen = Vec::new();
    for (guest, mut text) in guests.into_iter().zip(read) {
        text += &guest.last_words();
        // A line without its end has not been seen.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let lines = whole.lines().filter_map(said);
        seen.push(
            lines
                .map(|(name, text)| (name.to_owned(), text.to_owned()))
                .collect(),
        );
    }
    seen
}

/// A server that is killed while it looks at what the one before has left.
fn kill_at_the_start(data: &Data, rng: &mut Rng) {
    let mut command = data.parlor();
    command
        .arg("serve")
        .args(HERE)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    if rng.bool() {
        let lock = data.file().with_extension("db-shm"); // there as soon as it reads
        while !lock.exists() && child.try_wait().unwrap().is_none() {}
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The numbers are dense, and of each one's lines there is a beginning, in order.
fn is_what_was_said(kept: &[Row], rounds: usize) {
    let mut next: HashMap<(usize, &str), usize> = HashMap::new();
    for (index, row) in kept.iter().enumerate() {
        assert_eq!(row.seq, index as i64 + 1, "{row:?}");
        let (round, _) = row.text.split_once('-').unwrap();
        let round: usize = round.parse().unwrap();
        assert!(round < rounds, "{row:?}");
        let number = next.entry((round, row.name.as_str())).or_default();
        assert_eq!(
            row.text,
            token(round, &row.name, *number),
            "out of order, or a gap"
        );
        *number += 1;
    }
}

/// Somebody saw these lines: all are kept, in this order.
fn is_in(seen: &[(String, String)], kept: &[Row]) {
    let mut rest = kept.iter();
    for (name, text) in seen {
        let found = rest.any(|row| row.name == *name && row.text == *text);
        assert!(
            found,
            "{name}: {text} was seen, and is not kept in this place"
        );
    }
    let different: HashSet<_> = seen.iter().collect();
    assert_eq!(different.len(), seen.len(), "seen twice");
}
