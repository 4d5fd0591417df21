//! A server of NATS as a child process, and nodes that use it. Knows nothing of the conversations.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::DEADLINE;
use crate::data::Data;
use crate::nats_program::program;
use crate::server::{HERE, Server, parlor};

/// How often to check whether the server answers.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The stream with the order.
pub(crate) const ORDER: &str = "PARLOR-main";

/// The stream of snapshots.
pub(crate) const SNAPSHOTS: &str = "PARLOR-main-SNAPSHOTS";

/// The stream of keys.
pub(crate) const KEYS: &str = "PARLOR-main-KEYS";

/// A server of NATS that stores streams. Dropping it ends it.
pub(crate) struct Nats {
    program: PathBuf,
    files: TempDir,
    port: u16,
    child: Option<Child>,
}

impl Nats {
    /// A running server on a free port; none if the program is missing here.
    pub(crate) fn start() -> Option<Nats> {
        Nats::start_with(&[])
    }

    /// The same with these further options.
    pub(crate) fn start_with(options: &[&str]) -> Option<Nats> {
        let program = program()?;
        let files = tempfile::tempdir().unwrap();
        let mut nats = Nats { program, files, port: 0, child: None };
        let free_port = ["-p", "-1", "--ports_file_dir", nats.path("")];
        nats.child = Some(nats.run(&[&free_port, options].concat()));
        nats.port = nats.chosen_port();
        Some(nats)
    }

