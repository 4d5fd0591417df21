//! What `parlor serve` was told, and what it means: flags over environment over file over defaults. Knows the names
//! of doors and journals, and opens none of them.

mod address;
mod change;
mod data;
mod file;
mod listen;
mod rate;
mod retain;
mod settings;
mod size;
pub(crate) mod units;

pub use address::{Address, Host};
pub use data::{Keep, directory};
pub use file::FileError;
pub use listen::ListenUrl;
pub(crate) use listen::read_urls;
pub use rate::Rate;
pub use retain::Retain;
pub use settings::Settings;
pub(crate) use settings::settings_alone;
pub use size::ByteSize;
pub use units::Refused;

use std::path::PathBuf;

use serde::Serialize;

use crate::door::kinds::Mode;
use crate::door::{Names, Scheme};

use crate::cli::ServeOptions;
use crate::telemetry::{LogFormat, LogLevel};

/// Everything the server can be told. Serialised, it is a file that `--config` takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Config {
    /// The doors to open; no two at one address. All are bound before any accepts.
    #[serde(rename = "listen")]
    pub listeners: Vec<ListenUrl>,
    /// Whether the web door among them was not asked for: then the server does without it where its port is taken.
    #[serde(skip)]
    pub web_by_default: bool,
    /// Where lines are kept; none is the usual place on this system, which depends on who runs the server.
    pub data: Option<PathBuf>,
    /// What a line must have come through before anybody sees it.
    pub keep: Keep,
    /// How long lines are kept.
    pub retain: Retain,
    /// Whether nothing is kept on disk.
    pub memory: bool,
    /// Whether passwords are asked for also where they travel as everybody on the way can read them.
    pub allow_plain_passwords: bool,
    /// How fast one person may speak on a named door.
    pub rate: Rate,
    /// Lines of the room that are shown on entering.
    pub replay: usize,
    /// Rooms that may exist at once.
    pub rooms: usize,
    /// Connections at once; none is the descriptor limit less 64, which is known only when the server starts.
    pub connections: Option<usize>,
    /// Connections at once from one address.
    pub connections_per_address: usize,
    /// Whether connections from this machine count as coming from one address, too.
    pub limit_loopback: bool,
    /// Lines that a room's log keeps in memory: who falls further behind skips.
    pub log_lines: usize,
    /// Memory that a room's log may take, whichever of the two is reached first.
    pub log_size: ByteSize,
    /// Memory that the logs of all rooms may take together.
    pub log_total: ByteSize,
    /// How much is told on stderr.
    pub log: LogLevel,
    /// In which form.
    pub log_format: LogFormat,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listeners: vec![
                ListenUrl::lines(Host::localhost(), Mode::Named(Names::Ask)),
                ListenUrl::web(Host::localhost()),
            ],
            web_by_default: true,
            data: None,
            keep: Keep::Synced,
            retain: Retain::Off,
            memory: false,
            allow_plain_passwords: false,
            rate: Rate::DEFAULT,
            replay: 10,
            rooms: 1000,
            connections: None,
            connections_per_address: 256,
            limit_loopback: false,
            log_lines: 16_384,
            log_size: ByteSize::mebibytes(4),
            log_total: ByteSize::mebibytes(256),
            log: LogLevel::Info,
            log_format: LogFormat::Text,
        }
    }
}

/// Why there is no configuration to start with.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file that `--config` names is of no use.
    #[error(transparent)]
    File(#[from] FileError),
    /// Two doors cannot share an address.
    #[error("{0} and {1} use the same address; give one of them another port")]
    Collision(Box<ListenUrl>, Box<ListenUrl>),
    /// `--lan` and `--classic` say where the usual doors open, `--listen` names all doors itself.
    #[error(
        "--{0} and --listen do not go together: --{0} changes the default listeners and --listen replaces them; leave out one of them, or write --listen '{1}'"
    )]
    Mixed(&'static str, &'static str),
    /// What is stored nowhere needs no directory.
    #[error(
        "--memory and --data do not go together: --memory stores nothing on disk; leave out one of them"
    )]
    MemoryWithData,
}

impl Config {
    /// Puts together what flags and environment say, the file they name, and the defaults.
    ///
    /// # Errors
    /// When the file cannot be read or says what no flag means, when two listeners want the same address, and when two
    /// options contradict each other.
    pub fn load(options: ServeOptions) -> Result<Self, ConfigError> {
        let from_file = match &options.config {
            Some(path) => file::read(path)?,
            None => Settings::default(),
        };
        Self::from_settings(options.settings.over(from_file))
    }

