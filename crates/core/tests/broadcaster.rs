//! The broadcaster as its clients see it: grants, refusals, and traces that are left behind.
//!
//! There is no task: each test runs the broadcaster step by step.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a step that fails, fails the test")]

mod server;

use std::sync::Arc;
use std::time::Duration;

use parlor_core::broadcaster::{Broadcaster, RETURN_TIME};
use parlor_core::journal::{NotStored, Past};
use parlor_core::link::{AccountChange, Answer, Change, Mail, Outcome, PEOPLE_MAX, Query, Refusal};
use parlor_core::log::{Cursor, Slices};
use parlor_core::model::{
    Claim, End, Entry, Limits, Manner, Name, Proof, RoomName, Telling, WallTime,
};
use server::{Person, Server, come_back, enter, granted, join, line, post, refusal, rename};

#[test]
fn a_name_is_free_when_its_wearer_leaves() {
    let mut server = Server::new();
    let alice = server.enter("alice");
    let mut other = server.connect();
    let refused = server.refusal(&mut other, enter("Alice", "lobby"));
    assert!(matches!(refused, Refusal::NameTaken(_)), "{refused:?}");
    drop(alice);
    granted(server.ask(&mut other, enter("Alice", "lobby")));
    server.assert_empty();
}

#[test]
fn a_name_is_free_when_its_look_alike_is_free() {
    let mut server = Server::new();
    for (worn, typed) in [
        ("alice", "ALlCE"), // with a small l
        ("alice", "AL1CE"),
        ("ALlCE", "alice"),
        ("ian", "lan"),
        ("lan", "ian"),
        ("mia", "MlA"),
    ] {
        let wearer = server.enter(worn);
        let mut other = server.enter("other");
        let refused = server.refusal(&mut other.link, rename(typed));
        assert!(matches!(refused, Refusal::NameTaken(_)), "{typed}");
        drop(wearer);
        let outcome = server.ask(&mut other.link, rename(typed));
        assert!(matches!(outcome, Outcome::Answer(Answer::YouAre(_))), "{typed}");
        drop(other);
        server.assert_empty();
    }
}

#[test]
fn a_new_name_frees_the_old_one_but_not_the_looks_that_both_share() {
    let mut server = Server::new();
    let mut alice = server.enter("alice");
    for typed in ["ALlCE", "Alice", "iris", "alice"] {
        server.ask(&mut alice.link, rename(typed));
        assert_eq!(alice.link.client().id(), alice.entered.who.id);
    }
    let mut other = server.connect();
    let refused = server.refusal(&mut other, enter("ALlCE", "lobby"));
    assert!(matches!(refused, Refusal::NameTaken(_)), "{refused:?}");
    let (iris, _) = granted(server.ask(&mut other, enter("lris", "lobby")));
    drop((alice, iris));
    server.assert_empty();
}

#[test]
fn names_that_do_not_look_alike_are_worn_side_by_side() {
    let mut server = Server::new();
    let people = ["neil", "Nell", "maia", "mala", "al", "ali"].map(|name| server.enter(name));
    drop(people);
    server.assert_empty();
}

#[test]
fn a_client_without_a_seat_claims_no_name() {
    let mut server = Server::new();
    let mut nobody = server.connect();
    let refused = server.refusal(&mut nobody, rename("alice"));
    assert!(matches!(refused, Refusal::NotThere), "{refused:?}");
    server.enter("alice");
    server.assert_empty();
}

#[test]
fn a_client_without_a_seat_makes_no_room() {
    let mut server = Server::new();
    let mut nobody = server.connect();
    let refused = server.refusal(&mut nobody, join("tea"));
    assert!(matches!(refused, Refusal::NotThere), "{refused:?}");
    server.assert_empty();
}

#[test]
fn a_room_that_is_refused_leaves_no_name_claimed() {
    let mut server = Server::with(Limits { rooms: 1, ..Limits::default() });
    let mut link = server.connect();
    let refused = server.refusal(&mut link, enter("alice", "tea"));
    assert!(matches!(refused, Refusal::TooManyRooms(1)), "{refused:?}");
    server.enter("alice");
    server.assert_empty();
}

#[test]
fn a_client_enters_once() {
    let mut server = Server::new();
    let mut alice = server.enter("alice");
    let refused = server.refusal(&mut alice.link, enter("bob", "tea"));
    assert!(matches!(refused, Refusal::AlreadyIn(room) if room == RoomName::lobby()));
    server.enter("bob");
    drop(alice);
    server.assert_empty();
}

