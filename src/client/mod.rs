//! `parlor join`: netcat for people who stay longer. Knows the wording of the line protocol, nothing of the server behind it.

mod editor;
mod guest;
mod heard;
mod lines;
mod pause;
mod pipe;
mod screen;
mod terminal;
mod text;
mod window;

use std::io::{self, ErrorKind, IsTerminal};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{anyhow, bail, ensure};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The port that a server opens unless told otherwise.
const PORT_DEFAULT: u16 = 8000;

/// Long enough for a slow resolver and a far host; shorter than a person's patience.
const CONNECT_SECONDS_MAX: Duration = Duration::from_secs(10);

/// A server that vanished without a word (a laptop that slept) is noticed after a few of these.
const KEEPALIVE_SECONDS: Duration = Duration::from_secs(30);

/// Where to, and as whom.
///
/// Made from `HOST[:PORT]` by [`FromStr`]; the rest is then filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinOptions {
    /// A host name or an address; IPv6 without its brackets.
    pub host: String,
    /// The server's TCP port.
    pub port: u16,
    /// Answers the name question; `None` leaves that to the person.
    pub name: Option<String>,
    /// Rings the terminal's bell when somebody else mentions one's name.
    pub bell: bool,
}

/// What was typed is not `HOST[:PORT]`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a host with an optional port, like chat.example.org:8000 or [::1]:8000")]
pub struct NotAPlace(String);

impl FromStr for JoinOptions {
    type Err = NotAPlace;

    /// Reads `HOST`, `HOST:PORT`, `:PORT` (this machine), `[V6]`, `[V6]:PORT` or a bare `V6`.
    fn from_str(typed: &str) -> Result<Self, NotAPlace> {
        let refused = || NotAPlace(typed.to_owned());
        let (host, port) = match typed.strip_prefix('[') {
            Some(bracketed) => bracketed.split_once(']').ok_or_else(refused)?,
            None if typed.matches(':').count() > 1 => (typed, ""),
            None => typed.split_at(typed.find(':').unwrap_or(typed.len())),
        };
        let port = match port.strip_prefix(':') {
            Some(digits) => digits.parse().map_err(|_| refused())?,
            None if port.is_empty() => PORT_DEFAULT,
            None => return Err(refused()),
        };
        if port == 0 || host.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/') {
            return Err(refused());
        }
        let host = if host.is_empty() { "localhost" } else { host };
        Ok(Self {
            host: host.to_owned(),
            port,
            name: None,
            bell: false,
        })
    }
}

impl JoinOptions {
    /// The place as it would be typed.
    fn place(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

/// Takes part in a chat until the server closes or the person leaves.
///
/// With a person at a terminal the connection is kept up; with a pipe or a file on either side it is a plain copy.
///
/// # Errors
///
/// One sentence: nobody answers there, or the connection broke.
pub async fn join(options: JoinOptions) -> anyhow::Result<()> {
    let name = options.name.as_deref().unwrap_or_default();
    ensure!(
        !name.contains(char::is_control),
        "A name is one line of letters and digits, not {name:?}."
    );
    let stream = match connect(&options).await {
        Ok(stream) => stream,
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            bail!(
                "Nobody listens at {}; `parlor serve` starts a server.",
                options.place()
            )
        }
        Err(error) => bail!("Could not connect to {}: {error}.", options.place()),
    };
    if io::stdin().is_terminal() && io::stdout().is_terminal() {
        terminal::stay(&options, stream)
            .await
            .map_err(|error| anyhow!("The terminal cannot be used: {error}."))
    } else {
        pipe::copy(&options, stream).await
    }
}

async fn connect(options: &JoinOptions) -> io::Result<TcpStream> {
    let connecting = TcpStream::connect((options.host.as_str(), options.port));
    let stream = timeout(CONNECT_SECONDS_MAX, connecting)
        .await
        .map_err(|_| io::Error::new(ErrorKind::TimedOut, "no answer within 10 seconds"))??;
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_SECONDS)
        .with_interval(KEEPALIVE_SECONDS);
    SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::{JoinOptions, NotAPlace};

    #[test]
    fn a_place_is_a_host_with_an_optional_port() {
        for (typed, place) in [
            ("localhost", "localhost:8000"),
            ("chat.example.org:7000", "chat.example.org:7000"),
            (":7000", "localhost:7000"),
            ("", "localhost:8000"),
            ("[::1]:7000", "[::1]:7000"),
            ("[::1]", "[::1]:8000"),
            ("::1", "[::1]:8000"),
            ("127.0.0.1", "127.0.0.1:8000"),
        ] {
            let options = typed.parse::<JoinOptions>();
            assert_eq!(
                options.map(|options| options.place()),
                Ok(place.to_owned()),
                "{typed:?}"
            );
        }
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for typed in [
            "host:",
            "host:x",
            "host:0",
            "host:65536",
            "[::1",
            "[::1]x",
            "tcp://host",
            "a b",
        ] {
            assert_eq!(
                typed.parse::<JoinOptions>(),
                Err(NotAPlace(typed.to_owned()))
            );
        }
    }
}
