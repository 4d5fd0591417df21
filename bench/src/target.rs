//! What is measured: a server, how it is started, how one joins it, and how it ends.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen as listen_on, socket_with};
use rustix::process::Pid;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::machine::{at_the_door, on_cores};
use crate::websocket;

/// A server has this long until it accepts connections.
const START_TIME: Duration = Duration::from_secs(20);

/// Where the book's program listens, and so whoever is not told a port.
const BOOK_PORT: u16 = 8000;

/// What a client says when it comes, and how it says a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Dialect {
    /// Every line is said; nothing is asked.
    Lines,
    /// As `Lines`; the first line is the answer to the question for a name.
    NamedLines,
    /// An IRC channel. Who speaks does not hear the line.
    Irc,
    /// A NATS subject; who speaks is no subscriber.
    Nats,
    /// A Redis channel; who speaks is no subscriber.
    Redis,
    /// Parlor's web door. More is said when that is answered, before one is in a room.
    WebSocket,
}

impl Dialect {
    /// What the client with this number sends on coming. A listener; or one who speaks.
    pub(crate) fn hello(self, server: SocketAddr, number: usize, listens: bool) -> Vec<u8> {
        match (self, listens) {
            (Dialect::Lines, _) => String::new(),
            (Dialect::NamedLines, _) => format!("guest{number}\n"),
            (Dialect::Irc, _) => {
                format!("NICK g{number}\r\nUSER g 0 * :g\r\nJOIN #bench\r\n")
            }
            (Dialect::Nats, true) => "CONNECT {\"verbose\":false}\r\nSUB bench 1\r\n".into(),
            (Dialect::Nats, false) => "CONNECT {\"verbose\":false}\r\n".into(),
            (Dialect::Redis, true) => "SUBSCRIBE bench\r\n".into(),
            (Dialect::Redis, false) => String::new(),
            (Dialect::WebSocket, _) => websocket::request(server),
        }
        .into_bytes()
    }

    /// Appends what makes `text` a line that everybody gets.
    pub(crate) fn say(self, text: &[u8], out: &mut Vec<u8>) {
        let (before, after) = match self {
            Dialect::Lines | Dialect::NamedLines => (String::new(), "\n"),
            Dialect::Irc => ("PRIVMSG #bench :".into(), "\r\n"),
            Dialect::Nats => (format!("PUB bench {}\r\n", text.len()), "\r\n"),
            Dialect::Redis => (
                format!("*3\r\n$7\r\nPUBLISH\r\n$5\r\nbench\r\n${}\r\n", text.len()),
                "\r\n",
            ),
            Dialect::WebSocket => return websocket::say(text, out),
        };
        out.extend_from_slice(before.as_bytes());
        out.extend_from_slice(text);
        out.extend_from_slice(after.as_bytes());
    }
}

/// A server that can be started.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// As the tables call it.
    pub(crate) name: String,
    pub(crate) dialect: Dialect,
    /// The program and its arguments, in which `{port}` stands for the port and `{config}` for the
    /// path of the configuration.
    pub(crate) command: Vec<String>,
    /// What stands in the configuration, in which `{port}` stands for the port; may be empty.
    pub(crate) config: String,
}

impl Target {
    /// The bare loop, in this program.
    pub(crate) fn bare() -> anyhow::Result<Target> {
        Ok(Target {
            name: "bare loop".into(),
            dialect: Dialect::Lines,
            command: vec![this_program()?, "bare".into(), "{port}".into()],
            config: String::new(),
        })
    }

    /// Starts it on these cores, and waits until it accepts.
    pub(crate) fn start(&self, cores: &[usize]) -> anyhow::Result<Server> {
        let port = self.port()?;
        let folder = TempDir::with_prefix("parlor-bench-")?;
        let mut command = self.command_in(&folder, port)?;
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("PARLOR_") {
                command.env_remove(variable);
            }
        }
        let started = on_cores(cores, || command.spawn())?;
        let child = started.with_context(|| format!("cannot start {:?}", self.command))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut server = Server {
            child,
            address,
            _folder: folder,
        };
        server.wait_until_it_accepts(&self.name)?;
        Ok(server)
    }

    /// A free port for a server that can be told one.
    fn port(&self) -> anyhow::Result<u16> {
        let mut words = self.command.iter().chain([&self.config]);
        if words.any(|word| word.contains("{port}")) {
            return free_port();
        }
        let is_free = TcpListener::bind((Ipv4Addr::LOCALHOST, BOOK_PORT)).is_ok();
        ensure!(is_free, "port {BOOK_PORT} is taken");
        Ok(BOOK_PORT)
    }

    /// The command, run in this folder: what a server writes down is gone with it.
    fn command_in(&self, folder: &TempDir, port: u16) -> anyhow::Result<Command> {
        let config = folder.path().join("server.config");
        let filled = |word: &String| {
            word.replace("{port}", &port.to_string())
                .replace("{config}", &config.to_string_lossy())
        };
        std::fs::write(&config, filled(&self.config))?;
        let words: Vec<String> = self.command.iter().map(filled).collect();
        let (program, arguments) = words.split_first().context("no command")?;
        let program = match program.contains('/') {
            true => std::path::absolute(program)?,
            false => program.into(), // found in the path
        };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        Ok(command)
    }
}

/// A server that runs; it is ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Where it runs; removed after it has ended.
    _folder: TempDir,
}

impl Server {
    pub(crate) fn process(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    fn wait_until_it_accepts(&mut self, name: &str) -> anyhow::Result<()> {
        // To connect and go would be no harmless question: it ends ncat.
        let deadline = Instant::now() + START_TIME;
        while at_the_door(self.address.port())?.is_none() {
            if let Some(status) = self.child.try_wait()? {
                bail!("{name} has ended at once: {status}");
            }
            if Instant::now() > deadline {
                bail!(
                    "{name} does not accept on {} after {START_TIME:?}",
                    self.address
                );
            }
            sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The path of this very program, which is also the bare loop, the load and Parlor.
pub(crate) fn this_program() -> anyhow::Result<String> {
    let path = std::env::current_exe().context("where is this program?")?;
    Ok(path.to_string_lossy().into_owned())
}

/// A port on which nobody listens now.
fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

/// A listening socket that does not block.
pub(crate) fn listen(port: u16) -> anyhow::Result<OwnedFd> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    rustix::net::sockopt::set_socket_reuseaddr(&socket, true)?;
    bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    listen_on(&socket, 4096)?;
    Ok(socket)
}
