//! Failing disks: nobody sees a line that is not stored, no refused line is stored, and the server
//! recovers by itself.

use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use tempfile::TempDir;

use crate::admin::order;
use crate::data::{Data, Row, enter, rows};
use crate::guest::Guest;
use crate::owners::{ASKED, PASSWORD, come_back, register};
use crate::passwords::speak;
use crate::server::{HERE, Server};
use crate::{DEADLINE, skip, web};

const FULL: &str = "-- Not sent: the disk is full; try again later";
const FAILED: &str = "-- Not sent: the disk has failed; try again later";
const NO_ANSWER: &str = "-- Not sent: the disk does not answer; try again later";
const UNCHANGED: &str = "-- The disk cannot be written right now; nothing is changed";
const SLOW: &str = "-- The disk is slow";

/// The place for output of strace that no test reads.
const NOWHERE: &str = "/dev/null";

/// The test fails if the disk has not failed after this many lines.
const LINES_MAX: usize = 2_000;

fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// A server under strace, with these rules; strace writes its output to `seen`.
fn traced(data: &Data, rules: &str, seen: &str) -> Option<Server> {
    // With -D, strace is not the parent, so signals reach the server and the exit code is the
    // server's. Without --seccomp-bpf, because that filter would outlive strace.
    let tracer = format!("-D -f -qq -s 4096 -o {seen}");
    let arguments: Vec<_> = tracer.split(' ').chain(rules.split(' ')).collect();
    if !succeeds(Command::new("strace").args(&arguments).arg("true")) {
        skip("strace is not installed, or may trace nothing here");
        return None;
    }
    // The file exists and alice owns her name, so the trace contains only the lines of people.
    let server = data.open(&["--replay", "0"]);
    let mut alice = enter(&server, "alice");
    register(&mut alice, PASSWORD);
    server.close([alice]);
    let parlor = data.parlor_by("strace", &arguments);
    let web = ["--listen", "http://127.0.0.1:0"];
    let options = ["--rate", "off", "--replay", "0"];
    Some(Server::run(parlor, &[&HERE[..], &web, &options].concat()))
}

/// The rules that make a call fail as `fault` says: `error=EIO:when=20`.
fn injected(call: &str, fault: &str) -> String {
    format!("--trace={call} --inject={call}:{fault}")
}

/// Says a line and waits for the answer. Returns whether the line is stored; if not, this must be
/// the reason.
fn is_stored(alice: &mut Guest, line: &str, refusal: &str) -> bool {
    alice.say(line);
    let mut answers = alice.lines_until("an answer", |answer| !answer.starts_with(SLOW));
    let answer = answers.pop().unwrap();
    let is_stored = answer == format!("alice: {line}");
    assert!(is_stored || answer == refusal, "{answer}");
    is_stored
}

/// Says a line and waits for the answer. Returns whether it is stored; if not, the answer must give
/// this reason.
fn says_until_refused(
    alice: &mut Guest,
    refusals: usize,
    refusal: &str,
    line: impl Fn(usize) -> String,
) -> Vec<String> {
    let (mut said, mut refused) = (Vec::new(), 0);
    for line in (0..LINES_MAX).map(line) {
        if is_stored(alice, &line, refusal) {
            said.push(line);
            continue;
        }
        refused += 1;
        if refused == refusals {
            return said;
        }
    }
    panic!("the disk never fails");
}

/// Reads these lines of alice, and no refused line between them.
fn hears(bob: &mut Guest, said: &[String]) {
    for line in said {
        assert_eq!(bob.line(), format!("alice: {line}"), "a refused line is shown");
    }
}

/// The file has exactly these lines, in this order, numbered without a gap.
fn stores_exactly(stored: &[Row], said: &[String]) {
    let texts: Vec<_> = stored.iter().map(|row| &row.text).collect();
    assert_eq!(texts, said.iter().collect::<Vec<_>>());
    assert!(stored.iter().zip(1..).all(|(row, seq)| row.seq == seq));
}

