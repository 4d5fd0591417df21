//! Listeners in URLs: `SCHEME://HOST:PORT?OPTIONS` or `SCHEME:///PATH?OPTIONS`. Opens nothing. Knows
//! no scheme and no option: both stay as typed.

use std::fmt;
use std::iter::{once, repeat};
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::address::{Host, split_port};
use super::units::InvalidValue;

/// A listener to open, with its options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenUrl {
    /// The kind of door.
    pub scheme: String,
    /// The place where it listens.
    pub place: ListenPlace,
    /// The options after the question mark.
    pub options: Vec<String>,
}

/// The place where a listener listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenPlace {
    /// `HOST:PORT`.
    Port {
        /// The host: this machine, or some of its interfaces.
        host: Host,
        /// The TCP port; 0 takes a free one. `None` for the usual port of the door.
        port: Option<u16>,
    },
    /// The absolute path of a Unix socket.
    Path(PathBuf),
}

impl ListenPlace {
    /// Whether only this machine can reach it.
    pub(crate) fn is_this_machine(&self) -> bool {
        match self {
            Self::Port { host, .. } => host.is_this_machine(),
            Self::Path(_) => true,
        }
    }

    /// Whether each listener there gets a port of its own.
    fn is_free_port(&self) -> bool {
        matches!(self, Self::Port { port: Some(0), .. })
    }

    /// Whether both cannot be opened at once. Port 0 never collides: each listener gets another
    /// port.
    fn collides_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Port { host, port }, Self::Port { host: other_host, port: other_port }) => {
                let share = [host, other_host].contains(&&Host::All) || host == other_host;
                port == other_port && !self.is_free_port() && share
            }
            _ => self == other,
        }
    }
}

impl FromStr for ListenPlace {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text.len() > 1 && text.starts_with('/') {
            return Ok(Self::Path(text.into()));
        }
        let (host, port) = split_port(text.strip_suffix('/').unwrap_or(text))?;
        Ok(Self::Port { host, port })
    }
}

impl fmt::Display for ListenPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port { host, port: Some(port) } => write!(f, "{host}:{port}"),
            Self::Port { host, port: None } => host.fmt(f),
            Self::Path(path) => path.display().fmt(f),
        }
    }
}

impl FromStr for ListenUrl {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(InvalidValue::new(format!(
                "no scheme; write it in front, as in tcp://{text}"
            )));
        };
        let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
        let options = options.split('&').filter(|option| !option.is_empty());
        Ok(Self {
            scheme: scheme.to_owned(),
            place: place.parse()?,
            options: options.map(str::to_owned).collect(),
        })
    }
}

impl fmt::Display for ListenUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.place)?;
        for (option, mark) in self.options.iter().zip(once('?').chain(repeat('&'))) {
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

/// Reads several URLs with commas or blanks between them, as in an environment variable.
pub(crate) fn read_several(
    text: &str,
    read: impl Fn(&str) -> Result<ListenUrl, InvalidValue>,
) -> Result<Vec<ListenUrl>, InvalidValue> {
    let words = text.split([',', ' ', '\t', '\n']);
    let words = words.filter(|word| !word.is_empty());
    let urls: Vec<_> = words.map(read).collect::<Result<_, _>>()?;
    if urls.is_empty() {
        return Err(InvalidValue::new("no URL; write one like tcp://localhost:8000"));
    }
    Ok(urls)
}

/// Reads several URLs as typed, whether or not their doors exist.
pub(super) fn read_urls(text: &str) -> Result<Vec<ListenUrl>, InvalidValue> {
    read_several(text, str::parse)
}

/// Reads the listeners of a server without `--listen`: for this machine or for all machines.
pub(super) fn usual(texts: &[&str], lan: bool) -> Result<Vec<ListenUrl>, InvalidValue> {
    let read = |text: &&str| {
        let mut url: ListenUrl = text.parse()?;
        if let (true, ListenPlace::Port { host, .. }) = (lan, &mut url.place) {
            *host = Host::All;
        }
        Ok(url)
    };
    texts.iter().map(read).collect()
}

/// Leaves out repeated listeners; different listeners cannot share an address.
pub(super) fn union(wanted: Vec<ListenUrl>) -> Result<Vec<ListenUrl>, InvalidValue> {
    let mut union: Vec<ListenUrl> = Vec::with_capacity(wanted.len());
    for url in wanted {
        // Port 0 is a new port each time, so the same URL twice means two listeners.
        if !url.place.is_free_port() && union.contains(&url) {
            continue;
        }
        if let Some(other) = union.iter().find(|other| other.place.collides_with(&url.place)) {
            let what = match url.place {
                ListenPlace::Port { .. } => "port",
                ListenPlace::Path(_) => "path",
            };
            return Err(InvalidValue::new(format!(
                "{other} and {url} use the same address; give one of them another {what}"
            )));
        }
        union.push(url);
    }
    Ok(union)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;

    #[test]
    fn a_url_stays_as_typed() {
        for text in
            ["a://b", "tcp://*:0?x&y=1&y=2", "tcp://[::1]:8000?names=ask", "unix:///run/a?mode=666"]
        {
            assert_eq!(text.parse::<ListenUrl>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn several_urls_have_commas_or_blanks_between_them() {
        let urls = read_urls("tcp://a:1, tcp://b:2\ntcp://c:3?classic ").unwrap();
        let printed: Vec<_> = urls.iter().map(ToString::to_string).collect();
        assert_eq!(printed, ["tcp://a:1", "tcp://b:2", "tcp://c:3?classic"]);
        assert!(read_urls("tcp://a:1,nonsense").is_err() && read_urls(" , ").is_err());
    }
}
