//! The task that deletes: lines that are too old, from the start on and every minute, and lines
//! whose owner wants them gone. It works in slices when no lines wait to be stored, and hears owners
//! between and during slices.

use std::collections::HashMap;
use std::mem;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parlor_core::link::{Answer, Change, Link, Outcome, Refusal};
use parlor_core::model::{RoomName, WallTime};
use tokio::select;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::request::{ForgetRequest, Forgetting, Owner};
use super::rows::{self, DeletionId, OwnLines};
use crate::clock;
use crate::clock::{LOOK_EVERY, Trust};
use crate::journal::sqlite::{
    Database, DatabaseFailed, OpenError, READ_ROWS_MAX, ScrubSchedule, Store, empty_log, scrub,
};
use crate::journal::traits::{History, Search, Unreadable};

/// How many lines one slice deletes.
const SLICE_LINES: u64 = 500;

/// How many deleted lines one slice passes over: as many as one question reads.
const EMPTY_LINES: u64 = READ_ROWS_MAX as u64;

/// The write-ahead log can be emptied when no connection reads: how often, and after what pause, to
/// try.
const EMPTY_LOG_TRIES: usize = 20;
const EMPTY_LOG_EVERY: Duration = Duration::from_secs(1);

/// Old lines are deleted at most this much later than they may be.
const ROUND_EVERY: Duration = LOOK_EVERY;

/// How often the time is noted. After a server was killed, the next one deletes that much less in
/// its first hour.
const NOTE_CLOCK_EVERY: Duration = Duration::from_mins(10);

/// Lines are not deleted yet, or not all of them. The next round tries again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("lines to be deleted are still in the file")]
struct StillThere;

impl From<DatabaseFailed> for StillThere {
    fn from(_: DatabaseFailed) -> StillThere {
        StillThere
    }
}

impl From<Unreadable> for StillThere {
    fn from(_: Unreadable) -> StillThere {
        StillThere
    }
}

/// A deletion that an owner has asked for. It is noted in the file, and its lines are in no log in
/// memory any more.
struct Deletion {
    id: DeletionId,
    own: Arc<OwnLines>,
    /// It was asked for in this run of the server.
    is_new: bool,
    /// Where the answer goes; taken after the first try.
    done: Option<oneshot::Sender<Result<usize, Refusal>>>,
}

/// What the task works with.
pub(crate) struct Eraser {
    database: Database,
    history: Arc<dyn History>,
    search: Arc<dyn Search>,
    requests: mpsc::Receiver<ForgetRequest>,
    /// Deletions that are not complete.
    deletions: Vec<Deletion>,
}

impl Eraser {
    /// An eraser for a file, with the deletions that a server before this one has not completed; and
    /// a way to ask it for more.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn new(
        database: Database,
        history: Arc<dyn History>,
        search: Arc<dyn Search>,
    ) -> Result<(Eraser, Forgetting), OpenError> {
        let (forgetting, requests) = Forgetting::new();
        let left = database.at_start(rows::deletions)?.into_iter();
        let left = left.map(|(id, own)| Deletion {
            id,
            own: Arc::new(own),
            is_new: false,
            done: None,
        });
        let eraser = Eraser {
            deletions: left.collect(),
            database,
            history,
            search,
            requests,
        };
        Ok((eraser, forgetting))
    }

    /// Deletes lines that are older than `retain` says, and what owners ask for, until the server
    /// ends. `link` deletes lines in memory.
    pub(crate) async fn run(
        self,
        link: Link,
        trust: Trust,
        retain: watch::Receiver<Option<Duration>>,
        closing: CancellationToken,
    ) {
        let rounds = Rounds {
            parts: self,
            link,
            closing,
            emptied: HashMap::new(),
            lines: 0,
            schedule: ScrubSchedule::default(),
        };
        rounds.run(trust, retain).await;
    }
}