/// The disk fails repeatedly, as the rule says. Then the server is killed before it can repair
/// anything.
fn fails_repeatedly(call: &str, fault: &str, refusal: &str) {
    let data = Data::new();
    let Some(mut server) = traced(&data, &injected(call, fault), NOWHERE) else {
        return;
    };
    let mut alice = come_back(&server, PASSWORD);
    let mut bob = enter(&server, "bob");
    alice.until("bob has arrived");
    let mut said = says_until_refused(&mut alice, 5, refusal, |number| number.to_string());
    hears(&mut bob, &said);
    server.kill();
    assert_eq!(bob.rest_or_reset(), "");
    stores_exactly(&data.lobby(), &said);
    assert!(succeeds(data.parlor().arg("check")));
    let server = data.open(&["--replay", "0"]);
    let mut alice = come_back(&server, PASSWORD);
    said.push("and on".to_owned());
    assert!(is_stored(&mut alice, "and on", refusal));
    server.close([alice]);
    stores_exactly(&data.lobby(), &said);
}

#[test]
fn a_failing_sync_stores_no_refused_line() {
    fails_repeatedly("fdatasync", "error=EIO:when=20+7", FAILED);
}

#[test]
fn a_failing_write_stores_no_refused_line() {
    fails_repeatedly("pwrite64", "error=EIO:when=50+31", FAILED);
    fails_repeatedly("pwrite64", "error=ENOSPC:when=50+31", FULL);
}

#[test]
fn a_failing_checkpoint_loses_no_line() {
    checkpoints_fail("fdatasync", "error=EIO:when=1+2", "make a backup on another disk");
    checkpoints_fail("pwrite64", "error=EIO:when=20+300", "cannot be moved into the database yet");
}

/// Checkpoints fail as the rule says. The speakers notice nothing.
fn checkpoints_fail(call: &str, fault: &str, told: &str) {
    let data = Data::new();
    let file = data.file();
    let rules = format!("-P {} {}", file.display(), injected(call, fault));
    let Some(mut server) = traced(&data, &rules, NOWHERE) else {
        return;
    };
    let mut alice = come_back(&server, PASSWORD);
    let has_failed = || {
        let log = server.log();
        let failures = log.iter().filter(|line| line.contains(told));
        failures.count() >= 2
    };
    let mut said = Vec::new();
    while !has_failed() && said.len() < 2 * LINES_MAX {
        let line = format!("{} {}", said.len(), "x".repeat(3_000));
        assert!(is_stored(&mut alice, &line, FAILED));
        said.push(line);
    }
    assert!(has_failed(), "{call} never fails");
    server.kill();
    stores_exactly(&data.lobby(), &said);
    assert!(succeeds(data.parlor().arg("check")));
}

#[test]
fn every_line_is_synced_before_it_is_shown() {
    const CALLS: &str = "--trace=recvfrom,read,readv,pwrite64,fdatasync,sendto,write,writev";
    let (data, scratch) = (Data::new(), TempDir::new().unwrap());
    let seen = scratch.path().join("seen").display().to_string();
    let Some(server) = traced(&data, CALLS, &seen) else {
        return;
    };
    let mut alice = come_back(&server, PASSWORD);
    let mut bob = enter(&server, "bob");
    let words: Vec<_> = (100..150).map(|number| format!("word{number}")).collect();
    for word in &words {
        alice.say(word);
        bob.until(&format!("alice: {word}"));
    }
    server.close([alice, bob]);
    let seen = fs::read_to_string(seen).unwrap();
    let is_of_words = |call: &&str| call.contains("word") || call.contains("fdatasync");
    let calls: Vec<_> = seen.lines().filter(is_of_words).collect();
    let after = |start: usize, what: &str, is_it: &dyn Fn(&str) -> bool| {
        let found = calls.iter().skip(start).position(|call| is_it(call));
        start + found.unwrap_or_else(|| panic!("is never {what}"))
    };
    for word in &words {
        let read = after(0, word, &|call| call.contains(&format!("\"{word}\\n\"")));
        let written = after(read, word, &|call| call.contains("pwrite64(") && call.contains(word));
        let synced =
            after(written, word, &|call| call.contains("fdatasync") && call.ends_with("= 0"));
        let is_shown = |call: &str| call.contains(&format!("\"alice: {word}\\n"));
        let shown = after(0, word, &is_shown);
        assert!(synced < shown, "{word}: {:#?}", &calls[read..=shown.max(synced)]);
        let people = calls.iter().filter(|call| is_shown(call)).count();
        assert_eq!(people, 2, "{word}");
    }
}

