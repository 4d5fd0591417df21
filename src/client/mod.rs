//! `parlor join`: netcat for people who stay longer. Knows the wording of the line protocol, nothing of the server behind it.

mod catch_up;
mod conversation;
mod entrance;
mod heard;
mod lines;
mod pause;
mod pipe;
mod terminal;
mod window;

use std::env;
use std::io::{self, ErrorKind, IsTerminal};
use std::time::Duration;

use anyhow::{anyhow, bail, ensure};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::cli::JoinOptions;

/// Long enough for a slow resolver and a far host; shorter than a person's patience.
const CONNECT_SECONDS_MAX: Duration = Duration::from_secs(10);

/// A server that asks for a name does so within this time after its greeting; until then nothing is sent that could pass for one.
const QUESTION_SECONDS: Duration = Duration::from_secs(1);

/// A server that vanished without a word (a laptop that slept) is noticed after a few of these.
const KEEPALIVE_SECONDS: Duration = Duration::from_secs(30);

/// Takes part in a chat until the server closes or the person leaves.
///
/// With a person at a terminal the connection is kept up; with a pipe or a file on either side it is a plain copy,
/// once the server has accepted the name if there is one.
///
/// # Errors
///
/// One sentence: nobody answers there, the name was refused, or the connection broke.
pub(crate) async fn join(mut options: JoinOptions) -> anyhow::Result<()> {
    options.address.port = options.port.unwrap_or(options.address.port);
    let name = options.name.as_deref().unwrap_or_default();
    ensure!(
        !name.contains(char::is_control),
        "A name is one line of letters and digits, not {name:?}."
    );
    let stream = match connect(&options).await {
        Ok(stream) => stream,
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            bail!(
                "No server listens at {}; `parlor serve` starts one.",
                options.address
            )
        }
        Err(error) => bail!("Could not connect to {}: {error}.", options.address),
    };
    if io::stdin().is_terminal() && io::stdout().is_terminal() && !is_dumb() {
        terminal::stay(&options, stream)
            .await
            .map_err(|error| anyhow!("The terminal cannot be used: {error}."))
    } else {
        pipe::copy(&options, stream).await
    }
}

/// Whether the terminal is one that knows no control codes, and so has no prompt row.
fn is_dumb() -> bool {
    env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb")
}

async fn connect(options: &JoinOptions) -> io::Result<TcpStream> {
    let address = &options.address;
    let connecting = TcpStream::connect(address.host.to_lookup(address.port));
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
