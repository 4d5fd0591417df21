//! Where a door opens: `SCHEME://HOST:PORT?OPTIONS`. Knows no scheme by name, opens nothing.

use std::fmt;
use std::iter::{once, repeat};
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::config::address::{Address, Host};
use crate::config::units;
use crate::config::units::Refused;
use crate::door::kinds::Mode;
use crate::door::{Idle, LINE_PORT, Names, Scheme, WEB_PORT, find_door, read_options};

/// A door to open, with all that was said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenUrl {
    /// Which kind of door.
    pub scheme: Scheme,
    /// Where.
    pub address: Address,
    /// The plain protocol or the full one.
    pub mode: Mode,
    /// Who may not be silent for long.
    pub idle: Idle,
    /// Under which names browsers find it, beside those that it knows by itself.
    pub hosts: Vec<String>,
}

impl ListenUrl {
    /// The line protocol on its usual port, with the usual idle limit.
    pub fn lines(host: Host, mode: Mode) -> Self {
        Self {
            scheme: Scheme::Tcp,
            address: Address {
                host,
                port: LINE_PORT,
            },
            mode,
            idle: mode.default_idle(),
            hosts: Vec::new(),
        }
    }

    /// The web door on its usual port.
    pub fn web(host: Host) -> Self {
        Self {
            scheme: Scheme::Http,
            address: Address {
                host,
                port: WEB_PORT,
            },
            ..Self::lines(Host::localhost(), Mode::Named(Names::Ask))
        }
    }
}

impl FromStr for ListenUrl {
    type Err = Refused;

    fn from_str(text: &str) -> Result<Self, Refused> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(Refused::new(format!(
                "no scheme; write it in front, as in tcp://{text}"
            )));
        };
        let door = find_door(scheme)?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let address = Address::parse(place.strip_suffix('/').unwrap_or(place), door.port)?;
        let said = read_options(door, query)?;
        let mode = match (said.classic, said.names) {
            (true, Some(Names::Ask)) => {
                return Err(Refused::new(
                    "classic has no names; leave out names=ask or classic",
                ));
            }
            (true, _) => Mode::Classic,
            (false, names) => Mode::Named(names.unwrap_or(Names::Ask)),
        };
        let idle = said.idle.unwrap_or(mode.default_idle());
        Ok(Self {
            scheme: door.scheme,
            address,
            mode,
            idle,
            hosts: said.hosts,
        })
    }
}

impl fmt::Display for ListenUrl {
    /// In one form only: the port always, an option only where it says more than the default.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.name(), self.address)?;
        let mode = match self.mode {
            Mode::Classic => Some("classic".to_owned()),
            Mode::Named(Names::Address) => Some("names=address".to_owned()),
            Mode::Named(Names::Ask) => None,
        };
        let idle = match self.idle {
            Idle::Everybody(time) => Some(format!("idle={}", units::duration(time))),
            idle => (idle != self.mode.default_idle()).then(|| "idle=0".to_owned()),
        };
        let hosts = self.hosts.iter().map(|host| format!("host={host}"));
        let options = mode.into_iter().chain(idle).chain(hosts);
        for (option, mark) in options.zip(once('?').chain(repeat('&'))) {
            write!(f, "{mark}{option}")?;
        }
        Ok(())
    }
}

impl Serialize for ListenUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads several URLs with commas or blanks between them, as one environment variable holds them.
pub(crate) fn read_urls(text: &str) -> Result<Vec<ListenUrl>, Refused> {
    let urls: Vec<_> = text
        .split([',', ' ', '\t', '\n'])
        .filter(|word| !word.is_empty())
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    if urls.is_empty() {
        return Err(Refused::new("no URL; write one like tcp://localhost:8000"));
    }
    Ok(urls)
}

#[cfg(test)]
pub(super) mod tests;
