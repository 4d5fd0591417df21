//! A room over plain HTTP: JSON lines, or server-sent events. (Plain text is the line dialect.)

use parlor_core::link::{Answer, Encoder, Entered, Notice, WhyDeparted};
use parlor_core::log::{Encoding, EncodingKey, Scene};
use parlor_core::model::{Entry, Missed, RoomName, Said};

use super::object::object;
use super::{answer, event};
use crate::style::{LocalClock, Storage};

/// The format for a follower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// One object in each line.
    JsonLines,
    /// Server-sent events, each with an object. Lines have an `id`, with which a browser
    /// reconnects.
    Events,
}

/// From events in a room to the bytes for a follower.
#[derive(Debug)]
pub struct FollowEncoder {
    follow: Follow,
    /// The log to which the numbers of lines belong.
    log: String,
    storage: Storage,
    clock: LocalClock,
}

impl FollowEncoder {
    /// An encoder for one connection.
    pub fn new(follow: Follow, log: String, storage: Storage, clock: LocalClock) -> FollowEncoder {
        FollowEncoder { follow, log, storage, clock }
    }

    /// Tells a follower, before the first line, that its earlier lines are from another log.
    pub fn another_log(&self, words: &str, out: &mut Vec<u8>) {
        self.line(None, out, |out| {
            object("notice", out).with("about", "another-log").with("text", words);
        });
    }

    fn line(&self, seq: Option<u64>, out: &mut Vec<u8>, put: impl FnOnce(&mut Vec<u8>)) {
        if self.follow == Follow::Events {
            if let Some(seq) = seq {
                out.extend_from_slice(format!("id: {}:{seq}\n", self.log).as_bytes());
            }
            out.extend_from_slice(b"data: ");
        }
        put(out);
        out.extend_from_slice(match self.follow {
            Follow::JsonLines => b"\n",
            Follow::Events => b"\n\n",
        });
    }
}

impl Encoding for FollowEncoder {
    fn key(&self) -> EncodingKey {
        match self.follow {
            Follow::JsonLines => const { EncodingKey::named("json-lines") },
            Follow::Events => const { EncodingKey::named("events") },
        }
    }

    fn encode(&self, entry: &Entry, scene: Scene<'_>, out: &mut Vec<u8>) {
        if let Some(entries) = entry.seen_by_room() {
            entries.for_each(|entry| self.encode(&entry, scene, out));
        } else if event::is_shown(entry) {
            let seq = match entry {
                Entry::Said(said) => Some(said.seq),
                _ => None,
            };
            self.line(seq, out, |out| event::put(entry, scene, &self.clock, out));
        }
    }
}

impl Encoder for FollowEncoder {
    fn answer(&mut self, answer: &Answer, out: &mut Vec<u8>) {
        // A follower that missed lines reconnects after them.
        let last = match answer {
            Answer::Notice(
                Notice::Skipped(Missed { last, .. }) | Notice::PassedOver(Missed { last, .. }),
            ) => Some(*last),
            _ => None,
        };
        self.line(last, out, |out| answer::put(answer, self.storage, &self.clock, out));
    }

    fn entered(&mut self, _: &Entered, _: &mut Vec<u8>) {}

    fn replayed(&mut self, room: &RoomName, said: &Said, out: &mut Vec<u8>) {
        if said.has_words() {
            self.line(Some(said.seq), out, |out| event::put_line(room, said, out));
        }
    }

    fn departed(&mut self, _: &RoomName, _: WhyDeparted<'_>, _: &mut Vec<u8>) {}

    fn ended(&mut self, _: &mut Vec<u8>) {}

    fn raw(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(bytes);
    }
}
