//! The description of a kind of door, and the setup with which a door is opened. Knows no kind by
//! name.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parlor_core::model::nearest;
use parlor_wire::style::LocalClock;

use super::reception::OpenDoor;
use crate::config::InvalidValue;
use crate::session::SessionSettings;
use crate::tls::Challenges;

/// A kind of door: a row of [`DOORS`](super::kinds::DOORS).
pub(crate) struct DoorKind {
    /// The text before `://` in a URL. The log and the metrics use it as the door's name.
    pub(crate) scheme: &'static str,
    /// Its purpose, in one line.
    pub(crate) about: &'static str,
    /// Whether the door is for people. Otherwise it is for the operator, and no connection is
    /// turned away or counted.
    pub(crate) is_for_people: bool,
    /// Whether it opens before a node has contact with the others: it can say so.
    pub(crate) opens_early: bool,
    /// The clients that cannot join, if a server with the usual listeners goes on without it when
    /// it cannot listen; none if it does not go on.
    pub(crate) may_be_missing_for: Option<&'static str>,
    /// How a URL opens it; none for the door in the server's own directory.
    pub(crate) url: Option<UrlDoor>,
}

/// How a URL opens a kind of door.
pub(crate) struct UrlDoor {
    /// The port of a URL that names none; none for a door at a path.
    pub(crate) port: Option<u16>,
    /// The protocols that clients may name (ALPN), if the door has TLS.
    pub(crate) tls: Option<&'static [&'static str]>,
    /// The options that a URL may have after the question mark: those of the door, and those of
    /// its listener.
    pub(crate) options: &'static [&'static [DoorOption]],
    /// Writes the door's options in one form: only those that differ from the default.
    pub(super) tidy: fn(&UrlOptions) -> Result<Vec<String>, InvalidValue>,
    /// The sentence that tells people how to join.
    pub(super) way_in: fn(&UrlOptions) -> WayIn,
    /// Makes the door that serves the connections of a listener.
    pub(super) open: OpenFn,
}

/// The function that opens a door.
type OpenFn = fn(&UrlOptions, DoorSetup) -> Result<Arc<dyn OpenDoor>, InvalidValue>;

/// An option that a URL can give to a door.
pub(crate) struct DoorOption {
    /// Its name and the values it takes, for people: `idle=5m|0`.
    pub(crate) form: &'static str,
    /// Its effect, in one line.
    pub(crate) about: &'static str,
}

impl DoorOption {
    fn name(&self) -> &'static str {
        let name = self.form.split('=').next();
        name.unwrap_or(self.form)
    }
}

/// The server's part of the setup of a door.
#[derive(Clone)]
pub(crate) struct DoorSetup {
    /// The settings of sessions that all doors share.
    pub(crate) settings: SessionSettings,
    /// The answers for an authority that checks the names of this server.
    pub(crate) challenges: Arc<Challenges>,
    /// These names, by which browsers know the server, too.
    pub(crate) host_names: Vec<String>,
    /// The limit of silence for people without a name, if the URL gives none.
    pub(crate) nameless_idle: Duration,
    /// The clock for times in sentences.
    pub(crate) clock: LocalClock,
}

/// An open door, with the description of its kind.
#[derive(Clone)]
pub(crate) struct DoorInUse {
    pub(crate) kind: &'static DoorKind,
    pub(crate) way_in: WayIn,
    pub(super) door: Arc<dyn OpenDoor>,
}

/// A sentence that tells people how to join, with `HOST` and `PORT` in it, or `PATH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WayIn(pub(crate) &'static str);

impl WayIn {
    /// The sentence for an address.
    pub(crate) fn at(self, ip: IpAddr, port: u16) -> String {
        match ip {
            IpAddr::V6(ip) if self.0.contains("HOST:") => self.at_host(&format!("[{ip}]"), port),
            ip => self.at_host(&ip.to_string(), port),
        }
    }

    /// The sentence for the path of a Unix socket.
    pub(crate) fn at_path(self, path: &str) -> String {
        self.0.replace("PATH", path)
    }

    /// The sentence for a host.
    pub(crate) fn at_host(self, host: &str, port: u16) -> String {
        self.0.replace("HOST", host).replace("PORT", &port.to_string())
    }
}

/// The options of a URL. The door knows each of them; a value is optional.
pub(crate) struct UrlOptions(Vec<(&'static str, String)>);

impl UrlOptions {
    /// Reads `words`, each an option with its value, by the options that its kind of door knows.
    pub(super) fn read(
        scheme: &str,
        known: &[&[DoorOption]],
        words: &[String],
    ) -> Result<UrlOptions, InvalidValue> {
        let mut read: Vec<(&str, String)> = Vec::new();
        for word in words {
            let (typed, value) = word.split_once('=').unwrap_or((word, ""));
            let mut all = known.iter().copied().flatten();
            let Some(option) = all.clone().find(|option| option.name() == typed) else {
                let names = all.clone().map(DoorOption::name);
                let forms: Vec<_> = all.by_ref().map(|option| option.form).collect();
                let has = format!("{scheme} has {}", forms.join(", "));
                return Err(unknown("option", typed, names, &has));
            };
            read.push((option.name(), value.to_owned()));
        }
        Ok(UrlOptions(read))
    }

    /// All values of an option, each read by `read`.
    pub(super) fn all<T>(
        &self,
        option: &DoorOption,
        read: impl Fn(&str) -> Result<T, InvalidValue>,
    ) -> Result<Vec<T>, InvalidValue> {
        let values = self.0.iter().filter(|(name, _)| *name == option.name());
        values.map(|(_, value)| read(value)).collect()
    }

    /// The value of an option, if the URL has it.
    pub(super) fn one<T>(
        &self,
        option: &DoorOption,
        read: impl Fn(&str) -> Result<T, InvalidValue>,
    ) -> Result<Option<T>, InvalidValue> {
        let name = option.name();
        if self.0.iter().filter(|(set, _)| *set == name).count() > 1 {
            return Err(InvalidValue::new(format!("{name} is set twice; write it once")));
        }
        Ok(self.all(option, read)?.pop())
    }
}

/// The sentence about an unknown scheme or option, with the nearest known one.
pub(super) fn unknown<'a>(
    what: &str,
    name: &str,
    names: impl Iterator<Item = &'a str>,
    known: &str,
) -> InvalidValue {
    let guess =
        nearest(name, names).map_or(String::new(), |near| format!(", did you mean {near}?"));
    InvalidValue::new(format!("no {what} {name:?}{guess} (there is: {known})"))
}
