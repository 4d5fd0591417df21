//! The place of a server, as people type it: HOST, HOST:PORT or a URL. Opens no connection.

use std::fmt;

use crate::config::{Address, Host, InvalidValue};
use crate::door::{LINE_PORT, LINE_PORT_TLS};

/// An address, and what is spoken there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerPlace {
    /// The host and the port.
    pub address: Address,
    /// Whether the server speaks TLS there.
    pub is_tls: bool,
}

impl fmt::Display for ServerPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "tls://" } else { "" };
        write!(f, "{scheme}{}", self.address)
    }
}

/// Reads a place in every unambiguous form, including `::1` and the URL that the server prints.
///
/// # Errors
/// A sentence if nobody can chat there in lines.
pub(super) fn read_place(text: &str) -> Result<ServerPlace, InvalidValue> {
    let (scheme, place) = text.split_once("://").unwrap_or(("tcp", text));
    let is_tls = match scheme.to_ascii_lowercase().as_str() {
        "tcp" => false,
        "tls" => true,
        "http" | "ws" => return Err(for_browsers(place, "", LINE_PORT)),
        "https" | "wss" => return Err(for_browsers(place, "tls://", LINE_PORT_TLS)),
        _ => return Err(InvalidValue::new("write HOST, HOST:PORT or tls://HOST:PORT")),
    };
    if place.contains('?') {
        return Err(InvalidValue::new(
            "only a listener takes options after a question mark; leave them out",
        ));
    }
    let place = place.strip_suffix('/').unwrap_or(place);
    let port = if is_tls { LINE_PORT_TLS } else { LINE_PORT };
    let address = match Host::ipv6(place) {
        Ok(host) => Address { host, port },
        Err(_) => Address::parse(place, port)?,
    };
    match address.host {
        Host::All => {
            Err(InvalidValue::new("only a listener can use *; give the name of a host to join"))
        }
        _ => Ok(ServerPlace { address, is_tls }),
    }
}

/// The advice for the URL of a page: lines have another port.
fn for_browsers(place: &str, scheme: &str, port: u16) -> InvalidValue {
    let place = place.split(['/', '?', '#']).next().unwrap_or_default();
    let host = Address::parse(place, port).map(|address| address.host.to_string());
    let host = host.unwrap_or_else(|_| "HOST".to_owned());
    InvalidValue::new(format!(
        "this address is for browsers; lines are at another port, usually {port}: parlor join {scheme}{host}"
    ))
}

#[cfg(test)]
mod tests {
    use super::read_place;

    #[test]
    fn a_place_is_understood_as_people_write_it() {
        for (typed, meant) in [
            ("chat.example.org", "chat.example.org:8000"),
            ("::1", "[::1]:8000"),
            ("2001:db8::7", "[2001:db8::7]:8000"),
            ("[::1]:9000", "[::1]:9000"),
            ("fe80::7%eth0", "[fe80::7%eth0]:8000"),
            ("tcp://localhost:9000", "localhost:9000"),
            ("tcp://[::1]/", "[::1]:8000"),
            ("tls://Chat.example.org", "tls://chat.example.org:8043"),
            ("TLS://192.0.2.7:443/", "tls://192.0.2.7:443"),
            ("tls://[::1]:8043", "tls://[::1]:8043"),
            ("tls://::1", "tls://[::1]:8043"),
        ] {
            let place = read_place(typed).map(|place| place.to_string());
            assert_eq!(place.as_deref(), Ok(meant), "{typed}");
        }
        for typed in [
            "*",
            "tls://*",
            "tls://",
            "tls://localhost?idle=0",
            "tcp://localhost?classic",
            "ssh://localhost",
            "://localhost",
            "::g",
        ] {
            assert!(read_place(typed).is_err(), "{typed}");
        }
    }

    #[test]
    fn the_address_of_a_page_leads_to_the_port_for_lines() {
        for (typed, port, join) in [
            ("http://localhost:8080", 8000, "localhost"),
            ("HTTPS://chat.example.org/lobby?last=1", 8043, "tls://chat.example.org"),
            ("ws://[::1]:8080/-/socket", 8000, "[::1]"),
            ("wss://[::1]:8443/-/socket", 8043, "tls://[::1]"),
            ("http://", 8000, "HOST"),
            ("http://a:b:c", 8000, "HOST"),
        ] {
            let words = read_place(typed).map_err(|refused| refused.to_string());
            let expected = format!(
                "this address is for browsers; lines are at another port, usually {port}: parlor join {join}"
            );
            assert_eq!(words, Err(expected), "{typed}");
        }
    }
}
