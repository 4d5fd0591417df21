//! The server's files are private, locked, and watched while it runs. No visible line is lost,
//! whatever happens to the files.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Signal, geteuid};
use tempfile::TempDir;

use crate::data::{Data, enter, rows};
use crate::guest::Guest;
use crate::search::answers;
use crate::server::{HERE, Server, parlor};
use crate::skip;
use crate::startup::fails;

const DISPLACED: &str =
    "-- Not sent: the server's files have been moved or deleted; try again later";

/// The program, which stores its lines there.
fn parlor_in(directory: &Path) -> Command {
    let mut command = parlor();
    command.env_remove("PARLOR_MEMORY").env("PARLOR_DATA", directory);
    command
}

fn serve_in(directory: &Path) -> Server {
    Server::run(parlor_in(directory), &HERE)
}

/// Starts a server there, which must refuse. Returns its sentence.
fn is_refused(directory: &Path) -> String {
    let (code, words) = fails(parlor_in(directory), &HERE);
    assert_eq!(code, Some(1), "{words}");
    assert_eq!(words.lines().count(), 1, "{words}");
    words
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Says a line as alice, and waits for its echo.
pub(crate) fn says(guest: &mut Guest, line: &str) {
    guest.say(line);
    guest.until(&format!("alice: {line}"));
}

fn texts(file: &Path) -> Vec<String> {
    let rows = rows(file, "lobby");
    assert!(rows.iter().zip(1..).all(|(row, seq)| row.seq == seq));
    rows.into_iter().map(|row| row.text).collect()
}

fn kill(mut server: Server) {
    server.kill();
}

#[test]
fn a_second_server_never_starts_on_the_same_file() {
    let place = TempDir::new().unwrap();
    let (data, moved) = (place.path().join("data"), place.path().join("moved"));
    let mut server = serve_in(&data);
    let mut alice = enter(&server, "alice");
    says(&mut alice, "one");
    for file in fs::read_dir(&data).unwrap().map(Result::unwrap) {
        if !["parlor.db", "parlor.db-wal", "parlor.db-shm"]
            .contains(&&*file.file_name().to_string_lossy())
        {
            fs::remove_file(file.path()).unwrap();
        }
    }
    let taken = "another server uses";
    assert!(is_refused(&data).contains(taken));
    let (link, linked) = (place.path().join("link"), place.path().join("linked"));
    symlink(&data, &link).unwrap();
    assert!(is_refused(&link).contains(taken));
    fs::create_dir(&linked).unwrap();
    fs::hard_link(data.join("parlor.db"), linked.join("parlor.db")).unwrap();
    assert!(is_refused(&linked).contains(taken));
    fs::remove_file(linked.join("parlor.db")).unwrap();
    fs::rename(&data, &moved).unwrap();
    assert!(is_refused(&moved).contains(taken));
    fs::rename(&moved, &data).unwrap();
    says(&mut alice, "two");
    drop(alice);
    server.signal(Signal::TERM); // the log may have errors: the files were away
    assert_eq!(server.ended().code(), Some(0));
    assert_eq!(texts(&data.join("parlor.db")), ["one", "two"]);
    serve_in(&link).close::<[Guest; 0]>([]); // a link to the directory works too
}

#[test]
fn a_copy_in_place_of_the_file_lets_no_second_server_start() {
    let place = TempDir::new().unwrap();
    let (data, copy) = (place.path().join("data"), place.path().join("copy"));
    let server = serve_in(&data);
    let mut alice = enter(&server, "alice");
    says(&mut alice, "one");
    // The copy would share SQLite's side files with the open database.
    fs::copy(data.join("parlor.db"), &copy).unwrap();
    fs::rename(&copy, data.join("parlor.db")).unwrap();
    assert!(is_refused(&data).contains("another server uses"));
    server.end();
    serve_in(&data).close::<[Guest; 0]>([]);
}

#[test]
fn each_start_makes_the_directory_and_its_files_private() {
    let place = TempDir::new().unwrap();
    let data = place.path().join("data");
    fs::create_dir(&data).unwrap();
    let server = serve_in(&data);
    let mut alice = enter(&server, "alice");
    says(&mut alice, "one");
    answers(&mut alice, "one");
    all_is_private(&data);
    kill(server);
    for (round, open) in [0o755, 0o777, 0o710].into_iter().enumerate() {
        set_mode(&data, open);
        for file in fs::read_dir(&data).unwrap().map(Result::unwrap) {
            if file.file_name() != "parlor.sock" {
                set_mode(&file.path(), open & 0o666);
            }
        }
        let server = serve_in(&data);
        let mut alice = Guest::connect(server.address);
        alice.say("alice");
        alice.until("You are alice");
        says(&mut alice, &round.to_string());
        answers(&mut alice, "one");
        all_is_private(&data);
        kill(server);
    }
}

fn all_is_private(data: &Path) {
    assert_eq!(mode(data), 0o700);
    let files = fs::read_dir(data).unwrap().map(Result::unwrap);
    let names: Vec<_> = files.map(|file| file.path()).collect();
    assert!(names.len() >= 7, "{names:?}");
    for name in names {
        assert_eq!(mode(&name), 0o600, "{name:?}");
    }
}

#[test]
fn a_link_or_directory_in_place_of_a_file_is_not_touched() {
    let place = TempDir::new().unwrap();
    let elsewhere = place.path().join("elsewhere");
    fs::write(&elsewhere, "dear diary").unwrap();
    set_mode(&elsewhere, 0o644);
    for name in ["parlor.db", "parlor.db-wal", "parlor.db-shm", "parlor-search.db"] {
        let data = TempDir::new().unwrap();
        let file = data.path().join(name);
        symlink(&elsewhere, &file).unwrap();
        assert!(is_refused(data.path()).contains("is a symbolic link"));
        fs::remove_file(&file).unwrap();
        symlink(data.path().join("nothing"), &file).unwrap();
        assert!(is_refused(data.path()).contains("is a symbolic link"));
        assert!(!data.path().join("nothing").exists());
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        assert!(is_refused(data.path()).contains("is not a regular file"));
    }
    assert_eq!(fs::read(&elsewhere).unwrap(), b"dear diary");
    assert_eq!(mode(&elsewhere), 0o644);
    // A second name of the database, under which another server could find it.
    let data = TempDir::new().unwrap();
    serve_in(data.path()).close::<[Guest; 0]>([]);
    let (file, second) = (data.path().join("parlor.db"), place.path().join("second"));
    fs::hard_link(&file, &second).unwrap();
    assert!(is_refused(data.path()).contains("has a second name"));
    fs::remove_file(second).unwrap();
    serve_in(data.path()).close::<[Guest; 0]>([]);
}

#[test]
fn a_directory_with_other_files_keeps_its_permissions() {
    let place = TempDir::new().unwrap();
    let shared = place.path().join("shared");
    fs::create_dir_all(shared.join("photos")).unwrap();
    set_mode(&shared, 0o755);
    let words = is_refused(&shared);
    assert!(words.contains("has other files"), "{words}");
    assert!(words.contains("photos"), "{words}");
    set_mode(&shared, 0o1777);
    assert!(is_refused(&shared).contains("has other files"));
    assert_eq!(mode(&shared), 0o1777);
    let disk = place.path().join("disk");
    fs::create_dir_all(disk.join("lost+found")).unwrap();
    set_mode(&disk, 0o755);
    serve_in(&disk).close::<[Guest; 0]>([]);
    assert_eq!(mode(&disk), 0o700);
}

#[test]
fn a_path_that_is_no_directory_is_refused_by_name() {
    let place = TempDir::new().unwrap();
    let file = place.path().join("file");
    fs::write(&file, "").unwrap();
    let link = place.path().join("link");
    symlink(place.path().join("nothing"), &link).unwrap();
    for (path, other) in
        [(file.clone(), &file), (file.join("deep/er"), &file), (link.clone(), &link)]
    {
        let words = is_refused(&path);
        let sentence = format!("{} is not a directory", other.display());
        assert!(words.contains(&sentence), "{words}");
    }
    assert!(is_refused(Path::new("/dev/null")).contains("/dev/null is not a directory"));
}

#[test]
fn files_of_another_user_are_refused() {
    let words = |path: &Path| {
        let words = is_refused(path);
        assert!(words.contains("belongs to another user"), "{words}");
    };
    if !geteuid().is_root() {
        return words(Path::new("/usr"));
    }
    let data = TempDir::new().unwrap();
    chown(data.path(), Some(12_345), None).unwrap();
    words(data.path());
    chown(data.path(), Some(0), None).unwrap();
    serve_in(data.path()).close::<[Guest; 0]>([]);
    chown(data.path().join("parlor-search.db"), Some(12_345), None).unwrap();
    words(data.path());
}

#[test]
fn lines_are_refused_while_the_directory_is_moved_away() {
    let place = TempDir::new().unwrap();
    let (data, moved) = (place.path().join("data"), place.path().join("moved"));
    let server = serve_in(&data);
    let mut alice = enter(&server, "alice");
    says(&mut alice, "one");
    for round in 0..3 {
        fs::rename(&data, &moved).unwrap();
        match round {
            0 => {}
            1 => fs::create_dir(&data).unwrap(),
            _ => {
                fs::create_dir(&data).unwrap();
                for file in ["parlor.db", "parlor.db-wal", "parlor.db-shm"] {
                    fs::copy(moved.join(file), data.join(file)).unwrap();
                }
            }
        }
        for line in ["two", "three"] {
            alice.say(line);
            assert_eq!(alice.line(), DISPLACED);
        }
        let mut bob = enter_and_read(&server, "bob");
        alice.until("bob has arrived");
        bob.say("/last 5");
        bob.lines_until("the first line", |line| line.ends_with("alice: one"));
        drop(bob);
        alice.until("bob has left");
        if data.exists() {
            fs::remove_dir_all(&data).unwrap();
        }
        fs::rename(&moved, &data).unwrap();
        says(&mut alice, "and on");
        server.logged_times("lines are stored again", round + 1);
    }
    let log = server.end();
    let told = log.iter().filter(|line| line.contains("is not the file"));
    assert_eq!(told.count(), 3, "{log:#?}");
    let file = data.join("parlor.db");
    assert_eq!(texts(&file), ["one", "and on", "and on", "and on"]);
}

fn enter_and_read(server: &Server, name: &str) -> Guest {
    let mut guest = Guest::connect(server.address);
    guest.say(name);
    guest.until(&format!("You are {name}"));
    guest
}

#[test]
fn a_deleted_database_can_be_copied_while_the_server_runs() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    for line in ["one", "two", "three"] {
        says(&mut alice, line);
    }
    fs::remove_file(data.file()).unwrap();
    alice.say("four");
    assert_eq!(alice.line(), DISPLACED);
    let told = server.logged("If it was deleted, copy ");
    let (_, path) = told.split_once("If it was deleted, copy ").unwrap();
    let path = PathBuf::from(path.split_once(' ').unwrap().0);
    fs::copy(path, data.file()).unwrap();
    alice.say("five");
    assert_eq!(alice.line(), DISPLACED);
    server.end();
    let server = data.open(&["--replay", "0"]);
    let mut alice = enter(&server, "alice");
    says(&mut alice, "six");
    server.close([alice]);
    assert_eq!(texts(&data.file()), ["one", "two", "three", "six"]);
    data.assert_undamaged();
}

