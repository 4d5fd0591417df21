//! SIGTERM and SIGINT: the first asks the server to end in peace, the second ends it at once.

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
    Ok(async move {
        either(&mut terminate, &mut interrupt).await;
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