#[test]
fn a_seat_that_is_given_up_gives_no_right_to_speak() {
    let mut server = Server::new();
    let bob = server.enter("bob");
    let mut alice = server.enter("alice");
    let lobby = alice.seat.room();
    let (tea, _) = granted(server.ask(&mut alice.link, join("tea")));
    drop(alice.seat);
    let refused = server.refusal(&mut alice.link, post(lobby, &["from beyond"]));
    assert!(matches!(refused, Refusal::NotThere), "{refused:?}");
    let text = Some(line("from beyond"));
    let refused = server.refusal(&mut alice.link, Change::SetTopic { room: lobby, text });
    assert!(matches!(refused, Refusal::NotThere), "{refused:?}");
    server.ask(&mut alice.link, post(tea.room(), &["here"]));
    assert_eq!(bob.heard(), Vec::<String>::new());
}

#[test]
fn a_seat_granted_to_a_lost_connection_is_given_up() {
    let mut server = Server::new();
    let bob = server.enter("bob");
    let mut link = server.connect();
    link.start(enter("alice", "tea"));
    let under_way = server.gather();
    drop(link);
    server.append(under_way);
    drop(bob);
    server.assert_empty();
}

#[test]
fn an_outcome_that_nobody_fetches_gives_up_its_seat() {
    let mut server = Server::new();
    let mut link = server.connect();
    link.start(enter("alice", "tea"));
    server.run();
    assert_eq!(server.census().seats, 1);
    drop(link);
    server.assert_empty();
}

#[test]
fn a_rename_under_way_ends_with_its_connection() {
    let mut server = Server::new();
    let bob = server.enter("bob");
    let mut alice = server.enter("alice");
    alice.link.start(rename("al"));
    drop(alice);
    server.run();
    let told: Vec<_> = bob.read().into_iter().skip(1).collect();
    let names: Vec<_> = told.iter().map(|entry| entry.who().unwrap().name.as_str()).collect();
    assert!(matches!(told.as_slice(), [Entry::Renamed { .. }, Entry::Left { .. }]), "{told:?}");
    assert_eq!(names, ["al", "al"]);
    server.enter("al");
    server.enter("alice");
    drop(bob);
    server.assert_empty();
}

#[test]
fn an_empty_room_leaves_memory_and_is_made_again() {
    let mut server = Server::new();
    let mut alice = server.enter("alice");
    let (tea, _) = granted(server.ask(&mut alice.link, join("tea")));
    let first = tea.room();
    server.ask(&mut alice.link, post(first, &["one", "two"]));
    drop(tea);
    server.run();
    assert_eq!(server.census().rooms, 1);
    let (tea, _) = granted(server.ask(&mut alice.link, join("tea")));
    assert_ne!(tea.room(), first);
    assert_eq!(tea.log().start(), Cursor::default());
    drop((tea, alice));
    server.assert_empty();
}

#[test]
fn a_room_with_an_arrival_under_way_stays() {
    let mut server = Server::new();
    let mut alice = server.enter("alice");
    let mut bob = server.enter("bob");
    let (tea, _) = granted(server.ask(&mut alice.link, join("tea")));
    let id = tea.room();
    drop(tea);
    let leaving = server.gather();
    bob.link.start(join("tea"));
    server.drain();
    server.append(leaving);
    server.run();
    let (tea, _) = granted(bob.link.outcome().unwrap());
    assert_eq!(tea.room(), id);
    drop((alice, bob, tea));
    server.assert_empty();
}

#[test]
fn lines_that_are_not_stored_are_refused_and_their_numbers_are_used_again() {
    let mut server = Server::new();
    let bob = server.enter("bob");
    let mut alice = server.enter("alice");
    let lobby = alice.seat.room();
    server.ask(&mut alice.link, post(lobby, &["one"]));
    alice.link.start(post(lobby, &["two", "three"]));
    let mut carol = server.connect();
    carol.start(enter("carol", "lobby"));
    let gathered = server.gather();
    server.broadcaster.append(gathered, Err(NotStored("the disk is full")), server.now);
    let refused = refusal(alice.link.outcome().unwrap());
    assert!(matches!(refused, Refusal::NotStored("the disk is full")));
    let (_seat, entered) = granted(carol.outcome().unwrap());
    assert_eq!(entered.view.arrived.seq, 1);
    server.ask(&mut alice.link, post(lobby, &["two again"]));
    let numbers: Vec<_> = bob.read().iter().filter_map(number).collect();
    assert_eq!(numbers, [1, 2]);
    assert_eq!(bob.heard(), ["one", "two again"]);
}

