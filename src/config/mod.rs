//! The options of `parlor serve`: each is one row here, for flags, environment, file and reload
//! alike. Opens nothing, and knows no kind of door.

mod acme;
mod address;
mod certificate;
mod change;
mod data;
mod file;
mod listen;
mod nodes;
mod rows;
mod units;

pub use acme::AcmeChallenge;
pub(crate) use acme::AcmeOptions;
pub use address::{Address, Host};
pub(crate) use certificate::CertificateFiles;
pub(crate) use data::SOCKET_FILE;
pub use data::{DataOption, Keep};
pub(crate) use file::read as read_file;
pub(crate) use listen::read_several;
pub use listen::{ListenPlace, ListenUrl};
pub use units::{ByteSize, InvalidValue, RateLimit, Retain, StopWait};
pub(crate) use units::{duration, host, idle, yes_or_no};

use std::collections::HashSet;
use std::mem;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::Resettable;
use clap::{Arg, ArgAction, Args, FromArgMatches, ValueHint};
use parlor_core::model::{Capacity, Limits, NodeName, Rate};
use serde::Serialize;
use toml::Table;

use self::rows::options;
use self::units::{count, count_or_none, password_chars};
use crate::telemetry::{LogFormat, LogLevel};

/// The descriptors that are not for connections: listeners, files, and one in reserve.
const DESCRIPTORS_KEPT: usize = 64;

/// The listeners of a server without `--listen`.
const USUAL_LISTENERS: [&str; 3] =
    ["tcp://localhost:8000", "http://localhost:8080", "irc://localhost:6667"];

/// The listener of a server with `--classic` and without `--listen`.
const CLASSIC_LISTENER: [&str; 1] = ["tcp://localhost:8000?classic"];

/// The beginning of all variables of the environment that set an option.
pub(crate) const VARIABLE_PREFIX: &str = "PARLOR_";

/// The directory of Let's Encrypt.
const ACME_DIRECTORY: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// How long people without a name may be silent: exercise 8.13 of "The Go Programming Language".
const NAMELESS_IDLE: Duration = Duration::from_mins(5);

