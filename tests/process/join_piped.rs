//! `parlor join` with pipes: what netcat does, and what it prints when it fails.

use std::net::TcpListener;
use std::process::Stdio;
use std::thread;

use assert_cmd::Command;
use assert_cmd::assert::Assert;

use crate::DEADLINE;
use crate::fake::Fake;
use crate::guest::Guest;
use crate::house::House;

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

/// Runs the client against the real server.
fn join_house(house: &House, input: &str, more: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parlor"));
    let assert = command
        .args(["join", &house.address.to_string()])
        .args(more)
        .timeout(DEADLINE)
        .write_stdin(input)
        .assert();
    let output = assert.success().stderr("").get_output().stdout.clone();
    String::from_utf8(output).unwrap()
}

#[test]
fn a_bot_says_hello_from_a_pipe() {
    let house = House::open(&[]);
    let mut wendy = Guest::enter(house.address, "wendy");
    let shown = join_house(&house, "hello\n", &["--name", "bot"]);
    let lines: Vec<_> = shown.lines().collect();
    assert!(lines.contains(&"You are bot"), "{shown}");
    assert_eq!(lines.last(), Some(&"bot: hello"));
    let seen = wendy.until("bot has left");
    assert_eq!(seen, ["bot has arrived", "bot: hello", "bot has left"]);
    house.close(wendy);
}

#[test]
fn a_name_that_is_taken_leaves_the_next_line_to_answer() {
    let house = House::open(&[]);
    let mut wendy = Guest::enter(house.address, "wendy");
    let shown = join_house(&house, "bot\nhello\n", &["--name", "wendy"]);
    assert!(shown.contains("\n-- wendy is taken"), "{shown}");
    assert!(shown.ends_with("\nbot: hello\n"), "{shown}");
    wendy.until("bot: hello");
    house.close(wendy);
}

#[test]
fn more_than_a_pipe_holds_goes_in_whole_and_comes_back_in_order() {
    let house = House::open(&["--rate", "off"]);
    let said: String = (0..20_000).map(|line| format!("{line}\n")).collect();
    let shown = join_house(&house, &said, &["--name", "bot"]);
    let echoed = shown.lines().filter_map(|line| line.strip_prefix("bot: "));
    let skipped = shown.lines().find(|line| line.contains("skipped: "));
    assert_eq!(skipped, None);
    assert!(echoed.eq(said.lines()), "{shown}");
    house.close(());
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