fn number(entry: &Entry) -> Option<u64> {
    match entry {
        Entry::Said(said) => Some(said.seq),
        _ => None,
    }
}

#[test]
fn times_in_a_room_never_decrease() {
    let mut server = Server::new();
    let mut alice = server.enter("alice");
    let room = alice.seat.room();
    for wall in [5_000, 1_000, -7, 6_000] {
        server.now.wall = WallTime(wall);
        server.ask(&mut alice.link, post(room, &["tick"]));
    }
    let at = |entry: &Entry| match entry {
        Entry::Said(said) => Some(said.at.0),
        _ => None,
    };
    let times: Vec<_> = alice.read().iter().filter_map(at).collect();
    assert_eq!(times, [5_000, 5_000, 5_000, 6_000]);
}

#[test]
fn when_the_server_stops_everybody_leaves_silently() {
    let mut server = Server::new();
    let mut alice = server.enter("alice");
    let bob = server.enter("bob");
    let (tea, entered) = granted(server.ask(&mut alice.link, join("tea")));
    server.broadcaster.close();
    let log = alice.seat.log().clone();
    let end = log.end();
    drop((tea, alice.seat, bob));
    server.run();
    assert_eq!(log.end(), end);
    assert!(entered.view.departed().is_some());
    server.assert_empty();
}

/// A server whose batches are full with one entry, and a person in it.
fn narrow_server() -> (Server, Person) {
    let mut server = Server::with(Limits { batch_entries: 1, ..Limits::default() });
    let alice = server.enter("alice");
    (server, alice)
}

#[test]
fn requests_that_wait_for_a_full_batch_keep_their_order() {
    let (mut server, mut alice) = narrow_server();
    let mut bob = server.enter("bob");
    let lobby = alice.seat.room();
    alice.link.start(post(lobby, &["one"]));
    let under_way = server.gather();
    bob.link.start(post(lobby, &["two"]));
    let mut carol = server.connect();
    carol.start(enter("carol", "lobby"));
    server.drain();
    drop(bob);
    server.append(under_way);
    server.run();
    let (_seat, entered) = granted(carol.outcome().unwrap());
    assert_eq!(entered.roster.named, [Name::parse("alice").unwrap(), Name::parse("bob").unwrap()]);
    assert!(matches!(
        alice.read().as_slice(),
        [
            Entry::Arrived { .. },
            Entry::Said(_),
            Entry::Said(_),
            Entry::Arrived { .. },
            Entry::Left { .. }
        ]
    ));
}

#[test]
fn topics_fill_a_batch_too() {
    let mut server = Server::with(Limits { batch_bytes: 10, ..Limits::default() });
    let mut alice = server.enter("alice");
    let mut bob = server.enter("bob");
    let room = alice.seat.room();
    let text = Some(line("a topic of many words"));
    alice.link.start(Change::SetTopic { room, text });
    bob.link.start(post(room, &["what a topic"]));
    let first = server.gather();
    server.append(first);
    assert!(alice.link.outcome().is_some());
    assert!(bob.link.outcome().is_none());
    server.run();
    assert!(bob.link.outcome().is_some());
}

#[test]
fn clients_that_give_up_while_entering_leave_nothing() {
    let (mut server, mut alice) = narrow_server();
    let mut bob = server.enter("bob");
    let lobby = alice.seat.room();
    alice.link.start(post(lobby, &["one"]));
    let under_way = server.gather();
    bob.link.start(post(lobby, &["two"]));
    for _ in 0..10_000 {
        let mut link = server.connect();
        link.start(enter("mallory", "lobby"));
        server.drain();
    }
    assert!(server.census().under_way < 100, "{:?}", server.census());
    server.append(under_way);
    server.run();
    assert_eq!(alice.heard(), ["one", "two"]);
    assert_eq!(alice.read().len(), 3, "nobody else came");
    drop((alice, bob));
    server.assert_empty();
}

#[test]
fn all_logs_together_stay_small_even_if_one_batch_is_large() {
    let mut server = Server::with(Limits { logs_bytes: 20_000, ..Limits::default() });
    let mut alice = server.enter("alice");
    let mut bob = server.enter("bob");
    let (tea, _) = granted(server.ask(&mut bob.link, join("tea")));
    let large = "a".repeat(7_000);
    server.ask(&mut bob.link, post(tea.room(), &[&large]));
    for _ in 0..1_000 {
        server.ask(&mut alice.link, post(alice.seat.room(), &["small"]));
        let census = server.census();
        assert!(census.logs_bytes <= 20_000, "{census:?}");
        assert_eq!(census.logs_bytes, census.logs_bytes_counted);
    }
}

