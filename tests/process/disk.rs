//! Disks that fail: nobody sees what is not kept, nothing is kept that was refused, and the server goes on by itself.

use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use tempfile::TempDir;

use crate::admin::order;
use crate::data::{Data, Row, enter, rows};
use crate::guest::Guest;
use crate::house::{HERE, House};
use crate::owners::{ASKED, PASSWORD, come_back, register};
use crate::skip;

const FULL: &str = "-- Not sent: the disk is full; try again later";
const FAILED: &str = "-- Not sent: the disk has failed; try again later";
const NO_ANSWER: &str = "-- Not sent: the disk does not answer; try again later";
const SLOW: &str = "-- The disk is slow";

/// In vain, so many lines would be said before a disk fails.
const LINES_MAX: usize = 2_000;

fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// A server under strace, which is told these words, and writes what it sees into this file.
fn traced(data: &Data, rules: &str, seen: &Path) -> Option<House> {
    // Not its parent: signals and the end are those of the server itself. Nor by a filter, which stays when it is gone.
    let tracer = format!("-D -f -qq -s 4096 -o {}", seen.display());
    let arguments: Vec<_> = tracer.split(' ').chain(rules.split(' ')).collect();
    if !succeeds(Command::new("strace").args(&arguments).arg("true")) {
        skip("strace is not installed, or may trace nothing here");
        return None;
    }
    // The file is there, and alice owns her name: what is traced is what people say.
    let house = data.open(&["--replay", "0"]);
    let mut alice = enter(&house, "alice");
    register(&mut alice, PASSWORD);
    house.close([alice]);
    let parlor = data.parlor_by("strace", &arguments);
    let web = ["--listen", "http://127.0.0.1:0"];
    let options = ["--rate", "off", "--replay", "0"];
    Some(House::run(parlor, &[&HERE[..], &web, &options].concat()))
}

/// What strace is to be told, so that a call fails as `fault` says: `error=EIO:when=20`.
fn injected(call: &str, fault: &str) -> String {
    format!("--trace={call} --inject={call}:{fault}")
}

/// Says a line, and waits for the answer to it. Whether it is kept; if not, the reason is this.
fn is_kept(alice: &mut Guest, line: &str, refusal: &str) -> bool {
    alice.say(line);
    let mut answers = alice.lines_until("an answer", |answer| !answer.starts_with(SLOW));
    let answer = answers.pop().unwrap();
    let is_kept = answer == format!("alice: {line}");
    assert!(is_kept || answer == refusal, "{answer}");
    is_kept
}

/// The file has these lines, in this order, under numbers without a gap.
fn has_exactly(kept: &[Row], said: &[String]) {
    let texts: Vec<_> = kept.iter().map(|row| &row.text).collect();
    assert_eq!(texts, said.iter().collect::<Vec<_>>());
    assert!(kept.iter().zip(1..).all(|(row, seq)| row.seq == seq));
}

/// The disk fails again and again, as the rule says. Then the server is killed, before it could put anything right.
fn fails_and_goes_on(call: &str, fault: &str, refusal: &str) {
    let (data, scratch) = (Data::new(), TempDir::new().unwrap());
    let traced = traced(&data, &injected(call, fault), &scratch.path().join("seen"));
    let Some(mut house) = traced else { return };
    let mut alice = come_back(&house, PASSWORD);
    let mut bob = enter(&house, "bob");
    alice.until("bob has arrived");
    let (mut said, mut refused) = (Vec::new(), 0);
    for number in 0..LINES_MAX {
        let line = number.to_string();
        if is_kept(&mut alice, &line, refusal) {
            assert_eq!(
                bob.line(),
                format!("alice: {line}"),
                "nobody sees what is not kept"
            );
            said.push(line);
        } else {
            refused += 1;
        }
        if refused == 5 {
            break;
        }
    }
    assert_eq!(refused, 5, "{call} never fails");
    house.signal(Signal::KILL);
    house.ended();
    assert_eq!(bob.last_words(), "");
    has_exactly(&data.lobby(), &said);
    assert!(succeeds(data.parlor().arg("check")));
    let house = data.open(&["--replay", "0"]);
    let mut alice = come_back(&house, PASSWORD);
    said.push("and on".to_owned());
    assert!(is_kept(&mut alice, "and on", refusal));
    house.close([alice]);
    has_exactly(&data.lobby(), &said);
}

