//! Requests of a client, from JSON. Knows no connection.

use std::collections::BTreeMap;

use jiff::Timestamp;
use parlor_core::link::{
    Attempt, Change, Command, Excerpt, FirstRoom, Input, Query, Refusal, Start, slipped,
};
use parlor_core::model::{ConversationId, Line, Manner, RoomName, Spoken, WallTime};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::object::object;
use crate::style::{LINE_BYTES_MAX, LINES_MAX};
use crate::websocket::{Opcode, one_frame};

/// The largest number of lines of history in one answer, and the number if the request names none.
const HISTORY_LINES_MAX: u64 = 200;
const HISTORY_LINES: u64 = 50;

/// The longest id in bytes; the quotation marks of a string do not count.
const ID_BYTES_MAX: usize = 64;

/// A request as it was sent. Each kind of request uses some of the fields.
#[derive(Debug, Default, Deserialize)]
pub struct WebRequest {
    #[serde(rename = "do")]
    what: String,
    id: Option<Id>,
    /// The room, or `null` for none.
    #[serde(default, deserialize_with = "present")]
    room: Option<Option<String>>,
    text: Option<String>,
    #[serde(default)]
    args: Vec<String>,
    name: Option<String>,
    password: Option<String>,
    code: Option<String>,
    replay: Option<u64>,
    log: Option<String>,
    after: Option<u64>,
    before: Option<u64>,
    limit: Option<u64>,
    from: Option<u64>,
    time: Option<String>,
    skip: Option<u64>,
}

/// The client's name for a request: any JSON, which is returned unchanged.
type Id = Box<RawValue>;

/// The value of a field that is there, even if it is `null`.
fn present<'de, D: Deserializer<'de>>(field: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(field).map(Some)
}

fn is_short(id: &RawValue) -> bool {
    let written = id.get();
    let text = written.starts_with('"').then(|| serde_json::from_str::<String>(written));
    let length = match text {
        Some(Ok(text)) => text.len(),
        _ => written.len(),
    };
    length <= ID_BYTES_MAX
}

impl WebRequest {
    /// Parses a message.
    ///
    /// # Errors
    /// The message is not a valid request.
    pub fn parse(text: &str) -> Result<WebRequest, Refusal> {
        let request = match serde_json::from_str(text) {
            Ok(request) => request,
            Err(_) => WebRequest::parse_odd(text)?,
        };
        match &request.id {
            Some(id) if !is_short(id) => Err(Refusal::NoRequest("its id has more than 64 bytes")),
            _ => Ok(request),
        }
    }

    /// Parses JSON that serde does not accept at once: with a byte order mark, with halves of
    /// characters, or with a field twice. As in browsers, the last of two counts.
    #[cold]
    fn parse_odd(text: &str) -> Result<WebRequest, Refusal> {
        let mended = mended(text);
        let is_json = serde_json::from_str::<&RawValue>(&mended).is_ok();
        let fields = fields(&mended).and_then(|fields| serde_json::to_string(&fields).ok());
        let request = fields.and_then(|fields| serde_json::from_str(&fields).ok());
        request.ok_or(Refusal::NoRequest(match is_json {
            true => {
                "it must be an object with \"do\" and the fields that docs/web-protocol.md lists"
            }
            false => "it is not JSON",
        }))
    }

    /// The message that tells the client that its request is done, if it gave an id.
    pub fn receipt(&self) -> Option<Vec<u8>> {
        self.id.as_deref().map(receipt)
    }

    /// The answer to a ping.
    pub fn pong(&self) -> Option<Vec<u8>> {
        let pong = || one_frame(Opcode::Text, |out| drop(object("pong", out)));
        (self.what == "ping").then(pong)
    }

    /// The password, if the request answers the question for one.
    pub(crate) fn secret(&self) -> Option<Line> {
        (self.what == "password").then(|| line(self.text.as_deref().unwrap_or_default()))
    }

