//! Lines of a room between two numbers, for a person who asks for them: from the room's log, and
//! from the journal.

use parlor_core::link::{Mail, Refusal, Replay, Seat};
use parlor_core::model::{Counting, RoomName, Said, WallTime};

use super::participant::Participant;
use crate::journal::{Ahead, Unreadable};

/// Some of the lines between two numbers.
pub(super) struct Span {
    /// The number before the first line.
    pub(super) after: u64,
    /// The number after the last line.
    pub(super) before: u64,
    /// The largest number of lines or messages.
    pub(super) count: (u64, Counting),
    /// Whether these are the last ones; otherwise, the first ones.
    pub(super) is_last: bool,
}

/// Shows lines of the room where the person speaks. The journal has the lines that have left the
/// log, perhaps all of them. Returns whether there were any.
pub(super) async fn show_span(person: &Participant<'_>, span: Span) -> Result<bool, Refusal> {
    let seat = person.here()?;
    match span.is_last {
        true => show_last(person, seat, span).await,
        false => show_first(person, seat, span).await,
    }
}

async fn show_last(
    person: &Participant<'_>,
    seat: &Seat,
    Span { after, before, count: (count, counting), .. }: Span,
) -> Result<bool, Refusal> {
    let (room, log) = (seat.room_name(), seat.log());
    let last = before.saturating_sub(1);
    let to = log.behind(last);
    let from = log.back_by(counting, to, count);
    let missing = count.saturating_sub(log.count(counting, from, to));
    let older = from.seq.min(last);
    let first = match &person.settings.history {
        Some(history) if missing > 0 && older > after => {
            history.back(room, older, (missing, counting)).await?
        }
        _ => older + 1,
    };
    let least = log.behind(after);
    let from = if from.position < least.position { least } else { from };
    let replay = Replay::between(room, log, from, to);
    show(person, seat, (first.max(after.saturating_add(1)), last), replay).await
}

async fn show_first(
    person: &Participant<'_>,
    seat: &Seat,
    Span { after, before, count: (count, counting), .. }: Span,
) -> Result<bool, Refusal> {
    let (room, log) = (seat.room_name(), seat.log());
    let (start, last) = (log.start().seq, before.saturating_sub(1));
    let mut ahead = match &person.settings.history {
        Some(history) if after < start => {
            history.ahead(room, after, start.min(last), (count, counting)).await?
        }
        _ => Ahead { count: 0, last: start },
    };
    if counting == Counting::Messages && ahead.count == count {
        ahead.last = end_of_message(person, seat, ahead.last).await?;
    }
    let from = log.behind(after.max(start));
    let (to, most) =
        (log.ahead_by(counting, from, count - ahead.count.min(count)), log.behind(last));
    let to = if to.position > most.position { most } else { to };
    let replay = Replay::between(room, log, from, to);
    show(person, seat, (after.saturating_add(1), ahead.last.min(last)), replay).await
}

/// Shows the lines from number `first` to `last`: first those before the replay, from the journal,
/// then the replay. Returns whether there were any.
pub(super) async fn show(
    person: &Participant<'_>,
    seat: &Seat,
    (first, last): (u64, u64),
    replay: Replay,
) -> Result<bool, Refusal> {
    let before = replay.from.seq.min(last);
    let shown = show_stored(person, seat, seat.room_name(), (first, before)).await?;
    let has_more = replay.lines_with_words() > 0;
    if has_more {
        person.reply(Mail::Replay(replay)).await;
    }
    Ok(has_more || shown > 0)
}

/// Shows stored lines, page by page, each as soon as the mailbox has space for it, while the person
/// may stay in this seat. Returns the number of lines.
pub(super) async fn show_stored(
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

/// The number of the first line in a room that was said at this time or later; without one, the
/// number of the next line.
pub(super) async fn first_since(
    person: &Participant<'_>,
    seat: &Seat,
    at: WallTime,
) -> Result<u64, Unreadable> {
    let log = seat.log();
    let before = log.since(at).seq;
    let stored = match &person.settings.history {
        // All lines of the log are later than that time, so older lines, which the log has dropped,
        // may be later too.
        Some(history) if before == log.start().seq => {
            history.first_since(seat.room_name(), at).await?
        }
        _ => None,
    };
    Ok(stored.unwrap_or(u64::MAX).min(before + 1))
}

/// The number of the last line that was sent together with the line with this number.
pub(super) async fn end_of_message(
    person: &Participant<'_>,
    seat: &Seat,
    seq: u64,
) -> Result<u64, Unreadable> {
    let said = match (seat.log().line(seq), &person.settings.history) {
        (Some(said), _) => Some(said),
        (None, Some(history)) => {
            let page = history.page(seat.room_name(), seq, seq).await?;
            page.lines.into_iter().find_map(Result::ok)
        }
        (None, None) => None,
    };
    let group = said.as_ref().and_then(Said::group);
    let rest = group.map_or(0, |group| group.lines.saturating_sub(group.index + 1));
    Ok(seq + u64::from(rest))
}
