//! Deletes old lines, at the start and then every minute, and the lines of owners who ask for it.
//! Works in slices, when no lines wait to be stored. Knows no connection.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use parlor_core::link::{Change, CodeChange, Inbox, Link, Refusal};
use parlor_core::model::{Counting, RoomName, WallTime};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;
use tokio::{join, select};
use tokio_util::sync::CancellationToken;

use super::request::{Deletion, ForgetRequest, Forgetting, Intake};
use super::rows::{self, OwnLines};
use crate::clock::{self, LOOK_EVERY, Trust};
use crate::journal::sqlite::{
    Database, OpenError, ScrubSchedule, clear_leftovers, delete_messages, delete_messages_before,
    empty_log, leftovers, note_clock, scrub_slice,
};
use crate::journal::traits::{History, Removal, Search};

/// How many lines one slice deletes.
const SLICE_LINES: u64 = 500;

/// How many times, and after which pause, to try to empty the write-ahead log, which is possible
/// only while no connection reads.
const EMPTY_LOG_TRIES: usize = 20;
const EMPTY_LOG_EVERY: Duration = Duration::from_secs(1);

/// How often old lines are deleted. They are deleted late by at most this time.
const ROUND_EVERY: Duration = LOOK_EVERY;

/// How often the time is noted. If a server is killed, the time that the next one trusts in its
/// first hour may be late by this much, and old lines stay that much longer.
const NOTE_CLOCK_EVERY: Duration = Duration::from_mins(10);

/// Deletes lines of a journal.
pub(crate) struct Eraser {
    requests: mpsc::Receiver<ForgetRequest>,
    rounds: Rounds,
}

impl Eraser {
    /// An eraser for a file, with the unfinished deletions of the previous server; and a way to ask
    /// it for the deletion of an owner's lines.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn new(
        database: &Database,
        history: &Arc<dyn History>,
        search: &Arc<dyn Search>,
    ) -> Result<(Eraser, Forgetting), OpenError> {
        let (forgetting, requests) = Forgetting::new();
        let left = database.at_start(rows::deletions)?.into_iter();
        let left = left.map(|(id, own)| Deletion { id, own: Arc::new(own), done: None });
        let rounds = Rounds {
            database: database.clone(),
            history: Arc::clone(history),
            search: Arc::clone(search),
            deletions: left.collect(),
            emptied: HashMap::new(),
            lines: 0,
            schedule: ScrubSchedule::default(),
        };
        Ok((Eraser { requests, rounds }, forgetting))
    }

    /// Makes the deletions that the previous server has not finished.
    ///
    /// # Errors
    /// They are not all made.
    pub(crate) async fn finish(&mut self) -> anyhow::Result<()> {
        self.rounds.delete_for_owners().await
    }

    /// Deletes lines that are older than `retain`, and lines of owners who ask for it, until the
    /// server ends. The broadcaster of this inbox deletes lines and return codes in memory.
    pub(crate) async fn run(
        self,
        inbox: Arc<Inbox>,
        trust: Trust,
        retain: watch::Receiver<Option<Duration>>,
        closing: CancellationToken,
    ) {
        let Eraser { requests, rounds } = self;
        let (begun, next) = mpsc::channel(1);
        let intake = Intake {
            database: rounds.database.clone(),
            history: Arc::clone(&rounds.history),
            link: inbox.connect(),
            begun,
        };
        let rounds = rounds.run(inbox.connect(), next, trust, retain, &closing);
        join!(intake.run(requests, &closing), rounds);
    }
}

/// The eraser at work.
struct Rounds {
    database: Database,
    history: Arc<dyn History>,
    search: Arc<dyn Search>,
    /// Deletions that are not complete.
    deletions: Vec<Deletion>,
    /// The number up to which all old lines of each room are deleted.
    emptied: HashMap<RoomName, u64>,
    /// How many old lines were deleted since the last complete round.
    lines: usize,
    schedule: ScrubSchedule,
}

