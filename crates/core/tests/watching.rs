//! Watching names: each coming and going is told once, in order, also to a client that reads late.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed step fails the test"
)]

mod server;

use std::time::Duration;

use parlor_core::link::{
    Answer, ITEMS_MAX, Link, Mail, Notice, Outcome, Query, WatchRequest, Watched,
};
use parlor_core::model::Claim;

use server::{Server, come_back, enter, granted, line, private, rename};

/// Watches names. Returns the names of those who are here.
fn watch(server: &mut Server, link: &mut Link, watch: WatchRequest) -> Vec<String> {
    match server.ask(link, Query::Watch(watch)) {
        Outcome::Answer(Answer::Watched(Watched::Status { people, .. })) => {
            let here = people.into_iter().filter_map(|sighting| sighting.who);
            here.map(|who| who.name.to_string()).collect()
        }
        Outcome::Answer(Answer::Watched(_)) => Vec::new(),
        other => panic!("{other:?}"),
    }
}

fn add(names: &[&str]) -> WatchRequest {
    WatchRequest::Add(names.iter().map(|name| line(name)).collect())
}

/// Everything that the client is told of the people whom it watches.
fn told(link: &Link) -> Vec<String> {
    let mut told = Vec::new();
    while let Some(mail) = link.client().take(|_, _| true) {
        match mail {
            Mail::Answer(Answer::Notice(Notice::Came(who))) => told.push(format!("+{}", who.name)),
            Mail::Answer(Answer::Notice(Notice::Went(name))) => told.push(format!("-{name}")),
            Mail::Answer(Answer::Private(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    told
}

#[test]
fn each_coming_and_going_is_told_once() {
    let mut server = Server::new();
    let mut alice = server.enter("alice");
    let mut bob = server.enter("bob");
    assert_eq!(watch(&mut server, &mut alice.link, add(&["Bob", "carol", "dave"])), ["bob"]);
    let carol = server.enter("carol");
    server.ask(&mut bob.link, rename("BOB")); // it is the same name
    server.ask(&mut bob.link, rename("dave"));
    assert_eq!(told(&alice.link), ["+carol", "-BOB", "+dave"]);
    assert_eq!(watch(&mut server, &mut alice.link, WatchRequest::Status), ["carol", "dave"]);
    watch(&mut server, &mut alice.link, WatchRequest::Remove(vec![line("DAVE")]));
    drop((carol, bob));
    server.run();
    assert_eq!(told(&alice.link), ["-carol"]);
    watch(&mut server, &mut alice.link, WatchRequest::Clear);
    drop(server.enter("carol"));
    server.run();
    assert_eq!(told(&alice.link), [""; 0]);
    drop(alice);
    server.assert_empty();
}

#[test]
fn several_connections_of_an_owner_are_one_person() {
    let mut server = Server::new();
    let mut alice = server.enter("alice");
    let mut bob = server.enter("bob");
    server.own(&mut bob.link, "bob", 0);
    watch(&mut server, &mut alice.link, add(&["bob"]));
    let code = server.code(&mut bob.link, bob.seat.room());
    let mut back = server.connect();
    let (seat, _) = granted(server.ask(&mut back, come_back(code)));
    drop(bob);
    server.wait(Duration::from_secs(60));
    assert_eq!(told(&alice.link), [""; 0], "bob has only another connection");
    drop(seat);
    server.run();
    assert_eq!(told(&alice.link), ["-bob"]);
}

#[test]
fn a_client_that_reads_late_is_told_what_is_true_then() {
    let mut server = Server::new();
    let mut alice = server.enter("alice");
    let mut dave = server.enter("dave");
    watch(&mut server, &mut alice.link, add(&["bob", "carol"]));
    for _ in 0..ITEMS_MAX {
        server.ask(&mut dave.link, private("alice", "hello"));
    }
    let bob = server.enter("bob");
    let carol = server.enter("carol");
    drop(carol);
    server.run();
    assert_eq!(told(&alice.link), [""; 0], "there was no space");
    server.run();
    assert_eq!(told(&alice.link), ["+bob"], "carol has come and gone");
    drop(bob);
    server.run();
    assert_eq!(told(&alice.link), ["-bob"]);
}

#[test]
fn a_refused_newcomer_is_not_told() {
    let mut server = Server::new();
    let mut alice = server.enter("alice");
    let mut bob = server.enter("bob");
    server.own(&mut bob.link, "bob", 0);
    drop(bob);
    server.run();
    watch(&mut server, &mut alice.link, add(&["bob"]));
    let mut mallory = server.connect();
    server.refusal(&mut mallory, enter("bob", "lobby"));
    assert_eq!(told(&alice.link), [""; 0]);
    let Outcome::You(Claim { name, .. }) = server.ask(&mut alice.link, Query::WhoAmI) else {
        panic!("alice is here");
    };
    assert_eq!(name.as_str(), "alice");
}
