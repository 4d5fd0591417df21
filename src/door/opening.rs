//! What a kind of door says of itself, and what it gets when one is opened. Knows no kind by name.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parlor_core::model::nearest;
use parlor_wire::style::LocalClock;

use super::reception::OpenDoor;
use crate::config::InvalidValue;
use crate::session::SessionSettings;

/// A kind of door: a row of [`DOORS`](super::kinds::DOORS).
pub struct DoorKind {
    /// What stands before `://` in a URL. The log and the metrics call the door by it.
    pub scheme: &'static str,
    /// The port of a URL that names none.
    pub port: u16,
    /// What it is for, in one line.
    pub about: &'static str,
    /// What a URL may say after the question mark.
    pub options: &'static [DoorOption],
    /// Whether people come in; else it is the operator's, and nobody is turned away or counted.
    pub is_for_people: bool,
    /// Whether a server that listens as usual does without it where its port is taken.
    pub may_be_missing: bool,
    /// Writes options in one form: only what says more than the default.
    pub(super) tidy: fn(&UrlOptions) -> Result<Vec<String>, InvalidValue>,
    /// What people do to come in.
    pub(super) way_in: fn(&UrlOptions) -> WayIn,
    /// Makes the door that attends to the connections of a listener.
    pub(super) open: OpenFn,
}

/// What opens a door.
type OpenFn = fn(&UrlOptions, DoorSetup) -> Result<Arc<dyn OpenDoor>, InvalidValue>;

/// Something that a URL can tell a door.
pub struct DoorOption {
    /// Its name and the values it takes, for people: `idle=5m|0`.
    pub form: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// Whether it may be given more than once.
    pub(super) repeats: bool,
}

impl DoorOption {
    fn name(&self) -> &'static str {
        let name = self.form.split('=').next();
        name.unwrap_or(self.form)
    }
}

/// What a door gets from the server.
pub(crate) struct DoorSetup {
    /// What all doors want of their sessions.
    pub(crate) settings: SessionSettings,
    /// Whether passwords are accepted also where others can read them on their way.
    pub(crate) allow_plain_passwords: bool,
    /// How long people without a name may be silent where the URL says nothing of it.
    pub(crate) nameless_idle: Duration,
    /// For times in sentences.
    pub(crate) clock: LocalClock,
}

/// A door that has been opened, with what its kind says of it.
#[derive(Clone)]
pub(crate) struct DoorInUse {
    pub(crate) kind: &'static DoorKind,
    pub(crate) way_in: WayIn,
    pub(super) door: Arc<dyn OpenDoor>,
}

/// What people do to come in: a sentence with `HOST` and `PORT` in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WayIn(pub(crate) &'static str);

impl WayIn {
    /// The way in at an address.
    pub(crate) fn at(self, ip: IpAddr, port: u16) -> String {
        match ip {
            IpAddr::V6(ip) if self.0.contains("HOST:") => self.at_host(&format!("[{ip}]"), port),
            ip => self.at_host(&ip.to_string(), port),
        }
    }

    /// The way in at a host.
    pub(crate) fn at_host(self, host: &str, port: u16) -> String {
        self.0
            .replace("HOST", host)
            .replace("PORT", &port.to_string())
    }
}

/// The options of a URL: each is one that the door has, and has a value or none.
pub(crate) struct UrlOptions(Vec<(&'static str, String)>);

impl UrlOptions {
    /// Reads `words`, each an option with its value, by what the door has.
    pub(super) fn read(kind: &DoorKind, words: &[String]) -> Result<UrlOptions, InvalidValue> {
        let mut read: Vec<(&str, String)> = Vec::new();
        for word in words {
            let (typed, value) = word.split_once('=').unwrap_or((word, ""));
            let mut options = kind.options.iter();
            let Some(option) = options.find(|option| option.name() == typed) else {
                let names = kind.options.iter().map(DoorOption::name);
                let forms: Vec<_> = kind.options.iter().map(|option| option.form).collect();
                let known = format!("{} has {}", kind.scheme, forms.join(", "));
                return Err(unknown("option", typed, names, &known));
            };
            let name = option.name();
            if !option.repeats && read.iter().any(|(before, _)| *before == name) {
                let sentence = format!("{name} is set twice; write it once");
                return Err(InvalidValue::new(sentence));
            }
            read.push((name, value.to_owned()));
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

    /// The value of an option, if it is given.
    pub(super) fn one<T>(
        &self,
        option: &DoorOption,
        read: impl Fn(&str) -> Result<T, InvalidValue>,
    ) -> Result<Option<T>, InvalidValue> {
        Ok(self.all(option, read)?.pop())
    }
}

/// The sentence about a scheme or an option that there is not, with the nearest that there is.
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
