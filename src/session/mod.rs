//! A session: one connection that has entered, whatever door it came through.
//!
//! It has two halves: [`read`], in a task of its own, turns bytes into requests; [`write`], looked
//! after by [`writers`] together with others, turns the room's log and the mailbox into bytes.
//! Knows no socket and no dialect.

mod account;
mod coming_back;
mod commands;
mod forget;
mod live;
mod read;
pub(crate) mod replay;
mod rooms;
mod search;
mod write;
mod writers;

pub(crate) use account::Peer;
pub(crate) use live::Live;
pub(crate) use read::read_some;
pub(crate) use write::Output;
pub(crate) use writers::{Watching, Writers};

use std::fmt;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use parlor_core::broadcaster::RETURN_TIME;
use parlor_core::link::{Answer, Client, Decoder, Encoder, Entered, Item, Link, Notice, Seat};
use parlor_core::model::{Line, Removal, Word};
use parlor_wire::lines::Keeping;
use tokio::io::AsyncRead;
use tokio::select;
use tokio_util::sync::CancellationToken;

use self::read::Reader;
use self::write::{Writer, Written};
use self::writers::Writing;
use crate::accounts::{Code, Registry, Standing};
use crate::clock::{Clock, sleep, timeout};
use crate::door::Idle;
use crate::journal::{Forgetting, History, Search};
use crate::telemetry::Metrics;

/// Whoever is sent the last words has this long to take them.
const FAREWELL_TIME: Duration = Duration::from_secs(10);

/// What was sent before a connection closed is said for this long, where the rate delays it: more
/// than a thousand lines at the usual one, and whoever is gone leaves at last.
const HEAR_OUT_TIME: Duration = Duration::from_secs(120);

/// After the last words the other side's remaining input is read for this long, so that closing
/// resets nothing.
const LINGER_TIME: Duration = Duration::from_secs(1);

/// What a listener wants of its sessions.
#[derive(Clone)]
pub(crate) struct Manners {
    /// Who is closed after sending nothing for how long.
    pub(crate) idle: Idle,
    /// Whoever is silent is asked this often whether they are there, by a door that can ask; else warned once.
    pub(crate) ask_every: Option<Duration>,
    /// What may change meanwhile: how fast one may speak, and what is shown on entering a room.
    pub(crate) live: Arc<Live>,
    /// How many bytes are read, and held, at once.
    pub(crate) read_bytes_max: usize,
    /// What is kept from before; none where nothing is.
    pub(crate) history: Option<History>,
    /// How to search in it.
    pub(crate) search: Option<Search>,
    /// How to take back what was said; none where nothing is kept.
    pub(crate) forgetting: Option<Forgetting>,
    /// Which log it is that the numbers of lines belong to.
    pub(crate) log: Arc<str>,
    /// Whose names are whose; none where nothing is kept.
    pub(crate) registry: Option<Arc<Registry>>,
    /// What the operator is told in numbers.
    pub(crate) metrics: Arc<Metrics>,
    /// The zone in which people type times.
    pub(crate) zone: TimeZone,
    /// What time it is.
    pub(crate) clock: Clock,
}

impl Manners {
    /// Where lines are kept, and for how long just now.
    pub(crate) fn keeping(&self) -> Keeping {
        match self.history {
            Some(_) => Keeping::OnDisk {
                retain: self.live.retain(),
            },
            None => Keeping::Nowhere,
        }
    }
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
    /// The connection broke, or took no byte for too long.
    Broken,
    /// Somebody with authority wants it so.
    Removed(Removal),
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
    /// Whether the name is this person's own.
    pub(crate) is_owner: bool,
    /// What it has come back with, and to where, if it has.
    pub(crate) place: Option<(Code, Standing)>,
    pub(crate) peer: Peer,
    /// Bytes that were read already.
    pub(crate) held: Vec<u8>,
}

/// Serves a connection until it ends. The input comes back where closing over what is unread in it would reset the connection,
/// and the last words with it: see [`linger`].
///
/// The writing half is none of this task's, so that a line wakes nothing but what writes it. Not an
/// async function: that would hold the arrival beside the halves it is made into, for as long as
/// the connection lasts.
pub(crate) fn run<R, W, D, E>(
    arrival: Arrival<R, W, D, E>,
    manners: &Manners,
    closing: &CancellationToken,
    writers: &Writers,
) -> impl Future<Output = (Ended, Option<R>)>
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
        link,
        seat,
        entered,
        is_owner,
        place,
        peer,
        held,
    } = arrival;
    let is_named = !entered.who.name.is_address();
    link.reply(seat.mark(), Item::Entered(entered));
    let client = Arc::clone(link.client());
    let writing = writers.add(Writer::new(output, encoder, Arc::clone(&client)), &client);
    let mut reader = Reader::new(input, decoder, link, seat, peer, manners);
    (reader.held, reader.show_letters, reader.place) = (held, is_owner, place);
    reader.is_named = is_named;
    read_and_write(reader, writing, closing)
}

async fn read_and_write<R, D>(
    mut reader: Reader<'_, R, D>,
    mut writing: Writing,
    closing: &CancellationToken,
) -> (Ended, Option<R>)
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
            removal = client.removal() => Ended::Removed(removal.clone()),
            () = closing.cancelled() => Ended::GoingDown,
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
async fn part(writing: Writing, ended: &Ended) -> bool {
    let says_last = !writing.is_over() && say_last(writing, ended).await == Written::All;
    says_last && !matches!(ended, Ended::EndOfInput)
}

/// Nobody takes what is written any more, but what was sent before that still counts: lines piped
/// into a netcat that hangs up at the end of its input are said. Answers are forgotten, so that
/// nobody waits for room in the mailbox.
async fn hear_out(
    reading: Pin<&mut impl Future<Output = Ended>>,
    client: &Client,
    closing: &CancellationToken,
) -> Ended {
    client.forget_mail();
    select! {
        biased;
        ended = reading => ended,
        removal = client.removal() => Ended::Removed(removal.clone()),
        () = closing.cancelled() => Ended::Broken,
        () = sleep(HEAR_OUT_TIME) => Ended::Broken,
    }
}

/// Lets the writer write up to the own departure.
async fn say_last(writing: Writing, ended: &Ended) -> Written {
    if matches!(ended, Ended::EndOfInput) {
        // At whatever pace it is taken: the writer itself ends for somebody who takes nothing.
        return writing.await;
    }
    let written = timeout(FAREWELL_TIME, writing).await;
    written.unwrap_or(Written::Broken)
}

/// Reads and forgets what still comes, for a moment. A door does it in a place among those who leave.
pub(crate) async fn linger<R: AsyncRead + Unpin>(input: &mut R) {
    let reading = async {
        let mut ignored = Vec::new();
        while let Ok(1..) = read_some(input, &mut ignored, usize::MAX).await {
            ignored.clear();
        }
    };
    timeout(LINGER_TIME, reading).await.ok();
}

/// As the log has it: without the words, which are no business of the operator's.
impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ended::EndOfInput => "end of input",
            Ended::Quit(_) => "quit",
            Ended::Idle(_) => "idle",
            Ended::Foreign => "speaks something else",
            Ended::Broken => "broken",
            Ended::Removed(_) => "removed",
            Ended::GoingDown => "the server ends",
        })
    }
}

impl Ended {
    /// What the person concerned reads at the end.
    fn notice(&self) -> Option<Item> {
        let notice = match self {
            Ended::Idle(silent) => Notice::IdleClosed(*silent),
            Ended::Removed(removal) => Notice::Order(Word::Removed(removal.clone())),
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
