//! The rules of rooms: who may enter, speak, and see a room from outside.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a step that fails, fails the test")]

mod server;

use parlor_core::broadcaster::Broadcaster;
use parlor_core::journal::Past;
use parlor_core::link::{Answer, Change, Inbox, Link, Outcome, Query, Refusal};
use parlor_core::model::{
    Claim, Deed, Entry, Here, Limits, Line, Manner, Name, Proof, RoomName, RoomRules, Spoken, Verb,
    Whom,
};
use server::{Held, Person, Server, come_back, granted, join, line, post, refusal};

fn room(text: &str) -> RoomName {
    RoomName::parse(text).unwrap()
}

/// A server that stores lines, on which names can be registered.
fn server() -> Server {
    with_rules(RoomRules::default())
}

/// The same, where the room tea has these rules from an earlier run.
fn with_rules(rules: RoomRules) -> Server {
    let past = Past { rules: [(room("tea"), rules)].into(), ..Past::default() };
    Server::of(Broadcaster::resume(Inbox::default().into(), Limits::default(), past))
}

/// A person in the lobby, and in tea.
fn in_tea(server: &mut Server, name: &str) -> (Person, Held) {
    let mut person = server.enter(name);
    let (seat, _) = granted(server.ask(&mut person.link, join("tea")));
    (person, seat)
}

fn act(deed: Deed) -> Change {
    Change::Act { here: Here::Room(room("tea")), deed }
}

fn rule(verb: Verb) -> Change {
    act(Deed::to_all(verb, None))
}

fn rule_with(verb: Verb, text: &str) -> Change {
    act(Deed::to_all(verb, Some(line(text))))
}

fn about(verb: Verb, name: &str) -> Change {
    act(Deed::to(verb, Whom::Name(Name::parse(name).unwrap())))
}

fn with_password(password: &str) -> Change {
    Change::Join { room: room("tea"), password: Some(line(password)), replay: 0 }
}

fn invite(name: &str) -> Query {
    Query::Invite { to: line(name), room: room("tea") }
}

#[track_caller]
fn done(outcome: &Outcome) {
    assert!(matches!(outcome, Outcome::Done | Outcome::Answer(Answer::Act(_))), "{outcome:?}");
}

fn listen(owner: Option<&str>) -> Change {
    let claim = |name| Claim::of_owner(Name::parse(name).unwrap(), Proof(1));
    Change::Listen {
        owner: owner.map(claim),
        room: room("tea"),
        password: None,
        waits: false,
        replay: 0,
    }
}

/// The answer to a question; none if there is no such room for the person.
fn sees(server: &mut Server, link: &mut Link, query: Query) -> Option<Answer> {
    match server.ask(link, query) {
        Outcome::Answer(Answer::Refused(Refusal::NoRoom(_))) => None,
        Outcome::Answer(answer) => Some(answer),
        other => panic!("{other:?}"),
    }
}

