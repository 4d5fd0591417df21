//! What a client asks for, from JSON. Knows no connection.

use parlor_core::answer::Refusal;
use parlor_core::command::slipped;
use parlor_core::dialect::{Input, Start};
use parlor_core::entry::Manner;
use parlor_core::inbox::Spoken;
use parlor_core::line::Line;
use parlor_core::name::RoomName;
use serde::{Deserialize, Serialize};

use super::object::object;
use super::{LINE_BYTES_MAX, command};
use crate::websocket::{Opcode, frame};

/// So many lines can be said together: as many as of a paste pass at once, twice.
pub const LINES_MAX: usize = 200;

/// So many lines are read at once, and so many where no number is given.
const HISTORY_LINES_MAX: u64 = 200;
const HISTORY_LINES: u64 = 50;

/// An id given as a string has this many bytes at the most.
const ID_BYTES_MAX: usize = 64;

/// A request, as it was sent: each field has its meaning with some of them.
#[derive(Debug, Default, Deserialize)]
pub struct Request {
    #[serde(rename = "do")]
    what: String,
    id: Option<Id>,
    room: Option<String>,
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
}

/// What a client calls its request.
#[derive(Debug, Deserialize, Serialize)]
#[serde(untagged)]
enum Id {
    Number(serde_json::Number),
    Text(String),
}

impl Id {
    fn is_short(&self) -> bool {
        match self {
            Id::Number(_) => true,
            Id::Text(id) => id.len() <= ID_BYTES_MAX,
        }
    }
}

/// What somebody who enters has to show.
#[derive(Debug)]
pub struct Entrance {
    /// The name, as typed; none to be called by the address.
    pub name: Option<Line>,
    /// Its password.
    pub password: Option<Line>,
    /// Instead of a name: a return code.
    pub code: Option<Line>,
    /// The room, if one was named.
    pub room: Option<RoomName>,
    /// Which lines come first.
    pub start: Start,
}

