//! The log, the bell and the delivery of an outcome, in every order in which threads can run.
//!
//!     RUSTFLAGS="--cfg parlor_loom" cargo test -p parlor-core --test loom --release
#![cfg(parlor_loom)]
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a step that fails, fails the test")]

use std::sync::Arc;

use loom::future::block_on;
use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;
use parlor_core::broadcaster::Broadcaster;
use parlor_core::link::{
    Answer, Change, Entered, Inbox, Link, Mail, Mark, Notice, Outcome, Presence, Seat,
};
use parlor_core::log::{Batch, Bell, Cursor, Fallen, Group, Log, Rung, Slice, Slices};
use parlor_core::model::{
    Capacity, Census, Entry, Limits, Line, Manner, Name, Now, RoomName, Said, WallTime, Who,
};

/// How many forced switches between threads each tested order has; nearly all bugs need two.
const SWITCHES_MAX: usize = 4;

fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(SWITCHES_MAX);
    builder.check(model);
}

#[test]
fn no_ring_is_lost() {
    check(|| {
        let bell = Arc::new(Bell::default());
        let rung = Arc::new(AtomicU64::new(0));
        let ringer = thread::spawn({
            let (bell, rung) = (Arc::clone(&bell), Arc::clone(&rung));
            move || {
                for _ in 0..2 {
                    rung.fetch_add(1, Ordering::Relaxed);
                    bell.ring();
                }
            }
        });
        block_on(async {
            loop {
                let seen = bell.version();
                if rung.load(Ordering::Relaxed) == 2 {
                    break;
                }
                bell.rung(seen).await; // loom reports a lost ring, because then no thread can run
            }
        });
        ringer.join().unwrap();
    });
}

/// A batch of one line, whose text is its number.
fn line(start: Cursor, who: &Who) -> Arc<Batch> {
    let said = Said {
        seq: start.seq + 1,
        at: WallTime(0),
        who: who.clone().into(),
        manner: Manner::Plain,
        text: Line::sanitise(b"a"),
        extras: None,
    };
    let entries = vec![Entry::Said(said)];
    Arc::new(Batch::new(RoomName::lobby(), start, WallTime(0), entries))
}

fn somebody(inbox: &Arc<Inbox>) -> (Link, Who) {
    let link = inbox.connect();
    let who = Who::new(link.client().id(), Name::of_address(":1"));
    (link, who)
}

#[test]
fn a_reader_who_waits_by_bell_reads_every_line_or_a_count() {
    const LINES: u64 = 3;
    check(|| {
        let log = Arc::new(Log::new(Cursor::default()));
        let bell = Arc::new(Bell::default());
        let writer = thread::spawn({
            let (log, bell) = (Arc::clone(&log), Arc::clone(&bell));
            move || {
                let (_link, who) = somebody(&Arc::default());
                for number in 0..LINES {
                    let capacity = Capacity { lines: 2, bytes: usize::MAX };
                    log.append(line(log.end(), &who), capacity);
                    if number == 1 {
                        log.shed();
                    }
                    bell.ring();
                }
            }
        });
        block_on(read_to(&log, &bell, LINES));
        writer.join().unwrap();
    });
}

/// Reads up to the line with this number. Each line follows the one before it, or a count of missed
/// lines.
async fn read_to(log: &Log, bell: &Bell, lines: u64) {
    let mut cursor = Cursor::default();
    let mut slices = Slices::new();
    while cursor.seq < lines {
        let seen = bell.version();
        match log.read(cursor, None, 8, &mut slices) {
            Err(Fallen { to, lines }) => {
                assert_eq!(to.seq, cursor.seq + lines);
                assert!(to.position > cursor.position);
                cursor = to;
                continue;
            }
            Ok(()) if slices.is_empty() => bell.rung(seen).await,
            Ok(()) => {}
        }
        for Slice { batch, entries } in slices.drain(..) {
            assert_eq!(batch.cursor_at(entries.start), cursor);
            cursor = batch.cursor_at(entries.end);
        }
    }
}

/// A broadcaster that is run step by step, without a journal.
struct Server(Broadcaster);

impl Server {
    fn new() -> Server {
        Server(Broadcaster::new(Arc::default(), Limits::default()))
    }

    fn connect(&self) -> Link {
        self.0.inbox().connect()
    }

    fn run(&mut self) {
        let now = Now::default();
        self.0.drain(now);
        while let Some(gathered) = self.0.gather(now) {
            self.0.append(gathered, Ok(()), now);
        }
    }