impl Rounds {
    async fn run(
        mut self,
        mut link: Link,
        mut next: mpsc::Receiver<Deletion>,
        mut trust: Trust,
        mut retain: watch::Receiver<Option<Duration>>,
        closing: &CancellationToken,
    ) {
        let mut was_told = false;
        let mut clock_noted: Option<Instant> = None;
        let mut latest = trust.latest();
        let rounds = async {
            loop {
                let (now, before) = (trust.look(), latest);
                latest = trust.latest();
                let is_noted = clock_noted.is_some_and(|noted| noted.elapsed() < NOTE_CLOCK_EVERY);
                if !is_noted || latest < before {
                    clock_noted = Some(Instant::now());
                    self.note_clock(now, latest).await;
                }
                let time = *retain.borrow_and_update();
                let codes = CodeChange::Expire(now.min(clock::wall_awake()));
                link.call(Change::Code(codes)).await; // a failure is in the log
                let outcome = self.round(now, time).await;
                tell(&outcome, was_told);
                was_told = outcome.is_err();
                select! {
                    () = sleep(ROUND_EVERY) => {}
                    Ok(()) = retain.changed() => {}
                    Some(deletion) = next.recv() => self.deletions.push(deletion),
                    () = self.database.deletion_noted() => {}
                }
            }
        };
        select! {
            () = closing.cancelled() => {}
            () = rounds => {}
        }
        let (now, latest) = (trust.look(), trust.latest());
        self.note_clock(now, latest).await; // the next server continues from there
    }

    /// Makes all deletions that are due now. Returns the number of deleted old lines.
    async fn round(&mut self, now: WallTime, retain: Option<Duration>) -> anyhow::Result<usize> {
        let owners = self.delete_for_owners().await;
        let old = match retain {
            Some(time) => self.delete_before(now.before(time)).await,
            None => self.scrub().await.map(|()| 0),
        };
        owners?;
        old
    }

    /// Deletes the lines of owners who have asked for it from the files. A deletion that fails
    /// stays for the next round.
    async fn delete_for_owners(&mut self) -> anyhow::Result<()> {
        self.take_from_other_nodes().await?;
        for mut deletion in mem::take(&mut self.deletions) {
            let deleted = self.delete_own(&deletion).await;
            if let Some(done) = deletion.done.take() {
                let answer = deleted.as_ref().copied().map_err(|_| Refusal::NotAllDeleted);
                done.send(answer).ok(); // perhaps the owner has stopped waiting
            }
            if deleted.is_err() {
                self.deletions.push(deletion);
            }
        }
        ensure!(self.deletions.is_empty(), "the lines of owners are not all deleted");
        Ok(())
    }

    /// Takes the deletions that other nodes have decided.
    async fn take_from_other_nodes(&mut self) -> anyhow::Result<()> {
        for (id, own) in self.database.read(rows::deletions).await? {
            let is_known = self.deletions.iter().any(|deletion| deletion.id == id);
            if id.is_of_another_node() && !is_known {
                self.deletions.push(Deletion { id, own: Arc::new(own), done: None });
            }
        }
        Ok(())
    }

    /// Deletes the lines of one owner. Returns their number.
    async fn delete_own(&mut self, deletion: &Deletion) -> anyhow::Result<usize> {
        let own = &deletion.own;
        self.database.write(delete_messages).await?; // they have these lines, too
        let mut lines = 0;
        for (room, &last) in &own.ends {
            let first = self.history.first_since(room, own.since).await?;
            let mut next = first.unwrap_or(u64::MAX);
            while next <= last {
                let until = last.min(next + SLICE_LINES - 1);
                lines += self.delete_slice(own, room, (next, until)).await?;
                next = until + 1;
            }
        }
        self.scrub().await.ok(); // if this fails, the next round does it
        let id = deletion.id;
        self.database.write(move |file| rows::drop_deletion(file, id)).await?;
        Ok(lines)
    }

