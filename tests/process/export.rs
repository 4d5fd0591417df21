//! Stored lines can be exported, whether or not the server runs.

use std::process::Output;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::data::{Data, enter};

/// Runs `parlor export` with these options. Returns the exit code, stdout and stderr.
fn export(data: &Data, options: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        data.parlor().arg("export").args(options).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

pub(crate) fn lines(data: &Data, options: &[&str]) -> Vec<String> {
    let (code, printed, words) = export(data, options);
    assert_eq!(code, Some(0), "{words}");
    printed.lines().map(str::to_owned).collect()
}

/// The exported records, without their times; their keys are in order.
fn records(data: &Data, options: &[&str]) -> Vec<Value> {
    let options = [&["--format", "jsonl"], options].concat();
    let read = |line: &String| {
        assert!(line.starts_with("{\"room\":"), "{line}");
        let mut record: Value = serde_json::from_str(line).unwrap();
        let keys: Vec<_> = record.as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys.len(), 6, "{line}");
        let time = record.as_object_mut().unwrap().remove("time").unwrap();
        let time = time.as_str().unwrap();
        assert!(time.len() == 24 && time.ends_with('Z'), "{time}");
        record
    };
    lines(data, &options).iter().map(read).collect()
}

#[test]
fn lines_are_exported_verbatim_whether_or_not_the_server_runs() {
    const STRANGE: &str = "\"quotes\" back\\slash\ttab \u{1f375} \u{7b11}";
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    let mut say = |line: &str, echo: &str| {
        alice.say(line);
        alice.until(echo);
    };
    say("one", "alice: one");
    say(STRANGE, &format!("alice: {STRANGE}"));
    say("/join tea", "In tea: nobody else");
    say("/me pours", "* alice pours");
    say("/join lobby", "In lobby: nobody else");
    say("two", "alice: two");
    let record = |room: &str, seq: u64, kind: &str, text: &str| json!({"room": room, "seq": seq, "name": "alice", "kind": kind, "text": text});
    let all = [
        record("lobby", 1, "line", "one"),
        record("lobby", 2, "line", STRANGE),
        record("tea", 1, "action", "pours"),
        record("lobby", 3, "line", "two"),
    ];
    let is_right = |data: &Data| {
        assert_eq!(records(data, &[]), all);
        assert_eq!(records(data, &["--room", "tea"]), all[2..3]);
        for since in
            ["2020-01-01", "2020-01-01 12:01", "[2020-01-01 12:01]", "1h", "-5m", "yesterday"]
        {
            assert_eq!(records(data, &["--since", since]), all, "{since}");
        }
        assert!(records(data, &["--since", "2999-01-01"]).is_empty());
        let text = lines(data, &[]);
        assert!(text[0].ends_with("] lobby alice: one"), "{text:?}");
        assert!(text[2].ends_with("] tea * alice pours"), "{text:?}");
    };
    is_right(&data);
    server.close([alice]);
    is_right(&data);
}

#[test]
fn a_room_with_an_invalid_name_is_exported_with_the_others() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    alice.say("one");
    alice.until("alice: one");
    alice.say("/join tea");
    alice.until("In tea: nobody else");
    alice.say("two");
    alice.until("alice: two");
    server.close([alice]);
    let file = Connection::open(data.file()).unwrap();
    file.execute("UPDATE rooms SET name = 'te a' WHERE name = 'tea'", []).unwrap();
    drop(file);
    let rooms: Vec<_> = records(&data, &[]).iter().map(|record| record["room"].clone()).collect();
    assert_eq!(rooms, ["lobby", "te a"]);
}

#[test]
fn a_failed_export_is_one_sentence() {
    let data = Data::new();
    let (code, _, words) = export(&data, &[]);
    assert_eq!(code, Some(1));
    assert!(words.starts_with("parlor: there is no ") && words.contains("--data"), "{words}");
    data.open(&[]).close::<[(); 0]>([]);
    assert_eq!(export(&data, &[]), (Some(0), String::new(), String::new()));
    let (code, _, words) = export(&data, &["--room", "tea"]);
    assert_eq!(code, Some(1));
    assert_eq!(
        words,
        "parlor: there are no lines from a room tea; --room takes the name of a room in which somebody spoke\n"
    );
    let (code, _, words) = export(&data, &["--since", "noon"]);
    assert_eq!(code, Some(2));
    assert!(words.contains("write a time as 14:00"), "{words}");
}
