//! From events and answers to frames. Knows no connection.

use std::time::Duration;

use parlor_core::link::{Answer, Encoder, Entered, Notice, WhyDeparted};
use parlor_core::log::{Encoding, EncodingKey, Scene};
use parlor_core::model::{Act, By, Entry, Reach, RoomName, Said, Verb};

use super::object::object;
use super::{answer, event};
use crate::style::{LINE_BYTES_MAX, LINES_MAX, LocalClock, Storage};
use crate::websocket::{CloseCode, Opcode, close, frame};
use crate::words;

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

/// The facts about a connection in the first message.
#[derive(Clone, Copy, Debug)]
pub struct Hello<'a> {
    /// The server's name and version.
    pub server: &'a str,
    /// The log to which the numbers of lines belong.
    pub log: &'a str,
    /// The address of the client.
    pub address: &'a str,
}

/// From events and answers to frames.
#[derive(Debug)]
pub struct WebEncoder {
    storage: Storage,
    clock: LocalClock,
    /// The code for the close frame at the end; `None` if that frame is sent already.
    closes: Option<CloseCode>,
}

impl WebEncoder {
    /// An encoder for one connection.
    pub fn new(storage: Storage, clock: LocalClock) -> WebEncoder {
        WebEncoder { storage, clock, closes: Some(CloseCode::NORMAL) }
    }

    /// The first message.
    pub fn hello(&self, hello: Hello<'_>, out: &mut Vec<u8>) {
        let Hello { server, log, address } = hello;
        let (keeps, retain) = match self.storage {
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

    /// The code with which the connection ends after this notice.
    fn closing(&self, notice: &Notice) -> Option<CloseCode> {
        let ends = |act: &Act, verb| act.reach == Reach::Server && act.deed.verb == verb;
        match notice {
            Notice::GoingDown => Some(CloseCode::GOING_AWAY),
            Notice::IdleClosed(_) => Some(SILENT),
            Notice::Act(act) if act.by == By::Node => Some(CloseCode::GOING_AWAY),
            Notice::Act(act) if ends(act, Verb::Ban) => Some(BANNED),
            Notice::Act(act) if ends(act, Verb::Kick) => Some(REMOVED),
            Notice::Act(_)
            | Notice::Skipped(_)
            | Notice::PassedOver(_)
            | Notice::LeftTheLog(_)
            | Notice::Damaged(_)
            | Notice::DiskSlow
            | Notice::Wallops { .. }
            | Notice::Came(_)
            | Notice::Went(_)
            | Notice::Apart(_)
            | Notice::Invited { .. }
            | Notice::Contact(_)
            | Notice::LoggedOut(_)
            | Notice::ServerRanked { .. }
            | Notice::RulesEnd(_)
            | Notice::NameGone { .. }
            | Notice::Idle { .. } => None,
        }
    }
}

impl Encoding for WebEncoder {
    fn key(&self) -> EncodingKey {
        const { EncodingKey::named("web") }
    }

    fn encode(&self, entry: &Entry, scene: Scene<'_>, out: &mut Vec<u8>) {
        if let Some(entries) = entry.seen_by_room() {
            entries.for_each(|entry| self.encode(&entry, scene, out));
        } else if event::is_shown(entry) {
            frame(Opcode::Text, out, |out| event::put(entry, scene, &self.clock, out));
        } else if let Some(change) = event::change_of_people(entry) {
            frame(Opcode::Text, out, |out| event::put_change(change, scene, out));
        }
    }
}

impl Encoder for WebEncoder {
    fn answer(&mut self, answer: &Answer, out: &mut Vec<u8>) {
        if let Answer::Notice(Notice::Idle { .. }) = answer {
            // A client that is still connected answers by itself.
            frame(Opcode::Ping, out, |_| {});
            return;
        }
        if let Answer::Private(message) = answer {
            for line in words::private(message) {
                frame(Opcode::Text, out, |out| answer::put_private(message, &line, out));
            }
            return;
        }
        if let Answer::Notice(notice) = answer
            && self.closes.is_some()
        {
            self.closes = self.closing(notice).or(self.closes);
        }
        frame(Opcode::Text, out, |out| answer::put(answer, self.storage, &self.clock, out));
    }

    fn entered(&mut self, entered: &Entered, out: &mut Vec<u8>) {
        frame(Opcode::Text, out, |out| answer::put_entered(entered, self.storage, out));
    }

    /// Readers always know the people in the room, even if they hide arrivals.
    fn hidden(
        &mut self,
        entry: &Entry,
        scene: Scene<'_>,
        _reads: &dyn Fn(&RoomName) -> bool,
        out: &mut Vec<u8>,
    ) {
        if let Some(change) = event::change_of_people(entry) {
            frame(Opcode::Text, out, |out| event::put_change(change, scene, out));
        }
    }

    fn fell_behind(&mut self, room: &RoomName, out: &mut Vec<u8>) {
        frame(Opcode::Text, out, |out| {
            object("fell_behind", out)
                .with("room", room.as_str())
                .with("text", format!("You read too slowly to be told who came to {room} or left"));
        });
    }

    fn replayed(&mut self, room: &RoomName, said: &Said, out: &mut Vec<u8>) {
        if said.has_words() {
            frame(Opcode::Text, out, |out| event::put_said(room, said, true, out));
        }
    }

    fn departed(&mut self, room: &RoomName, _: WhyDeparted<'_>, out: &mut Vec<u8>) {
        frame(Opcode::Text, out, |out| {
            object("departed", out)
                .with("room", room.as_str())
                .with("text", format!("You are no longer in {room}"));
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