#[test]
fn a_sync_that_fails_keeps_nothing_that_was_refused() {
    fails_and_goes_on("fdatasync", "error=EIO:when=20+7", FAILED);
}

#[test]
fn a_write_that_fails_keeps_nothing_that_was_refused() {
    fails_and_goes_on("pwrite64", "error=EIO:when=50+31", FAILED);
    fails_and_goes_on("pwrite64", "error=ENOSPC:when=50+31", FULL);
}

#[test]
fn a_checkpoint_that_fails_loses_nothing() {
    checkpoints_fail(
        "fdatasync",
        "error=EIO:when=1+2",
        "make a backup on another disk",
    );
    checkpoints_fail(
        "pwrite64",
        "error=EIO:when=20+300",
        "cannot be moved into the database yet",
    );
}

/// What is written ahead cannot always be moved to its place, as the rule says. Nobody who speaks notices.
fn checkpoints_fail(call: &str, fault: &str, told: &str) {
    let (data, scratch) = (Data::new(), TempDir::new().unwrap());
    let file = data.file();
    let rules = format!("-P {} {}", file.display(), injected(call, fault));
    let Some(mut house) = traced(&data, &rules, &scratch.path().join("seen")) else {
        return;
    };
    let mut alice = come_back(&house, PASSWORD);
    let has_failed = || {
        let log = house.log();
        let failures = log.iter().filter(|line| line.contains(told));
        failures.count() >= 2
    };
    let mut said = Vec::new();
    while !has_failed() && said.len() < 2 * LINES_MAX {
        let line = format!("{} {}", said.len(), "x".repeat(3_000));
        assert!(is_kept(&mut alice, &line, FAILED));
        said.push(line);
    }
    assert!(has_failed(), "{call} never fails");
    house.signal(Signal::KILL);
    house.ended();
    has_exactly(&data.lobby(), &said);
    assert!(succeeds(data.parlor().arg("check")));
}

#[test]
fn every_line_is_synced_between_being_read_and_being_shown() {
    const CALLS: &str = "--trace=recvfrom,read,readv,pwrite64,fdatasync,sendto,write,writev";
    let (data, scratch) = (Data::new(), TempDir::new().unwrap());
    let seen = scratch.path().join("seen");
    let Some(house) = traced(&data, CALLS, &seen) else {
        return;
    };
    let mut alice = come_back(&house, PASSWORD);
    let mut bob = enter(&house, "bob");
    let words: Vec<_> = (100..150).map(|number| format!("word{number}")).collect();
    for word in &words {
        alice.say(word);
        bob.until(&format!("alice: {word}"));
    }
    house.close([alice, bob]);
    let seen = fs::read_to_string(seen).unwrap();
    let is_of_words = |call: &&str| call.contains("word") || call.contains("fdatasync");
    let calls: Vec<_> = seen.lines().filter(is_of_words).collect();
    let after = |start: usize, what: &str, is_it: &dyn Fn(&str) -> bool| {
        let found = calls.iter().skip(start).position(|call| is_it(call));
        start + found.unwrap_or_else(|| panic!("is never {what}"))
    };
    for word in &words {
        let read = after(0, word, &|call| call.contains(&format!("\"{word}\\n\"")));
        let written = after(read, word, &|call| {
            call.contains("pwrite64(") && call.contains(word)
        });
        let synced = after(written, word, &|call| {
            call.contains("fdatasync") && call.ends_with("= 0")
        });
        let is_shown = |call: &str| call.contains(&format!("\"alice: {word}\\n"));
        let shown = after(0, word, &is_shown);
        assert!(
            synced < shown,
            "{word}: {:#?}",
            &calls[read..=shown.max(synced)]
        );
        let people = calls.iter().filter(|call| is_shown(call)).count();
        assert_eq!(people, 2, "{word}");
    }
}

/// Says lines until one is refused, for this reason. Those that were kept.
fn says_until_refused(alice: &mut Guest, refusal: &str) -> Vec<String> {
    let mut said = Vec::new();
    loop {
        let line = said.len().to_string();
        if !is_kept(alice, &line, refusal) {
            return said;
        }
        said.push(line);
        assert!(said.len() < LINES_MAX, "the disk never fails");
    }
}

