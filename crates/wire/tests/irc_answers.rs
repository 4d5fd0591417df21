//! Answers, mail and arrivals as one IRC client reads them.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

mod irc_clients;

use std::sync::Arc;
use std::time::Duration;

use parlor_core::broadcaster::Broadcaster;
use parlor_core::link::{
    Answer, Asked, Bygone, Change, Encoder, Entered, Findable, FindablePage, Inbox, Link, Notice,
    Occupant, Outcome, PeoplePage, Presence, PrivateMessage, RankedRoom, Refusal, RoomInfo,
    RoomsPage, Seat, Sighting, Totals, Whois, WhyDeparted,
};
use parlor_core::log::Scene;
use parlor_core::model::{
    Act, ActOf, Author, By, Deed, Entry, Extras, Keeping, Limits, Line, Manner, Missed, Name, Now,
    PersonEvent, PersonId, Reach, Renaming, RoomName, RoomRules, Said, Spoken, Verb, WallTime, Who,
    Whom,
};
use parlor_wire::irc::Cap;

use irc_clients::{Client, line, name, profile};

const AT: WallTime = WallTime(1_319_042_451_620);

fn tea() -> RoomName {
    RoomName::parse("tea").unwrap()
}

fn person(called: &str) -> Who {
    Who { profile: Some(profile()), ..Who::new(PersonId::new(7), name(called)) }
}

fn said(who: &str, seq: u64, text: &str) -> Said {
    let who = person(who).into();
    Said { seq, at: AT, who, manner: Manner::Plain, text: line(text), extras: None }
}

/// A private message with this number.
fn private(from: &str, to: &str, number: u64) -> Answer {
    let lines = vec![Spoken::new(Manner::Plain, line("psst"))];
    let (from, to, is_for_programs) = (person(from), name(to), false);
    Answer::Private(
        PrivateMessage { number, at: AT, from, to, lines, is_for_programs, away: None }.into(),
    )
}

/// A server that runs step by step, and its people, who stay.
struct House {
    broadcaster: Broadcaster,
    staying: Vec<(Link, Presence, Seat)>,
}

impl House {
    fn new() -> House {
        let broadcaster = Broadcaster::new(Arc::new(Inbox::default()), Limits::default());
        House { broadcaster, staying: Vec::new() }
    }

    /// A person comes into the room. Returns what the person is told.
    fn enters(&mut self, called: &str) -> Box<Entered> {
        let mut link = self.broadcaster.inbox().connect();
        link.client().want_roster(true);
        link.start(Change::Enter {
            name: name(called).into(),
            profile: Some(profile()),
            room: tea(),
            replay: 0,
        });
        let now = Now { wall: AT, ..Now::default() };
        self.broadcaster.drain(now);
        while let Some(gathered) = self.broadcaster.gather(now) {
            self.broadcaster.append(gathered, Ok(()), now);
        }
        let Some(Outcome::Came(presence, Some((seat, entered)))) = link.outcome() else { panic!() };
        self.staying.push((link, presence, seat));
        entered
    }
}

/// The lines of a client that enters a room, with the list of everybody.
fn enters(client: &mut Client, mut entered: Box<Entered>) -> Vec<String> {
    client.hears(|encoder, out| {
        encoder.entered(&entered, out);
        let Some(everybody) = &mut entered.everybody else { return };
        loop {
            let people = everybody.take(64);
            encoder.listed(&entered.room, &people, out);
            if people.is_empty() {
                return;
            }
        }
    });
    client.reads()
}

#[test]
fn a_newcomer_reads_the_topic_and_all_names() {
    let mut house = House::new();
    assert_eq!(
        enters(&mut Client::new(&[]), house.enters("alice")),
        [
            ":alice!al@irc JOIN #tea",
            "353 alice = #tea :@alice",
            "366 alice #tea :End of /NAMES list",
        ]
    );
    house.enters("bob");
    let mut carol = house.enters("carol");
    carol.topic = Some(line("tea at five"));
    assert_eq!(
        enters(&mut Client::new(&[Cap::UserhostInNames]), carol),
        [
            ":carol!al@irc JOIN #tea",
            "332 carol #tea :tea at five",
            "353 carol = #tea :carol!al@irc @alice!al@irc bob!al@irc",
            "366 carol #tea :End of /NAMES list",
        ]
    );
    let mut dave = house.enters("dave");
    (dave.everybody, dave.keeps) =
        (None, Some(Keeping { reach: Reach::Server, is_for_now: false }));
    assert_eq!(
        enters(&mut Client::new(&[Cap::ExtendedJoin]), dave),
        [":dave!al@irc JOIN #tea * :Alice A.",]
    );
    let mut names = 0;
    for number in 0..100 {
        house.enters(&format!("quite.a.long.name.{number}"));
    }
    for line in enters(&mut Client::new(&[]), house.enters("zoe")) {
        if line.starts_with("353 zoe = #tea :") {
            names += line.split(' ').count() - 4;
        }
    }
    assert_eq!(names, 105, "everybody is named once");
}

