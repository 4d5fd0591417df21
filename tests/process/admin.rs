//! The operator's commands while the server runs: the socket, and `parlor admin`.

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Instant;

use rustix::process::Signal;

use crate::DEADLINE;
use crate::data::{Data, enter};
use crate::guest::Guest;
use crate::owners::{PASSWORD, come_back, register};
use crate::server::{HERE, Server, parlor};

/// Gives a command. Returns whether it succeeded, and the words on stdout or else on stderr.
pub(crate) fn order(data: &Data, words: &[&str]) -> Result<Vec<String>, String> {
    let Output { status, stdout, stderr } =
        data.parlor().arg("admin").args(words).output().unwrap();
    let (stdout, stderr) = (String::from_utf8(stdout), String::from_utf8(stderr));
    let (stdout, stderr) = (stdout.unwrap(), stderr.unwrap());
    match status.code() {
        Some(0) => {
            assert_eq!(stderr, "");
            Ok(stdout.lines().map(str::to_owned).collect())
        }
        code => {
            assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
            let sentence = stderr.strip_prefix("parlor: ").unwrap();
            Err(sentence.trim_end().to_owned())
        }
    }
}

/// Gives a command that succeeds. Returns the words.
pub(crate) fn done(data: &Data, words: &[&str]) -> Vec<String> {
    order(data, words).unwrap()
}

#[test]
fn the_operator_sees_everybody() {
    let data = Data::new();
    let server = data.open(&[]);
    assert_eq!(done(&data, &["list"]), ["Nobody is here"]);
    let alice = enter(&server, "alice");
    let mut bob = enter(&server, "bob");
    bob.say("/join tea");
    bob.until("In tea: nobody else");
    let list = done(&data, &["list"]);
    let line = |guest: &Guest, name: &str, room: &str| {
        let address = guest.stream().local_addr().unwrap();
        format!("{name}, {address}, in {room}, active")
    };
    assert_eq!(list, [line(&alice, "alice", "lobby"), line(&bob, "bob", "tea")]);
    server.close([alice, bob]);
}

#[test]
fn a_health_check_needs_no_web_door_and_fails_without_a_server() {
    let data = Data::new();
    let server = data.open(&[]);
    assert_eq!(done(&data, &["ping"]), ["The server answers"]);
    server.close(());
    let refused = order(&data, &["ping"]).unwrap_err();
    assert!(refused.contains("no server runs on"), "{refused}");
}

#[test]
fn everybody_reads_what_the_operator_says() {
    let data = Data::new();
    let server = data.open(&["--listen", "tcp://127.0.0.1:0?classic"]);
    let classic = server.logged_times("listening tcp ", 2);
    let (_, classic) = classic.split_once("listening tcp ").unwrap();
    let mut alice = enter(&server, "alice");
    let mut bob = enter(&server, "bob");
    let mut carol = Guest::connect(classic.parse().unwrap());
    carol.line();
    bob.say("/join tea");
    bob.until("In tea: nobody else");
    let told = done(&data, &["broadcast", "a new disk,", "\u{1b}[2J back at one"]);
    assert_eq!(told, ["3 people were told"]);
    for guest in [&mut alice, &mut bob, &mut carol] {
        guest.until("-- The operator says: a new disk, ␛[2J back at one");
    }
    assert_eq!(order(&data, &["broadcast", " "]), Err("there is no text to send".to_owned()));
    server.close([alice, bob, carol]);
}

#[test]
fn a_removed_person_and_the_others_read_by_whom_and_why() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    let mut bob = enter(&server, "bob");
    assert_eq!(
        order(&data, &["kick", "zoe"]),
        Err("nobody is here as zoe; parlor admin list shows everybody".to_owned())
    );
    assert_eq!(done(&data, &["kick", "BOB", "no", "advertising"]), ["bob is removed"]);
    let last = bob.rest();
    assert_eq!(last, ["-- You were removed by the operator: no advertising"]);
    alice.until("bob was removed by the operator: no advertising");
    let bob = enter(&server, "bob"); // the name is free again
    assert_eq!(done(&data, &["kick", "bob"]), ["bob is removed"]);
    alice.until("bob was removed by the operator");
    server.close([alice, bob]);
}

