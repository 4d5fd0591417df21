//! A file that an earlier version has written.

use std::fs;
use std::time::SystemTime;

use rusqlite::{Connection, params};
use tempfile::TempDir;

use crate::data::{Data, enter, untimed};
use crate::retention::sum;

/// The last version whose lines had two numbers as their key.
const PAIRS: usize = 8;

/// The steps to that version of the tables.
const TABLES: [&str; PAIRS] = [
    include_str!("../../src/journal/sqlite/schema/1-lines.sql"),
    include_str!("../../src/journal/sqlite/schema/2-people.sql"),
    include_str!("../../src/journal/sqlite/schema/3-takings.sql"),
    include_str!("../../src/journal/sqlite/schema/4-tokens.sql"),
    include_str!("../../src/journal/sqlite/schema/5-places.sql"),
    include_str!("../../src/journal/sqlite/schema/6-epochs.sql"),
    include_str!("../../src/journal/sqlite/schema/7-rules.sql"),
    include_str!("../../src/journal/sqlite/schema/8-writers.sql"),
];

/// Makes the file as that version did, with lines in two rooms.
fn write_old(data: &Data, lines: i64) {
    let mut file = Connection::open(data.file()).unwrap();
    let all = file.transaction().unwrap();
    for tables in TABLES {
        all.execute_batch(tables).unwrap();
    }
    all.pragma_update(None, "application_id", 0x5061_726C).unwrap();
    all.pragma_update(None, "user_version", PAIRS as i64).unwrap();
    all.execute_batch("INSERT INTO rooms VALUES (1, 'lobby'), (2, 'tea')").unwrap();
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64;
    for seq in 1..=lines {
        for room in [1, 2] {
            let (at, text) = (now - lines + seq, format!("{seq} in {room}"));
            let put = "INSERT INTO lines (room, seq, at, manner, name, text, sum)
                       VALUES (?1, ?2, ?3, 0, 'alice', ?4, ?5)";
            let sum = sum(seq, at, 0, "alice", &text);
            all.execute(put, params![room, seq, at, text, sum]).unwrap();
        }
    }
    all.commit().unwrap();
}

/// The output of a command about this file.
fn says(data: &Data, command: &[&str]) -> String {
    let output = data.parlor().args(command).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn commands_read_an_earlier_version_and_a_server_continues_it() {
    const LINES: i64 = 300;
    let (data, copies) = (Data::new(), TempDir::new().unwrap());
    write_old(&data, LINES);
    let copy = copies.path().join("copy.db");
    let exported = says(&data, &["export"]);
    assert_eq!(exported.lines().count(), 600);
    for command in [&["check"][..], &["backup", copy.to_str().unwrap()]] {
        let words = says(&data, command);
        assert!(words.ends_with(": no damage; lines: 600, rooms: 2\n"), "{words}");
    }

    let server = data.open(&["--replay", "0"]);
    server.logged("the file is brought to a new version of its tables");
    let mut alice = enter(&server, "alice");
    alice.say("/last 300");
    for seq in 1..=LINES {
        assert_eq!(untimed(&alice.line()), format!("alice: {seq} in 1"));
    }
    alice.say("and on");
    assert_eq!(alice.line(), "alice: and on");
    server.close([alice]);
    data.assert_undamaged();
    assert_eq!(says(&data, &["export", "--room", "tea"]).lines().count(), 300);
    let after = says(&data, &["export"]);
    assert_eq!(after.lines().count(), 601);
    assert!(exported.lines().all(|line| after.lines().any(|other| other == line)));
    let lobby = data.lobby();
    assert!(lobby.iter().map(|row| row.seq).eq(1..=LINES + 1));
    assert_eq!(lobby.last().unwrap().text, "and on");

    let version = Connection::open(&copy).unwrap();
    let version: i64 = version.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, PAIRS as i64, "the backup is as it was");
    let restored = Data::new();
    fs::copy(&copy, restored.file()).unwrap();
    let server = restored.open(&[]);
    let alice = enter(&server, "alice");
    server.close([alice]);
    assert_eq!(says(&restored, &["export"]), exported);
}
