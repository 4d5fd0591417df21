//! Signals. The first SIGTERM or SIGINT asks the server to shut down, the second ends it at once.
//! SIGHUP asks it to read its configuration again. Knows no server.

use std::io::{self, IsTerminal};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

/// The exit code that a shell reports for an interrupted program.
const EXIT_INTERRUPTED: i32 = 130;

/// The limit of time for a shutdown: a promise to operators and service managers.
const END_TIME: Duration = Duration::from_secs(15);

/// Waits for the first signal. After it, a second signal or the end of [`END_TIME`] ends the
/// process: separate threads do that, even if the runtime is stuck.
///
/// # Errors
/// The signals cannot be caught.
pub(crate) fn first_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut signals = Signals::new([SIGTERM, SIGINT]).context("cannot catch SIGTERM and SIGINT")?;
    let mut hangups = Hangups::catch()?;
    let (is_ending, arrived) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
    let (was_ending, arrival) = (Arc::clone(&is_ending), Arc::clone(&arrived));
    let watch = move || {
        for _ in signals.forever() {
            if was_ending.swap(true, Ordering::Relaxed) {
                process::exit(EXIT_INTERRUPTED);
            }
            arrival.notify_one();
            end_in_time();
        }
    };
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(watch)
        .context("cannot watch for signals")?;
    Ok(async move {
        tokio::select! {
            () = arrived.notified() => {}
            () = hangups.terminal_is_gone() => {
                is_ending.store(true, Ordering::Relaxed);
                end_in_time();
            }
        }
        tracing::info!("closing: everybody is told; a second signal ends at once");
    })
}

/// Starts a thread that ends the process, in case it does not end by itself.
fn end_in_time() {
    let end = || {
        thread::sleep(END_TIME);
        tracing::error!("the server did not stop within {END_TIME:?}; it is cut off now");
        process::exit(1);
    };
    thread::Builder::new().spawn(end).ok(); // without a thread, a second signal still ends it
}

/// SIGHUP, from an operator or from a terminal that closes.
#[derive(Debug)]
pub(crate) struct Hangups {
    signal: Signal,
    /// Whether the program was started in a terminal.
    had_terminal: bool,
}

impl Hangups {
    /// Catches the signal, so that it no longer ends the process.
    ///
    /// # Errors
    /// It cannot be caught.
    pub(crate) fn catch() -> anyhow::Result<Hangups> {
        Ok(Hangups {
            signal: signal(SignalKind::hangup()).context("cannot catch SIGHUP")?,
            had_terminal: io::stderr().is_terminal(),
        })
    }

    /// Waits for the next signal from an operator.
    pub(crate) async fn next(&mut self) {
        loop {
            self.signal.recv().await;
            if !self.is_orphaned() {
                return;
            }
        }
    }

    /// Waits until the terminal that started the server closes.
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