/// While the disk takes nothing, people do all that needs none, and all others are answered.
fn goes_on_without_a_disk(house: &House, data: &Data, alice: &mut Guest, refusal: &str) {
    for line in ["again", "and again"] {
        assert!(!is_kept(alice, line, refusal));
    }
    let mut bob = Guest::connect(house.address);
    bob.say("bob");
    bob.until("You are bob");
    alice.until("bob has arrived");
    bob.say("/last 3");
    bob.lines_until("a line of before", |line| line.contains("] alice: "));
    bob.say("/join tea");
    bob.until("In tea: nobody else");
    bob.say("is there tea?");
    bob.until(refusal);
    // Also somebody whose name has an owner.
    let mut owner = Guest::connect(house.address);
    owner.say("alice");
    owner.until(ASKED);
    owner.say(PASSWORD);
    owner.until("You are alice");
    drop((bob, owner));
    alice.until("bob has left");
    let people = order(data, &["list"]).unwrap();
    assert!(
        people.iter().any(|line| line.contains("alice")),
        "{people:?}"
    );
    order(data, &["ban", "mallory"]).ok(); // it is answered
    let line = house.logged("listening http ");
    let (_, web) = line.split_once("listening http ").unwrap();
    let url = format!("http://{}/lobby?name=ci", web.trim());
    let mut curl = Command::new("curl");
    let arguments = ["-s", "-m", "60", "-o", "/dev/null", "-w", "%{http_code}"];
    let answer = curl.args(arguments).args(["-d", "by curl", &url]).output();
    match answer {
        Ok(answer) => assert_eq!(String::from_utf8(answer.stdout).unwrap(), "503"),
        Err(_) => skip("curl is not installed"),
    }
}

/// Who makes the calls of a server fail. Without it the disk is as it was before, also for a call that it did not answer.
fn tracer(house: &House) -> Pid {
    let process = house.process().as_raw_nonzero();
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let mut lines = status.lines();
    let tracer = lines.find_map(|line| line.strip_prefix("TracerPid:"));
    Pid::from_raw(tracer.unwrap().trim().parse().unwrap()).unwrap()
}

/// Fails for good, as the fault says, and works again in the end.
fn fails_for_good(call: &str, fault: &str, refusal: &str) {
    let (data, scratch) = (Data::new(), TempDir::new().unwrap());
    let rules = injected(call, &format!("{fault}:when=40+"));
    let Some(mut house) = traced(&data, &rules, &scratch.path().join("seen")) else {
        return;
    };
    let mut alice = come_back(&house, PASSWORD);
    let mut said = says_until_refused(&mut alice, refusal);
    goes_on_without_a_disk(&house, &data, &mut alice, refusal);
    kill_process(tracer(&house), Signal::KILL).unwrap();
    while !is_kept(&mut alice, "and on", refusal) {}
    said.push("and on".to_owned());
    house.logged("lines are stored again");
    house.signal(Signal::KILL); // before it could put anything right
    house.ended();
    has_exactly(&data.lobby(), &said);
    assert_eq!(rows(&data.file(), "tea"), []);
    let log = house.log();
    let told = log.iter().filter(|line| line.contains(" ERROR "));
    assert!(told.count() <= 3, "{log:#?}");
}

#[test]
fn a_disk_that_fails_for_good_refuses_lines_and_people_come_and_go() {
    fails_for_good("fdatasync", "error=EIO", FAILED);
    fails_for_good("pwrite64", "error=EROFS", FAILED);
}

#[test]
fn a_disk_that_does_not_answer_refuses_lines_and_people_come_and_go() {
    // Longer than the test.
    fails_for_good("fdatasync", "delay_enter=120000000", NO_ANSWER);
}

#[test]
fn what_a_disk_refused_that_fails_for_good_is_not_there_after_a_kill() {
    for (call, fault, refusal) in [
        ("fdatasync", "error=EIO", FAILED),
        ("pwrite64", "error=EIO", FAILED),
        ("fdatasync", "delay_enter=120000000", NO_ANSWER),
    ] {
        let (data, scratch) = (Data::new(), TempDir::new().unwrap());
        let rules = injected(call, &format!("{fault}:when=40+"));
        let Some(mut house) = traced(&data, &rules, &scratch.path().join("seen")) else {
            return;
        };
        let mut alice = come_back(&house, PASSWORD);
        let mut said = says_until_refused(&mut alice, refusal);
        let tracer = tracer(&house);
        house.signal(Signal::KILL);
        if refusal == NO_ANSWER {
            kill_process(tracer, Signal::KILL).unwrap(); // what waits for it cannot end
        }
        house.ended();
        let house = data.open(&["--replay", "0"]);
        let mut alice = come_back(&house, PASSWORD);
        assert!(is_kept(&mut alice, "and on", refusal));
        said.push("and on".to_owned());
        house.close([alice]);
        has_exactly(&data.lobby(), &said);
    }
}

