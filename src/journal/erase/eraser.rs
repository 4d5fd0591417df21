//! Taking lines out: those that are too old, or that their speaker wants gone. A row stays where each was, with its number
//! and its time, so that numbers are dense; what was in it is overwritten. Knows no connection, and no clock.

use std::collections::HashMap;
use std::mem;
use std::time::{Duration, Instant};

use parlor_core::model::{RoomName, WallTime};
use tokio::time::sleep;

use super::takings::{Own, TakingId};
use crate::journal::search::Search;
use crate::journal::sqlite::{
    Errands, History, READ_ROWS_MAX, Store, Undone, Unreadable, Wipes, scrub,
};

/// So many lines are taken out in one go, when no others wait to be kept.
const SLICE_LINES: u64 = 500;

/// So many that are empty already are passed over in one go: no more are read for one question.
const EMPTY_LINES: u64 = READ_ROWS_MAX as u64;

/// What is written ahead can be emptied when nobody reads: it is tried so often.
const TRUNCATE_TRIES: usize = 20;
const TRUNCATE_EVERY: Duration = Duration::from_secs(1);

/// Lines were not taken out, or not all of them. It is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("lines to be deleted are still in the file")]
pub(crate) struct StillThere;

impl From<Undone> for StillThere {
    fn from(_: Undone) -> StillThere {
        StillThere
    }
}

impl From<Unreadable> for StillThere {
    fn from(_: Unreadable) -> StillThere {
        StillThere
    }
}

/// Takes lines out.
#[derive(Debug)]
pub(crate) struct Retention {
    errands: Errands,
    history: History,
    search: Search,
    /// Up to which number each room has nothing to take out any more.
    done: HashMap<RoomName, u64>,
    /// So many lines were too old since the last round that came to its end.
    lines: usize,
    wipes: Wipes,
}

impl Retention {
    /// For a journal of which nothing has been taken out yet.
    pub(crate) fn new(errands: Errands, history: History, search: Search) -> Retention {
        Retention {
            errands,
            history,
            search,
            done: HashMap::new(),
            lines: 0,
            wipes: Wipes::default(),
        }
    }

    /// Takes out all that was said before, in all rooms. How many lines that were, with those of rounds that failed.
    ///
    /// # Errors
    /// Not all of it could be.
    pub(crate) async fn round(&mut self, before: WallTime) -> Result<usize, StillThere> {
        let is_found_no_more = self.search.expire(before).await;
        for (room, end) in self.history.ends().await? {
            let Ok(room) = RoomName::parse(&room) else {
                continue;
            };
            let kept = self.history.first_since(&room, before).await?;
            let last = kept.map_or(end.seq, |kept| kept - 1);
            self.empty(room, last).await?;
        }
        self.tidy().await?;
        if is_found_no_more {
            Ok(mem::take(&mut self.lines))
        } else {
            Err(StillThere)
        }
    }

    /// Takes out what somebody takes back. How many lines that were. They are gone from the index before they are gone from
    /// the file: so where something comes between, it can be done again.
    ///
    /// # Errors
    /// Not all of it could be.
    pub(crate) async fn forget(&mut self, own: &Own) -> Result<usize, StillThere> {
        let mut lines = 0;
        for (room, &last) in &own.ends {
            let first = self.history.first_since(room, own.since).await?;
            let mut next = first.unwrap_or(u64::MAX);
            while next <= last {
                let until = last.min(next + SLICE_LINES - 1);
                lines += self.forget_slice(own, room, next, until).await?;
                next = until + 1;
            }
        }
        Ok(lines)
    }

    /// All that was taken back under this number is gone, and nobody need go on with it.
    ///
    /// # Errors
    /// The file does not take that.
    pub(crate) async fn is_gone(&self, id: TakingId) -> Result<(), StillThere> {
        let drop = move |store: &mut Store| store.drop_taking(id);
        Ok(self.errands.run(drop).await?)
    }

    async fn forget_slice(
        &mut self,
        own: &Own,
        room: &RoomName,
        first: u64,
        last: u64,
    ) -> Result<usize, StillThere> {
        let (is_meant, of) = (own.is_meant(), room.clone());
        let rows = move |store: &mut Store| store.rows(&of, first, last, is_meant);
        let rows = self.errands.run(rows).await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let seqs = rows.iter().map(|row| row.seq as u64).collect();
        if !self.search.forget(room.clone(), seqs).await {
            return Err(StillThere);
        }
        let lines = rows.len();
        self.errands.run(move |store| store.empty(&rows)).await?;
        Ok(lines)
    }

    /// Notes how late it is at least, for the server after this one, and dates back what was said later than it can be.
    ///
    /// # Errors
    /// The file does not take that.
    pub(crate) async fn note_clock(
        &mut self,
        now: WallTime,
        latest: WallTime,
    ) -> Result<(), StillThere> {
        let note = move |store: &mut Store| store.note_clock(now, latest);
        Ok(self.errands.run(note).await?)
    }

    /// Takes out the return codes that are good no longer.
    ///
    /// # Errors
    /// They are still there.
    pub(crate) async fn drop_old_codes(&mut self, now: WallTime) -> Result<(), StillThere> {
        let drop = move |store: &mut Store| store.drop_old_codes(now);
        Ok(self.errands.run(drop).await?)
    }

    /// Wipes what is left of lines, letters and codes that were taken out, if it is time to.
    ///
    /// # Errors
    /// Something is left.
    pub(crate) async fn tidy(&mut self) -> Result<(), StillThere> {
        self.search.tidy().await;
        let Some(remains) = self.errands.run(Store::remains).await? else {
            return Ok(());
        };
        self.wipes.need();
        if self.wipes.is_due() {
            let began = Instant::now();
            wipe(&self.errands).await?;
            let wiped = move |store: &mut Store| store.has_no_remains(&remains);
            self.errands.run(wiped).await?;
            self.wipes.done(began);
        }
        Ok(())
    }

    /// Empties the rows of a room up to number `last`.
    async fn empty(&mut self, room: RoomName, last: u64) -> Result<(), StillThere> {
        let mut done = self.done.get(&room).copied().unwrap_or_default();
        while done < last {
            let until = last.min(done + EMPTY_LINES);
            let Some(first) = self.history.first_kept(&room, done + 1, until).await? else {
                done = until;
                continue;
            };
            let (room, until) = (room.clone(), last.min(first + SLICE_LINES - 1));
            let empty = move |store: &mut Store| {
                let rows = store.rows(&room, first, until, |_| true)?;
                store.empty(&rows).map(|()| rows.len())
            };
            self.lines += self.errands.run(empty).await?;
            done = until;
        }
        self.done.insert(room, done);
        Ok(())
    }
}

/// Wipes what is left in the file of lines that have been emptied: between rows, and in what is written ahead.
async fn wipe(errands: &Errands) -> Result<(), StillThere> {
    let mut next = Some(1);
    while let Some(first) = next {
        next = errands
            .run(move |store| scrub::wipe(store.connection(), first))
            .await?;
    }
    for _ in 0..TRUNCATE_TRIES {
        if errands
            .run(|store| scrub::truncate(store.connection()))
            .await?
        {
            return Ok(());
        }
        sleep(TRUNCATE_EVERY).await;
    }
    Err(StillThere)
}
