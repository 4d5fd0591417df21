//! Keepers for the time being: the first person in a new room keeps it while sitting there, and
//! what such a keeper forbids ends with the room.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a step that fails, fails the test")]

mod server;

use std::time::Duration;

use parlor_core::broadcaster::Broadcaster;
use parlor_core::journal::{NotStored, Past};
use parlor_core::link::{Answer, Change, Inbox, Link, Outcome, Query, Refusal};
use parlor_core::model::{
    Act, By, Deed, Entry, Here, Keeping, Limits, Name, Reach, RoomName, Verb, Whom,
};
use server::{Held, Person, Server, come_back, granted, join, post, rename};

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn for_now(room: &str) -> Option<Keeping> {
    let reach = Reach::Room(RoomName::parse(room).unwrap());
    Some(Keeping { reach, is_for_now: true })
}

fn deed(verb: Verb, whom: &str) -> Deed {
    Deed::to(verb, Whom::Name(name(whom)))
}

fn at(room: &str) -> Here {
    Here::Room(RoomName::parse(room).unwrap())
}

fn act(room: &str, deed: Deed) -> Change {
    Change::Act { here: at(room), deed }
}

fn lock(room: &str) -> Change {
    act(room, Deed::to_all(Verb::LockTopic, None))
}

/// A server that stores lines, on which names can be registered.
fn with_storage() -> Server {
    Server::of(Broadcaster::resume(Inbox::default().into(), Limits::default(), Past::default()))
}

/// A person in the lobby, and in another room.
fn there(server: &mut Server, name: &str, room: &str) -> (Person, Held) {
    let mut person = server.enter(name);
    let (seat, _) = granted(server.ask(&mut person.link, join(room)));
    (person, seat)
}

/// The keepers of a room for good, and behind a bar those for the time being.
fn keepers(server: &mut Server, link: &mut Link, room: &str) -> String {
    let list = |names: Vec<Name>| names.iter().map(Name::to_string).collect::<Vec<_>>().join(" ");
    match server.ask(link, Query::Keepers { here: at(room) }) {
        Outcome::Answer(Answer::Keepers { room: Some(of), .. }) => {
            format!("{}|{}", list(of.for_good), list(of.for_now))
        }
        other => panic!("{other:?}"),
    }
}

/// Whether an act is by somebody who is called alice and keeps a room for the time being.
fn is_by_alice(act: &Act) -> bool {
    matches!(&act.by, By::KeeperForNow(author) if author.name == name("alice"))
}

fn is_done(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Done | Outcome::Answer(Answer::Act(_)))
}

#[test]
fn the_first_in_a_new_room_keeps_it_while_there() {
    let mut server = Server::new();
    let mut alice = server.enter("alice");
    assert_eq!(alice.entered.keeps, None, "nobody keeps the lobby so");
    let (tea, entered) = granted(server.ask(&mut alice.link, join("tea")));
    assert_eq!(entered.keeps, for_now("tea"));
    let mut bob = server.enter("bob");
    let (bobs, entered) = granted(server.ask(&mut bob.link, join("tea")));
    assert_eq!(entered.keeps, None, "somebody sits there");
    let here = tea.room();
    assert!(matches!(server.refusal(&mut bob.link, lock("tea")), Refusal::NotKeeper));
    assert!(is_done(&server.ask(&mut alice.link, lock("tea"))));
    let renamed = server.ask(&mut alice.link, rename("alina"));
    assert!(matches!(renamed, Outcome::Answer(Answer::YouAre(_))), "{renamed:?}");
    assert_eq!(keepers(&mut server, &mut bob.link, "tea"), "|alina");
    drop(tea);
    server.run();
    assert_eq!(keepers(&mut server, &mut bob.link, "tea"), "|");
    // The lock holds, as bob is still there; and a person who comes again is a guest.
    let topic = |room| Change::SetTopic { room, text: None };
    assert!(matches!(server.refusal(&mut bob.link, topic(here)), Refusal::TopicLocked));
    let (tea, entered) = granted(server.ask(&mut alice.link, join("tea")));
    assert_eq!(entered.keeps, None);
    drop((tea, bobs));
    server.run();
    let (tea, entered) = granted(server.ask(&mut bob.link, join("tea")));
    assert_eq!(entered.keeps, for_now("tea"), "the room is new");
    assert!(is_done(&server.ask(&mut bob.link, topic(tea.room()))));
}

#[test]
fn a_room_with_lines_a_topic_or_keepers_is_not_new() {
    let mut server = with_storage();
    let (mut alice, tea) = there(&mut server, "alice", "tea");
    server.ask(&mut alice.link, post(tea.room(), &["hello"]));
    let (den, _) = granted(server.ask(&mut alice.link, join("den")));
    server
        .ask(&mut alice.link, Change::SetTopic { room: den.room(), text: Some(server::line("x")) });
    server.own(&mut alice.link, "alice", 0);
    let (attic, entered) = granted(server.ask(&mut alice.link, join("attic")));
    assert!(entered.keeps.is_some_and(|keeping| !keeping.is_for_now));
    drop((tea, den, attic));
    server.run();
    let mut bob = server.enter("bob");
    for room in ["tea", "den", "attic"] {
        let (_seat, entered) = granted(server.ask(&mut bob.link, join(room)));
        assert_eq!(entered.keeps, None, "{room}");
    }
}

