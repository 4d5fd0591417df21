//! A house without tasks: a hundred people in the lobby, of whom four speak, driven step by step. Counts a step.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use jiff::tz::TimeZone;
use parlor_core::broadcaster::{Broadcaster, Gathered};
use parlor_core::link::{Backlog, Inbox, Item, Link, Outcome, Request, Seat};
use parlor_core::log::{Batch, Group, Rung};
use parlor_core::model::{
    Capacity, Limits, Line, Manner, Name, Now, RoomId, RoomName, Spoken, WallTime,
};
use parlor_wire::lines::LineEncoder;
use parlor_wire::style::{LineMode, LocalClock, Storage};

use super::callgrind::counted;

/// Enough that what is done for each member outweighs what is done once.
const PEOPLE: usize = 100;

/// The first so many of them speak.
const SPEAKERS: usize = 4;

/// What the room keeps: so little that each append soon lets go of a batch, as it does where people have talked for long.
const LOG_LINES: usize = 128;

/// What is counted of the way of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Requests are put into the inbox, drained, and gathered into a batch.
    Post,
    /// The batch is appended, the group is rung for the room, and those who spoke learn of it.
    Append,
    /// Members read all that is new and wait again; one has read before, and so made the bytes.
    Read,
}

/// An encoder as a client of netcat has it, where the time is always the same.
pub(super) fn encoder() -> LineEncoder {
    let clock = LocalClock {
        zone: TimeZone::UTC,
        now: WallTime::default,
    };
    LineEncoder::new(LineMode::Named, Storage::Memory, clock)
}

/// The house and those in it.
pub(super) struct House {
    broadcaster: Broadcaster,
    now: Now,
    /// That of all writing halves.
    group: Arc<Group>,
    members: Vec<Member>,
    /// Who speaks next, where one speaks at a time.
    turn: usize,
}

impl House {
    /// Everybody has come, and the room has as many lines as it keeps, `lines` of them in a batch.
    pub(super) fn open(lines: usize) -> anyhow::Result<House> {
        let limits = Limits {
            log: Capacity {
                lines: LOG_LINES,
                bytes: 4 << 20,
            },
            ..Limits::default()
        };
        let mut house = House {
            broadcaster: Broadcaster::new(Arc::new(Inbox::default()), limits),
            now: Now::default(),
            group: Arc::default(),
            members: Vec::new(),
            turn: 0,
        };
        for number in 0..PEOPLE {
            house.enter(number)?;
        }
        // The crowd that has come is told of, and over.
        house.now.monotonic += Duration::from_secs(60);
        for _ in 0..=LOG_LINES.div_ceil(lines) {
            house.round(lines, None);
        }
        Ok(house)
    }

    fn enter(&mut self, number: usize) -> anyhow::Result<()> {
        let inbox = self.broadcaster.inbox();
        let mut link = inbox.connect_in(|_| Arc::clone(&self.group));
        link.start(Request::Enter {
            name: Name::parse(&format!("guest{number}"))?.into(),
            room: RoomName::lobby(),
            replay: 0,
        });
        let gathered = self.gather().context("nobody has come")?;
        self.broadcaster.append(gathered, Ok(()), self.now);
        let Some(Outcome::Entered(seat, entered)) = link.outcome() else {
            bail!("guest{number} has no seat");
        };
        link.reply(seat.mark(), Item::Entered(entered));
        let backlog = Backlog::new(encoder(), Arc::clone(link.client()));
        self.members.push(Member {
            link,
            seat,
            backlog,
        });
        Ok(())
    }

    /// So many lines go all the way, and one step of it is counted. How many operations that was: lines posted,
    /// batches appended, or reads.
    pub(super) fn round(&mut self, lines: usize, step: Option<Step>) -> u64 {
        let posts = self.posts(lines);
        let gathered = counted_if(step == Some(Step::Post), || self.post(posts));
        let Some(gathered) = gathered else { return 0 };
        let posted = gathered.batches().iter().flat_map(|batch| batch.said());
        let posted = posted.count();
        let told = counted_if(step == Some(Step::Append), || self.append(gathered));
        self.group.take(&mut Rung::default()); // for whom it was rung, as the writers' task does
        let mut members = self.members.iter_mut();
        members.next().map(Member::read);
        let reads = members.map(|member| counted_if(step == Some(Step::Read), || member.read()));
        let reads = reads.filter(|&bytes| bytes > 0).count();
        let operations = match step {
            Some(Step::Post) => posted,
            Some(Step::Append) => told.min(1),
            Some(Step::Read) => reads,
            None => 0,
        };
        operations as u64
    }

    /// A batch of so many lines, that nobody has read.
    pub(super) fn batch(&mut self, lines: usize) -> Option<Arc<Batch>> {
        let posts = self.posts(lines);
        let gathered = self.post(posts)?;
        gathered.batches().first().map(Arc::clone)
    }

    /// What is said next: a single line by one speaker after the other, several by all of them together.
    fn posts(&mut self, lines: usize) -> Vec<(usize, Request)> {
        self.turn = (self.turn + 1) % SPEAKERS;
        let speakers = if lines < SPEAKERS {
            self.turn..self.turn + 1
        } else {
            0..SPEAKERS
        };
        let each = lines / speakers.len();
        let members = self.members.iter().enumerate();
        members
            .skip(speakers.start)
            .take(speakers.len())
            .map(|(speaker, member)| (speaker, post(member.seat.room(), each)))
            .collect()
    }

    fn post(&mut self, posts: Vec<(usize, Request)>) -> Option<Gathered> {
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

    /// How many learned that what they said is done.
    fn append(&mut self, gathered: Gathered) -> usize {
        self.broadcaster.append(gathered, Ok(()), self.now);
        let speakers = self.members.iter_mut().take(SPEAKERS);
        let outcomes = speakers.filter_map(|member| member.link.outcome());
        outcomes
            .filter(|outcome| matches!(outcome, Outcome::Done))
            .count()
    }
}

fn counted_if<T>(is_counted: bool, work: impl FnOnce() -> T) -> T {
    if is_counted { counted(work) } else { work() }
}

fn post(room: RoomId, lines: usize) -> Request {
    let spoken = |number: usize| Spoken {
        manner: Manner::Plain,
        text: Line::sanitise(&text(number)),
    };
    Request::Post {
        room,
        lines: (0..lines).map(spoken).collect(),
    }
}

/// What one says: 64 bytes, as in the other benchmarks.
pub(super) fn text(number: usize) -> Vec<u8> {
    format!("{number:-<64.64}").into_bytes()
}

/// Somebody in the room.
struct Member {
    link: Link,
    seat: Seat,
    backlog: Backlog<LineEncoder>,
}

impl Member {
    /// What the writing half does when it is polled, without the system call: writes all there is. How many
    /// bytes that was.
    fn read(&mut self) -> usize {
        let mut read = 0;
        loop {
            self.backlog.collect();
            if self.backlog.is_empty() {
                return read;
            }
            let bytes = self.backlog.runs().map(|run| black_box(run).len()).sum();
            self.backlog.advance(bytes);
            read += bytes;
        }
    }
}