#[test]
fn seen_lines_stay_stored_although_a_side_file_is_deleted() {
    for extension in ["db-wal", "db-shm"] {
        let data = Data::new();
        let server = data.open(&[]);
        let mut alice = enter(&server, "alice");
        says(&mut alice, "one");
        fs::remove_file(data.file().with_extension(extension)).unwrap();
        alice.say("two");
        assert_eq!(alice.line(), DISPLACED);
        kill(server);
        let server = data.open(&["--replay", "0"]);
        let mut alice = enter(&server, "alice");
        says(&mut alice, "three");
        server.close([alice]);
        assert_eq!(texts(&data.file()), ["one", "three"], "{extension}");
        data.assert_undamaged();
    }
}

#[test]
fn a_truncated_wal_refuses_lines_and_damages_nothing() {
    for ending in [kill, |server: Server| drop(server.end())] {
        let data = Data::new();
        let server = data.open(&[]);
        let mut alice = enter(&server, "alice");
        says(&mut alice, "one");
        server.close([alice]);
        let server = data.open(&["--replay", "0"]);
        let mut alice = enter(&server, "alice");
        says(&mut alice, "lost with the log");
        fs::write(data.file().with_extension("db-wal"), "").unwrap();
        for line in ["two", "three"] {
            alice.say(line);
            assert_eq!(alice.line(), DISPLACED);
        }
        server.logged("parlor.db-wal was emptied by another program");
        ending(server);
        data.assert_undamaged();
        let server = data.open(&["--replay", "0"]);
        let mut alice = enter(&server, "alice");
        says(&mut alice, "four");
        server.close([alice]);
        assert_eq!(texts(&data.file()), ["one", "four"]);
        data.assert_undamaged();
    }
}