#[test]
fn a_labelled_join_is_one_batch() {
    let mut client = Client::new(&[Cap::LabeledResponse]);
    let asked = Asked {
        command: Some(line("JOIN")),
        target: Some(line("#tea")),
        label: Some(line("l1")),
        mode: None,
    };
    client.hears(|encoder, out| encoder.begin(&asked, out));
    let entered = House::new().enters("alice");
    let mut seen = enters(&mut client, entered);
    client.hears(|encoder, out| {
        encoder.answer(&private("bob", "alice", 1), out);
        encoder.end(out);
    });
    seen.extend(client.reads());
    assert_eq!(
        seen,
        [
            "@label=l1 BATCH +s1 labeled-response",
            "@batch=s1 :alice!al@irc JOIN #tea",
            "@batch=s1 353 alice = #tea :@alice",
            "@batch=s1 366 alice #tea :End of /NAMES list",
            ":bob!al@irc PRIVMSG alice :psst",
            "BATCH -s1",
        ]
    );
}

/// A keeper of the server, with an account, and a person without a profile.
fn sightings() -> [Sighting; 3] {
    let dave = Who { account: Some(name("Dave")), ..person("dave") };
    let erin = Who::new(PersonId::new(8), name("erin"));
    [("dave", Some(dave), true), ("erin", Some(erin), false), ("zoe", None, false)].map(
        |(typed, who, is_server_keeper)| {
            let (typed, is_away) = (line(typed), typed == "erin");
            Sighting { typed, who, is_server_keeper, is_away }
        },
    )
}

#[test]
fn people_are_looked_for() {
    let mut client = Client::new(&[]);
    let present = [Answer::Present(sightings().into())];
    assert_eq!(client.answered("ISON", "", &present), ["303 alice :dave erin"]);
    assert_eq!(client.answered("ISON", "", &[Answer::Present(vec![])]), ["303 alice :"]);
    assert_eq!(
        client.answered("USERHOST", "", &present),
        ["302 alice :dave*=+al@irc erin=-erin@kept"]
    );
    assert_eq!(client.answered("USERHOST", "", &[Answer::Present(vec![])]), ["302 alice :"]);
    assert_eq!(
        client.answered("WHO", "dave,erin", &present),
        [
            "352 alice * al irc irc.local dave H* :0 Alice A.",
            "352 alice * erin kept irc.local erin G :0 erin",
            "315 alice dave,erin :End of /WHO list",
        ]
    );
    assert_eq!(client.answered("WHO o", "dave,erin", &present).len(), 2);
}

#[test]
fn a_client_chooses_the_fields_of_who() {
    let occupant = |who: Who, is_keeper| {
        let (is_server_keeper, has_voice) = (is_keeper, is_keeper);
        let is_away = who.name.as_str() == "erin";
        Occupant { who: Arc::new(who), is_keeper, is_server_keeper, has_voice, is_away }
    };
    let [dave, erin, _] = sightings().map(|sighting| sighting.who);
    let people = vec![occupant(dave.unwrap(), true), occupant(erin.unwrap(), false)];
    let page = Answer::People(PeoplePage {
        room: tea(),
        people,
        is_secret: false,
        position: 0,
        next: None,
    });
    let mut client = Client::new(&[]);
    for (options, dave, erin) in [
        (
            "",
            "352 alice #tea al irc irc.local dave H*@ :0 Alice A.",
            "352 alice #tea erin kept irc.local erin G :0 erin",
        ),
        ("%uhnar", "354 alice al irc dave Dave :Alice A.", "354 alice erin kept erin 0 :erin"),
        ("%afnt,42", "354 alice 42 dave H*@ Dave", "354 alice 42 erin G 0"),
        (
            "%tcuihsnfdlaor,7",
            "354 alice 7 #tea al 255.255.255.255 irc irc.local dave H*@ 0 0 Dave n/a :Alice A.",
            "354 alice 7 #tea erin 255.255.255.255 kept irc.local erin G 0 0 0 n/a :erin",
        ),
    ] {
        let command = format!("WHO {options}");
        let seen = client.answered(command.trim(), "#tea", std::slice::from_ref(&page));
        assert_eq!(seen, [dave, erin, "315 alice #tea :End of /WHO list"], "{options}");
    }
    let seen = client.answered("WHO o%n", "#tea", std::slice::from_ref(&page));
    assert_eq!(seen, ["354 alice dave", "315 alice #tea :End of /WHO list"], "only operators");
    let mut client = Client::new(&[Cap::MultiPrefix]);
    let seen = client.answered("WHO %nf", "#tea", &[page]);
    assert_eq!(seen[0], "354 alice dave H*@+");
}

#[test]
fn a_mask_of_who_finds_people() {
    let findable = |sighting: Sighting| {
        let Sighting { who, is_server_keeper, is_away, .. } = sighting;
        Some(Findable { who: who?, is_server_keeper, is_away })
    };
    let people = sightings().into_iter().filter_map(findable).collect();
    let page = [Answer::Findable(FindablePage { people, next: None })];
    let mut client = Client::new(&[]);
    let dave = "352 alice * al irc irc.local dave H* :0 Alice A.";
    let erin = "352 alice * erin kept irc.local erin G :0 erin";
    for (mask, options, found) in [
        ("*", "", &[dave, erin][..]),
        ("0", "", &[dave, erin]),
        ("*", "o", &[dave]),
        ("D*", "", &[dave]),
        ("k?pt", "", &[erin]),
        ("*.local", "", &[dave, erin]),
        ("*.local", "nuh", &[]),
        ("alice*", "r", &[dave]),
        ("dave", "a", &[dave]),
        ("*!al@*", "", &[dave]),
        ("x*,zoe,e*", "", &[erin]),
        ("al*", "%n", &["354 alice dave"]),
    ] {
        let command = format!("WHO {options}");
        let seen = client.answered(command.trim(), mask, &page);
        let end = format!("315 alice {mask} :End of /WHO list");
        assert_eq!(seen, [found, &[end.as_str()]].concat(), "{mask} {options}");
    }
}