impl Request {
    /// From a message.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Request, Refusal> {
        let request: Request = serde_json::from_str(text).map_err(|error| {
            Refusal::NoRequest(match error.classify() {
                serde_json::error::Category::Data => {
                    "it must be an object with \"do\" and the fields that docs/web-protocol.md lists"
                }
                _ => "it is not JSON",
            })
        })?;
        match &request.id {
            Some(id) if !id.is_short() => Err(Refusal::NoRequest("its id has more than 64 bytes")),
            _ => Ok(request),
        }
    }

    /// What is sent when it is done, if the client wants to know.
    pub fn receipt(&self) -> Option<Vec<u8>> {
        self.id.as_ref().map(receipt)
    }

    /// The answer where it only asks whether the server is there.
    pub fn pong(&self) -> Option<Vec<u8>> {
        (self.what == "ping").then(|| {
            let mut out = Vec::new();
            frame(Opcode::Text, &mut out, |out| drop(object("pong", out)));
            out
        })
    }

    /// The password that it answers a question with.
    pub(super) fn secret(&self) -> Option<Line> {
        let is_answer = self.what == "password";
        is_answer.then(|| line(self.text.as_deref().unwrap_or_default()))
    }

    /// What somebody has to show who wants to come in.
    ///
    /// # Errors
    /// It asks for something else, or for no room.
    pub fn entrance(&self) -> Result<Entrance, Refusal> {
        if self.what != "enter" {
            return Err(Refusal::NoRequest(
                "first enter: {\"do\":\"enter\",\"name\":\"alice\"}",
            ));
        }
        let line_of = |text: &Option<String>| text.as_deref().map(line);
        Ok(Entrance {
            name: line_of(&self.name).filter(|name| !name.as_str().trim().is_empty()),
            password: line_of(&self.password),
            code: line_of(&self.code),
            room: self.room(&mut None)?,
            start: self.start(),
        })
    }

    /// What it means to a session; `last` is the room of the request before.
    pub(super) fn mean(self, last: &mut Option<RoomName>) -> Input {
        if let Some(pong) = self.pong() {
            return Input::Raw(pong.into());
        }
        match self.try_to_mean(last) {
            Ok(input) => input,
            Err(refusal) => Input::Refused(refusal),
        }
    }

    fn try_to_mean(self, last: &mut Option<RoomName>) -> Result<Input, Refusal> {
        let room = self.room(last)?;
        let needed = |room: Option<RoomName>| room.ok_or(Refusal::NoRequest("it needs a \"room\""));
        let input = match self.what.as_str() {
            "enter" => return Err(Refusal::NoRequest("you have entered already")),
            "password" => return Err(Refusal::NoRequest("no password was asked for")),
            "join" => return Ok(Input::Enter(needed(room)?, self.start())),
            "leave" => return Ok(Input::Leave(needed(room)?)),
            "say" => self.say()?,
            "history" => self.history()?,
            "people" => Input::People {
                from: self.from.unwrap_or(0),
            },
            name => {
                let arguments = self.args.join(" ");
                if arguments.len() > LINE_BYTES_MAX {
                    return Err(Refusal::TooLong(LINE_BYTES_MAX));
                }
                command(name, &arguments)
            }
        };
        Ok(match room {
            Some(room) => Input::In(room, Box::new(input)),
            None => input,
        })
    }

    /// The room that it names: nearly always the last one, and to look whether a name is one takes longer than all else here.
    fn room(&self, last: &mut Option<RoomName>) -> Result<Option<RoomName>, Refusal> {
        let Some(typed) = self.room.as_deref() else {
            return Ok(None);
        };
        if last.as_ref().is_none_or(|last| last.as_str() != typed) {
            *last = Some(RoomName::parse(typed).map_err(Refusal::Name)?);
        }
        Ok(last.clone())
    }

    fn start(&self) -> Start {
        match (&self.log, self.after, self.replay) {
            (Some(log), Some(seq), _) => Start::After {
                log: log.clone(),
                seq,
            },
            (_, _, Some(lines)) => Start::Last(lines),
            _ => Start::Usual,
        }
    }

    fn say(&self) -> Result<Input, Refusal> {
        let text = self.text.as_deref();
        let text = text.ok_or(Refusal::NoRequest("it needs a \"text\""))?;
        let mut lines = spoken(text)?;
        // Several lines are a paste, which is text.
        if let [alone] = lines.as_slice()
            && let Some(name) = slipped(&alone.text)
        {
            return Err(Refusal::Slipped(name));
        }
        Ok(match lines.len() {
            0 => Input::Nothing,
            1 => lines.pop().map_or(Input::Nothing, Input::Say),
            _ => Input::SayAll(lines),
        })
    }

    fn history(&self) -> Result<Input, Refusal> {
        let limit = self
            .limit
            .unwrap_or(HISTORY_LINES)
            .clamp(1, HISTORY_LINES_MAX);
        let (first, last) = match (self.before, self.after) {
            (Some(before), None) => (before.saturating_sub(limit), before.saturating_sub(1)),
            (None, Some(after)) => (after.saturating_add(1), after.saturating_add(limit)),
            _ => {
                return Err(Refusal::NoRequest(
                    "history takes either \"before\" or \"after\"",
                ));
            }
        };
        Ok(Input::Read {
            first: first.max(1),
            last,
        })
    }
}

/// What is sent when a message has been refused that is no request, if the client has called it something.
pub(super) fn receipt_of(text: &str) -> Option<Vec<u8>> {
    let mut fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).ok()?;
    let id = Id::deserialize(fields.remove("id")?).ok()?;
    id.is_short().then(|| receipt(&id))
}

fn receipt(id: &Id) -> Vec<u8> {
    let mut out = Vec::new();
    frame(Opcode::Text, &mut out, |out| {
        object("done", out).with("id", id);
    });
    out
}

/// The lines of a text, to be said together: empty ones are left out.
///
/// # Errors
/// One of them is too long, or there are too many.
pub fn spoken(text: &str) -> Result<Vec<Spoken>, Refusal> {
    let lines = text.lines().filter(|line| !line.is_empty());
    let mut spoken = Vec::new();
    for text in lines {
        if text.len() > LINE_BYTES_MAX {
            return Err(Refusal::TooLong(LINE_BYTES_MAX));
        }
        if spoken.len() == LINES_MAX {
            return Err(Refusal::TooManyLines(LINES_MAX));
        }
        let text = line(text);
        let manner = Manner::Plain;
        spoken.push(Spoken { manner, text });
    }
    Ok(spoken)
}

fn line(text: &str) -> Line {
    Line::sanitise(text.as_bytes())
}