    fn from_settings(said: Settings) -> Result<Self, ConfigError> {
        let default = Self::default();
        let listen: Vec<ListenUrl> = said.listen.into_iter().flatten().flatten().collect();
        let classic = said.classic.unwrap_or(false);
        let lan = said.lan.unwrap_or(false);
        match (listen.is_empty(), lan, classic) {
            (false, true, _) => return Err(ConfigError::Mixed("lan", "tcp://*:8000")),
            (false, _, true) => {
                return Err(ConfigError::Mixed(
                    "classic",
                    "tcp://localhost:8001?classic",
                ));
            }
            _ => {}
        }
        if said.memory == Some(true) && said.data.is_some() {
            return Err(ConfigError::MemoryWithData);
        }
        Ok(Self {
            web_by_default: listen.is_empty() && !classic,
            data: said.data.or(default.data),
            keep: said.keep.unwrap_or(default.keep),
            retain: said.retain.unwrap_or(default.retain),
            memory: said.memory.unwrap_or(default.memory),
            allow_plain_passwords: said
                .allow_plain_passwords
                .unwrap_or(default.allow_plain_passwords),
            rate: said.rate.unwrap_or(default.rate),
            replay: said.replay.unwrap_or(default.replay),
            rooms: said.rooms.unwrap_or(default.rooms),
            connections: said.connections.or(default.connections),
            connections_per_address: said
                .connections_per_address
                .unwrap_or(default.connections_per_address),
            limit_loopback: said.limit_loopback.unwrap_or(default.limit_loopback),
            log_lines: said.log_lines.unwrap_or(default.log_lines),
            log_size: said.log_size.unwrap_or(default.log_size),
            log_total: said.log_total.unwrap_or(default.log_total),
            log: said.log.unwrap_or(default.log),
            log_format: said.log_format.unwrap_or(default.log_format),
            listeners: listeners(listen, classic, lan)?,
        })
    }

    /// Whether nobody on another machine can join.
    pub fn only_this_machine(&self) -> bool {
        let doors = self.listeners.iter();
        let doors = doors.filter(|url| url.scheme != Scheme::Metrics);
        let mut hosts = doors.map(|url| &url.address.host);
        hosts.all(Host::is_this_machine)
    }

    /// The directory in which lines are kept; none where nothing is.
    ///
    /// # Errors
    /// None was named, and this system does not say which it would be.
    pub fn directory(&self) -> Result<Option<PathBuf>, Refused> {
        match &self.data {
            _ if self.memory => Ok(None),
            data => directory(data.as_deref()).map(Some),
        }
    }

    /// The configuration as a file that `--config` takes, each key explained.
    ///
    /// # Errors
    /// When a number is larger than TOML can hold.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        file::write(self)
    }
}

/// The doors that `--listen` names; without any the usual ones, or the classic one, with `--lan` on all interfaces.
fn listeners(
    listen: Vec<ListenUrl>,
    classic: bool,
    lan: bool,
) -> Result<Vec<ListenUrl>, ConfigError> {
    if !listen.is_empty() {
        return union(listen);
    }
    let host = if lan { Host::All } else { Host::localhost() };
    Ok(match classic {
        true => vec![ListenUrl::lines(host, Mode::Classic)],
        false => vec![
            ListenUrl::lines(host.clone(), Mode::Named(Names::Ask)),
            ListenUrl::web(host),
        ],
    })
}

/// Leaves out what was said twice; two doors that differ cannot share an address.
fn union(wanted: Vec<ListenUrl>) -> Result<Vec<ListenUrl>, ConfigError> {
    let mut union: Vec<ListenUrl> = Vec::with_capacity(wanted.len());
    for url in wanted {
        // Port 0 is a new port each time, so saying it twice means two.
        if url.address.port != 0 && union.contains(&url) {
            continue;
        }
        let other = union
            .iter()
            .find(|other| other.address.collides_with(&url.address));
        if let Some(other) = other {
            return Err(ConfigError::Collision(
                Box::new(other.clone()),
                Box::new(url),
            ));
        }
        union.push(url);
    }
    Ok(union)
}

#[cfg(test)]
mod tests;
