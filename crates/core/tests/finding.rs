//! Clients find people and rooms by name, step by step.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed step fails the test"
)]

mod server;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parlor_core::broadcaster::Broadcaster;
use parlor_core::journal::Past;
use parlor_core::ledger::Account;
use parlor_core::link::{
    Answer, Change, Inbox, Link, Outcome, PeoplePage, Query, Refusal, RoomsPage, Sighting, Totals,
    Whois,
};
use parlor_core::model::{
    Claim, Deed, Here, Limits, Modes, Name, Proof, Reach, RoomName, TopicSet, Verb, WallTime, Whom,
};

use server::{Held, Person, Server, enter, granted, join, line, post, rename};

fn room(name: &str) -> RoomName {
    RoomName::parse(name).unwrap()
}

/// A server on which alice, who keeps it, and dave, who keeps tea, own their names.
fn server() -> Server {
    let account = |name: &str| Account {
        name: Name::stored(name),
        since: WallTime(0),
        password: "hash".into(),
        token: None,
        proof: Proof::default(),
    };
    let keepers = vec![
        (Reach::Server, Name::stored("alice")),
        (Reach::Room(room("tea")), Name::stored("dave")),
    ];
    let accounts = vec![account("alice"), account("dave")];
    let past = Past { accounts, keepers, ..Past::default() };
    Server::of(Broadcaster::resume(Arc::new(Inbox::default()), Limits::default(), past))
}

/// A keeper bans a person from the room of a seat.
fn ban(server: &mut Server, keeper: &mut Link, seat: &Held, name: &str) {
    let deed = Deed::to(Verb::Ban, Whom::Name(Name::stored(name)));
    server.ask(keeper, Change::Act { here: Here::Room(seat.room_name().clone()), deed });
}

/// The owner of a name comes into a room.
fn owner(server: &mut Server, name: &str, room_name: &str) -> (Link, Held) {
    let mut link = server.connect();
    let name = Claim::of_owner(Name::stored(name), Proof::default());
    let (room, replay) = (room(room_name), 0);
    let change = Change::Enter { name, profile: None, room, replay };
    let (seat, _) = granted(server.ask(&mut link, change));
    (link, seat)
}

fn answer(server: &mut Server, link: &mut Link, query: Query) -> Answer {
    match server.ask(link, query) {
        Outcome::Answer(answer) => answer,
        other => panic!("{other:?}"),
    }
}

fn whois(server: &mut Server, link: &mut Link, name: &str) -> Whois {
    match answer(server, link, Query::Whois(line(name))) {
        Answer::Whois(whois) => *whois,
        other => panic!("{other:?}"),
    }
}

fn rooms(whois: &Whois) -> Vec<(&str, bool)> {
    whois.rooms.iter().map(|of| (of.room.as_str(), of.is_keeper)).collect()
}

#[test]
fn a_person_is_found_with_the_rooms_that_the_asker_may_read() {
    let mut server = server();
    let (mut alice, tea) = owner(&mut server, "alice", "tea");
    let mut bob = server.enter("bob");
    let (_attic, _) = granted(server.ask(&mut bob.link, join("attic")));
    server.wait(Duration::from_secs(60));
    server.ask(&mut bob.link, post(bob.seat.room(), &["Hi!"]));
    server.wait(Duration::from_secs(5));
    let found = whois(&mut server, &mut alice, " BOB ");
    assert_eq!(
        (rooms(&found), found.is_server_keeper),
        (vec![("attic", true), ("lobby", false)], false)
    );
    assert_eq!((found.silent, found.since), (Duration::from_secs(5), Some(WallTime(0))));
    let found = whois(&mut server, &mut bob.link, "alice");
    assert_eq!((rooms(&found), found.is_server_keeper), (vec![("tea", true)], true));
    assert_eq!(found.who.account, Some(Name::stored("alice")));
    let refused = server.refusal(&mut bob.link, Query::Whois(line("carol")));
    assert!(matches!(refused, Refusal::NobodyCalled(_)), "{refused:?}");
    let (mut dave, seat) = owner(&mut server, "dave", "tea");
    ban(&mut server, &mut dave, &seat, "bob");
    let found = whois(&mut server, &mut bob.link, "alice");
    assert_eq!(rooms(&found), [], "a room from which bob is banned");
    drop(tea);
}

