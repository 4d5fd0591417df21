//! A damaged file: every reader reports the damage.

use std::fs;

use crate::data::{Data, enter, untimed};
use crate::guest::Guest;
use crate::server::{HERE, Server};

/// The number of lines that the server checks before people may enter.
const LATEST: usize = 10_000;

impl Data {
    /// Changes the file without the server's knowledge. `seq` is the number of a line.
    fn damage(&self, how: &str) {
        let file = rusqlite::Connection::open(self.file()).unwrap();
        let how = how.replace("seq", "key & 8589934591");
        assert_ne!(file.execute(&how, []).unwrap(), 0, "{how}");
    }

    /// The exit code and stdout of `parlor check`.
    fn check(&self) -> (Option<i32>, String) {
        let output = self.parlor().arg("check").output().unwrap();
        let words = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), words)
    }
}

fn says_numbers(guest: &mut Guest, last: usize) {
    let lines: String = (1..=last).map(|number| format!("{number}\n")).collect();
    guest.send(lines.as_bytes());
    guest.until(&format!("alice: {last}"));
}

#[test]
fn a_changed_line_stops_the_start_and_is_named() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    for number in 1..=9 {
        alice.say(&format!("line {number}"));
        alice.line();
    }
    server.close([alice]);
    let (code, words) = data.check();
    assert_eq!(code, Some(0));
    assert!(words.ends_with(": no damage; lines: 9, rooms: 1\n"), "{words}");
    for (damage, sentence) in [
        (
            "UPDATE lines SET text = 'line 3' WHERE seq = 5",
            "line 5 of lobby is damaged: it does not match its checksum",
        ),
        ("DELETE FROM lines WHERE seq = 4", "line 4 of lobby is missing"),
    ] {
        data.damage(damage);
        let output = data.parlor().arg("serve").args(HERE).output().unwrap();
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{words}");
        assert!(words.contains(sentence), "{words}");
        assert!(words.contains("restore a backup, or move the file away"), "{words}");
        let (code, damages) = data.check();
        assert_eq!(code, Some(1));
        assert!(damages.lines().any(|line| line == sentence), "{damages}");
    }
}

#[test]
fn readers_see_the_place_of_a_damaged_line_and_the_log_names_it_once() {
    let data = Data::new();
    let server = data.open(&["--log-lines", "10"]);
    let mut alice = enter(&server, "alice");
    for number in 1..=100 {
        alice.say(&number.to_string()); // each in a separate batch, so that the log drops it
        alice.line();
    }
    data.damage("UPDATE lines SET text = 'forged' WHERE seq = 5");
    data.damage("UPDATE lines SET name = CAST(x'ff' AS TEXT) WHERE seq = 7");
    data.damage("DELETE FROM lines WHERE seq = 1 OR seq BETWEEN 11 AND 13");
    for asked in ["/last 100", "/since 2026-01-01"] {
        alice.say(asked);
        for number in 1..=100 {
            match number {
                12 | 13 => {}
                11 => assert_eq!(
                    alice.line(),
                    "-- Lines 11 to 13 of lobby are damaged: the operator's log has the details"
                ),
                1 | 5 | 7 => assert_eq!(
                    alice.line(),
                    format!(
                        "-- Line {number} of lobby is damaged: the operator's log has the details"
                    )
                ),
                _ => assert_eq!(untimed(&alice.line()), format!("alice: {number}")),
            }
        }
    }
    alice.say("and on");
    assert_eq!(alice.line(), "alice: and on");
    let damages = [
        "line 1 of lobby is missing",
        "line 5 of lobby is damaged: it does not match its checksum",
        "line 7 of lobby is damaged: it does not match its checksum",
        "lines 11 to 13 of lobby are missing",
    ];
    let log = server.end();
    for damage in damages {
        let told = log.iter().filter(|line| line.contains(damage));
        assert_eq!(told.count(), 1, "{damage}: {log:#?}");
    }
    let output = data.parlor().arg("export").output().unwrap();
    let exported = String::from_utf8(output.stdout).unwrap();
    assert_eq!(exported.lines().count(), 101 - 6);
    assert!(!exported.contains("forged"));
    assert_eq!(output.status.code(), Some(1));
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("are left out (line 1 of lobby"), "{words}");
    let (code, named) = data.check();
    assert_eq!(code, Some(1));
    let named: Vec<_> = named.lines().filter(|line| line.contains("lobby")).collect();
    assert_eq!(named, damages);
}

#[test]
fn older_lines_are_checked_while_the_server_runs() {
    let data = Data::new();
    let server = data.open(&["--keep", "written"]);
    let mut alice = enter(&server, "alice");
    says_numbers(&mut alice, LATEST);
    server.close([alice]);
    let log = data.open(&[]).close::<[Guest; 0]>([]);
    assert!(!log.iter().any(|line| line.contains("older lines")), "{log:?}");

    let server = data.open(&["--keep", "written"]);
    let mut alice = enter_again(&server, LATEST);
    says_numbers(&mut alice, 2_500);
    server.close([alice]);
    let server = data.open(&[]);
    server.logged("older lines are undamaged");
    server.close::<[Guest; 0]>([]);

    data.damage("UPDATE lines SET at = at + 1 WHERE seq = 1234");
    let server = data.open(&[]);
    server.logged("line 1234 of lobby is damaged");
    let mut alice = enter_again(&server, 2_500);
    alice.say("all is well here");
    alice.until("alice: all is well here");
    server.end();
}

