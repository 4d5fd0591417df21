//! The first connection to a server: a person at a terminal may accept its certificate. Knows no line
//! of the chat.

use std::io::{self, BufRead, Read, Write};

use anyhow::{Context, ensure};
use tokio::task::spawn_blocking;

use super::connect::{Connector, JoinOptions, ServerHalves};
use super::known_servers::KnownServers;
use super::trust::Distrust;

/// Long enough for every yes.
const ANSWER_BYTES_MAX: u64 = 100;

/// Connects for the first time. If the certificate is not known, asks the person at the terminal,
/// and stores the accepted one: nobody is asked twice. While a question waits, nothing is
/// connected, since a server allows no handshake the time of a person.
///
/// # Errors
/// Nobody answers, or the certificate is not trusted; the error is a sentence.
pub(super) async fn meet(
    options: &JoinOptions,
    is_at_terminal: bool,
) -> anyhow::Result<(Connector, ServerHalves)> {
    let connector = Connector::new(options)?;
    let failure = match connector.connect().await {
        Ok(connection) => return Ok((connector, connection)),
        Err(failure) => failure,
    };
    match failure.downcast_ref::<Distrust>().cloned() {
        Some(Distrust::Unknown { server, shown, reason }) if is_at_terminal => {
            let question = format!(
                "The certificate of {server} is not known: {reason}.\nIts SHA256 fingerprint is\n{shown}\n\
                 The operator can tell you whether it is right. Join, and trust it from now on? (y/n) "
            );
            let is_accepted = spawn_blocking(move || ask(&question)).await?;
            ensure!(
                is_accepted.context("The terminal cannot be used")?,
                "You did not accept the certificate, so nothing was sent."
            );
            KnownServers::usual()
                .add(&server, shown)
                .with_context(|| format!("The server cannot be stored; join with --pin {shown}"))?;
        }
        _ => return Err(failure),
    }
    let connector = Connector::new(options)?; // which knows the server now
    let connection = connector.connect().await?;
    Ok((connector, connection))
}

/// Asks a person who has a whole line for the answer. Only `y` and `yes` accept.
fn ask(question: &str) -> io::Result<bool> {
    io::stdout().write_all(question.as_bytes())?;
    io::stdout().flush()?;
    let mut answer = String::new();
    io::stdin().lock().take(ANSWER_BYTES_MAX).read_line(&mut answer)?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}