#[test]
fn only_keepers_and_the_person_find_an_address() {
    let mut server = server();
    let (mut alice, _seat) = owner(&mut server, "alice", "lobby");
    let (mut dave, _tea) = owner(&mut server, "dave", "tea");
    let at: SocketAddr = "192.0.2.7:50000".parse().unwrap();
    let mut bob = server.broadcaster.inbox().connect_from(Some(at), |_| Arc::default());
    let (_seat, _) = granted(server.ask(&mut bob, enter("bob", "lobby")));
    assert_eq!(whois(&mut server, &mut alice, "bob").address, Some(at));
    assert_eq!(whois(&mut server, &mut bob, "bob").address, Some(at));
    assert_eq!(whois(&mut server, &mut dave, "bob").address, None, "not in tea");
    let (_there, _) = granted(server.ask(&mut bob, join("tea")));
    assert_eq!(whois(&mut server, &mut dave, "bob").address, Some(at));
}

#[test]
fn connections_of_an_owner_are_found_as_one_person() {
    let mut server = server();
    let (_first, _tea) = owner(&mut server, "alice", "tea");
    let (mut link, _lobby) = owner(&mut server, "alice", "lobby");
    let found = whois(&mut server, &mut link, "alice");
    assert_eq!(rooms(&found), [("lobby", true), ("tea", true)]);
    let Answer::Totals(totals) = answer(&mut server, &mut link, Query::Totals) else { panic!() };
    assert_eq!(
        totals,
        Totals { people: 2, invisible: 0, people_max: 2, server_keepers: 1, rooms: 2 }
    );
}

