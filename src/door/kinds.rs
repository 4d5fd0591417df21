//! The doors. A new door is a file or a folder beside this file and a row in this table. Its `open`
//! gets the options of the URL and the setup that all doors get. It returns the door that serves
//! the connections of a listener.

use std::path::Path;

use super::admin::{AdminDoor, NoSocket};
use super::listener_options::{
    FORWARD_OPTIONS, ListenerOptions, PROXY_OPTIONS, TLS_OPTIONS, UNIX_OPTIONS,
};
use super::opening::{DoorInUse, DoorKind, DoorSetup, UrlDoor, UrlOptions, WayIn, unknown};
use super::tls_handshake::HTTP;
use super::{irc, lines, metrics, web};
use crate::config::{self, InvalidValue, ListenPlace, ListenUrl};
use crate::operator::Operator;

/// The port of the line protocol, as in the book: `nc localhost 8000`.
pub(crate) const LINE_PORT: u16 = 8000;

/// The port of the line protocol over TLS.
pub(crate) const LINE_PORT_TLS: u16 = 8043;

/// The doors that speak HTTP without TLS.
pub(super) const WEB_SCHEMES: [&str; 2] = ["http", "http+unix"];

/// All doors. Help, the names in metrics and the sentences at the start of the server come from
/// here.
const DOORS: &[DoorKind] = &[
    DoorKind {
        scheme: "tcp",
        about: "lines of text, for nc, telnet and parlor join",
        is_for_people: true,
        opens_early: false,
        may_be_missing_for: None,
        url: Some(UrlDoor {
            port: Some(LINE_PORT),
            tls: None,
            options: &[lines::OPTIONS, PROXY_OPTIONS],
            tidy: lines::tidy,
            way_in: lines::way_in,
            open: lines::open,
        }),
    },
    DoorKind {
        scheme: "http",
        about: "a page for browsers, a WebSocket, and rooms for curl",
        is_for_people: true,
        opens_early: true,
        may_be_missing_for: Some("a browser"),
        url: Some(UrlDoor {
            port: Some(8080), // the usual one for HTTP without privileges
            tls: None,
            options: &[web::OPTIONS, web::REDIRECT_OPTIONS, PROXY_OPTIONS, FORWARD_OPTIONS],
            tidy: web::tidy,
            way_in: |_| WayIn("open in a browser: http://HOST:PORT/lobby"),
            open: web::open,
        }),
    },
    DoorKind {
        scheme: "irc",
        about: "clients, bots and bouncers of IRC",
        is_for_people: true,
        opens_early: false,
        may_be_missing_for: Some("an IRC client"),
        url: Some(UrlDoor {
            port: Some(6667), // the usual one for IRC without TLS
            tls: None,
            options: &[irc::OPTIONS, PROXY_OPTIONS],
            tidy: irc::tidy,
            way_in: |_| irc::IRC,
            open: irc::open,
        }),
    },
    DoorKind {
        scheme: "tls",
        about: "the same as tcp over TLS, for parlor join, ncat --ssl and socat",
        is_for_people: true,
        opens_early: false,
        may_be_missing_for: None,
        url: Some(UrlDoor {
            port: Some(LINE_PORT_TLS),
            tls: Some(&[]),
            options: &[lines::OPTIONS, TLS_OPTIONS, PROXY_OPTIONS],
            tidy: lines::tidy,
            way_in: |_| WayIn("join with: parlor join tls://HOST:PORT"),
            open: lines::open,
        }),
    },
    DoorKind {
        scheme: "https",
        about: "the same as http over TLS",
        is_for_people: true,
        opens_early: true,
        may_be_missing_for: None,
        url: Some(UrlDoor {
            port: Some(8443), // the usual one for HTTPS without privileges
            tls: Some(&[HTTP]),
            options: &[web::OPTIONS, TLS_OPTIONS, PROXY_OPTIONS, FORWARD_OPTIONS],
            tidy: web::tidy,
            way_in: |_| web::HTTPS,
            open: web::open,
        }),
    },
    DoorKind {
        scheme: "ircs",
        about: "the same as irc over TLS",
        is_for_people: true,
        opens_early: false,
        may_be_missing_for: None,
        url: Some(UrlDoor {
            port: Some(6697), // the one for IRC over TLS (RFC 7194)
            tls: Some(&["irc"]),
            options: &[irc::OPTIONS, TLS_OPTIONS, PROXY_OPTIONS],
            tidy: irc::tidy,
            way_in: |_| irc::IRC_TLS,
            open: irc::open,
        }),
    },
    DoorKind {
        scheme: "unix",
        about: "lines of text over a Unix socket, for programs on this machine",
        is_for_people: true,
        opens_early: false,
        may_be_missing_for: None,
        url: Some(UrlDoor {
            port: None,
            tls: None,
            options: &[lines::OPTIONS, UNIX_OPTIONS, PROXY_OPTIONS],
            tidy: lines::tidy,
            way_in: |_| WayIn("join with: nc -U PATH"),
            open: lines::open,
        }),
    },
    DoorKind {
        scheme: "http+unix",
        about: "the same as http over a Unix socket, for a web server in front",
        is_for_people: true,
        opens_early: true,
        may_be_missing_for: None,
        url: Some(UrlDoor {
            port: None,
            tls: None,
            options: &[web::OPTIONS, UNIX_OPTIONS, PROXY_OPTIONS, FORWARD_OPTIONS],
            tidy: web::tidy,
            way_in: |_| {
                WayIn("read a room with: curl -N --unix-socket PATH http://localhost/lobby")
            },
            open: web::open,
        }),
    },
    DoorKind {
        scheme: "metrics",
        about: "metrics for Prometheus, at /metrics; people cannot join here",
        is_for_people: false,
        opens_early: true,
        may_be_missing_for: None,
        url: Some(UrlDoor {
            port: Some(9464), // a free one among those that exporters for Prometheus have agreed upon
            tls: None,
            options: &[],
            tidy: |_| Ok(Vec::new()),
            way_in: |_| WayIn("metrics for Prometheus: http://HOST:PORT/metrics"),
            open: metrics::open,
        }),
    },
    ADMIN,
];

