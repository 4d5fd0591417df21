//! The writers: all writing halves, in one group for each core. A group is one task, which polls
//! its writers in turn. Knows no socket and no dialect.
//!
//! With one task for each writer, the runtime would wake, queue and find each task for every line.

use std::collections::{HashMap, VecDeque};
use std::hint::black_box;
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker, ready};
use std::thread;

use indexmap::IndexSet;
use parlor_core::link::{Client, Encoder, Inbox, Link, Rooms};
use parlor_core::log::{Group, Rung};
use parlor_core::model::{PersonId, RoomId};
use slab::Slab;
use tokio::sync::oneshot;
use tokio::task::{JoinSet, unconstrained, yield_now};

use super::io::Output;
use super::write::{WriteLines, Writer};

/// The number of polls after which other tasks run: half a millisecond.
const POLLS_MAX: usize = 64;

/// The number of writers whose memory is fetched before the first of them is polled: as many as a
/// core can wait for at once, and few enough that the memory is still in the cache at their turn.
const PREFETCHED: usize = 16;

/// All writing halves of the server.
pub(crate) struct Writers {
    groups: Vec<Arc<WriterGroup>>,
}

/// One group, shared by its task and others.
#[derive(Default)]
struct WriterGroup {
    /// The rings for its writers.
    rings: Arc<Group>,
    /// Writers that have not been polled yet.
    new_writers: Mutex<Vec<Slot>>,
}

/// One writer, and the channel that reports its end.
struct Slot {
    writer: Box<dyn WriteLines>,
    person: PersonId,
    /// The waker for its socket and its timer.
    waker: Waker,
    /// The rooms under which it is listed, and the value of
    /// [`rooms_changes`](WriteLines::rooms_changes) then; none before the first poll.
    rooms: Rooms,
    listed_at: Option<u64>,
    ended: oneshot::Sender<thread::Result<io::Result<()>>>,
}

impl Writers {
    /// Makes this many empty groups.
    pub(crate) fn new(groups: usize) -> Writers {
        let groups = (0..groups.max(1)).map(|_| Arc::default()).collect();
        Writers { groups }
    }

    /// Starts the groups' tasks, which run until they are aborted.
    pub(crate) fn start(&self, tasks: &mut JoinSet<()>) {
        for group in &self.groups {
            tasks.spawn(write_in_turn(Arc::clone(group)));
        }
    }

    /// Makes a new connection's link to the broadcaster.
    pub(crate) fn connect(&self, inbox: &Arc<Inbox>, from: Option<SocketAddr>) -> Link {
        inbox.connect_from(from, |person| Arc::clone(&self.group(person).rings))
    }

    /// Writes to a connection until the handle is dropped. Its mail names the rooms.
    pub(crate) fn write<W, E>(&self, output: W, encoder: E, client: &Arc<Client>) -> Writing
    where
        W: Output + 'static,
        E: Encoder + Unpin + 'static,
    {
        self.add(Writer::new(output, encoder, Arc::clone(client)), client)
    }

    fn add(&self, writer: impl WriteLines + 'static, client: &Arc<Client>) -> Writing {
        let group = self.group(client.id());
        let (ended, outcome) = oneshot::channel();
        let slot = Slot {
            writer: Box::new(writer),
            person: client.id(),
            waker: Waker::from(Arc::new(Call(Arc::clone(client)))),
            rooms: Rooms::new(),
            listed_at: None,
            ended,
        };
        let mut new_writers = group.new_writers.lock().unwrap_or_else(PoisonError::into_inner);
        new_writers.push(slot);
        drop(new_writers);
        client.ring();
        Writing { client: Arc::clone(client), outcome }
    }

    /// The numbers of written and of skipped lines.
    pub(crate) fn counted(&self) -> (u64, u64) {
        let counts = self.groups.iter().map(|group| group.rings.counted());
        counts.fold((0, 0), |(written, skipped), (more, missed)| (written + more, skipped + missed))
    }

    fn group(&self, person: PersonId) -> &Arc<WriterGroup> {
        &self.groups[person.number() as usize % self.groups.len()]
    }
}

/// Rings the group for one of its writers.
struct Call(Arc<Client>);

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.0.ring();
    }
}

/// A writing half in its group: a future that is ready when writing has ended, and a guard that
/// stops writing when it is dropped.
pub(crate) struct Writing {
    client: Arc<Client>,
    outcome: oneshot::Receiver<thread::Result<io::Result<()>>>,
}

