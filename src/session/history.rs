//! Commands that show earlier lines: from the room's log, from the journal, and from the search.

use jiff::{Timestamp, ZonedDateTime};
use parlor_core::link::{Answer, Excerpt, Outcome, Query, Refusal, Replay, Spec};
use parlor_core::model::{Counting, Line, Missed, RoomName, WallTime, network};

use super::participant::{Effect, Participant};
use super::span::{Span, first_since, show, show_span, show_stored};
use crate::clock::moment;
use crate::journal::{Searcher, Unreadable};

impl From<Unreadable> for Refusal {
    fn from(_: Unreadable) -> Refusal {
        Refusal::Unreadable
    }
}

/// Shows the lines since a time.
pub(super) async fn since(person: &Participant<'_>, typed: &Line) -> Result<Effect, Refusal> {
    let now = ZonedDateTime::new(Timestamp::now(), person.settings.zone.clone());
    let at = moment::parse(typed.as_str(), &now).ok_or(Refusal::NoSuchTime)?;
    let at = WallTime(at.as_millisecond());
    let seat = person.here()?;
    let (room, log) = (seat.room_name(), seat.log());
    let first = first_since(person, seat, at).await?;
    let replay = Replay::between(room, log, log.since(at), log.end());
    shown(show(person, seat, (first, u64::MAX), replay).await?)
}

/// Shows lines before or after a number.
pub(super) async fn read_excerpt(
    person: &Participant<'_>,
    excerpt: Excerpt,
) -> Result<Effect, Refusal> {
    let (after, before, lines, is_last) = match excerpt {
        Excerpt::Before { seq, lines } => (0, seq, lines, true),
        Excerpt::After { seq, lines } => (seq, u64::MAX, lines, false),
    };
    let count = (lines, Counting::Lines);
    shown(show_span(person, Span { after, before, count, is_last }).await?)
}

/// The answer to a request for lines.
fn shown(has_lines: bool) -> Result<Effect, Refusal> {
    Ok(if has_lines { Effect::None } else { Answer::NothingStored.into() })
}

/// Shows exactly the lines that the last notice counted.
pub(super) async fn missed(
    person: &mut Participant<'_>,
    spec: &'static Spec,
) -> Result<Option<Answer>, Refusal> {
    if person.settings.history.is_none() {
        return Err(Refusal::NeedsDisk(spec));
    }
    let missed = person.link.client().missed().ok_or(Refusal::NothingMissed)?;
    let Missed { room, first, last } = missed;
    if barred(person).await?.contains(&room) {
        return Err(Refusal::NotThere);
    }
    let shown = show_stored(person, person.here()?, &room, (first, last)).await?;
    Ok((shown == 0).then_some(Answer::NothingStored))
}

/// The rooms that the person may not read.
async fn barred(person: &mut Participant<'_>) -> Result<Vec<RoomName>, Refusal> {
    match person.link.call(Query::Barred).await {
        Outcome::Barred(barred) => Ok(barred),
        _ => Err(Refusal::NotThere),
    }
}

/// Shows the lines that contain these words, each as soon as the mailbox has space for it. Returns
/// the closing answer.
pub(super) async fn search(
    person: &mut Participant<'_>,
    words: Line,
    skip: u64,
    spec: &'static Spec,
) -> Result<Option<Answer>, Refusal> {
    let (Some(search), Some(history)) = (&person.settings.search, &person.settings.history) else {
        return Err(Refusal::NeedsDisk(spec));
    };
    let barred = barred(person).await?;
    let may_read = Box::new(move |room: &RoomName| !barred.contains(room));
    let address = person.peer.ip();
    let searcher = Searcher {
        person: person.link.client().id(),
        network: (!address.is_loopback()).then(|| network(address)),
    };
    let found = search.find(words.as_str(), skip, searcher, may_read).await?;
    if found.behind > 0 {
        person.answer(Answer::SearchBehind(found.behind)).await;
    }
    let mut shown = 0;
    for (room, seq) in found.lines {
        let page = history.page(&room, seq, seq).await?;
        // A damaged line was indexed when it was whole; its text is lost.
        for said in page.lines.into_iter().flatten() {
            shown += 1;
            let room = room.clone();
            person.answer(Answer::Found { room, said }).await;
        }
    }
    Ok(match (found.more, found.is_cut) {
        (0, false) => (shown == 0).then_some(Answer::FoundNothing(words)),
        (lines, is_cut) => Some(Answer::FoundMore { lines, is_all: !is_cut }),
    })
}
