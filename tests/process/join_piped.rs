//! `parlor join` with pipes: it copies like netcat, and explains its failures.

use std::net::TcpListener;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use assert_cmd::Command;
use assert_cmd::assert::Assert;

use crate::DEADLINE;
use crate::data::{Data, enter};
use crate::fake::Fake;
use crate::guest::Guest;
use crate::owners::{PASSWORD, register};
use crate::server::{Server, parlor};

/// Runs the client with `input` on a pipe that then ends, against a server played by `server`.
fn join(input: &[u8], more: &[&str], server: impl FnOnce(Fake) + Send + 'static) -> Assert {
    let fake = Fake::new();
    let address = fake.address();
    let server = thread::spawn(move || server(fake));
    let assert = run(&[&[address.as_str()][..], more].concat(), input);
    server.join().expect("the server plays its part");
    assert
}

/// Runs `parlor join` with these arguments, and `input` on a pipe that then ends.
fn run(arguments: &[&str], input: impl Into<Vec<u8>>) -> Assert {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parlor"));
    command.arg("join").args(arguments);
    command.timeout(DEADLINE).write_stdin(input).assert()
}

/// Runs the client against the real server. Returns its stdout.
fn join_server(server: &Server, input: &str, more: &[&str]) -> String {
    let assert = run(&[&[server.address.to_string().as_str()][..], more].concat(), input);
    let output = assert.success().stderr("").get_output().stdout.clone();
    String::from_utf8(output).unwrap()
}

/// The stderr of a client that failed.
fn failure(assert: Assert) -> String {
    let output = assert.failure().code(1).get_output().stderr.clone();
    String::from_utf8(output).unwrap()
}

#[test]
fn a_bot_says_hello_from_a_pipe() {
    let server = Server::open(&[]);
    let mut wendy = Guest::enter(server.address, "wendy");
    let shown = join_server(&server, "hello\n", &["--name", "bot"]);
    let lines: Vec<_> = shown.lines().collect();
    assert!(lines.contains(&"You are bot"), "{shown}");
    assert_eq!(lines.last(), Some(&"bot: hello"));
    let seen = wendy.until("bot has left");
    assert_eq!(seen, ["bot has arrived", "bot: hello", "bot has left"]);
    server.close(wendy);
}

#[test]
fn a_name_that_is_taken_is_a_failure_and_nothing_is_sent() {
    let server = Server::open(&[]);
    let mut wendy = Guest::enter(server.address, "wendy");
    let address = server.address.to_string();
    let refused = run(&[address.as_str(), "--name", "wendy"], "deployed\n");
    let shown = String::from_utf8(refused.get_output().stdout.clone()).unwrap();
    assert!(shown.contains("\n-- wendy is taken"), "{shown}");
    let sentence = "parlor: Nothing was sent, give another --name: the server says \
                    \"wendy is taken, or looks like a name that is taken; choose another name\".\n";
    assert_eq!(failure(refused), sentence);
    wendy.say("alone");
    assert_eq!(wendy.line(), "wendy: alone");
    server.close(wendy);
}

#[test]
fn a_refusal_of_the_server_cannot_control_the_terminal() {
    let refused = join(b"hello\n", &["--name", "al"], |fake| {
        let mut guest = fake.accept();
        guest.say("You are 127.0.0.1:64208");
        guest.say("What is your name?");
        assert_eq!(guest.heard(), "al");
        guest.send(b"-- \x1b[31mno\nWhat is your name?\n");
        assert_eq!(guest.heard_to_the_end(), b"", "no line is taken for a name");
    });
    let sentence = "parlor: Nothing was sent, give another --name: the server says \"␛[31mno\".\n";
    refused.failure().code(1).stderr(sentence);
}

#[test]
fn a_full_server_is_a_failure_for_a_client_with_a_name() {
    join(b"hello\n", &["--name", "al"], |fake| {
        fake.accept().say("-- The server is full");
    })
    .failure()
    .code(1)
    .stdout("-- The server is full\n")
    .stderr("parlor: Nothing was sent, try again later: the server says \"The server is full\".\n");
}

#[test]
fn a_server_that_asks_for_no_name_is_sent_none() {
    for url in ["tcp://127.0.0.1:0?classic", "tcp://127.0.0.1:0?names=address"] {
        let server = Server::run(parlor(), &["--listen", url]);
        let shown = join_server(&server, "hello\n", &["--name", "bot"]);
        let (first, last) = (shown.lines().next(), shown.lines().last());
        let me = first.and_then(|line| line.strip_prefix("You are "));
        let said = last.and_then(|line| line.strip_suffix(": hello"));
        assert!(me.is_some() && me == said, "{shown}");
        assert!(!shown.contains("bot"), "{shown}");
        server.close(());
    }
}

#[test]
fn a_line_waits_for_a_question_that_is_late() {
    join(b"hello\n", &["--name", "al"], |fake| {
        let mut guest = fake.accept();
        thread::sleep(Duration::from_millis(1_500)); // like a busy server
        guest.send(b"You are 127.0.0.1:64208\nWhat is your ");
        guest.send(b"name?\n");
        assert_eq!(guest.heard(), "al");
        guest.say("You are al");
        assert_eq!(guest.heard(), "hello");
    })
    .success()
    .stdout("You are 127.0.0.1:64208\nWhat is your name?\nYou are al\n");
}

