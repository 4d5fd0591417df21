//! Signals. The first SIGTERM or SIGINT asks the server to shut down, the second ends it at once.
//! SIGHUP asks it to read its configuration again. Knows no server.

use std::io::{self, IsTerminal};
use std::process;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tokio::sync::Notify;

/// The exit code that a shell reports for an interrupted program.
const EXIT_INTERRUPTED: i32 = 130;

/// The limit of time for a shutdown: a promise to operators and service managers.
const END_TIME: Duration = Duration::from_secs(15);

/// The requests of signals to the server.
#[derive(Clone, Debug, Default)]
pub(crate) struct SignalRequests {
    shutdown: Arc<Notify>,
    reload: Arc<Notify>,
}

impl SignalRequests {
    /// Catches the signals from now on, in a thread: a second signal or the end of [`END_TIME`]
    /// ends the process even if the runtime is stuck.
    ///
    /// # Errors
    /// The signals cannot be caught.
    pub(crate) fn catch() -> anyhow::Result<SignalRequests> {
        let signals = Signals::new([SIGTERM, SIGINT, SIGHUP])
            .context("cannot catch SIGTERM, SIGINT and SIGHUP")?;
        let requests = SignalRequests::default();
        let watching = requests.clone();
        let had_terminal = io::stderr().is_terminal(); // the thread may begin when it is closed
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || watching.watch(signals, had_terminal))
            .context("cannot watch for signals")?;
        Ok(requests)
    }

    /// Waits for the first signal that asks the server to shut down.
    pub(crate) async fn shutdown(&self) {
        self.shutdown.notified().await;
        tracing::info!("closing: everybody is told; a second signal ends at once");
    }

    /// Waits for the next signal that asks the server to read its configuration again.
    pub(crate) async fn reload(&self) {
        self.reload.notified().await;
    }

    fn watch(&self, mut signals: Signals, had_terminal: bool) {
        let mut is_ending = false;
        for signal in signals.forever() {
            // A terminal that closes sends SIGHUP, too, and the server that it started ends.
            let has_lost_terminal = had_terminal && !io::stderr().is_terminal();
            match (signal, is_ending) {
                (SIGHUP, _) if !has_lost_terminal => self.reload.notify_one(),
                (_, false) => {
                    is_ending = true;
                    self.shutdown.notify_one();
                    end_in_time();
                }
                (SIGHUP, true) => {}
                (_, true) => process::exit(EXIT_INTERRUPTED),
            }
        }
    }
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
