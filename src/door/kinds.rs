//! The doors there are, and what each can be told. Opens none, and knows no host.

use std::time::Duration;

use crate::config::{Refused, units};
use crate::session::Idle;
use parlor_core::model::nearest;

/// The port of the line protocol, as in the book: `nc localhost 8000`.
pub const LINE_PORT: u16 = 8000;

/// The port of the web door, where browsers and curl are looked for beside port 80: `http://localhost:8080`.
pub const WEB_PORT: u16 = 8080;

/// The port of the metrics: a free one among those that exporters for Prometheus have agreed upon.
pub const METRICS_PORT: u16 = 9464;

/// Every door there is. A new one is a line here, a [`Scheme`], and its options if it has any of its own.
pub const DOORS: &[Door] = &[
    Door {
        scheme: Scheme::Tcp,
        name: "tcp",
        port: LINE_PORT,
        options: &[CLASSIC, IDLE, NAMES],
        about: "lines of text, for nc, telnet and parlor join",
    },
    Door {
        scheme: Scheme::Http,
        name: "http",
        port: WEB_PORT,
        options: &[HOST],
        about: "a page for browsers, a WebSocket, and rooms for curl",
    },
    Door {
        scheme: Scheme::Metrics,
        name: "metrics",
        port: METRICS_PORT,
        options: &[],
        about: "metrics for Prometheus, at /metrics; people cannot join here",
    },
];

const HOST: DoorOption = DoorOption {
    form: "host=NAME",
    about: "a host name that browsers use for it, besides addresses, localhost and this machine's name; may be repeated",
    repeats: true,
    read: |said, text| {
        said.hosts.push(units::host(text)?);
        Ok(())
    },
};

const CLASSIC: DoorOption = DoorOption {
    form: "classic",
    about: "the book's protocol: no names, no commands, no history",
    repeats: false,
    read: |said, text| {
        said.classic = text.is_empty() || units::yes_or_no(text)?;
        Ok(())
    },
};

const IDLE: DoorOption = DoorOption {
    form: "idle=5m|0",
    about: "how long everybody may be silent [default: 5m for people without a name, classic 0]",
    repeats: false,
    read: |said, text| {
        said.idle = Some(units::idle(text)?.map_or(Idle::Nobody, Idle::Everybody));
        Ok(())
    },
};

const NAMES: DoorOption = DoorOption {
    form: "names=ask|address",
    about: "how people get a name on arrival [default: ask]",
    repeats: false,
    read: |said, text| {
        said.names = Some(match text {
            "ask" => Names::Ask,
            "address" => Names::Address,
            _ => {
                return Err(Refused::new(format!(
                    "names is {text:?}; write ask or address"
                )));
            }
        });
        Ok(())
    },
};

/// A kind of door, as [`DOORS`] lists them.
#[derive(Debug)]
pub struct Door {
    /// What the program calls it.
    pub scheme: Scheme,
    /// What stands before `://`.
    pub name: &'static str,
    /// The port when the URL names none.
    pub port: u16,
    /// What may follow the question mark.
    pub options: &'static [DoorOption],
    /// What it is for, in one line.
    pub about: &'static str,
}

/// Something that a door can be told in its URL.
#[derive(Debug)]
pub struct DoorOption {
    /// Its name and the values it takes, for people: `idle=5m|0`.
    pub form: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// Whether it may be said more than once.
    repeats: bool,
    read: fn(&mut Said, &str) -> Result<(), Refused>,
}

impl DoorOption {
    /// What stands before the equals sign.
    pub fn name(&self) -> &'static str {
        self.form
            .split_once('=')
            .map_or(self.form, |(name, _)| name)
    }
}

/// The options as they were said; what they mean together is seen when all are read.
#[derive(Default)]
pub(crate) struct Said {
    pub(crate) classic: bool,
    pub(crate) idle: Option<Idle>,
    pub(crate) names: Option<Names>,
    pub(crate) hosts: Vec<String>,
}

/// Which door a URL opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Lines over plain TCP.
    Tcp,
    /// Pages, sockets and rooms over HTTP.
    Http,
    /// Numbers for Prometheus.
    Metrics,
}

impl Scheme {
    /// Its entry in [`DOORS`]; a test walks through all of them.
    pub(crate) fn name(self) -> &'static str {
        let door = DOORS.iter().find(|door| door.scheme == self);
        door.map_or("", |door| door.name)
    }
}

/// What people do at a door before and besides talking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The plain protocol: addresses and lines, nothing else.
    Classic,
    /// Names, commands, rooms and history.
    Named(Names),
}

impl Mode {
    /// Who may not be silent for long unless the URL says otherwise. Five minutes are exercise 8.13 of "The Go
    /// Programming Language"; the plain protocol comes before that exercise. Whoever has given a name may read for as long as
    /// they like: keepalive finds those that are gone.
    pub const fn default_idle(self) -> Idle {
        match self {
            Self::Classic => Idle::Nobody,
            Self::Named(_) => Idle::Nameless(Duration::from_mins(5)),
        }
    }
}

/// How people get their first name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// They are asked for one.
    Ask,
    /// They wear their address until they take a name by themselves.
    Address,
}

/// Finds the door that `name` stands for in a URL.
pub(crate) fn find_door(name: &str) -> Result<&'static Door, Refused> {
    DOORS.iter().find(|door| door.name == name).ok_or_else(|| {
        let names = || DOORS.iter().map(|door| door.name);
        unknown(
            "scheme",
            name,
            names(),
            &names().collect::<Vec<_>>().join(", "),
        )
    })
}

/// Reads what follows the question mark.
pub(crate) fn read_options(door: &Door, query: &str) -> Result<Said, Refused> {
    let mut said = Said::default();
    let mut seen = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let Some(option) = door.options.iter().find(|option| option.name() == name) else {
            let names = door.options.iter().map(DoorOption::name);
            let forms: Vec<_> = door.options.iter().map(|option| option.form).collect();
            let known = format!("{} has {}", door.name, forms.join(", "));
            return Err(unknown("option", name, names, &known));
        };
        if seen.contains(&name) && !option.repeats {
            return Err(Refused::new(format!("{name} is set twice; write it once")));
        }
        seen.push(name);
        (option.read)(&mut said, value)?;
    }
    Ok(said)
}

fn unknown<'a>(
    what: &str,
    name: &str,
    names: impl Iterator<Item = &'a str>,
    known: &str,
) -> Refused {
    let guess =
        nearest(name, names).map_or(String::new(), |near| format!(", did you mean {near}?"));
    Refused::new(format!("no {what} {name:?}{guess} (there is: {known})"))
}
