//! The web dialect: JSON in WebSocket messages, as docs/web-protocol.md has it. Knows no connection.

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
use parlor_core::model::{Entry, Reach, RoomName, Said, Word};

use self::object::object;
use crate::style::{LINE_BYTES_MAX, LocalClock, Storage};
use crate::websocket::{CloseCode, FrameReader, Opcode, Received, close, frame};

/// The version of the protocol. Kinds and fields that come new do not change it.
const VERSION: u32 = 1;

/// Nothing was heard, pings included.
const SILENT: CloseCode = CloseCode(4000);

/// Somebody with authority wants it so.
const REMOVED: CloseCode = CloseCode(4001);

/// No name was given in time, or none that can be worn.
const NAMELESS: CloseCode = CloseCode(4002);

/// And does not let that person in again.
const BANNED: CloseCode = CloseCode(4003);

/// What a connection is, for the first message.
#[derive(Clone, Copy, Debug)]
pub struct Hello<'a> {
    /// What the server calls itself.
    pub server: &'a str,
    /// Which log its numbers belong to.
    pub log: &'a str,
    /// Where the connection comes from.
    pub address: &'a str,
}

/// What has come in, before it has a meaning in a session.
#[derive(Debug)]
pub enum WebInput {
    /// Something is asked for.
    Request(Box<JsonRequest>),
    /// The other side wants these bytes for an answer.
    Reply(Vec<u8>),
    /// The other side is there.
    Nothing,
    /// It is over; these are the last bytes to be sent.
    Over(Vec<u8>),
    /// What came is no request; and what to say when it has been refused.
    Refused(Refusal, Option<Vec<u8>>),
}

/// From frames to what they mean.
#[derive(Debug, Default)]
pub struct WebDecoder {
    frames: FrameReader,
    /// What the last message means beside what has been taken of it already.
    waiting: VecDeque<Input>,
    /// The room that was named last.
    room: Option<RoomName>,
    /// The other side has closed as programs do that have come to an end, or has broken the rules.
    said_goodbye: bool,
}

impl WebDecoder {
    /// Takes the next thing from the front of `bytes`, or takes all of them and returns none.
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

    /// Has the other side sent these bytes when all that was asked for before is answered.
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
        // What waits is for when that is done for which the secret is asked.
        let heard = self.hear(bytes)?;
        if let WebInput::Request(request) = &heard
            && let Some(text) = request.secret()
        {
            self.answer_later(request.receipt());
            return Some(Input::Secret(text));
        }
        Some(self.mean(heard))
    }

    /// Whoever types it sees to that.
    fn conceal(&mut self, _: bool) -> Option<Box<[u8]>> {
        None
    }

    fn finish(&mut self) -> Option<Input> {
        None // half a message is none
    }

    fn may_return(&self) -> bool {
        !self.said_goodbye
    }
}

/// From what happens in rooms to frames.
#[derive(Debug)]
pub struct WebEncoder {
    keeping: Storage,
    clock: LocalClock,
    /// With which code it closes in the end; none if the frame for that has gone out already.
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

    /// The last frame for somebody who has given no name.
    pub fn nameless(&self, out: &mut Vec<u8>) {
        out.extend(close(NAMELESS));
    }

    /// With which code somebody is closed who is told this.
    fn closing(&self, answer: &Answer) -> Option<CloseCode> {
        match answer {
            Answer::Notice(Notice::GoingDown) => Some(CloseCode::GOING_AWAY),
            Answer::Notice(Notice::IdleClosed(_)) => Some(SILENT),
            Answer::Notice(Notice::Order(Word::Removed(removal)))
                if removal.reach == Reach::Server =>
            {
                Some(match removal.ban {
                    Some(_) => BANNED,
                    None => REMOVED,
                })
            }
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
            // Who is there answers by itself.
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

    /// Nobody who is in a room is unknown to its readers, whatever they want to read.
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