    /// Deletes an owner's lines between two numbers, first from the index. So a crash in between
    /// leaves the lines in the file, and the next server deletes them.
    async fn delete_slice(
        &mut self,
        own: &OwnLines,
        room: &RoomName,
        range: (u64, u64),
    ) -> anyhow::Result<usize> {
        let (is_own, of) = (own.is_own(), room.clone());
        let rows = self.database.write(move |file| rows::full_rows(file, &of, range, is_own));
        let rows = rows.await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let seqs = rows.iter().map(|row| row.seq as u64).collect();
        let lines = Removal::Lines(room.clone(), seqs);
        ensure!(self.search.remove(lines).await, "the search index still has the lines");
        let lines = rows.len();
        self.database.write(move |file| rows::empty(file, &rows)).await?;
        Ok(lines)
    }

    /// Deletes all lines that were said before this time. Returns their number, including those of
    /// incomplete rounds.
    async fn delete_before(&mut self, before: WallTime) -> anyhow::Result<usize> {
        let is_found_no_more = self.search.remove(Removal::Before(before)).await;
        while self.database.write(move |file| delete_messages_before(file, before)).await? {}
        for (room, end) in self.history.ends().await? {
            let Ok(room) = RoomName::parse(&room) else {
                continue;
            };
            let stays = self.history.first_since(&room, before).await?;
            let last = stays.map_or(end.seq, |stays| stays - 1);
            self.empty(room, last).await?;
        }
        self.scrub().await?;
        ensure!(is_found_no_more, "the search index still has old lines");
        Ok(mem::take(&mut self.lines))
    }

    /// Empties the rows of a room up to number `last`.
    async fn empty(&mut self, room: RoomName, last: u64) -> anyhow::Result<()> {
        let mut done = self.emptied.get(&room).copied().unwrap_or_default();
        while done < last {
            let next = self.history.ahead(&room, done, last, (1, Counting::Lines)).await?;
            if next.count == 0 {
                done = last;
                continue;
            }
            let (of, until) = (room.clone(), last.min(next.last + SLICE_LINES - 1));
            let emptied = self.database.write(move |file| {
                let rows = rows::full_rows(file, &of, (next.last, until), |_| true)?;
                rows::empty(file, &rows).map(|()| rows.len())
            });
            self.lines += emptied.await?;
            done = until;
        }
        self.emptied.insert(room, done);
        Ok(())
    }

    /// Overwrites the leftovers of deleted lines, messages and codes in the files, when it is due.
    async fn scrub(&mut self) -> anyhow::Result<()> {
        self.search.remove(Removal::Leftovers).await; // if not now, the next round does it
        let Some(leftovers) = self.database.write(leftovers).await? else {
            return Ok(());
        };
        self.schedule.need();
        if self.schedule.is_due() {
            let began = Instant::now();
            self.scrub_file().await?;
            self.database.write(move |file| clear_leftovers(file, &leftovers)).await?;
            self.schedule.done(began);
        }
        Ok(())
    }

    /// Overwrites leftovers between rows and in the write-ahead log.
    async fn scrub_file(&self) -> anyhow::Result<()> {
        let mut next = Some(1);
        while let Some(first) = next {
            next = self.database.write(move |file| scrub_slice(file, first)).await?;
        }
        for _ in 0..EMPTY_LOG_TRIES {
            if self.database.write(|file| empty_log(file)).await? {
                return Ok(());
            }
            sleep(EMPTY_LOG_EVERY).await;
        }
        bail!("the write-ahead log is in use")
    }

    /// Notes the earliest possible present time, for the next server, and dates back lines with a
    /// time later than possible. If the file does not accept that, the log says why.
    async fn note_clock(&self, now: WallTime, latest: WallTime) {
        self.database.write(move |file| note_clock(file, now, latest)).await.ok();
    }
}

fn tell(outcome: &anyhow::Result<usize>, was_told: bool) {
    match outcome {
        Ok(0) => {}
        Ok(lines) => tracing::info!(lines, "old lines are deleted"),
        Err(_) if was_told => {}
        Err(error) => tracing::warn!(
            %error,
            "lines to be deleted are still in the file; the server tries again every minute"
        ),
    }
}
