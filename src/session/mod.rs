//! A session: one connection that has entered, whatever door it came through.
//!
//! It has two halves: [`read`], in a task of its own, turns bytes into requests; [`write`], looked
//! after by [`writers`] together with others, turns the room's log and the mailbox into bytes.
//! Knows no socket and no dialect.

mod account;
mod commands;
mod ended;
mod enter;
mod io;
mod read;
pub(crate) mod replay;
mod rooms;
mod settings;
mod write;
mod writers;

pub(crate) use enter::{
    ATTEMPTS_MAX, Attempt, Doorway, Newcomer, NotEntered, Seated, Tell, prove_by_token,
};
pub(crate) use io::{Output, linger, read_some};
pub(crate) use settings::Idle;
pub(crate) use settings::{Live, Peer, SessionSettings};
pub(crate) use writers::{Watching, Writers};

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use parlor_core::broadcaster::RETURN_TIME;
use parlor_core::link::{Client, Decoder, Encoder};
use tokio::io::AsyncRead;
use tokio::select;
use tokio_util::sync::CancellationToken;

use self::ended::SessionEnd;
use self::read::Reader;
use self::write::{Writer, Written};
use self::writers::Writing;
use crate::clock::{sleep, timeout};

/// Whoever is sent the last words has this long to take them.
const FAREWELL_TIME: Duration = Duration::from_secs(10);

/// What was sent before a connection closed is said for this long, where the rate delays it: more
/// than a thousand lines at the usual one, and whoever is gone leaves at last.
const HEAR_OUT_TIME: Duration = Duration::from_secs(120);

/// What a door hands to a session.
pub(crate) struct Arrival<R, W, D, E> {
    pub(crate) input: R,
    pub(crate) output: W,
    pub(crate) decoder: D,
    pub(crate) encoder: E,
    /// Bytes that were read already.
    pub(crate) held: Vec<u8>,
    pub(crate) seated: Seated,
}

/// Serves a connection until it ends. The input comes back where closing over what is unread in it would reset the connection,
/// and the last words with it: see [`linger`].
///
/// The writing half is none of this task's, so that a line wakes nothing but what writes it. Not an
/// async function: that would hold the arrival beside the halves it is made into, for as long as
/// the connection lasts.
pub(crate) fn run<R, W, D, E>(
    arrival: Arrival<R, W, D, E>,
    settings: &SessionSettings,
    closing: &CancellationToken,
    writers: &Writers,
) -> impl Future<Output = (SessionEnd, Option<R>)>
where
    R: AsyncRead + Unpin,
    W: Output + 'static,
    D: Decoder,
    E: Encoder + Unpin + 'static,
{
    let Arrival {
        input,
        output,
        decoder,
        encoder,
        held,
        seated,
    } = arrival;
    let client = Arc::clone(seated.link.client());
    let reader = Reader::new(input, decoder, held, seated, settings);
    let writing = writers.add(Writer::new(output, encoder, Arc::clone(&client)), &client);
    read_and_write(reader, writing, closing)
}

async fn read_and_write<R, D>(
    mut reader: Reader<'_, R, D>,
    mut writing: Writing,
    closing: &CancellationToken,
) -> (SessionEnd, Option<R>)
where
    R: AsyncRead + Unpin,
    D: Decoder,
{
    let client = Arc::clone(reader.link.client());
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
    let last = reader.last_place();
    let input = reader.leave(&ended);
    let says_last = Box::pin(async {
        let says_last = part(writing, &ended).await;
        if let Some(last) = last {
            last.keep(&client).await;
        }
        says_last
    })
    .await; // boxed, as it is over soon
    (ended, says_last.then_some(input))
}

/// The others are not told at once of somebody who may be back in a moment: then nobody has to read of it at all.
async fn wait_for_return(client: &Client, closing: &CancellationToken) {
    client.forget_mail(); // whoever writes meanwhile is told that it is not read
    select! {
        biased;
        _ = client.removal() => {}
        () = closing.cancelled() => {}
        () = sleep(RETURN_TIME) => {}
    }
}

/// Has the last words written. Whether they are on their way, and more may come in meanwhile.
async fn part(writing: Writing, ended: &SessionEnd) -> bool {
    let says_last = !writing.is_over() && say_last(writing, ended).await == Written::All;
    says_last && !matches!(ended, SessionEnd::EndOfInput)
}

/// Nobody takes what is written any more, but what was sent before that still counts: lines piped
/// into a netcat that hangs up at the end of its input are said. Answers are forgotten, so that
/// nobody waits for room in the mailbox.
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

/// Lets the writer write up to the own departure.
async fn say_last(writing: Writing, ended: &SessionEnd) -> Written {
    if matches!(ended, SessionEnd::EndOfInput) {
        // At whatever pace it is taken: the writer itself ends for somebody who takes nothing.
        return writing.await;
    }
    let written = timeout(FAREWELL_TIME, writing).await;
    written.unwrap_or(Written::Broken)
}