options! {
    /// All options of the server. Clap reads them; serde writes them, as a file that `--config`
    /// takes. A running server takes over those with an arrow.
    #[derive(Debug, Clone, PartialEq, Eq, Args, Serialize)]
    #[command(mut_args = finish)]
    #[serde(rename_all = "kebab-case")]
    pub struct Config {
        /// Listen at URL; may be repeated [default: tcp://localhost:8000,
        /// http://localhost:8080, irc://localhost:6667]
        #[arg(long, value_name = "URL", value_parser = listen::read_urls, value_hint = ValueHint::Url)]
        #[serde(skip)]
        listen: Vec<Urls>,

        /// Short for --listen 'tcp://localhost:8000?classic', the book's protocol without names;
        /// not together with --listen
        #[arg(long, value_name = "BOOL")]
        #[serde(skip)]
        classic: bool,

        /// Let other machines join: listen on all interfaces at the default ports; not together
        /// with --listen
        #[arg(long, value_name = "BOOL")]
        #[serde(skip)]
        lan: bool,

        /// The listeners that follow from the three options above; no two at one address.
        #[arg(skip)]
        #[serde(rename = "listen")]
        pub listeners: Vec<ListenUrl>,

        /// Whether the listeners are the usual ones: then the server can do without some of them if
        /// their port is taken.
        #[arg(skip)]
        #[serde(skip)]
        pub listens_as_usual: bool,

        /// Store lines in the directory DIR [default: ~/.local/share/parlor, for root
        /// /var/lib/parlor]
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        pub data: Option<PathBuf>,

        /// When a line counts as stored, so that people see it
        #[arg(long, value_name = "HOW", default_value = "synced")]
        pub keep: Keep,

        /// Delete lines older than this: 30d, 12h, 4w; or off, to store them for good
        #[arg(long, value_name = "TIME", default_value = "off")]
        pub retain: Retain => retain,

        /// Store nothing on disk: lines are gone when the server stops; not together with --data
        #[arg(long, value_name = "BOOL")]
        pub memory: bool,

        /// Share rooms, names and lines with the other servers that use these servers of NATS:
        /// nats://HOST:4222 or tls://HOST:4222, several with commas
        #[arg(long, value_name = "URLS", value_parser = nodes::servers, value_hint = ValueHint::Url)]
        pub nats: Option<String>,

        /// Name of what the servers at --nats share
        #[arg(long, value_name = "NAME", value_parser = nodes::house, default_value = "main")]
        pub house: String,

        /// Name of this server among the others [default: that of the machine]
        #[arg(long, value_name = "NAME", value_parser = nodes::node)]
        pub node: Option<String>,

        /// Prove with the credentials in FILE who this server is
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        pub nats_creds: Option<PathBuf>,

        /// Take snapshots of what the servers at --nats share, and delete old messages there, N
        /// times as often as usual; only for tests
        #[arg(long, value_name = "N", value_parser = count, default_value = "1", hide = true)]
        #[serde(skip)]
        pub snapshot_speed: usize,

        /// Show the certificate in FILE at all doors with TLS, with its chain, in PEM [default: one
        /// that the server makes]
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        pub tls_cert: Option<PathBuf> => tls_cert,

        /// The key of --tls-cert [default: in the same file]
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        pub tls_key: Option<PathBuf> => tls_key,

        /// Get a certificate for the host NAME from an authority (ACME), show it at all doors with
        /// TLS, and renew it in time; may be repeated, also with commas. By this you agree to the
        /// authority's terms of service
        #[arg(long, value_name = "NAME", value_parser = acme::name, value_delimiter = ',')]
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub acme: Vec<String>,

        /// Mail address at which the authority can reach you
        #[arg(long, value_name = "MAIL", value_parser = acme::contact, value_hint = ValueHint::EmailAddress)]
        pub acme_contact: Option<String> => acme_contact,

        /// Directory of the authority
        #[arg(long, value_name = "URL", value_parser = acme::directory, value_hint = ValueHint::Url, default_value = ACME_DIRECTORY)]
        pub acme_directory: String,

        /// Trust the authority by the certificates in FILE, in PEM [default: those that this
        /// machine trusts]
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        pub acme_ca: Option<PathBuf>,

        /// Where the authority checks the names, if ports are forwarded [default: tls with a door
        /// at port 443, else http]
        #[arg(long, value_name = "WAY")]
        pub acme_challenge: Option<AcmeChallenge>,

        /// Accept passwords over plain TCP from other machines, where others on the network could
        /// read them
        #[arg(long, value_name = "BOOL")]
        pub allow_plain_passwords: bool,

        /// Fewest characters in a new password, 1 to 64
        #[arg(long, value_name = "N", value_parser = password_chars, default_value = "8")]
        pub password_chars: usize,

        /// Lines a second from one person, with bursts of ten times that; or off
        #[arg(long, value_name = "N/s", default_value = "10/s")]
        pub rate: RateLimit => rate,

        /// How long people without a name may be silent if a URL does not say.
        #[arg(skip = NAMELESS_IDLE)]
        #[serde(skip)]
        pub nameless_idle: Duration,

        /// Lines shown to people who enter a room
        #[arg(long, value_name = "N", value_parser = count_or_none, default_value = "10")]
        pub replay: usize => replay,

        /// Most rooms at once
        #[arg(long, value_name = "N", value_parser = count, default_value = "1000")]
        pub rooms: usize => rooms,

        /// Most connections at once [default: the descriptor limit less 64]
        #[arg(long, value_name = "N", value_parser = count)]
        pub connections: Option<usize> => connections,

        /// Most connections from one address
        #[arg(long, value_name = "N", value_parser = count, default_value = "256")]
        pub connections_per_address: usize => connections_per_address,

        /// Apply the limit per address to this machine, too
        #[arg(long, value_name = "BOOL")]
        pub limit_loopback: bool => limit_loopback,

        /// Lines of a room in memory; readers who fall further behind skip lines
        #[arg(long, value_name = "N", value_parser = count, default_value = "16384")]
        pub log_lines: usize => log_lines,

        /// Most memory for the lines of one room
        #[arg(long, value_name = "SIZE", default_value = "4MiB")]
        pub log_size: ByteSize => log_size,

        /// Most memory for the lines of all rooms
        #[arg(long, value_name = "SIZE", default_value = "256MiB")]
        pub log_total: ByteSize => log_total,

        /// How long a stop waits for clients that have not read the last lines
        #[arg(long, value_name = "TIME", default_value = "12s")]
        pub stop_wait: StopWait,

        /// How much to log on stderr
        #[arg(long, value_name = "LEVEL", default_value = "info")]
        pub log: LogLevel => log,

        /// Format of the log
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        pub log_format: LogFormat,
    }
}

/// The URLs of one `--listen`: usually one; in an environment variable, there may be several.
type Urls = Vec<ListenUrl>;

