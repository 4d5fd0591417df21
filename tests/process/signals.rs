//! Ending the server: everybody is warned, the last lines arrive, nobody delays it.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::pipe::fcntl_setpipe_size;
use rustix::process::{Pid, Signal, kill_process};

use crate::guest::{Guest, hear};
use crate::readiness::{manager, notification};
use crate::server::{HERE, Server, parlor};

const GOING_DOWN: &str = "-- The server is going down";

/// The time promised to operators and their service managers.
const EXIT_TIME_MAX: Duration = Duration::from_secs(15);

/// The smallest capacity of a pipe.
const PIPE_BYTES: usize = 4_096;

#[test]
fn both_signals_let_everybody_read_the_last_lines() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = Server::open(&[]);
        let mut alice = Guest::enter(server.address, "alice");
        let mut bob = Guest::enter(server.address, "bob");
        let mut asked = Guest::connect(server.address);
        asked.lines_until("the question", |line| line.starts_with("What is your name?"));
        for line in 0..90 {
            alice.say(&format!("last words {line}"));
        }
        hear(&mut alice, "last words 89");
        server.signal(signal);
        assert_eq!(alice.rest(), [GOING_DOWN]);
        let read = bob.rest();
        let expected = (0..90).map(|line| format!("alice: last words {line}"));
        assert_eq!(read, expected.chain([GOING_DOWN.to_owned()]).collect::<Vec<_>>());
        assert_eq!(asked.rest(), [GOING_DOWN]);
        assert_eq!(server.ended().code(), Some(0));
        assert!(TcpStream::connect(server.address).is_err());
    }
}

#[test]
fn a_signal_right_after_the_start_ends_the_server_cleanly() {
    for _ in 0..10 {
        let mut server = Server::open(&[]);
        server.signal(Signal::TERM);
        assert_eq!(server.ended().code(), Some(0));
    }
}

#[test]
fn a_server_whose_terminal_is_closed_ends_cleanly() {
    let (folder, manager) = manager();
    let program = env!("CARGO_BIN_EXE_parlor");
    let notify = folder.path().join("notify");
    let serve =
        format!("NOTIFY_SOCKET={notify:?} {program:?} serve --memory --listen tcp://127.0.0.1:0");
    let tmux = |arguments: &[&str]| {
        let socket = folder.path().join("tmux");
        let mut command = Command::new("tmux");
        command.arg("-S").arg(socket).args(["-f", "/dev/null"]);
        assert!(command.args(arguments).status().unwrap().success());
    };
    tmux(&["new-session", "-d", &serve]);
    assert_eq!(notification(&manager).trim_end(), "READY=1");
    tmux(&["kill-server"]);
    assert_eq!(notification(&manager).trim_end(), "STOPPING=1");
}

/// A person who reads nothing of 8 MiB, and one who reads.
fn with_a_stuck_reader(options: &[&str]) -> (Server, Guest, Guest) {
    let server = Server::open(&[&["--rate", "off"], options].concat());
    let mut alice = Guest::enter(server.address, "alice");
    let mut stuck = Guest::connect_narrow(server.address);
    stuck.answer("stuck");
    for line in 0..2_048 {
        alice.say(&format!("{line} {}", "words ".repeat(600)));
        alice.lines_until("the echo", |read| read.starts_with(&format!("alice: {line} ")));
    }
    (server, alice, stuck)
}

#[test]
fn a_stuck_reader_does_not_delay_the_end() {
    let (mut server, mut alice, _stuck) = with_a_stuck_reader(&[]);
    let start = Instant::now();
    server.signal(Signal::TERM);
    assert_eq!(alice.rest(), [GOING_DOWN]);
    assert_eq!(server.ended().code(), Some(0));
    let took = start.elapsed();
    assert!(took < EXIT_TIME_MAX, "{took:?}");
}

#[test]
fn a_stop_waits_for_readers_as_long_as_it_is_told() {
    let (mut server, mut alice, _stuck) = with_a_stuck_reader(&["--stop-wait", "100ms"]);
    server.signal(Signal::TERM);
    assert_eq!(alice.rest(), [GOING_DOWN]);
    assert_eq!(server.ended().code(), Some(0));
    // A reader who is cut off by its own time is not worth a warning.
    let late = "some clients did not receive the final message in time";
    assert!(server.log().iter().any(|line| line.contains(late)));
}

#[test]
fn a_second_signal_ends_at_once() {
    let (mut server, mut alice, _stuck) = with_a_stuck_reader(&[]);
    server.signal(Signal::INT);
    assert_eq!(alice.rest(), [GOING_DOWN]);
    server.logged("closing: ");
    server.signal(Signal::INT);
    assert_eq!(server.ended().code(), Some(130), "not the end of a drain");
}

#[test]
fn nobody_enters_while_the_server_ends() {
    let (mut server, mut alice, _stuck) = with_a_stuck_reader(&[]);
    server.signal(Signal::TERM);
    assert_eq!(alice.rest(), [GOING_DOWN]);
    // The stuck reader keeps the process alive for a while.
    if let Ok(late) = TcpStream::connect(server.address) {
        assert_eq!(Guest::over(late).rest_or_reset(), "");
    }
    server.signal(Signal::TERM);
    assert_eq!(server.ended().code(), Some(130));
}

/// A server whose stderr is a full pipe without a reader, with a person inside.
struct Unread {
    child: Child,
    /// Stays open, so that writing to the pipe does not fail.
    _stderr: ChildStderr,
    alice: Guest,
}

impl Unread {
    fn open() -> Unread {
        let mut child = parlor()
            .args(["serve", "--log", "trace"])
            .args(HERE)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = child.stderr.take().unwrap();
        fcntl_setpipe_size(&stderr, PIPE_BYTES).unwrap();
        let mut log = BufReader::new(stderr);
        let mut line = String::new();
        while !line.contains("listening tcp ") {
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "the log has ended");
        }
        let (_, address) = line.trim_end().split_once("listening tcp ").unwrap();
        let address = address.parse().unwrap();
        // Each connection logs several lines, so these are far more than the pipe and the queue
        // before it hold.
        for _ in 0..3_000 {
            Guest::connect(address);
        }
        Unread { child, _stderr: log.into_inner(), alice: Guest::enter(address, "alice") }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn an_unread_log_delays_neither_people_nor_signals() {
    let mut server = Unread::open();
    for line in 0..50 {
        server.alice.say(&format!("hello {line}"));
        hear(&mut server.alice, &format!("hello {line}"));
    }
    server.signal(Signal::TERM);
    assert_eq!(server.alice.rest(), [GOING_DOWN]);
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}