#[test]
fn rooms_with_an_invitation_and_the_time_of_a_room_are_shown() {
    let mut client = Client::new(&[]);
    assert_eq!(
        client.answered("INVITE", "", &[Answer::Invitations(vec![tea()])]),
        ["336 alice #tea", "337 alice :End of /INVITE list"]
    );
    let rules = |since| Answer::Rules {
        room: tea(),
        rules: RoomRules::default().into(),
        is_topic_locked: true,
        since,
    };
    assert_eq!(
        client.answered("MODE", "#tea", &[rules(Some(AT))]),
        ["324 alice #tea +nt", "329 alice #tea 1319042451"]
    );
    assert_eq!(client.answered("MODE", "#tea", &[rules(None)]), ["324 alice #tea +nt"]);
}

#[test]
fn a_person_is_shown() {
    let [dave, erin, _] = sightings().map(|sighting| sighting.who);
    let room = |called: &str, is_keeper, has_voice| RankedRoom {
        room: RoomName::parse(called).unwrap(),
        is_keeper,
        has_voice,
    };
    let mut client = Client::new(&[]);
    let whois = Whois {
        who: dave.unwrap(),
        rooms: vec![
            room("tea", true, true),
            room("coffee", false, false),
            room("milk", false, true),
        ],
        address: Some("[::1]:4000".parse().unwrap()),
        since: Some(AT),
        silent: Duration::from_millis(5_900),
        is_server_keeper: true,
        away: Some(line("lunch")),
    };
    assert_eq!(
        client.answered("WHOIS", "DAVE", &[Answer::Whois(whois.into())]),
        [
            "311 alice dave al irc * :Alice A.",
            "319 alice dave :@#tea #coffee +#milk",
            "312 alice dave irc.local :Parlor",
            "313 alice dave :is a keeper of the server",
            "301 alice dave :lunch",
            "330 alice dave Dave :is logged in as",
            "338 alice dave 0::1 :is connected from this address",
            "317 alice dave 5 1319042451 :seconds of silence, time of the arrival",
            "318 alice DAVE :End of /WHOIS list",
        ]
    );
    let many = (0..100).map(|n| room(&format!("room-with-a-long-name-{n}"), false, false));
    let whois = Whois {
        who: erin.unwrap(),
        rooms: many.collect(),
        address: None,
        since: None,
        silent: Duration::ZERO,
        is_server_keeper: false,
        away: None,
    };
    let seen = client.answered("WHOIS", "erin", &[Answer::Whois(whois.into())]);
    assert_eq!(seen.concat().matches('#').count(), 100);
    assert_eq!(seen[seen.len() - 2], "317 alice erin 0 :seconds of silence");
    let nobody = [Refusal::NobodyCalled(line("zoe")).into()];
    let seen = client.answered("WHOIS", "zoe", &nobody);
    assert!(seen[0].starts_with("401 alice zoe :"), "{seen:?}");
    assert_eq!(seen[1..], ["318 alice zoe :End of /WHOIS list"]);
}

#[test]
fn people_who_have_left_are_shown_the_latest_first() {
    let mut client = Client::new(&[]);
    let bygone = |at: i64| Bygone { who: person("bob"), at: WallTime(at) };
    let people = vec![bygone(60_000), bygone(0)];
    let answer = [Answer::Whowas { name: line("bob"), people }];
    let each = ["314 alice bob al irc * :Alice A.", "312 alice bob irc.local :1970-01-01 00:01"];
    let seen = client.answered("WHOWAS", "bob", &answer);
    assert_eq!(seen.len(), 5);
    assert_eq!(seen[..2], each);
    let end = "369 alice bob :End of /WHOWAS";
    assert_eq!(client.answered("WHOWAS 1", "bob", &answer), [each[0], each[1], end]);
    assert_eq!(client.answered("WHOWAS -1", "bob", &answer).len(), 5);
    let nobody = [Answer::Whowas { name: line("bob"), people: vec![] }];
    assert_eq!(
        client.answered("WHOWAS", "bob", &nobody),
        ["406 alice bob :Nobody had this nick lately", end]
    );
}

#[test]
fn people_and_rooms_are_counted() {
    let totals = Totals { people: 3, invisible: 1, people_max: 5, server_keepers: 1, rooms: 2 };
    assert_eq!(
        Client::new(&[]).answered("LUSERS", "", &[Answer::Totals(totals)]),
        [
            "251 alice :There are 2 users and 1 invisible on 1 servers",
            "252 alice 1 :operator(s) online",
            "254 alice 2 :channels formed",
            "255 alice :I have 3 clients and 0 servers",
            "265 alice 3 5 :Current local users 3, max 5",
            "266 alice 3 5 :Current global users 3, max 5",
        ]
    );
}

