//! SIGTERM and SIGINT: the first asks the server to end in peace, the second ends it at once. SIGHUP: to read the
//! configuration anew. Knows neither.

use std::io::{self, IsTerminal};

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a shell reports of a program that was interrupted.
const EXIT_INTERRUPTED: i32 = 130;

/// Waits for the first signal; from then on a second one ends the process.
///
/// # Errors
/// The signals cannot be caught.
pub(crate) fn first() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot catch SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot catch SIGINT")?;
    let mut hangups = Hangups::catch()?;
    Ok(async move {
        tokio::select! {
            () = either(&mut terminate, &mut interrupt) => {}
            () = hangups.terminal_is_gone() => {}
        }
        tracing::info!("closing: everybody is told; a second signal ends at once");
        tokio::spawn(async move {
            either(&mut terminate, &mut interrupt).await;
            std::process::exit(EXIT_INTERRUPTED);
        });
    })
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// SIGHUP, which an operator sends, and also a terminal that is closed.
#[derive(Debug)]
pub(crate) struct Hangups {
    signal: Signal,
    /// Whether this program was started in a terminal.
    had_terminal: bool,
}

impl Hangups {
    /// From now on the signal no longer ends the process.
    ///
    /// # Errors
    /// It cannot be caught.
    pub(crate) fn catch() -> anyhow::Result<Hangups> {
        Ok(Hangups {
            signal: signal(SignalKind::hangup()).context("cannot catch SIGHUP")?,
            had_terminal: io::stderr().is_terminal(),
        })
    }

    /// Waits for the next one that an operator sends.
    pub(crate) async fn next(&mut self) {
        loop {
            self.signal.recv().await;
            if !self.is_orphaned() {
                return;
            }
        }
    }

    /// Waits until the terminal is closed in which the server was started.
    async fn terminal_is_gone(&mut self) {
        loop {
            self.signal.recv().await;
            if self.is_orphaned() {
                return;
            }
        }
    }

    fn is_orphaned(&self) -> bool {
        self.had_terminal && !io::stderr().is_terminal()
    }
}
