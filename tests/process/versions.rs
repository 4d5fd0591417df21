//! Files that earlier versions have written.

use std::fs;
use std::time::SystemTime;

use rusqlite::{Connection, params};
use serde_json::json;
use tempfile::TempDir;

use crate::data::{Data, enter, untimed};
use crate::owners::{PASSWORD, come_back, register};
use crate::retention::sum;
use crate::visitor::Visitor;

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

/// All steps but the last one: a file of each earlier version has gone through some of them.
const EARLIER: [&str; 14] = [
    TABLES[0],
    TABLES[1],
    TABLES[2],
    TABLES[3],
    TABLES[4],
    TABLES[5],
    TABLES[6],
    TABLES[7],
    include_str!("../../src/journal/sqlite/schema/9-keys.sql"),
    include_str!("../../src/journal/sqlite/schema/10-accounts.sql"),
    include_str!("../../src/journal/sqlite/schema/11-markers.sql"),
    include_str!("../../src/journal/sqlite/schema/12-room-rules.sql"),
    include_str!("../../src/journal/sqlite/schema/13-authors.sql"),
    include_str!("../../src/journal/sqlite/schema/14-snapshot.sql"),
];

/// The first version with accounts.
const ACCOUNTS: usize = 2;

/// The first version with topics and mutes.
const RULES: usize = 7;

/// The first version with read markers.
const MARKERS: usize = 11;

/// How far alice has read.
const READ: i64 = 1_546_300_800_000; // 2019-01-01

/// Makes a file of this version, with a line in the room tea, and what that version could store of
/// alice, who keeps the room.
fn write_version(data: &Data, version: usize, password: &str) {
    let mut file = Connection::open(data.file()).unwrap();
    let all = file.transaction().unwrap();
    for tables in &EARLIER[..version] {
        all.execute_batch(tables).unwrap();
    }
    all.pragma_update(None, "application_id", 0x5061_726C).unwrap();
    all.pragma_update(None, "user_version", version as i64).unwrap();
    all.execute_batch("INSERT INTO rooms VALUES (1, 'lobby'), (2, 'tea')").unwrap();
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64;
    let sum = sum(1, now - 1, 0, "bob", "the kettle is on");
    let key = if version > PAIRS { "key" } else { "room, seq" };
    let place = if version > PAIRS { "2 << 33 | 1" } else { "2, 1" };
    let put = format!(
        "INSERT INTO lines ({key}, at, manner, name, text, sum)
         VALUES ({place}, ?1, 0, 'bob', 'the kettle is on', ?2)"
    );
    all.execute(&put, params![now - 1, sum]).unwrap();
    if version >= ACCOUNTS {
        let put = "INSERT INTO accounts (id, name, fold, password, since)
                   VALUES (1, 'alice', 'alice', ?1, ?2)";
        all.execute(put, params![password, now - 1]).unwrap();
        let rows = "INSERT INTO keepers VALUES ('tea', 1);
                    INSERT INTO letters (account, at, sender, text) VALUES (1, 7, 'bob', 'call me');
                    INSERT INTO bans (room, whom, at, until, keeper, reason)
                        VALUES ('tea', 'mallory', 7, NULL, 'alice', 'spam')";
        all.execute_batch(rows).unwrap();
    }
    if version >= RULES {
        let rows = format!(
            "INSERT INTO makers VALUES ('tea', 1);
             INSERT INTO topics VALUES ('tea', 'Assam', 'alice', 1);
             INSERT INTO mutes (room, name, at, until, keeper)
                 VALUES ('tea', 'eve', 7, {}, 'alice')",
            now + 3_600_000
        );
        all.execute_batch(&rows).unwrap();
    }
    if version >= MARKERS {
        all.execute("INSERT INTO markers VALUES (1, '#tea', ?1)", [READ]).unwrap();
    }
    all.commit().unwrap();
}

/// A hash as the server makes it.
fn hash_of_password() -> String {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    register(&mut alice, PASSWORD);
    server.close([alice]);
    let file = Connection::open(data.file()).unwrap();
    file.query_row("SELECT password FROM accounts", [], |row| row.get(0)).unwrap()
}

#[test]
fn everything_in_a_file_of_each_earlier_version_is_read_and_holds() {
    let steps = fs::read_dir("src/journal/sqlite/schema").unwrap().count();
    assert_eq!(EARLIER.len() + 1, steps, "a new version: add the one before it");
    let password = hash_of_password();
    for version in 1..=EARLIER.len() {
        let data = Data::new();
        write_version(&data, version, &password);
        let server = data.open(&["--listen", "http://127.0.0.1:0"]);
        server.logged("the file is brought to a new version of its tables");
        let mut alice = match version >= ACCOUNTS {
            true => come_back(&server, PASSWORD),
            false => enter(&server, "alice"),
        };
        if version >= ACCOUNTS {
            alice.until("-- 1 message while you were away");
            assert_eq!(untimed(&alice.line()), "[bob -> alice] call me", "{version}");
        }
        alice.say("/join tea");
        assert_eq!(alice.line(), "In tea: nobody else", "{version}");
        if version >= RULES {
            assert_eq!(alice.line(), "-- Topic: Assam", "{version}");
        }
        if version >= ACCOUNTS {
            assert_eq!(alice.line(), "-- You are a keeper of this room", "{version}");
        }
        assert_eq!(untimed(&alice.line()), "bob: the kettle is on", "{version}");
        alice.say("it is off");
        assert_eq!(alice.line(), "alice: it is off", "{version}");
        let mut mallory = enter(&server, "mallory");
        if version >= ACCOUNTS {
            mallory.say("/join tea");
            assert_eq!(mallory.line(), "-- You are banned from tea by alice: spam", "{version}");
        }
        let mut eve = enter(&server, "eve");
        eve.say("/join tea");
        assert_eq!(eve.line(), "In tea: alice", "{version}");
        if version >= RULES {
            assert_eq!(eve.line(), "-- Topic: Assam", "{version}");
        }
        for replayed in ["bob: the kettle is on", "alice: it is off"] {
            assert_eq!(untimed(&eve.line()), replayed, "{version}");
        }
        assert_eq!(alice.line(), "eve has arrived", "{version}");
        eve.say("hi");
        match version >= RULES {
            true => assert!(eve.line().starts_with("-- You are muted in tea until "), "{version}"),
            false => assert_eq!(eve.line(), "eve: hi"),
        }
        if version >= ACCOUNTS {
            let mut browser = Visitor::connect(server.web());
            browser.asks(
                json!({"do": "enter", "name": "alice", "password": PASSWORD, "room": "tea", "id": "in"})
                    .to_string(),
            );
            let read =
                if version >= MARKERS { json!("2019-01-01T00:00:00.000Z") } else { json!(null) };
            assert_eq!(browser.until_done("in")[0]["read"], read, "{version}");
        }
        server.close([alice, eve, mallory]);
        data.assert_undamaged();
        let file = Connection::open(data.file()).unwrap();
        let now: i64 = file.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(now as usize, steps);
    }
}