#[test]
fn a_person_who_waits_for_the_rate_or_does_not_read_is_removed_too() {
    let data = Data::new();
    let server = Server::run(data.parlor(), &[&HERE[..], &["--rate", "1/s"]].concat());
    let mut alice = enter(&server, "alice");
    let mut hasty = enter(&server, "hasty");
    for line in 0..500 {
        hasty.say(&format!("line {line}"));
    }
    alice.until("hasty: line 1");
    assert_eq!(done(&data, &["kick", "hasty"]), ["hasty is removed"]);
    let rest = hasty.rest();
    assert_eq!(rest.last().unwrap(), "-- You were removed by the operator");
    alice.until("hasty was removed by the operator");
    alice.say("quiet now");
    alice.until("alice: quiet now");
    server.close([alice, hasty]);
}

#[test]
fn a_reload_answers_with_its_result() {
    let data = Data::new();
    let file = data.file().with_file_name("parlor.toml");
    fs::write(&file, "replay = 3").unwrap();
    let server = data.open(&["--config", file.to_str().unwrap()]);
    assert_eq!(done(&data, &["reload"]), ["the configuration has not changed"]);
    fs::write(&file, "replay = 4\nkeep = 'written'").unwrap();
    let stays = "keep cannot change while the server runs: it stays synced until a restart";
    assert_eq!(done(&data, &["reload"]), ["replay is 4 now", stays]);
    fs::write(&file, "replay = 'many'").unwrap();
    let sentence = order(&data, &["reload"]).unwrap_err();
    assert!(sentence.ends_with("; nothing is changed"), "{sentence}");
    drop(server); // an error is in its log
}

#[test]
fn the_socket_is_for_one_user_only_and_deleted_at_the_end() {
    let data = Data::new();
    let path = data.file().with_file_name("parlor.sock");
    let mut server = data.open(&[]);
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    server.kill();
    assert!(path.exists(), "nobody took it away");
    let nobody = order(&data, &["list"]).unwrap_err();
    assert!(nobody.starts_with("no server answers at "), "{nobody}");
    assert!(nobody.contains(": no server runs on "), "{nobody}");
    let server = data.open(&[]);
    assert_eq!(done(&data, &["list"]), ["Nobody is here"]);
    server.close(());
    assert!(!path.exists());
    assert!(order(&data, &["list"]).is_err());
}

#[test]
fn no_input_to_the_socket_delays_anybody() {
    let data = Data::new();
    let server = data.open(&[]);
    for bytes in [
        &b"\"dance\"\n"[..],
        b"{\"kick\":{}}\n", // as an older program asks
        b"[[[[[",
    ] {
        let answer = say_to_socket(&data, bytes);
        let refused = answer.starts_with("!this is not a command; /help lists them.");
        assert!(refused && answer.ends_with("\n.\n"), "{answer}");
    }
    assert_eq!(say_to_socket(&data, b"\n\xff\xfe\n"), ".\n"); // Enter, and a request of telnet
    say_to_socket(&data, &[b'['; 1 << 17]);
    let silent: Vec<_> = (0..3).map(|_| connect(&data)).collect();
    assert_eq!(say_to_socket(&data, b"/list"), "-- Nobody is here\n.\n");
    assert_eq!(done(&data, &["list"]), ["Nobody is here"]);
    server.close(silent);
}

