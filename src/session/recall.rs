//! Earlier messages, as a client that has some of them asks for others: by the line or the time
//! where they begin or end. Lines that were sent together are one message, and come together.

use parlor_core::link::{Recall, Refusal, Seat, Spot};
use parlor_core::model::{Counting, RoomName, WallTime};

use super::participant::Participant;
use super::span::{Span, end_of_message, first_since, show_span};

/// A place among the lines of a room.
#[derive(Clone, Copy)]
struct Bounds {
    /// The lines before the place have lower numbers.
    before: u64,
    /// The lines after the place have higher numbers.
    after: u64,
}

/// Shows messages of the room where the person speaks.
pub(super) async fn recall(
    person: &Participant<'_>,
    recall: Recall,
    count: u64,
) -> Result<(), Refusal> {
    let (span, later) = spans(person, person.here()?, recall, count).await?;
    show_span(person, span).await?;
    if let Some(later) = later {
        show_span(person, later).await?;
    }
    Ok(())
}

/// The lines that are asked for; around a place, those before it and then the others.
async fn spans(
    person: &Participant<'_>,
    seat: &Seat,
    recall: Recall,
    count: u64,
) -> Result<(Span, Option<Span>), Refusal> {
    let bounds = async |spot| bounds(person, seat, spot).await;
    let span = |after, before, is_last| Span {
        after,
        before,
        count: (count, Counting::Messages),
        is_last,
    };
    let (first, last) = (0, u64::MAX);
    Ok(match recall {
        Recall::Latest(None) => (span(first, last, true), None),
        Recall::Latest(Some(spot)) => (span(bounds(spot).await?.after, last, true), None),
        Recall::Before(spot) => (span(first, bounds(spot).await?.before, true), None),
        Recall::After(spot) => (span(bounds(spot).await?.after, last, false), None),
        Recall::Around(spot) => {
            let here = bounds(spot).await?.before;
            let earlier = (count / 2, Counting::Messages);
            let later = (count - earlier.0, Counting::Messages);
            let from_here = span(here.saturating_sub(1), last, false);
            let before = Span { count: earlier, ..span(first, here, true) };
            (before, Some(Span { count: later, ..from_here }))
        }
        Recall::Between(from, to) => {
            let (from, to) = (bounds(from).await?, bounds(to).await?);
            match from.before <= to.before {
                true => (span(from.after, to.before, false), None),
                false => (span(to.after, from.before, true), None),
            }
        }
    })
}

/// Where a place is in a room.
async fn bounds(person: &Participant<'_>, seat: &Seat, spot: Spot) -> Result<Bounds, Refusal> {
    match spot {
        Spot::Line { log, seq } => {
            if !is_line_here(person, seat, &log, seq).await? {
                return Err(Refusal::NoSuchLine);
            }
            Ok(Bounds { before: seq, after: end_of_message(person, seat, seq).await? })
        }
        Spot::Time(at) => {
            let next = WallTime(at.0.saturating_add(1));
            let before = first_since(person, seat, at).await?;
            Ok(Bounds { before, after: first_since(person, seat, next).await?.saturating_sub(1) })
        }
    }
}

/// Whether a number in the log with this name is that of a line in the room.
async fn is_line_here(
    person: &Participant<'_>,
    seat: &Seat,
    log: &str,
    seq: u64,
) -> Result<bool, Refusal> {
    let last = match &person.settings.history {
        _ if *log == *person.settings.epoch => Some(seat.log().end().seq),
        Some(history) => history.end_of(log, seat.room_name()).await?,
        None => None,
    };
    Ok(last.is_some_and(|last| seq <= last))
}

/// The rooms of the person whose last lines were said between two times: at most this many, those
/// nearest to the first time.
pub(super) async fn recall_rooms(
    person: &Participant<'_>,
    [first, last]: [WallTime; 2],
    most: u64,
) -> Result<Vec<(RoomName, WallTime)>, Refusal> {
    let mut lines = Vec::new();
    for seat in &person.seats {
        let at = last_said(person, seat).await?;
        if let Some(at) = at.filter(|at| (first < *at && *at < last) || (last < *at && *at < first))
        {
            lines.push((seat.room_name().clone(), at));
        }
    }
    lines.sort_by_key(|(room, at): &(RoomName, WallTime)| (*at, room.clone()));
    if last < first {
        lines.reverse();
    }
    lines.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(lines)
}

/// When the last line of a room was said that still has words.
async fn last_said(person: &Participant<'_>, seat: &Seat) -> Result<Option<WallTime>, Refusal> {
    let (room, log) = (seat.room_name(), seat.log());
    if let Some(at) = log.last_said() {
        return Ok(Some(at));
    }
    let Some(history) = &person.settings.history else {
        return Ok(None);
    };
    let last = log.start().seq;
    let first = history.back(room, last, (1, Counting::Lines)).await?;
    let page = history.page(room, first, last).await?;
    Ok(page.lines.into_iter().find_map(Result::ok).map(|said| said.at))
}