/// The eraser at work.
struct Rounds {
    parts: Eraser,
    link: Link,
    closing: CancellationToken,
    /// Up to which number each room has no old lines any more.
    emptied: HashMap<RoomName, u64>,
    /// How many old lines were deleted since the last round that was complete.
    lines: usize,
    schedule: ScrubSchedule,
}

impl Rounds {
    async fn run(mut self, mut trust: Trust, mut retain: watch::Receiver<Option<Duration>>) {
        let mut was_told = false;
        let mut clock_noted: Option<Instant> = None;
        let mut latest = trust.latest();
        while !self.closing.is_cancelled() {
            let (now, before) = (trust.look(), latest);
            latest = trust.latest();
            let is_noted = clock_noted.is_some_and(|noted| noted.elapsed() < NOTE_CLOCK_EVERY);
            if !is_noted || latest < before {
                clock_noted = Some(Instant::now());
                self.note_clock(now, latest).await;
            }
            let time = *retain.borrow_and_update();
            let outcome = self.round(now, time).await;
            if !self.closing.is_cancelled() {
                tell(outcome, was_told);
            }
            was_told = outcome.is_err();
            self.rest(&mut retain).await;
        }
        let (now, latest) = (trust.look(), trust.latest());
        self.note_clock(now, latest).await; // the next server continues from there
    }

    /// Deletes everything that is to be deleted now. How many old lines that were.
    async fn round(
        &mut self,
        now: WallTime,
        retain: Option<Duration>,
    ) -> Result<usize, StillThere> {
        let owners = self.delete_for_owners().await;
        let codes_until = now.min(clock::wall_awake());
        let drop = move |store: &mut Store| rows::drop_expired_codes(store, codes_until);
        let codes = self.write(drop).await;
        let old = match retain {
            Some(time) => self.delete_before(now.before(time)).await,
            None => self.scrub().await.map(|()| 0),
        };
        owners.and(codes).and(old)
    }

    /// Waits for the next round: a minute, or until there is something to do.
    async fn rest(&mut self, retain: &mut watch::Receiver<Option<Duration>>) {
        let mut is_over = pin!(sleep(ROUND_EVERY));
        while self
            .parts
            .deletions
            .iter()
            .all(|deletion| deletion.done.is_none())
        {
            select! {
                () = self.closing.cancelled() => return,
                () = &mut is_over => return,
                Ok(()) = retain.changed() => return,
                Some(request) = self.parts.requests.recv() => self.begin(request).await,
            }
        }
    }

    /// Waits for something, and meanwhile begins what owners ask for.
    async fn meanwhile<T, E: Into<StillThere>>(
        &mut self,
        what: impl Future<Output = Result<T, E>>,
    ) -> Result<T, StillThere> {
        let mut what = pin!(what);
        loop {
            select! {
                biased;
                () = self.closing.cancelled() => return Err(StillThere),
                done = &mut what => return done.map_err(Into::into),
                Some(request) = self.parts.requests.recv() => self.begin(request).await,
            }
        }
    }

    async fn write<T: Send + 'static>(
        &mut self,
        change: impl FnOnce(&mut Store) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StillThere> {
        let database = self.parts.database.clone();
        self.meanwhile(database.write(change)).await
    }

    /// Begins a deletion, unless one of the same owner is not complete.
    async fn begin(&mut self, ForgetRequest { owner, done }: ForgetRequest) {
        let key = owner.name.keys()[0];
        let is_same = |deletion: &Deletion| deletion.is_new && deletion.own.name.keys()[0] == key;
        if self.parts.deletions.iter().any(is_same) {
            done.send(Err(Refusal::TakingBack)).ok();
            return;
        }
        match self.hide(owner).await {
            Ok((id, own)) => self.parts.deletions.push(Deletion {
                id,
                own: Arc::new(own),
                is_new: true,
                done: Some(done),
            }),
            Err(refusal) => {
                done.send(Err(refusal)).ok(); // perhaps nobody waits any more
            }
        }
    }