/// While the disk accepts nothing, everything that needs no disk works, and every other request
/// gets an answer.
fn works_without_a_disk(server: &Server, data: &Data, alice: &mut Guest, refusal: &str) {
    for line in ["again", "and again"] {
        assert!(!is_stored(alice, line, refusal));
    }
    let mut bob = Guest::connect(server.address);
    bob.say("bob");
    bob.until("You are bob");
    alice.until("bob has arrived");
    bob.say("/last 3");
    bob.lines_until("a line of before", |line| line.contains("] alice: "));
    bob.say("/join tea");
    bob.until("In tea: nobody else");
    bob.say("is there tea?");
    bob.until(refusal);
    // The owner of a registered name can enter too.
    let mut owner = Guest::connect(server.address);
    owner.say("alice");
    owner.until(ASKED);
    owner.say(PASSWORD);
    owner.until("You are alice");
    drop((bob, owner));
    alice.until("bob has left");
    let people = order(data, &["list"]).unwrap();
    assert!(people.iter().any(|line| line.contains("alice")), "{people:?}");
    order(data, &["ban", "mallory"]).ok(); // any answer will do
    let url = format!("http://{}/lobby?name=ci", server.web());
    let mut curl = Command::new("curl");
    let arguments = ["-s", "-m", "60", "-o", "/dev/null", "-w", "%{http_code}"];
    let answer = curl.args(arguments).args(["-d", "by curl", &url]).output();
    match answer {
        Ok(answer) => assert_eq!(String::from_utf8(answer.stdout).unwrap(), "503"),
        Err(_) => skip("curl is not installed"),
    }
}

/// The strace process of a server. Killing it mends the disk, even for a call that hangs.
fn tracer(server: &Server) -> Pid {
    let process = server.process().as_raw_nonzero();
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let mut lines = status.lines();
    let tracer = lines.find_map(|line| line.strip_prefix("TracerPid:"));
    Pid::from_raw(tracer.unwrap().trim().parse().unwrap()).unwrap()
}

/// A server whose disk fails permanently as the fault says, alice on it, and her stored lines.
fn failed(call: &str, fault: &str, refusal: &str) -> Option<(Data, Server, Guest, Vec<String>)> {
    let data = Data::new();
    let rules = injected(call, &format!("{fault}:when=40+"));
    let server = traced(&data, &rules, NOWHERE)?;
    let mut alice = come_back(&server, PASSWORD);
    let said = says_until_refused(&mut alice, 1, refusal, |number| number.to_string());
    Some((data, server, alice, said))
}

/// The disk fails permanently as the fault says, and works again at the end.
fn fails_permanently(call: &str, fault: &str, refusal: &str) {
    let Some((data, mut server, mut alice, mut said)) = failed(call, fault, refusal) else {
        return;
    };
    works_without_a_disk(&server, &data, &mut alice, refusal);
    kill_process(tracer(&server), Signal::KILL).unwrap();
    while !is_stored(&mut alice, "and on", refusal) {}
    said.push("and on".to_owned());
    server.logged("lines are stored again");
    server.kill(); // before it can repair anything
    stores_exactly(&data.lobby(), &said);
    assert_eq!(rows(&data.file(), "tea"), []);
    let log = server.log();
    let told = log.iter().filter(|line| line.contains(" ERROR "));
    assert!(told.count() <= 3, "{log:#?}");
}

#[test]
fn a_disk_that_keeps_failing_refuses_lines_while_people_come_and_go() {
    fails_permanently("fdatasync", "error=EIO", FAILED);
    fails_permanently("pwrite64", "error=EROFS", FAILED);
}

#[test]
fn a_disk_that_does_not_answer_refuses_lines_while_people_come_and_go() {
    fails_permanently("fdatasync", "delay_enter=120000000", NO_ANSWER);
}

#[test]
fn lines_refused_by_a_disk_that_keeps_failing_are_absent_after_a_kill() {
    for (call, fault, refusal) in [
        ("fdatasync", "error=EIO", FAILED),
        ("pwrite64", "error=EIO", FAILED),
        ("fdatasync", "delay_enter=120000000", NO_ANSWER),
    ] {
        let Some((data, mut server, _alice, mut said)) = failed(call, fault, refusal) else {
            return;
        };
        let tracer = tracer(&server);
        server.signal(Signal::KILL);
        if refusal == NO_ANSWER {
            kill_process(tracer, Signal::KILL).unwrap(); // a hanging call blocks the exit
        }
        server.ended();
        let server = data.open(&["--replay", "0"]);
        let mut alice = come_back(&server, PASSWORD);
        assert!(is_stored(&mut alice, "and on", refusal));
        said.push("and on".to_owned());
        server.close([alice]);
        stores_exactly(&data.lobby(), &said);
    }
}

/// When a disk answers again.
enum Mend {
    /// While the server runs.
    Running,
    /// After the server is killed.
    Killed,
}

