//! Visible means stored: however the server ends, the file has every line that a person saw, and
//! only lines that were said, in the order in which they were said.

use std::process::Stdio;

use fastrand::Rng;

use crate::checker::{
    Dialect, End, Event, Kind, NO_RANKS, Reader, Room, Shown, Story, check, token,
};
use crate::data::{Data, Row, STORED};
use crate::guest::Guest;
use crate::server::HERE;
use crate::unix::at_path;

/// The number of kills; `PARLOR_KILL_ROUNDS` overrides it.
const ROUNDS: usize = 100;

/// The number of lines that each person says in one burst.
const LINES: usize = 60;

/// Alice and carol come over TCP, and bob over a Unix socket.
const SPEAKERS: [&str; 3] = ["alice", "bob", "carol"];

#[test]
fn seen_lines_stay_stored_however_often_the_server_is_killed() {
    let rounds = std::env::var("PARLOR_KILL_ROUNDS");
    let rounds = rounds.map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let mut rng = Rng::with_seed(8_10);
    let data = Data::new();
    let mut readers = Vec::new();
    for round in 0..rounds {
        if round % 5 == 4 {
            kill_at_the_start(&data, &mut rng);
        }
        readers.extend(talk_and_kill(&data, round, &mut rng));
    }
    let kept = data.lobby();
    assert!(kept.len() > rounds, "{} lines are no load", kept.len());
    has_a_beginning_of_each_burst(&kept, rounds);
    let rooms = vec![lobby(kept)];
    if let Err(broken) = check(&Story { rooms, readers, ..Story::default() }) {
        panic!("{broken}");
    }
}

/// Everybody speaks at once, and the server is killed while they are heard. Returns what each of
/// them read.
fn talk_and_kill(data: &Data, round: usize, rng: &mut Rng) -> Vec<Reader> {
    let path = data.directory().join("lines");
    let mut server = data.open(&["--replay", "0", "--listen", &at_path(&path)]);
    let mut guests = SPEAKERS.map(|name| match name {
        "bob" => enter(Guest::connect_unix(&path), name),
        _ => enter(Guest::connect(server.address), name),
    });
    for (speaker, (guest, _)) in guests.iter_mut().enumerate() {
        let numbers = round * LINES..(round + 1) * LINES;
        let lines = numbers.map(|number| token(speaker, number as u64) + "\n");
        guest.send(lines.collect::<String>().as_bytes());
    }
    let (first, read) = guests.first_mut().unwrap();
    let wanted = rng.usize(0..LINES * 2);
    let mut heard = 0;
    while heard < wanted {
        let line = first.line();
        heard += usize::from(line.contains(": "));
        *read += &(line + "\n");
    }
    server.kill();
    let seen = |(guest, read): (Guest, String)| Reader {
        person: None,
        dialect: Dialect::Named,
        text: (read + &guest.rest_or_reset()).into_bytes(),
        end: End::Broken,
        has_left: false,
        fell_silently: false,
        listened: None,
        caps: "",
        barriers: Vec::new(),
    };
    guests.map(seen).into()
}

/// Enters. Returns the guest and everything read in the room so far.
fn enter(mut guest: Guest, name: &str) -> (Guest, String) {
    guest.say(name);
    guest.lines_until("the name", |line| line == format!("You are {name}"));
    let read = guest.until(STORED).join("\n") + "\n";
    (guest, read)
}

/// Kills a server while it checks the data of the one before.
fn kill_at_the_start(data: &Data, rng: &mut Rng) {
    let mut command = data.parlor();
    command.arg("serve").args(HERE).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    if rng.bool() {
        let lock = data.file().with_extension("db-shm"); // exists as soon as it reads
        while !lock.exists() && child.try_wait().unwrap().is_none() {}
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The stored lines, as the checker reads them.
fn lobby(kept: Vec<Row>) -> Room {
    let event = |(index, row): (usize, Row)| Event {
        commit: index as u64,
        person: None,
        kind: Kind::Line { seq: row.seq as u64, at: row.at },
        shown: Shown::Said { name: row.name, text: row.text, is_action: false },
        reads_on: false,
        ranks: NO_RANKS,
    };
    Room {
        name: "lobby".to_owned(),
        before: 0,
        events: kept.into_iter().enumerate().map(event).collect(),
        is_whole: false,
    }
}

/// The stored lines of each burst are a beginning of it. The checker cannot check that, because it
/// does not know which lines were sent.
fn has_a_beginning_of_each_burst(kept: &[Row], rounds: usize) {
    for (speaker, name) in SPEAKERS.iter().enumerate() {
        let mut texts = kept.iter().filter(|row| row.name == *name).map(|row| &row.text).peekable();
        for round in 0..rounds {
            for number in round * LINES..(round + 1) * LINES {
                let said = token(speaker, number as u64);
                if texts.next_if(|text| **text == said).is_none() {
                    break;
                }
            }
        }
        assert_eq!(texts.next(), None, "{name} has not said this, or not here");
    }
}
