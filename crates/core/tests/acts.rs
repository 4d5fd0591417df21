//! Acts of keepers and of the operator, at times that the test sets.
#![expect(clippy::unwrap_used, reason = "a step that fails, fails the test")]

#[path = "server/held.rs"]
mod held;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use held::Held;
use parlor_core::broadcaster::{Broadcaster, Gathered, RETURN_TIME};
use parlor_core::journal::{NotStored, Past};
use parlor_core::ledger::{Account, ReturnCode, Validity};
use parlor_core::link::{
    Answer, Change, CodeChange, Entered, FirstRoom, Inbox, Link, Mail, Notice, Outcome, Query,
    Refusal, Request, Seat,
};
use parlor_core::log::Slices;
use parlor_core::model::{
    Act, Author, By, Claim, Deed, End, Entry, Hashed, Here, Keeping, Limits, Line, Looks, Manner,
    Name, Now, Proof, Reach, RoomName, Spoken, Topic, Verb, WallTime, Whom,
};

/// A server on which alice, carol and dave own their names. Alice and carol are keepers of the
/// server, dave is a keeper of tea.
struct Server {
    broadcaster: Broadcaster,
    now: Now,
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// An account that was registered before the start.
fn account(text: &str) -> Account {
    let (name, since, password) = (name(text), WallTime(0), "hash".into());
    Account { name, since, password, token: None, proof: Proof::default() }
}

/// The hash of a return code.
const CODE: Hashed = Hashed([7; 32]);

/// The code of an owner whose connection has ended.
fn ended_code(who: &str, there: &str) -> ReturnCode {
    let name = name(who);
    ReturnCode {
        looks: Looks::of(&name),
        claim: Claim::of_owner(name, Proof::default()),
        room: room(there),
        seq: 0,
        validity: Validity::Until(WallTime(i64::MAX)),
    }
}

/// A return with a code, to a room.
fn come_back(code: Hashed, there: &str) -> Change {
    Change::ComeBack { code, now: WallTime(0), profile: None, room: FirstRoom::Named(room(there)) }
}

fn line(text: &str) -> Line {
    Line::sanitise(text.as_bytes())
}

fn private(to: &str, text: &str) -> Query {
    let lines = vec![Spoken::new(Manner::Plain, line(text))];
    Query::Private { to: line(to), lines, is_for_programs: false, may_be_own: false }
}

fn room(text: &str) -> RoomName {
    RoomName::parse(text).unwrap()
}

impl Server {
    fn new() -> Server {
        Server::with_bans(Vec::new())
    }

    fn with_bans(bans: Vec<Act>) -> Server {
        let past = Past {
            accounts: ["alice", "carol", "dave", "owen"].map(account).to_vec(),
            keepers: vec![
                (Reach::Server, name("alice")),
                (Reach::Server, name("carol")),
                (Reach::Room(room("tea")), name("dave")),
            ],
            bans,
            ..Past::default()
        };
        Server::with(past)
    }

    fn with(past: Past) -> Server {
        let inbox = Arc::new(Inbox::default());
        Server {
            broadcaster: Broadcaster::resume(inbox, Limits::default(), past),
            now: Now::default(),
        }
    }

    fn later(&mut self, minutes: u64) {
        self.now.monotonic += Duration::from_mins(minutes);
        self.now.wall = WallTime(self.now.wall.0 + 60_000 * minutes as i64);
    }

    /// Makes a request and stores its acts at once.
    fn ask(&mut self, link: &mut Link, request: impl Into<Request>) -> Outcome {
        link.start(request);
        self.finish(None);
        link.outcome().unwrap()
    }

    /// Makes a request. Its batch is now being stored.
    fn begin(&mut self, link: &mut Link, request: impl Into<Request>) -> Option<Gathered> {
        link.start(request);
        self.broadcaster.drain(self.now);
        self.broadcaster.gather(self.now)
    }

    /// Handles the requests that came meanwhile, stores the batch, and does everything that
    /// follows.
    fn finish(&mut self, begun: Option<Gathered>) {
        self.broadcaster.drain(self.now);
        let mut begun = begun;
        while let Some(gathered) = begun.take().or_else(|| self.broadcaster.gather(self.now)) {
            self.broadcaster.append(gathered, Ok(()), self.now);
        }
    }

    fn connect(&self, address: &str) -> Link {
        let address: SocketAddr = address.parse().unwrap();
        let inbox = self.broadcaster.inbox();
        inbox.connect_from(Some(address), |_| Arc::default())
    }

    fn try_to_enter(
        &mut self,
        link: &mut Link,
        who: &str,
        is_proven: bool,
    ) -> Result<Held, Refusal> {
        let (name, room, replay) = (name(who), RoomName::lobby(), 0);
        let name = claim(name, is_proven);
        match self.ask(link, Change::Enter { name, profile: None, room, replay }) {
            Outcome::Answer(Answer::Refused(refusal)) => Err(refusal),
            other => Ok(seat(other).0),
        }
    }

    fn enter(&mut self, who: &str, is_proven: bool) -> (Link, Held) {
        let mut link = self.connect("198.51.100.7:50000");
        let seat = self.try_to_enter(&mut link, who, is_proven);
        (link, seat.unwrap())
    }

    fn join(&mut self, link: &mut Link, typed: &str) -> Result<Held, Refusal> {
        match self.ask(link, join(typed)) {
            Outcome::Answer(Answer::Refused(refusal)) => Err(refusal),
            other => Ok(seat(other).0),
        }
    }

    /// Makes a return code for a person.
    fn make_code(&mut self, link: &mut Link, seat: &Seat) {
        let make = CodeChange::Make { code: CODE, room: Some(seat.room()) };
        answered(self.ask(link, Change::Code(make))).unwrap();
    }

    fn say(&mut self, link: &mut Link, seat: &Seat) -> Result<(), Refusal> {
        let lines = vec![Spoken::new(Manner::Plain, line("hello"))];
        let room = seat.room();
        match self.ask(link, Change::Say { room, lines }) {
            Outcome::Answer(Answer::Refused(refusal)) => Err(refusal),
            _ => Ok(()),
        }
    }

    fn act(&mut self, link: &mut Link, seat: &Seat, deed: Deed) -> Result<(), Refusal> {
        answered(self.ask(link, act(seat, deed)))
    }