#[test]
fn a_new_name_is_told_and_is_in_all_replies_from_then_on() {
    let mut client = Client::new(&[]);
    assert_eq!(client.told(&Answer::YouAre(name("alice"))), [""; 0]);
    let renamed = client.answered("NICK", "bob", &[Answer::YouAre(name("bob"))]);
    assert_eq!(renamed, [":alice!al@irc NICK :bob"]);
    assert_eq!(client.sends("NICK"), ["431 bob :No nickname given"]);
    let taken = Refusal::NameTaken(name("zoe")).into();
    assert_eq!(
        client.answered("NICK", "ZOE", &[taken]),
        ["433 bob ZOE :zoe is taken, or looks like a name that is taken; choose another name",]
    );
}

#[test]
fn refusals_are_numerics_by_command_and_target() {
    let kick = Deed::to(Verb::Mute, Whom::Name(name("alice")));
    let muted =
        Refusal::Muted(Act { reach: Reach::Room(tea()), ..Act::by(By::Operator, kick, AT) }.into());
    for (command, target, refusal, read) in [
        (
            "PRIVMSG",
            "bob",
            Refusal::NobodyCalled(line("bob")),
            "401 alice bob :Nobody here is called bob",
        ),
        (
            "KICK",
            "#tea",
            Refusal::NobodyCalled(line("bob")),
            "401 alice bob :Nobody here is called bob",
        ),
        (
            "KICK",
            "#tea",
            Refusal::Elsewhere(name("bob"), tea()),
            "441 alice bob #tea :bob is in tea",
        ),
        ("KICK", "#tea", Refusal::NotKeeper, "482 alice #tea :Only keepers can do that"),
        ("KILL", "bob", Refusal::NotKeeper, "481 alice :Only keepers can do that"),
        ("PART", "#Tea", Refusal::NotThere, "442 alice #Tea :You are not in that room"),
        ("PRIVMSG", "#tea", Refusal::NotThere, "404 alice #tea :You are not in that room"),
        ("PRIVMSG", "#tea", muted, "404 alice #tea :You are muted in tea by the operator"),
        ("TOPIC", "#tea", Refusal::TopicLocked, "482 alice #tea :Only keepers can change"),
        ("TOPIC", "#no", Refusal::NoRoom(tea()), "403 alice #no :There is no room tea"),
        ("JOIN", "#tea", Refusal::TooManySeats(100), "405 alice #tea :You are in 100 rooms"),
        ("JOIN", "#tea", Refusal::AlreadyIn(tea()), ""),
        ("MODE", "#tea", Refusal::NotBanned(Whom::Name(name("bob"))), ""),
        (
            "MODE",
            "#tea",
            Refusal::LobbyKeepers,
            "482 alice #tea :The lobby has the server's keepers",
        ),
        ("NAMES", "#tea", Refusal::NotThere, "366 alice #tea :End of /NAMES list"),
        ("NOTICE", "bob", Refusal::NobodyCalled(line("bob")), ""),
        (
            "OPER",
            "",
            Refusal::WrongPassword(name("bob")),
            "464 alice :That is not the password of bob",
        ),
        (
            "NAMES",
            "#tea",
            Refusal::ListOutdated,
            "263 alice NAMES :People came or left while the list was on its way; ask for it again",
        ),
        ("LIST", "", Refusal::Busy, "321 alice Channel :Users  Name"),
        ("JOIN", "#tea", Refusal::NotWritten, "NOTICE alice :The disk cannot be written"),
        (
            "PRIVMSG",
            "parlor",
            Refusal::NothingMissed,
            ":parlor!parlor@irc.local NOTICE alice :You missed nothing",
        ),
        (
            "CHATHISTORY LATEST",
            "#tea",
            Refusal::NotThere,
            "FAIL CHATHISTORY INVALID_TARGET LATEST #tea :You are not",
        ),
        (
            "CHATHISTORY LATEST",
            "#tea",
            Refusal::NoSuchLine,
            "FAIL CHATHISTORY INVALID_PARAMS LATEST #tea :There is no such line",
        ),
    ] {
        let seen = Client::new(&[]).answered(command, target, &[refusal.clone().into()]);
        assert_eq!(seen.is_empty(), read.is_empty(), "{command} {refusal:?}: {seen:?}");
        assert!(seen.is_empty() || seen[0].starts_with(read), "{command} {refusal:?}: {seen:?}");
    }
    let mut modern = Client::new(&[Cap::StandardReplies]);
    let seen = modern.answered("JOIN", "#tea", &[Refusal::NotWritten.into()]);
    assert!(
        seen[0].starts_with("FAIL JOIN NOT_WRITTEN #tea :The disk cannot be written"),
        "{seen:?}"
    );
    let post = Asked::post(&tea());
    let mut client = Client::new(&[]);
    client.hears(|encoder, out| {
        encoder.begin(&post, out);
        encoder.answer(&Refusal::NotStored("the disk is full").into(), out);
        encoder.end(out);
    });
    assert_eq!(client.reads(), ["404 alice #tea :Not sent: the disk is full; try again later"]);
}