#[test]
fn a_folded_arrival_is_announced_before_the_person_speaks() {
    let mut server = Server::new();
    let watcher = server.enter("watcher");
    let mut crowd: Vec<_> = (0..10).map(|n| server.enter(&format!("guest{n}"))).collect();
    let last = crowd.last_mut().unwrap();
    server.ask(&mut last.link, post(last.seat.room(), &["hi"]));
    server.wait(Duration::from_millis(999));
    assert_eq!(watcher.read().len(), 12, "ten came, one was told late, and spoke");
    server.wait(Duration::from_millis(1));
    let told = watcher.read();
    assert!(
        matches!(&told[7..], [
            Entry::Arrived { telling: Telling::Folded, .. },
            Entry::Arrived { telling: Telling::Folded, .. },
            Entry::Arrived { telling: Telling::Folded, .. },
            Entry::Arrived { who, telling: Telling::Late, .. },
            Entry::Said(_),
            Entry::ArrivedTogether(others),
        ] if who.name.as_str() == "guest9" && others.len() == 2),
        "{told:?}"
    );
}

/// The arrivals and departures that a person reads.
fn told(watcher: &Person) -> Vec<Entry> {
    let is_told = |entry: &Entry| match entry {
        Entry::Arrived { telling, .. } | Entry::Left { telling, .. } => *telling == Telling::Told,
        _ => true,
    };
    watcher.read().into_iter().filter(is_told).collect()
}

#[test]
fn a_seat_that_is_taken_again_in_time_has_no_departure() {
    let mut server = Server::new();
    let mut alice = server.enter("alice");
    let (tea, _) = granted(server.ask(&mut alice.link, join("tea")));
    let mut bob = server.enter("bob");
    let (bobs_tea, in_tea) = granted(server.ask(&mut bob.link, join("tea")));
    let code = server.code(&mut alice.link, alice.seat.room());
    let mut again = server.connect();
    let (lobby, _) = granted(server.ask(&mut again, come_back(code)));
    drop((alice, tea));
    server.wait(RETURN_TIME.checked_sub(Duration::from_millis(1)).unwrap());
    assert_eq!(told(&bob), [], "in the lobby alice never left");
    let (attic, _) = granted(server.ask(&mut again, join("attic")));
    server.wait(Duration::from_millis(1));
    assert_eq!(told(&bob), []);
    let who = |entry: &Entry| entry.who().map(|who| who.name.to_string());
    let mut slices = Slices::new();
    in_tea.view.read(in_tea.view.arrived, usize::MAX, &mut slices).unwrap();
    let in_tea = slices.iter().flat_map(|slice| &slice.batch.entries()[slice.entries.clone()]);
    let left: Vec<_> = in_tea
        .filter(|entry| matches!(entry, Entry::Left { telling: Telling::Told, .. }))
        .filter_map(who)
        .collect();
    assert_eq!(left, ["alice"], "in tea she was not back in time");
    drop((lobby, attic, again, bobs_tea, bob));
    server.assert_empty();
}

#[test]
fn everybody_in_a_room_is_listed_page_by_page() {
    let mut server = Server::new();
    let mut crowd: Vec<_> =
        (0..PEOPLE_MAX * 2 + 1).map(|n| server.enter(&format!("guest{n}"))).collect();
    drop(crowd.remove(PEOPLE_MAX));
    let asker = &mut crowd[7];
    let (mut next, mut pages) = (Some(0), Vec::new());
    while let Some(from) = next {
        let room = RoomName::lobby();
        let outcome = server.ask(&mut asker.link, Query::People { room, from });
        let Outcome::Page(after) = outcome else {
            panic!("{outcome:?}");
        };
        let item = asker.link.client().take(|_, _| true);
        let Some(Mail::Answer(Answer::People(page))) = item else {
            panic!("{item:?}");
        };
        assert_eq!(page.next, after);
        next = after;
        let names = page.people.iter().map(|person| person.who.name.clone());
        pages.push(names.collect::<Vec<_>>());
    }
    let sizes: Vec<_> = pages.iter().map(Vec::len).collect();
    assert_eq!(sizes, [PEOPLE_MAX, PEOPLE_MAX], "none of them empty");
    let listed = pages.concat();
    let here: Vec<_> = crowd.iter().map(|person| &person.entered.who.name).collect();
    assert!(here.into_iter().eq(&listed), "{listed:?}");
    drop(crowd);
    server.assert_empty();
}

