//! `--retain`: older lines are not shown, and no file has them.

use std::fs;
use std::time::{Duration, SystemTime};

use crc32fast::Hasher;
use rusqlite::{Connection, params};
use rustix::process::Signal;

use crate::data::{Data, enter};
use crate::guest::Guest;
use crate::search;
use crate::server::Server;

const DAY: Duration = Duration::from_hours(24);

/// The checksum that the server would write.
pub(crate) fn sum(seq: i64, at: i64, manner: i64, name: &str, text: &str) -> u32 {
    let mut sum = Hasher::new();
    for number in [seq, at, manner, name.len() as i64] {
        sum.update(&number.to_le_bytes());
    }
    sum.update(name.as_bytes());
    sum.update(text.as_bytes());
    sum.finalize()
}

/// A row as the server would have written it at that time.
fn put(file: &Connection, room: i64, seq: i64, ago: Duration, text: &str) {
    let at = SystemTime::UNIX_EPOCH.elapsed().unwrap() - ago;
    let at = at.as_millis() as i64;
    let put = "INSERT INTO lines VALUES (?1 << 33 | ?2, ?3, 0, 'alice', ?4, ?5)";
    let sum = sum(seq, at, 0, "alice", text);
    file.execute(put, params![room, seq, at, text, sum]).unwrap();
}

/// Lines in two rooms, 40 and 20 days old.
pub(crate) fn fill(data: &Data, old: i64, young: i64) {
    let mut file = Connection::open(data.file()).unwrap();
    let all = file.transaction().unwrap();
    all.execute_batch("INSERT INTO rooms VALUES (1, 'lobby'), (2, 'tea')").unwrap();
    // The rooms take turns, as on a real server, so that rows are moved to make space for others.
    for seq in 1..=old + young {
        let (days, word) = if seq <= old { (40, "fernsome") } else { (20, "youngish") };
        let long = "x".repeat((seq * seq % 701) as usize);
        for room in [1, 2] {
            put(&all, room, seq, days * DAY, &format!("{word}{seq} {long}"));
        }
    }
    all.commit().unwrap();
}

fn enters(server: &Server, name: &str, kept: &str) -> Guest {
    let mut guest = Guest::connect(server.address);
    guest.say(name);
    guest.until(kept);
    guest
}

/// The number of lines in the search index.
fn indexed(data: &Data) -> i64 {
    let index = Connection::open(data.index()).unwrap();
    let count = "SELECT count(*) FROM words JOIN places ON id = words.rowid";
    index.query_row(count, [], |row| row.get(0)).unwrap()
}