    fn operate(&mut self, deed: Deed) -> Result<(), Refusal> {
        let mut link = self.broadcaster.inbox().connect();
        answered(self.ask(&mut link, Change::Act { here: Here::Operator, deed }))
    }
}

fn act(seat: &Seat, deed: Deed) -> Change {
    Change::Act { here: Here::Room(seat.room_name().clone()), deed }
}

fn called(typed: &str) -> Whom {
    Whom::Name(name(typed))
}

fn ban(whom: &str, minutes: Option<u64>) -> Deed {
    Deed {
        time: minutes.map(Duration::from_mins),
        ..Deed::to(Verb::Ban, Whom::parse(whom).unwrap())
    }
}

fn mute(whom: &str, minutes: u64) -> Deed {
    Deed { time: Some(Duration::from_mins(minutes)), ..Deed::to(Verb::Mute, called(whom)) }
}

fn kick(whom: &str) -> Deed {
    Deed::to(Verb::Kick, called(whom))
}

fn lock() -> Deed {
    Deed::to_all(Verb::LockTopic, None)
}

fn join(typed: &str) -> Change {
    Change::Join { room: room(typed), password: None, replay: 0 }
}

/// The seat that was granted.
fn granted(link: &mut Link) -> Held {
    seat(link.outcome().unwrap()).0
}

fn seat(outcome: Outcome) -> (Held, Box<Entered>) {
    Held::take(outcome).unwrap_or_else(|other| panic!("no seat but {other:?}"))
}

fn is_banned<T>(outcome: &Result<T, Refusal>) -> bool {
    matches!(outcome, Err(Refusal::Banned(_)))
}

#[test]
fn a_ban_ends_by_itself() {
    let mut server = Server::new();
    server.operate(ban("bob", Some(30))).unwrap();
    let mut bob = server.connect("198.51.100.7:50001");
    for typed in ["bob", "B0B"] {
        assert!(is_banned(&server.try_to_enter(&mut bob, typed, false)), "{typed}");
    }
    server.later(29);
    assert!(is_banned(&server.try_to_enter(&mut bob, "bob", false)));
    server.later(1);
    assert!(server.try_to_enter(&mut bob, "bob", false).is_ok());
    let mut operator = server.broadcaster.inbox().connect();
    let bans = server.ask(&mut operator, Query::Bans { here: Here::Operator, skip: 0 });
    let Outcome::Answer(Answer::Bans { bans, .. }) = bans else {
        panic!("a list");
    };
    assert_eq!(bans.len(), 0);
}

#[test]
fn a_person_who_came_behind_the_end_of_a_ban_stays_if_the_clock_goes_back() {
    let mut server = Server::new();
    let (mut dave, _lobby) = server.enter("dave", true);
    let (mut bob, _bobs_lobby) = server.enter("bob", false);
    let tea = server.join(&mut dave, "tea").unwrap();
    server.act(&mut dave, &tea, ban("bob", Some(30))).unwrap();
    server.later(30);
    let seat = server.join(&mut bob, "tea").unwrap();
    server.now.wall = WallTime(0);
    server.say(&mut bob, &seat).unwrap();
    let people = Query::People { room: room("tea"), from: 0 };
    let listed = server.ask(&mut bob, people);
    assert!(matches!(listed, Outcome::Page(None)), "{listed:?}");
    drop(seat);
    server.finish(None);
    assert!(is_banned(&server.join(&mut bob, "tea")));
}

#[test]
fn a_later_ban_of_the_same_target_replaces_the_earlier_one() {
    let mut server = Server::new();
    server.operate(ban("bob", None)).unwrap();
    server.operate(ban("BOB", Some(5))).unwrap();
    server.later(5);
    let mut bob = server.connect("198.51.100.7:50001");
    assert!(server.try_to_enter(&mut bob, "bob", false).is_ok());
}

#[test]
fn a_muted_person_may_speak_again_when_the_time_is_over() {
    let mut server = Server::new();
    let (mut bob, seat) = server.enter("bob", false);
    let (mut alice, here) = server.enter("alice", true);
    server.act(&mut alice, &here, mute("bob", 10)).unwrap();
    let muted = |outcome: &Result<(), Refusal>| matches!(outcome, Err(Refusal::Muted(_)));
    assert!(muted(&server.say(&mut bob, &seat)));
    server.later(9);
    assert!(muted(&server.say(&mut bob, &seat)));
    server.later(1);
    assert!(server.say(&mut bob, &seat).is_ok());
}

#[test]
fn a_banned_address_keeps_out_everybody_except_keepers() {
    let mut server = Server::new();
    server.operate(ban("198.51.100.0/24", None)).unwrap();
    let mut eve = server.connect("198.51.100.7:50001");
    for typed in ["eve", "mallory"] {
        assert!(is_banned(&server.try_to_enter(&mut eve, typed, false)));
    }
    let mut dave = server.connect("198.51.100.8:50001");
    assert!(is_banned(&server.try_to_enter(&mut dave, "dave", true)), "who keeps tea alone");
    let mut alice = server.connect("198.51.100.9:50001");
    let _here = server.try_to_enter(&mut alice, "alice", true).unwrap();
    let mut bob = server.connect("198.51.101.7:50001");
    assert!(server.try_to_enter(&mut bob, "bob", false).is_ok());
    let refused = server.operate(ban("0.0.0.0/0", None));
    assert!(matches!(refused, Err(Refusal::LocksOutKeeper(_))), "{refused:?}");
}

#[test]
fn bans_of_rooms_and_bans_of_the_server_have_separate_limits() {
    let bans = (0..10_000).map(|number| Act {
        deed: ban(&format!("guest{number}"), Some(1)),
        by: By::Operator,
        reach: Reach::Room(room(&format!("room{}", number / 1_000))),
        at: WallTime(0),
    });
    let bans = bans.collect();
    let mut server = Server::with_bans(bans);
    let (mut dave, _lobby) = server.enter("dave", true);
    let tea = server.join(&mut dave, "tea").unwrap();
    let refused = server.act(&mut dave, &tea, ban("bob", None));
    assert!(matches!(refused, Err(Refusal::TooManyRules(10_000))), "{refused:?}");
    server.operate(ban("bob", None)).unwrap();
    server.later(1); // and the bans are over
    server.act(&mut dave, &tea, ban("bob", None)).unwrap();
}

#[test]
fn a_ban_removes_a_person_whose_arrival_is_on_its_way() {
    let mut server = Server::new();
    let (mut dave, _lobby) = server.enter("dave", true);
    let tea = server.join(&mut dave, "tea").unwrap();
    let (mut bob, _seat) = server.enter("bob", false);
    bob.start(join("tea")); // before the ban, and in the same batch
    server.act(&mut dave, &tea, ban("bob", None)).unwrap();
    let seat = granted(&mut bob);
    assert!(seat.removed().is_some());
    assert!(server.say(&mut bob, &seat).is_err());
}

#[test]
fn a_person_who_is_arriving_is_removed_from_a_room() {
    let mut server = Server::new();
    let (mut dave, _lobby) = server.enter("dave", true);
    let tea = server.join(&mut dave, "tea").unwrap();
    let (mut bob, _seat) = server.enter("bob", false);
    let arriving = server.begin(&mut bob, join("tea"));
    dave.start(act(&tea, kick("bob")));
    server.finish(arriving);
    let outcome = dave.outcome();
    assert!(matches!(outcome, Some(Outcome::Done)), "{outcome:?}"); // dave reads it in tea
    let seat = granted(&mut bob);
    assert!(seat.removed().is_some());
    assert!(server.say(&mut bob, &seat).is_err());
    drop(seat);
    server.finish(None);
    assert!(server.join(&mut bob, "tea").is_ok(), "it was no ban");
}

#[test]
fn a_person_who_joins_again_before_the_removal_is_told_has_the_new_seat() {
    let mut server = Server::new();
    let (mut dave, _lobby) = server.enter("dave", true);
    let tea = server.join(&mut dave, "tea").unwrap();
    let (mut bob, lobby) = server.enter("bob", false);
    let former = server.join(&mut bob, "tea").unwrap();
    let presence = lobby.get_up();
    let kicked = server.begin(&mut dave, act(&tea, kick("bob")));
    bob.start(join("tea"));
    server.finish(kicked);
    let seat = granted(&mut bob);
    assert!(former.removed().is_some() && seat.removed().is_none());
    drop(former); // the new seat stays
    server.finish(None);
    assert!(server.say(&mut bob, &seat).is_ok());
    drop(presence);
    server.finish(None);
    assert_eq!(server.broadcaster.census().people, 1);
}

#[test]
fn a_person_who_is_removed_from_all_rooms_stays_on_the_server() {
    let mut server = Server::new();
    let (mut dave, lobby) = server.enter("dave", true);
    let tea = server.join(&mut dave, "tea").unwrap();
    let (mut bob, seat) = server.enter("bob", false);
    let first = server.join(&mut bob, "tea").unwrap();
    let kicked = server.begin(&mut dave, act(&tea, kick("bob")));
    let presence = seat.get_up();
    server.finish(kicked);
    assert!(first.removed().is_some());
    drop(first);
    server.finish(None);
    assert_eq!(server.broadcaster.census().people, 2);
    let second = server.join(&mut bob, "lobby").unwrap();
    assert!(server.say(&mut bob, &second).is_ok());
    drop((presence, second, lobby, tea));
    server.finish(None);
    assert_eq!(server.broadcaster.census().people, 0);
}

#[test]
fn a_person_between_a_removal_and_the_next_room_reads_private_messages() {
    let mut server = Server::new();
    let (mut dave, _lobby) = server.enter("dave", true);
    let tea = server.join(&mut dave, "tea").unwrap();
    let (mut bob, seat) = server.enter("bob", false);
    let former = server.join(&mut bob, "tea").unwrap();
    let _presence = seat.get_up();
    let kicked = server.begin(&mut dave, act(&tea, kick("bob")));
    let (mut eve, text) = (server.connect("198.51.100.7:50002"), "psst");
    eve.start(Change::Enter {
        name: name("eve").into(),
        profile: None,
        room: RoomName::lobby(),
        replay: 0,
    });
    server.finish(kicked);
    let _seat = granted(&mut eve);
    let outcome = server.ask(&mut eve, private("bob", text));
    assert!(matches!(outcome, Outcome::Answer(Answer::Private(_))), "{outcome:?}");
    assert!(!bob.client().has_no_mail());
    drop(former);
}

#[test]
fn a_person_who_leaves_a_room_and_comes_back_at_once_is_removed_from_it() {
    let mut server = Server::new();
    let (mut dave, _lobby) = server.enter("dave", true);
    let tea = server.join(&mut dave, "tea").unwrap();
    let (mut bob, _seat) = server.enter("bob", false);
    let former = server.join(&mut bob, "tea").unwrap();
    drop(former);
    let arriving = server.begin(&mut bob, join("tea")); // the departure is in the same batch
    dave.start(act(&tea, kick("bob")));
    server.finish(arriving);
    assert!(granted(&mut bob).removed().is_some());
}

#[test]
fn a_person_who_is_entering_is_removed_from_the_server() {
    let mut server = Server::new();
    let mut bob = server.connect("198.51.100.7:50001");
    let (name, room, replay) = (name("bob"), RoomName::lobby(), 0);
    let name = Claim::from(name);
    let arriving = server.begin(&mut bob, Change::Enter { name, profile: None, room, replay });
    let mut operator = server.broadcaster.inbox().connect();
    operator.start(Change::Act { here: Here::Operator, deed: kick("bob") });
    server.finish(arriving);
    let outcome = operator.outcome();
    let Some(Outcome::Answer(Answer::Act(act))) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(act.deed, kick("bob"));
    assert!(bob.client().removed().is_some());
    let seat = granted(&mut bob);
    assert!(server.say(&mut bob, &seat).is_err());
}

#[test]
fn keepers_have_no_authority_over_other_keepers_of_the_same_room_or_server() {
    let mut server = Server::new();
    let (mut alice, here) = server.enter("alice", true);
    let (_carol, _there) = server.enter("carol", true);
    let (mut dave, lobby) = server.enter("dave", true);
    for deed in
        [ban("carol", None), ban("CAROL", None), mute("carol", 1), ban("198.51.100.7", None)]
    {
        let refused = server.act(&mut alice, &here, deed);
        assert!(
            matches!(refused, Err(Refusal::IsKeeper(_) | Refusal::LocksOutKeeper(_))),
            "{refused:?}"
        );
    }
    // In the lobby dave is no keeper. In tea he is one, but has no authority over keepers of the
    // server.
    let refused = server.act(&mut dave, &lobby, ban("bob", None));
    assert!(matches!(refused, Err(Refusal::NotKeeper)), "{refused:?}");
    let tea = server.join(&mut dave, "tea").unwrap();
    let refused = server.act(&mut dave, &tea, ban("alice", None));
    assert!(matches!(refused, Err(Refusal::IsKeeper(_))), "{refused:?}");
    server.act(&mut dave, &tea, ban("bob", None)).unwrap();
    let (mut bob, _seat) = server.enter("bob", false); // a ban from tea only
    assert!(is_banned(&server.join(&mut bob, "tea")));
    // A keeper of the server has authority over a keeper of a room.
    server.act(&mut alice, &here, ban("dave", None)).unwrap();
    assert!(dave.client().removed().is_some());
}

#[test]
fn an_owner_may_enter_although_other_names_look_alike_in_other_letters() {
    let owned = ["ALlCE", "alice"]; // with a small l; this name came first
    for names in [owned, [owned[1], owned[0]]] {
        let past = Past { accounts: owned.map(account).to_vec(), ..Past::default() };
        let mut server = Server::with(past);
        let _seats = names.map(|name| server.enter(name, true));
    }
}

#[test]
fn a_person_who_only_wears_the_name_of_a_keeper_has_no_authority() {
    let mut server = Server::new();
    let mut mallory = server.connect("198.51.100.7:50001");
    let refused = server.try_to_enter(&mut mallory, "alice", false);
    assert!(matches!(refused, Err(Refusal::NameOwned(_))), "{refused:?}");
    let (mut bob, seat) = server.enter("bob", false);
    for request in [
        Request::from(act(&seat, Deed::to_all(Verb::Broadcast, Some(line("hi"))))),
        Request::from(act(&seat, Deed::to_all(Verb::Reload, None))),
        Request::from(act(&seat, lock())),
    ] {
        let refused = answered(server.ask(&mut bob, request));
        assert!(matches!(refused, Err(Refusal::NotKeeper)), "{refused:?}");
    }
}

#[test]
fn people_in_a_room_read_whom_it_bans_and_mutes_but_no_address() {
    let mut server = Server::new();
    let (mut dave, _lobby) = server.enter("dave", true);
    let tea = server.join(&mut dave, "tea").unwrap();
    for deed in [ban("mallory", None), ban("192.0.2.0/24", None), mute("absent", 100_000)] {
        server.act(&mut dave, &tea, deed).unwrap();
    }
    let short = server.act(&mut dave, &tea, mute("norbert", 600));
    assert!(matches!(short, Err(Refusal::NobodyCalled(_))), "a mistake: {short:?}");
    let (mut bob, _seat) = server.enter("bob", false);
    let bans = |server: &mut Server, link: &mut Link| {
        let asked = server.ask(link, Query::Bans { here: Here::Room(room("tea")), skip: 0 });
        match asked {
            Outcome::Answer(Answer::Bans { bans, .. }) => bans.len(),
            _ => 0,
        }
    };
    assert_eq!(bans(&mut server, &mut bob), 0, "outside");
    let _there = server.join(&mut bob, "tea").unwrap();
    assert_eq!(bans(&mut server, &mut bob), 2);
    assert_eq!(bans(&mut server, &mut dave), 3);
    let (mut absent, _seat) = server.enter("absent", false);
    let there = server.join(&mut absent, "tea").unwrap();
    assert!(is_muted(&server.say(&mut absent, &there)));
    let voice = Deed::to(Verb::GiveVoice, called("absent"));
    server.act(&mut dave, &tea, voice).unwrap();
    server.say(&mut absent, &there).unwrap();
    server.act(&mut dave, &tea, mute("absent", 9)).unwrap();
    assert!(is_muted(&server.say(&mut absent, &there)), "a mute ends the voice");
}

fn is_muted<T>(outcome: &Result<T, Refusal>) -> bool {
    matches!(outcome, Err(Refusal::Muted(_)))
}

fn answered(outcome: Outcome) -> Result<(), Refusal> {
    match outcome {
        Outcome::Answer(Answer::Refused(refusal)) => Err(refusal),
        _ => Ok(()),
    }
}

#[test]
fn a_mute_silences_every_way_to_be_read() {
    let mut server = Server::new();
    let (mut bob, seat) = server.enter("bob", false);
    let (_eve, _there) = server.enter("eve", false);
    server.operate(mute("bob", 10)).unwrap();
    let claim = |typed| Change::Rename(name(typed).into());
    let write = |to| private(to, "buy");
    let topic = Change::SetTopic { room: seat.room(), text: Some(line("buy")) };
    let speak = Change::SpeakOnce {
        name: name("B0B").into(), // looks like bob
        profile: None,
        room: RoomName::lobby(),
        password: None,
        lines: vec![Spoken::new(Manner::Action, line("buys"))],
    };
    assert!(is_muted(&server.say(&mut bob, &seat)));
    for request in [
        Request::from(claim("buy-cheap-at.example.org")),
        Request::from(claim("BOB")),
        Request::from(write("eve")),
        Request::from(write("dave")), // dave is away, and finds it on coming back
        Request::from(topic),
        Request::from(join("buy-cheap-at.example.org")),
    ] {
        let asked = format!("{request:?}");
        assert!(is_muted(&answered(server.ask(&mut bob, request))), "{asked}");
    }
    let mut curl = server.connect("198.51.100.8:50001");
    let spoken = answered(server.ask(&mut curl, speak));
    assert!(spoken.is_err(), "{spoken:?}"); // the name is in use, too
    // A keeper receives messages from muted people, who may also keep their name.
    let away = answered(server.ask(&mut bob, write("alice")));
    assert!(matches!(away, Err(Refusal::Away(_))), "{away:?}");
    let (_alice, _here) = server.enter("alice", true);
    answered(server.ask(&mut bob, write("alice"))).unwrap();
    answered(server.ask(&mut bob, claim("bob"))).unwrap();
    server.later(10);
    answered(server.ask(&mut bob, claim("bobby"))).unwrap();
}

#[test]
fn keepers_act_without_a_seat() {
    let mut server = Server::new();
    let (mut dave, _dave) = server.enter("dave", true);
    let (mut bob, _bob) = server.enter("bob", false);
    let _tea = server.join(&mut bob, "tea").unwrap();
    let (mut erin, _erin) = server.enter("erin", false);
    let mut alice = server.connect("198.51.100.8:50000");
    let name = Claim::of_owner(name("alice"), Proof::default());
    let came = server.ask(&mut alice, Change::Come { name, profile: None });
    let Outcome::Came(_presence, None) = came else { panic!("{came:?}") };
    let [tea, none] = [Here::Room(room("tea")), Here::Room(room("nonsense"))];
    let mut ask = |link: &mut Link, here: &Here, deed| {
        answered(server.ask(link, Change::Act { here: here.clone(), deed }))
    };
    // A keeper of a room, from outside it.
    ask(&mut dave, &tea, mute("bob", 5)).unwrap();
    assert!(matches!(ask(&mut dave, &Here::Server, kick("bob")), Err(Refusal::NotKeeper)));
    // Others outside: the room may not even exist.
    assert!(matches!(ask(&mut erin, &tea, kick("bob")), Err(Refusal::NotThere)));
    assert!(matches!(ask(&mut erin, &none, kick("bob")), Err(Refusal::NoRoom(_))));
    assert!(matches!(ask(&mut erin, &Here::Server, kick("bob")), Err(Refusal::NotKeeper)));
    // A keeper of the server, who sits nowhere.
    assert!(matches!(ask(&mut alice, &Here::Server, lock()), Err(Refusal::NoSeat)));
    let keeper = Deed::to(Verb::AddKeeper, called("dave"));
    assert!(matches!(ask(&mut alice, &Here::Server, keeper), Err(Refusal::NoSeat)));
    ask(&mut alice, &tea, lock()).unwrap();
    ask(&mut alice, &Here::Server, kick("bob")).unwrap();
    assert!(bob.client().removed().is_some());
    ask(&mut alice, &Here::Server, ban("erin", None)).unwrap();
    assert!(erin.client().removed().is_some());
    let shout = Deed::to_all(Verb::Broadcast, Some(line("hi")));
    assert!(matches!(ask(&mut alice, &Here::Server, shout), Err(Refusal::NotKeeper)));
}

#[test]
fn a_mute_in_one_room_holds_there_and_not_elsewhere() {
    let mut server = Server::new();
    let (mut dave, _lobby) = server.enter("dave", true);
    let tea = server.join(&mut dave, "tea").unwrap();
    let (_eve, _there) = server.enter("eve", false);
    let (mut bob, seat) = server.enter("bob", false);
    let there = server.join(&mut bob, "tea").unwrap();
    server.act(&mut dave, &tea, mute("bob", 10)).unwrap();
    let write = |to| private(to, "buy");
    let claim = |typed| Change::Rename(name(typed).into());
    assert!(is_muted(&answered(server.ask(&mut bob, claim("buy")))));
    assert!(is_muted(&answered(server.ask(&mut bob, write("eve")))));
    answered(server.ask(&mut bob, write("dave"))).unwrap(); // dave keeps tea
    server.say(&mut bob, &seat).unwrap();
    drop(there);
    server.finish(None);
    answered(server.ask(&mut bob, write("eve"))).unwrap();
    answered(server.ask(&mut bob, claim("buy"))).unwrap();
    assert!(is_muted(&server.join(&mut bob, "tea")), "with the new name");
    let mut back = server.connect("198.51.100.7:1");
    server.make_code(&mut bob, &seat);
    assert!(is_muted(&answered(server.ask(&mut back, come_back(CODE, "tea")))));
    server.say(&mut bob, &seat).unwrap(); // the connection stays
    answered(server.ask(&mut bob, claim("bob"))).unwrap();
    let there = server.join(&mut bob, "tea").unwrap();
    assert!(is_muted(&server.say(&mut bob, &there)));
    // Another connection does not help, if it takes the name and then another one.
    drop((bob, seat, there));
    server.finish(None);
    let (mut again, _seat) = server.enter("bob", false);
    answered(server.ask(&mut again, claim("buy"))).unwrap();
    assert!(is_muted(&server.join(&mut again, "tea")));
}

#[test]
fn a_mute_in_a_room_stops_private_messages_of_a_person_who_is_coming_back_to_it() {
    let mut server = Server::new();
    let (mut dave, _lobby) = server.enter("dave", true);
    let tea = server.join(&mut dave, "tea").unwrap();
    let (mut eve, _there) = server.enter("eve", false);
    let (mut bob, seat) = server.enter("bob", false);
    let _there = server.join(&mut bob, "tea").unwrap();
    server.act(&mut dave, &tea, mute("bob", 10)).unwrap();
    server.make_code(&mut bob, &seat);
    let mut back = server.connect("198.51.100.7:1");
    let (_seat, _) = self::seat(server.ask(&mut back, come_back(CODE, "lobby")));
    let write = |to| private(to, "buy");
    assert!(is_muted(&answered(server.ask(&mut back, write("eve")))));
    answered(server.ask(&mut eve, write("bob"))).unwrap();
    server.now.monotonic += RETURN_TIME;
    server.broadcaster.tick(server.now);
    answered(server.ask(&mut back, write("eve"))).unwrap();
}

#[test]
fn a_muted_keeper_has_no_authority_because_others_read_the_reasons_of_acts() {
    let mut server = Server::new();
    let (mut dave, _lobby) = server.enter("dave", true);
    let tea = server.join(&mut dave, "tea").unwrap();
    let (mut alice, here) = server.enter("alice", true);
    server.act(&mut alice, &here, mute("dave", 10)).unwrap();
    for deed in [ban("buy-cheap-at.example.org", None), lock()] {
        let refused = server.act(&mut dave, &tea, deed);
        assert!(matches!(refused, Err(Refusal::Muted(_))), "{refused:?}");
    }
    let here = Here::Room(tea.room_name().clone());
    answered(server.ask(&mut dave, Query::Bans { here, skip: 0 })).unwrap();
}

/// A claim of an owner, or of anybody.
fn claim(name: Name, is_proven: bool) -> Claim {
    match is_proven {
        true => Claim::of_owner(name, Proof::default()),
        false => name.into(),
    }
}

fn enter(typed: &str, is_proven: bool, into: &str) -> Change {
    let name = name(typed);
    Change::Enter { name: claim(name, is_proven), profile: None, room: room(into), replay: 0 }
}

fn listen(owner: Option<&str>, into: &str) -> Change {
    Change::Listen {
        owner: owner.map(|owner| Claim::of_owner(name(owner), Proof::default())),
        room: room(into),
        password: None,
        waits: false,
        replay: 0,
    }
}

#[test]
fn a_ban_from_a_room_holds_for_every_way_to_read_it() {
    let mut server = Server::new();
    let (mut dave, _lobby) = server.enter("dave", true);
    let tea = server.join(&mut dave, "tea").unwrap();
    server.act(&mut dave, &tea, ban("bob", None)).unwrap();
    server.act(&mut dave, &tea, ban("owen", None)).unwrap();
    server.act(&mut dave, &tea, ban("203.0.113.0/24", None)).unwrap();

    let mut bob = server.connect("198.51.100.7:50001");
    let first = answered(server.ask(&mut bob, enter("B0B", false, "tea")));
    assert!(is_banned(&first), "{first:?}"); // as the first room, at a socket
    let mut near = server.connect("203.0.113.9:50001");
    let first = answered(server.ask(&mut near, enter("eve", false, "tea")));
    assert!(is_banned(&first), "{first:?}");

    let lobby = server.try_to_enter(&mut bob, "bob", false).unwrap();
    assert!(is_banned(&server.join(&mut bob, "tea")));
    let who = Query::WhoIn(room("tea"));
    assert!(is_banned(&answered(server.ask(&mut bob, who))));
    let Outcome::Answer(Answer::Rooms { rooms, others: 0, .. }) =
        server.ask(&mut bob, Query::Rooms)
    else {
        panic!("a list");
    };
    assert!(rooms.iter().all(|info| info.room == RoomName::lobby()), "{rooms:?}");
    let Outcome::Barred(barred) = server.ask(&mut bob, Query::Barred) else {
        panic!("a list");
    };
    assert_eq!(barred, [room("tea")]); // so that a search leaves it out
    server.make_code(&mut bob, &lobby);
    let back = come_back(CODE, "tea");
    let mut again = server.connect("198.51.100.7:50002");
    assert!(is_banned(&answered(server.ask(&mut again, back))));

    let mut curl = server.connect("198.51.100.7:50003");
    assert!(is_banned(&answered(server.ask(&mut curl, listen(Some("owen"), "tea")))));
    let speak = Change::SpeakOnce {
        name: name("bob2").into(),
        profile: None,
        room: room("tea"),
        password: None,
        lines: Vec::new(),
    };
    answered(server.ask(&mut curl, speak)).unwrap();
    let mut nameless = server.connect("203.0.113.9:50004");
    assert!(is_banned(&answered(server.ask(&mut nameless, listen(None, "tea")))));
    // The ban does not apply to keepers, nor in other rooms.
    answered(server.ask(&mut nameless, listen(Some("dave"), "tea"))).unwrap();
    answered(server.ask(&mut nameless, listen(None, "lobby"))).unwrap();
}

#[test]
fn a_ban_applies_to_a_listener_too() {
    let mut server = Server::new();
    let (mut dave, _lobby) = server.enter("dave", true);
    let tea = server.join(&mut dave, "tea").unwrap();
    let mut ears = Vec::new();
    let places = [
        ("203.0.113.9:1", None, "tea"),
        ("198.51.100.7:1", Some("owen"), "tea"),
        ("198.51.100.7:2", None, "tea"),
        ("203.0.113.9:2", None, "lobby"),
    ];
    for (address, owner, into) in places {
        let mut link = server.connect(address);
        let listening = server.ask(&mut link, listen(owner, into));
        ears.push((link, listening));
    }
    server.act(&mut dave, &tea, ban("203.0.113.0/24", None)).unwrap();
    server.act(&mut dave, &tea, ban("owen", None)).unwrap();
    let ended: Vec<_> = ears.iter().map(|(link, _)| link.client().removed().is_some()).collect();
    assert_eq!(ended, [true, true, false, false]);
    server.operate(ban("203.0.113.9", None)).unwrap();
    assert!(ears[3].0.client().removed().is_some(), "from the whole server");
}

#[test]
fn the_maker_of_a_room_under_a_registered_name_becomes_its_keeper_at_every_door() {
    let past = Past {
        ends: [(room("old"), End { seq: 1, ..End::default() })].into(),
        accounts: vec![account("carol")],
        codes: vec![(CODE, ended_code("carol", "den3"))],
        ..Past::default()
    };
    let mut server = Server::with(past);
    let keepers = |server: &mut Server, link: &mut Link, seat: &Seat| {
        let here = Here::Room(seat.room_name().clone());
        match server.ask(link, Query::Keepers { here }) {
            Outcome::Answer(Answer::Keepers { room, .. }) => room.unwrap().for_good,
            other => panic!("{other:?}"),
        }
    };
    let speak = |into: &str| Change::SpeakOnce {
        name: Claim::of_owner(name("carol"), Proof::default()),
        profile: None,
        room: room(into),
        password: None,
        lines: vec![Spoken::new(Manner::Plain, line("hello"))],
    };
    let back = come_back(CODE, "den3");
    let for_good = |into: &str| Some(Keeping { reach: Reach::Room(room(into)), is_for_now: false });
    let mut carol = server.connect("198.51.100.7:1");
    let (den, entered) = seat(server.ask(&mut carol, enter("carol", true, "den")));
    assert_eq!(entered.keeps, for_good("den"));
    assert_eq!(keepers(&mut server, &mut carol, &den), [name("carol")]);
    let mut curl = server.connect("198.51.100.7:2");
    assert!(matches!(server.ask(&mut curl, speak("den2")), Outcome::Said { .. }));
    let mut again = server.connect("198.51.100.7:3");
    let (_den3, entered) = seat(server.ask(&mut again, back));
    assert_eq!(entered.keeps, for_good("den3"));
    for into in ["den2", "den4"] {
        let seat = server.join(&mut carol, into).unwrap();
        assert_eq!(keepers(&mut server, &mut carol, &seat), [name("carol")], "{into}");
    }
    // This room has lines already, so making it again gives nobody any rights.
    let seat = server.join(&mut carol, "old").unwrap();
    assert_eq!(keepers(&mut server, &mut carol, &seat), []);
}

#[test]
fn an_act_meets_the_seat_of_a_person_who_is_coming_back() {
    for deed in [kick("bob"), ban("bob", None), ban("198.51.100.0/24", None)] {
        for is_operator in [false, true] {
            let mut server = Server::new();
            let mut dave = server.connect("203.0.113.9:1");
            let _lobby = server.try_to_enter(&mut dave, "dave", true).unwrap();
            let (tea, in_tea) = seat(server.ask(&mut dave, join("tea")));
            let (mut bob, lobby) = server.enter("bob", false);
            let _there = server.join(&mut bob, "tea").unwrap();
            server.make_code(&mut bob, &lobby);
            let mut back = server.connect("198.51.100.7:50002");
            let (_again, _) = seat(server.ask(&mut back, come_back(CODE, "lobby")));
            match is_operator {
                true => server.operate(deed.clone()).unwrap(),
                false => server.act(&mut dave, &tea, deed.clone()).unwrap(),
            }
            let mut slices = Slices::new();
            in_tea.view.read(in_tea.view.arrived, usize::MAX, &mut slices).unwrap();
            let entries =
                slices.iter().flat_map(|slice| &slice.batch.entries()[slice.entries.clone()]);
            let removal = entries.rev().find_map(|entry| match entry {
                Entry::Left { removal, .. } => Some(removal.as_ref().map(|act| act.deed.verb)),
                _ => None,
            });
            assert_eq!(removal, Some(Some(deed.verb)), "{deed:?}");
            // Bob reads of it at once: as a notice, or because the connection ends.
            let notice = back.client().take(|_, _| true);
            let is_told = matches!(&notice,
                Some(Mail::Answer(Answer::Notice(Notice::Act(act)))) if act.deed.verb == deed.verb);
            assert_eq!(is_told, !is_operator, "{deed:?}: {notice:?}");
            assert_eq!(back.client().removed().is_some(), is_operator, "{deed:?}");
            assert_eq!(server.broadcaster.census().people, if is_operator { 1 } else { 2 });
        }
    }
}

impl Server {
    /// Ends the commit of a batch, and does everything that follows.
    fn end(&mut self, begun: Gathered, is_stored: bool) {
        let kept = if is_stored { Ok(()) } else { Err(NotStored("the disk is full")) };
        self.broadcaster.append(begun, kept, self.now);
        self.finish(None);
    }
}

/// The acts that everybody in a room has read about.
fn shown(seat: &Seat) -> Vec<Verb> {
    let mut slices = Slices::new();
    seat.log().read(seat.log().start(), None, usize::MAX, &mut slices).unwrap();
    let entries = slices.iter().flat_map(|slice| slice.batch.entries());
    let acts = entries.filter_map(|entry| match entry {
        Entry::Act(act) => Some(act.deed.verb),
        _ => None,
    });
    acts.collect()
}

#[test]
fn the_author_of_an_act_is_seen_as_the_others_know_them() {
    let mut server = Server::new();
    let (mut dave, _lobby) = server.enter("dave", true);
    let tea = server.join(&mut dave, "tea").unwrap();
    let (mut bob, _seat) = server.enter("bob", false);
    let _there = server.join(&mut bob, "tea").unwrap();
    let mut operator = server.broadcaster.inbox().connect();
    for deed in [lock(), Deed::to(Verb::Kick, called("bob"))] {
        server.ask(&mut dave, act(&tea, deed));
    }
    let mute = Change::Act { here: Here::Operator, deed: mute("dave", 9) };
    server.ask(&mut operator, mute);
    let mut slices = Slices::new();
    tea.log().read(tea.log().start(), None, usize::MAX, &mut slices).unwrap();
    let entries = slices.iter().flat_map(|slice| slice.batch.entries());
    let authors = entries.filter_map(|entry| match entry {
        Entry::Act(act) | Entry::Left { removal: Some(act), .. } => {
            let author = act.author.as_deref();
            Some((act.deed.verb, author.map(|who| (who.id, who.account.clone()))))
        }
        _ => None,
    });
    let dave = Some((dave.client().id(), Some(name("dave"))));
    let expected = [(Verb::LockTopic, dave.clone()), (Verb::Kick, dave), (Verb::Mute, None)];
    assert_eq!(authors.collect::<Vec<_>>(), expected);
}

#[test]
fn an_act_holds_at_once_and_nobody_reads_of_it_before_it_is_stored() {
    let mut server = Server::new();
    let (mut dave, _lobby) = server.enter("dave", true);
    let tea = server.join(&mut dave, "tea").unwrap();
    let (mut bob, _seat) = server.enter("bob", false);
    let there = server.join(&mut bob, "tea").unwrap();
    let (mut zoe, _her_seat) = server.enter("zoe", false);
    let keep = Deed::to(Verb::AddKeeper, called("alice"));
    for (deed, told) in [(ban("zoe", None), 1), (mute("bob", 9), 2), (lock(), 3), (keep, 4)] {
        let begun = server.begin(&mut dave, act(&tea, deed)).unwrap();
        let outcome = dave.outcome();
        assert!(outcome.is_none(), "{outcome:?}");
        assert_eq!(shown(&tea).len(), told - 1);
        assert!(is_banned(&server.join(&mut zoe, "tea")));
        server.end(begun, true);
        assert_eq!(shown(&tea).len(), told);
        let outcome = dave.outcome();
        assert!(matches!(outcome, Some(Outcome::Done)), "{outcome:?}");
    }
    assert!(server.say(&mut bob, &there).is_err());

    // A person in the room can say nothing from then on, and is told to leave when the act is
    // stored.
    let deed = Deed::to(Verb::Unmute, called("bob"));
    server.act(&mut dave, &tea, deed).unwrap();
    server.say(&mut bob, &there).unwrap();
    let mut there = there;
    for deed in [kick("bob"), ban("bob", Some(1))] {
        let begun = server.begin(&mut dave, act(&tea, deed)).unwrap();
        assert!(dave.outcome().is_none() && there.removed().is_none());
        assert!(server.say(&mut bob, &there).is_err());
        server.end(begun, true);
        assert!(there.removed().is_some());
        assert!(matches!(dave.outcome(), Some(Outcome::Done)));
        drop(there);
        server.finish(None);
        let again = server.join(&mut bob, "tea");
        if is_banned(&again) {
            break;
        }
        there = again.unwrap();
    }
    assert!(is_banned(&server.join(&mut bob, "tea")));
}

#[test]
fn the_maker_of_a_room_enters_it_when_the_keeper_is_stored() {
    for is_stored in [true, false] {
        let past = Past { accounts: ["alice", "bob"].map(account).to_vec(), ..Past::default() };
        let mut server = Server::with(past);
        let mut alice = server.connect("198.51.100.7:1");
        let begun = server.begin(&mut alice, enter("alice", true, "den")).unwrap();
        let outcome = alice.outcome();
        assert!(outcome.is_none(), "{outcome:?}");
        // The next person in the room does not become its keeper.
        let mut bob = server.connect("198.51.100.7:2");
        bob.start(enter("bob", true, "den"));
        server.broadcaster.drain(server.now);
        server.end(begun, is_stored);
        let (_seat, entered) = seat(alice.outcome().unwrap());
        assert_eq!(entered.keeps.is_some(), is_stored);
        let (_seat, entered) = seat(bob.outcome().unwrap());
        assert_eq!(entered.keeps, None);
    }
}

#[test]
fn topics_and_mutes_are_the_same_after_a_restart() {
    let topic = |text: &str, is_locked| Topic { text: Some(line(text)), is_locked };
    let mute = Act {
        deed: mute("bob", 1),
        by: By::Keeper(Author::owner(name("dave"))),
        reach: Reach::Room(room("tea")),
        at: WallTime(0),
    };
    let past = Past {
        accounts: vec![account("dave")],
        keepers: vec![(Reach::Room(room("tea")), name("dave"))],
        mutes: vec![mute],
        topics: [(room("tea"), topic("green", true)), (RoomName::lobby(), topic("all", false))]
            .into(),
        ..Past::default()
    };
    let mut server = Server::with(past);
    let (mut bob, lobby) = server.enter("bob", false);
    let about = |server: &mut Server, link: &mut Link, seat: &Seat| match server
        .ask(link, Query::Topic(seat.room_name().clone()))
    {
        Outcome::Answer(Answer::Topic { text, .. }) => text.map(|text| text.to_string()),
        other => panic!("{other:?}"),
    };
    assert_eq!(about(&mut server, &mut bob, &lobby).as_deref(), Some("all"));
    let (mut eve, _seat) = server.enter("eve", false);
    let set =
        |seat: &Seat, text: &str| Change::SetTopic { room: seat.room(), text: Some(line(text)) };
    for _ in 0..2 {
        let tea = server.join(&mut eve, "tea").unwrap();
        assert_eq!(about(&mut server, &mut eve, &tea).as_deref(), Some("green"));
        let refused = answered(server.ask(&mut eve, set(&tea, "mine")));
        assert!(matches!(&refused, Err(Refusal::TopicLocked)), "{refused:?}");
        drop(tea); // and the room is empty, and gone from memory
        server.finish(None);
    }
    let there = server.join(&mut bob, "tea").unwrap();
    assert!(is_muted(&server.say(&mut bob, &there)));
    server.later(1);
    server.say(&mut bob, &there).unwrap();
}

#[test]
fn a_topic_is_shown_when_it_is_stored_even_if_its_setter_has_left() {
    let mut server = Server::new();
    let (mut eve, lobby) = server.enter("eve", false);
    let den = server.join(&mut eve, "den").unwrap();
    let set =
        |seat: &Seat, text: &str| Change::SetTopic { room: seat.room(), text: Some(line(text)) };
    let begun = server.begin(&mut eve, set(&lobby, "first")).unwrap();
    assert!(eve.outcome().is_none());
    server.end(begun, false);
    let outcome = answered(eve.outcome().unwrap());
    assert!(matches!(outcome, Err(Refusal::NotWritten)), "{outcome:?}");
    let begun = server.begin(&mut eve, set(&den, "mine")).unwrap();
    drop(den);
    server.end(begun, true);
    answered(eve.outcome().unwrap()).unwrap();
    let (_den, entered) = seat(server.ask(&mut eve, join("den")));
    assert_eq!(entered.topic.as_ref().map(Line::as_str), Some("mine"));
}

#[test]
fn topics_of_two_failed_commits_leave_the_topic_that_is_stored() {
    let mut server = Server::new();
    let (mut eve, lobby) = server.enter("eve", false);
    let (mut bob, _seat) = server.enter("bob", false);
    let den = server.join(&mut eve, "den").unwrap();
    let there = server.join(&mut bob, "den").unwrap();
    let set =
        |seat: &Seat, text: &str| Change::SetTopic { room: seat.room(), text: Some(line(text)) };
    answered(server.ask(&mut eve, set(&den, "stored"))).unwrap();
    let first = server.begin(&mut eve, set(&den, "one")).unwrap();
    bob.start(set(&there, "two"));
    server.broadcaster.drain(server.now);
    server.broadcaster.append(first, Err(NotStored("the disk is full")), server.now);
    let second = server.broadcaster.gather(server.now).unwrap();
    server.end(second, false);
    for link in [&mut eve, &mut bob] {
        let outcome = answered(link.outcome().unwrap());
        assert!(matches!(outcome, Err(Refusal::NotWritten)), "{outcome:?}");
    }
    drop((den, there));
    server.finish(None); // the room leaves memory
    let (_den, entered) = seat(server.ask(&mut eve, join("den")));
    assert_eq!(entered.topic.as_ref().map(Line::as_str), Some("stored"));
    drop(lobby);
}

#[test]
fn one_keeper_of_a_room_cannot_use_up_the_mutes_and_bans_of_others() {
    let mut server = Server::new();
    let (mut dave, _lobby) = server.enter("dave", true);
    let tea = server.join(&mut dave, "tea").unwrap();
    let mut muted = 0;
    while muted < 1_000 {
        let (link, seat) = server.enter(&format!("puppet{muted}"), false);
        let refused = server.act(&mut dave, &tea, mute(&format!("puppet{muted}"), 60));
        drop((link, seat));
        server.finish(None);
        match refused {
            Ok(()) => muted += 1,
            Err(Refusal::TooManyRules(max)) => {
                assert_eq!(max, muted);
                break;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(muted, 100, "a tenth");
    for number in 0..=1_000 {
        let banned = server.act(&mut dave, &tea, ban(&format!("guest{number}"), None));
        assert_eq!(banned.is_ok(), number < 1_000, "{number}: {banned:?}");
    }
    // The shares of the others are untouched.
    let (_bob, _seat) = server.enter("bob", false);
    let (mut alice, here) = server.enter("alice", true);
    server.act(&mut alice, &here, mute("bob", 1)).unwrap();
    server.act(&mut alice, &here, ban("eve", None)).unwrap();
    server.operate(mute("bob", 2)).unwrap();
}

#[test]
fn strangers_leave_rooms_to_owners_and_owners_to_keepers_of_the_server() {
    let mut server = Server::new();
    let mut links = Vec::new();
    let mut fill = |server: &mut Server, who: &str, is_proven: bool, address: &str| {
        let mut link = server.connect(address);
        let seat = server.try_to_enter(&mut link, who, is_proven).unwrap();
        let mut seats = vec![seat];
        loop {
            match server.join(&mut link, &format!("{who}-{}", seats.len())) {
                Ok(seat) => seats.push(seat),
                Err(Refusal::TooManyRooms(_) | Refusal::RoomsShare(_)) => break,
                Err(other) => panic!("{other:?}"),
            }
        }
        let made = seats.len() - 1;
        links.push((link, seats));
        made
    };
    assert_eq!(fill(&mut server, "eve", false, "203.0.113.1:1"), 74, "a tenth of three quarters");
    assert_eq!(fill(&mut server, "eva", false, "203.0.113.1:2"), 0, "at the same address");
    assert!(fill(&mut server, "mallory", false, "203.0.113.2:1") > 60);
    let near = fill(&mut server, "near", false, "127.0.0.1:1");
    assert!((500..750).contains(&near), "{near}: behind a proxy there are many");
    assert_eq!(fill(&mut server, "zoe", false, "203.0.113.3:1"), 0);
    assert!(fill(&mut server, "dave", true, "203.0.113.3:2") >= 20);
    assert!(fill(&mut server, "alice", true, "203.0.113.3:3") > 200);
    let rooms = server.broadcaster.census().rooms;
    assert_eq!(rooms, 1_000);
}