/// Completes a row: the variable has the name of the field, help names the default, and values of
/// one kind are read in the same way.
fn finish(arg: Arg) -> Arg {
    let variable = variable(arg.get_id().as_str());
    let arg = arg.env(variable);
    let default = arg.get_default_values().first();
    let default = default.map(|words| words.to_string_lossy().into_owned());
    let about = arg.get_help().map(ToString::to_string);
    let kind = arg.get_value_names().and_then(<[_]>::first);
    let kind = kind.map(ToString::to_string).unwrap_or_default();
    match (kind.as_str(), default, about) {
        ("BOOL", ..) => arg
            .action(ArgAction::Set)
            .value_parser(yes_or_no)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .default_value("false"),
        (kind, Some(default), Some(about)) => arg
            // A value that looks like another option is wrong, and its parser says what to write.
            .allow_hyphen_values(matches!(kind, "TIME" | "N/s" | "SIZE"))
            .allow_negative_numbers(kind == "N")
            .help(format!("{about} [default: {default}]")),
        (kind, ..) => arg.allow_negative_numbers(kind == "N"),
    }
    .hide_default_value(true)
}

/// The variable of the environment that sets an option.
pub(crate) fn variable(option: &str) -> String {
    VARIABLE_PREFIX.to_owned() + &option.replace('-', "_").to_uppercase()
}

/// The options as flags, without the environment.
pub(crate) fn options() -> clap::Command {
    Config::augment_args(clap::Command::new("options"))
        .no_binary_name(true)
        .mut_args(|arg| arg.env(Resettable::Reset))
}