#[test]
fn a_change_refused_by_a_disk_that_does_not_answer_is_undone() {
    for mend in [Mend::Running, Mend::Killed] {
        let data = Data::new();
        let rules = injected("fdatasync", "delay_enter=120000000:when=20+");
        let Some(mut server) = traced(&data, &rules, NOWHERE) else {
            return;
        };
        let mut alice = come_back(&server, PASSWORD);
        let (mut token, mut topic) = (String::new(), String::new());
        for number in 0..LINES_MAX {
            // A change of an account, and an act.
            let is_token = number % 2 == 0;
            let typed = if is_token { "/token".to_owned() } else { format!("/topic no. {number}") };
            alice.say(&typed);
            let mut answers = alice.lines_until("an answer", |line| !line.starts_with(SLOW));
            let answer = answers.pop().unwrap();
            if answer.starts_with(UNCHANGED) {
                break;
            }
            match answer.strip_prefix("-- Your token is ") {
                Some(shown) => token = shown.split(' ').next().unwrap().to_owned(),
                None => topic = format!("no. {number}"),
            }
        }
        let tracer = tracer(&server);
        match mend {
            Mend::Running => {
                kill_process(tracer, Signal::KILL).unwrap();
                while !is_stored(&mut alice, "and on", NO_ANSWER) {}
                server.kill();
            }
            Mend::Killed => {
                server.signal(Signal::KILL);
                kill_process(tracer, Signal::KILL).unwrap(); // a hanging call blocks the exit
                server.ended();
            }
        }
        drop(alice);
        let (server, web) = web::open(&data);
        let mut bob = enter(&server, "bob");
        bob.say("/topic");
        bob.lines_until("the topic", |line| line.ends_with(&topic));
        assert_eq!(speak(web, &token), "200", "the token that alice has read");
        server.close([bob]);
    }
}

/// Makes the next sync of a running server take a while, and fail. [`mend`] ends that. None if strace
/// may not trace a process that it has not started.
fn fail_once(server: &Server) -> Option<Child> {
    let process = server.process().as_raw_nonzero();
    let rules = injected("fdatasync", "error=EIO:delay_enter=4000000:when=1");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", NOWHERE, "-p", &process.to_string()]).args(rules.split(' '));
    let mut tracer = strace.stderr(Stdio::null()).spawn().unwrap();
    let is_traced = |task: fs::DirEntry| {
        let status = fs::read_to_string(task.path().join("status")).unwrap_or_default();
        !status.contains("TracerPid:\t0\n")
    };
    let begun = Instant::now();
    while !fs::read_dir(format!("/proc/{process}/task")).unwrap().flatten().all(is_traced) {
        if tracer.try_wait().unwrap().is_some() {
            skip("strace may trace only what it starts");
            return None;
        }
        assert!(begun.elapsed() < DEADLINE, "strace does not attach");
    }
    Some(tracer)
}

fn mend(mut tracer: Child) {
    tracer.kill().unwrap();
    tracer.wait().unwrap();
}

#[test]
fn requests_that_come_while_the_disk_fails_change_only_stored_state() {
    let data = Data::new();
    let Some(server) = traced(&data, &injected("fdatasync", "error=EIO:when=10000"), NOWHERE)
    else {
        return; // strace is not installed
    };
    drop(server);
    let (mut server, _) = web::open(&data);
    let mut alice = come_back(&server, PASSWORD);
    let token = alice.token();
    let mut other = come_back(&server, PASSWORD);
    other.send(format!("/register keep\n{PASSWORD}\nanother horse\n").as_bytes());
    other.until("-- Type the password again");
    // A token that stays is stored with the new password.
    let Some(tracer) = fail_once(&server) else {
        return;
    };
    alice.say("/token revoke");
    server.logged("the journal is slow");
    other.say("another horse");
    alice.lines_until("the refusal", |line| line.starts_with(UNCHANGED));
    other.lines_until("the new password", |line| line.starts_with("-- alice has a new password"));
    mend(tracer);
    drop((alice, other));
    // A name that stays with its owner is not free meanwhile.
    order(&data, &["keeper", "add", "alice"]).unwrap();
    let mut bob = enter(&server, "bob");
    let Some(tracer) = fail_once(&server) else {
        return;
    };
    thread::scope(|scope| {
        let released = scope.spawn(|| order(&data, &["name", "release", "alice"]));
        let mut keepers = String::new();
        while keepers != "-- Keepers of the server: nobody" {
            bob.say("/keeper");
            keepers = bob
                .lines_until("the keepers", |line| line.starts_with("-- Keepers of the server"))
                .pop()
                .unwrap();
        }
        bob.say("/name alice");
        bob.until(ASKED);
        let refused = released.join().unwrap();
        assert_eq!(
            refused,
            Err("the disk cannot be written right now; nothing is changed, try again later"
                .to_owned())
        );
    });
    mend(tracer);
    server.kill();
    let (server, web) = web::open(&data);
    let alice = come_back(&server, "another horse");
    assert_eq!(speak(web, &token), "200");
    drop(bob);
    server.close([alice]);
}