const ADMIN: DoorKind = DoorKind {
    scheme: "admin",
    about: "a socket in the server's own directory, for parlor admin",
    is_for_people: false,
    opens_early: true,
    may_be_missing_for: None,
    url: None,
};

/// The schemes of the doors for people.
pub(crate) fn schemes_for_people() -> impl Iterator<Item = &'static str> {
    let kinds = DOORS.iter().filter(|kind| kind.is_for_people);
    kinds.map(|kind| kind.scheme)
}

/// The doors that a URL can name.
fn url_doors() -> impl Iterator<Item = (&'static DoorKind, &'static UrlDoor)> {
    DOORS.iter().filter_map(|kind| Some((kind, kind.url.as_ref()?)))
}

/// Finds the kind of door with this scheme.
pub(crate) fn find(scheme: &str) -> Result<(&'static DoorKind, &'static UrlDoor), InvalidValue> {
    url_doors().find(|(kind, _)| kind.scheme == scheme).ok_or_else(|| {
        let schemes: Vec<_> = url_doors().map(|(kind, _)| kind.scheme).collect();
        let known = schemes.join(", ");
        unknown("scheme", scheme, schemes.into_iter(), &known)
    })
}

/// Reads a URL, and writes it in one form: with its port, and only with options that say more than
/// the default.
///
/// # Errors
/// There is no such door, or it has no such option; the error is a sentence.
fn read_url(text: &str) -> Result<ListenUrl, InvalidValue> {
    if let Some((scheme, _)) = text.split_once("://") {
        find(scheme)?; // an unknown scheme may be the reason why the rest is not understood
    }
    let mut url: ListenUrl = text.parse()?;
    let (_, door) = find(&url.scheme)?;
    match (&mut url.place, door.port) {
        (ListenPlace::Port { port, .. }, Some(usual)) => drop(port.get_or_insert(usual)),
        (ListenPlace::Path(_), None) => {}
        (ListenPlace::Path(_), Some(usual)) => {
            let sentence = format!("{0} has no path; write {0}://localhost:{usual}", url.scheme);
            return Err(InvalidValue::new(sentence));
        }
        (ListenPlace::Port { .. }, None) => {
            let sentence = format!("{0} needs a path; write {0}:///run/parlor/NAME", url.scheme);
            return Err(InvalidValue::new(sentence));
        }
    }
    let options = UrlOptions::read(&url.scheme, door.options, &url.options)?;
    url.options = (door.tidy)(&options)?;
    url.options.extend(ListenerOptions::read(&options)?.tidy());
    Ok(url)
}