fn exported(data: &Data) -> Vec<String> {
    let output = data.parlor().arg("export").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn an_expired_line_leaves_no_trace_in_any_file_but_its_number() {
    const OLD: i64 = 3_000;
    const YOUNG: i64 = 100;
    let data = Data::new();
    data.open(&[]).close::<[Guest; 0]>([]);
    fill(&data, OLD, YOUNG);
    let server = data.open(&["--replay", "0"]); // without retention, so that all lines are indexed
    let mut alice = enter(&server, "alice");
    assert_eq!(search::answers(&mut alice, "fernsome1234").len(), 2);
    server.close([alice]);
    assert_ne!(data.traces("fernsome"), 0);

    let server = data.open(&["--retain", "30d", "--replay", "200"]);
    server.logged("old lines are deleted lines=6000");
    assert_eq!(data.traces("fernsome"), 0);
    assert_eq!(indexed(&data), 2 * YOUNG);
    assert_eq!(data.numbers(), (1..=OLD + YOUNG).collect::<Vec<_>>());
    data.assert_undamaged();
    let mut bob = enters(&server, "bob", "-- Lines here are stored for 30 days");
    let is_young = |line: &str, seq: i64| line.contains(&format!("] alice: youngish{seq} "));
    let sees_young = |bob: &mut Guest| {
        for seq in OLD + 1..=OLD + YOUNG {
            let line = bob.line();
            assert!(is_young(&line, seq), "{seq}: {line}");
        }
    };
    sees_young(&mut bob);
    bob.say("/last 5000");
    sees_young(&mut bob);
    bob.say("/since 2020-01-01");
    sees_young(&mut bob);
    assert_eq!(search::answers(&mut bob, "fernsome1234"), ["-- Nothing found for fernsome1234"]);
    assert_eq!(search::answers(&mut bob, "youngish3050").len(), 2);
    bob.say("hello");
    assert_eq!(bob.line(), "bob: hello");
    assert_eq!(exported(&data).len() as i64, 2 * YOUNG + 1);
    server.close([bob]);
    assert_eq!(data.traces("fernsome"), 0);
    data.assert_undamaged();

    // Everything expires, and the rooms continue.
    let server = data.open(&["--retain", "1h"]);
    server.logged("old lines are deleted lines=200");
    assert_eq!(data.traces("youngish"), 0);
    let mut carol = enters(&server, "carol", "-- Lines here are stored for 1 hour");
    assert!(carol.line().ends_with("] bob: hello"));
    carol.say("/join tea");
    assert_eq!(carol.line(), "In tea: nobody else");
    carol.say("/last");
    assert_eq!(carol.line(), "-- There are no such lines here");
    carol.say("/since 2020-01-01");
    assert_eq!(carol.line(), "-- There are no such lines here");
    carol.say("again");
    assert_eq!(carol.line(), "carol: again");
    server.close([carol]);
    data.assert_undamaged();
    assert_eq!(exported(&data).len(), 2);
}

#[test]
fn retention_begins_when_the_configuration_is_reread() {
    let data = Data::new();
    data.open(&[]).close::<[Guest; 0]>([]);
    fill(&data, 10, 5);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("parlor.toml");
    fs::write(&file, "replay = 0").unwrap();
    let server = data.open(&["--config", file.to_str().unwrap()]);
    let mut alice = enters(&server, "alice", "-- Lines here are stored");
    alice.say("/last 1000");
    for _ in 1..=15 {
        assert!(alice.line().starts_with("[20"));
    }
    fs::write(&file, "replay = 0\nretain = '30d'").unwrap();
    server.signal(Signal::HUP);
    server.logged("retain is 30d now");
    server.logged("old lines are deleted lines=20");
    alice.say("/last 1000");
    for seq in 11..=15 {
        assert!(alice.line().contains(&format!("youngish{seq} ")));
    }
    let bob = enters(&server, "bob", "-- Lines here are stored for 30 days");
    server.close([alice, bob]);
}

#[test]
fn the_next_server_completes_a_deletion_that_was_cut_off() {
    const OLD: i64 = 1_000;
    let data = Data::new();
    data.open(&[]).close::<[Guest; 0]>([]);
    fill(&data, OLD, 10);
    let mut file = Connection::open(data.file()).unwrap();
    let all = file.transaction().unwrap();
    for room in [1, 2] {
        for seq in 1..=OLD {
            let key = params![room, seq];
            let look = "SELECT at FROM lines WHERE key = ?1 << 33 | ?2";
            let at: i64 = all.query_row(look, key, |row| row.get(0)).unwrap();
            let empty = "UPDATE lines SET manner = 2, name = '', text = '', sum = ?3 WHERE key = ?1 << 33 | ?2";
            all.execute(empty, params![room, seq, sum(seq, at, 2, "", "")]).unwrap();
        }
    }
    all.execute_batch("INSERT INTO meta VALUES ('remains', '')").unwrap();
    all.commit().unwrap();
    drop(file);
    assert_ne!(data.traces("fernsome"), 0);

    let server = data.open(&["--replay", "0"]);
    let mut alice = enter(&server, "alice");
    data.until_gone("fernsome", &mut alice);
    server.close([alice]);
    data.assert_undamaged();
}

#[test]
fn an_expired_code_is_deleted() {
    let data = Data::new();
    data.open(&[]).close::<[Guest; 0]>([]);
    let file = Connection::open(data.file()).unwrap();
    file.execute_batch("INSERT INTO codes (hash, name, owner, room, seq, until) VALUES (zeroblob(32), 'fernsome', 0, 'lobby', 1, 1)")
        .unwrap();
    drop(file);
    assert_ne!(data.traces("fernsome"), 0);
    let server = data.open(&["--replay", "0"]);
    let mut alice = enter(&server, "alice");
    data.until_gone("fernsome", &mut alice);
    server.close([alice]);
}