#[test]
fn lists_are_numerics() {
    let mut client = Client::new(&[]);
    let info = |called, people, topic: Option<&str>| RoomInfo {
        room: RoomName::parse(called).unwrap(),
        people,
        topic: topic.map(line),
    };
    let rooms = || {
        let rooms =
            vec![info("tea", 3, Some("at five")), info("milk", 1, None), info("lobby", 0, None)];
        rooms
    };
    let mut listed = |filter: &str| {
        let seen = client.answered(
            "LIST",
            filter,
            &[Answer::AllRooms(RoomsPage { rooms: rooms(), next: None })],
        );
        assert_eq!(
            (seen[0].as_str(), seen.last().unwrap().as_str()),
            ("321 alice Channel :Users  Name", "323 alice :End of /LIST")
        );
        seen[1..seen.len() - 1].to_vec()
    };
    let (tea, milk) = ("322 alice #tea 3 :at five", "322 alice #milk 1 :");
    for (filter, rooms) in [
        ("", &[tea, milk][..]),
        ("#tea", &[tea]),
        ("*il*,#tea", &[tea, milk]),
        ("!*il*", &[tea]),
        (">1", &[tea]),
        ("<2", &[milk]),
        (">0,<3", &[milk]),
        ("#nowhere", &[]),
        (">x", &[]),
    ] {
        assert_eq!(listed(filter), rooms, "{filter}");
    }
    let page = PeoplePage {
        room: self::tea(),
        people: vec![
            Occupant {
                who: person("alice").into(),
                is_keeper: true,
                is_server_keeper: false,
                has_voice: false,
                is_away: false,
            },
            Occupant {
                who: Who::new(PersonId::new(8), Name::of_address("127.0.0.1:5")).into(),
                is_keeper: false,
                is_server_keeper: false,
                has_voice: false,
                is_away: true,
            },
        ],
        is_secret: false,
        position: 0,
        next: None,
    };
    assert_eq!(
        client.answered("NAMES", "#tea", &[Answer::People(page)]),
        ["353 alice = #tea :@alice 127.0.0.1~5", "366 alice #tea :End of /NAMES list",]
    );
    let ban = |whom| {
        Act::by(
            By::Keeper(Author::owner(name("bob"))),
            Deed::to(Verb::Ban, Whom::parse(whom).unwrap()),
            AT,
        )
    };
    let bans = Answer::Bans { bans: vec![ban("carl"), ban("192.0.2.7")], others: 0 };
    assert_eq!(
        client.answered("MODE b", "#tea", &[bans]),
        [
            "367 alice #tea carl!*@* bob 1319042451",
            "367 alice #tea *!*@192.0.2.7 bob 1319042451",
            "368 alice #tea :End of channel ban list",
        ]
    );
    let not_keeper = Answer::Refused(Refusal::NotKeeper);
    assert_eq!(
        client.answered("MODE b", "#tea", &[not_keeper]),
        ["368 alice #tea :End of channel ban list"]
    );
    let topic =
        |text: Option<&str>| Answer::Topic { room: self::tea(), text: text.map(line), set: None };
    assert_eq!(
        client.answered("TOPIC", "#tea", &[topic(Some("at five"))]),
        ["332 alice #tea :at five"]
    );
    assert_eq!(
        client.answered("TOPIC", "#tea", &[topic(None)]),
        ["331 alice #tea :No topic is set"]
    );
    let motd =
        client.answered("MOTD", "", &[Answer::Rooms { rooms: rooms(), others: 0, as_of: None }]);
    assert_eq!(motd[..2], ["372 alice :- #tea, 3 people: at five", "372 alice :- #milk, 1 person"]);
}

#[test]
fn a_service_answers_with_notices_in_the_words_of_netcat() {
    let mut client = Client::new(&[]);
    let rooms = vec![RoomInfo { room: RoomName::lobby(), people: 2, topic: None }];
    let seen =
        client.answered("PRIVMSG", "parlor", &[Answer::Rooms { rooms, others: 0, as_of: None }]);
    assert_eq!(seen[0], ":parlor!parlor@irc.local NOTICE alice :lobby, 2 people");
    client.hears(|encoder, out| {
        let (command, target) = (Some(line("PRIVMSG")), Some(line("parlor")));
        encoder.begin(&Asked { command, target, ..Asked::default() }, out);
        encoder.replayed(&tea(), &said("bob", 1, "tea or coffee"), out);
        encoder.end(out);
    });
    assert_eq!(
        client.reads(),
        [":parlor!parlor@irc.local NOTICE alice :[16:40] bob: tea or coffee"]
    );
    let long = Answer::FoundNothing(line(&"word ".repeat(200)));
    assert!(client.answered("PRIVMSG", "parlor", &[long]).len() > 3, "long sentences are split");
}

