//! `parlor join`: a client for the line protocol. Knows its sentences, and nothing else of the
//! server.

mod catch_up;
mod connect;
mod conversation;
mod handshake;
mod lines;
mod outbox;
mod pause;
mod pipe;
mod server_line;
mod terminal;
mod window;

use std::env;
use std::io::{self, ErrorKind, IsTerminal};

use anyhow::{anyhow, bail, ensure};

pub use connect::JoinOptions;

use self::connect::connect;

/// Takes part in a chat until the server closes the connection or the person leaves.
///
/// At a terminal, it reconnects when the connection is lost. With a pipe or a file on either side,
/// it copies everything unchanged, after the server has accepted the name if there is one.
///
/// # Errors
///
/// No server answers, the server refuses the name, or the connection breaks. The error is one
/// sentence.
pub async fn join(mut options: JoinOptions) -> anyhow::Result<()> {
    options.address.port = options.port.unwrap_or(options.address.port);
    let name = options.name.as_deref().unwrap_or_default();
    ensure!(
        !name.contains(char::is_control),
        "A name is one line of letters and digits, not {name:?}."
    );
    let stream = match connect(&options).await {
        Ok(stream) => stream,
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            bail!("No server listens at {}; `parlor serve` starts one.", options.address)
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

/// Whether the terminal has no control codes, and so can have no prompt row.
fn is_dumb() -> bool {
    env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb")
}
