//! A line is shown only after the journal has stored it.

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parlor_core::journal::{Commit, Journal, NotStored, Record};
use parlor_core::log::Batch;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::{Mutex, Semaphore};

use crate::support::TestServer;

/// A journal that stores lines unless its disk is full.
struct SmallDisk {
    full: Arc<AtomicBool>,
}

impl Journal for SmallDisk {
    fn commit(&mut self, _: &[Arc<Batch>], _: &[Record]) -> Commit {
        let full = self.full.load(Ordering::SeqCst);
        Box::pin(ready(if full { Err(NotStored("the disk is full")) } else { Ok(()) }))
    }
}

#[test]
fn a_line_that_cannot_be_stored_is_refused_and_not_shown() {
    let full = Arc::new(AtomicBool::new(false));
    let disk = SmallDisk { full: Arc::clone(&full) };
    let server = TestServer::with_journal(Box::new(disk), &["tcp://127.0.0.1:0"], |_| {});
    let [mut alice, mut bob] = server.friends(["alice", "bob"]);
    alice.say("one");
    bob.sees("alice: one");
    alice.sees("alice: one");
    full.store(true, Ordering::SeqCst);
    alice.say("two");
    alice.sees("-- Not sent: the disk is full; try again later");
    let mut carol = server.enter("carol"); // people still come and go
    carol.sees_replayed("alice: one");
    alice.sees("carol has arrived");
    full.store(false, Ordering::SeqCst);
    alice.say("two, again");
    for guest in [&mut alice, &mut carol] {
        guest.sees("alice: two, again");
    }
    bob.sees_all(["carol has arrived", "alice: two, again"]);
    bob.say("/last");
    bob.sees_replayed("alice: one");
    bob.sees_replayed("alice: two, again");
}

/// A journal whose commits take as long as the test wants.
struct SlowDisk {
    commits: Arc<Semaphore>,
}

impl Journal for SlowDisk {
    fn commit(&mut self, _: &[Arc<Batch>], _: &[Record]) -> Commit {
        let commits = Arc::clone(&self.commits);
        Box::pin(async move {
            let commit = commits.acquire_owned().await;
            commit.map(|permit| permit.forget()).ok();
            Ok(())
        })
    }
}

#[test]
fn people_who_wait_for_a_slow_disk_are_told_and_the_line_is_not_shown_before() {
    let commits = Arc::new(Semaphore::new(0));
    let disk = SlowDisk { commits: Arc::clone(&commits) };
    let server = TestServer::with_journal(Box::new(disk), &["tcp://127.0.0.1:0"], |_| {});
    let [mut alice, mut bob] = server.friends(["alice", "bob"]);
    alice.say("is it kept?");
    alice.sees("-- The disk is slow; lines arrive late");
    bob.say("/topic"); // a command that only reads need not wait
    bob.sees("-- lobby has no topic; /topic TEXT sets one");
    commits.add_permits(1);
    alice.sees("alice: is it kept?");
    bob.sees("alice: is it kept?");
}

/// A journal whose commits end as the test says: stored or not.
struct ObedientDisk {
    outcomes: Arc<Mutex<UnboundedReceiver<bool>>>,
}

impl Journal for ObedientDisk {
    fn commit(&mut self, _: &[Arc<Batch>], _: &[Record]) -> Commit {
        let outcomes = Arc::clone(&self.outcomes);
        Box::pin(async move {
            let outcome = outcomes.lock().await.recv().await;
            outcome.filter(|is_stored| *is_stored).map(drop).ok_or(NotStored("the disk is full"))
        })
    }
}

#[test]
fn a_change_behind_one_that_fails_is_stored_next() {
    let (ends, outcomes) = unbounded_channel();
    let disk = ObedientDisk { outcomes: Arc::new(Mutex::new(outcomes)) };
    let server = TestServer::with_journal(Box::new(disk), &["tcp://127.0.0.1:0"], |_| {});
    let [mut alice, mut bob] = server.friends(["alice", "bob"]);
    alice.say("/topic black");
    alice.sees("-- The disk is slow; lines arrive late"); // so that her topic is being stored
    bob.say("/topic white");
    ends.send(false).unwrap();
    alice.sees("-- The disk cannot be written right now; nothing is changed, try again later");
    ends.send(true).unwrap();
    for guest in [&mut alice, &mut bob] {
        guest.sees("bob changed the topic to: white");
    }
}