#[test]
fn accounts_are_told_in_the_form_of_the_command() {
    let logged_in = || Answer::LoggedIn(name("Alice"));
    let mut client = Client::new(&[]);
    assert_eq!(
        client.answered("AUTHENTICATE", "alice", &[logged_in()]),
        [
            "900 alice alice!al@irc Alice :You are now logged in as Alice",
            "903 alice :SASL authentication successful",
        ]
    );
    assert_eq!(
        client.answered("PRIVMSG", "NickServ", &[logged_in()]),
        [
            ":NickServ!NickServ@irc.local NOTICE alice :You are logged in as Alice",
            "900 alice alice!al@irc Alice :You are now logged in as Alice",
        ]
    );
    let wrong = || Answer::Refused(Refusal::WrongPassword(name("alice")));
    assert_eq!(
        client.answered("AUTHENTICATE", "alice", &[wrong()]),
        ["904 alice :That is not the password of alice",]
    );
    assert_eq!(
        client.answered("PRIVMSG", "NickServ", &[wrong()]),
        [":NickServ!NickServ@irc.local NOTICE alice :That is not the password of alice",]
    );
    assert_eq!(
        client.answered("REGISTER", "*", &[Answer::Registered(name("alice"))]),
        [
            "REGISTER SUCCESS alice :Your nick needs this password from now on",
            "900 alice alice!al@irc alice :You are now logged in as alice",
        ]
    );
    let short = Answer::Refused(Refusal::PasswordTooShort(8));
    let refused = client.answered("REGISTER", "*", &[short]);
    assert!(refused[0].starts_with("FAIL REGISTER WEAK_PASSWORD * :"), "{refused:?}");
}

#[test]
fn private_messages_are_shown_to_both_sides_if_they_want() {
    let mut client = Client::new(&[Cap::ServerTime]);
    assert_eq!(
        client.told(&private("bob", "alice", 1)),
        ["@time=2011-10-19T16:40:51.620Z :bob!al@irc PRIVMSG alice :psst",]
    );
    assert_eq!(client.answered("PRIVMSG", "bob", &[private("alice", "bob", 1)]), [""; 0]);
    let mut client = Client::new(&[Cap::EchoMessage]);
    assert_eq!(
        client.answered("PRIVMSG", "bob", &[private("alice", "bob", 1)]),
        [":alice!al@irc PRIVMSG bob :psst",]
    );
    let away = Answer::KeptFor(name("bob"));
    assert_eq!(
        client.answered("PRIVMSG", "bob", &[away]),
        ["NOTICE alice :bob is away and gets your message on return",]
    );
}

#[test]
fn kept_messages_have_their_manner_time_and_id_in_a_batch_for_each_author() {
    let kept = |from: &str, number, manner, is_last| {
        let (from, to) = (Who::new(PersonId::BYGONE, name(from)), name("alice"));
        let (lines, is_for_programs, away) = (vec![Spoken::new(manner, line("psst"))], false, None);
        let message = PrivateMessage { number, at: AT, from, to, lines, is_for_programs, away };
        Answer::KeptMessage { message: message.into(), is_last }
    };
    let all = [
        kept("bob", 7, Manner::Plain, false),
        kept("bob", 8, Manner::Action, false),
        kept("carol", 9, Manner::Notice, true),
    ];
    let told = |caps: &[Cap]| -> Vec<String> {
        let mut client = Client::new(caps);
        all.iter().flat_map(|answer| client.told(answer)).collect()
    };
    assert_eq!(
        told(&[]),
        [
            ":bob!bob@kept PRIVMSG alice :[16:40] psst",
            ":bob!bob@kept PRIVMSG alice :\u{1}ACTION [16:40] psst\u{1}",
            ":carol!carol@kept NOTICE alice :[16:40] psst",
        ]
    );
    let tags = "time=2011-10-19T16:40:51.620Z";
    assert_eq!(
        told(&[Cap::ServerTime]),
        [
            format!("@{tags} :bob!bob@kept PRIVMSG alice :psst"),
            format!("@{tags} :bob!bob@kept PRIVMSG alice :\u{1}ACTION psst\u{1}"),
            format!("@{tags} :carol!carol@kept NOTICE alice :psst"),
        ]
    );
    let id = |number| format!("msgid=kept.~{}.{number}", AT.0);
    assert_eq!(
        told(&[Cap::ServerTime, Cap::MessageTags, Cap::Batch]),
        [
            "BATCH +s1 chathistory bob".to_owned(),
            format!("@{tags};batch=s1;{} :bob!bob@kept PRIVMSG alice :psst", id(7)),
            format!(
                "@{tags};batch=s1;{} :bob!bob@kept PRIVMSG alice :\u{1}ACTION psst\u{1}",
                id(8)
            ),
            "BATCH -s1".to_owned(),
            "BATCH +s2 chathistory carol".to_owned(),
            format!("@{tags};batch=s2;{} :carol!carol@kept NOTICE alice :psst", id(9)),
            "BATCH -s2".to_owned(),
        ]
    );
}

#[test]
fn own_lines_are_shown_on_demand_and_carry_their_label() {
    let own = |label: Option<&str>| {
        let extras = Extras { label: label.map(line), ..Extras::default() };
        Entry::Said(Said { extras: Some(extras.into()), ..said("alice", 17, "hi") })
    };
    let scene = |room| Scene { room, seq: 16, at: AT };
    let (room, asked) =
        (tea(), |label: Option<&str>| Asked { label: label.map(line), ..Asked::post(&tea()) });
    let mut silent = Client::new(&[Cap::LabeledResponse]);
    assert!(!silent.encoder.shows_own());
    silent.hears(|encoder, out| {
        encoder.begin(&asked(Some("l1")), out);
        encoder.own(&own(Some("l1")), scene(&room), out);
        encoder.end(out);
    });
    assert_eq!(silent.reads(), ["@label=l1 ACK"]);
    let mut client = Client::new(&[Cap::LabeledResponse, Cap::EchoMessage]);
    assert!(client.encoder.shows_own(), "as everybody reads them");
    client.hears(|encoder, out| {
        encoder.begin(&asked(Some("l2")), out);
        assert!(!encoder.shows_own());
        encoder.own(&own(None), scene(&room), out);
        encoder.own(&own(Some("l2")), scene(&room), out);
        encoder.end(out);
    });
    assert_eq!(
        client.reads(),
        [":alice!al@irc PRIVMSG #tea :hi", "@label=l2 :alice!al@irc PRIVMSG #tea :hi",]
    );
}

