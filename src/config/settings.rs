//! The settings of the server as flags and environment variables. Knows no default: help names them, `Config` has them.

use std::path::PathBuf;

use clap::builder::Resettable;
use clap::{Args, ValueHint};

use super::data::Keep;
use super::listen::ListenUrl;
use super::rate::Rate;
use super::retain::Retain;
use super::size::ByteSize;
use super::units;
use crate::config;
use crate::door::DOORS;
use crate::telemetry::{LogFormat, LogLevel};

/// What flags and environment, or a file, say about the server; none where they are silent.
#[derive(Debug, Clone, Default, PartialEq, Args)]
pub struct Settings {
    /// Listen at URL; may be repeated [default: tcp://localhost:8000, http://localhost:8080]
    #[arg(long, env = "PARLOR_LISTEN", value_name = "URL", value_parser = config::read_urls,
          long_help = listen_help(), value_hint = ValueHint::Url)]
    pub listen: Option<Vec<Urls>>,

    /// Short for --listen 'tcp://localhost:8000?classic', the book's protocol without names; not together with --listen
    #[arg(long, env = "PARLOR_CLASSIC", value_name = "BOOL", value_parser = units::yes_or_no,
          num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub classic: Option<bool>,

    /// Let other machines join: listen on all interfaces at the default ports; not together with --listen
    #[arg(long, env = "PARLOR_LAN", value_name = "BOOL", value_parser = units::yes_or_no,
          num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub lan: Option<bool>,

    /// Store lines in the directory DIR [default: ~/.local/share/parlor, for root /var/lib/parlor]
    #[arg(long, env = "PARLOR_DATA", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub data: Option<PathBuf>,

    /// When a line counts as stored, so that people see it [default: synced]
    #[arg(long, env = "PARLOR_KEEP", value_name = "HOW")]
    pub keep: Option<Keep>,

    /// Delete lines older than this: 30d, 12h, 4w; or off, to store them for good [default: off]
    #[arg(
        long,
        env = "PARLOR_RETAIN",
        value_name = "TIME",
        allow_hyphen_values = true
    )]
    pub retain: Option<Retain>,

    /// Store nothing on disk: lines are gone when the server stops; not together with --data
    #[arg(long, env = "PARLOR_MEMORY", value_name = "BOOL", value_parser = units::yes_or_no,
          num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub memory: Option<bool>,

    /// Accept passwords over plain TCP from other machines, where others on the network could read them
    #[arg(long, env = "PARLOR_ALLOW_PLAIN_PASSWORDS", value_name = "BOOL", value_parser = units::yes_or_no,
          num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub allow_plain_passwords: Option<bool>,

    /// Lines a second from one person, with bursts of ten times that; or off [default: 10/s]
    #[arg(
        long,
        env = "PARLOR_RATE",
        value_name = "N/s",
        allow_hyphen_values = true
    )]
    pub rate: Option<Rate>,

    /// Lines shown to people who enter a room [default: 10]
    #[arg(long, env = "PARLOR_REPLAY", value_name = "N", value_parser = units::count_or_none, allow_negative_numbers = true)]
    pub replay: Option<usize>,

    /// Most rooms at once [default: 1000]
    #[arg(long, env = "PARLOR_ROOMS", value_name = "N", value_parser = units::count, allow_negative_numbers = true)]
    pub rooms: Option<usize>,

    /// Most connections at once [default: the descriptor limit less 64]
    #[arg(long, env = "PARLOR_CONNECTIONS", value_name = "N", value_parser = units::count, allow_negative_numbers = true)]
    pub connections: Option<usize>,

    /// Most connections from one address [default: 256]
    #[arg(long, env = "PARLOR_CONNECTIONS_PER_ADDRESS", value_name = "N", value_parser = units::count, allow_negative_numbers = true)]
    pub connections_per_address: Option<usize>,

    /// Apply the limit per address to this machine, too
    #[arg(long, env = "PARLOR_LIMIT_LOOPBACK", value_name = "BOOL", value_parser = units::yes_or_no,
          num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub limit_loopback: Option<bool>,

    /// Lines of a room in memory; readers who fall further behind skip lines [default: 16384]
    #[arg(long, env = "PARLOR_LOG_LINES", value_name = "N", value_parser = units::count, allow_negative_numbers = true)]
    pub log_lines: Option<usize>,

    /// Most memory for the lines of one room [default: 4MiB]
    #[arg(
        long,
        env = "PARLOR_LOG_SIZE",
        value_name = "SIZE",
        allow_hyphen_values = true
    )]
    pub log_size: Option<ByteSize>,

    /// Most memory for the lines of all rooms [default: 256MiB]
    #[arg(
        long,
        env = "PARLOR_LOG_TOTAL",
        value_name = "SIZE",
        allow_hyphen_values = true
    )]
    pub log_total: Option<ByteSize>,

    /// How much to log on stderr [default: info]
    #[arg(long, env = "PARLOR_LOG", value_name = "LEVEL")]
    pub log: Option<LogLevel>,

    /// Format of the log [default: text]
    #[arg(long, env = "PARLOR_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
}

/// What one `--listen` says: usually one URL, from the environment several.
type Urls = Vec<ListenUrl>;

impl Settings {
    /// Lets these settings win over those `below`.
    pub(crate) fn over(self, below: Self) -> Self {
        Self {
            listen: self.listen.or(below.listen),
            classic: self.classic.or(below.classic),
            lan: self.lan.or(below.lan),
            data: self.data.or(below.data),
            keep: self.keep.or(below.keep),
            retain: self.retain.or(below.retain),
            memory: self.memory.or(below.memory),
            allow_plain_passwords: self.allow_plain_passwords.or(below.allow_plain_passwords),
            rate: self.rate.or(below.rate),
            replay: self.replay.or(below.replay),
            rooms: self.rooms.or(below.rooms),
            connections: self.connections.or(below.connections),
            connections_per_address: self
                .connections_per_address
                .or(below.connections_per_address),
            limit_loopback: self.limit_loopback.or(below.limit_loopback),
            log_lines: self.log_lines.or(below.log_lines),
            log_size: self.log_size.or(below.log_size),
            log_total: self.log_total.or(below.log_total),
            log: self.log.or(below.log),
            log_format: self.log_format.or(below.log_format),
        }
    }
}

/// The settings as flags, with no environment behind them, for reading a file by.
pub(crate) fn settings_alone() -> clap::Command {
    Settings::augment_args(clap::Command::new("settings"))
        .no_binary_name(true)
        .mut_args(|arg| arg.env(Resettable::Reset))
}

fn listen_help() -> String {
    let mut help = "\
Listen at URL; may be repeated [default: tcp://localhost:8000, http://localhost:8080]

URL is SCHEME://HOST:PORT?OPTION&OPTION. HOST is a name, an IPv4 address, an [IPv6 address], or * for all \
interfaces. PORT 0 picks a free port. The schemes and their options:
"
    .to_owned();
    for door in DOORS {
        help += &format!("\n  {}: {} (port {})", door.name, door.about, door.port);
        for option in door.options {
            help += &format!("\n    {}: {}", option.form, option.about);
        }
    }
    help
}
