//! Taking lines out: those that are too old, or that their speaker wants gone. A row stays where each was, with its number
//! and its time, so that numbers are dense; what was in it is overwritten. Knows no connection, and no clock.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parlor_core::name::RoomName;
use parlor_core::time::WallTime;
use rusqlite::params;
use tokio::time::sleep;

use super::errands::{Errands, Undone};
use super::history::{History, Unreadable};
use super::scrub::{self, Wipes};
use super::search::Search;
use super::store::{GONE, Store, sum};

/// So many lines are taken out in one go, when no others wait to be kept.
const SLICE_LINES: u64 = 500;

/// So many that are empty already are passed over in one go.
const EMPTY_LINES: u64 = 10_000;

/// What is written ahead can be emptied when nobody reads: it is tried so often.
const TRUNCATE_TRIES: usize = 20;
const TRUNCATE_EVERY: Duration = Duration::from_secs(1);

/// Lines were not taken out, or not all of them. It is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("lines that were to be taken out are still there")]
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

impl Store {
    /// Empties the rows of a room from number `first` to `last`. How many were not empty.
    fn empty(&mut self, room: &RoomName, first: u64, last: u64) -> rusqlite::Result<usize> {
        let transaction = self.connection().transaction()?;
        let mut look = transaction.prepare_cached(
            "SELECT room, seq, at FROM lines WHERE room = (SELECT id FROM rooms WHERE name = ?1)
             AND seq BETWEEN ?2 AND ?3 AND manner != ?4",
        )?;
        let rows = look.query_map(
            params![room.as_str(), first as i64, last as i64, GONE],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        let lines: Vec<(i64, i64, i64)> = rows.collect::<Result<_, _>>()?;
        drop(look);
        let mut empty = transaction.prepare_cached(
            "UPDATE lines SET manner = ?3, name = '', text = '', sum = ?4 WHERE room = ?1 AND seq = ?2",
        )?;
        for (room, seq, at) in &lines {
            empty.execute(params![room, seq, GONE, sum(*seq, *at, GONE, "", "")])?;
        }
        drop(empty);
        transaction.commit()?;
        Ok(lines.len())
    }
}

/// Takes out what is too old, round by round.
#[derive(Debug)]
pub(crate) struct Retention {
    errands: Errands,
    history: History,
    search: Search,
    /// Up to which number each room has nothing to take out any more.
    done: HashMap<RoomName, u64>,
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
            wipes: Wipes::new(),
        }
    }

    /// Takes out all that was said before, in all rooms. How many lines that were.
    ///
    /// # Errors
    /// Not all of it could be.
    pub(crate) async fn round(&mut self, before: WallTime) -> Result<usize, StillThere> {
        let is_found_no_more = self.search.expire(before).await;
        let mut lines = 0;
        for (room, end) in self.history.ends().await? {
            let Ok(room) = RoomName::parse(&room) else {
                continue;
            };
            let kept = self.history.first_since(&room, before).await?;
            let last = kept.map_or(end.seq, |kept| kept - 1);
            lines += self.empty(room, last).await?;
        }
        if self.wipes.is_due() {
            self.wipe().await?;
        }
        if is_found_no_more {
            Ok(lines)
        } else {
            Err(StillThere)
        }
    }

    /// Empties the rows of a room up to number `last`. How many were not empty.
    async fn empty(&mut self, room: RoomName, last: u64) -> Result<usize, StillThere> {
        let mut lines = 0;
        let mut done = self.done.get(&room).copied().unwrap_or_default();
        while done < last {
            let until = last.min(done + EMPTY_LINES);
            let Some(first) = self.history.first_kept(&room, done + 1, until).await? else {
                done = until;
                continue;
            };
            let (room, until) = (room.clone(), last.min(first + SLICE_LINES - 1));
            let empty = move |store: &mut Store| store.empty(&room, first, until);
            lines += self.errands.run(empty).await?;
            self.wipes.need();
            done = until;
        }
        self.done.insert(room, done);
        Ok(lines)
    }

    /// Wipes what is left in the file of what was taken out.
    async fn wipe(&mut self) -> Result<(), StillThere> {
        let began = Instant::now();
        wipe(&self.errands).await?;
        self.wipes.done(began);
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
