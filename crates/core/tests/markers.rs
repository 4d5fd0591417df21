//! Read markers: they move forward, an owner has them on all connections, and they end with the
//! name.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a step that fails, fails the test")]

mod server;

use std::time::Duration;

use parlor_core::journal::NotStored;
use parlor_core::link::{AccountChange, Answer, Change, Link, Mail, Outcome, Query};
use parlor_core::model::{Claim, ConversationId, Name, Proof, RoomName, WallTime};
use server::{Person, Server, granted, join};

const FAILED: Result<(), NotStored> = Err(NotStored("the disk has failed"));

fn tea() -> ConversationId {
    ConversationId::Room(RoomName::parse("tea").unwrap())
}

fn read(conversation: ConversationId, at: i64) -> Change {
    Change::MarkRead { conversation, read: WallTime(at) }
}

/// The time in an answer about the marker of a conversation.
fn marked(outcome: Outcome, expected: &ConversationId) -> Option<i64> {
    match outcome {
        Outcome::Answer(Answer::Marker { conversation, read }) if conversation == *expected => {
            read.map(|at| at.0)
        }
        other => panic!("no marker but {other:?}"),
    }
}

impl Server {
    /// How far a person has read a conversation.
    fn marker(&mut self, link: &mut Link, conversation: ConversationId) -> Option<i64> {
        marked(self.ask(link, Query::Marker(conversation.clone())), &conversation)
    }

    /// Another connection of the owner of alice, whose password was changed this many times.
    fn enter_as_owner(&mut self, proof: u64) -> Person {
        let name = Claim::of_owner(Name::stored("alice"), Proof(proof));
        let (room, mut link) = (RoomName::lobby(), self.connect());
        let enter = Change::Enter { name, profile: None, room, replay: 0 };
        let (seat, entered) = granted(self.ask(&mut link, enter));
        Person { link, seat, entered }
    }
}

/// The markers that others have told a person.
fn told(link: &Link) -> Vec<(ConversationId, i64)> {
    let mail = std::iter::from_fn(|| link.client().take(|_, _| true));
    let markers = mail.filter_map(|mail| match mail {
        Mail::Answer(Answer::Marker { conversation, read }) => {
            Some((conversation, read.unwrap().0))
        }
        _ => None,
    });
    markers.collect()
}

#[test]
fn a_marker_moves_forward_and_is_told_on_entering() {
    let mut server = Server::new();
    server.now.wall = WallTime(1_000_000);
    let mut alice = server.enter("alice");
    assert_eq!(server.marker(&mut alice.link, tea()), None);
    for (asked, read_now) in [(500, 500), (400, 500), (600, 600)] {
        let outcome = server.ask(&mut alice.link, read(tea(), asked));
        assert_eq!(marked(outcome, &tea()), Some(read_now));
    }
    let with_bob = ConversationId::With(Name::stored("Bob"));
    assert_eq!(server.marker(&mut alice.link, with_bob.clone()), None);
    server.ask(&mut alice.link, read(with_bob, 700));
    let with_bob = ConversationId::With(Name::stored("bob"));
    assert_eq!(server.marker(&mut alice.link, with_bob), Some(700));
    let (_seat, entered) = granted(server.ask(&mut alice.link, join("tea")));
    assert_eq!(entered.read, Some(WallTime(600)));
    let (_seat, entered) = granted(server.ask(&mut alice.link, join("den")));
    assert_eq!(entered.read, None);
}

#[test]
fn nobody_has_read_much_more_than_there_is() {
    let mut server = Server::new();
    server.now.wall = WallTime(1_000_000);
    let mut alice = server.enter("alice");
    let outcome = server.ask(&mut alice.link, read(tea(), i64::MAX));
    assert_eq!(marked(outcome, &tea()), Some(1_000_000 + 15 * 60_000));
}

#[test]
fn a_stranger_has_markers_on_one_connection_until_it_ends() {
    let mut server = Server::new();
    let mut alice = server.enter("alice");
    server.ask(&mut alice.link, read(tea(), 5));
    let mut bob = server.enter("bob");
    assert_eq!(server.marker(&mut bob.link, tea()), None);
    drop(alice);
    let mut alice = server.enter("alice");
    assert_eq!(server.marker(&mut alice.link, tea()), None);
    assert_eq!(told(&bob.link), []);
}

#[test]
fn an_owner_has_markers_on_all_connections_and_they_stay() {
    let mut server = Server::new();
    let mut here = server.enter("alice");
    let mut bob = server.enter("bob");
    server.ask(&mut here.link, read(tea(), 1));
    server.own(&mut here.link, "alice", 0);
    assert_eq!(server.marker(&mut here.link, tea()), None, "the owner begins anew");
    let mut there = server.enter_as_owner(1);
    told(&here.link);
    server.ask(&mut there.link, read(tea(), 5));
    assert_eq!(told(&here.link), [(tea(), 5)]);
    assert_eq!(told(&there.link), [], "the answer says it");
    server.ask(&mut here.link, read(tea(), 4));
    assert_eq!(told(&there.link), [], "nothing has changed");
    assert_eq!(server.marker(&mut here.link, tea()), Some(5));
    drop((here, there));
    let mut again = server.enter_as_owner(1);
    assert_eq!(server.marker(&mut again.link, tea()), Some(5));
    assert_eq!(server.marker(&mut bob.link, tea()), None);
    assert_eq!(told(&bob.link), []);
}

#[test]
fn nobody_waits_for_a_marker_to_be_stored() {
    let mut server = Server::new();
    let mut alice = server.enter("alice");
    server.own(&mut alice.link, "alice", 0);
    alice.link.start(read(tea(), 5));
    let begun = server.gather();
    assert_eq!(begun.records().len(), 1);
    assert_eq!(marked(alice.link.outcome().unwrap(), &tea()), Some(5));
    server.broadcaster.append(begun, FAILED, server.now);
    assert_eq!(server.marker(&mut alice.link, tea()), Some(5), "until the server stops");
    alice.link.start(read(tea(), 5));
    server.drain();
    assert!(server.broadcaster.gather(server.now).is_none(), "there is nothing new to store");
}

#[test]
fn markers_end_with_the_name_unless_that_cannot_be_stored() {
    let mut server = Server::new();
    let mut alice = server.enter("alice");
    server.own(&mut alice.link, "alice", 0);
    server.ask(&mut alice.link, read(tea(), 5));
    let mut operator = server.connect();
    let release = || Change::Account(Box::new(AccountChange::Release(Name::stored("alice"))));
    operator.start(release());
    let begun = server.gather();
    server.broadcaster.append(begun, FAILED, server.now);
    operator.outcome().unwrap();
    assert_eq!(server.marker(&mut alice.link, tea()), Some(5));
    server.ask(&mut operator, release());
    drop(alice);
    server.wait(Duration::from_secs(60));
    let mut alice = server.enter("alice");
    server.own(&mut alice.link, "alice", 0);
    assert_eq!(server.marker(&mut alice.link, tea()), None);
}
