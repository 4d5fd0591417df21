//! For any bytes of an IRC client, before its welcome and after it: its commands neither panic nor
//! grow, and every line that it reads is safe, also when everything is refused.

use std::sync::{Arc, LazyLock};

use jiff::tz::TimeZone;
use parlor_core::link::{
    Answer, Decoder, Encoder, Findable, FindablePage, Input, PrivateMessage, Refusal, RoomInfo,
    RoomsPage,
};
use parlor_core::log::{Encoding, Scene};
use parlor_core::model::{
    Entry, Line, Manner, Modes, Name, PersonId, Profile, RoomName, Said, Spoken, WallTime, Who,
};
use parlor_wire::irc::{
    Cap, HISTORY_MAX, IrcDecoder, IrcEncoder, IrcServer, MESSAGE_BYTES_MAX, RegistrationStep,
    TAGS_BYTES_MAX,
};
use parlor_wire::style::{LINE_BYTES_MAX, LINES_MAX, LocalClock, Storage};

static SERVER: LazyLock<Arc<IrcServer>> = LazyLock::new(|| {
    Arc::new(IrcServer {
        name: "irc.local".to_owned(),
        network: "Parlor".to_owned(),
        version: "parlor".to_owned(),
        started: WallTime(0),
        motd: Vec::new(),
        log: "0af3".to_owned(),
        rooms_max: 100,
        bans_max: 1_000,
        clock: LocalClock { zone: TimeZone::UTC, now: WallTime::default },
    })
});

static LOBBY: LazyLock<RoomName> = LazyLock::new(RoomName::lobby);

/// The largest number of inputs that a byte becomes: each name between two commas of a JOIN is a
/// beginning and an input.
const INPUTS_FOR_A_BYTE: usize = 2;

/// The largest number of targets in one question.
const TARGETS_MAX: usize = 10;

/// The bytes come before the welcome, and after it from a client with and without capabilities.
pub(crate) fn run(data: &[u8]) {
    register(data);
    talk(&[], data);
    talk(Cap::ALL, data);
}

fn register(data: &[u8]) {
    let mut decoder = IrcDecoder::new(Arc::clone(&SERVER), true);
    let (mut rest, mut read) = (data, Vec::new());
    while let Some(step) = decoder.register(&mut rest, &mut read) {
        let registration = decoder.registration().unwrap();
        match step {
            RegistrationStep::LogIn { account, .. } => {
                let account = Name::stored(account.as_str());
                registration.logged_in(Ok(&account), &mut read);
            }
            RegistrationStep::Enter { name, .. } => {
                registration.refused(&Refusal::NameOwned(name), &mut read);
            }
            RegistrationStep::None => {}
            RegistrationStep::End => break,
        }
    }
    check_lines(&read);
}

/// A client that has registered with these capabilities sends the bytes.
fn talk(caps: &[Cap], data: &[u8]) {
    let (name, profile) = (Name::stored("alice"), Profile::new(texts(["al", "A", "irc"]), false));
    let mut decoder = IrcDecoder::new(Arc::clone(&SERVER), true);
    let asked: Vec<_> = caps.iter().map(|cap| format!("CAP REQ :{}\n", cap.name())).collect();
    let (asked, mut answers) = (asked.concat(), Vec::new());
    let mut rest = asked.as_bytes();
    while decoder.register(&mut rest, &mut answers).is_some() {}
    let caps = decoder.welcome(&name, &profile);
    let mut encoder = IrcEncoder::new(Arc::clone(&SERVER), Storage::Memory);
    encoder.welcome(name, profile.into(), caps);
    let (mut rest, mut inputs) = (data, 0);
    while let Some(input) = decoder.next(&mut rest) {
        inputs += 1;
        let mut read = Vec::new();
        take(input, &mut encoder, &mut read);
        check_lines(&read);
    }
    assert!(rest.is_empty() && !decoder.has_more());
    assert!(inputs <= 50 + INPUTS_FOR_A_BYTE * data.len(), "{inputs}");
}

fn texts(texts: [&str; 3]) -> [Line; 3] {
    texts.map(|text| Line::sanitise(text.as_bytes()))
}

