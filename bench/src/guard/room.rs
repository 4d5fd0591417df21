//! A server without tasks: a hundred members in the lobby, of whom four speak, driven step by step.
//! One step is counted.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use jiff::tz::TimeZone;
use parlor_core::broadcaster::{Broadcaster, Gathered};
use parlor_core::link::{Backlog, Change, Inbox, Link, Mail, Outcome, Presence, Seat};
use parlor_core::log::{Batch, Group, Rung};
use parlor_core::model::{
    Capacity, Limits, Line, Manner, Name, Now, RoomId, RoomName, Spoken, WallTime,
};
use parlor_wire::lines::LineEncoder;
use parlor_wire::style::{LineMode, LocalClock, Storage};

use super::callgrind::counted;

/// Enough people that the work for each member outweighs the constant work.
const PEOPLE: usize = 100;

/// The number of people who speak: the first ones.
const SPEAKERS: usize = 4;

/// The capacity of the room's log: so low that each append soon drops a batch, as in a room with a
/// long history.
const LOG_LINES: usize = 128;

/// The part of a message's way that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leg {
    /// Requests enter the inbox, are drained, and are gathered into a batch.
    Post,
    /// The batch is appended, the group's bell rings for the room, and the speakers get their
    /// outcomes.
    Append,
    /// Members read everything that is new, and wait again. Another member has read it before, so
    /// the bytes are encoded already.
    Read,
}

/// The encoder of a client with netcat, with a clock that does not move.
pub(crate) fn encoder() -> LineEncoder {
    let clock = LocalClock { zone: TimeZone::UTC, now: WallTime::default };
    LineEncoder::new(LineMode::Named, Storage::Memory, clock)
}

/// The server and its members.
pub(super) struct CountedRoom {
    broadcaster: Broadcaster,
    now: Now,
    /// The group of all writing halves.
    group: Arc<Group>,
    members: Vec<CountedMember>,
    /// The next speaker, if one speaks at a time.
    turn: usize,
}

impl CountedRoom {
    /// A room that everybody has entered, and whose log is full, with `lines` lines in a batch.
    pub(super) fn open(lines: usize) -> anyhow::Result<CountedRoom> {
        let limits =
            Limits { log: Capacity { lines: LOG_LINES, bytes: 4 << 20 }, ..Limits::default() };
        let mut room = CountedRoom {
            broadcaster: Broadcaster::new(Arc::new(Inbox::default()), limits),
            now: Now::default(),
            group: Arc::default(),
            members: Vec::new(),
            turn: 0,
        };
        for number in 0..PEOPLE {
            room.enter(number)?;
        }
        // After this time the crowd is announced.
        room.now.monotonic += Duration::from_secs(60);
        for _ in 0..=LOG_LINES.div_ceil(lines) {
            room.round(lines, None);
        }
        Ok(room)
    }

    fn enter(&mut self, number: usize) -> anyhow::Result<()> {
        let inbox = self.broadcaster.inbox();
        let mut link = inbox.connect_in(|_| Arc::clone(&self.group));
        link.start(Change::Enter {
            name: Name::parse(&format!("guest{number}"))?.into(),
            profile: None,
            room: RoomName::lobby(),
            replay: 0,
        });
        let gathered = self.gather().context("nobody has entered")?;
        self.broadcaster.append(gathered, Ok(()), self.now);
        let Some(Outcome::Came(presence, Some((seat, entered)))) = link.outcome() else {
            bail!("guest{number} has no seat");
        };
        link.reply(seat.mark(), Mail::Entered(entered));
        let backlog = Backlog::new(encoder(), Arc::clone(link.client()));
        self.members.push(CountedMember { link, _presence: presence, seat, backlog });
        Ok(())
    }