#[test]
fn the_crowd_of_a_room_leaves_memory_with_the_room() {
    let mut server = Server::new();
    let crowd: Vec<_> = (0..10)
        .map(|n| {
            let mut link = server.connect();
            let (seat, _) = granted(server.ask(&mut link, enter(&format!("guest{n}"), "tea")));
            (link, seat)
        })
        .collect();
    drop(crowd);
    server.assert_empty();
    let alice = server.enter("alice");
    server.wait(Duration::from_secs(2));
    assert_eq!(alice.read(), []);
}

#[test]
fn nobody_is_told_of_a_name_that_does_not_change() {
    let mut server = Server::new();
    let mut alice = server.enter("alice");
    let outcome = server.ask(&mut alice.link, rename("alice"));
    assert!(matches!(outcome, Outcome::Answer(Answer::YouAre(name)) if name.as_str() == "alice"));
    assert_eq!(alice.read(), []);
    server.ask(&mut alice.link, rename("Alice"));
    assert!(matches!(alice.read().as_slice(), [Entry::Renamed { .. }]));
}

#[test]
fn lines_that_are_too_old_are_not_shown() {
    let hour = Duration::from_hours(1);
    let mut server = Server::with(Limits { retain: Some(hour), ..Limits::default() });
    let mut alice = server.enter("alice");
    let room = alice.seat.room();
    server.ask(&mut alice.link, post(room, &["old"]));
    server.wait(hour / 2);
    server.ask(&mut alice.link, post(room, &["young"]));
    server.wait(hour / 2 + Duration::from_secs(60));
    assert_eq!(alice.entered.view.log().start().seq, 1);
    assert_eq!(alice.seat.log().end().seq, 2);
    server.wait(hour);
    let log = alice.seat.log();
    assert_eq!((log.start(), log.end().seq), (log.end(), 2)); // the newest, too
    let census = server.census();
    assert_eq!(census.logs_bytes, census.logs_bytes_counted);
    let next = server.broadcaster.deadline().unwrap();
    assert_eq!(next, server.now.monotonic + Duration::from_secs(60));
    let bob = server.enter("bob");
    server.ask(&mut alice.link, post(room, &["new"]));
    assert_eq!(bob.heard(), ["new"]);
}

#[test]
fn deleted_lines_leave_their_numbers_and_nothing_else() {
    let mut server = Server::new();
    let mut alice = server.enter("alice");
    let mut bob = server.enter("bob");
    let room = alice.seat.room();
    server.ask(&mut alice.link, post(room, &["before"]));
    server.wait(Duration::from_secs(1));
    let since = server.now.wall;
    let whose = alice.link.client().id();
    let request = Change::DeleteLines { whose, since };
    let refused = server.refusal(&mut alice.link, request);
    assert!(matches!(refused, Refusal::NotOwner), "{refused:?}");
    server.own(&mut alice.link, "alice", 0);
    server.ask(&mut alice.link, post(room, &["one", "two"]));
    server.ask(&mut bob.link, post(room, &["three"]));
    let (start, end) = (alice.seat.log().start(), alice.seat.log().end());
    let request = Change::DeleteLines { whose, since };
    let outcome = server.ask(&mut alice.link, request);
    let Outcome::LinesDeleted(ends) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(ends, [(RoomName::lobby(), end.seq)]);
    assert_eq!(bob.heard(), ["before", "", "", "three"]);
    let said: Vec<_> = bob.read();
    let gone = |entry: &Entry| matches!(entry, Entry::Said(said) if said.manner == Manner::Gone);
    assert_eq!(said.iter().filter(|entry| gone(entry)).count(), 2);
    assert!(
        matches!(said.last(), Some(Entry::LinesDeleted { who }) if who.name.as_str() == "alice")
    );
    let log = alice.seat.log();
    assert_eq!((log.start(), log.end().seq), (start, end.seq));
    assert_eq!(log.end().position, end.position + 1);
    let census = server.census();
    assert_eq!(census.logs_bytes, census.logs_bytes_counted);
}

