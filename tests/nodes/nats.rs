//! Servers of NATS that form a cluster. Knows no node.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::DEADLINE;
use crate::machine::Machine;
use crate::nats_program::program;

/// The stream of the nodes, and that of their keys.
pub(crate) const STREAM: &str = "PARLOR-main";
pub(crate) const KEYS: &str = "PARLOR-main-KEYS";

/// How long a server may take to answer a question; one that is hung or cut off does not.
const ANSWER_TIME: Duration = Duration::from_secs(1);

/// How often to ask again.
const ASK_EVERY: Duration = Duration::from_millis(50);

const CLIENT_PORT: u16 = 4222;
const ROUTE_PORT: u16 = 6222;
const MONITOR_PORT: u16 = 8222;

/// Servers of NATS, one on each machine. Dropping them ends them.
pub(crate) struct Cluster {
    program: PathBuf,
    files: TempDir,
    servers: Vec<NatsServer>,
}

struct NatsServer {
    machine: Machine,
    /// None while it is down.
    child: Option<Child>,
}

impl Cluster {
    /// Running servers; none if the program is missing here.
    pub(crate) fn start(machines: &[Machine]) -> Option<Cluster> {
        Cluster::start_with(machines, "")
    }

    /// Running servers with these further lines of configuration.
    pub(crate) fn start_with(machines: &[Machine], lines: &str) -> Option<Cluster> {
        let mut cluster = Cluster::configured(machines, lines)?;
        for number in 0..cluster.servers.len() {
            cluster.start_one(number);
        }
        Some(cluster)
    }

    /// Servers with these further lines of configuration, which do not run yet.
    pub(crate) fn configured(machines: &[Machine], lines: &str) -> Option<Cluster> {
        let program = program()?;
        let machines = machines.iter().cloned();
        let servers = machines.map(|machine| NatsServer { machine, child: None }).collect();
        let files = tempfile::tempdir().unwrap();
        let cluster = Cluster { program, files, servers };
        for number in 0..cluster.servers.len() {
            cluster.configure(number, lines);
        }
        Some(cluster)
    }

    /// The number of servers.
    pub(crate) fn count(&self) -> usize {
        self.servers.len()
    }

    /// The servers, as nodes are told of them.
    pub(crate) fn urls(&self) -> String {
        let url = |server: &NatsServer| format!("nats://{}:{CLIENT_PORT}", server.machine.address);
        self.servers.iter().map(url).collect::<Vec<_>>().join(",")
    }

    fn configure(&self, number: usize, lines: &str) {
        let address = |server: &NatsServer, port| SocketAddr::from((server.machine.address, port));
        let own = &self.servers[number];
        let route = |server: &NatsServer| format!("\"nats://{}\"", address(server, ROUTE_PORT));
        let others = self.servers.iter().enumerate().filter(|(other, _)| *other != number);
        let routes: Vec<_> = others.map(|(_, server)| route(server)).collect();
        let path = |name: &str| self.files.path().join(format!("{name}-{number}"));
        let cluster = format!(
            "cluster {{ name: house, listen: \"{}\", routes: [{}] }}",
            address(own, ROUTE_PORT),
            routes.join(", ")
        );
        let config = format!(
            "server_name: {}\nlisten: \"{}\"\nhttp: \"{}\"\njetstream {{ store_dir: {:?} }}\n\
             log_file: {:?}\n{}\n{lines}\n",
            name(number),
            address(own, CLIENT_PORT),
            address(own, MONITOR_PORT),
            path("streams"),
            path("log"),
            // One server alone is no cluster.
            if self.servers.len() > 1 { &cluster } else { "" },
        );
        fs::write(path("config"), config).unwrap();
    }

    /// Starts a server.
    pub(crate) fn start_one(&mut self, number: usize) {
        let config = self.files.path().join(format!("config-{number}"));
        let server = &mut self.servers[number];
        let mut command = server.machine.command(&self.program);
        command.arg("-c").arg(config).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        server.child = Some(command.spawn().unwrap());
    }

    /// Ends a server with this signal, and waits until it has ended.
    pub(crate) fn end_one(&mut self, number: usize, signal: Signal) {
        self.signal(number, signal);
        self.servers[number].child.take().unwrap().wait().unwrap();
    }

    /// Sends a signal to a server that runs.
    pub(crate) fn signal(&self, number: usize, signal: Signal) {
        let child = self.servers[number].child.as_ref().unwrap();
        kill_process(Pid::from_child(child), signal).unwrap();
    }

    /// Waits until all servers are well and have all of the stream. Returns the one that leads.
    pub(crate) fn whole(&self) -> usize {
        self.stored_by_all(STREAM)
    }

    /// Waits until all servers are well and have all of this stream. Returns the one that leads.
    pub(crate) fn stored_by_all(&self, stream: &str) -> usize {
        self.until(stream, "all servers have the stream", |info| {
            self.servers.iter().all(|server| is_well(&server.machine)).then_some(())?;
            let replicas = info["cluster"]["replicas"].as_array()?;
            let is_current = |replica: &&Value| {
                replica["current"] == true && replica["offline"] != true && replica["lag"].is_null()
            };
            (replicas.iter().filter(is_current).count() + 1 == self.count()).then_some(())?;
            leader(info)
        })
    }

    /// Sets the size of the stream to what it has and this many bytes more; none is without a limit.
    pub(crate) fn limit_stream(&self, more: Option<u64>) {
        self.until(STREAM, "the limit", |info| {
            let used = info["state"]["bytes"].as_u64()?;
            let mut config = info["config"].clone();
            config["max_bytes"] = more.map_or(json!(-1), |more| json!(used + more));
            let subject = format!("$JS.API.STREAM.UPDATE.{STREAM}");
            self.ask(&subject, &config.to_string())?["error"].is_null().then_some(())
        });
    }