#[test]
fn host_and_port_are_accepted_in_every_usual_form() {
    let server = Server::open(&[]);
    let (ip, port) = (server.address.ip().to_string(), server.address.port());
    let port = port.to_string();
    let url = format!("tcp://{}", server.address);
    for place in [&[ip.as_str(), &port][..], &[url.as_str()]] {
        let joined = run(&[place, &["--name", "bot"][..]].concat(), "hello\n");
        let output = joined.success().get_output().stdout.clone();
        let shown = String::from_utf8(output).unwrap();
        assert!(shown.ends_with("\nbot: hello\n"), "{place:?}: {shown}");
    }
    server.close(());
}

#[test]
fn more_lines_than_a_pipe_holds_come_back_complete_and_in_order() {
    let server = Server::open(&["--rate", "off"]);
    let said: String = (0..20_000).map(|line| format!("{line}\n")).collect();
    let shown = join_server(&server, &said, &["--name", "bot"]);
    let echoed = shown.lines().filter_map(|line| line.strip_prefix("bot: "));
    let skipped = shown.lines().find(|line| line.contains("skipped: "));
    assert_eq!(skipped, None);
    assert!(echoed.eq(said.lines()), "{shown}");
    server.close(());
}

#[test]
fn a_pipe_is_a_plain_copy_both_ways() {
    let typed: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let expected = typed.clone();
    join(&typed, &[], move |fake| {
        let mut guest = fake.accept();
        let heard = guest.heard_to_the_end();
        assert!(heard == expected, "every byte arrives, {} did", heard.len());
        guest.send(&heard);
    })
    .success()
    .stdout(typed)
    .stderr("");
}

#[test]
fn lines_after_the_end_of_the_input_are_still_shown() {
    join(b"last words", &[], |fake| {
        let mut guest = fake.accept();
        assert_eq!(guest.heard_to_the_end(), b"last words");
        guest.say("127.0.0.1:64208: last words");
        guest.say("-- and good night");
    })
    .success()
    .stdout("127.0.0.1:64208: last words\n-- and good night\n");
}

#[test]
fn the_end_of_the_server_ends_the_client_although_its_input_is_open() {
    let fake = Fake::new();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_parlor"))
        .args(["join", &fake.address()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let input = child.stdin.take();
    fake.accept().close();
    let (sender, receiver) = std::sync::mpsc::channel();
    thread::spawn(move || sender.send(child.wait()));
    let status = receiver.recv_timeout(DEADLINE).expect("it ends in time").unwrap();
    assert!(status.success(), "{status}");
    drop(input);
}

#[test]
fn a_connection_that_breaks_is_a_failure_with_a_sentence() {
    let broken = join(b"hello\n", &[], |fake| {
        let mut guest = fake.accept();
        guest.heard();
        guest.say("bob: hi");
        guest.reset();
    });
    let sentence = failure(broken);
    assert!(
        sentence.contains("The connection to 127.0.0.1:") && sentence.contains(" broke: "),
        "{sentence}"
    );
    assert_eq!(sentence.lines().count(), 1);
}

#[test]
fn a_port_without_a_server_is_a_failure_with_a_sentence() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let sentence = failure(run(&[free.to_string().as_str()], ""));
    assert!(sentence.contains(&format!("No server listens at {free}")), "{sentence}");
    assert_eq!(sentence.lines().count(), 1);
}

#[test]
fn a_name_of_two_lines_is_refused_before_anything_is_sent() {
    failure(run(&["127.0.0.1:1", "--name", "a\nb"], ""));
}

#[test]
fn a_registered_name_is_an_immediate_failure_that_says_what_to_do() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    register(&mut alice, PASSWORD);
    let address = server.address.to_string();
    let words = failure(run(&[address.as_str(), "--name", "alice"], "hello\n"));
    assert!(words.contains("speak with curl -u NAME:TOKEN"), "{words}");
    server.close(alice);
}

#[test]
fn a_server_of_another_kind_is_a_failure_that_names_the_port_for_lines() {
    for opening in [
        "SSH-2.0-OpenSSH_9.6\r",
        "220 mail.example.org ESMTP\r",
        "+OK ready\r",
        "* OK IMAP4rev1 ready\r",
        "RFB 003.008",
        ":irc.example.org NOTICE * :*** Looking up your hostname...\r",
    ] {
        for more in [&["--name", "bot"][..], &[]] {
            let is_named = !more.is_empty();
            let assert = join(b"hello\n", more, move |fake| {
                let mut guest = fake.accept();
                guest.say(opening);
                let heard = guest.heard_to_the_end(); // the fake closes nothing by itself
                assert!(!is_named || heard.is_empty(), "{heard:?}");
            });
            let words = failure(assert);
            let advice =
                "join the port for lines, usually 8000, or 8043 with tls://: the server says";
            assert!(words.contains(advice), "{words}");
            assert!(words.contains(opening.trim_end()), "{words}");
        }
    }
}

#[test]
fn the_port_for_browsers_is_a_failure_that_names_the_port_for_lines() {
    let assert = join(b"hello\n", &["--name", "bot"], |fake| {
        let mut guest = fake.accept();
        guest.say("HTTP/1.1 400 Bad Request");
        guest.close();
    });
    let words = failure(assert);
    assert!(words.contains("the port for lines, usually 8000"), "{words}");
}

#[test]
fn a_silent_server_is_a_failure_that_explains_the_ports() {
    for more in [&["--name", "bot"][..], &[]] {
        let assert = join(b"hello\n", more, |fake| {
            std::mem::forget(fake.accept()); // it stays open and silent
        });
        let words = failure(assert);
        assert!(words.contains("8080 is for browsers"), "{words}");
    }
}