#[test]
fn deletion_covers_rooms_that_are_not_in_memory() {
    let ended = |room: &str, seq, at| {
        let (room, at) = (RoomName::parse(room).unwrap(), WallTime(at));
        (room, End { seq, at })
    };
    let past =
        Past { ends: [ended("tea", 7, 100), ended("attic", 9, 10)].into(), ..Past::default() };
    let mut server = Server::new();
    server.broadcaster = Broadcaster::resume(Arc::default(), Limits::default(), past);
    let mut alice = server.enter("alice");
    server.own(&mut alice.link, "alice", 0);
    let (whose, since) = (alice.link.client().id(), WallTime(50));
    let request = Change::DeleteLines { whose, since };
    let outcome = server.ask(&mut alice.link, request);
    let Outcome::LinesDeleted(ends) = outcome else {
        panic!("{outcome:?}");
    };
    let tea = RoomName::parse("tea").unwrap();
    // Lines that are said there from now on stay; the attic has had no lines since.
    assert_eq!(ends, [(tea, 7), (RoomName::lobby(), 0)]);
}

/// Kate, after this many changes of her password, if no other name has an owner.
fn kate(changes: u64) -> Claim {
    Claim::of_owner(Name::stored("kate"), Proof(1 + changes))
}

fn enter_as(name: Claim) -> Change {
    Change::Enter { name, profile: None, room: RoomName::lobby(), replay: 0 }
}

#[test]
fn a_new_password_ends_the_connections_of_the_old_one() {
    let mut server = Server::new();
    let mut bob = server.enter("bob");
    let mut kate_here = server.enter("kate");
    server.own(&mut kate_here.link, "kate", 0);
    let mut other = server.connect();
    let (seat, _entered) = granted(server.ask(&mut other, enter_as(kate(0))));
    server.own(&mut kate_here.link, "kate", 1);
    assert!(kate_here.link.client().removed().is_none());
    assert!(other.client().removed().is_some());
    let refused = server.refusal(&mut other, post(seat.room(), &["still here"]));
    assert!(matches!(refused, Refusal::NotThere), "{refused:?}");
    drop(seat);
    server.run();
    server.ask(&mut kate_here.link, post(kate_here.seat.room(), &["alone"]));
    assert_eq!(bob.heard(), ["alone"]);
    let has_left =
        |entry: &Entry| matches!(entry, Entry::Left { telling, .. } if *telling != Telling::Untold);
    assert!(!bob.read().iter().any(has_left), "she is still there");
    let refused = server.refusal(&mut bob.link, Change::Rename(kate(0)));
    assert!(matches!(refused, Refusal::NameOwned(_)), "{refused:?}");
}

#[test]
fn a_proof_on_its_way_is_refused_after_the_password_changes() {
    let mut server = Server::with(Limits { batch_entries: 1, ..Limits::default() });
    let mut here = server.enter("kate");
    server.own(&mut here.link, "kate", 0);
    let mut bob = server.enter("bob");
    let (room, id) = (here.seat.room(), here.link.client().id());
    let code = server.code(&mut here.link, room);
    let Change::Say { lines, .. } = post(room, &["by the old token"]) else {
        panic!("no post");
    };
    let old = [
        enter_as(kate(0)),
        Change::SpeakOnce {
            name: kate(0),
            profile: None,
            room: RoomName::lobby(),
            password: None,
            lines,
        },
        come_back(code),
    ];
    // One batch is on its way and the next is full, so these wait; changes of owners do not.
    here.link.start(post(room, &["first"]));
    let under_way = server.gather();
    bob.link.start(post(room, &["second"]));
    let mut others: Vec<_> = old.iter().map(|_| server.connect()).collect();
    for (link, request) in others.iter_mut().zip(old) {
        link.start(request);
    }
    let mut registry = server.connect();
    registry.start(Change::Account(Box::new(AccountChange::ChangePassword {
        name: Name::stored("kate"),
        proof: Some(Proof(1)),
        password: "another hash".into(),
        keeps_token: false,
        by: Some(id),
        visit: None,
    })));
    server.drain();
    server.append(under_way);
    server.run();
    assert!(matches!(registry.outcome(), Some(Outcome::Done)));
    for link in &mut others {
        let outcome = link.outcome();
        let is_refused = matches!(outcome, Some(Outcome::Answer(Answer::Refused(_))));
        assert!(is_refused, "{outcome:?}");
    }
    let refused = server.refusal(&mut bob.link, Change::Rename(kate(0)));
    assert!(matches!(refused, Refusal::NameOwned(_)), "{refused:?}");
    assert!(here.link.client().removed().is_none());
    assert_eq!(here.heard(), ["first", "second"]);
}
