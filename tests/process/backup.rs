//! A backup is a complete copy as of one moment, made while people talk. A server can continue from
//! it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rusqlite::Connection;
use tempfile::TempDir;

use crate::EndOnDrop;
use crate::data::{Data, enter, rows, untimed};
use crate::guest::Guest;
use crate::server::HERE;

/// Bytes of a line that fills a file quickly.
const LONG: usize = 3_900;

/// Runs `parlor backup`. Returns the exit code, stdout and stderr.
fn backup(data: &Data, file: &Path) -> (Option<i32>, String, String) {
    let mut command = data.parlor();
    let output = command.arg("backup").arg(file).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The names of the files in a directory.
fn names(directory: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(directory.path()).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_backup_made_while_people_talk_has_every_line_seen_and_can_be_served() {
    let (data, backups) = (Data::new(), TempDir::new().unwrap());
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    for number in 1..=500 {
        alice.say(&format!("{number} {}", "x".repeat(LONG)));
        alice.line();
    }
    let mut bob = enter(&server, "bob");
    alice.until("bob has arrived");
    let mut copies = Vec::new();
    let is_over = AtomicBool::new(false);
    let said = thread::scope(|scope| {
        let talk = scope.spawn(|| {
            let mut number = 500;
            while !is_over.load(Ordering::Relaxed) {
                number += 1;
                alice.say(&number.to_string());
                assert_eq!(alice.line(), format!("alice: {number}"));
            }
            number
        });
        let end = EndOnDrop(&is_over);
        for round in 0..5 {
            let number = |line: &str| line.strip_prefix("alice: ")?.parse().ok();
            let mut seen: usize = 0;
            bob.lines_until("a line", |line| {
                seen = number(line).unwrap_or_default();
                seen > 500
            });
            let file = backups.path().join(format!("{round}.db"));
            let (code, words, complaint) = backup(&data, &file);
            assert_eq!(code, Some(0), "{complaint}");
            let kept = rows(&file, "lobby").len();
            assert!(words.ends_with(&format!("{round}.db: no damage; lines: {kept}, rooms: 1\n")));
            assert!(kept >= seen, "{kept}, but bob saw {seen}");
            copies.push(file);
        }
        drop(end);
        talk.join().unwrap()
    });
    server.close([alice]);
    let all = data.lobby();
    assert_eq!(all.len(), said);
    let kept: Vec<_> = copies.iter().map(|copy| rows(copy, "lobby")).collect();
    assert!(kept.iter().all(|kept| all.starts_with(kept)));
    assert!(kept.is_sorted_by_key(Vec::len));
    assert!(kept[0].len() < said, "nobody talked meanwhile");
    assert_eq!(names(&backups), ["0.db", "1.db", "2.db", "3.db", "4.db"]);
    let mode = fs::metadata(&copies[0]).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let restored = Data::new();
    fs::copy(&copies[0], restored.file()).unwrap();
    let server = restored.open(&["--replay", "1"]);
    let mut alice = Guest::connect(server.address);
    alice.say("alice");
    let last = kept[0].last().unwrap();
    alice.lines_until("the last line", |line| {
        line.starts_with('[') && untimed(line) == format!("alice: {}", last.text)
    });
    alice.say("and on");
    assert_eq!(alice.line(), "alice: and on");
    server.close([alice]);
    let after = restored.lobby();
    assert_eq!(after.len(), kept[0].len() + 1);
    assert_eq!(after.last().unwrap().seq, last.seq + 1);
}

#[test]
fn a_backup_overwrites_no_file_and_leaves_none_when_it_fails() {
    let (data, backups) = (Data::new(), TempDir::new().unwrap());
    let file = backups.path().join("copy.db");
    let refuses = |sentence: &str, left: &[&str]| {
        let (code, _, words) = backup(&data, &file);
        assert_eq!(code, Some(1));
        assert!(words.contains(sentence), "{words}");
        assert_eq!(words.lines().count(), 1, "{words}");
        assert_eq!(names(&backups), left);
    };
    refuses("there is no ", &[]);
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    for number in 1..=3 {
        alice.say(&number.to_string());
        alice.line();
    }
    server.close([alice]);
    for name in ["copy.db", "copy.db-wal", "copy.db.part"] {
        fs::write(backups.path().join(name), "mine").unwrap();
        refuses(&format!("{name} exists"), &[name]);
        assert_eq!(fs::read(backups.path().join(name)).unwrap(), b"mine");
        fs::remove_file(backups.path().join(name)).unwrap();
    }
    let kept = Connection::open(data.file()).unwrap();
    kept.execute("UPDATE lines SET text = 'forged' WHERE key = 1 << 33 | 2", []).unwrap();
    refuses("line 2 of lobby is damaged", &[]);
    let (code, _, words) = backup(&data, Path::new("/proc/no/such/place"));
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("cannot write /proc/no/such/place"), "{words}");
}

#[test]
fn a_backup_that_does_not_fit_on_the_disk_leaves_no_file() {
    let (data, backups) = (Data::new(), TempDir::new().unwrap());
    let server = data.open(&["--keep", "written"]);
    let mut alice = enter(&server, "alice");
    for _ in 0..50 {
        alice.say(&"x".repeat(LONG));
        alice.line();
    }
    server.close([alice]);
    let mut small = data.parlor_with_small_files(64);
    let output = small.arg("backup").arg(backups.path().join("copy.db"));
    let output = output.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.starts_with("parlor: cannot copy "), "{words}");
    assert_eq!(names(&backups), <[&str; 0]>::default());
}

