//! The way to a server: the options of `parlor join`, and the connection. Knows no protocol.

use std::io::{self, ErrorKind};
use std::time::Duration;

use clap::{Args, ValueHint};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::config::{Address, Host, InvalidValue};
use crate::door::LINE_PORT;

/// Long enough for a slow resolver and a distant host, and shorter than a person's patience.
const CONNECT_SECONDS_MAX: Duration = Duration::from_secs(10);

/// A server that asks for a name does so within this time after its greeting. Until then the client
/// sends nothing, because the server could read it as the name.
pub(super) const QUESTION_SECONDS: Duration = Duration::from_secs(1);

/// After a few of these intervals the client notices that a server has vanished, as when a laptop
/// goes to sleep.
const KEEPALIVE_SECONDS: Duration = Duration::from_secs(30);

/// The options of `parlor join`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct JoinOptions {
    /// The server to join; the default port is 8000
    #[arg(value_name = "HOST[:PORT]", default_value = "localhost:8000", value_parser = join_address,
          value_hint = ValueHint::Hostname)]
    pub address: Address,

    /// The port, written as for netcat
    #[arg(value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,

    /// Enter under this name
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// Ring the terminal's bell when somebody says your name
    #[arg(long)]
    pub bell: bool,
}

/// Reads an address in every unambiguous form, including `::1` and the URL that the server prints.
fn join_address(text: &str) -> Result<Address, InvalidValue> {
    let (scheme, place) = text.split_once("://").unwrap_or(("tcp", text));
    match scheme.to_ascii_lowercase().as_str() {
        "tcp" => {}
        "http" | "https" | "ws" | "wss" => return Err(for_browsers(place)),
        _ => {
            return Err(InvalidValue::new("write HOST or HOST:PORT, without a scheme"));
        }
    }
    if place.contains('?') {
        return Err(InvalidValue::new(
            "only a listener takes options after a question mark; leave them out",
        ));
    }
    let place = place.strip_suffix('/').unwrap_or(place);
    if let Ok(host) = Host::ipv6(place) {
        return Ok(Address { host, port: LINE_PORT });
    }
    let address = Address::parse(place, LINE_PORT)?;
    match address.host {
        Host::All => {
            Err(InvalidValue::new("only a listener can use *; give the name of a host to join"))
        }
        _ => Ok(address),
    }
}

/// The advice for the URL of a page: lines have another port.
fn for_browsers(place: &str) -> InvalidValue {
    let place = place.split(['/', '?', '#']).next().unwrap_or_default();
    let host = Address::parse(place, LINE_PORT).map(|address| address.host.to_string());
    let host = host.unwrap_or_else(|_| "HOST".to_owned());
    InvalidValue::new(format!(
        "this address is for browsers; lines are at another port, usually {LINE_PORT}: parlor join {host}"
    ))
}

/// Connects within [`CONNECT_SECONDS_MAX`].
pub(super) async fn connect(options: &JoinOptions) -> io::Result<TcpStream> {
    let address = &options.address;
    let connecting = TcpStream::connect(address.host.to_lookup(address.port));
    let stream = timeout(CONNECT_SECONDS_MAX, connecting)
        .await
        .map_err(|_| io::Error::new(ErrorKind::TimedOut, "no answer within 10 seconds"))??;
    stream.set_nodelay(true)?;
    let keepalive =
        TcpKeepalive::new().with_time(KEEPALIVE_SECONDS).with_interval(KEEPALIVE_SECONDS);
    SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::join_address;

    #[test]
    fn an_address_is_understood_as_people_write_it() {
        for (typed, meant) in [
            ("chat.example.org", "chat.example.org:8000"),
            ("::1", "[::1]:8000"),
            ("2001:db8::7", "[2001:db8::7]:8000"),
            ("[::1]:9000", "[::1]:9000"),
            ("fe80::7%eth0", "[fe80::7%eth0]:8000"),
            ("tcp://localhost:9000", "localhost:9000"),
            ("tcp://[::1]/", "[::1]:8000"),
        ] {
            let address = join_address(typed).map(|address| address.to_string());
            assert_eq!(address.as_deref(), Ok(meant), "{typed}");
        }
        for typed in ["*", "tcp://localhost?classic", "ssh://localhost", "://localhost", "::g"] {
            assert!(join_address(typed).is_err(), "{typed}");
        }
        for (typed, host) in [
            ("http://localhost:8080", "localhost"),
            ("HTTPS://chat.example.org/lobby?last=1", "chat.example.org"),
            ("ws://[::1]:8080/-/socket", "[::1]"),
            ("http://", "HOST"),
            ("http://a:b:c", "HOST"),
        ] {
            let words = join_address(typed).map_err(|refused| refused.to_string());
            let expected = format!(
                "this address is for browsers; lines are at another port, usually 8000: parlor join {host}"
            );
            assert_eq!(words, Err(expected), "{typed}");
        }
    }
}
