//! The book's programs, `examples/chat` and `examples/netcat3`, run as processes.

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use super::DEADLINE;

/// A running `chat` on its own port. Dropping it ends it.
pub(crate) struct Chat {
    _process: Process,
    pub(crate) address: SocketAddr,
}

impl Chat {
    pub(crate) fn start() -> Chat {
        let mut process = Process::start("chat", "127.0.0.1:0");
        let stdout = process.0.stdout.take().expect("stdout is a pipe");
        let lines = lines_of(stdout);
        let address = lines.recv_timeout(DEADLINE).expect("it says its address");
        Chat { _process: process, address: address.parse().expect("it says its address") }
    }
}

/// A running `netcat3`, with a person in front of it. Dropping it ends it.
pub(crate) struct Netcat3 {
    process: Process,
    input: Option<ChildStdin>,
    shown: Receiver<String>,
}

impl Netcat3 {
    pub(crate) fn connect(server: SocketAddr) -> Netcat3 {
        let mut process = Process::start("netcat3", &server.to_string());
        let stdout = process.0.stdout.take().expect("stdout is a pipe");
        Netcat3 { input: process.0.stdin.take(), shown: lines_of(stdout), process }
    }

    /// Types exactly these characters.
    pub(crate) fn types(&mut self, text: &str) {
        let input = self.input.as_mut().expect("the input has not ended");
        input.write_all(text.as_bytes()).expect("it reads stdin");
    }

    /// Types Ctrl-D.
    pub(crate) fn ends_input(&mut self) {
        self.input = None;
    }

    /// The next line that it shows.
    #[track_caller]
    pub(crate) fn line(&mut self) -> String {
        let line = self.shown.recv_timeout(DEADLINE);
        line.expect("a line comes in time, and the output has not ended")
    }

    /// Checks that the next line that it shows is this one.
    #[track_caller]
    pub(crate) fn sees(&mut self, line: &str) {
        assert_eq!(self.line(), line);
    }

    /// Checks that it shows no further line, says that it is done, and exits with success.
    #[track_caller]
    pub(crate) fn ends_well(mut self) {
        let more = self.shown.recv_timeout(DEADLINE);
        assert_eq!(more, Err(mpsc::RecvTimeoutError::Disconnected));
        let mut said = String::new();
        let mut stderr = self.process.0.stderr.take().expect("stderr is a pipe");
        stderr.read_to_string(&mut said).expect("it says text");
        assert_eq!(said, "done\n");
        let status = self.process.0.wait().expect("it is a child");
        assert!(status.success(), "{status}");
    }
}

/// A child process, which ends when this is dropped.
struct Process(Child);

impl Process {
    fn start(example: &str, address: &str) -> Process {
        let child = Command::new(path_of(example))
            .arg(address)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        Process(child.expect("the example starts"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// The path where cargo puts an example: beside the folder of this test. Cargo builds the examples
/// with all tests, but not with a single one.
fn path_of(example: &str) -> PathBuf {
    let test = env::current_exe().expect("a test has a path");
    let folder = test.ancestors().nth(2).expect("a test is in a folder");
    let program = folder.join("examples").join(example);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/{example}.rs"));
    let written = |path: &Path| path.metadata().and_then(|file| file.modified()).ok();
    let is_new = written(&program) > written(&source);
    let path = program.display();
    assert!(is_new, "{path} is missing or old: run `cargo build --examples`");
    program
}

/// The lines from this pipe, until it ends.
fn lines_of(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        let read = BufReader::new(pipe).lines().map_while(Result::ok);
        read.for_each(|line| sender.send(line).unwrap_or_default());
    });
    lines
}