#[test]
fn a_file_size_limit_is_logged_and_refuses_only_lines() {
    /// A few hundred kilobytes: shells count in blocks of 512 or 1024 bytes.
    const LIMITED: &str = "ulimit -f 400 && exec \"$0\" \"$@\"";
    let data = Data::new();
    let limited = data.parlor_by("sh", &["-c", LIMITED]);
    let server = Server::run(limited, &[&HERE[..], &["--rate", "off"]].concat());
    server.logged("this process may write files of");
    let mut alice = enter(&server, "alice");
    let long = "x".repeat(4_000);
    let mut kept = 0;
    loop {
        alice.say(&long);
        let line = alice.line();
        if line.starts_with("-- Not sent: ") {
            break;
        }
        assert_eq!(line, format!("alice: {long}"));
        kept += 1;
        assert!(kept < 1_000, "nothing is refused");
    }
    enter_and_read(&server, "bob");
    server.end();
    assert_eq!(texts(&data.file()).len(), kept);
    data.assert_undamaged();
}

#[test]
fn a_broken_search_index_refuses_no_line() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    says(&mut alice, "a needle");
    answers(&mut alice, "needle");
    for beside in ["db-wal", "db-shm", "db"] {
        fs::remove_file(data.index().with_extension(beside)).ok();
    }
    says(&mut alice, "another needle");
    let found = answers(&mut alice, "needle");
    assert_eq!(found.len(), 2, "{found:#?}");
    server.end();
}