/// Gives an input to the encoder. Everything that the session would do is refused with its own
/// words.
fn take(input: Input, encoder: &mut IrcEncoder, read: &mut Vec<u8>) {
    match input {
        Input::Begin(asked) => encoder.begin(&asked, read),
        Input::End => encoder.end(read),
        Input::Raw(bytes) => encoder.raw(&bytes, read),
        Input::Refused(refusal) => encoder.answer(&refusal.into(), read),
        Input::In(_, input) => take(*input, encoder, read),
        Input::Say(spoken) => show(spoken, encoder, read),
        Input::SayAll(lines) => {
            assert!((2..=LINES_MAX).contains(&lines.len()));
            lines.into_iter().for_each(|spoken| show(spoken, encoder, read));
        }
        Input::Recall(_, lines) => {
            assert!((1..=HISTORY_MAX).contains(&lines));
            encoder.answer(&Refusal::NoSuchLine.into(), read);
        }
        Input::RecallRooms([at, _], rooms) => {
            assert!((1..=HISTORY_MAX).contains(&rooms));
            encoder.answer(&Answer::LastLines(vec![(LOBBY.clone(), at)]), read);
        }
        Input::Leave(_, Some(words)) => {
            encoder.answer(&Refusal::NobodyCalled(words).into(), read);
        }
        Input::Command(command) => {
            let typed = Line::sanitise(format!("{command:?}").as_bytes());
            encoder.answer(&Refusal::NobodyCalled(typed.clone()).into(), read);
            encoder.answer(&Answer::FoundNothing(typed), read);
        }
        Input::Read(_) | Input::Farewell(_) | Input::Secret(_) => {
            unreachable!("not in this dialect")
        }
        Input::Enter { .. }
        | Input::Leave(..)
        | Input::LeaveAll
        | Input::ListPeople(_)
        | Input::ListBans(_)
        | Input::Ask(_) => {
            encoder.answer(&Refusal::NotThere.into(), read);
        }
        Input::FindPeople(masks) => {
            assert!(masks <= TARGETS_MAX);
            let who = Who::new(PersonId::new(1), Name::stored("alice"));
            let people = vec![Findable { who, is_server_keeper: true, is_away: false }];
            encoder.answer(&Answer::Findable(FindablePage { people, next: None }), read);
        }
        Input::ListRooms => {
            let rooms = vec![RoomInfo { room: LOBBY.clone(), people: 1, topic: None }];
            encoder.answer(&Answer::AllRooms(RoomsPage { rooms, next: None }), read);
        }
        Input::Oper { .. } => {
            let (set, removed) = (Modes::OPERATOR, Modes::NONE);
            encoder.answer(&Answer::ModesChanged { set, removed }, read);
        }
        Input::LogIn { name, .. } => {
            let name = name.as_ref().map_or("alice", |name| name.as_str());
            encoder.answer(&Answer::LoggedIn(Name::stored(name)), read);
        }
        Input::Private { to, lines, is_for_programs } => {
            let from = Who::new(PersonId::new(1), Name::stored("alice"));
            let (number, at, to) = (1, WallTime(0), Name::stored(to.as_str()));
            let message =
                PrivateMessage { number, at, from, to, lines, is_for_programs, away: None };
            let answer = Answer::Private(message.into());
            encoder.answer(&answer, read);
            encoder.answer(&answer, read);
        }
        Input::Signal(extras) => {
            let who = Who::new(PersonId::new(1), Name::stored("alice")).into();
            let scene = Scene { room: &LOBBY, seq: 0, at: WallTime(0) };
            let entry = Entry::Signal { who, extras, number: 1 };
            encoder.own(&entry, scene, read);
            encoder.encode(&entry, scene, read);
        }
        Input::Register(_) | Input::ChangePassword { .. } => {
            encoder.answer(&Refusal::Busy.into(), read)
        }
        Input::WantRoster(_) | Input::Nothing => {}
    }
}

/// Shows a line to everybody, and to its author.
fn show(Spoken { manner, text, extras }: Spoken, encoder: &mut IrcEncoder, read: &mut Vec<u8>) {
    assert!(text.len() <= 3 * LINE_BYTES_MAX && manner != Manner::Gone);
    let who = Who::new(PersonId::new(1), Name::stored("alice")).into();
    let said = Said { seq: 1, at: WallTime(0), who, manner, text, extras };
    let scene = Scene { room: &LOBBY, seq: 0, at: WallTime(0) };
    let entry = Entry::Said(said);
    encoder.own(&entry, scene, read);
    encoder.encode(&entry, scene, read);
}

/// Each line is a message within the limits, and has no controls but those of CTCP.
fn check_lines(read: &[u8]) {
    let text = str::from_utf8(read).unwrap();
    assert!(text.is_empty() || text.ends_with("\r\n"));
    for line in text.split_terminator("\r\n") {
        let tags = match line.starts_with('@') {
            true => line.split_inclusive(' ').next().unwrap().len(),
            false => 0,
        };
        assert!(tags <= TAGS_BYTES_MAX && line.len() - tags <= MESSAGE_BYTES_MAX, "{line}");
        let controls: String = line.chars().filter(char::is_ascii_control).collect();
        assert!(controls.is_empty() || controls == "\u{1}\u{1}", "{line:?}");
        assert!(line.len() > tags);
    }
}