    fn enter(&mut self, name: &str) -> (Link, Presence, Seat, Entered) {
        let mut link = self.connect();
        link.start(enter(name));
        self.run();
        match link.outcome() {
            Some(Outcome::Came(presence, Some((seat, entered)))) => {
                (link, presence, seat, *entered)
            }
            other => panic!("no seat but {other:?}"),
        }
    }

    fn assert_empty(mut self) {
        self.run();
        self.run(); // a seat that nobody took is given up by now
        let Census { people, name_keys, seats, under_way, .. } = self.0.census();
        assert_eq!((people, name_keys, seats, under_way), (0, 0, 0, 0));
    }
}

fn enter(name: &str) -> Change {
    Change::Enter {
        name: Name::of_address(name).into(),
        profile: None,
        room: RoomName::lobby(),
        replay: 0,
    }
}

#[test]
fn nobody_reads_beyond_their_own_departure() {
    check(|| {
        let mut server = Server::new();
        let (link, presence, _seat, entered) = server.enter(":1");
        let (_other_link, other_presence, _other_seat, _) = server.enter(":2");
        let reader = thread::spawn(move || {
            block_on(async {
                let view = entered.view;
                let bell = link.client().group().bell();
                let mut cursor = view.arrived;
                let mut slices = Slices::new();
                loop {
                    let seen = bell.version();
                    view.read(cursor, 8, &mut slices).expect("all is kept");
                    if slices.is_empty() {
                        if view.departed().is_some_and(|end| cursor.position >= end.position) {
                            break;
                        }
                        bell.rung(seen).await;
                    }
                    for Slice { batch, entries } in slices.drain(..) {
                        for entry in &batch.entries()[entries.clone()] {
                            assert!(!matches!(entry, Entry::Left { .. }), "read {entry:?}");
                        }
                        cursor = batch.cursor_at(entries.end);
                    }
                }
            });
        });
        drop(presence);
        drop(other_presence);
        server.run();
        reader.join().unwrap();
    });
}

#[test]
fn an_outcome_is_fetched_or_ends_with_the_link() {
    check(|| {
        let mut server = Server::new();
        let mut link = server.connect();
        link.start(enter(":1"));
        let client = Arc::downgrade(link.client());
        let connection = thread::spawn(move || {
            let seat = link.outcome(); // may have arrived or not
            drop(link);
            drop(seat);
        });
        server.run();
        connection.join().unwrap();
        server.assert_empty();
        assert!(client.upgrade().is_none());
    });
}

#[test]
fn every_call_gets_an_answer() {
    check(|| {
        let mut server = Server::new();
        let mut link = server.connect();
        let connection = thread::spawn(move || {
            let outcome = block_on(link.call(enter(":1")));
            assert!(matches!(outcome, Outcome::Came(..)));
        });
        block_on(async {
            loop {
                let inbox = Arc::clone(server.0.inbox());
                let seen = inbox.bell().version();
                server.run();
                if server.0.census().seats == 1 {
                    break;
                }
                inbox.bell().rung(seen).await;
            }
        });
        connection.join().unwrap();
        server.assert_empty();
    });
}

#[test]
fn the_task_of_a_group_finds_everybody_for_whom_it_was_rung() {
    check(|| {
        let group = Arc::new(Group::default());
        let inbox = Arc::new(Inbox::default());
        let links = [0, 1].map(|_| inbox.connect_in(|_| Arc::clone(&group)));
        let people = links.each_ref().map(|link| link.client().id());
        let ringing = links.map(|link| thread::spawn(move || link.client().ring()));
        block_on(async {
            let mut found = Vec::new();
            while found.len() < people.len() {
                let seen = group.bell().version();
                let mut rung = Rung::default();
                group.take(&mut rung);
                match rung.people.is_empty() {
                    true => group.bell().rung(seen).await,
                    false => found.extend(rung.people),
                }
            }
            found.sort();
            assert_eq!(found, people);
        });
        for thread in ringing {
            thread.join().unwrap();
        }
    });
}

#[test]
fn no_mail_is_lost() {
    check(|| {
        let mut server = Server::new();
        let (link, _presence, seat, _) = server.enter(":1");
        let mark: Mark = seat.mark();
        let client = Arc::clone(link.client());
        let sender = thread::spawn(move || {
            for _ in 0..2 {
                let word = Mail::Answer(Answer::Notice(Notice::DiskSlow));
                client.send(mark.clone(), word).expect("there is room");
            }
        });
        block_on(async {
            for _ in 0..2 {
                loop {
                    let seen = link.client().group().bell().version();
                    if link.client().take(|_, _| true).is_some() {
                        break;
                    }
                    link.client().group().bell().rung(seen).await;
                }
            }
        });
        sender.join().unwrap();
        assert!(link.client().has_no_mail());
    });
}
