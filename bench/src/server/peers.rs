//! Servers that can be installed, with the command and the configuration of each: its limits are
//! lifted, and it does not write to disk.

use std::process::Command;

use super::protocol::Protocol;
use super::target::Target;

/// Where servers are: in the PATH, or in a folder that an ordinary user may not have in it.
const FOLDERS: [&str; 3] = ["", "/usr/sbin/", "/usr/local/sbin/"];

/// A server that can be installed.
pub(crate) struct Installable {
    pub(crate) name: &'static str,
    /// Its package for apt-get.
    pub(crate) package: &'static str,
    protocol: Protocol,
    /// Words with blanks between them.
    command: &'static str,
    config: &'static str,
}

pub(crate) const INSTALLABLE: [Installable; 4] = [
    Installable {
        name: "ncat --chat",
        package: "ncat",
        protocol: Protocol::Lines,
        command: "ncat --chat --max-conns 20000 --listen 127.0.0.1 {port}",
        config: "",
    },
    Installable {
        name: "ngircd",
        package: "ngircd",
        protocol: Protocol::Irc,
        command: "ngircd --nodaemon --config {config}",
        config: NGIRCD,
    },
    Installable {
        name: "NATS",
        package: "nats-server",
        protocol: Protocol::Nats,
        command: "nats-server --config {config}",
        config: NATS,
    },
    Installable {
        name: "Redis pub/sub",
        package: "redis-server",
        protocol: Protocol::Redis,
        command: "redis-server {config}",
        config: REDIS,
    },
];

/// Penalties would delay a client that sends more than a line or two a second. Without an
/// IncludeDir here, ngircd would read the files in /etc.
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

impl Installable {
    /// The server and its version, if it is installed.
    pub(crate) fn find(&self) -> Option<(Target, String)> {
        let (program, words) = self.command.split_once(' ')?;
        let paths = FOLDERS.map(|folder| format!("{folder}{program}"));
        let (path, version) =
            paths.iter().find_map(|path| Some((path.as_str(), version(path)?)))?;
        let words = [path].into_iter().chain(words.split(' '));
        let target = Target::new(self.name, self.protocol, words);
        Some((Target { config: self.config.into(), ..target }, version))
    }
}

/// The version that a program prints; None if there is no such program.
fn version(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    let printed = [output.stdout, output.stderr].concat();
    Some(version_in(&String::from_utf8_lossy(&printed)).to_owned())
}

/// The first word that contains a number with a point, without the text before the number and
/// without the build options after it.
fn version_in(printed: &str) -> &str {
    printed
        .split_whitespace()
        .map(|word| word.trim_start_matches(|letter: char| !letter.is_ascii_digit()))
        .find(|word| word.contains('.'))
        .and_then(|word| word.split('-').next())
        .unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_is_found_in_output() {
        for (printed, version) in [
            ("Ncat: Version 7.93 ( https://nmap.org/ncat )", "7.93"),
            ("ngIRCd 26.1-IDENT+IPv6\nCopyright (c)2001", "26.1"),
            ("nats-server: v2.9.10", "2.9.10"),
            ("Redis server v=7.0.15 sha=00000000:0", "7.0.15"),
            ("usage: it has none", "unknown"),
        ] {
            assert_eq!(version_in(printed), version);
        }
    }
}