    /// Notes which lines are to be deleted, and deletes them from the logs that people read.
    async fn hide(
        &mut self,
        Owner { id, name, since }: Owner,
    ) -> Result<(DeletionId, OwnLines), Refusal> {
        let stored = self.parts.history.ends().await;
        let stored = stored.map_err(|Unreadable| Refusal::Unreadable)?;
        let ends = stored.into_iter().filter(|(_, end)| end.at >= since);
        let ends = ends.filter_map(|(room, end)| Some((RoomName::parse(&room).ok()?, end.seq)));
        let own = OwnLines {
            name,
            since,
            ends: ends.collect(),
        };
        let noted = own.clone();
        let note = move |store: &mut Store| rows::note_deletion(store, &noted);
        let deletion = self.parts.database.write(note).await?;
        let refusal = match self.link.call(Change::TakeBack { whose: id, since }).await {
            Outcome::TookBack(ends) => {
                // There are more lines in memory than when the deletion was noted.
                let ends = ends.into_iter().collect();
                return Ok((deletion, OwnLines { ends, ..own }));
            }
            Outcome::Answer(Answer::Refused(refusal)) => refusal,
            _ => Refusal::NotOwner,
        };
        let drop = move |store: &mut Store| rows::drop_deletion(store, deletion);
        self.parts.database.write(drop).await?;
        Err(refusal)
    }

    /// Deletes from the files what owners have asked for. A deletion that fails stays for the next
    /// round.
    async fn delete_for_owners(&mut self) -> Result<(), StillThere> {
        let of = |deletion: &Deletion| (deletion.id, Arc::clone(&deletion.own));
        let deletions: Vec<_> = self.parts.deletions.iter().map(of).collect();
        let mut outcome = Ok(());
        for (id, own) in deletions {
            let deleted = self.delete_own(id, &own).await;
            let mut all = self.parts.deletions.iter_mut();
            let done = all.find(|deletion| deletion.id == id);
            if let Some(done) = done.and_then(|deletion| deletion.done.take()) {
                let answer = deleted.map_err(|StillThere| Refusal::NotAllTakenBack);
                done.send(answer).ok(); // perhaps nobody waits any more
            }
            match deleted {
                Ok(_) => self.parts.deletions.retain(|deletion| deletion.id != id),
                Err(still_there) => outcome = Err(still_there),
            }
        }
        outcome
    }

    /// Deletes the lines of one owner. How many they were.
    async fn delete_own(&mut self, id: DeletionId, own: &OwnLines) -> Result<usize, StillThere> {
        let history = Arc::clone(&self.parts.history);
        let mut lines = 0;
        for (room, &last) in &own.ends {
            let first = history.first_since(room, own.since);
            let first = self.meanwhile(first).await?;
            let mut next = first.unwrap_or(u64::MAX);
            while next <= last {
                let until = last.min(next + SLICE_LINES - 1);
                lines += self.delete_slice(own, room, (next, until)).await?;
                next = until + 1;
            }
        }
        self.scrub().await.ok(); // if not now, the next round does it
        let drop = move |store: &mut Store| rows::drop_deletion(store, id);
        self.write(drop).await?;
        Ok(lines)
    }

    /// Deletes an owner's lines between two numbers: from the index first, so that a crash in between
    /// leaves lines in the file, which are deleted again.
    async fn delete_slice(
        &mut self,
        own: &OwnLines,
        room: &RoomName,
        range: (u64, u64),
    ) -> Result<usize, StillThere> {
        let (is_own, of) = (own.is_own(), room.clone());
        let find = move |store: &mut Store| rows::full_rows(store, &of, range, is_own);
        let rows = self.write(find).await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let seqs = rows.iter().map(|row| row.seq as u64).collect();
        let search = Arc::clone(&self.parts.search);
        let removed = removed(search.remove(room.clone(), seqs));
        self.meanwhile(removed).await?;
        let lines = rows.len();
        self.write(move |store| rows::empty(store, &rows)).await?;
        Ok(lines)
    }