#[test]
fn people_who_left_or_gave_up_a_name_are_remembered() {
    let mut server = Server::new();
    let mut bob = server.enter("bob");
    server.ask(&mut bob.link, rename("carol"));
    let mut alice = server.enter("alice");
    server.wait(Duration::from_secs(1));
    drop(bob);
    server.run();
    let mut had = |name| match answer(&mut server, &mut alice.link, Query::Whowas(line(name))) {
        Answer::Whowas { people, .. } => {
            people.iter().map(|bygone| (bygone.who.name.to_string(), bygone.at)).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(had("Bob"), [("bob".to_owned(), WallTime(0))]);
    assert_eq!(had("carol"), [("carol".to_owned(), WallTime(1_000))]);
    assert_eq!(had("alice"), []);
}

#[test]
fn only_the_latest_who_left_are_remembered() {
    let mut server = Server::new();
    for guest in 0..200 {
        drop(server.enter(&format!("guest{guest}")));
        server.run();
    }
    let mut alice = server.enter("alice");
    let mut is_known = |name: String| {
        let query = Query::Whowas(line(&name));
        !matches!(answer(&mut server, &mut alice.link, query), Answer::Whowas { people, .. } if people.is_empty())
    };
    let known = (0..200).filter(|guest| is_known(format!("guest{guest}")));
    assert_eq!(known.collect::<Vec<_>>(), (72..200).collect::<Vec<_>>());
}

#[test]
fn names_are_found_in_the_order_in_which_they_were_asked() {
    let mut server = server();
    let (mut alice, _tea) = owner(&mut server, "alice", "tea");
    let bob = server.enter("Bob");
    let asked = ["bob", "nobody", "ALICE"].map(line).to_vec();
    let Answer::Present(found) = answer(&mut server, &mut alice, Query::Present(asked)) else {
        panic!();
    };
    let told = |sighting: &Sighting| {
        let name = sighting.who.as_ref().map(|who| who.name.to_string());
        (sighting.typed.to_string(), name, sighting.is_server_keeper)
    };
    let found: Vec<_> = found.iter().map(told).collect();
    let of =
        |typed: &str, name: Option<&str>, keeps| (typed.to_owned(), name.map(str::to_owned), keeps);
    assert_eq!(
        found,
        [
            of("bob", Some("Bob"), false),
            of("nobody", None, false),
            of("ALICE", Some("alice"), true)
        ]
    );
    drop(bob);
}

#[test]
fn people_of_other_rooms_are_listed_for_those_who_may_read_them() {
    let mut server = server();
    let (mut dave, tea) = owner(&mut server, "dave", "tea");
    let (_again, _tea) = owner(&mut server, "dave", "tea");
    let mut bob = server.enter("bob");
    let people = |room: &str| Query::People { room: RoomName::parse(room).unwrap(), from: 0 };
    let Answer::People(PeoplePage { people: listed, next: None, .. }) =
        answer(&mut server, &mut bob.link, people("tea"))
    else {
        panic!();
    };
    let listed: Vec<_> = listed.iter().map(|p| (p.who.name.as_str(), p.is_keeper)).collect();
    assert_eq!(listed, [("dave", true)], "once");
    let refused = server.refusal(&mut bob.link, people("attic"));
    assert!(matches!(refused, Refusal::NoRoom(_)), "{refused:?}");
    let refused = server.refusal(&mut bob.link, Query::Topic(room("attic")));
    assert!(matches!(refused, Refusal::NoRoom(_)), "{refused:?}");
    let Answer::Topic { text: None, .. } =
        answer(&mut server, &mut bob.link, Query::Topic(room("tea")))
    else {
        panic!();
    };
    ban(&mut server, &mut dave, &tea, "bob");
    for query in [people("tea"), Query::Topic(room("tea"))] {
        let refused = server.refusal(&mut bob.link, query);
        assert!(matches!(refused, Refusal::Banned(_)), "{refused:?}");
    }
}

#[test]
fn all_rooms_are_listed_page_by_page_in_the_order_of_their_names() {
    let mut server = Server::new();
    let mut all = vec!["lobby".to_owned()];
    let (mut people, mut seats): (Vec<Person>, Vec<Held>) = Default::default();
    for guest in 0..3 {
        let mut person = server.enter(&format!("guest{guest}"));
        for number in 0..60 {
            let name = format!("room{}", 60 * guest + number);
            let (seat, _) = granted(server.ask(&mut person.link, join(&name)));
            let text = Some(line(&"x".repeat(if number < 9 { 4_000 } else { 9 })));
            server.ask(&mut person.link, Change::SetTopic { room: seat.room(), text });
            seats.push(seat);
            all.push(name);
        }
        people.push(person);
    }
    all.sort();
    let asker = &mut people[0].link;
    let (mut listed, mut pages, mut after) = (Vec::new(), 0, None);
    loop {
        let query = Query::AllRooms { after };
        let Answer::AllRooms(RoomsPage { rooms, next }) = answer(&mut server, asker, query) else {
            panic!();
        };
        let topics: usize = rooms.iter().filter_map(|info| Some(info.topic.as_ref()?.len())).sum();
        assert!(topics < 16 << 10, "a page fits into a mailbox");
        listed.extend(rooms.iter().map(|info| info.room.to_string()));
        pages += 1;
        match next {
            Some(room) => after = Some(room),
            None => break,
        }
    }
    assert_eq!(listed, all);
    assert!(pages > 4, "{pages}");
}

/// The names of all people whom a mask of a person may find, and the number of pages.
fn findable(server: &mut Server, link: &mut Link) -> (Vec<String>, usize) {
    let (mut found, mut pages, mut from) = (Vec::new(), 0, 0);
    loop {
        let Answer::Findable(page) = answer(server, link, Query::Findable { from }) else {
            panic!();
        };
        found.extend(page.people.iter().map(|person| person.who.name.to_string()));
        pages += 1;
        match page.next {
            Some(next) => from = next,
            None => return (found, pages),
        }
    }
}

#[test]
fn masks_find_everybody_page_by_page() {
    let mut server = server();
    let (mut alice, _seat) = owner(&mut server, "alice", "lobby");
    let (_other, _too) = owner(&mut server, "alice", "tea");
    let names: Vec<_> = (0..450).map(|n| format!("guest{n}")).collect();
    let _guests: Vec<_> = names.iter().map(|name| server.enter(name)).collect();
    let wanted: Vec<_> = ["alice".to_owned()].into_iter().chain(names).collect();
    assert_eq!(findable(&mut server, &mut alice), (wanted, 3));
    let Answer::Findable(page) = answer(&mut server, &mut alice, Query::Findable { from: 0 })
    else {
        panic!();
    };
    assert!(page.people[0].is_server_keeper && !page.people[1].is_server_keeper);
}

#[test]
fn no_mask_finds_invisible_people_except_from_their_rooms() {
    let mut server = Server::new();
    let mut bob = server.enter("bob");
    let (set, removed) = (Modes::INVISIBLE, Modes::NONE);
    server.ask(&mut bob.link, Change::SetModes { of: line("bob"), set, removed });
    let mut carol = server.connect();
    let (seat, _) = granted(server.ask(&mut carol, enter("carol", "tea")));
    assert_eq!(findable(&mut server, &mut bob.link).0, ["bob", "carol"], "bob finds himself");
    assert_eq!(findable(&mut server, &mut carol).0, ["carol"]);
    let (_lobby, _) = granted(server.ask(&mut carol, join("lobby")));
    assert_eq!(findable(&mut server, &mut carol).0, ["bob", "carol"]);
    drop(seat);
}

#[test]
fn a_room_tells_since_when_somebody_is_there() {
    let mut server = Server::new();
    let mut alice = server.enter("alice");
    server.wait(Duration::from_secs(5));
    let (tea, _) = granted(server.ask(&mut alice.link, join("tea")));
    server.wait(Duration::from_secs(5));
    let mut bob = server.enter("bob");
    let (bobs, _) = granted(server.ask(&mut bob.link, join("tea")));
    let since = |server: &mut Server, link: &mut Link| match answer(
        server,
        link,
        Query::Rules(room("tea")),
    ) {
        Answer::Rules { since, .. } => since.map(|since| since.0),
        other => panic!("{other:?}"),
    };
    drop(tea);
    assert_eq!(since(&mut server, &mut alice.link), Some(5_000), "bob is there");
    drop(bobs);
    server.wait(Duration::from_secs(5));
    let (_tea, _) = granted(server.ask(&mut bob.link, join("tea")));
    assert_eq!(since(&mut server, &mut alice.link), Some(15_000));
}

#[test]
fn invitations_are_listed_until_the_person_comes() {
    let mut server = Server::new();
    let (mut alice, mut bob) = (server.enter("alice"), server.enter("bob"));
    let (_tea, _) = granted(server.ask(&mut alice.link, join("tea")));
    let invited =
        |server: &mut Server, link: &mut Link| match answer(server, link, Query::Invitations) {
            Answer::Invitations(rooms) => rooms,
            other => panic!("{other:?}"),
        };
    assert_eq!(invited(&mut server, &mut bob.link), []);
    server.ask(&mut alice.link, Query::Invite { to: line("bob"), room: room("tea") });
    assert_eq!(invited(&mut server, &mut bob.link), [room("tea")]);
    assert_eq!(invited(&mut server, &mut alice.link), []);
    let (tea, _) = granted(server.ask(&mut bob.link, join("tea")));
    drop(tea);
    assert_eq!(invited(&mut server, &mut bob.link), [], "bob has come");
}

#[test]
fn a_topic_tells_who_set_it_and_when() {
    let mut server = Server::new();
    let mut alice = server.enter("alice");
    let (tea, _) = granted(server.ask(&mut alice.link, join("tea")));
    let mut bob = server.enter("bob");
    let mut set = |server: &mut Server, text: Option<&str>| {
        server.wait(Duration::from_secs(1));
        let text = text.map(line);
        server.ask(&mut alice.link, Change::SetTopic { room: tea.room(), text });
        match answer(server, &mut bob.link, Query::Topic(room("tea"))) {
            Answer::Topic { text, set, .. } => (text.map(|text| text.to_string()), set),
            other => panic!("{other:?}"),
        }
    };
    let by_alice = Some(TopicSet { by: Name::stored("alice"), at: WallTime(1_000) });
    assert_eq!(set(&mut server, Some("green")), (Some("green".to_owned()), by_alice.clone()));
    let mut carol = server.connect();
    let (seat, entered) = granted(server.ask(&mut carol, enter("carol", "tea")));
    assert_eq!((entered.topic, entered.topic_set), (Some(line("green")), by_alice));
    assert_eq!(set(&mut server, None), (None, None));
    drop(seat);
}