impl Writing {
    /// Whether its end has been seen.
    pub(super) fn is_over(&self) -> bool {
        self.outcome.is_terminated()
    }
}

impl Future for Writing {
    type Output = io::Result<()>;

    /// A panic of the writing half counts as a panic of the connection.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match ready!(Pin::new(&mut self.outcome).poll(cx)) {
            Ok(Ok(written)) => Poll::Ready(written),
            Ok(Err(panic)) => resume_unwind(panic),
            Err(_the_server_is_closed) => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.outcome.close();
        self.client.ring();
    }
}

/// Runs a group. The task is unconstrained, because after many sockets tokio would treat all others
/// as full. It yields by itself.
async fn write_in_turn(group: Arc<WriterGroup>) {
    let mut turns = Turns::default();
    unconstrained(async {
        let mut polled = 0;
        loop {
            let seen = group.rings.bell().version(); // before the look, so that no ring is lost
            turns.collect_due(&group);
            if turns.due.is_empty() {
                group.rings.bell().rung(seen).await;
                continue;
            }
            polled += turns.poll_next();
            if polled >= POLLS_MAX {
                polled = 0;
                // Lets other tasks run and the runtime see new input, so that lines of many people
                // travel together.
                yield_now().await;
            }
        }
    })
    .await
}

/// The writers of one group, and the queue of due writers.
#[derive(Default)]
struct Turns {
    slots: Slab<Slot>,
    by_person: HashMap<PersonId, usize>,
    by_room: HashMap<RoomId, IndexSet<usize>>,
    due: Due,
    /// The other half of the group's double buffer.
    rung: Rung,
}

/// The indices of due writers in their order, each once.
#[derive(Default)]
struct Due {
    queue: VecDeque<usize>,
    is_queued: Vec<bool>,
}

impl Turns {
    fn collect_due(&mut self, group: &WriterGroup) {
        let mut rung = std::mem::take(&mut self.rung);
        group.rings.take(&mut rung);
        // After the rings, because a new writer is put there before its first ring.
        let mut new_writers = group.new_writers.lock().unwrap_or_else(PoisonError::into_inner);
        for slot in new_writers.drain(..) {
            let person = slot.person;
            self.by_person.insert(person, self.slots.insert(slot));
        }
        drop(new_writers);
        for person in rung.people.drain(..) {
            match self.by_person.get(&person) {
                Some(&index) if self.slots[index].ended.is_closed() => drop(self.remove(index)),
                Some(&index) => self.due.push(index),
                None => {} // the writer has ended
            }
        }
        for room in rung.rooms.drain(..) {
            let readers = self.by_room.get(&room).into_iter().flatten();
            readers.for_each(|&index| self.due.push(index));
        }
        self.rung = rung;
    }

    /// Polls the next writers, and returns their number. The memory of thousands of writers is not
    /// in the cache, so that of several is fetched at once.
    fn poll_next(&mut self) -> usize {
        for &index in self.due.queue.iter().take(PREFETCHED) {
            if let Some(slot) = self.slots.get(index) {
                black_box(slot.writer.prefetch());
            }
        }
        let mut polled = 0;
        while polled < PREFETCHED
            && let Some(index) = self.due.pop()
        {
            self.poll_writer(index);
            polled += 1;
        }
        polled
    }

    /// Polls a writer; a panic ends this writer alone.
    fn poll_writer(&mut self, index: usize) {
        let Some(slot) = self.slots.get_mut(index) else {
            return; // the writer has ended
        };
        let mut cx = Context::from_waker(&slot.waker);
        let writer = Pin::new(&mut slot.writer);
        match catch_unwind(AssertUnwindSafe(|| writer.poll(&mut cx))) {
            Ok(Poll::Pending) => self.follow(index),
            Ok(Poll::Ready(written)) => self.end(index, Ok(written)),
            Err(panic) => self.end(index, Err(panic)),
        }
    }

    /// Lists it under the rooms that it reads.
    fn follow(&mut self, index: usize) {
        let slot = &mut self.slots[index];
        let changes = slot.writer.rooms_changes();
        if std::mem::replace(&mut slot.listed_at, changes) == changes {
            return; // nearly always
        }
        let now = slot.writer.rooms();
        let before = std::mem::replace(&mut slot.rooms, now.clone());
        self.unlist(&before, index);
        for room in now {
            self.by_room.entry(room).or_default().insert(index);
        }
    }