/// The reason why the configuration is invalid.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Clap cannot read the options.
    #[error(transparent)]
    Options(#[from] clap::Error),
    /// A value in the file is wrong, or options contradict each other.
    #[error(transparent)]
    Value(#[from] InvalidValue),
    /// The options for an authority do not fit the others.
    #[error("{0}")]
    Acme(InvalidValue),
}

impl Config {
    /// The default configuration.
    ///
    /// # Errors
    /// A default is wrong, which is a bug.
    pub fn usual() -> Result<Self, ConfigError> {
        Self::from_words(&[])
    }

    /// The configuration of these flags, without environment and file.
    fn from_words(words: &[&str]) -> Result<Self, ConfigError> {
        Self::from_arg_matches(&options().try_get_matches_from(words)?)?.settled()
    }

    /// Resolves options that depend on each other.
    ///
    /// # Errors
    ///
    /// Two listeners have the same address, or two options contradict each other.
    pub(crate) fn settled(mut self) -> Result<Self, ConfigError> {
        if self.memory && self.data.is_some() {
            let sentence = "--memory and --data do not go together: --memory stores nothing on disk; leave out one of them";
            return Err(InvalidValue::new(sentence).into());
        }
        if self.tls_key.is_some() && self.tls_cert.is_none() {
            let sentence = "--tls-key needs --tls-cert, the file with the certificate";
            return Err(InvalidValue::new(sentence).into());
        }
        self.check_acme().map_err(ConfigError::Acme)?;
        let mut named = HashSet::new();
        self.acme.retain(|name| named.insert(name.clone()));
        self.nats.as_deref().map_or(Ok(()), nodes::check_servers)?;
        let listen = mem::take(&mut self.listen).concat();
        let (classic, lan) = (mem::take(&mut self.classic), mem::take(&mut self.lan));
        self.listens_as_usual = listen.is_empty();
        self.listeners = match (listen.is_empty(), lan, classic) {
            (false, true, _) => return Err(mixed("lan", "tcp://*:8000").into()),
            (false, _, true) => return Err(mixed("classic", "tcp://localhost:8001?classic").into()),
            (false, false, false) => listen::union(listen)?,
            (true, _, true) => listen::usual(&CLASSIC_LISTENER, lan)?,
            (true, _, false) => listen::usual(&USUAL_LISTENERS, lan)?,
        };
        Ok(self)
    }

    /// Checks the options for an authority.
    fn check_acme(&self) -> Result<(), InvalidValue> {
        let (contact, ca) = (self.acme_contact.is_some(), self.acme_ca.is_some());
        let belongs_to_acme = contact || ca || self.acme_challenge.is_some();
        let sentence = match self.acme.is_empty() {
            true if belongs_to_acme => {
                "--acme-contact, --acme-ca and --acme-challenge need --acme, the name for the certificate"
            }
            true => return Ok(()),
            false if self.tls_cert.is_some() => {
                "--acme and --tls-cert do not go together: both name the certificate of doors with TLS; leave out one of them"
            }
            false if self.memory => {
                "--acme and --memory do not go together: the certificate is stored, or the authority would be asked too often; leave out one of them"
            }
            false => return Ok(()),
        };
        Err(InvalidValue::new(sentence))
    }

    /// The options for an authority; none if the server asks none.
    pub(crate) fn acme_options(&self) -> Option<AcmeOptions> {
        (!self.acme.is_empty()).then(|| AcmeOptions {
            names: self.acme.clone(),
            directory: self.acme_directory.clone(),
            ca: self.acme_ca.clone(),
        })
    }

    /// The configuration after a reload of `wanted`, with a sentence for each key that has changed,
    /// and then for each key that cannot change.
    pub(crate) fn change_to(&self, wanted: &Config) -> (Config, Vec<String>) {
        let config = self.reloaded(wanted);
        let [old, new, wanted] = [self, &config, wanted].map(Config::table);
        let sentences = change::sentences(&old, &new, &wanted);
        (config, sentences)
    }

    /// All keys that are set, with their values in the form of a file.
    fn table(&self) -> Table {
        // No flag takes a number that is too large for TOML.
        Table::try_from(self).unwrap_or_default()
    }

    /// The configuration as a file that `--config` takes, with an explanation of each key.
    pub fn to_toml(&self) -> String {
        file::write(&self.table(), &options())
    }

    /// The directory in which lines are stored; `None` if they are not stored.
    ///
    /// # Errors
    ///
    /// The configuration names no directory, and this system has no usual one.
    pub fn directory(&self) -> Result<Option<PathBuf>, InvalidValue> {
        match self.memory {
            true => Ok(None),
            false => data::directory(self.data.as_deref()).map(Some),
        }
    }

    /// The name of this server among its nodes.
    ///
    /// # Errors
    /// It has none, and the machine's name cannot be one.
    pub(crate) fn node_name(&self) -> Result<NodeName, InvalidValue> {
        nodes::node_name(self.node.as_deref())
    }

    /// The settings that a running server takes over, in a process that may open this many files.
    pub(crate) fn settings(&self, descriptors: usize) -> Settings {
        // Without `..`: an option with an arrow does not compile before it has an effect.
        let Reloadable {
            retain,
            tls_cert,
            tls_key,
            acme_contact,
            rate,
            replay,
            rooms,
            connections,
            connections_per_address,
            limit_loopback,
            log_lines,
            log_size,
            log_total,
            log,
        } = self.reloadable();
        let certificate = tls_cert.map(|chain| CertificateFiles::new(chain, tls_key));
        Settings {
            log,
            certificate,
            acme_contact,
            rate: rate.rate(),
            replay: replay as u64,
            retain: retain.time(),
            connections: ConnectionLimits {
                all: connections.unwrap_or(places(descriptors).max(1)),
                per_address: connections_per_address,
                limit_loopback,
            },
            broadcaster: Limits {
                rooms,
                log: Capacity { lines: log_lines, bytes: log_size.bytes() },
                logs_bytes: log_total.bytes(),
                retain: retain.time(),
                ..Limits::default()
            },
        }
    }
}

/// The settings that a running server takes over, in the form in which its parts take them.
pub(crate) struct Settings {
    /// How much is logged on stderr.
    pub(crate) log: LogLevel,
    /// The certificate of doors with TLS; none for the server's own.
    pub(crate) certificate: Option<CertificateFiles>,
    /// The operator's mail address, for an authority.
    pub(crate) acme_contact: Option<String>,
    /// The rate of one person's lines.
    pub(crate) rate: Option<Rate>,
    /// How many earlier lines a person reads in a room on entering.
    pub(crate) replay: u64,
    /// How long lines are stored; `None` for ever.
    pub(crate) retain: Option<Duration>,
    /// The limits on connections.
    pub(crate) connections: ConnectionLimits,
    /// The limits of the broadcaster.
    pub(crate) broadcaster: Limits,
}

/// How many connections there may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConnectionLimits {
    /// In all.
    pub(crate) all: usize,
    /// From one address.
    pub(crate) per_address: usize,
    /// Whether the limit per address applies to this machine, too.
    pub(crate) limit_loopback: bool,
}

/// `--lan` and `--classic` change the usual listeners, and `--listen` replaces them.
fn mixed(flag: &str, instead: &str) -> InvalidValue {
    InvalidValue::new(format!(
        "--{flag} and --listen do not go together: --{flag} changes the default listeners and --listen replaces them; leave out one of them, or write --listen '{instead}'"
    ))
}

/// How many connections fit into a process that may open this many files.
pub(crate) fn places(descriptors: usize) -> usize {
    descriptors.saturating_sub(DESCRIPTORS_KEPT)
}

/// How many open files a process needs for this many connections.
pub(crate) fn descriptors_for(places: usize) -> usize {
    places.saturating_add(DESCRIPTORS_KEPT)
}

#[cfg(test)]
mod tests;