fn enter_again(server: &Server, last: usize) -> Guest {
    let mut alice = Guest::connect(server.address);
    alice.say("alice");
    alice.lines_until("the last line", |line| line.ends_with(&format!("] alice: {last}")));
    alice
}

#[test]
fn an_absurdly_large_number_takes_no_longer_to_check() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    says_numbers(&mut alice, 9);
    server.close([alice]);
    data.damage("UPDATE lines SET key = key + 8000000000 WHERE seq = 9");
    let (code, damages) = data.check();
    assert_eq!(code, Some(1));
    assert!(damages.contains("lines 9 to 8000000008 of lobby are missing\n"), "{damages}");
    assert!(damages.contains("line 8000000009 of lobby is damaged"), "{damages}");
}

#[test]
fn a_broken_file_is_one_sentence_that_says_what_to_do() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    says_numbers(&mut alice, 1_000);
    server.close([alice]);
    let whole = fs::read(data.file()).unwrap();
    let without_header = [&[0; 100], &whole[100..]].concat();
    let without_pages = [&whole[..4096], &vec![0xaa; whole.len() - 4096]].concat();
    for (bytes, what) in [
        (&whole[..whole.len() / 2], "is damaged in its structure"),
        (&whole[..100], "is damaged in its structure"),
        (&without_pages, "is damaged in its structure"),
        (&without_header, "is not a database, or its beginning is damaged"),
        (b"dear diary, this is no chat", "is not a database, or its beginning is damaged"),
    ] {
        fs::write(data.file(), bytes).unwrap();
        let output = data.parlor().arg("serve").args(HERE).output().unwrap();
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{words}");
        assert_eq!(words.lines().count(), 1, "{words}");
        assert!(words.starts_with("parlor: "), "{words}");
        assert!(words.contains(what), "{what}: {words}");
        assert!(words.contains("restore a backup, or move the file away"), "{words}");
        assert_eq!(fs::read(data.file()).unwrap(), bytes, "it is left as it was");
        for command in ["check", "export"] {
            let output = data.parlor().arg(command).output().unwrap();
            assert_eq!(output.status.code(), Some(1), "{command}: {output:?}");
            let words = String::from_utf8(output.stderr).unwrap();
            assert!(words.contains(what), "{command}: {words}");
        }
    }
}

#[test]
fn a_write_cut_off_by_a_crash_is_no_damage() {
    let data = Data::new();
    let mut server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    says_numbers(&mut alice, 9);
    server.kill();
    // Append a partial frame after the last complete frame of the WAL.
    let ahead = data.file().with_extension("db-wal");
    let index = fs::read(data.file().with_extension("db-shm")).unwrap();
    let frames = u32::from_ne_bytes(index[16..20].try_into().unwrap()) as usize;
    let mut bytes = fs::read(&ahead).unwrap();
    let frame = 24 + 4096;
    let end = 32 + frames * frame;
    let last = bytes[end - frame..end].to_vec();
    bytes.truncate(end);
    bytes.extend(&last[..frame / 2]);
    fs::write(ahead, bytes).unwrap();
    let server = data.open(&["--replay", "0"]);
    let mut alice = enter(&server, "alice");
    alice.say("and on");
    assert_eq!(alice.line(), "alice: and on");
    server.close([alice]);
    let texts: Vec<_> = data.lobby().into_iter().map(|row| row.text).collect();
    assert_eq!(texts, ["1", "2", "3", "4", "5", "6", "7", "8", "9", "and on"]);
}

#[test]
fn a_file_of_another_program_or_a_later_version_stays_as_it_is() {
    let data = Data::new();
    let refuses = |sentence: &str| {
        let before = fs::read(data.file()).unwrap();
        let output = data.parlor().arg("serve").args(HERE).output().unwrap();
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{words}");
        assert!(words.contains(sentence), "{words}");
        for command in ["check", "export"] {
            let output = data.parlor().arg(command).output().unwrap();
            let words = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{words}");
            assert!(words.contains(sentence), "{words}");
        }
        let after = fs::read(data.file()).unwrap();
        assert!(before == after, "{sentence}");
    };
    let file = rusqlite::Connection::open(data.file()).unwrap();
    file.execute_batch("PRAGMA journal_mode = wal; CREATE TABLE recipes (tea TEXT)").unwrap();
    drop(file);
    refuses("a database of another program; give --data another directory");
    fs::remove_file(data.file()).unwrap();
    data.open(&[]).close::<[Guest; 0]>([]);
    let file = rusqlite::Connection::open(data.file()).unwrap();
    file.pragma_update(None, "user_version", 1_000).unwrap();
    drop(file);
    refuses("written by a newer version of Parlor (its tables have version 1000)");
}
