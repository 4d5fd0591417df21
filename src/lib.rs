//! Parlor: a chat server that people join with programs they already have.
//!
//! [`Server`] builds and closes everything; [`serve`] runs it as the program does, with signals and
//! logs. `parlor-core`, which knows no socket, decides what happens in rooms.

mod accounts;
mod broadcaster_task;
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
mod door;
pub mod journal;
mod operator;
pub mod sequencer;
pub mod server;
mod session;
pub mod telemetry;
mod terminal;
mod tls;

use tokio::select;

use crate::config::Config;
use crate::server::{PassedSockets, Server, SignalRequests, Source};

/// Runs the server until a signal ends it and everybody has been told. A reload reads the
/// configuration from `source`. Listeners at the addresses of `passed` sockets are not bound anew.
///
/// # Errors
///
/// The server cannot start, for example because an address is in use or a port is not allowed. The
/// error is one sentence.
pub async fn serve(
    config: Config,
    source: Option<Source>,
    passed: PassedSockets,
) -> anyhow::Result<()> {
    let mut server = Server::join(config).await?;
    server.take_over(passed);
    server.bind().await?;
    // Catches signals before the server says that it runs, because a signal may follow at once.
    let signals = SignalRequests::catch()?;
    if let Some(source) = source {
        server.reload_from(source, signals.clone());
    }
    let running = select! {
        running = server.open() => running?,
        () = signals.shutdown() => return Ok(()),
    };
    // Without systemd, nobody receives the notice. With systemd, a failure here shows as a start
    // that times out.
    sd_notify::notify(&[sd_notify::NotifyState::Ready]).ok();
    running.run(signals.shutdown()).await?;
    tracing::info!("closed");
    Ok(())
}
