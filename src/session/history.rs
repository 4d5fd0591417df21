//! Commands that show earlier lines: from the room's log, from the journal, and from the search.

use jiff::{Timestamp, ZonedDateTime};
use parlor_core::link::{Answer, Excerpt, Mail, Outcome, Query, Refusal, Replay, Seat, Spec};
use parlor_core::model::{Line, Missed, RoomName, WallTime, network};

use super::participant::{Effect, Participant};
use crate::clock::moment;
use crate::journal::{Ahead, Searcher, Unreadable};

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
    let replay = Replay::between(room, log, log.since(at), log.end());
    let first = match &person.settings.history {
        // All lines of the log are later than that time, so older lines, which the log has dropped,
        // may be later too.
        Some(history) if replay.from.seq == log.start().seq => {
            history.first_since(room, at).await?
        }
        _ => None,
    };
    show(person, seat, (first.unwrap_or(u64::MAX), u64::MAX), replay).await
}

/// Shows lines before or after a number. The journal has the lines that have left the log, perhaps
/// all of them.
pub(super) async fn read_excerpt(
    person: &Participant<'_>,
    excerpt: Excerpt,
) -> Result<Effect, Refusal> {
    let seat = person.here()?;
    let (room, log) = (seat.room_name(), seat.log());
    let history = person.settings.history.as_deref();
    let start = log.start().seq;
    match excerpt {
        Excerpt::Before { seq, lines } => {
            let last = seq.saturating_sub(1);
            let to = log.behind(last);
            let from = log.back(to, lines);
            let missing = lines.saturating_sub(log.lines_with_words(from, to));
            let older = from.seq.min(last);
            let first = match history {
                Some(history) if missing > 0 => history.back(room, older, missing).await?,
                _ => older + 1,
            };
            show(person, seat, (first, last), Replay::between(room, log, from, to)).await
        }
        Excerpt::After { seq, lines } => {
            let ahead = match history {
                Some(history) if seq < start => history.ahead(room, seq, start, lines).await?,
                _ => Ahead { lines: 0, last: start },
            };
            let from = log.behind(seq.max(start));
            let to = log.ahead(from, lines - ahead.lines.min(lines));
            let replay = Replay::between(room, log, from, to);
            show(person, seat, (seq.saturating_add(1), ahead.last), replay).await
        }
    }
}

/// Shows the lines from number `first` to `last`: first those before the replay, from the journal,
/// then the replay.
async fn show(
    person: &Participant<'_>,
    seat: &Seat,
    (first, last): (u64, u64),
    replay: Replay,
) -> Result<Effect, Refusal> {
    let before = replay.from.seq.min(last);
    let shown = show_stored(person, seat, seat.room_name(), (first, before)).await?;
    Ok(match shown {
        0 if replay.lines_with_words() == 0 => Answer::NothingStored.into(),
        _ => Effect::Tell(Mail::Replay(replay)),
    })
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

/// Shows stored lines, page by page, each as soon as the mailbox has space for it, while the person
/// may stay in this seat. Returns the number of lines.
async fn show_stored(
    person: &Participant<'_>,
    seat: &Seat,
    room: &RoomName,
    (first, last): (u64, u64),
) -> Result<usize, Unreadable> {
    let Some(history) = &person.settings.history else {
        return Ok(0);
    };
    let log = seat.log();
    let (mut next, mut shown) = (first, 0);
    while next <= last && seat.removed().is_none() {
        let page = history.page(room, next, last).await?;
        next = page.next;
        shown += page.lines.len();
        if page.lines.is_empty() {
            continue; // all of them are deleted
        }
        let end = log.end();
        let replay = Replay { older: page.lines, ..Replay::between(room, log, end, end) };
        person.reply(Mail::Replay(replay)).await;
    }
    Ok(shown)
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
    let address = person.peer.address;
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
