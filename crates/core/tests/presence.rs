//! People on the server without a seat, and people who leave many rooms at once.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a step that fails, fails the test")]

mod server;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use parlor_core::broadcaster::{Broadcaster, RETURN_TIME};
use parlor_core::intent::Proposal;
use parlor_core::link::{
    Answer, BYTES_MAX, Change, CodeChange, FirstRoom, Link, Mail, Mark, Outcome, Presence, Query,
    Refusal,
};
use parlor_core::model::{
    Entry, Extras, Hashed, Limits, Line, Manner, Name, Now, PersonEvent, Profile, RoomName, Spoken,
    Telling, WallTime,
};
use parlor_core::sequencer::{Decided, Local, Sequencer};
use server::{Server, come_back, enter, granted, join, line, post, rename};

fn come(name: &str) -> Change {
    Change::Come { name: Name::parse(name).unwrap().into(), profile: None }
}

fn present(outcome: Outcome) -> Presence {
    match outcome {
        Outcome::Came(presence, None) => presence,
        other => panic!("not here but {other:?}"),
    }
}

fn private(server: &mut Server, from: &mut Link, to: &str) -> Outcome {
    server.ask(from, server::private(to, "psst"))
}

/// Puts intents in order, and counts them.
#[derive(Debug, Default)]
struct Counting {
    local: Local,
    intents: Arc<AtomicUsize>,
}

impl Sequencer for Counting {
    fn offer(&mut self, proposal: Proposal) {
        self.intents.fetch_add(proposal.intents.len(), Ordering::Relaxed);
        self.local.offer(proposal);
    }

    fn poll_decided(&mut self, now: WallTime) -> Option<Decided> {
        self.local.poll_decided(now)
    }
}

#[test]
fn a_person_without_a_seat_has_a_name_and_reads_private_messages() {
    let mut server = Server::new();
    let mut alice = server.connect();
    let presence = present(server.ask(&mut alice, come("alice")));
    assert_eq!((server.census().people, server.census().seats), (1, 0));
    let mut bob = server.enter("bob");
    let taken = server.refusal(&mut server.connect(), enter("alice", "lobby"));
    assert!(matches!(taken, Refusal::NameTaken(_)), "{taken:?}");
    let twice = server.refusal(&mut alice, come("carol"));
    assert!(matches!(twice, Refusal::NotThere), "{twice:?}");
    let outcome = private(&mut server, &mut bob.link, "alice");
    assert!(matches!(outcome, Outcome::Answer(Answer::Private(_))), "{outcome:?}");
    let mail = alice.client().take(|mark, _| *mark == Mark::default());
    assert!(matches!(mail, Some(Mail::Answer(Answer::Private(_)))), "{mail:?}");
    let outcome = private(&mut server, &mut alice, "bob");
    assert!(matches!(outcome, Outcome::Answer(Answer::Private(_))), "{outcome:?}");
    assert!(matches!(server.ask(&mut alice, rename("ann")), Outcome::Answer(Answer::YouAre(_))));
    let (seat, entered) = granted(server.ask(&mut alice, join("lobby")));
    assert!(!entered.first, "she knows her name");
    drop(seat);
    server.run();
    assert_eq!(server.census().people, 2, "she is still here");
    drop(presence);
    server.run();
    assert_eq!(bob.read().len(), 2, "ann came and left, and nothing else");
    drop((alice, bob));
    server.assert_empty();
}

#[test]
fn lines_of_a_private_message_arrive_together_or_not_at_all() {
    let mut server = Server::new();
    let [mut alice, bob] = ["alice", "bob"].map(|name| server.enter(name));
    let extras = Arc::new(Extras { tags: Some(line("+x")), ..Extras::default() });
    let action = Spoken { extras: Some(extras), ..Spoken::new(Manner::Action, line("waves")) };
    let write = |lines: Vec<Spoken>, to| Query::Private {
        to: line(to),
        lines,
        is_for_programs: true,
        may_be_own: false,
    };
    let lines = vec![Spoken::new(Manner::Notice, line("hi")), action];
    let outcome = server.ask(&mut alice.link, write(lines, "bob"));
    let Outcome::Answer(Answer::Private(sent)) = outcome else { panic!("{outcome:?}") };
    let Some(Mail::Answer(Answer::Private(read))) = bob.link.client().take(|_, _| true) else {
        panic!("no message");
    };
    assert!(Arc::ptr_eq(&sent, &read) && read.is_for_programs);
    let [first, second] = &read.lines[..] else { panic!("{read:?}") };
    assert_eq!((first.manner, second.manner), (Manner::Notice, Manner::Action));
    assert_eq!(second.extras.as_ref().and_then(|extras| extras.tags.clone()), Some(line("+x")));
    let many = vec![Spoken::new(Manner::Plain, line(&"x".repeat(BYTES_MAX / 10))); 10];
    let refused = server.refusal(&mut alice.link, write(many, "bob"));
    assert!(matches!(refused, Refusal::NotReading(_)), "{refused:?}");
    assert!(bob.link.client().has_no_mail());
    let outcome = server.ask(&mut alice.link, write(read.lines.clone(), "bob"));
    let Outcome::Answer(Answer::Private(next)) = outcome else { panic!("{outcome:?}") };
    assert!(next.number > sent.number);
}

