//! For any typed bytes: the others read whole lines of text, and so does the author.

use std::sync::{Arc, LazyLock};

use jiff::tz::TimeZone;
use parlor_core::link::{Answer, Command, Decoder, Encoder, Inbox, Input, PrivateMessage, Refusal};
use parlor_core::log::{Encoding, Scene};
use parlor_core::model::{
    Entry, Line, Manner, Name, RoomName, Said, Spoken, Telling, WallTime, Who,
};
use parlor_wire::lines::{LineDecoder, LineEncoder};
use parlor_wire::style::{LineMode, LocalClock, Storage};

/// The bytes are all bytes of a connection, in both modes.
pub(crate) fn run(data: &[u8]) {
    for mode in [LineMode::Classic, LineMode::Named] {
        let mut decoder = LineDecoder::new(mode);
        let clock = LocalClock { zone: TimeZone::UTC, now: WallTime::default };
        let mut encoder = LineEncoder::new(mode, Storage::Memory, clock);
        let mut rest = data;
        while let Some(input) = decoder.next(&mut rest) {
            show(input, &mut encoder);
        }
        assert!(rest.is_empty(), "the decoder takes all bytes");
        if let Some(input) = decoder.finish() {
            show(input, &mut encoder);
        }
    }
}

static LOBBY: LazyLock<RoomName> = LazyLock::new(RoomName::lobby);

/// The room and the time of all events.
pub(crate) fn scene() -> Scene<'static> {
    Scene { room: &LOBBY, seq: 0, at: WallTime(0) }
}

fn show(input: Input, encoder: &mut LineEncoder) {
    let mut shown = Vec::new();
    match input {
        Input::Say(spoken) => {
            let said = said(spoken);
            encoder.encode(&Entry::Said(said.clone()), scene(), &mut shown);
            one_line_of(&said.who, &shown);
            shown.clear();
            encoder.replayed(&LOBBY, &said, &mut shown);
        }
        Input::Command(Command::Quit(words)) => {
            let (who, telling) = (alice().into(), Telling::Told);
            let left = Entry::Left {
                who,
                words,
                removal: None,
                is_from_server: true,
                event: None,
                telling,
            };
            encoder.encode(&left, scene(), &mut shown);
            one_line_of(&alice(), &shown);
        }
        Input::Command(command) => answer(command, encoder, &mut shown),
        Input::Refused(refusal) => encoder.answer(&Answer::Refused(refusal), &mut shown),
        Input::Raw(bytes) => {
            assert_eq!(bytes.len(), 3, "telnet's refusals have three bytes");
            encoder.raw(&bytes, &mut shown);
            shown.clear();
        }
        Input::Nothing | Input::Secret(_) | Input::Farewell(_) => {}
        // Inputs of other dialects.
        Input::SayAll(_)
        | Input::In(..)
        | Input::Enter { .. }
        | Input::Leave(..)
        | Input::Ask(_)
        | Input::Private { .. }
        | Input::LogIn { .. }
        | Input::Oper { .. }
        | Input::Signal(_)
        | Input::Register(_)
        | Input::ChangePassword { .. }
        | Input::LeaveAll
        | Input::ListPeople(_)
        | Input::ListBans(_)
        | Input::FindPeople(_)
        | Input::ListRooms
        | Input::Recall(..)
        | Input::RecallRooms(..)
        | Input::WantRoster(_)
        | Input::Begin(_)
        | Input::End
        | Input::Read(_) => {
            unreachable!("nobody says that in lines")
        }
    }
    text_only(&shown);
}

/// Answers with the words that a command carries.
fn answer(command: Command, encoder: &mut LineEncoder, shown: &mut Vec<u8>) {
    let answer = match command {
        Command::Name(typed) | Command::Ignore(typed) => {
            Answer::Refused(match Name::parse(typed.as_str()) {
                Ok(name) => Refusal::NameTaken(name),
                Err(error) => Refusal::from(error),
            })
        }
        Command::Unignore(typed) => Answer::Unignore(typed),
        Command::Private { to, text } => {
            encoder.answer(&Answer::Refused(Refusal::NobodyCalled(to)), shown);
            let message = PrivateMessage {
                number: 1,
                at: WallTime(0),
                from: alice(),
                to: alice().name,
                lines: vec![Spoken::new(Manner::Plain, text)],
                is_for_programs: false,
                away: None,
            };
            Answer::Private(message.into())
        }
        Command::Who(Some(room)) | Command::Join { room, .. } => {
            Answer::Refused(Refusal::NoRoom(room))
        }
        Command::SetTopic(text) => {
            encoder.encode(&Entry::Topic { who: alice(), text }, scene(), shown);
            return;
        }
        Command::Help(spec) => Answer::Help(spec),
        _ => return,
    };
    encoder.answer(&answer, shown);
}

fn said(Spoken { manner, text, extras }: Spoken) -> Said {
    Said { seq: 1, at: WallTime(0), who: alice().into(), manner, text, extras }
}

fn alice() -> Who {
    let id = Arc::new(Inbox::default()).connect().client().id();
    Who::new(id, Name::parse("alice").unwrap())
}

/// Nobody can speak as the server or as another person: there is one line, and it begins with the
/// speaker's name.
fn one_line_of(who: &Who, shown: &[u8]) {
    let shown = std::str::from_utf8(shown).unwrap();
    assert!(shown.trim_start_matches("* ").starts_with(who.name.as_str()), "{shown:?}");
    assert_eq!(shown.matches('\n').count(), 1, "{shown:?}");
}

/// Nothing in it can act on a terminal.
fn text_only(shown: &[u8]) {
    let shown = std::str::from_utf8(shown).unwrap();
    assert!(shown.is_empty() || shown.ends_with('\n'), "{shown:?}");
    for line in shown.split_terminator('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        assert_eq!(Line::sanitise(line.as_bytes()).as_str(), line, "shown as it is or not at all");
    }
}
