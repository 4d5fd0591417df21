//! The built server as a child process. Knows nothing of the conversations on it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};

use crate::DEADLINE;

/// A running server. Dropping it ends it by its process id.
pub(crate) struct Server {
    child: Child,
    log: Arc<Log>,
    /// The address of its first listener, from the log.
    pub(crate) address: SocketAddr,
}

/// Its stderr so far.
#[derive(Default)]
struct Log {
    page: Mutex<Page>,
    more: Condvar,
}

#[derive(Default)]
struct Page {
    lines: Vec<String>,
    /// Whether the process has ended: if so, no line follows.
    ended: bool,
}

/// The program without the tester's own settings.
pub(crate) fn parlor() -> Command {
    without_settings(Command::new(env!("CARGO_BIN_EXE_parlor")))
}

/// The program with at most this many descriptors; it cannot raise the limit.
pub(crate) fn parlor_with_descriptors(max: usize) -> Command {
    let mut shell = without_settings(Command::new("sh"));
    let script = format!("ulimit -n {max}; exec \"$0\" \"$@\"");
    shell.args(["-c", &script, env!("CARGO_BIN_EXE_parlor")]);
    shell
}

/// The command without the tester's own settings.
pub(crate) fn without_settings(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PARLOR_") {
            command.env_remove(name);
        }
    }
    command.env_remove("NOTIFY_SOCKET");
    command.env("PARLOR_MEMORY", "true"); // tests of stored lines remove this
    command
}

/// A loopback listener on a free port.
pub(crate) const HERE: [&str; 2] = ["--listen", "tcp://127.0.0.1:0"];

impl Server {
    /// Serves named mode on a free port.
    pub(crate) fn open(options: &[&str]) -> Server {
        Server::run(parlor(), &[&HERE, options].concat())
    }

    /// Runs `parlor serve` with these options, and waits until it listens.
    pub(crate) fn run(mut parlor: Command, options: &[&str]) -> Server {
        parlor.arg("serve").args(options).stdin(Stdio::null()).stdout(Stdio::null());
        Server::start(parlor)
    }

    /// Runs a command that becomes a server, and waits until it listens.
    pub(crate) fn start(command: Command) -> Server {
        let mut server = Server::spawn(command);
        let line = server.logged("listening tcp ");
        let (_, address) = line.split_once("listening tcp ").unwrap();
        let address = address.split(['"', ' ']).next().unwrap();
        server.address = address.parse().unwrap();
        server
    }

