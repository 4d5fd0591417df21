//! The line dialect: lines of text for netcat and telnet, in classic and named mode. Knows no
//! connection.

use parlor_core::link::{
    Answer, Command, Decoder, Encoder, Entered, Input, Refusal, WhyDeparted, slipped,
};
use parlor_core::log::{Encoding, EncodingKey, Scene};
use parlor_core::model::{Entry, Line, Manner, RoomName, Said, Spoken, apply_keys};

use crate::first_line::{Foreign, Watch, http_refusal};
use crate::framer::{Frame, Framer};
use crate::style::{LineMode, LocalClock, Storage};
use crate::words;

/// Input of a client, before it has a meaning.
#[derive(Debug)]
pub enum LineInput {
    /// A line that is safe to show.
    Line(Line),
    /// A line that is too long and is discarded.
    TooLong,
    /// The answer that a telnet client expects.
    Reply(Box<[u8]>),
    /// The client speaks another protocol. These are the last bytes to send to it.
    Farewell(Box<[u8]>),
}

impl LineInput {
    fn new(frame: Frame<'_>, read: fn(&[u8]) -> Line) -> LineInput {
        match frame {
            Frame::Line(line) => LineInput::Line(read(&line)),
            Frame::TooLong => LineInput::TooLong,
            Frame::Reply(reply) => LineInput::Reply(reply.into()),
        }
    }
}

/// The answer to a client that speaks another protocol.
const FOREIGN_REFUSAL: &[u8] = b"-- This port speaks lines of text\n";

/// The answer to text in UTF-16.
const UTF16_REFUSAL: &[u8] =
    b"-- This port speaks lines of text in UTF-8, and this looks like UTF-16: send it as UTF-8\n";

/// The answer to a client of IRC, as such clients show it.
fn irc_refusal(port: u16) -> String {
    format!("ERROR :This port speaks lines of text; IRC is at port {port}\r\n")
}

/// From bytes to lines, and from lines to their meaning.
#[derive(Debug)]
pub struct LineDecoder {
    framer: Framer,
    mode: LineMode,
    /// Recognises clients of other protocols.
    watch: Watch,
    /// The port at which clients of IRC are welcome.
    irc_port: Option<u16>,
}

impl LineDecoder {
    /// A decoder for a new connection.
    pub fn new(mode: LineMode) -> LineDecoder {
        let framer = Framer::new(mode.line_bytes_max());
        LineDecoder { framer, mode, watch: Watch::default(), irc_port: None }
    }

    /// The same, for a server where clients of IRC are welcome at another port.
    pub fn with_irc_at(self, irc_port: Option<u16>) -> LineDecoder {
        LineDecoder { irc_port, ..self }
    }

    /// Takes the next answer to the question for a name from the front of `bytes`, or takes all of
    /// them and returns `None`. Backspaces and other editing keys are applied.
    pub fn hear_name(&mut self, bytes: &mut &[u8]) -> Option<LineInput> {
        self.hear(bytes, answered)
    }

    /// Takes the next answer to the question for a password, which may contain anything.
    pub fn hear_secret(&mut self, bytes: &mut &[u8]) -> Option<LineInput> {
        self.framer.next(bytes).map(|frame| LineInput::new(frame, answered))
    }

    /// The last bytes, at the end of the input, for a client that speaks another protocol and has
    /// sent no newline.
    pub fn last_words(&mut self) -> Option<Box<[u8]>> {
        let line = self.framer.finish()?;
        self.watch.line(&line, true).map(|foreign| self.refusal(foreign))
    }

    fn hear(&mut self, bytes: &mut &[u8], read: fn(&[u8]) -> Line) -> Option<LineInput> {
        let frame = self.framer.next(bytes);
        let foreign = match &frame {
            Some(Frame::Line(line)) => {
                let foreign = self.watch.line(line, self.framer.ended_with_cr());
                foreign.or_else(|| self.watch.ahead(bytes))
            }
            // A request may be too long for a line; the next line shows what it is.
            Some(Frame::TooLong) => {
                self.watch.too_long();
                None
            }
            Some(Frame::Reply(_)) => None,
            None => self.watch.unfinished(self.framer.tail()),
        };
        match foreign {
            Some(foreign) => {
                self.watch.end(); // an unfinished line stays unfinished: one farewell is enough
                *bytes = &[];
                Some(LineInput::Farewell(self.refusal(foreign)))
            }
            None => frame.map(|frame| LineInput::new(frame, read)),
        }
    }

    /// The last bytes for a client that speaks another protocol.
    fn refusal(&self, foreign: Foreign) -> Box<[u8]> {
        match (foreign, self.irc_port) {
            (Foreign::Http, _) => http_refusal("nc HOST PORT").into_bytes().into(),
            (Foreign::Utf16, _) => UTF16_REFUSAL.into(),
            (Foreign::Irc, Some(port)) => irc_refusal(port).into_bytes().into(),
            (Foreign::Irc | Foreign::Other, _) => FOREIGN_REFUSAL.into(),
        }
    }

    fn mean(&self, heard: LineInput) -> Input {
        match heard {
            LineInput::Line(line) if self.mode == LineMode::Named => mean_named(line),
            LineInput::Line(text) => say(text),
            LineInput::TooLong => Input::Refused(Refusal::TooLong(self.mode.line_bytes_max())),
            LineInput::Reply(bytes) => Input::Raw(bytes),
            LineInput::Farewell(farewell) => Input::Farewell(farewell),
        }
    }
}

