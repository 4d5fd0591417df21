//! A line is shown only after the journal has stored it.

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parlor_core::journal::{Commit, Journal, NotStored, Record};
use parlor_core::log::Batch;
use tokio::sync::Semaphore;

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