#[test]
fn rules_of_a_keeper_for_now_end_with_the_room() {
    let mut server = Server::new();
    let (mut alice, tea) = there(&mut server, "alice", "tea");
    let (mut bob, bobs) = there(&mut server, "bob", "tea");
    let (mut carol, carols) = there(&mut server, "carol", "tea");
    let here = tea.room();
    let mute = Deed { time: Some(Duration::from_secs(9_000)), ..deed(Verb::Mute, "carol") };
    for deed in [deed(Verb::Ban, "bob"), mute] {
        assert!(is_done(&server.ask(&mut alice.link, act("tea", deed))));
    }
    drop(bobs);
    let banned = server.refusal(&mut bob.link, join("tea"));
    assert!(matches!(&banned, Refusal::Banned(act) if is_by_alice(act)));
    drop(tea);
    server.run();
    assert!(matches!(server.refusal(&mut bob.link, join("tea")), Refusal::Banned(_)));
    let muted = server.refusal(&mut carol.link, post(here, &["I am here"]));
    assert!(matches!(muted, Refusal::Muted(_)), "{muted:?}");
    drop(carols);
    server.run();
    let (_seat, entered) = granted(server.ask(&mut bob.link, join("tea")));
    assert_eq!(entered.keeps, for_now("tea"));
    let (carols, _) = granted(server.ask(&mut carol.link, join("tea")));
    assert!(matches!(server.ask(&mut carol.link, post(carols.room(), &["hi"])), Outcome::Done));
}

#[test]
fn keepers_name_others_for_the_time_being() {
    let mut server = with_storage();
    let (mut alice, tea) = there(&mut server, "alice", "tea");
    let (mut bob, bobs) = there(&mut server, "bob", "tea");
    let add = |whom| act("tea", deed(Verb::AddKeeper, whom));
    let remove = |whom| act("tea", deed(Verb::RemoveKeeper, whom));
    server.enter("dave");
    assert!(matches!(server.refusal(&mut alice.link, add("dave")), Refusal::NobodyCalled(_)));
    let dave = server.enter("dave");
    assert!(matches!(server.refusal(&mut alice.link, add("dave")), Refusal::Elsewhere(..)));
    assert!(matches!(server.refusal(&mut alice.link, add("alice")), Refusal::AlreadyKeeper(_)));
    server.own(&mut bob.link, "bob", 0);
    assert!(is_done(&server.ask(&mut alice.link, add("BOB"))));
    let now = keepers(&mut server, &mut bob.link, "tea");
    assert_eq!(now, "|alice bob", "a guest's word is not for good");
    for verb in [Verb::Mute, Verb::Ban] {
        let refused = server.refusal(&mut alice.link, act("tea", deed(verb, "bob")));
        assert!(matches!(refused, Refusal::KeepsRoom(_)), "{verb:?}: {refused:?}");
    }
    assert!(is_done(&server.ask(&mut bob.link, remove("alice"))));
    assert!(matches!(server.refusal(&mut alice.link, lock("tea")), Refusal::NotKeeper));
    assert!(is_done(&server.ask(&mut bob.link, act("tea", deed(Verb::Kick, "alice")))));
    assert!(matches!(server.refusal(&mut bob.link, remove("alice")), Refusal::NoSuchKeeper(_)));
    assert!(is_done(&server.ask(&mut bob.link, remove("bob"))), "the last one, too");
    drop((bobs, tea, dave));
}

#[test]
fn a_keeper_for_now_does_not_unseat_one_for_good() {
    let mut server = with_storage();
    let mut alice = server.enter("alice");
    server.own(&mut alice.link, "alice", 0);
    let (_tea, _) = granted(server.ask(&mut alice.link, join("tea")));
    let (mut bob, _bobs) = there(&mut server, "bob", "tea");
    assert!(is_done(&server.ask(&mut alice.link, act("tea", deed(Verb::AddKeeper, "bob")))));
    let refused = server.refusal(&mut bob.link, act("tea", deed(Verb::RemoveKeeper, "alice")));
    assert!(matches!(refused, Refusal::KeeperForGood(_)), "{refused:?}");
    let refused = server.refusal(&mut bob.link, act("tea", deed(Verb::Kick, "alice")));
    assert!(matches!(refused, Refusal::IsKeeper(_)), "{refused:?}");
    // A lock or ban for good stays one, and is not told again; one for now can become one for good.
    for change in [|| lock("tea"), || act("tea", deed(Verb::Ban, "mallory"))] {
        assert!(is_done(&server.ask(&mut bob.link, change())));
        assert!(is_done(&server.ask(&mut alice.link, change())));
        let refused = server.refusal(&mut bob.link, change());
        assert!(matches!(refused, Refusal::IsSoAlready), "{refused:?}");
    }
    assert!(server.broadcaster.snapshot().locked_for_now.is_empty());
    // With a registered name, the next word of alice is for good.
    server.own(&mut bob.link, "bob", 0);
    assert!(is_done(&server.ask(&mut alice.link, act("tea", deed(Verb::AddKeeper, "bob")))));
    assert_eq!(keepers(&mut server, &mut bob.link, "tea"), "alice bob|");
    assert!(is_done(&server.ask(&mut bob.link, act("tea", deed(Verb::RemoveKeeper, "alice")))));
    assert_eq!(keepers(&mut server, &mut bob.link, "tea"), "bob|");
}