#[test]
fn a_wal_without_its_database_is_not_touched() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    says(&mut alice, "one");
    kill(server);
    let (file, away) = (data.file(), data.file().with_extension("away"));
    fs::rename(&file, &away).unwrap();
    let ahead = fs::read(file.with_extension("db-wal")).unwrap();
    assert!(is_refused(data.directory()).contains("is missing or empty"));
    assert!(fs::read(file.with_extension("db-wal")).unwrap() == ahead);
    fs::rename(&away, &file).unwrap();
    data.open(&[]).close::<[Guest; 0]>([]);
    assert_eq!(texts(&file), ["one"]);
}

/// The stdout of a command, or the sentence with which it fails.
fn reads(parlor: &mut Command, command: &str) -> Result<String, String> {
    let output = parlor.arg(command).output().unwrap();
    let words = String::from_utf8(output.stderr).unwrap();
    match output.status.code() {
        Some(0) => Ok(String::from_utf8(output.stdout).unwrap()),
        code => {
            assert_eq!(code, Some(1), "{words}");
            assert_eq!(words.lines().count(), 1, "{words}");
            Err(words)
        }
    }
}

#[test]
fn lines_on_a_read_only_disk_are_read_or_the_error_says_how() {
    /// Mounts the directory read-only over itself, and runs the program.
    const READ_ONLY: &str = "mount --bind \"$PARLOR_DATA\" \"$PARLOR_DATA\" &&
        mount -o remount,bind,ro \"$PARLOR_DATA\" && exec \"$0\" \"$@\"";
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    says(&mut alice, "one");
    kill(server);
    let mounts = ["-m", "-rm"].into_iter().find(|how| {
        let mut command = data.parlor_by("unshare", &[how, "sh", "-c", READ_ONLY]);
        command.arg("--version").output().is_ok_and(|output| output.status.success())
    });
    let Some(how) = mounts else {
        return skip("no disk may be mounted here, not even in a namespace");
    };
    let read_only = || data.parlor_by("unshare", &[how, "sh", "-c", READ_ONLY]);
    // All three files exist.
    let text = reads(&mut read_only(), "export").unwrap();
    assert!(text.ends_with("lobby alice: one\n"), "{text}");
    fs::remove_file(data.file().with_extension("db-shm")).unwrap();
    for command in ["export", "check"] {
        let words = reads(&mut read_only(), command).unwrap_err();
        assert!(words.contains("copy "), "{words}");
        assert!(words.contains("parlor.db-wal to a directory"), "{words}");
    }
    // Follow the advice of the sentence.
    let copy = Data::new();
    for extension in ["db", "db-wal"] {
        let file = data.file().with_extension(extension);
        fs::copy(file, copy.file().with_extension(extension)).unwrap();
    }
    assert_eq!(reads(&mut copy.parlor(), "export").unwrap(), text);
    // After a clean shutdown nothing is left in the WAL.
    data.open(&[]).close::<[Guest; 0]>([]);
    assert_eq!(reads(&mut read_only(), "export").unwrap(), text);
    reads(&mut read_only(), "check").unwrap();
    // Special characters in a path have no effect.
    let odd = TempDir::new().unwrap();
    let odd = odd.path().join("100%?a=b#c d");
    fs::create_dir(&odd).unwrap();
    fs::copy(data.file(), odd.join("parlor.db")).unwrap();
    assert_eq!(reads(&mut parlor_in(&odd), "export").unwrap(), text);
}

#[test]
fn a_user_without_read_permission_gets_a_sentence() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    says(&mut alice, "one");
    let nobody = || match geteuid().is_root() {
        true => data.parlor_by("setpriv", &["--reuid=65534", "--clear-groups"]),
        false => data.parlor(),
    };
    // Another user may run the program, wherever it was built.
    if geteuid().is_root()
        && !nobody().arg("--version").output().is_ok_and(|output| output.status.success())
    {
        return skip("setpriv is not installed, or another user may not run the program here");
    }
    if !geteuid().is_root() {
        set_mode(&data.file(), 0);
    }
    for command in ["export", "check"] {
        let words = reads(&mut nobody(), command).unwrap_err();
        assert!(words.contains("cannot be read by this user"), "{words}");
    }
    server.close([alice]);
}