fn connect(data: &Data) -> UnixStream {
    let stream = UnixStream::connect(data.file().with_file_name("parlor.sock")).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

/// The answer to a person who types by hand, or to a script.
fn say_to_socket(data: &Data, bytes: &[u8]) -> String {
    let mut stream = connect(data);
    stream.write_all(bytes).ok(); // the server may refuse before all bytes are there
    stream.shutdown(Shutdown::Write).ok();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok(); // it may reset the connection, with input unread
    answer
}

#[test]
fn a_person_at_the_socket_types_commands_and_reads_sentences() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    register(&mut alice, PASSWORD);
    let typed = "/broadcast tea is ready\r\n/KICK zoe\nhello\n/dance\n/topic lock\n/keeper alice\n/keeper\n\
                 /name password alice\nanother horse\n/log 1\n/quit\n/list\n";
    let answer = say_to_socket(&data, typed.as_bytes());
    let lines: Vec<_> = answer.lines().collect();
    assert_eq!(
        lines[..3],
        [
            "-- 1 person was told",
            "!nobody is here as zoe; parlor admin list shows everybody",
            "!this is not a command; /help lists them. If you typed parlor admin, it is of another version than the server",
        ]
    );
    assert!(lines[3].starts_with("!no command /dance"), "{answer}");
    assert!(lines[4].starts_with("!that needs a seat"), "{answer}");
    assert_eq!(
        lines[5..8],
        [
            "-- alice is a keeper",
            "-- Keepers of the server: alice",
            "-- alice has a new password: the owner's connections, return codes and token end",
        ]
    );
    assert!(lines[8].ends_with("the operator: name password alice"), "{answer}");
    assert_eq!(lines[9..], ["."]);
    let again = come_back(&server, "another horse");
    server.close([again]);
    drop(alice);
}

#[test]
fn the_answer_of_a_server_of_another_version_is_shown() {
    let data = Data::new();
    let socket = UnixListener::bind(data.file().with_file_name("parlor.sock")).unwrap();
    for (answer, said) in [
        ("!this server does not know that command\n", "this server does not know that command"),
        ("-- half an answer\n", "broke off"),
    ] {
        let server = thread::spawn({
            let socket = socket.try_clone().unwrap();
            move || {
                let (mut stream, _) = socket.accept().unwrap();
                let mut asked = String::new();
                stream.read_to_string(&mut asked).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
                asked
            }
        });
        let output = data.parlor().args(["admin", "list"]).output().unwrap();
        assert_eq!(server.join().unwrap(), "/list\n");
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(words.contains(said), "{words}");
    }
}

#[test]
fn a_name_of_several_words_is_refused_before_anything_is_sent() {
    let data = Data::new();
    let server = data.open(&[]);
    let bob = enter(&server, "bob");
    for words in [&["kick", "bob by"][..], &["ban", "bob 1h"], &["mute", "bob 1m"], &["kick", ""]] {
        order(&data, words).unwrap_err();
    }
    assert_eq!(done(&data, &["kick", " bob "]), ["bob is removed"]);
    server.close([bob]);
}

#[test]
fn a_path_too_long_for_a_socket_is_reported_and_the_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("x".repeat(120));
    let mut command = parlor();
    command.env_remove("PARLOR_MEMORY").env("PARLOR_DATA", &long);
    let server = Server::run(command, &HERE);
    server.logged("too long for a socket's path, so parlor admin cannot reach this server");
    enter(&server, "alice");
    let mut command = Command::new(env!("CARGO_BIN_EXE_parlor"));
    let output = command.args(["admin", "--data"]).arg(&long).arg("list").output();
    let words = String::from_utf8(output.unwrap().stderr).unwrap();
    assert!(words.contains("too long for a socket's path"), "{words}");
}