    /// The attempt to enter, if it is one.
    ///
    /// # Errors
    /// It asks for something else, or its room has no valid name.
    pub fn to_attempt(&self) -> Result<Attempt, Refusal> {
        if self.what != "enter" {
            return Err(Refusal::NoRequest("first enter: {\"do\":\"enter\",\"name\":\"alice\"}"));
        }
        let name = self.name.as_deref().filter(|name| !name.trim().is_empty());
        Ok(Attempt {
            name: name.map(line),
            password: self.password.as_deref().map(line),
            code: self.code.as_deref().map(line),
            room: match self.room(&mut None)? {
                Some(room) => FirstRoom::Named(room),
                None if self.room.is_some() => FirstRoom::Nowhere,
                None => FirstRoom::Usual,
            },
            start: self.start(),
            profile: None,
        })
    }

    /// The meaning of the request for a session; `last` is the room of the previous request.
    pub(crate) fn mean(self, last: &mut Option<RoomName>) -> Input {
        match self.pong() {
            Some(pong) => Input::Raw(pong.into()),
            None => self.try_to_mean(last).unwrap_or_else(Input::Refused),
        }
    }

    fn try_to_mean(self, last: &mut Option<RoomName>) -> Result<Input, Refusal> {
        let room = self.room(last)?;
        let needed = |room: Option<RoomName>| room.ok_or(Refusal::NoRequest("it needs a \"room\""));
        let input = match self.what.as_str() {
            "enter" => return Err(Refusal::NoRequest("you have entered already")),
            "password" => return Err(Refusal::NoRequest("no password was asked for")),
            "join" => {
                let password =
                    self.args.first().map(|password| Line::sanitise(password.as_bytes()));
                let password = password.filter(|password| !password.is_blank());
                let start = self.start();
                return Ok(Input::Enter { room: needed(room)?, password, start });
            }
            "leave" => return Ok(Input::Leave(needed(room)?, None)),
            "say" => self.say()?,
            "history" => self.history()?,
            "people" => {
                let (room, from) = (needed(room.clone())?, self.from.unwrap_or(0));
                Input::Ask(Box::new(Query::People { room, from }.into()))
            }
            "read" => self.read(needed(room.clone())?)?,
            name => {
                let arguments = self.args.join(" ");
                if arguments.len() > LINE_BYTES_MAX {
                    return Err(Refusal::TooLong(LINE_BYTES_MAX));
                }
                let mut input = command(name, &arguments);
                if let Input::Command(Command::Search { skip, .. }) = &mut input {
                    *skip = self.skip.unwrap_or(0);
                }
                input
            }
        };
        Ok(match room {
            Some(room) => Input::In(room, Box::new(input)),
            None => input,
        })
    }

    /// The room that it names. Nearly always this is the previous room, which is compared first
    /// because checking a name takes longer than all other steps.
    fn room(&self, last: &mut Option<RoomName>) -> Result<Option<RoomName>, Refusal> {
        let Some(Some(typed)) = &self.room else {
            return Ok(None);
        };
        if last.as_ref().is_none_or(|last| last.as_str() != typed.as_str()) {
            *last = Some(RoomName::parse(typed).map_err(Refusal::from)?);
        }
        Ok(last.clone())
    }

    /// Up to which time the room is read, or the question for it.
    fn read(&self, room: RoomName) -> Result<Input, Refusal> {
        let conversation = ConversationId::Room(room);
        let Some(time) = &self.time else {
            return Ok(Input::Ask(Box::new(Query::Marker(conversation).into())));
        };
        let time: Timestamp = time.parse().map_err(|_| {
            Refusal::NoRequest("its \"time\" is not like \"2026-11-29T18:30:00.000Z\"")
        })?;
        let read = WallTime(time.as_millisecond());
        Ok(Input::Ask(Box::new(Change::MarkRead { conversation, read }.into())))
    }

    fn start(&self) -> Start {
        match (&self.log, self.after, self.replay) {
            (Some(log), Some(seq), _) => Start::After { log: log.clone(), seq },
            (_, _, Some(lines)) => Start::Last(lines),
            _ => Start::Usual,
        }
    }

    fn say(&self) -> Result<Input, Refusal> {
        let text = self.text.as_deref().ok_or(Refusal::NoRequest("it needs a \"text\""))?;
        let mut lines = spoken(text)?;
        // Several lines are a paste, which is never a command.
        if let [alone] = lines.as_slice()
            && let Some(name) = slipped(&alone.text)
        {
            return Err(Refusal::Slipped(name));
        }
        Ok(match lines.len() {
            0 | 1 => lines.pop().map_or(Input::Nothing, Input::Say),
            _ => Input::SayAll(lines),
        })
    }