/// Fills the disk until it refuses lines, frees space, and says more. Returns the stored lines.
fn fills_up_and_recovers(server: &Server, refusal: &str, make_room: impl FnOnce()) -> Vec<String> {
    let mut alice = enter(server, "alice");
    let mut bob = enter(server, "bob");
    alice.until("bob has arrived");
    let long = |number: usize| format!("{number} {}", "x".repeat(3_000));
    let mut said = says_until_refused(&mut alice, 3, refusal, long);
    make_room();
    for line in (LINES_MAX..LINES_MAX + 100).map(long) {
        assert!(is_stored(&mut alice, &line, refusal), "{line:.5}");
        said.push(line);
    }
    hears(&mut bob, &said);
    said
}

#[test]
fn a_file_size_limit_refuses_lines_until_it_is_lifted() {
    let data = Data::new();
    data.open(&[]).close::<[(); 0]>([]); // this creates the file
    let mut server =
        Server::run(data.parlor_with_small_files(64), &[&HERE[..], &["--rate", "off"]].concat());
    let process = Some(server.process());
    let said = fills_up_and_recovers(&server, FAILED, || {
        let unlimited = Rlimit { current: None, maximum: None };
        prlimit(process, Resource::Fsize, unlimited).unwrap();
    });
    server.signal(Signal::TERM); // not `close`: the log has errors, as it must
    assert_eq!(server.ended().code(), Some(0));
    stores_exactly(&data.lobby(), &said);
}

#[test]
fn a_full_disk_refuses_lines_until_there_is_room() {
    let data = Data::new();
    let Some(parlor) = on_a_small_disk(&data) else { return };
    let mut server = Server::run(parlor, &[&HERE[..], &["--rate", "off"]].concat());
    let disk = server.directory(data.file().parent().unwrap());
    let said = fills_up_and_recovers(&server, FULL, || {
        fs::remove_file(in_directory(&disk, "ballast")).unwrap();
    });
    server.signal(Signal::TERM);
    assert_eq!(server.ended().code(), Some(0));
    copy_files(&disk, &data);
    stores_exactly(&data.lobby(), &said);
}

/// The program, with a small disk over its directory that is nearly full, and on which only `ballast`
/// can be deleted; none if no disk may be mounted here.
pub(crate) fn on_a_small_disk(data: &Data) -> Option<Command> {
    /// Mounts the disk for this process alone, fills most of it, and runs the server.
    const ON_A_SMALL_DISK: &str = "mount -t tmpfs -o size=16m tmpfs \"$PARLOR_DATA\" &&
        head -c 14M /dev/zero > \"$PARLOR_DATA/ballast\" && exec \"$0\" \"$@\"";
    // With the rights of root, or as root of a new namespace.
    let mounts = ["-m", "-rm"].into_iter().find(|how| {
        let mut command = data.parlor_by("unshare", &[how, "sh", "-c", ON_A_SMALL_DISK]);
        succeeds(command.arg("--version"))
    });
    let Some(how) = mounts else {
        skip("no disk may be mounted here, not even in a namespace");
        return None;
    };
    Some(data.parlor_by("unshare", &[how, "sh", "-c", ON_A_SMALL_DISK]))
}

/// Copies the file of lines from a disk that only this test still has open. Lines stay in the WAL if
/// the database has no space for them.
pub(crate) fn copy_files(disk: &File, data: &Data) {
    fs::copy(in_directory(disk, "parlor.db"), data.file()).unwrap();
    let ahead = in_directory(disk, "parlor.db-wal");
    if ahead.exists() {
        fs::copy(ahead, data.file().with_extension("db-wal")).unwrap();
    }
}

/// A file in a directory that may have no path outside the server.
pub(crate) fn in_directory(directory: &File, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}/{name}", directory.as_raw_fd()))
}
