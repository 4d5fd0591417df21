//! The web dialect of docs/web-protocol.md: JSON in WebSocket messages. Knows no connection.

mod answer;
mod event;
mod follow;
mod object;
mod request;

pub use event::put_line;
pub use follow::{Follow, FollowEncoder};
pub use request::{EnterRequest, JsonRequest, LINES_MAX, spoken};

use std::collections::VecDeque;
use std::time::Duration;

use parlor_core::link::{Answer, Decoder, Encoder, Entered, Input, Notice, Refusal};
use parlor_core::log::{Encoding, EncodingKey, Scene};
use parlor_core::model::{Act, Entry, Reach, RoomName, Said, Verb};

use self::object::object;
use crate::style::{LINE_BYTES_MAX, LocalClock, Storage};
use crate::websocket::{CloseCode, FrameReader, Opcode, Received, close, frame};

/// The version of the protocol. New kinds and fields do not change it.
const VERSION: u32 = 1;

/// The client sent nothing for too long, not even a pong.
const SILENT: CloseCode = CloseCode(4000);

/// A keeper or the operator removed the person.
const REMOVED: CloseCode = CloseCode(4001);

/// The client gave no name in time, or no valid one.
const NAMELESS: CloseCode = CloseCode(4002);

/// A keeper or the operator banned the person.
const BANNED: CloseCode = CloseCode(4003);

/// What the first message tells about a connection.
#[derive(Clone, Copy, Debug)]
pub struct Hello<'a> {
    /// The server's name and version.
    pub server: &'a str,
    /// The log to which the numbers of lines belong.
    pub log: &'a str,
    /// The address of the client.
    pub address: &'a str,
}

/// One thing that a client sent, before it has a meaning in a session.
#[derive(Debug)]
pub enum WebInput {
    /// A request.
    Request(Box<JsonRequest>),
    /// The answer to a ping.
    Reply(Vec<u8>),
    /// A sign of life.
    Nothing,
    /// The end, and the last bytes to send.
    Over(Vec<u8>),
    /// An invalid request, and the receipt to send behind its refusal.
    Refused(Refusal, Option<Vec<u8>>),
}

/// From frames to their meaning.
#[derive(Debug, Default)]
pub struct WebDecoder {
    frames: FrameReader,
    /// What the last message means beside its first part.
    waiting: VecDeque<Input>,
    /// The last room that a request named.
    room: Option<RoomName>,
    /// The client has closed the connection on purpose, or has broken the protocol.
    said_goodbye: bool,
}

impl WebDecoder {
    /// Takes the next message or frame from the front of `bytes`, or takes all of them and returns
    /// `None`.
    pub fn hear(&mut self, bytes: &mut &[u8]) -> Option<WebInput> {
        Some(match self.frames.next(bytes)? {
            Received::Text(text) => match JsonRequest::parse(&text) {
                Ok(request) => WebInput::Request(Box::new(request)),
                Err(refusal) => WebInput::Refused(refusal, request::receipt_of(&text)),
            },
            Received::Ping(payload) => {
                let mut pong = Vec::new();
                frame(Opcode::Pong, &mut pong, |out| {
                    out.extend_from_slice(&payload);
                });
                WebInput::Reply(pong)
            }
            Received::Pong => WebInput::Nothing,
            Received::Over(code) => {
                self.said_goodbye = code != CloseCode::GOING_AWAY;
                WebInput::Over(close(code))
            }
        })
    }

    /// Sends these bytes when all earlier requests are answered.
    pub fn answer_later(&mut self, bytes: Option<Vec<u8>>) {
        let answer = bytes.map(|bytes| Input::Raw(bytes.into()));
        self.waiting.extend(answer);
    }

    fn mean(&mut self, heard: WebInput) -> Input {
        match heard {
            WebInput::Request(request) => {
                self.answer_later(request.receipt());
                request.mean(&mut self.room)
            }
            WebInput::Reply(bytes) => Input::Raw(bytes.into()),
            WebInput::Nothing => Input::Nothing,
            WebInput::Over(bytes) => Input::Farewell(bytes.into()),
            WebInput::Refused(refusal, receipt) => {
                self.answer_later(receipt);
                Input::Refused(refusal)
            }
        }
    }
}

impl Decoder for WebDecoder {
    fn next(&mut self, bytes: &mut &[u8]) -> Option<Input> {
        if let Some(input) = self.waiting.pop_front() {
            return Some(input);
        }
        let heard = self.hear(bytes)?;
        Some(self.mean(heard))
    }