#[test]
fn a_person_writes_to_themselves_only_if_that_is_meant() {
    let mut server = Server::new();
    let mut alice = server.enter("alice");
    let refused = server.refusal(&mut alice.link, server::private("alice", "psst"));
    assert!(matches!(refused, Refusal::Yourself), "{refused:?}");
    let Query::Private { to, lines, .. } = server::private("Alice", "psst") else { panic!() };
    let meant = Query::Private { to, lines, is_for_programs: false, may_be_own: true };
    let outcome = server.ask(&mut alice.link, meant);
    assert!(matches!(outcome, Outcome::Answer(Answer::Private(_))), "{outcome:?}");
    let mail = alice.link.client().take(|_, _| true);
    assert!(matches!(mail, Some(Mail::Answer(Answer::Private(_)))), "{mail:?}");
}

#[test]
fn a_person_comes_back_without_a_seat_and_is_not_seen_to_leave_the_rooms_joined_again() {
    let mut server = Server::new();
    let bob = server.enter("bob");
    let mut alice = server.enter("alice");
    let (tea, _) = granted(server.ask(&mut alice.link, join("tea")));
    let code = server.code(&mut alice.link, tea.room());
    let mut again = server.connect();
    let (now, profile, room) = (WallTime(0), None, FirstRoom::Nowhere);
    let nowhere = Change::ComeBack { code, now, profile, room };
    let _presence = present(server.ask(&mut again, nowhere));
    let (_lobby, entered) = granted(server.ask(&mut again, join("lobby")));
    assert!(!entered.first);
    server.wait(RETURN_TIME);
    let is_told = |entry: &Entry| match entry {
        Entry::Arrived { telling, .. } | Entry::Left { telling, .. } => *telling == Telling::Told,
        _ => true,
    };
    let told: Vec<_> = bob.read().into_iter().filter(is_told).collect();
    assert!(matches!(&told[..], [Entry::Arrived { .. }]), "{told:?}");
    assert_eq!(server.census().rooms, 1, "she has left the tea");
}

#[test]
fn a_code_that_is_made_without_a_seat_leads_to_the_lobby() {
    let mut server = Server::new();
    let bob = server.enter("bob");
    let mut alice = server.connect();
    let presence = present(server.ask(&mut alice, come("alice")));
    let code = Hashed([1; 32]);
    server.ask(&mut alice, Change::Code(CodeChange::Make { code, room: None }));
    drop(presence);
    server.run();
    let mut again = server.connect();
    let (seat, _) = granted(server.ask(&mut again, come_back(code)));
    assert_eq!(*seat.room_name(), RoomName::lobby());
    assert_eq!(bob.read().len(), 1, "she was not seen before");
}

#[test]
fn a_name_is_given_back_by_a_connection_that_breaks_while_it_comes() {
    let mut server = Server::new();
    let mut alice = server.connect();
    alice.start(come("alice"));
    server.run();
    drop(alice); // nobody fetches the outcome
    server.assert_empty();
}

