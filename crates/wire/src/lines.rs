//! The line dialect: text lines for netcat and telnet, in classic and named mode.
//!
//! Knows no connection. What it says, word for word, is in `wording`.

use std::borrow::Cow;
use std::time::Duration;

use jiff::tz::TimeZone;
use parlor_core::answer::{Answer, Refusal};
use parlor_core::batch::{Encoding, Scene, Slot};
use parlor_core::command::Command;
use parlor_core::dialect::{Decoder, Encoder, Input};
use parlor_core::entry::{Entry, Manner, Said};
use parlor_core::inbox::Spoken;
use parlor_core::line::Line;
use parlor_core::name::RoomName;
use parlor_core::seat::Entered;
use parlor_core::time::WallTime;

use crate::first_line::{http_refusal, is_http_request, is_junk};
use crate::framer::{Frame, Framer};
use crate::wording;

/// How a listener speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The chat server of "The Go Programming Language", section 8.10, byte for byte.
    Classic,
    /// With names, commands, rooms and history.
    Named,
}

impl Mode {
    /// The longest line that passes, in bytes without its ending: what the original takes in
    /// classic mode; a long paragraph in named mode.
    pub const fn line_bytes_max(self) -> usize {
        match self {
            Mode::Classic => 65_535,
            Mode::Named => 4_096,
        }
    }
}

/// What has come in, before it has a meaning.
#[derive(Debug)]
pub enum Heard {
    /// A line, fit to be shown.
    Line(Line),
    /// A line that is too long, and is thrown away.
    TooLong,
    /// A telnet client wants these bytes for an answer.
    Reply(Box<[u8]>),
    /// No person with netcat or telnet: these are the last bytes to be sent.
    Foreign(Box<[u8]>),
}

/// What a first line with control bytes is answered.
const JUNK_REFUSAL: &[u8] = b"-- This port speaks lines of text\n";

/// How an SSH client begins (RFC 4253, section 4.2): in text, but for no person to read.
const SSH_GREETING: &[u8] = b"SSH-";

/// From bytes to lines, and from lines to what they mean.
#[derive(Debug)]
pub struct LineDecoder {
    framer: Framer,
    mode: Mode,
    /// No line has come yet: it may turn out that a browser or a TLS client talks to us.
    at_start: bool,
}

impl LineDecoder {
    /// For a connection on which nothing has come yet.
    pub fn new(mode: Mode) -> LineDecoder {
        LineDecoder {
            framer: Framer::new(mode.line_bytes_max()),
            mode,
            at_start: true,
        }
    }

    /// Takes the next line from the front of `bytes`, or takes all of them and returns none.
    pub fn hear(&mut self, bytes: &mut &[u8]) -> Option<Heard> {
        let heard = match self.framer.next(bytes) {
            Some(Frame::Line(line)) => self.heard_line(line),
            // A browser's request may be too long to be a line; what follows it gives it away.
            Some(Frame::TooLong) => return Some(Heard::TooLong),
            Some(Frame::Reply(reply)) => return Some(Heard::Reply(reply.into())),
            None if self.at_start && self.mode == Mode::Named && is_junk(self.framer.tail()) => {
                Heard::Foreign(JUNK_REFUSAL.into())
            }
            None => return None,
        };
        self.at_start = false;
        Some(heard)
    }

    fn heard_line(&self, line: Cow<'_, [u8]>) -> Heard {
        if self.at_start && is_http_request(&line) {
            return Heard::Foreign(http_refusal("nc HOST PORT").into_bytes().into());
        }
        let is_foreign = || is_junk(&line) || line.starts_with(SSH_GREETING);
        if self.at_start && self.mode == Mode::Named && is_foreign() {
            return Heard::Foreign(JUNK_REFUSAL.into());
        }
        Heard::Line(Line::sanitise(&line))
    }

    fn mean(&self, heard: Heard) -> Input {
        match heard {
            Heard::Line(line) if self.mode == Mode::Named => mean_named(line),
            Heard::Line(text) => Input::Say(Spoken {
                manner: Manner::Plain,
                text,
            }),
            Heard::TooLong => Input::Refused(Refusal::TooLong(self.mode.line_bytes_max())),
            Heard::Reply(bytes) => Input::Raw(bytes),
            Heard::Foreign(farewell) => Input::Farewell(farewell),
        }
    }
}

/// What a line means where there are commands.
fn mean_named(line: Line) -> Input {
    let Some(typed) = line.as_str().strip_prefix('/') else {
        let text = line;
        let empty = text.as_str().is_empty();
        return if empty {
            Input::Nothing
        } else {
            Input::Say(Spoken {
                manner: Manner::Plain,
                text,
            })
        };
    };
    if typed.starts_with('/') {
        return Input::Say(Spoken {
            manner: Manner::Plain,
            text: Line::sanitise(typed.as_bytes()),
        });
    }
    match Command::parse(typed) {
        Ok(Command::Say(spoken)) => Input::Say(spoken),
        Ok(command) => Input::Command(command),
        Err(refusal) => Input::Refused(refusal),
    }
}