    fn history(&self) -> Result<Input, Refusal> {
        let lines = self.limit.unwrap_or(HISTORY_LINES).clamp(1, HISTORY_LINES_MAX);
        match (self.before, self.after) {
            (Some(seq), None) => Ok(Input::Read(Excerpt::Before { seq, lines })),
            (None, Some(seq)) => Ok(Input::Read(Excerpt::After { seq, lines })),
            _ => Err(Refusal::NoRequest("history takes either \"before\" or \"after\"")),
        }
    }
}

/// A request with the name of a command.
fn command(name: &str, arguments: &str) -> Input {
    match Command::parse(&format!("{name} {arguments}")) {
        Ok(Command::Say(spoken)) => Input::Say(spoken),
        Ok(Command::Echo(_)) => {
            Input::Refused(Refusal::NoRequest("your own lines always come back here"))
        }
        Ok(command) => Input::Command(command),
        Err(misread) => Input::Refused(misread.into()),
    }
}

/// The message that tells the client that its invalid request is refused; none without an id.
pub(crate) fn receipt_of(text: &str) -> Option<Vec<u8>> {
    let mended = mended(text);
    let id = *fields(&mended)?.get("id")?;
    (is_short(id) && id.get() != "null").then(|| receipt(id))
}

/// The fields of an object, with any values.
fn fields(text: &str) -> Option<BTreeMap<String, &RawValue>> {
    serde_json::from_str(text).ok()
}

/// The text without a byte order mark, and with U+FFFD for each half of a character (RFC 8259,
/// section 8.2): browsers write half an emoji like that.
fn mended(text: &str) -> String {
    let mut rest = text.trim_start_matches('\u{feff}');
    let mut mended = String::with_capacity(rest.len());
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        mended.push_str(before);
        let (taken, is_whole) = match (surrogate(escape), escape.get(6..).and_then(surrogate)) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => (12, true),
            (Some(_), _) => (6, false),
            // The next character belongs to the escape: a second backslash begins no other.
            (None, _) => (escape.chars().take(2).map(char::len_utf8).sum(), true),
        };
        let (escape, behind) = escape.split_at(taken);
        mended.push_str(if is_whole { escape } else { "\\ufffd" });
        rest = behind;
    }
    mended.push_str(rest);
    mended
}

/// The half of a character that an escape stands for.
fn surrogate(escape: &str) -> Option<u16> {
    let digits = escape.strip_prefix("\\u")?.get(..4)?;
    let unit = u16::from_str_radix(digits, 16).ok()?;
    matches!(unit, 0xd800..0xe000).then_some(unit)
}

fn receipt(id: &RawValue) -> Vec<u8> {
    one_frame(Opcode::Text, |out| drop(object("done", out).with("id", id)))
}

/// The lines of a text as one paste, without blank lines.
///
/// # Errors
/// One of them is too long, or there are too many.
pub fn spoken(text: &str) -> Result<Vec<Spoken>, Refusal> {
    let mut spoken = Vec::new();
    for text in text.lines() {
        if text.len() > LINE_BYTES_MAX {
            return Err(Refusal::TooLong(LINE_BYTES_MAX));
        }
        let text = line(text);
        if text.is_blank() {
            continue;
        }
        if spoken.len() == LINES_MAX {
            return Err(Refusal::TooManyLines(LINES_MAX));
        }
        spoken.push(Spoken::new(Manner::Plain, text));
    }
    Ok(spoken)
}

fn line(text: &str) -> Line {
    Line::sanitise(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_characters_are_mended_and_nothing_else() {
        for (text, wanted) in [
            (r"half \ud83d", r"half \ufffd"),
            (r"\ude00\ud83d", r"\ufffd\ufffd"),
            (r"\uD83D\uDE00", r"\uD83D\uDE00"),
            (r"\ud83d\ud83d\ude00", r"\ufffd\ud83d\ude00"),
            (r"\\ud83d", r"\\ud83d"),
            (r"\\\ud83d", r"\\\ufffd"),
            (r"\ud83", r"\ud83"),
            (r"\u+83d \ud83é", r"\u+83d \ud83é"),
            (r"\é\", r"\é\"),
            ("\u{feff}{}", "{}"),
        ] {
            assert_eq!(mended(text), wanted);
        }
    }
}
