//! Listeners in URLs: `SCHEME://HOST:PORT?OPTIONS`. Opens nothing. Knows no scheme and no option:
//! both stay as typed.

use std::fmt;
use std::iter::{once, repeat};
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::address::{Host, split_port};
use super::units::InvalidValue;

/// A listener to open, with its options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenUrl {
    /// The kind of door.
    pub scheme: String,
    /// The host: this machine, or some of its interfaces.
    pub host: Host,
    /// The TCP port; 0 takes a free one. `None` for the usual port of the door.
    pub port: Option<u16>,
    /// The options after the question mark.
    pub options: Vec<String>,
}

impl ListenUrl {
    /// Whether both cannot be opened at once. Port 0 never collides: each listener gets another
    /// port.
    fn collides_with(&self, other: &Self) -> bool {
        let hosts = [&self.host, &other.host];
        let share = hosts.contains(&&Host::All) || self.host == other.host;
        self.port == other.port && self.port != Some(0) && share
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
        let (host, port) = split_port(place.strip_suffix('/').unwrap_or(place))?;
        let options = options.split('&').filter(|option| !option.is_empty());
        Ok(Self {
            scheme: scheme.to_owned(),
            host,
            port,
            options: options.map(str::to_owned).collect(),
        })
    }
}

impl fmt::Display for ListenUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
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
        if lan {
            url.host = Host::All;
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
        if url.port != Some(0) && union.contains(&url) {
            continue;
        }
        if let Some(other) = union.iter().find(|other| other.collides_with(&url)) {
            return Err(InvalidValue::new(format!(
                "{other} and {url} use the same address; give one of them another port"
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
        for text in ["a://b", "tcp://*:0?x&y=1&y=2", "tcp://[::1]:8000?names=ask"] {
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
