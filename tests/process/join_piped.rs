//! `parlor join` with pipes: what netcat does, and what it prints when it fails.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a step that fails, fails the test"
)]

mod fake;

use assert_cmd::Command;
use assert_cmd::assert::Assert;
use fake::{DEADLINE, Fake};
use std::net::TcpListener;
use std::process::Stdio;
use std::thread;

/// Runs the client with `input` on a pipe that then ends, against what `server` does meanwhile.
fn join(input: &[u8], more: &[&str], server: impl FnOnce(Fake) + Send + 'static) -> Assert {
    let fake = Fake::new();
    let address = fake.address();
    let server = thread::spawn(move || server(fake));
    let mut command = Command::new(env!("CARGO_BIN_EXE_parlor"));
    let assert = command
        .args(["join", &address])
        .args(more)
        .timeout(DEADLINE)
        .write_stdin(input)
        .assert();
    server
        .join()
        .expect("the server's side of the story went as told");
    assert
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
fn what_is_said_after_the_end_of_the_input_is_still_shown() {
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
fn a_name_goes_first() {
    join(b"hello\n", &["--name", "bot"], |fake| {
        assert_eq!(fake.accept().heard_to_the_end(), b"bot\nhello\n");
    })
    .success();
}

#[test]
fn a_refused_name_is_answered_by_the_next_line() {
    join(b"bot2\nhello\n", &["--name", "bot"], |fake| {
        let mut guest = fake.accept();
        assert_eq!(guest.heard(), "bot");
        guest.say("-- That name is taken");
        assert_eq!(guest.heard(), "bot2");
        assert_eq!(guest.heard(), "hello");
    })
    .success()
    .stdout("-- That name is taken\n");
}

#[test]
fn the_end_of_the_server_ends_the_client_though_its_input_goes_on() {
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
    let status = receiver
        .recv_timeout(DEADLINE)
        .expect("it ends in time")
        .unwrap();
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
    let output = broken.failure().code(1).get_output().stderr.clone();
    let sentence = String::from_utf8(output).unwrap();
    assert!(
        sentence.contains("The connection to 127.0.0.1:") && sentence.contains(" broke: "),
        "{sentence}"
    );
    assert_eq!(sentence.lines().count(), 1);
}

#[test]
fn nobody_listening_is_a_failure_with_a_sentence() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_parlor"));
    let refused = command
        .args(["join", &free.to_string()])
        .timeout(DEADLINE)
        .assert()
        .failure()
        .code(1);
    let sentence = String::from_utf8(refused.get_output().stderr.clone()).unwrap();
    assert!(
        sentence.contains(&format!("Nobody listens at {free}")),
        "{sentence}"
    );
    assert_eq!(sentence.lines().count(), 1);
}

#[test]
fn a_name_of_two_lines_is_refused_before_anything_is_sent() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parlor"));
    command
        .args(["join", "127.0.0.1:1", "--name", "a\nb"])
        .timeout(DEADLINE)
        .assert()
        .failure()
        .code(1);
}