    fn unlist(&mut self, rooms: &[RoomId], index: usize) {
        for room in rooms {
            if let Some(readers) = self.by_room.get_mut(room) {
                readers.swap_remove(&index);
                if readers.is_empty() {
                    self.by_room.remove(room);
                }
            }
        }
    }

    fn end(&mut self, index: usize, outcome: thread::Result<io::Result<()>>) {
        self.remove(index).ended.send(outcome).ok(); // the connection may have ended
    }

    fn remove(&mut self, index: usize) -> Slot {
        let slot = self.slots.remove(index);
        self.by_person.remove(&slot.person);
        self.unlist(&slot.rooms, index);
        slot
    }
}

impl Due {
    fn push(&mut self, index: usize) {
        if self.is_queued.len() <= index {
            self.is_queued.resize(index + 1, false);
        }
        if !std::mem::replace(&mut self.is_queued[index], true) {
            self.queue.push_back(index);
        }
    }

    fn pop(&mut self) -> Option<usize> {
        let index = self.queue.pop_front()?;
        self.is_queued[index] = false;
        Some(index)
    }

    fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A writer that counts its polls, and ends or panics with the last one.
    struct Counting {
        polls: Arc<AtomicUsize>,
        last: usize,
        panics: bool,
    }

    impl Future for Counting {
        type Output = io::Result<()>;

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            if self.polls.fetch_add(1, Ordering::SeqCst) + 1 < self.last {
                return Poll::Pending;
            }
            assert!(!self.panics, "as a bug would");
            Poll::Ready(Ok(()))
        }
    }

    impl WriteLines for Counting {
        fn rooms(&self) -> Rooms {
            Rooms::new()
        }

        fn rooms_changes(&self) -> Option<u64> {
            None
        }

        fn prefetch(&self) -> usize {
            0
        }
    }

    struct Fixture {
        writers: Writers,
        inbox: Arc<Inbox>,
        _tasks: JoinSet<()>,
    }

    impl Fixture {
        fn new() -> Fixture {
            let writers = Writers::new(2);
            let mut tasks = JoinSet::new();
            writers.start(&mut tasks);
            Fixture { writers, inbox: Arc::default(), _tasks: tasks }
        }

        fn add(&self, link: &Link, last: usize, panics: bool) -> (Writing, Arc<AtomicUsize>) {
            let polls = Arc::default();
            let writer = Counting { polls: Arc::clone(&polls), last, panics };
            (self.writers.add(writer, link.client()), polls)
        }
    }

    #[tokio::test]
    async fn a_writer_is_polled_when_it_is_added_and_when_it_is_rung_for() {
        let fixture = Fixture::new();
        let links = [(); 4].map(|()| fixture.writers.connect(&fixture.inbox, None));
        let mut others: Vec<_> =
            links[1..].iter().map(|link| fixture.add(link, 2, false)).collect();
        let (writing, polls) = fixture.add(&links[0], 2, false);
        while polls.load(Ordering::SeqCst) == 0 {
            yield_now().await;
        }
        links[0].client().ring();
        writing.await.unwrap();
        for (other, polls) in &mut others {
            assert_eq!(polls.load(Ordering::SeqCst), 1);
            assert!(!other.is_over());
        }
    }

    #[tokio::test]
    async fn a_panic_of_one_writer_ends_its_connection_alone() {
        let fixture = Fixture::new();
        let links = [(); 3].map(|()| fixture.writers.connect(&fixture.inbox, None));
        let (broken, _) = fixture.add(&links[0], 1, true);
        let (writing, polls) = fixture.add(&links[2], 2, false); // in the same group
        let panic = tokio::spawn(broken).await.map_err(|error| error.is_panic());
        assert!(panic.unwrap_err());
        while polls.load(Ordering::SeqCst) == 0 {
            yield_now().await;
        }
        links[2].client().ring();
        writing.await.unwrap();
    }

    #[tokio::test]
    async fn a_writer_without_a_handle_is_dropped() {
        let fixture = Fixture::new();
        let link = fixture.writers.connect(&fixture.inbox, None);
        let (writing, polls) = fixture.add(&link, usize::MAX, false);
        drop(writing);
        while Arc::strong_count(&polls) > 1 {
            yield_now().await;
        }
    }
}
