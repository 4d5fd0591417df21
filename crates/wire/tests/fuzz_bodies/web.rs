//! For any bytes of a browser: each request has a meaning within the limits, and each answer is one
//! frame of JSON.

use std::sync::{Arc, LazyLock};

use jiff::tz::TimeZone;
use parlor_core::link::{Answer, Command, Decoder, Encoder, Excerpt, Inbox, Input, Refusal};
use parlor_core::log::{Encoding, Scene};
use parlor_core::model::{Entry, Name, RoomName, Said, Spoken, WallTime, Who};
use parlor_wire::style::{LINE_BYTES_MAX, LINES_MAX, LocalClock, Storage};
use parlor_wire::web::{WebDecoder, WebEncoder, WebRequest};
use parlor_wire::websocket::{Opcode, frame};
use serde_json::Value;

use super::websocket::parse_frame;

static LOBBY: LazyLock<RoomName> = LazyLock::new(RoomName::lobby);

/// The bytes are a message, before entering and after, and also all bytes of a connection.
pub(crate) fn run(data: &[u8]) {
    for input in inputs(&masked(data)) {
        check(input);
    }
    for input in inputs(data) {
        check(input);
    }
    for input in secrets(&masked(data)) {
        check(input);
    }
    let request = str::from_utf8(data).ok().map(WebRequest::parse);
    if let Some(Ok(attempt)) = request.map(|request| request?.to_attempt()) {
        let given = [attempt.name, attempt.password, attempt.code].into_iter().flatten();
        given.map(Refusal::NobodyCalled).for_each(refuse);
    }
}

/// A text message of a client, with a mask of zeros.
pub(crate) fn masked(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    frame(Opcode::Text, &mut out, |out| out.extend(text));
    let header = out.len() - text.len();
    out[1] |= 0x80;
    out.splice(header..header, [0; 4]);
    out
}

/// The meaning of these bytes.
pub(crate) fn inputs(bytes: &[u8]) -> Vec<Input> {
    all(bytes, WebDecoder::next, WebDecoder::has_more)
}

/// The meaning of these bytes after a question for a password.
pub(crate) fn secrets(bytes: &[u8]) -> Vec<Input> {
    all(bytes, WebDecoder::next_secret, |_| false) // the rest waits
}

fn all(
    bytes: &[u8],
    next: impl Fn(&mut WebDecoder, &mut &[u8]) -> Option<Input>,
    has_more: impl Fn(&WebDecoder) -> bool,
) -> Vec<Input> {
    let mut decoder = WebDecoder::default();
    let mut rest = bytes;
    let mut inputs = Vec::new();
    while has_more(&decoder) || !rest.is_empty() {
        inputs.extend(next(&mut decoder, &mut rest));
    }
    assert!(decoder.finish().is_none());
    inputs
}

/// An encoder of this dialect.
pub(crate) fn encoder() -> WebEncoder {
    let clock = LocalClock { zone: TimeZone::UTC, now: WallTime::default };
    WebEncoder::new(Storage::Memory, clock)
}

/// The object in one text frame.
pub(crate) fn object(bytes: &[u8]) -> Value {
    let [object] = &objects(bytes)[..] else { panic!("not one frame: {bytes:?}") };
    object.clone()
}

/// The objects in text frames.
pub(crate) fn objects(mut bytes: &[u8]) -> Vec<Value> {
    let mut objects = Vec::new();
    while !bytes.is_empty() {
        let (first, payload, rest) = parse_frame(bytes).unwrap();
        assert_eq!(first, 0x81);
        let object: Value = serde_json::from_slice(payload).unwrap();
        assert!(object["kind"].is_string(), "{object}");
        objects.push(object);
        bytes = rest;
    }
    objects
}

fn check(input: Input) {
    match input {
        Input::Say(spoken) => show(spoken),
        Input::SayAll(lines) => {
            assert!((2..=LINES_MAX).contains(&lines.len()));
            lines.into_iter().for_each(show);
        }
        Input::In(_, input) => {
            assert!(!matches!(*input, Input::In(..) | Input::Enter { .. } | Input::Leave(..)));
            check(*input);
        }
        Input::Read(Excerpt::Before { lines, .. } | Excerpt::After { lines, .. }) => {
            assert!((1..=200).contains(&lines));
        }
        Input::Command(Command::Name(typed) | Command::Ignore(typed)) => {
            refuse(Refusal::NobodyCalled(typed));
        }
        Input::Refused(refusal) => refuse(refusal),
        Input::Raw(bytes) => assert!(parse_frame(&bytes).is_some_and(|(.., rest)| rest.is_empty())),
        Input::Farewell(bytes) => assert_eq!(parse_frame(&bytes).map(|frame| frame.0), Some(0x88)),
        Input::Private { .. }
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
        | Input::End => unreachable!("not in this dialect"),
        Input::Nothing
        | Input::Secret(_)
        | Input::Enter { .. }
        | Input::Leave(..)
        | Input::Ask(_)
        | Input::Command(_) => {}
    }
}

fn show(Spoken { manner, text, extras }: Spoken) {
    assert!(text.as_str().len() <= 3 * LINE_BYTES_MAX, "bad bytes become three");
    let id = Arc::new(Inbox::default()).connect().client().id();
    let said = Said {
        seq: 1,
        at: WallTime(0),
        who: Who::new(id, Name::parse("alice").unwrap()).into(),
        manner,
        text: text.clone(),
        extras,
    };
    let scene = Scene { room: &LOBBY, seq: 0, at: WallTime(0) };
    let mut shown = Vec::new();
    encoder().encode(&Entry::Said(said), scene, &mut shown);
    assert_eq!(object(&shown)["text"], text.as_str());
}

fn refuse(refusal: Refusal) {
    let mut shown = Vec::new();
    encoder().answer(&Answer::Refused(refusal), &mut shown);
    let shown = object(&shown);
    assert!(shown["text"].is_string() && shown["why"].is_string(), "{shown}");
}