/// Fills the disk with lines until it takes no more, makes room, and says more. What was kept.
fn fills_up_and_goes_on(house: &House, refusal: &str, make_room: impl FnOnce()) -> Vec<String> {
    let mut alice = enter(house, "alice");
    let mut bob = enter(house, "bob");
    alice.until("bob has arrived");
    let long = |number: usize| format!("{number} {}", "x".repeat(3_000));
    let (mut said, mut refused) = (Vec::new(), 0);
    for line in (0..LINES_MAX).map(long) {
        if is_kept(&mut alice, &line, refusal) {
            said.push(line);
        } else {
            refused += 1;
        }
        if refused == 3 {
            break;
        }
    }
    assert_eq!(refused, 3, "it is never full");
    make_room();
    for line in (LINES_MAX..LINES_MAX + 100).map(long) {
        assert!(is_kept(&mut alice, &line, refusal), "{line:.5}");
        said.push(line);
    }
    for line in &said {
        assert_eq!(
            bob.line(),
            format!("alice: {line}"),
            "nobody sees what is not kept"
        );
    }
    said
}

#[test]
fn a_disk_that_takes_no_more_refuses_lines_and_takes_them_again_later() {
    let data = Data::new();
    data.open(&[]).close::<[(); 0]>([]); // the file is there
    let mut house = House::run(
        data.parlor_with_small_files(64),
        &[&HERE[..], &["--rate", "off"]].concat(),
    );
    let process = Some(house.process());
    let said = fills_up_and_goes_on(&house, FAILED, || {
        let unlimited = Rlimit {
            current: None,
            maximum: None,
        };
        prlimit(process, Resource::Fsize, unlimited).unwrap();
    });
    house.signal(Signal::TERM); // not closed as usual: the log has errors, as it must
    assert_eq!(house.ended().code(), Some(0));
    has_exactly(&data.lobby(), &said);
}

#[test]
fn a_disk_that_is_full_refuses_lines_and_takes_them_again_when_there_is_room() {
    /// Mounts a disk in the place of a directory, for this process alone, fills most of it, and goes on as the server.
    const ON_A_SMALL_DISK: &str = "mount -t tmpfs -o size=16m tmpfs \"$PARLOR_DATA\" &&
        head -c 14M /dev/zero > \"$PARLOR_DATA/ballast\" && exec \"$0\" \"$@\"";
    let data = Data::new();
    // With the rights of root, or else with those that root has in a namespace of one's own.
    let mounts = ["-m", "-rm"].into_iter().find(|how| {
        let mut command = data.parlor_by("unshare", &[how, "sh", "-c", ON_A_SMALL_DISK]);
        succeeds(command.arg("--version"))
    });
    let Some(how) = mounts else {
        return skip("no disk may be mounted here, not even in a namespace of one's own");
    };
    let parlor = data.parlor_by("unshare", &[how, "sh", "-c", ON_A_SMALL_DISK]);
    let mut house = House::run(parlor, &[&HERE[..], &["--rate", "off"]].concat());
    let disk = house.directory(data.file().parent().unwrap());
    let said = fills_up_and_goes_on(&house, FULL, || {
        fs::remove_file(in_directory(&disk, "ballast")).unwrap();
    });
    house.signal(Signal::TERM);
    assert_eq!(house.ended().code(), Some(0));
    // Nobody but this test has the disk any more. What is written ahead stays so where it finds no room in its place.
    fs::copy(in_directory(&disk, "parlor.db"), data.file()).unwrap();
    let ahead = in_directory(&disk, "parlor.db-wal");
    if ahead.exists() {
        fs::copy(ahead, data.file().with_extension("db-wal")).unwrap();
    }
    has_exactly(&data.lobby(), &said);
}

/// A file in a directory that has perhaps no path here.
fn in_directory(directory: &File, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}/{name}", directory.as_raw_fd()))
}