    /// Sends `lines` lines all the way, and counts one leg of the way. Returns the number of
    /// operations: of lines posted, batches appended, or reads.
    pub(super) fn round(&mut self, lines: usize, leg: Option<Leg>) -> u64 {
        let posts = self.posts(lines);
        let gathered = counted_if(leg == Some(Leg::Post), || self.post_counted(posts));
        let Some(gathered) = gathered else { return 0 };
        let posted = gathered.batches().iter().flat_map(|batch| batch.said());
        let posted = posted.count();
        let told = counted_if(leg == Some(Leg::Append), || self.append(gathered));
        self.group.take(&mut Rung::default()); // like the task of the writers when its bell rings
        let mut members = self.members.iter_mut();
        members.next().map(CountedMember::read);
        let reads = members.map(|member| counted_if(leg == Some(Leg::Read), || member.read()));
        let reads = reads.filter(|&bytes| bytes > 0).count();
        let operations = match leg {
            Some(Leg::Post) => posted,
            Some(Leg::Append) => told.min(1),
            Some(Leg::Read) => reads,
            None => 0,
        };
        operations as u64
    }

    /// A batch of `lines` lines that no member has read.
    pub(super) fn batch(&mut self, lines: usize) -> Option<Arc<Batch>> {
        let posts = self.posts(lines);
        let gathered = self.post_counted(posts)?;
        gathered.batches().first().map(Arc::clone)
    }

    /// The next requests: a single line comes from one speaker after the other, several lines from
    /// all of them.
    fn posts(&mut self, lines: usize) -> Vec<(usize, Change)> {
        self.turn = (self.turn + 1) % SPEAKERS;
        let speakers = if lines < SPEAKERS { self.turn..self.turn + 1 } else { 0..SPEAKERS };
        let each = lines / speakers.len();
        let members = self.members.iter().enumerate();
        members
            .skip(speakers.start)
            .take(speakers.len())
            .map(|(speaker, member)| (speaker, post_change(member.seat.room(), each)))
            .collect()
    }

    fn post_counted(&mut self, posts: Vec<(usize, Change)>) -> Option<Gathered> {
        for (speaker, request) in posts {
            self.members.get_mut(speaker)?.link.start(request);
        }
        self.gather()
    }

    fn gather(&mut self) -> Option<Gathered> {
        self.broadcaster.tick(self.now);
        self.broadcaster.drain(self.now);
        self.broadcaster.gather(self.now)
    }

    /// The number of speakers that learned that their lines are done.
    fn append(&mut self, gathered: Gathered) -> usize {
        self.broadcaster.append(gathered, Ok(()), self.now);
        let speakers = self.members.iter_mut().take(SPEAKERS);
        let outcomes = speakers.filter_map(|member| member.link.outcome());
        outcomes.filter(|outcome| matches!(outcome, Outcome::Done)).count()
    }
}

fn counted_if<T>(is_counted: bool, work: impl FnOnce() -> T) -> T {
    if is_counted { counted(work) } else { work() }
}

fn post_change(room: RoomId, lines: usize) -> Change {
    let spoken = |number: usize| Spoken::new(Manner::Plain, Line::sanitise(&text(number)));
    Change::Say { room, lines: (0..lines).map(spoken).collect() }
}

/// The text of a line: 64 bytes, as in the other measurements.
pub(super) fn text(number: usize) -> Vec<u8> {
    format!("{number:-<64.64}").into_bytes()
}

/// A member of the room.
struct CountedMember {
    link: Link,
    _presence: Presence,
    seat: Seat,
    backlog: Backlog<LineEncoder>,
}

impl CountedMember {
    /// Writes everything available, as the writing half does when its group polls it, but without
    /// the system call. Returns the number of bytes.
    fn read(&mut self) -> usize {
        black_box(self.backlog.prefetch());
        let mut read = 0;
        loop {
            self.backlog.collect();
            if self.backlog.is_empty() {
                black_box(self.backlog.rooms_changes());
                return read;
            }
            let bytes = self.backlog.runs().map(|run| black_box(run).len()).sum();
            self.backlog.advance(bytes);
            read += bytes;
        }
    }
}