    fn has_more(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn next_secret(&mut self, bytes: &mut &[u8]) -> Option<Input> {
        // What waits belongs behind the question for the secret.
        let heard = self.hear(bytes)?;
        if let WebInput::Request(request) = &heard
            && let Some(text) = request.secret()
        {
            self.answer_later(request.receipt());
            return Some(Input::Secret(text));
        }
        Some(self.mean(heard))
    }

    /// The client hides what is typed.
    fn conceal(&mut self, _: bool) -> Option<Box<[u8]>> {
        None
    }

    fn finish(&mut self) -> Option<Input> {
        None // a part of a message means nothing
    }

    fn may_return(&self) -> bool {
        !self.said_goodbye
    }
}

/// From events and answers to frames.
#[derive(Debug)]
pub struct WebEncoder {
    keeping: Storage,
    clock: LocalClock,
    /// The code for the close frame at the end; `None` if that frame is sent already.
    closes: Option<CloseCode>,
}

impl WebEncoder {
    /// For one connection.
    pub fn new(keeping: Storage, clock: LocalClock) -> WebEncoder {
        WebEncoder {
            keeping,
            clock,
            closes: Some(CloseCode::NORMAL),
        }
    }

    /// The first message.
    pub fn hello(&self, hello: Hello<'_>, out: &mut Vec<u8>) {
        let Hello {
            server,
            log,
            address,
        } = hello;
        let (keeps, retain) = match self.keeping {
            Storage::Memory => ("memory", None),
            Storage::Disk { retain } => ("disk", retain),
        };
        frame(Opcode::Text, out, |out| {
            object("hello", out)
                .with("version", VERSION)
                .with("server", server)
                .with("log", log)
                .with("address", address)
                .with("keeps", keeps)
                .with("retain", retain.as_ref().map(Duration::as_secs))
                .with("text", LINE_BYTES_MAX)
                .with("lines", LINES_MAX);
        });
    }

    /// The last frame for a client without a name.
    pub fn nameless(&self, out: &mut Vec<u8>) {
        out.extend(close(NAMELESS));
    }

    /// The code with which the connection ends behind this answer.
    fn closing(&self, answer: &Answer) -> Option<CloseCode> {
        let ends = |act: &Act, verb| act.reach == Reach::Server && act.deed.verb == verb;
        match answer {
            Answer::Notice(Notice::GoingDown) => Some(CloseCode::GOING_AWAY),
            Answer::Notice(Notice::IdleClosed(_)) => Some(SILENT),
            Answer::Notice(Notice::Act(act)) if ends(act, Verb::Ban) => Some(BANNED),
            Answer::Notice(Notice::Act(act)) if ends(act, Verb::Kick) => Some(REMOVED),
            _ => None,
        }
    }
}

impl Encoding for WebEncoder {
    fn key(&self) -> EncodingKey {
        const WEB: EncodingKey = EncodingKey::named("web");
        WEB
    }

    fn encode(&self, entry: &Entry, scene: Scene<'_>, out: &mut Vec<u8>) {
        if event::is_shown(entry) {
            frame(Opcode::Text, out, |out| {
                event::put(entry, scene, &self.clock, out);
            });
        } else {
            self.hidden(entry, scene, out);
        }
    }
}

impl Encoder for WebEncoder {
    fn answer(&mut self, answer: &Answer, out: &mut Vec<u8>) {
        if let Answer::Notice(Notice::Idle { .. }) = answer {
            // A client that is there answers by itself.
            frame(Opcode::Ping, out, |_| {});
            return;
        }
        if let (Some(_), Some(code)) = (self.closes, self.closing(answer)) {
            self.closes = Some(code);
        }
        frame(Opcode::Text, out, |out| {
            answer::put(answer, self.keeping, &self.clock, out);
        });
    }

    fn entered(&mut self, entered: &Entered, out: &mut Vec<u8>) {
        frame(Opcode::Text, out, |out| {
            answer::put_entered(entered, self.keeping, out);
        });
    }

    /// Readers always know who is in the room, also if they hide arrivals.
    fn hidden(&self, entry: &Entry, scene: Scene<'_>, out: &mut Vec<u8>) {
        if let Some(presence) = event::Presence::of(entry) {
            frame(Opcode::Text, out, |out| presence.put(scene, out));
        }
    }

    fn fell_behind(&mut self, room: &RoomName, out: &mut Vec<u8>) {
        frame(Opcode::Text, out, |out| {
            object("fell_behind", out).with("room", room.as_str()).with(
                "text",
                format_args!("You read too slowly to be told who came to {room} or left"),
            );
        });
    }

    fn replayed(&mut self, room: &RoomName, said: &Said, out: &mut Vec<u8>) {
        if event::is_there(said) {
            frame(Opcode::Text, out, |out| {
                event::put_said(room, said, true, out);
            });
        }
    }

    fn departed(&mut self, room: &RoomName, out: &mut Vec<u8>) {
        frame(Opcode::Text, out, |out| {
            object("departed", out)
                .with("room", room.as_str())
                .with("text", format_args!("You are no longer in {room}"));
        });
    }

    fn ended(&mut self, out: &mut Vec<u8>) {
        if let Some(code) = self.closes.take() {
            out.extend(close(code));
        }
    }

    fn raw(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if bytes.first() == Some(&(0x80 | Opcode::Close as u8)) {
            self.closes = None;
        }
        out.extend_from_slice(bytes);
    }
}