#[test]
fn a_keeper_for_now_who_comes_back_keeps_the_room() {
    let mut server = Server::new();
    let (mut alice, tea) = there(&mut server, "alice", "tea");
    let (mut bob, _bobs) = there(&mut server, "bob", "tea");
    let code = server.code(&mut alice.link, tea.room());
    let mut back = server.connect();
    let (_tea_again, entered) = granted(server.ask(&mut back, come_back(code)));
    assert_eq!(entered.keeps, for_now("tea"));
    drop(tea);
    assert!(is_done(&server.ask(&mut back, lock("tea"))));
    assert_eq!(keepers(&mut server, &mut bob.link, "tea"), "|alice");
}

#[test]
fn a_keeper_for_now_has_one_share_of_mutes_under_any_name_and_on_coming_back() {
    let mut server = Server::new();
    let (mut alice, tea) = there(&mut server, "alice", "tea");
    let long = Some(Duration::from_secs(365 * 86_400)); // may be of somebody who is not here
    let mute = |number: u32| {
        let deed = Deed { time: long, ..deed(Verb::Mute, &format!("guest-{number}")) };
        act("tea", deed)
    };
    for number in 0..100 {
        let outcome = server.ask(&mut alice.link, mute(number));
        assert!(is_done(&outcome), "{number}: {outcome:?}");
    }
    let is_used_up = |refusal| matches!(refusal, Refusal::TooManyRules(100));
    assert!(is_used_up(server.refusal(&mut alice.link, mute(100))));
    server.ask(&mut alice.link, rename("alina"));
    assert!(is_used_up(server.refusal(&mut alice.link, mute(100))));
    let code = server.code(&mut alice.link, tea.room());
    let mut back = server.connect();
    let (_tea_again, _) = granted(server.ask(&mut back, come_back(code)));
    drop(tea);
    assert!(is_used_up(server.refusal(&mut back, mute(100))));
    let (mut bob, _bobs) = there(&mut server, "bob", "den");
    let other = Deed { time: long, ..deed(Verb::Mute, "guest-100") };
    assert!(is_done(&server.ask(&mut bob.link, act("den", other))), "others have their own share");
}

#[test]
fn two_connections_of_an_owner_keep_a_room_as_one_person() {
    let mut server = with_storage();
    let (mut alice, tea) = there(&mut server, "alice", "tea");
    let mut second = server.enter("second");
    server.own(&mut alice.link, "alice", 0);
    let snapshot = server.broadcaster.snapshot();
    let account = snapshot.people[&alice.link.client().id()].account.clone();
    let change = Change::Rename(parlor_core::model::Claim { name: name("alice"), account });
    server.ask(&mut second.link, change);
    let (_again, entered) = granted(server.ask(&mut second.link, join("tea")));
    assert_eq!(entered.keeps, for_now("tea"));
    assert_eq!(keepers(&mut server, &mut second.link, "tea"), "|alice");
    drop(tea);
    server.run();
    assert!(is_done(&server.ask(&mut second.link, lock("tea"))));
}

#[test]
fn an_act_for_now_needs_no_storage() {
    let mut server = with_storage();
    let (mut alice, _tea) = there(&mut server, "alice", "tea");
    alice.link.start(lock("tea"));
    let gathered = server.gather();
    let failed = Err(NotStored("the disk is full"));
    server.broadcaster.append(gathered, failed, server.now);
    let outcome = alice.link.outcome().expect("an outcome");
    assert!(matches!(outcome, Outcome::Done), "{outcome:?}");
}

#[test]
fn the_arrival_of_a_keeper_for_now_says_so() {
    let mut server = Server::new();
    let (_alice, tea) = there(&mut server, "alice", "tea");
    let mut slices = parlor_core::log::Slices::new();
    tea.log().read(tea.log().start(), None, usize::MAX, &mut slices).unwrap();
    let entries = slices.iter().flat_map(|slice| slice.batch.entries());
    let ranks: Vec<_> = entries
        .filter_map(|entry| match entry {
            Entry::Arrived { is_keeper, .. } => Some(*is_keeper),
            _ => None,
        })
        .collect();
    assert_eq!(ranks, [true]);
}