    /// Lets this server lead the stream of the nodes.
    pub(crate) fn lead(&self, number: usize) {
        self.lead_in(STREAM, number);
    }

    /// Lets this server lead a stream.
    pub(crate) fn lead_in(&self, stream: &str, number: usize) {
        let place = json!({"placement": {"preferred": name(number)}});
        let place = place.to_string();
        self.until(stream, "another leader", |info| {
            if leader(info)? == number {
                return Some(());
            }
            self.ask(&format!("$JS.API.STREAM.LEADER.STEPDOWN.{stream}"), &place);
            None
        });
    }

    /// The last message of a stream: its number, and its bytes.
    pub(crate) fn last_message(&self, stream: &str) -> (u64, Vec<u8>) {
        self.until(stream, "the last message", |info| {
            let number = info["state"]["last_seq"].as_u64()?;
            let message = self.message(stream, number)?;
            let bytes = BASE64_STANDARD.decode(message["message"]["data"].as_str()?);
            Some((number, bytes.unwrap()))
        })
    }

    /// Waits until the server that leads a stream says that it does not have this message.
    pub(crate) fn until_deleted(&self, stream: &str, number: u64) {
        const NO_MESSAGE: u64 = 10_037;
        self.until(stream, "the message to be deleted", |_| {
            let answer = self.message(stream, number)?;
            (answer["error"]["err_code"] == NO_MESSAGE).then_some(())
        });
    }

    fn message(&self, stream: &str, number: u64) -> Option<Value> {
        let wanted = json!({"seq": number}).to_string();
        self.ask(&format!("$JS.API.STREAM.MSG.GET.{stream}"), &wanted)
    }

    /// The number of times that these bytes occur in the files in which a server has a stream.
    pub(crate) fn traces(&self, number: usize, stream: &str, bytes: &[u8]) -> usize {
        let folder = self.files.path().join(format!("streams-{number}/jetstream/$G/streams"));
        let files = fs::read_dir(folder.join(stream).join("msgs")).unwrap();
        // A file may disappear meanwhile; it then counts as empty.
        let files = files.map(|file| fs::read(file.unwrap().path()).unwrap_or_default());
        let count = |file: Vec<u8>| file.windows(bytes.len()).filter(|at| *at == bytes).count();
        files.map(count).sum()
    }

    /// Asks about a stream until the answer has what is wanted.
    fn until<T>(&self, stream: &str, what: &str, find: impl Fn(&Value) -> Option<T>) -> T {
        let until = Instant::now() + DEADLINE;
        loop {
            let info = self.ask(&format!("$JS.API.STREAM.INFO.{stream}"), "");
            if let Some(found) = info.as_ref().and_then(&find) {
                return found;
            }
            assert!(Instant::now() < until, "waited for: {what}; the last answer is {info:?}");
            thread::sleep(ASK_EVERY);
        }
    }

    /// The answer of any server.
    fn ask(&self, subject: &str, words: &str) -> Option<Value> {
        let running = self.servers.iter().filter(|server| server.child.is_some());
        running.into_iter().find_map(|server| ask(&server.machine, subject, words))
    }

    /// The last words of all servers.
    fn logs(&self) -> String {
        let log = |number| {
            let log = fs::read_to_string(self.files.path().join(format!("log-{number}")));
            let log = log.unwrap_or_default();
            let last: Vec<_> = log.lines().rev().take(15).collect();
            last.into_iter()
                .rev()
                .fold(format!("{}:\n", name(number)), |all, line| all + "  " + line + "\n")
        };
        (0..self.count()).map(log).collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if thread::panicking() {
            #[expect(clippy::print_stderr, reason = "shown with the failed test")]
            {
                eprintln!("the last words of the servers of NATS:\n{}", self.logs());
            }
        }
        for child in self.servers.iter_mut().filter_map(|server| server.child.as_mut()) {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// The name of a server.
fn name(number: usize) -> String {
    format!("server-{number}")
}

/// The server that leads the stream.
fn leader(info: &Value) -> Option<usize> {
    info["cluster"]["leader"].as_str()?.strip_prefix("server-")?.parse().ok()
}

/// Whether a server says that it has everything that its cluster has.
fn is_well(machine: &Machine) -> bool {
    let ask = || {
        let mut socket = machine.connect((machine.address, MONITOR_PORT).into())?;
        socket.set_read_timeout(Some(ANSWER_TIME))?;
        socket.write_all(b"GET /healthz HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        io::Result::Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.0 200"))
}

/// Asks one server, in the protocol of NATS. Returns nothing if it does not answer.
fn ask(machine: &Machine, subject: &str, words: &str) -> Option<Value> {
    let mut socket = machine.connect((machine.address, CLIENT_PORT).into()).ok()?;
    socket.set_read_timeout(Some(ANSWER_TIME)).ok()?;
    let length = words.len();
    let question = format!(
        "CONNECT {{\"verbose\":false}}\r\nSUB answer 1\r\nPUB {subject} answer {length}\r\n{words}\r\n"
    );
    socket.write_all(question.as_bytes()).ok()?;
    let mut lines = BufReader::new(socket);
    let bytes = loop {
        let mut line = String::new();
        (lines.read_line(&mut line).ok()? > 0).then_some(())?;
        if line.starts_with("MSG ") {
            break line.trim().rsplit(' ').next()?.parse().ok()?;
        }
    };
    let mut answer = vec![0; bytes];
    lines.read_exact(&mut answer).ok()?;
    serde_json::from_slice(&answer).ok()
}
