//! A session: one connection that has entered, whatever door it came through.
//!
//! Two halves share one task: [`read`] turns bytes into requests, [`write`] turns the room's log
//! and the mailbox into bytes. Knows no socket and no dialect.

mod filter;
mod read;
mod request;
mod write;

use std::pin::{Pin, pin};
use std::time::Duration;

use jiff::tz::TimeZone;
use parlor_core::answer::{Answer, Notice};
use parlor_core::client::Link;
use parlor_core::dialect::{Decoder, Encoder};
use parlor_core::line::Line;
use parlor_core::mailbox::Item;
use parlor_core::rate::Rate;
use parlor_core::seat::{Entered, Seat};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::select;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub(crate) use read::read_some;

use crate::clock::Clock;
use read::Reader;
use write::Writer;

/// Whoever is sent the last words has this long to take them.
const FAREWELL_TIME: Duration = Duration::from_secs(10);

/// After the last words the other side's remaining input is read for this long, so that closing
/// resets nothing.
const LINGER_TIME: Duration = Duration::from_secs(1);

/// What a listener wants of its sessions.
#[derive(Clone, Debug)]
pub(crate) struct Manners {
    /// Whoever sends nothing for this long is closed.
    pub(crate) idle: Option<Duration>,
    /// How fast one may speak.
    pub(crate) rate: Option<Rate>,
    /// How many bytes are read, and held, at once.
    pub(crate) read_bytes_max: usize,
    /// How many lines said before are shown in a room that one enters.
    pub(crate) replay: u64,
    /// The zone in which people type times.
    pub(crate) zone: TimeZone,
    /// What time it is.
    pub(crate) clock: Clock,
}

/// Why a session ended. Not an error: every session ends.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The other side has no more to say.
    EndOfInput,
    /// `/quit`, with a word to the others.
    Quit(Option<Line>),
    /// Nothing was typed for this long.
    Idle(Duration),
    /// The other side speaks something else; it was told.
    Foreign,
    /// The other side took no byte for too long.
    Stalled,
    /// The connection broke.
    Broken,
    /// The server ends.
    GoingDown,
}

/// A connection that has a seat: what a door hands to the session.
pub(crate) struct Arrival<R, W, D, E> {
    pub(crate) input: R,
    pub(crate) output: W,
    pub(crate) decoder: D,
    pub(crate) encoder: E,
    pub(crate) link: Link,
    pub(crate) seat: Seat,
    pub(crate) entered: Box<Entered>,
    /// Bytes that were read already.
    pub(crate) held: Vec<u8>,
}

/// Serves a connection until it ends.
pub(crate) async fn run<R, W, D, E>(
    arrival: Arrival<R, W, D, E>,
    manners: &Manners,
    closing: &CancellationToken,
) -> Ended
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
    D: Decoder,
    E: Encoder,
{
    let Arrival {
        input,
        output,
        decoder,
        encoder,
        link,
        seat,
        entered,
        held,
    } = arrival;
    let mut writer = Writer::new(output, encoder, link.client().clone());
    link.reply(seat.mark(), Item::Entered(entered));
    let mut reader = Reader::new(input, decoder, link, seat, held, manners);
    let (ended, input) = {
        let mut writing = pin!(writer.write_lines());
        let ended = select! {
            biased;
            ended = &mut writing => ended,
            ended = reader.read_lines() => ended,
            () = closing.cancelled() => Ended::GoingDown,
        };
        let input = reader.leave(&ended);
        if !ended.is_broken() {
            say_last(writing, &ended).await;
        }
        (ended, input)
    };
    if !ended.is_broken() {
        close(writer.into_output(), input, &ended).await;
    }
    ended
}

/// Lets the writer write up to the own departure.
async fn say_last(writing: Pin<&mut impl Future<Output = Ended>>, ended: &Ended) {
    if matches!(ended, Ended::EndOfInput) {
        writing.await; // ends by itself: whoever takes nothing is closed
    } else {
        timeout(FAREWELL_TIME, writing).await.ok();
    }
}

/// Closes so that the last words arrive: what the other side still sends is read and forgotten,
/// since closing over unread input would reset the connection.
async fn close<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    mut output: W,
    mut input: R,
    ended: &Ended,
) {
    let shut = timeout(FAREWELL_TIME, output.shutdown()).await;
    if matches!(shut, Ok(Ok(()))) && !matches!(ended, Ended::EndOfInput) {
        linger(&mut input).await;
    }
}

/// Reads and forgets what still comes, for a moment.
pub(crate) async fn linger<R: AsyncRead + Unpin>(input: &mut R) {
    let reading = async {
        let mut ignored = Vec::new();
        while let Ok(1..) = read_some(input, &mut ignored, usize::MAX).await {
            ignored.clear();
        }
    };
    timeout(LINGER_TIME, reading).await.ok();
}

impl Ended {
    /// Whether nothing can be said any more.
    fn is_broken(&self) -> bool {
        matches!(self, Ended::Broken | Ended::Stalled)
    }

    /// What the person concerned reads at the end.
    fn notice(&self) -> Option<Item> {
        let notice = match self {
            Ended::Idle(silent) => Notice::IdleClosed(*silent),
            Ended::GoingDown => Notice::GoingDown,
            _ => return None,
        };
        Some(Item::Answer(Answer::Notice(notice)))
    }

    /// What the others read beside the departure.
    fn words(&self) -> Option<Line> {
        match self {
            Ended::Quit(words) => words.clone(),
            _ => None,
        }
    }
}