#[test]
fn an_own_line_is_read_before_the_end_of_a_connection_that_ends_within_the_command() {
    let mut client = Client::new(&[Cap::LabeledResponse, Cap::EchoMessage]);
    let extras = Extras { label: Some(line("l1")), ..Extras::default() };
    let own = Entry::Said(Said { extras: Some(extras.into()), ..said("alice", 17, "hi") });
    let asked = Asked { label: Some(line("l1")), ..Asked::post(&tea()) };
    client.hears(|encoder, out| {
        encoder.begin(&asked, out);
        encoder.own(&own, Scene { room: &tea(), seq: 16, at: AT }, out);
        encoder.ended(out);
    });
    let expected = ["@label=l1 :alice!al@irc PRIVMSG #tea :hi", "ERROR :Closing Link: Quit"];
    assert_eq!(client.reads(), expected);
}

#[test]
fn a_label_is_on_what_its_command_does_in_a_room() {
    let mut client = Client::new(&[Cap::LabeledResponse]);
    let room = tea();
    let scene = Scene { room: &room, seq: 16, at: AT };
    let topic = Entry::Topic { who: person("alice"), text: Some(line("Assam")) };
    let asked = |label: Option<&str>| Asked {
        command: Some(line("TOPIC")),
        label: label.map(line),
        ..Asked::default()
    };
    client.hears(|encoder, out| {
        encoder.begin(&asked(Some("l1")), out);
        assert!(!encoder.shows_own());
        encoder.own(&topic, scene, out);
        encoder.end(out);
        encoder.begin(&asked(None), out);
        encoder.own(&topic, scene, out);
        encoder.end(out);
    });
    assert_eq!(
        client.reads(),
        ["@label=l1 :alice!al@irc TOPIC #tea :Assam", ":alice!al@irc TOPIC #tea :Assam"]
    );
}

#[test]
fn a_departure_is_a_part_or_a_kick() {
    let mut client = Client::new(&[]);
    let words = line("bye");
    client.hears(|encoder, out| {
        encoder.departed(&tea(), WhyDeparted { words: Some(&words), removal: None }, out);
        encoder.departed(&tea(), WhyDeparted::default(), out);
        let deed =
            Deed { text: Some(line("spam")), ..Deed::to(Verb::Kick, Whom::Name(name("alice"))) };
        let act = Arc::new(Act {
            reach: Reach::Room(tea()),
            ..Act::by(By::Keeper(Author::owner(name("bob"))), deed, AT)
        });
        encoder.answer(&Answer::Notice(Notice::Act(Arc::clone(&act))), out);
        let act = Arc::new(ActOf { act: Arc::clone(&act), author: None, rules_before: None });
        encoder.departed(&tea(), WhyDeparted { words: None, removal: Some(&act) }, out);
    });
    assert_eq!(
        client.reads(),
        [
            ":alice!al@irc PART #tea :bye",
            ":alice!al@irc PART #tea",
            ":bob!bob@kept KICK #tea alice :spam",
        ]
    );
}

#[test]
fn notices_are_told_where_they_belong() {
    let missed = Missed { room: tea(), first: 5, last: 9 };
    let mut client = Client::new(&[]);
    let skipped = Answer::Notice(Notice::Skipped(missed));
    assert_eq!(
        client.told(&skipped),
        ["NOTICE #tea :5 lines skipped: you were reading too slowly"]
    );
    assert_eq!(
        Client::new(&[Cap::Chathistory]).told(&skipped)[1],
        "NOTE * SKIPPED #tea 0af3.tea.5 0af3.tea.9 :These lines were skipped"
    );
    let idle = Notice::Idle { silent: Duration::from_secs(120), left: Duration::from_secs(30) };
    assert_eq!(client.told(&Answer::Notice(idle)), ["PING :irc.local"]);
    client.hears(|encoder, out| encoder.fell_behind(&tea(), out));
    assert_eq!(client.reads(), [":alice!al@irc PART #tea :You were reading too slowly"]);
    assert!(client.encoder.enters_again());
    let mut house = House::new();
    let again = house.enters("alice");
    client.hears(|encoder, out| encoder.entered_again(&again, out));
    assert_eq!(client.reads(), [":alice!al@irc JOIN #tea"]);
    let ally = house.enters("ally");
    let mut client = Client::new(&[]);
    client.hears(|encoder, out| encoder.was_apart(&ally, out));
    let words = "This server had no contact with the other nodes";
    let part = format!(":ally!al@irc PART #tea :{words}");
    assert_eq!(client.reads(), [":alice!al@irc NICK :ally", &part]);
    let mut client = Client::new(&[]);
    let ended = |notice: Option<Notice>| {
        let mut client = Client::new(&[]);
        let mut seen =
            notice.map(|notice| client.told(&Answer::Notice(notice))).unwrap_or_default();
        client.hears(|encoder, out| encoder.ended(out));
        seen.extend(client.reads());
        seen
    };
    assert_eq!(ended(None), ["ERROR :Closing Link: Quit"]);
    assert_eq!(
        ended(Some(Notice::IdleClosed(Duration::from_secs(150)))),
        ["ERROR :Closing Link: Ping timeout: 150 seconds"]
    );
    assert_eq!(ended(Some(Notice::GoingDown)), ["ERROR :Closing Link: The server is going down"]);
    let act = |verb| {
        let deed = Deed { text: Some(line("spam")), ..Deed::to(verb, Whom::Name(name("alice"))) };
        Notice::Act(Act::by(By::Keeper(Author::owner(name("bob"))), deed, AT).into())
    };
    assert_eq!(
        ended(Some(act(Verb::Kick))),
        ["ERROR :Closing Link: You were removed by bob: spam"]
    );
    assert_eq!(
        ended(Some(act(Verb::Ban))),
        [
            "465 alice :You are banned by bob: spam",
            "ERROR :Closing Link: You are banned by bob: spam",
        ]
    );
    assert_eq!(
        client.told(&Answer::Notice(act(Verb::Mute))),
        ["NOTICE alice :You are muted by bob"]
    );
}