    /// Runs a command that becomes a server. It has no address yet.
    pub(crate) fn spawn(mut command: Command) -> Server {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Log::default());
        let (stderr, page) = (child.stderr.take().unwrap(), Arc::clone(&log));
        thread::spawn(move || page.copy(BufReader::new(stderr)));
        Server { child, log, address: SocketAddr::from(([0, 0, 0, 0], 0)) }
    }

    /// The address of its web door, from the log.
    pub(crate) fn web(&self) -> SocketAddr {
        self.listening("http")
    }

    /// The address of its door of that kind, from the log.
    pub(crate) fn listening(&self, scheme: &str) -> SocketAddr {
        let words = format!("listening {scheme} ");
        let line = self.logged(&words);
        let (_, address) = line.split_once(&words).unwrap();
        address.trim().parse().unwrap()
    }

    /// Waits for a log line with `text`, and returns the first one.
    pub(crate) fn logged(&self, text: &str) -> String {
        self.logged_times(text, 1)
    }

    /// Waits until this many log lines contain `text`, and returns the last one.
    pub(crate) fn logged_times(&self, text: &str, times: usize) -> String {
        self.log.wait(text, |page| {
            let mut found = page.lines.iter().filter(|line| line.contains(text));
            found.nth(times - 1).cloned()
        })
    }

    /// The log so far.
    pub(crate) fn log(&self) -> Vec<String> {
        // A failed test may have poisoned the lock.
        let page = self.log.page.lock().unwrap_or_else(PoisonError::into_inner);
        page.lines.clone()
    }

    pub(crate) fn process(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// The directory that the server sees at this path, even on a disk that only it has mounted.
    pub(crate) fn directory(&self, path: &Path) -> File {
        let path = path.strip_prefix("/").unwrap();
        let root = PathBuf::from(format!("/proc/{}/root", self.child.id()));
        File::open(root.join(path)).unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.process(), signal).unwrap();
    }

    /// Waits until the process has ended.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        self.log.wait("the end", |page| page.ended.then_some(()));
        self.child.wait().unwrap() // its stderr is closed: it is about to exit
    }

    /// Kills the server, and waits until it has ended.
    pub(crate) fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.ended();
    }

    /// The number of lines with this text in its log so far.
    pub(crate) fn logged_so_far(&self, text: &str) -> usize {
        self.log().iter().filter(|line| line.contains(text)).count()
    }

    /// Ends the server as an operator does. Returns its whole log, which may have errors.
    pub(crate) fn end(mut self) -> Vec<String> {
        self.signal(Signal::TERM);
        let status = self.ended();
        let log = self.log();
        assert_eq!(status.code(), Some(0), "{log:#?}");
        log
    }

    /// Drops the guests and ends the server as an operator does. It must have logged no error.
    /// Returns its whole log.
    pub(crate) fn close<G>(self, guests: G) -> Vec<String> {
        drop(guests);
        let log = self.end();
        let is_error = |line: &&String| {
            let level = line.split_whitespace().nth(1);
            level == Some("ERROR") || line.contains("\"level\":\"ERROR\"")
        };
        let is_panic = |line: &&String| line.contains("panicked at");
        assert_eq!(log.iter().find(|line| is_error(line) || is_panic(line)), None);
        log
    }

    /// The memory it uses, in bytes.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes: u64 =
            line.and_then(|line| line.trim().strip_suffix(" kB")).unwrap().parse().unwrap();
        kibibytes * 1024
    }

    /// The processor time it has used, in hundredths of a second.
    pub(crate) fn cpu_centiseconds(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let (_, after_name) = stat.rsplit_once(") ").unwrap();
        // These are utime and stime, the 14th and 15th field; the text after the name begins with
        // the 3rd.
        let times = after_name.split(' ').skip(11).take(2);
        times.map(|time| time.parse::<u64>().unwrap()).sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if thread::panicking() {
            let log = self.log();
            let last = log.get(log.len().saturating_sub(20)..).unwrap_or_default();
            #[expect(clippy::print_stderr, reason = "shown with the failed test")]
            {
                eprintln!("the server's last words: {last:#?}");
            }
        }
        // Do not signal a child that has been waited for: its id may belong to another process.
        if let Ok(None) = self.child.try_wait() {
            self.child.kill().ok();
            self.child.wait().ok();
        }
    }
}

impl Log {
    fn copy(&self, mut stderr: impl BufRead) {
        let mut line = Vec::new();
        while let Ok(1..) = stderr.read_until(b'\n', &mut line) {
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end_matches('\n').to_owned();
            self.page.lock().unwrap().lines.push(text);
            self.more.notify_all();
            line.clear();
        }
        self.page.lock().unwrap().ended = true;
        self.more.notify_all();
    }

    /// Waits until `find` finds something on the page.
    fn wait<T>(&self, what: &str, find: impl Fn(&Page) -> Option<T>) -> T {
        let until = Instant::now() + DEADLINE;
        let mut page = self.page.lock().unwrap();
        loop {
            if let Some(found) = find(&page) {
                return found;
            }
            let left = until.saturating_duration_since(Instant::now());
            let over = page.ended || left.is_zero();
            assert!(!over, "waited for {what}, read {:#?}", page.lines);
            page = self.more.wait_timeout(page, left).unwrap().0;
        }
    }
}