/// Reads several URLs with commas or blanks between them.
///
/// # Errors
/// One of them is wrong; the error is a sentence about the first.
pub(crate) fn read_urls(text: &str) -> Result<Vec<ListenUrl>, InvalidValue> {
    config::read_several(text, read_url)
}

/// Opens the door that a URL names. Returns it with the options of its listener.
pub(crate) fn open(
    url: &ListenUrl,
    setup: DoorSetup,
) -> Result<(DoorInUse, ListenerOptions), InvalidValue> {
    let (kind, door) = find(&url.scheme)?;
    let options = UrlOptions::read(kind.scheme, door.options, &url.options)?;
    let way_in = (door.way_in)(&options);
    let listener = ListenerOptions::read(&options)?;
    Ok((DoorInUse { kind, way_in, door: (door.open)(&options, setup)? }, listener))
}

/// Opens the operator's door in the server's own directory.
pub(crate) fn open_admin(directory: &Path, operator: Operator) -> Result<AdminDoor, NoSocket> {
    AdminDoor::open(&ADMIN, directory, operator)
}

/// Explains the parts of a URL to people.
pub(crate) fn url_help() -> String {
    let mut help = "\
URL is SCHEME://HOST:PORT?OPTION&OPTION. HOST is a name, an IPv4 address, an [IPv6 address], or * for all \
interfaces. PORT 0 picks a free port. A Unix socket has a path instead: SCHEME:///PATH. The schemes and their options:
"
    .to_owned();
    for (kind, door) in url_doors() {
        let port = door.port.map_or("a path".to_owned(), |port| format!("port {port}"));
        help += &format!("\n  {}: {} ({port})", kind.scheme, kind.about);
        for option in door.options.iter().copied().flatten() {
            help += &format!("\n    {}: {}", option.form, option.about);
        }
    }
    help
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_two_doors_have_the_same_name() {
        for (at, kind) in DOORS.iter().enumerate() {
            let mut others = DOORS.iter().take(at);
            assert!(others.all(|other| other.scheme != kind.scheme), "{}", kind.scheme);
        }
    }

    #[test]
    fn a_url_prints_in_one_form() {
        for (typed, printed) in [
            ("tcp://LOCALHOST/", "tcp://localhost:8000"),
            ("tcp://[::1]:0?names=ask", "tcp://[::1]:0"),
            ("tcp://*/?classic", "tcp://*:8000?classic"),
            ("tcp://[::1]:0?idle=300s", "tcp://[::1]:0?idle=5m"),
            ("tcp://*:90?idle=90m&names=address", "tcp://*:90?names=address&idle=1h30m"),
            ("tcp://10.0.0.1?idle=0&classic=yes", "tcp://10.0.0.1:8000?classic"),
            ("tcp://10.0.0.1?classic&names=address", "tcp://10.0.0.1:8000?classic"),
            ("tcp://10.0.0.1?classic&idle=1500ms", "tcp://10.0.0.1:8000?classic&idle=1s500ms"),
            ("tcp://10.0.0.1?idle=0&classic=no", "tcp://10.0.0.1:8000?idle=0"),
            ("http://*:80?redirect=yes&host=a", "http://*:80?host=a&redirect"),
            ("http://*:80?redirect=no", "http://*:80"),
            ("http://*?host=a.example&host=B.", "http://*:8080?host=a.example&host=b"),
            ("irc://*?network=Parlor", "irc://*:6667"),
            ("irc://*?network=Tea&server=a.b", "irc://*:6667?server=a.b&network=Tea"),
            ("irc://localhost?motd=/etc/motd", "irc://localhost:6667?motd=/etc/motd"),
            ("metrics://localhost", "metrics://localhost:9464"),
            ("tcp://*?proxy=10.1.2.3/8&proxy=unix", "tcp://*:8000?proxy=10.0.0.0/8&proxy=unix"),
            ("http://*?forwarded=::1&host=a", "http://*:8080?host=a&forwarded=::1/128"),
            ("tls://*?cert=/a&idle=0&key=/b", "tls://*:8043?idle=0&cert=/a&key=/b"),
            ("https://localhost?cert=a&key=a", "https://localhost:8443?cert=a"),
            ("ircs://*", "ircs://*:6697"),
            ("unix:///run/tea?mode=660&idle=0", "unix:///run/tea?idle=0"),
            ("http+unix:///run/tea?mode=666&host=a", "http+unix:///run/tea?host=a&mode=666"),
        ] {
            assert_eq!(read_url(typed).unwrap().to_string(), printed, "{typed:?}");
        }
    }

    #[test]
    fn refusals_say_what_would_be_right() {
        for (typed, sentence) in [
            ("localhost:8000", "no scheme; write it in front, as in tcp://localhost:8000"),
            (
                "tpc://",
                "no scheme \"tpc\", did you mean tcp? (there is: tcp, http, irc, tls, https, ircs, unix, http+unix, metrics)",
            ),
            (
                "gopher://localhost",
                "no scheme \"gopher\" (there is: tcp, http, irc, tls, https, ircs, unix, http+unix, metrics)",
            ),
            (
                "tcp://localhost?idel=5m",
                "no option \"idel\", did you mean idle? (there is: tcp has classic, idle=5m|0, names=ask|address, proxy=CIDR|unix)",
            ),
            ("tcp://localhost?names=none", "names is \"none\"; write ask or address"),
            ("tcp://localhost?classic=2", "write true or false"),
            (
                "tcp://localhost?idle",
                "\"\" is not an idle limit; write 5m, 90s, 1h30m (1ms to 8760h), or 0 for never",
            ),
            ("tcp://localhost?idle=1m&idle=2m", "idle is set twice; write it once"),
            (
                "tcp://localhost?classic&names=ask",
                "classic has no names; leave out names=ask or classic",
            ),
            (
                "irc://*?server=tea",
                "server is \"tea\"; write a host name with a dot, such as irc.example.org",
            ),
            ("irc://*?network=", "network is \"\"; write one word of ASCII, 63 characters at most"),
            ("irc://*?motd", "motd has no file; write motd=FILE"),
            (
                "tcp://*?proxy=localhost",
                "\"localhost\" is not a range of addresses; write 127.0.0.1, 10.0.0.0/8, 2001:db8::/32, or unix",
            ),
            ("tls://*?key=a", "key needs cert; write cert=FILE"),
            (
                "https://*?redirect",
                "no option \"redirect\" (there is: https has host=NAME, cert=FILE, key=FILE, proxy=CIDR|unix, forwarded=CIDR|unix)",
            ),
            ("tcp:///run/tea", "tcp has no path; write tcp://localhost:8000"),
            ("unix://localhost", "unix needs a path; write unix:///run/parlor/NAME"),
            (
                "unix:///a?mode=0660",
                "mode is \"0660\"; write three digits from 0 to 7, such as 660 or 666",
            ),
            ("tcp://:8000", "no host; write a name, an address, or * for all interfaces"),
        ] {
            let refusal = read_url(typed).unwrap_err().to_string();
            assert_eq!(refusal, sentence, "{typed:?}");
        }
    }

    proptest! {
        #[test]
        fn a_printed_url_reads_back(
            options in "(classic|names=address|names=ask)?(&idle=[1-9][0-9]{0,3}(ms|s|m))?",
            port in any::<u16>(),
        ) {
            if let Ok(url) = read_url(&format!("tcp://*:{port}?{options}")) {
                prop_assert_eq!(read_url(&url.to_string()), Ok(url));
            }
        }

        #[test]
        fn anything_may_be_typed(text in "((tcp|http|irc|unix)://)?(\\PC*|[a-z*]*[?][a-z=&0-9]*)") {
            let _ = read_urls(&text);
        }
    }
}
