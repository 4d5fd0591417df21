//! The first lines that a client reads in a room: some of the last lines, or all missed ones. Knows
//! no connection.

use std::collections::VecDeque;

use parlor_core::link::{Entered, Replay, Resumed, Start, View};
use parlor_core::model::{Damage, Missed, Said};

use super::settings::SessionSettings;
use crate::journal::{History, Unreadable};

/// The largest number of first lines; they stay in memory until they are written.
pub(crate) const LINES_MAX: u64 = 1_000;

/// The largest number of their bytes, as they are shown.
const BYTES_MAX: u64 = 64 * 1024;

/// The number of last lines that a start requests.
pub(crate) fn lines_asked_for(start: &Start, settings: &SessionSettings) -> u64 {
    match start {
        Start::Last(lines) => (*lines).min(LINES_MAX),
        Start::Usual => settings.live.replay(),
        Start::After { .. } => 0, // the number is known when there is a seat
    }
}

/// Puts the first lines in front of a room.
pub(crate) async fn complete(entered: &mut Entered, start: &Start, settings: &SessionSettings) {
    (entered.replay, entered.resumed) = replay(&entered.view, start, settings).await;
}

/// The first lines for a view.
pub(crate) async fn replay(
    view: &View,
    start: &Start,
    settings: &SessionSettings,
) -> (Replay, Resumed) {
    let history = settings.history.as_deref();
    match start {
        Start::After { log, seq } if is_of_this_log(log, *seq, view, settings).await => {
            (all_after(*seq, view, history).await, Resumed::Exactly)
        }
        Start::After { .. } => {
            let lines = settings.live.replay();
            (last(lines, view, history).await, Resumed::AnotherLog)
        }
        Start::Last(_) | Start::Usual => {
            let lines = lines_asked_for(start, settings);
            (last(lines, view, history).await, Resumed::No)
        }
    }
}

/// Whether a line number in the log with that name is also one in this log, so that the following
/// lines are known.
async fn is_of_this_log(log: &str, seq: u64, view: &View, settings: &SessionSettings) -> bool {
    if seq > view.arrived.seq {
        return false;
    }
    let end = match &settings.history {
        _ if *log == *settings.epoch => return true,
        Some(history) => history.end_of(log, view.room_name()).await,
        None => return false,
    };
    // If the file cannot be read, the answer is no.
    matches!(end, Ok(Some(end)) if seq <= end)
}

async fn last(lines: u64, view: &View, history: Option<&dyn History>) -> Replay {
    let mut replay = Replay::last(view.room_name(), view.log(), lines, view.arrived);
    if let Some(history) = history {
        history.complete(&mut replay, view.room_name(), lines).await;
    }
    replay
}

/// The lines after number `seq`, and a count of those that are deleted or too many.
async fn all_after(seq: u64, view: &View, history: Option<&dyn History>) -> Replay {
    let (room, log, arrived) = (view.room_name(), view.log(), view.arrived);
    let wanted = arrived.seq - seq;
    let from = log.behind(arrived.seq - wanted.min(LINES_MAX));
    let mut replay = Replay::between(room, log, from, arrived);
    let mut before = replay.from.seq;
    if let Some(history) = history
        && let Ok((first, older)) = older(seq, &replay, history).await
    {
        replay.older = older;
        before = first - 1;
    }
    if before > seq {
        replay.passed_over = Some(Missed::between(room, seq, before));
    }
    replay
}

/// The lines after number `seq` and before a replay, and the number of the first of them.
async fn older(
    seq: u64,
    replay: &Replay,
    history: &dyn History,
) -> Result<(u64, Older), Unreadable> {
    let last = replay.from.seq;
    let most = replay.to.seq.saturating_sub(LINES_MAX);
    let fits = history.before(&replay.room, last, BYTES_MAX).await?;
    let first = seq.max(most).max(fits).min(last) + 1;
    let (mut next, mut older) = (first, Older::new());
    while next <= last {
        let page = history.page(&replay.room, next, last).await?;
        next = page.next;
        older.extend(page.lines);
    }
    Ok((first, older))
}

/// The lines of [`Replay::older`].
type Older = VecDeque<Result<Said, Damage>>;