/// The typed answer, with editing keys applied. An answer of keys alone keeps them, and is refused.
fn answered(typed: &[u8]) -> Line {
    let answer = Line::sanitise(&apply_keys(typed));
    match answer.as_str().trim().is_empty() {
        true => Line::sanitise(typed),
        false => answer,
    }
}

/// The meaning of a line in named mode.
fn mean_named(line: Line) -> Input {
    let Some(typed) = line.as_str().strip_prefix('/') else {
        return mean_text(line);
    };
    if typed.starts_with('/') {
        return escaped(typed);
    }
    match Command::parse(typed) {
        Ok(Command::Say(spoken)) => Input::Say(spoken),
        Ok(command) => Input::Command(command),
        Err(misread) => Input::Refused(misread.into()),
    }
}

/// A line without a slash is said, unless it is blank or looks like a command that slipped.
fn mean_text(text: Line) -> Input {
    if let Some(name) = slipped(&text) {
        return Input::Refused(Refusal::Slipped(name));
    }
    match text.is_blank() {
        true => Input::Nothing,
        false => say(text),
    }
}

/// `//text` says `/text`, and `// /msg` says ` /msg`, which cannot be said in another way.
fn escaped(typed: &str) -> Input {
    let behind = typed.strip_prefix('/').unwrap_or(typed);
    let behind = Line::sanitise(behind.as_bytes());
    match slipped(&behind) {
        Some(_) => say(behind),
        None => say(Line::sanitise(typed.as_bytes())),
    }
}

fn say(text: Line) -> Input {
    Input::Say(Spoken::new(Manner::Plain, text))
}

impl Decoder for LineDecoder {
    fn next(&mut self, bytes: &mut &[u8]) -> Option<Input> {
        let heard = self.hear(bytes, Line::sanitise)?;
        Some(self.mean(heard))
    }

    fn next_secret(&mut self, bytes: &mut &[u8]) -> Option<Input> {
        Some(match self.hear_secret(bytes)? {
            LineInput::Line(text) => Input::Secret(text),
            other => self.mean(other),
        })
    }

    fn conceal(&mut self, is_hidden: bool) -> Option<Box<[u8]>> {
        Some(self.framer.take_over_echo(is_hidden)?.into())
    }

    fn finish(&mut self) -> Option<Input> {
        let line = self.framer.finish()?;
        let heard = match self.watch.line(&line, false) {
            Some(foreign) => LineInput::Farewell(self.refusal(foreign)),
            None => LineInput::Line(Line::sanitise(&line)),
        };
        Some(self.mean(heard))
    }
}

/// From events and answers to lines of text.
#[derive(Debug)]
pub struct LineEncoder {
    mode: LineMode,
    /// Whether the client is telnet, whose lines end in CR LF.
    is_telnet: bool,
    storage: Storage,
    clock: LocalClock,
}

impl LineEncoder {
    /// An encoder for one connection.
    pub fn new(mode: LineMode, storage: Storage, clock: LocalClock) -> LineEncoder {
        LineEncoder { mode, is_telnet: false, storage, clock }
    }

    /// Appends one line: `words`, and its ending.
    pub fn line(&self, words: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(words.as_bytes());
        out.extend_from_slice(self.ending());
    }

    fn said(&self, said: &Said, out: &mut Vec<u8>) {
        if said.has_words() {
            words::said(said, out);
            out.extend_from_slice(self.ending());
        }
    }

    fn happening(&self, entry: &Entry, out: &mut Vec<u8>) {
        if let Some(words) = words::happening(entry, self.mode, &self.clock) {
            self.line(&words, out);
        }
    }

    fn ending(&self) -> &'static [u8] {
        if self.is_telnet { b"\r\n" } else { b"\n" }
    }
}

impl Encoding for LineEncoder {
    #[inline]
    fn key(&self) -> EncodingKey {
        match (self.mode, self.is_telnet) {
            (LineMode::Classic, false) => const { EncodingKey::named("lines-classic") },
            (LineMode::Classic, true) => const { EncodingKey::named("lines-classic-telnet") },
            (LineMode::Named, false) => const { EncodingKey::named("lines-named") },
            (LineMode::Named, true) => const { EncodingKey::named("lines-named-telnet") },
        }
    }

    fn encode(&self, entry: &Entry, _: Scene<'_>, out: &mut Vec<u8>) {
        if let Entry::Said(said) = entry {
            self.said(said, out);
        } else if let Some(entries) = entry.seen_by_room() {
            entries.for_each(|entry| self.happening(&entry, out));
        } else {
            self.happening(entry, out);
        }
    }
}

impl Encoder for LineEncoder {
    fn answer(&mut self, answer: &Answer, out: &mut Vec<u8>) {
        let text = words::answer(answer, self.mode, self.storage, &self.clock);
        for words in text.lines {
            out.extend_from_slice(text.mark.as_bytes());
            self.line(&words, out);
        }
    }

    fn entered(&mut self, entered: &Entered, out: &mut Vec<u8>) {
        for words in words::entered(entered, self.mode, self.storage) {
            self.line(&words, out);
        }
    }

    fn replayed(&mut self, _: &RoomName, said: &Said, out: &mut Vec<u8>) {
        if said.has_words() {
            out.extend_from_slice(self.clock.stamp(said.at).as_bytes());
            self.said(said, out);
        }
    }

    /// No text: the next room shows where the person is.
    fn departed(&mut self, _: &RoomName, _: WhyDeparted<'_>, _: &mut Vec<u8>) {}

    fn ended(&mut self, _: &mut Vec<u8>) {}

    fn raw(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.is_telnet = true; // only telnet wants such answers
        out.extend_from_slice(bytes);
    }
}