    /// The program.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// The URL for nodes.
    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Kills the server.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts the server again with its files, and waits until it answers.
    pub(crate) fn start_again(&mut self) {
        self.child = Some(self.run(&["-p", &self.port.to_string()]));
        let until = Instant::now() + DEADLINE;
        while TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))).is_err() {
            assert!(Instant::now() < until, "the server of NATS does not answer");
            thread::sleep(LOOK_EVERY);
        }
    }

    /// The number of times that these bytes occur in all files of the streams.
    pub(crate) fn traces(&self, bytes: &[u8]) -> usize {
        let mut files = Vec::new();
        find_files(Path::new(self.path("streams")), &mut files);
        // A file may disappear meanwhile; it then counts as empty.
        let files = files.iter().map(|file| fs::read(file).unwrap_or_default());
        let count = |file: Vec<u8>| file.windows(bytes.len()).filter(|at| *at == bytes).count();
        files.map(count).sum()
    }

    /// The position of the last message of the order; none if there is no stream yet.
    pub(crate) fn last_position(&self) -> Option<u64> {
        self.ask("$JS.API.STREAM.INFO.PARLOR-main", b"")["state"]["last_seq"].as_u64()
    }

    /// The messages of a stream, by their numbers.
    pub(crate) fn messages(&self, stream: &str) -> BTreeMap<u64, Vec<u8>> {
        let read = async {
            let client = async_nats::connect(self.url()).await.unwrap();
            let context = async_nats::jetstream::new(client);
            let stream = context.get_stream(stream).await.unwrap();
            let mut messages = BTreeMap::new();
            for number in 1..=stream.cached_info().state.last_sequence {
                if let Ok(message) = stream.get_raw_message(number).await {
                    messages.insert(number, message.payload.to_vec());
                }
            }
            messages
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(read)
    }

    /// Deletes a stream.
    pub(crate) fn delete_stream(&self, stream: &str) {
        let answer = self.ask(&format!("$JS.API.STREAM.DELETE.{stream}"), b"");
        assert_eq!(answer["success"], true);
    }

    /// Copies the streams, which are not in use.
    pub(crate) fn copy(&self) {
        copy(Path::new(self.path("streams")), Path::new(self.path("copy")));
    }

    /// Puts the copy in the place of the streams, which are not in use.
    pub(crate) fn restore(&self) {
        fs::remove_dir_all(self.path("streams")).unwrap();
        fs::rename(self.path("copy"), self.path("streams")).unwrap();
    }

    /// Puts the copy of one stream in its place. The server does not run.
    pub(crate) fn restore_stream(&self, stream: &str) {
        let folder = format!("jetstream/$G/streams/{stream}");
        let [kept, now] = ["copy", "streams"].map(|at| Path::new(self.path(at)).join(&folder));
        fs::remove_dir_all(&now).unwrap();
        copy(&kept, &now);
    }

    /// A node with this name, which stores its lines there.
    pub(crate) fn node(&self, name: &str, data: &Data) -> Server {
        self.node_with(name, data, &[])
    }

    /// A node with these further options.
    pub(crate) fn node_with(&self, name: &str, data: &Data, options: &[&str]) -> Server {
        self.run_node(data.parlor(), name, options)
    }

    /// The sentence of a node with this name that ends at its start.
    pub(crate) fn node_that_ends(&self, name: &str, data: &Data) -> String {
        let (url, door) = (self.url(), ["--listen", "tcp://127.0.0.1:0"]);
        let node = ["--nats", &url, "--node", name];
        let output = data.parlor().arg("serve").args(node).args(door).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        said
    }

    /// A node with this name and these further options, which stores nothing.
    pub(crate) fn node_in_memory(&self, name: &str, options: &[&str]) -> Server {
        self.run_node(parlor(), name, options)
    }

    /// A node with this name and these further options, which is run in this way.
    pub(crate) fn run_node(&self, parlor: Command, name: &str, options: &[&str]) -> Server {
        let (url, rate) = (self.url(), ["--rate", "off"]);
        let node = ["--nats", &url, "--node", name];
        Server::run(parlor, &[&HERE[..], &rate, &node, options].concat())
    }

    /// Sends a request to the server, and returns the answer, which is JSON.
    pub(crate) fn ask(&self, subject: &str, payload: &[u8]) -> Value {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut request = b"CONNECT {\"verbose\":false}\r\nSUB _INBOX.test 1\r\n".to_vec();
        request.extend(format!("PUB {subject} _INBOX.test {}\r\n", payload.len()).bytes());
        request.extend(payload.iter().chain(b"\r\n"));
        stream.write_all(&request).unwrap();
        let mut answer = BufReader::new(stream);
        let mut line = String::new();
        while !line.starts_with("MSG ") {
            line.clear();
            assert!(answer.read_line(&mut line).unwrap() > 0, "no answer from NATS");
        }
        let len = line.trim().rsplit(' ').next().unwrap().parse().unwrap();
        let mut payload = vec![0; len];
        answer.read_exact(&mut payload).unwrap();
        serde_json::from_slice(&payload).unwrap()
    }

    fn path(&self, name: &str) -> &'static str {
        let path = self.files.path().join(name);
        path.to_str().unwrap().to_owned().leak()
    }

    fn run(&self, options: &[&str]) -> Child {
        let log = File::options().append(true).create(true).open(self.path("log")).unwrap();
        Command::new(&self.program)
            .args(["-js", "-a", "127.0.0.1", "-sd", self.path("streams")])
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    /// The port in the file that the server writes when it answers.
    fn chosen_port(&self) -> u16 {
        let until = Instant::now() + DEADLINE;
        loop {
            assert!(Instant::now() < until, "{:?}", fs::read_to_string(self.path("log")));
            let files = fs::read_dir(self.files.path()).unwrap().map(|file| file.unwrap().path());
            let ports = files.filter(|path| path.extension().is_some_and(|end| end == "ports"));
            let ports = ports.filter_map(|path| fs::read_to_string(path).ok()).next();
            let url = ports.as_deref().and_then(|ports| ports.split("nats://").nth(1));
            let port = url.and_then(|url| url.split('"').next()?.rsplit(':').next()?.parse().ok());
            if let Some(port) = port {
                return port;
            }
            thread::sleep(LOOK_EVERY);
        }
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

fn find_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        match entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            true => find_files(&entry.path(), files),
            false => files.push(entry.path()),
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}
