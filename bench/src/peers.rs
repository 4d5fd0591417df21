//! What one would use instead, under the same load as Parlor: netcat's own chat, IRC, NATS, Redis, and any line server.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail};

use crate::contest::{Contest, Load};
use crate::doors::Parlor;
use crate::machine::Places;
use crate::progress::progress;
use crate::table::{Table, Versions};
use crate::target::{Dialect, Target};

/// Servers belong to the administrator: their folder is not in everybody's path.
const MORE_FOLDERS: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// Which others to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Others {
    /// Measure one more server of plain lines; may be repeated. {port} in COMMAND is replaced with the port; without it,
    /// COMMAND must listen on port 8000, as the program of the book does. Words end at blanks, quotes are not known
    #[arg(long = "peer", value_name = "NAME=COMMAND", value_parser = line_server)]
    targets: Vec<Target>,
}

/// A server that can be installed.
struct Peer {
    name: &'static str,
    /// As apt-get knows it.
    package: &'static str,
    dialect: Dialect,
    command: &'static [&'static str],
    config: &'static str,
}

/// All limits that would be met are lifted, and nothing is written to disk.
const PEERS: [Peer; 4] = [
    Peer {
        name: "ncat --chat",
        package: "ncat",
        dialect: Dialect::Lines,
        command: &[
            "ncat",
            "--chat",
            "--max-conns",
            "20000",
            "--listen",
            "127.0.0.1",
            "{port}",
        ],
        config: "",
    },
    Peer {
        name: "ngircd",
        package: "ngircd",
        dialect: Dialect::Irc,
        command: &["ngircd", "--nodaemon", "--config", "{config}"],
        config: NGIRCD,
    },
    Peer {
        name: "NATS",
        package: "nats-server",
        dialect: Dialect::Nats,
        command: &["nats-server", "--config", "{config}"],
        config: NATS,
    },
    Peer {
        name: "Redis pub/sub",
        package: "redis-server",
        dialect: Dialect::Redis,
        command: &["redis-server", "{config}"],
        config: REDIS,
    },
];

/// Penalties would hold back whoever says more than a line or two a second. Without a folder to
/// include it would read what is in /etc.
const NGIRCD: &str = "\
[Global]
Name = bench.localhost
Info = bench
Listen = 127.0.0.1
Ports = {port}
MotdFile = /dev/null
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxPenaltyTime = 0
PingTimeout = 86400
PongTimeout = 86400
[Options]
DNS = no
Ident = no
PAM = no
IncludeDir = {config}.d
";

/// The clients here answer no PING.
const NATS: &str = "\
host: 127.0.0.1
port: {port}
log_file: server.log
ping_interval: \"24h\"
";

const REDIS: &str = "\
bind 127.0.0.1
port {port}
save \"\"
appendonly no
timeout 0
maxclients 20000
client-output-buffer-limit pubsub 0 0 0
";

/// Runs the grid. Also the name and version of each peer.
pub(crate) fn run(
    quick: bool,
    parlor: Parlor<'_>,
    others: &Others,
    places: Places,
) -> anyhow::Result<(Vec<Table>, Versions)> {
    let mut field = Field {
        targets: vec![Target::bare()?, parlor.named()?, parlor.classic()?],
        ..Field::default()
    };
    PEERS.iter().for_each(|peer| field.add(peer));
    for target in &others.targets {
        let command = target.command.join(" ");
        field.versions.push((target.name.clone(), command));
        field.targets.push(target.clone());
    }
    let note = field.note();
    let contest = Contest {
        targets: field.targets,
        listeners: vec![100, 1_000],
        loads: [1, 64].map(|window| Load::Closed { window }).to_vec(),
        rounds: if quick { 3 } else { 7 },
        seconds: if quick { 0.3 } else { 1.5 },
        places,
        versus: None,
    };
    let mut tables = contest.run("Peers", "bare loop")?;
    for table in &mut tables {
        table.note.push_str(&note);
    }
    Ok((tables, field.versions))
}

/// Who is there.
#[derive(Default)]
struct Field {
    targets: Vec<Target>,
    versions: Versions,
    missing: Vec<String>,
}

impl Field {
    /// Adds a peer, if it is installed.
    fn add(&mut self, peer: &Peer) {
        let Some(path) = peer.command.first().and_then(|program| find(program)) else {
            let missing = format!("{} (apt-get install {})", peer.name, peer.package);
            progress(format_args!("not installed: {missing}"));
            self.missing.push(missing);
            return;
        };
        let path = path.to_string_lossy().into_owned();
        self.versions.push((peer.name.into(), version(&path)));
        let arguments = peer.command.iter().skip(1).map(|&word| word.to_owned());
        self.targets.push(Target {
            name: peer.name.into(),
            dialect: peer.dialect,
            command: [path].into_iter().chain(arguments).collect(),
            config: peer.config.into(),
        });
    }

    fn note(&self) -> String {
        let mut note = " Each server has the same one core, on which the others wait meanwhile, and all its limits lifted. \
             With NATS and Redis a speaker does not listen; in IRC a speaker hears all lines but their own."
            .to_owned();
        if !self.missing.is_empty() {
            note.push_str(&format!(" Not installed: {}.", self.missing.join(", ")));
        }
        note
    }
}

/// Where a program is.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(MORE_FOLDERS.map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

/// What a program says of its version.
fn version(program: &str) -> String {
    let Ok(said) = Command::new(program).arg("--version").output() else {
        return "unknown".into();
    };
    let said = [said.stdout, said.stderr].concat();
    version_in(&String::from_utf8_lossy(&said))
}

/// The first word that holds a number with a point, less what stands before and what it was built with.
fn version_in(said: &str) -> String {
    said.split_whitespace()
        .map(|word| word.trim_start_matches(|letter: char| !letter.is_ascii_digit()))
        .find(|word| word.contains('.'))
        .and_then(|word| word.split('-').next())
        .unwrap_or("unknown")
        .to_owned()
}

/// A line server from the command line.
fn line_server(option: &str) -> anyhow::Result<Target> {
    let (name, command) = option.split_once('=').context("NAME=COMMAND is wanted")?;
    let command: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
    if name.is_empty() || command.is_empty() {
        bail!("NAME=COMMAND is wanted");
    }
    Ok(Target {
        name: name.into(),
        dialect: Dialect::Lines,
        command,
        config: String::new(),
    })
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_say() {
        for (said, version) in [
            ("Ncat: Version 7.93 ( https://nmap.org/ncat )", "7.93"),
            ("ngIRCd 26.1-IDENT+IPv6\nCopyright (c)2001", "26.1"),
            ("nats-server: v2.9.10", "2.9.10"),
            ("Redis server v=7.0.15 sha=00000000:0", "7.0.15"),
            ("usage: it has none", "unknown"),
        ] {
            assert_eq!(version_in(said), version);
        }
    }

    #[test]
    fn a_line_server_has_a_name_and_a_command() {
        let target = line_server("my chat=./chat --port {port}").expect("a name and a command");
        assert_eq!(target.name, "my chat");
        assert_eq!(target.command, ["./chat", "--port", "{port}"]);
        for wrong in ["chat", "=chat", "chat=", "chat= "] {
            assert!(line_server(wrong).is_err(), "{wrong}");
        }
    }
}