impl Decoder for LineDecoder {
    fn next(&mut self, bytes: &mut &[u8]) -> Option<Input> {
        let heard = self.hear(bytes)?;
        Some(self.mean(heard))
    }

    fn next_secret(&mut self, bytes: &mut &[u8]) -> Option<Input> {
        Some(match self.hear(bytes)? {
            Heard::Line(text) => Input::Secret(text),
            other => self.mean(other),
        })
    }

    fn conceal(&mut self, is_hidden: bool) -> Option<Box<[u8]>> {
        Some(self.framer.take_over_echo(is_hidden)?.into())
    }

    fn finish(&mut self) -> Option<Input> {
        let line = self.framer.finish()?;
        let heard = self.heard_line(line.into());
        Some(self.mean(heard))
    }
}

/// What time it is where the server stands, for lines said before.
#[derive(Clone, Debug)]
pub struct Clock {
    /// The zone in which times are shown.
    pub zone: TimeZone,
    /// What time it is.
    pub now: fn() -> WallTime,
}

/// Where the lines are kept that people say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// In memory, as long as the server runs.
    Nowhere,
    /// In a file.
    OnDisk {
        /// For so long; for good where there is no time.
        retain: Option<Duration>,
    },
}

/// From what happens in a room to lines of text.
#[derive(Debug)]
pub struct LineEncoder {
    mode: Mode,
    /// Whether the client has shown itself to be telnet, whose lines end in CR LF.
    is_telnet: bool,
    keeping: Keeping,
    clock: Clock,
}

impl LineEncoder {
    /// For one connection.
    pub fn new(mode: Mode, keeping: Keeping, clock: Clock) -> LineEncoder {
        LineEncoder {
            mode,
            is_telnet: false,
            keeping,
            clock,
        }
    }

    /// Appends one line: `words`, and its ending.
    pub fn line(&self, words: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(words.as_bytes());
        out.extend_from_slice(self.ending());
    }

    fn ending(&self) -> &'static [u8] {
        if self.is_telnet { b"\r\n" } else { b"\n" }
    }
}

impl Encoding for LineEncoder {
    fn slot(&self) -> Slot {
        const CLASSIC: Slot = Slot::new(0);
        const CLASSIC_TELNET: Slot = Slot::new(1);
        const NAMED: Slot = Slot::new(2);
        const NAMED_TELNET: Slot = Slot::new(3);
        match (self.mode, self.is_telnet) {
            (Mode::Classic, false) => CLASSIC,
            (Mode::Classic, true) => CLASSIC_TELNET,
            (Mode::Named, false) => NAMED,
            (Mode::Named, true) => NAMED_TELNET,
        }
    }

    fn encode(&self, entry: &Entry, _: Scene<'_>, out: &mut Vec<u8>) {
        if let Entry::Said(said) = entry {
            if said.manner == Manner::Gone {
                return;
            }
            wording::said(said, out);
            out.extend_from_slice(self.ending());
        } else if let Some(words) = wording::happening(entry, self.mode, &self.clock) {
            self.line(&words, out);
        }
    }
}

impl Encoder for LineEncoder {
    fn answer(&mut self, answer: &Answer, out: &mut Vec<u8>) {
        if let Answer::Found { room, said } = answer {
            let place = format!("-- {}{room} ", wording::time_of(said.at, &self.clock));
            out.extend_from_slice(place.as_bytes());
            wording::said(said, out);
            out.extend_from_slice(self.ending());
            return;
        }
        for words in wording::answer(answer, self.mode, self.keeping, &self.clock) {
            self.line(&words, out);
        }
    }

    fn entered(&mut self, entered: &Entered, out: &mut Vec<u8>) {
        for words in wording::entered(entered, self.mode, self.keeping) {
            self.line(&words, out);
        }
    }

    fn replayed(&mut self, _: &RoomName, said: &Said, out: &mut Vec<u8>) {
        if said.manner == Manner::Gone {
            return;
        }
        out.extend_from_slice(wording::time_of(said.at, &self.clock).as_bytes());
        wording::said(said, out);
        out.extend_from_slice(self.ending());
    }

    /// Nothing: whoever moves reads what is in the next room.
    fn departed(&mut self, _: &RoomName, _: &mut Vec<u8>) {}

    fn ended(&mut self, _: &mut Vec<u8>) {}

    fn raw(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.is_telnet = true; // only telnet asks for answers of its own
        out.extend_from_slice(bytes);
    }
}