fn rooms(server: &mut Server, link: &mut Link) -> Vec<String> {
    match server.ask(link, Query::Rooms) {
        Outcome::Answer(Answer::Rooms { rooms, .. }) => {
            rooms.iter().map(|info| info.room.to_string()).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_invited_people_enter_and_an_invitation_counts_once() {
    let mut server = server();
    let (mut alice, _tea) = in_tea(&mut server, "alice");
    let (mut bob, bobs) = in_tea(&mut server, "bob");
    done(&server.ask(&mut alice.link, rule(Verb::InvitedOnly)));
    let again = server.refusal(&mut alice.link, rule(Verb::InvitedOnly));
    assert!(matches!(again, Refusal::IsSoAlready), "{again:?}");
    let mut carol = server.enter("carol");
    let refused = server.refusal(&mut carol.link, join("tea"));
    assert!(matches!(refused, Refusal::InvitedOnly(_)), "{refused:?}");
    let refused = server.refusal(&mut bob.link, invite("carol"));
    assert!(matches!(refused, Refusal::NotKeeper), "{refused:?}");
    let invited = server.ask(&mut alice.link, invite("carol"));
    assert!(matches!(invited, Outcome::Answer(Answer::Invited { .. })), "{invited:?}");
    server.ask(&mut carol.link, server::rename("caro")); // still the same person
    let mut other = server.enter("carol");
    let refused = server.refusal(&mut other.link, join("tea"));
    assert!(matches!(refused, Refusal::InvitedOnly(_)), "the name alone is no invitation");
    let (carols, entered) = granted(server.ask(&mut carol.link, join("tea")));
    assert!(entered.rules.is_invited_only);
    drop(carols);
    server.run();
    let refused = server.refusal(&mut carol.link, join("tea"));
    assert!(matches!(refused, Refusal::InvitedOnly(_)), "it has been used: {refused:?}");
    drop(bobs);
    server.run();
    done(&server.ask(&mut alice.link, rule(Verb::LetEverybodyIn)));
    granted(server.ask(&mut bob.link, join("tea")));
}

#[test]
fn a_password_and_a_limit_keep_people_out_unless_a_keeper_invites_them() {
    let mut server = server();
    let (mut alice, _tea) = in_tea(&mut server, "alice");
    for wrong in ["", "a b", "a,b", ":a", &"x".repeat(33)] {
        let refused = server.refusal(&mut alice.link, rule_with(Verb::SetRoomPassword, wrong));
        assert!(matches!(refused, Refusal::NoRoomPassword(_)), "{wrong}: {refused:?}");
    }
    for wrong in ["0", "-1", "x", "1000001", ""] {
        let refused = server.refusal(&mut alice.link, rule_with(Verb::Limit, wrong));
        assert!(matches!(refused, Refusal::NoLimit), "{wrong}: {refused:?}");
    }
    done(&server.ask(&mut alice.link, rule_with(Verb::SetRoomPassword, "beer")));
    let mut bob = server.enter("bob");
    for attempt in [join("tea"), with_password("Beer")] {
        let refused = server.refusal(&mut bob.link, attempt);
        assert!(matches!(refused, Refusal::WrongRoomPassword(_)), "{refused:?}");
    }
    let (bobs, _) = granted(server.ask(&mut bob.link, with_password("beer")));
    done(&server.ask(&mut alice.link, rule_with(Verb::Limit, "2")));
    let mut carol = server.enter("carol");
    let refused = server.refusal(&mut carol.link, with_password("beer"));
    assert!(matches!(refused, Refusal::RoomFull(_, 2)), "{refused:?}");
    server.ask(&mut alice.link, invite("carol"));
    let (_carols, _) = granted(server.ask(&mut carol.link, join("tea")));
    // The code of a person who sat there leads back.
    let code = server.code(&mut bob.link, bobs.room());
    let mut back = server.connect();
    let (_seat, _) = granted(server.ask(&mut back, come_back(code)));
    // Only people in the room read the password.
    let password = |answer| match answer {
        Some(Answer::Rules { rules, .. }) => rules.password.unwrap().to_string(),
        other => panic!("{other:?}"),
    };
    let query = || Query::Rules(room("tea"));
    assert_eq!(password(sees(&mut server, &mut carol.link, query())), "beer");
    let mut dave = server.enter("dave");
    assert_eq!(password(sees(&mut server, &mut dave.link, query())), "*");
}

#[test]
fn only_keepers_and_people_with_a_voice_speak_in_a_moderated_room() {
    let mut server = server();
    let (mut alice, _tea) = in_tea(&mut server, "alice");
    let (mut bob, bobs) = in_tea(&mut server, "bob");
    done(&server.ask(&mut alice.link, rule(Verb::Moderate)));
    let say = post(bobs.room(), &["hello"]);
    let refused = server.refusal(&mut bob.link, say);
    assert!(matches!(refused, Refusal::Moderated(_)), "{refused:?}");
    let topic = Change::SetTopic { room: bobs.room(), text: None };
    assert!(matches!(server.refusal(&mut bob.link, topic), Refusal::Moderated(_)));
    let mut curl = server.connect();
    let once = |name: &str| Change::SpeakOnce {
        name: Name::parse(name).unwrap().into(),
        profile: None,
        room: room("tea"),
        password: None,
        lines: vec![Spoken::new(Manner::Plain, Line::sanitise(b"x"))],
    };
    assert!(matches!(server.refusal(&mut curl, once("ci")), Refusal::Moderated(_)));
    assert!(matches!(server.ask(&mut alice.link, post(bobs.room(), &["hi"])), Outcome::Done));
    let refused = server.refusal(&mut alice.link, about(Verb::GiveVoice, "norbert"));
    assert!(matches!(refused, Refusal::NobodyCalled(_)), "{refused:?}");
    done(&server.ask(&mut alice.link, about(Verb::GiveVoice, "bob")));
    assert!(matches!(server.ask(&mut bob.link, post(bobs.room(), &["hello"])), Outcome::Done));
    done(&server.ask(&mut alice.link, about(Verb::TakeVoice, "bob")));
    assert!(matches!(
        server.refusal(&mut bob.link, post(bobs.room(), &["x"])),
        Refusal::Moderated(_)
    ));
    // A voice ends with the seat, and so do last words without one.
    done(&server.ask(&mut alice.link, about(Verb::GiveVoice, "bob")));
    drop(bobs);
    server.run();
    let (bobs, _) = granted(server.ask(&mut bob.link, join("tea")));
    bobs.leave(Some(line("unheard")));
    server.run();
    let mut slices = parlor_core::log::Slices::new();
    _tea.log().read(_tea.log().start(), None, usize::MAX, &mut slices).unwrap();
    let entries = slices.iter().flat_map(|slice| slice.batch.entries());
    let words = entries.filter_map(|entry| match entry {
        Entry::Left { words, .. } => Some(words.is_some()),
        _ => None,
    });
    assert_eq!(words.collect::<Vec<_>>(), [false, false]);
}

#[test]
fn a_secret_room_does_not_exist_for_people_outside() {
    let mut server = server();
    let (mut alice, tea) = in_tea(&mut server, "alice");
    server.ask(&mut alice.link, post(tea.room(), &["psst"]));
    let mut bob = server.enter("bob");
    let mut ear = server.connect();
    let listening = server.ask(&mut ear, listen(None));
    assert!(matches!(listening, Outcome::Listening(..)), "{listening:?}");
    done(&server.ask(&mut alice.link, rule(Verb::Hide)));
    assert!(ear.client().removed().is_some(), "what is open already ends");
    let queries = || {
        [
            Query::WhoIn(room("tea")),
            Query::Topic(room("tea")),
            Query::Rules(room("tea")),
            Query::People { room: room("tea"), from: 0 },
        ]
    };
    for query in queries() {
        let asked = format!("{query:?}");
        assert!(sees(&mut server, &mut bob.link, query).is_none(), "{asked}");
    }
    assert_eq!(rooms(&mut server, &mut bob.link), ["lobby"]);
    assert_eq!(rooms(&mut server, &mut alice.link), ["lobby", "tea"]);
    let mut curl = server.connect();
    assert!(matches!(server.refusal(&mut curl, listen(None)), Refusal::NoRoom(_)));
    let refused = server.refusal(&mut bob.link, about(Verb::Kick, "alice"));
    assert!(matches!(refused, Refusal::NoRoom(_)), "{refused:?}");
    assert!(matches!(server.refusal(&mut bob.link, invite("alice")), Refusal::NoRoom(_)));
    match server.ask(&mut bob.link, Query::Whois(line("alice"))) {
        Outcome::Answer(Answer::Whois(whois)) => {
            let rooms: Vec<_> = whois.rooms.iter().map(|of| of.room.as_str()).collect();
            assert_eq!(rooms, ["lobby"]);
        }
        other => panic!("{other:?}"),
    }
    let barred = |server: &mut Server, link: &mut Link| match server.ask(link, Query::Barred) {
        Outcome::Barred(rooms) => rooms.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!((barred(&mut server, &mut bob.link), barred(&mut server, &mut alice.link)), (1, 0));
    // An owner who sits there may listen, too, and no longer after leaving.
    server.own(&mut alice.link, "alice", 0);
    let mut own_ear = server.connect();
    let listening = server.ask(&mut own_ear, listen(Some("alice")));
    assert!(matches!(listening, Outcome::Listening(..)), "{listening:?}");
    let (bobs, _) = granted(server.ask(&mut bob.link, join("tea")));
    drop(tea);
    server.run();
    assert!(own_ear.client().removed().is_some());
    drop(bobs);
}

#[test]
fn a_listener_reads_with_the_password_of_the_room_as_long_as_it_is_the_password() {
    let mut server = server();
    let (mut alice, _tea) = in_tea(&mut server, "alice");
    done(&server.ask(&mut alice.link, rule_with(Verb::SetRoomPassword, "beer")));
    done(&server.ask(&mut alice.link, rule(Verb::Hide)));
    let listen_with = |password: &str| Change::Listen {
        owner: None,
        room: room("tea"),
        password: Some(line(password)),
        waits: true,
        replay: 0,
    };
    let mut ear = server.connect();
    assert!(matches!(server.refusal(&mut ear, listen_with("ale")), Refusal::NoRoom(_)));
    assert!(matches!(server.refusal(&mut ear, listen(None)), Refusal::NoRoom(_)));
    let listening = server.ask(&mut ear, listen_with("beer"));
    assert!(matches!(listening, Outcome::Listening(..)), "{listening:?}");
    done(&server.ask(&mut alice.link, rule(Verb::Moderate)));
    assert!(ear.client().removed().is_none(), "the password is the same");
    done(&server.ask(&mut alice.link, rule_with(Verb::SetRoomPassword, "ale")));
    assert!(ear.client().removed().is_some());
    let mut other = server.connect();
    let listening = server.ask(&mut other, listen_with("ale"));
    assert!(matches!(listening, Outcome::Listening(..)), "{listening:?}");
    done(&server.ask(&mut alice.link, rule(Verb::InvitedOnly)));
    assert!(other.client().removed().is_some(), "a password is no invitation");
}

#[test]
fn rules_of_a_keeper_for_good_outlast_the_people_and_a_restart() {
    let mut server = server();
    let mut alice = server.enter("alice");
    server.own(&mut alice.link, "alice", 0);
    let (tea, _) = granted(server.ask(&mut alice.link, join("tea")));
    done(&server.ask(&mut alice.link, rule(Verb::MakePrivate)));
    let (mut bob, bobs) = {
        let mut bob = server.enter("bob");
        server.ask(&mut alice.link, invite("bob"));
        let (seat, _) = granted(server.ask(&mut bob.link, join("tea")));
        (bob, seat)
    };
    done(&server.ask(&mut alice.link, about(Verb::AddKeeper, "bob")));
    done(&server.ask(&mut bob.link, rule(Verb::Moderate))); // as long as somebody sits there
    done(&server.ask(&mut bob.link, rule(Verb::Unhide))); // for good
    drop((tea, bobs));
    server.run();
    let left = server.broadcaster.snapshot().rules[&room("tea")].clone();
    assert_eq!(left.now, left.lasting);
    assert_eq!(left.now, RoomRules { is_invited_only: true, ..RoomRules::default() });
    let mut server = with_rules(left.lasting);
    let mut carol = server.enter("carol");
    assert!(matches!(server.refusal(&mut carol.link, join("tea")), Refusal::InvitedOnly(_)));
    assert!(matches!(
        refusal(server.ask(&mut carol.link, rule(Verb::OpenRoom))),
        Refusal::NotThere | Refusal::NoRoom(_)
    ));
}

#[test]
fn the_lobby_stays_open() {
    let past = Past {
        keepers: vec![(parlor_core::model::Reach::Server, Name::parse("alice").unwrap())],
        ..Past::default()
    };
    let broadcaster = Broadcaster::resume(Inbox::default().into(), Limits::default(), past);
    let mut server = Server::of(broadcaster);
    let mut alice = server.enter("alice");
    server.own(&mut alice.link, "alice", 0);
    let here = Here::Room(RoomName::lobby());
    let change = |verb| Change::Act { here: here.clone(), deed: Deed::to_all(verb, None) };
    for verb in [Verb::MakePrivate, Verb::Hide, Verb::InvitedOnly] {
        assert!(matches!(server.refusal(&mut alice.link, change(verb)), Refusal::LobbyIsOpen));
    }
    done(&server.ask(&mut alice.link, change(Verb::Moderate)));
}
