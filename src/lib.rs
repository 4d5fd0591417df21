//! Parlor: a chat server that people join with programs they already have.
//!
//! [`Server`] builds and closes everything; [`serve`] runs it as the program does, with signals and
//! logs. `parlor-core`, which knows no socket, decides what happens in rooms.

mod accounts;
mod audit;
mod broadcaster_task;
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod door;
pub mod journal;
pub mod server;
mod session;
pub mod telemetry;
pub mod terminal;

use crate::client::JoinOptions;
use crate::config::Config;
use crate::server::{Hangups, Source, first_signal};

pub use crate::clock::zone_is_unknown;
pub use crate::server::Server;

/// Runs the server until a signal ends it and everybody has been told. A reload reads the
/// configuration from `source`.
///
/// # Errors
///
/// One sentence if it cannot start: an address in use, a port that is not allowed.
pub async fn serve(config: Config, source: Option<Source>) -> anyhow::Result<()> {
    let mut server = Server::new(config)?;
    server.bind().await?;
    // Catches signals before the server says that it runs, since a signal may follow at once.
    let shutdown = first_signal()?;
    if let Some(source) = source {
        server.reload_from(source, Hangups::catch()?);
    }
    server.announce();
    // Without systemd the notice goes nowhere; with it, a failure shows as a start that times out.
    sd_notify::notify(&[sd_notify::NotifyState::Ready]).ok();
    server.listen(shutdown).await?;
    tracing::info!("closed");
    Ok(())
}

/// Joins a server until it closes or the person leaves.
///
/// # Errors
///
/// One sentence if the server cannot be reached or the connection breaks.
pub async fn join(options: JoinOptions) -> anyhow::Result<()> {
    client::join(options).await
}
