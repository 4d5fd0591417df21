//! SIGTERM and SIGINT: the first asks the server to end in peace, the second ends it at once. SIGHUP: to read the
//! configuration anew. Knows neither.

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

/// What a shell reports of a program that was interrupted.
const EXIT_INTERRUPTED: i32 = 130;

/// What operators and their service managers are promised: the end takes no longer, whatever stands still.
const END_TIME: Duration = Duration::from_secs(15);

/// Waits for the first signal; from then on a second one ends the process, and so does [`END_TIME`].
///
/// Threads of their own see to that, so it holds also when the runtime stands still.
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

/// Has a thread end the process if it does not end by itself.
fn end_in_time() {
    let end = || {
        thread::sleep(END_TIME);
        tracing::error!("the server did not stop within {END_TIME:?}; it is cut off now");
        process::exit(1);
    };
    thread::Builder::new().spawn(end).ok(); // without a thread, a second signal still ends it
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
