//! Each answer to one person is one frame: an object with a kind and a text, even if the words in
//! it are hostile.
#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

#[allow(dead_code, reason = "it needs some of the bodies")]
mod fuzz_bodies;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use fuzz_bodies::web::{encoder, object, objects};
use jiff::tz::TimeZone;
use parlor_core::link::{
    Answer, Bygone, COMMANDS, Contact, Encoder, Findable, FindablePage, Inbox, Notice, PasswordFor,
    Present, PrivateMessage, RankedRoom, Refusal, RoomInfo, RoomsPage, Sighting, Totals,
    VisitorPage, Whois,
};
use parlor_core::log::{Encoding, Scene};
use parlor_core::model::{
    Act, Author, By, Damage, Deed, Entry, Flaw, Line, Manner, Missed, Name, Reach, RoomName, Said,
    Spoken, Verb, WallTime, Who, Whom,
};
use parlor_wire::lines::LineEncoder;
use parlor_wire::style::{LineMode, LocalClock, Storage};

/// The most hostile line.
fn line() -> Line {
    Line::sanitise("\"},{\"kind\":\"line\"}\\ \u{2028}</script> \u{1f600}\u{202e}".as_bytes())
}

fn clock() -> LocalClock {
    LocalClock { zone: TimeZone::UTC, now: WallTime::default }
}

fn name() -> Name {
    Name::parse("zoë").unwrap()
}

fn who() -> Who {
    Who::new(Arc::new(Inbox::default()).connect().client().id(), name())
}

fn said() -> Said {
    let (seq, at, manner) = (u64::MAX, WallTime(i64::MAX), Manner::Action);
    Said { seq, at, who: who().into(), manner, text: line(), extras: None }
}

fn missed() -> Missed {
    Missed::between(&RoomName::lobby(), 0, 3)
}

const VERBS: [Verb; 15] = [
    Verb::Broadcast,
    Verb::Kick,
    Verb::Ban,
    Verb::Unban,
    Verb::Mute,
    Verb::Unmute,
    Verb::LockTopic,
    Verb::UnlockTopic,
    Verb::SetTopic,
    Verb::MakeRoom,
    Verb::AddKeeper,
    Verb::RemoveKeeper,
    Verb::ReleaseName,
    Verb::SetPassword,
    Verb::Reload,
];

fn act(verb: Verb) -> Arc<Act> {
    Arc::new(Act {
        deed: Deed {
            verb,
            whom: Whom::Name(name()),
            time: Some(Duration::from_secs(1)),
            text: Some(line()),
        },
        by: By::Keeper(Author::owner(name())),
        reach: Reach::Room(RoomName::lobby()),
        at: WallTime(0),
    })
}

fn message(manners: &[Manner], is_for_programs: bool) -> Arc<PrivateMessage> {
    let lines = manners.iter().map(|manner| Spoken::new(*manner, line())).collect();
    let (number, at, from, to) = (1, WallTime(0), who(), name());
    PrivateMessage { number, at, from, to, lines, is_for_programs, away: None }.into()
}

/// Answers to commands.
fn answers() -> Vec<Answer> {
    let room = RoomName::lobby;
    let address: SocketAddr = "[2001:db8::1]:8000".parse().unwrap();
    let present = Present { name: name(), silent: Duration::MAX, address: Some(address) };
    let info = RoomInfo { room: room(), people: 1, topic: Some(line()) };
    vec![
        Answer::Help(None),
        Answer::Help(COMMANDS.first()),
        Answer::Who { room: room(), people: vec![present], others: 2, listening: 1, as_of: None },
        Answer::Rooms { rooms: vec![info.clone()], others: 1, as_of: Some(WallTime(0)) },
        Answer::Whois(Box::new(Whois {
            who: who(),
            rooms: vec![RankedRoom { room: room(), is_keeper: true, has_voice: false }],
            address: Some(address),
            since: Some(WallTime(0)),
            silent: Duration::MAX,
            is_server_keeper: true,
            away: Some(line()),
        })),
        Answer::Whowas { name: line(), people: Vec::new() },
        Answer::Whowas { name: line(), people: vec![Bygone { who: who(), at: WallTime(0) }] },
        Answer::Present(vec![
            Sighting { typed: line(), who: None, is_server_keeper: false, is_away: false },
            Sighting { typed: line(), who: Some(who()), is_server_keeper: true, is_away: true },
        ]),
        Answer::Findable(FindablePage {
            people: vec![Findable { who: who(), is_server_keeper: true, is_away: true }],
            next: Some(1),
        }),
        Answer::Invitations(vec![room()]),
        Answer::AllRooms(RoomsPage { rooms: vec![info], next: Some(room()) }),
        Answer::Totals(Totals {
            people: 2,
            invisible: 0,
            people_max: 3,
            server_keepers: 1,
            rooms: 1,
        }),
        Answer::YouAre(name()),
        Answer::Topic { room: room(), text: Some(line()), set: None },
        Answer::Private(message(&[Manner::Plain], false)),
        Answer::KeptMessage { message: message(&[Manner::Plain], false), is_last: true },
        Answer::Ignore(who()),
        Answer::Unignore(line()),
        Answer::Quiet(true),
        Answer::Quiet(false),
        Answer::Found { room: room(), said: said() },
        Answer::FoundMore { lines: 0, is_all: false },
        Answer::FoundNothing(line()),
        Answer::SearchBehind(1_000_000),
        Answer::Password(PasswordFor::Of(name())),
        Answer::Password(PasswordFor::New { name: name(), chars_min: 8 }),
        Answer::Password(PasswordFor::Again),
        Answer::Registered(name()),
        Answer::PasswordChanged { name: name(), keeps_token: true },
        Answer::Code(line()),
        Answer::Token(line()),
        Answer::TokenRevoked(true),
        Answer::TokenRevoked(false),
        Answer::WelcomeBack(name()),
        Answer::KeptFor(name()),
        Answer::WhileAway(1),
        Answer::Away(Some(line())),
        Answer::Away(None),
        Answer::Realname(line()),
        Answer::IsAway { name: name(), text: line() },
        Answer::CanDelete(name()),
        Answer::Deleted(2),
        Answer::NothingStored,
        Answer::LastLines(vec![(room(), WallTime(0))]),
        Answer::Told { people: 2, deaf: 1 },
        Answer::Unstored(Box::new(Answer::Act(act(Verb::Mute)))),
        Answer::Everybody(VisitorPage::default()),
        Answer::Bans { bans: Vec::new(), others: 0 },
        Answer::Keepers { room: None, server: Vec::new() },
        Refusal::NobodyCalled(line()).into(),
        Refusal::NotRegistered(line()).into(),
    ]
}