    /// Deletes everything that was said before this time. How many lines that were, with those of
    /// rounds that were not complete.
    async fn delete_before(&mut self, before: WallTime) -> Result<usize, StillThere> {
        let (history, search) = (
            Arc::clone(&self.parts.history),
            Arc::clone(&self.parts.search),
        );
        let from_index = self.meanwhile(removed(search.remove_before(before))).await;
        for (room, end) in self.meanwhile(history.ends()).await? {
            let Ok(room) = RoomName::parse(&room) else {
                continue;
            };
            let stays = history.first_since(&room, before);
            let stays = self.meanwhile(stays).await?;
            let last = stays.map_or(end.seq, |stays| stays - 1);
            self.empty(room, last).await?;
        }
        self.scrub().await?;
        from_index.map(|()| mem::take(&mut self.lines))
    }

    /// Empties the rows of a room up to number `last`.
    async fn empty(&mut self, room: RoomName, last: u64) -> Result<(), StillThere> {
        let mut done = self.emptied.get(&room).copied().unwrap_or_default();
        while done < last {
            let until = last.min(done + EMPTY_LINES);
            let (database, of) = (self.parts.database.clone(), room.clone());
            let first = database.read(move |store| store.first_stored(&of, done + 1, until));
            let Some(first) = self.meanwhile(first).await? else {
                done = until;
                continue;
            };
            let (of, until) = (room.clone(), last.min(first + SLICE_LINES - 1));
            let empty = move |store: &mut Store| {
                let rows = rows::full_rows(store, &of, (first, until), |_| true)?;
                rows::empty(store, &rows).map(|()| rows.len())
            };
            self.lines += self.write(empty).await?;
            done = until;
        }
        self.emptied.insert(room, done);
        Ok(())
    }

    /// Overwrites what deleted lines, messages and codes have left in the files, if it is time to.
    async fn scrub(&mut self) -> Result<(), StillThere> {
        let search = Arc::clone(&self.parts.search);
        let scrubbed = async {
            search.scrub().await;
            Ok::<_, StillThere>(())
        };
        self.meanwhile(scrubbed).await?;
        let Some(leftovers) = self.write(rows::leftovers).await? else {
            return Ok(());
        };
        self.schedule.need();
        if self.schedule.is_due() {
            let began = Instant::now();
            self.scrub_file().await?;
            let clear = move |store: &mut Store| rows::clear_leftovers(store, &leftovers);
            self.write(clear).await?;
            self.schedule.done(began);
        }
        Ok(())
    }

    /// Overwrites what is left between rows and in the write-ahead log.
    async fn scrub_file(&mut self) -> Result<(), StillThere> {
        let mut next = Some(1);
        while let Some(first) = next {
            let slice = move |store: &mut Store| scrub(store.connection(), first);
            next = self.write(slice).await?;
        }
        for _ in 0..EMPTY_LOG_TRIES {
            if self.write(|store| empty_log(store.connection())).await? {
                return Ok(());
            }
            let pause = async {
                sleep(EMPTY_LOG_EVERY).await;
                Ok::<_, StillThere>(())
            };
            self.meanwhile(pause).await?;
        }
        Err(StillThere)
    }

    /// Notes how late it is at least, for the next server, and dates back what is from later than it
    /// can be. If the file does not take that, the log says why.
    async fn note_clock(&self, now: WallTime, latest: WallTime) {
        let note = move |store: &mut Store| store.note_clock(now, latest);
        self.parts.database.write(note).await.ok();
    }
}

/// Whether a search has removed lines, as a result.
async fn removed(removal: impl Future<Output = bool>) -> Result<(), StillThere> {
    match removal.await {
        true => Ok(()),
        false => Err(StillThere),
    }
}

fn tell(outcome: Result<usize, StillThere>, was_told: bool) {
    match outcome {
        Ok(0) => {}
        Ok(lines) => tracing::info!(lines, "old lines are deleted"),
        Err(StillThere) if was_told => {}
        Err(StillThere) => tracing::warn!("{StillThere}; the server tries again every minute"),
    }
}