#[test]
fn earlier_lines_have_their_time_and_are_a_batch_if_the_client_asks() {
    let history = |client: &mut Client, arguments: &str, lines: &[Said]| {
        let (command, target) =
            (Some(line(&format!("CHATHISTORY {arguments}"))), Some(line("#tea")));
        client.hears(|encoder, out| {
            encoder.begin(&Asked { command, target, label: Some(line("l")), mode: None }, out);
            lines.iter().for_each(|said| encoder.replayed(&tea(), said, out));
            encoder.end(out);
        });
        client.reads()
    };
    let lines = [said("bob", 4, "a"), said("bob", 5, "b"), said("bob", 6, "c")];
    let mut client = Client::new(&[Cap::Chathistory, Cap::MessageTags, Cap::LabeledResponse]);
    let time = "time=2011-10-19T16:40:51.620Z";
    assert_eq!(
        history(&mut client, "LATEST", &lines[1..]),
        [
            "@label=l BATCH +s2 chathistory #tea".to_owned(),
            format!("@{time};batch=s2;msgid=0af3.tea.5 :bob!al@irc PRIVMSG #tea :b"),
            format!("@{time};batch=s2;msgid=0af3.tea.6 :bob!al@irc PRIVMSG #tea :c"),
            "BATCH -s2".to_owned(),
        ]
    );
    assert_eq!(history(&mut client, "BETWEEN", &lines[..1]).len(), 3);
    assert_eq!(
        history(&mut client, "LATEST", &[]),
        ["@label=l BATCH +s6 chathistory #tea", "BATCH -s6"]
    );
    let targets = |client: &mut Client, lines: &[(RoomName, WallTime)]| {
        let answer = Answer::LastLines(lines.to_vec());
        client.answered("CHATHISTORY TARGETS", "", &[answer])
    };
    assert_eq!(
        targets(&mut client, &[(tea(), AT)]),
        [
            "BATCH +s7 draft/chathistory-targets",
            "@batch=s7 CHATHISTORY TARGETS #tea 2011-10-19T16:40:51.620Z",
            "BATCH -s7",
        ]
    );
    assert_eq!(targets(&mut client, &[]), ["BATCH +s8 draft/chathistory-targets", "BATCH -s8"]);
    client.hears(|encoder, out| {
        encoder.replayed(&tea(), &lines[0], out); // on joining
        encoder.replay_ended(out);
    });
    assert_eq!(
        client.reads(),
        [
            "BATCH +s9 chathistory #tea".to_owned(),
            format!("@{time};batch=s9;msgid=0af3.tea.4 :bob!al@irc PRIVMSG #tea :a"),
            "BATCH -s9".to_owned(),
        ]
    );
    let mut plain = Client::new(&[]);
    assert_eq!(history(&mut plain, "LATEST", &lines[..1]), [":bob!al@irc PRIVMSG #tea :[16:40] a"]);
    let gone = Said { manner: Manner::Gone, text: Line::sanitise(b""), ..said("bob", 7, "") };
    assert_eq!(history(&mut plain, "LATEST", &[gone]), [""; 0]);
}

#[test]
fn a_new_name_is_told_beside_other_connections_only_in_rooms_that_are_read() {
    let seen = Renaming { is_accompanied: true, new_name_was_here: true, ..Renaming::default() };
    let den = RoomName::parse("den").unwrap();
    let companions = [(tea(), seen), (den, seen)];
    let renamed = Entry::Renamed {
        who: Who::new(PersonId::BYGONE, name("dora")).into(),
        from: name("alice"),
        seen,
        event: PersonEvent::new(1, [], []).with_companions(companions, None).into(),
    };
    let mut client = Client::new(&[]);
    let scene = Scene { room: &tea(), seq: 0, at: AT };
    client.hears(|encoder, out| encoder.hidden(&renamed, scene, &|room| *room == tea(), out));
    assert_eq!(client.reads(), [":dora!dora@kept PART #tea", ":alice!al@irc NICK :dora"]);
}