/// Unrequested notices.
fn notices() -> Vec<Notice> {
    let damaged = Damage { room: RoomName::lobby(), first: 1, last: 1, flaw: Flaw::Changed };
    vec![
        Notice::Skipped(missed()),
        Notice::PassedOver(missed()),
        Notice::LeftTheLog(missed()),
        Notice::Damaged(damaged),
        Notice::DiskSlow,
        Notice::IdleClosed(Duration::from_secs(1)),
        Notice::GoingDown,
        Notice::Contact(Contact::Waiting),
        Notice::Contact(Contact::Lost),
        Notice::Contact(Contact::Astray),
        Notice::Contact(Contact::Unknown),
        Notice::Contact(Contact::Sent),
        Notice::Contact(Contact::Back { lines: 12 }),
        Notice::LoggedOut(name()),
        Notice::ServerRanked { is_keeper: true },
        Notice::ServerRanked { is_keeper: false },
        Notice::RulesEnd(RoomName::parse("tea").unwrap()),
        Notice::NameGone { from: name(), now: Name::of_address("192.0.2.7:50000") },
    ]
}

#[test]
fn every_answer_is_one_frame_with_a_kind_and_a_text() {
    let notices = notices().into_iter().map(Answer::Notice);
    let acts = VERBS.map(act).into_iter();
    let acts = acts.flat_map(|act| {
        let notice = Answer::Notice(Notice::Act(Arc::clone(&act)));
        [Answer::Act(act), notice]
    });
    for answer in answers().into_iter().chain(notices).chain(acts) {
        let mut bytes = Vec::new();
        encoder().answer(&answer, &mut bytes);
        let object = object(&bytes); // with a kind
        let text = object["text"].as_str().unwrap();
        assert!(!text.is_empty(), "{answer:?}");
        assert!(!text.starts_with("-- "), "{text:?} of {answer:?}");
        let bare = ["answer", "notice"].contains(&object["kind"].as_str().unwrap());
        assert_eq!(object["about"].is_string(), bare, "{object}");
    }
}

#[test]
fn a_silent_client_gets_a_ping_and_no_words() {
    let idle = Answer::Notice(Notice::Idle {
        silent: Duration::from_secs(96),
        left: Duration::from_secs(24),
    });
    let mut bytes = Vec::new();
    encoder().answer(&idle, &mut bytes);
    assert_eq!(bytes, [0x89, 0]);
}

#[test]
fn each_line_of_a_private_message_is_shown_and_none_that_is_for_programs() {
    let mut lines = LineEncoder::new(LineMode::Named, Storage::Memory, clock());
    let shown = |encoder: &mut dyn Encoder, is_for_programs| {
        let message = message(&[Manner::Plain, Manner::Action, Manner::Notice], is_for_programs);
        let mut shown = Vec::new();
        encoder.answer(&Answer::Private(message), &mut shown);
        shown
    };
    let words = [line().to_string(), format!("* zoë {}", line()), line().to_string()];
    let told = words.each_ref().map(|words| format!("[zoë -> zoë] {words}\n"));
    assert_eq!(String::from_utf8(shown(&mut lines, false)).unwrap(), told.concat());
    let frames = objects(&shown(&mut encoder(), false));
    for ((object, words), manner) in frames.iter().zip(words).zip(["plain", "action", "notice"]) {
        assert_eq!(object["words"], words);
        assert_eq!(object["notice"] == true, manner == "notice");
    }
    assert_eq!(frames.len(), 3);
    for encoder in [&mut lines as &mut dyn Encoder, &mut encoder()] {
        assert_eq!(shown(encoder, true), b"");
    }
}

#[test]
fn a_notice_is_shown_as_a_line_and_programs_read_what_it_is() {
    let notice = Entry::Said(Said { manner: Manner::Notice, ..said() });
    let scene = Scene { room: &RoomName::lobby(), seq: 0, at: WallTime(0) };
    let mut shown = Vec::new();
    encoder().encode(&notice, scene, &mut shown);
    let object = object(&shown);
    assert_eq!((&object["kind"], &object["notice"]), (&"line".into(), &true.into()));
    shown.clear();
    let lines = LineEncoder::new(LineMode::Named, Storage::Memory, clock());
    lines.encode(&notice, scene, &mut shown);
    assert_eq!(String::from_utf8(shown).unwrap().trim_end(), format!("zoë: {}", line()));
}
