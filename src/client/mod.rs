//! `parlor join`: a client for the line protocol. Knows its sentences, and nothing else of the
//! server.

mod catch_up;
mod client_tls;
mod connect;
mod conversation;
mod handshake;
mod keyboard;
mod known_servers;
mod lines;
mod meeting;
mod outbox;
mod pause;
mod pipe;
mod place;
mod server_line;
mod terminal;
mod trust;
mod window;

use std::env;
use std::io::{self, IsTerminal};

use anyhow::{anyhow, ensure};

pub use connect::JoinOptions;

use self::meeting::meet;

/// Takes part in a chat until the server closes the connection or the person leaves.
///
/// At a terminal, it reconnects when the connection is lost. With a pipe or a file on either side,
/// it copies everything unchanged, after the server has accepted the name if there is one.
///
/// # Errors
///
/// No server answers, its certificate is not trusted, it refuses the name, or the connection breaks.
/// The error is a sentence.
pub async fn join(mut options: JoinOptions) -> anyhow::Result<()> {
    let address = &mut options.server.address;
    address.port = options.port.unwrap_or(address.port);
    let name = options.name.as_deref().unwrap_or_default();
    ensure!(
        !name.contains(char::is_control),
        "A name is one line of letters and digits, not {name:?}."
    );
    ensure!(
        options.pin.is_none() || options.server.is_tls,
        "--pin is for a server with TLS; join it as tls://{}.",
        options.server.address.host
    );
    let is_at_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    let (connector, connection) = meet(&options, is_at_terminal).await?;
    if is_at_terminal && !is_dumb() {
        terminal::stay(&options, &connector, connection)
            .await
            .map_err(|error| anyhow!("The terminal cannot be used: {error}."))
    } else {
        pipe::copy(&options, connection).await
    }
}

/// Whether the terminal has no control codes, and so can have no prompt row.
fn is_dumb() -> bool {
    env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb")
}