#[test]
fn a_person_leaves_a_hundred_rooms_with_one_letter_and_one_event() {
    let inbox = Arc::default();
    let counting = Counting::default();
    let intents = Arc::clone(&counting.intents);
    let limits = Limits { rooms: 200, ..Limits::default() };
    let broadcaster = Broadcaster::new(inbox, limits).with_sequencer(Box::new(counting));
    let mut server = Server { broadcaster, now: Now::default() };
    let mut alice = server.connect();
    let presence = present(server.ask(&mut alice, come("alice")));
    let mut bob = server.connect();
    let staying = present(server.ask(&mut bob, come("bob")));
    let (mut seats, mut views) = (Vec::new(), Vec::new());
    for room in (0..100).map(|number| format!("room{number}")) {
        seats.push(granted(server.ask(&mut alice, join(&room))).0);
        let (seat, entered) = granted(server.ask(&mut bob, join(&room)));
        views.push((seat, entered.view));
    }
    let before = intents.load(Ordering::Relaxed);
    presence.leave(Some(line("bye")));
    drop(seats);
    server.run();
    assert_eq!(intents.load(Ordering::Relaxed) - before, 1);
    let events: OnceLock<Arc<PersonEvent>> = OnceLock::new();
    for (_, view) in &views {
        let mut slices = parlor_core::log::Slices::new();
        view.read(view.arrived, usize::MAX, &mut slices).unwrap();
        let [slice] = &slices[..] else { panic!("{slices:?}") };
        let [Entry::Left { words, is_from_server: true, event, telling, .. }] =
            &slice.batch.entries()[slice.entries.clone()]
        else {
            panic!("{slices:?}");
        };
        assert_eq!((words.as_ref().map(Line::as_str), *telling), (Some("bye"), Telling::Told));
        let event = event.clone().expect("an event");
        assert_eq!(**events.get_or_init(|| Arc::clone(&event)), *event);
    }
    drop((views, staying, alice, bob));
    server.run();
    assert_eq!(server.census().people, 0);
}

#[test]
fn one_letter_waits_for_a_batch_when_a_person_leaves_two_rooms() {
    let mut server = Server::with(Limits { batch_entries: 1, ..Limits::default() });
    let mut bob = server.enter("bob");
    let mut alice = server.enter("alice");
    let (tea, _) = granted(server.ask(&mut alice.link, join("tea")));
    bob.link.start(post(bob.seat.room(), &["the batch is full"]));
    server.drain();
    let before = server.census().under_way;
    drop((alice, tea));
    server.drain();
    assert_eq!(server.census().under_way - before, 1);
    server.run();
    assert_eq!(server.census().people, 1);
}

#[test]
fn a_profile_goes_with_the_person_and_comes_back_with_the_code() {
    let mut server = Server::new();
    let bob = server.enter("bob");
    let mut alice = server.connect();
    let texts = ["al", "Alice A.", "irc"].map(line);
    let profile = Arc::new(Profile::new(texts, true));
    let name = Name::parse("alice").unwrap().into();
    let change = Change::Come { name, profile: Some(Arc::clone(&profile)) };
    let _presence = present(server.ask(&mut alice, change));
    let (seat, _) = granted(server.ask(&mut alice, join("lobby")));
    server.ask(&mut alice, post(seat.room(), &["hi"]));
    let code = server.code(&mut alice, seat.room());
    let mut again = server.connect();
    let (seat, _) = granted(server.ask(&mut again, come_back(code)));
    server.ask(&mut again, post(seat.room(), &["back"]));
    let profiles = bob.read().into_iter().map(|entry| entry.who().cloned().unwrap().profile);
    let profiles: Vec<_> = profiles.collect();
    assert!(profiles.len() > 3 && profiles.iter().all(|of| *of == Some(Arc::clone(&profile))));
    let long =
        Profile::new(["é".repeat(400), String::new(), String::new()].map(|t| line(&t)), false);
    assert_eq!(long.user().len(), 512, "cut between characters");
}

#[test]
fn a_script_has_a_profile_and_so_has_a_person_who_comes_back_without_one() {
    let mut server = Server::new();
    let bob = server.enter("bob");
    let profile = |host: &str| Arc::new(Profile::new(["", "", host].map(line), false));
    let mut curl = server.connect();
    let (name, lines) =
        (Name::parse("ci").unwrap().into(), vec![Spoken::new(Manner::Plain, line("hi"))]);
    let (script, room) = (Some(profile("curl")), RoomName::lobby());
    server.ask(&mut curl, Change::SpeakOnce { name, profile: script, room, password: None, lines });
    let mut alice = server.enter("alice");
    let code = server.code(&mut alice.link, alice.seat.room());
    drop(alice);
    let mut again = server.connect();
    let (now, room) = (WallTime(0), FirstRoom::Usual);
    let back = Change::ComeBack { code, now, profile: Some(profile("web")), room };
    let (_seat, _) = granted(server.ask(&mut again, back));
    let host = |entry: Entry| entry.who()?.profile.as_ref().map(|profile| profile.host().clone());
    let hosts: Vec<_> = bob.read().into_iter().filter_map(host).collect();
    assert_eq!(hosts, ["curl", "web"].map(line));
}
