//! A session: one connection that has entered, through any door.
//!
//! It has two halves: [`read`] turns bytes into requests, in the session's task; [`write`] turns
//! the rooms' logs and the mailbox into bytes, in the task of its group ([`writers`]). Knows no
//! socket and no dialect.

mod account;
mod commands;
mod ended;
mod enter;
mod history;
mod io;
mod log_in;
mod pace;
mod participant;
mod private;
mod read;
mod recall;
pub(crate) mod replay;
mod return_code;
mod rooms;
mod settings;
mod span;
#[cfg(test)]
mod tests;
mod used_buckets;
mod write;
mod writers;

pub(crate) use crate::accounts::RoomTry;
pub(crate) use enter::{ATTEMPTS_MAX, Doorway, Newcomer, NotEntered, Step, Tell, prove_by_token};
pub(crate) use io::{Output, linger, read_some};
pub(crate) use pace::LinePace;
pub(crate) use rooms::SEATS_MAX;
pub(crate) use settings::{Encryption, Idle, Live, Peer, SessionSettings, profile_at};
pub(crate) use writers::{Writers, Writing};

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use parlor_core::broadcaster::RETURN_TIME;
use parlor_core::link::{Client, Decoder, Encoder};
use tokio::io::AsyncRead;
use tokio::select;
use tokio_util::sync::CancellationToken;

use self::ended::SessionEnd;
pub(crate) use self::participant::{Admitted, Participant};
use self::read::Reader;
use crate::accounts::Accounts;
use crate::clock::{sleep, timeout};

/// How long a client may take to receive its final message.
const FAREWELL_TIME: Duration = Duration::from_secs(10);

/// How long the server still posts the delayed lines of a client that has closed its connection:
/// this is enough for more than a thousand lines at the usual rate.
const HEAR_OUT_TIME: Duration = Duration::from_secs(120);

/// The parts that a door hands to a session.
pub(crate) struct Arrival<'a, R, W, D, E> {
    pub(crate) input: R,
    pub(crate) output: W,
    pub(crate) decoder: D,
    pub(crate) encoder: E,
    /// Bytes that are read and not yet decoded.
    pub(crate) held: Vec<u8>,
    pub(crate) person: Participant<'a>,
}

/// Serves a connection until it ends. Returns the input if closing it over unread bytes would reset
/// the connection and lose the final message: see [`linger`].
///
/// The writing half does not belong to this task, so that a new line wakes only the writer. This is
/// not an async function: that would keep the arrival in memory beside the two halves during the
/// whole connection.
pub(crate) fn run<R, W, D, E>(
    arrival: Arrival<'_, R, W, D, E>,
    closing: &CancellationToken,
    writers: &Writers,
) -> impl Future<Output = (SessionEnd, Option<R>)>
where
    R: AsyncRead + Unpin,
    W: Output + 'static,
    D: Decoder,
    E: Encoder + Unpin + 'static,
{
    let Arrival { input, output, decoder, encoder, held, person } = arrival;
    let accounts = person.settings.accounts.as_deref();
    let client = Arc::clone(person.link.client());
    let reader = Reader::new(input, decoder, held, person);
    let writing = writers.write(output, encoder, &client); // behind what the reader let in
    read_and_write(reader, writing, accounts, closing)
}

async fn read_and_write<R, D>(
    mut reader: Reader<'_, R, D>,
    mut writing: Writing,
    accounts: Option<&Accounts>,
    closing: &CancellationToken,
) -> (SessionEnd, Option<R>)
where
    R: AsyncRead + Unpin,
    D: Decoder,
{
    let client = Arc::clone(reader.client());
    let ended = {
        let mut reading = pin!(reader.read_lines());
        select! {
            biased;
            _ = &mut writing => Box::pin(hear_out(reading, &client, closing)).await,
            ended = &mut reading => ended,
            removal = client.removal() => SessionEnd::Removed(Arc::clone(removal)),
            () = closing.cancelled() => SessionEnd::GoingDown,
        }
    };
    if reader.may_return(&ended) {
        Box::pin(wait_for_return(&client, closing)).await;
    }
    let (input, code) = reader.leave(&ended);
    let says_last = Box::pin(async {
        let says_last = finish_writing(writing, &ended).await;
        if let (Some(code), Some(accounts)) = (code, accounts) {
            accounts.codes.end(&code, &client).await;
        }
        says_last
    })
    .await; // boxed, because it is over soon
    (ended, says_last.then_some(input))
}

/// Waits for a person who may reconnect in a moment, so that no departure is announced.
async fn wait_for_return(client: &Client, closing: &CancellationToken) {
    client.forget_mail(); // people who write meanwhile read that this person is not reading
    select! {
        biased;
        _ = client.removal() => {}
        () = closing.cancelled() => {}
        () = sleep(RETURN_TIME) => {}
    }
}

/// Waits until everything up to the departure is written. Returns whether the final message is on
/// its way while more input may come.
async fn finish_writing(writing: Writing, ended: &SessionEnd) -> bool {
    if writing.is_over() {
        return false;
    }
    if matches!(ended, SessionEnd::EndOfInput) {
        // There is no time limit: the writer itself ends if a client accepts no bytes.
        writing.await.ok();
        return false;
    }
    matches!(timeout(FAREWELL_TIME, writing).await, Ok(Ok(())))
}

/// Posts what a client sent before it closed its connection: lines piped into a netcat that hangs
/// up at the end of its input are posted. Answers are dropped, so that nothing waits for space in
/// the mailbox.
async fn hear_out(
    reading: Pin<&mut impl Future<Output = SessionEnd>>,
    client: &Client,
    closing: &CancellationToken,
) -> SessionEnd {
    client.forget_mail();
    select! {
        biased;
        ended = reading => ended,
        removal = client.removal() => SessionEnd::Removed(Arc::clone(removal)),
        () = closing.cancelled() => SessionEnd::Broken,
        () = sleep(HEAR_OUT_TIME) => SessionEnd::Broken,
    }
}