#[test]
fn a_long_read_of_the_file_delays_no_writer() {
    let data = Data::new();
    let server = data.open(&["--keep", "written"]);
    let mut alice = enter(&server, "alice");
    alice.say("first");
    alice.line();
    // Like a backup, but it ends only when the test says so.
    let reader = Connection::open(data.file()).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let lines = || reader.query_one("SELECT count(*) FROM lines", [], |row| row.get::<_, i64>(0));
    assert_eq!(lines().unwrap(), 1);
    // Write so much to the WAL that SQLite wants to start it over several times.
    let ahead = || fs::metadata(data.file().with_extension("db-wal")).unwrap().len();
    let mut said = 1;
    while ahead() < 20 << 20 {
        alice.say(&"x".repeat(LONG));
        assert!(alice.line().starts_with("alice: x"), "a writer waits");
        said += 1;
    }
    assert_eq!(lines().unwrap(), 1);
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(lines().unwrap(), said);
    while ahead() > 17 << 20 {
        alice.say(&"x".repeat(LONG));
        assert!(alice.line().starts_with("alice: x"), "a writer waits");
    }
    server.close([alice]);
}

#[test]
fn a_backup_beside_the_log_of_another_file_is_not_served() {
    let (data, backups) = (Data::new(), TempDir::new().unwrap());
    let file = backups.path().join("copy.db");
    let mut server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    alice.say("before");
    alice.line();
    assert_eq!(backup(&data, &file).0, Some(0));
    alice.say("after");
    alice.line();
    server.kill();
    fs::copy(&file, data.file()).unwrap();
    for command in [&["serve", HERE[0], HERE[1]][..], &["check"], &["export"]] {
        let output = data.parlor().args(command).output().unwrap();
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{words}");
        assert!(words.contains("parlor.db-wal beside it"), "{words}");
        assert!(words.contains("move that one away first"), "{words}");
    }
    let log = data.file().with_extension("db-wal");
    fs::rename(log, backups.path().join("log")).unwrap();
    let server = data.open(&["--replay", "0"]);
    let mut alice = enter(&server, "alice");
    alice.say("and on");
    assert_eq!(alice.line(), "alice: and on");
    server.close([alice]);
    let texts: Vec<_> = data.lobby().into_iter().map(|row| row.text).collect();
    assert_eq!(texts, ["before", "and on"]);
}