#[test]
fn a_wait_for_a_server_that_hangs_ends_with_a_sentence() {
    let data = Data::new();
    let server = data.open(&[]);
    server.signal(Signal::STOP);
    // More callers than the system queues.
    let waiting: Vec<_> = (0..40)
        .map(|_| {
            let mut command = data.parlor();
            command.args(["admin", "list"]).stderr(Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    for asked in waiting {
        let output = asked.wait_with_output().unwrap();
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(words.contains(" does not answer: it is stopped"), "{words}");
    }
    server.signal(Signal::CONT);
    // The server attends to the earlier callers first.
    let until = Instant::now() + DEADLINE;
    while order(&data, &["list"]).is_err() {
        assert!(Instant::now() < until, "it answers again");
    }
    server.close(());
}

#[test]
fn a_socket_that_was_swept_away_comes_back() {
    let data = Data::new();
    let server = data.open(&[]);
    fs::remove_file(data.file().with_file_name("parlor.sock")).unwrap();
    server.logged("the socket of parlor admin was missing; the server has created a new one");
    assert_eq!(done(&data, &["list"]), ["Nobody is here"]);
    server.close(());
}

/// Gives a command with standard input. Returns whether it succeeded, and the words.
fn order_with(data: &Data, words: &[&str], input: impl AsRef<[u8]>) -> Result<String, String> {
    let mut child = data
        .parlor()
        .arg("admin")
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_ref()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap().trim_end().to_owned();
    match output.status.success() {
        true => Ok(text(output.stdout)),
        false => Err(text(output.stderr)),
    }
}

#[test]
fn the_operator_sets_a_password_for_an_owner_who_forgot_theirs() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    register(&mut alice, PASSWORD);
    let mut thief = come_back(&server, PASSWORD);
    let mut bob = enter(&server, "bob");
    let set = |name, password: &str| order_with(&data, &["name", "password", name], password);
    let latin_1 = b"gr\xfcne W\xe4lder\n";
    let refused = order_with(&data, &["name", "password", "alice"], latin_1).unwrap_err();
    assert!(refused.contains("the password is not in UTF-8"), "{refused}");
    assert_eq!(
        set("norbert", "another horse\n"),
        Err("parlor: norbert is not registered".to_owned())
    );
    let short = set("alice", "short\n").unwrap_err();
    assert!(short.contains("8 characters"), "{short}");
    let in_the_open =
        data.parlor().args(["admin", "name", "password", "alice", "another horse"]).output();
    assert_eq!(in_the_open.unwrap().status.code(), Some(2), "never an argument");
    let told = set("Alice", "another horse\n").unwrap();
    assert!(told.starts_with("Alice has a new password: "), "{told}");
    for guest in [&mut alice, &mut thief] {
        let last = guest.rest().pop().unwrap();
        assert_eq!(last, "-- The name you use has a new password; this connection is closed");
    }
    let again = come_back(&server, "another horse");
    bob.until("alice has left");
    assert_eq!(bob.line(), "alice has arrived", "one person, who left once");
    let log = done(&data, &["log"]);
    assert!(log.last().unwrap().ends_with("the operator: name password Alice"), "{log:?}");
    server.close([again, bob]);
}

#[test]
fn a_released_name_is_free_and_all_data_of_its_owner_is_deleted() {
    let data = Data::new();
    let server = data.open(&[]);
    assert_eq!(done(&data, &["name", "list"]), ["No name is registered"]);
    let mut alice = enter(&server, "alice");
    register(&mut alice, PASSWORD);
    done(&data, &["keeper", "add", "alice"]);
    let list = done(&data, &["name", "list"]);
    assert!(list[0].starts_with("alice, registered 20"), "{list:?}");
    assert!(list[0].contains(", last seen 20"), "{list:?}");
    alice.say("/code");
    let told = alice.lines_until("the code", |line| line.starts_with("-- Your return code is "));
    let code = told.last().unwrap()["-- Your return code is ".len()..].to_owned();
    let code = code.split([':', ' ']).next().unwrap();
    assert_eq!(order(&data, &["name", "release", "bob"]), Err("bob is not registered".to_owned()));
    assert_eq!(done(&data, &["name", "release", "alice"]), ["alice is free again"]);
    let last = alice.rest().pop().unwrap();
    assert_eq!(last, "-- You were removed by the operator: this name is no longer registered");
    assert_eq!(done(&data, &["name", "list"]), ["No name is registered"]);
    assert_eq!(done(&data, &["keeper", "list"]), ["Keepers of the server: nobody"]);
    let mut stranger = Guest::connect(server.address);
    stranger.say(&format!("/resume {code}"));
    stranger.lines_until("a refusal", |line| line.contains("return code is wrong"));
    stranger.say("alice");
    stranger.until("You are alice");
    register(&mut stranger, "a third horse");
    server.close([stranger]);
    let server = data.open(&[]);
    let alice = come_back(&server, "a third horse");
    server.close([alice]);
}
