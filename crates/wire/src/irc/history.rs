//! Earlier lines of a room, and kept messages, in a batch for clients that read batches. Knows no journal.

use parlor_core::link::PrivateMessage;
use parlor_core::model::{RoomName, Said, WallTime};

use super::entries::PrivateReader;
use super::protocol::{Cap, MessageWriter, TagWriter, channel, nick, server_time};
use super::voice::Voice;

/// The earlier lines that are being sent.
#[derive(Debug, Default)]
pub(crate) struct HistoryBatch {
    /// The name of the open batch.
    batch: Option<String>,
    /// The author of the kept messages that are being sent.
    target: Option<String>,
}

impl HistoryBatch {
    /// Appends an earlier line, if the client wants it.
    pub(crate) fn put(
        &mut self,
        voice: &mut Voice,
        room: &RoomName,
        said: &Said,
        out: &mut Vec<u8>,
    ) {
        self.begin(voice, &channel(room), out);
        let reader = PrivateReader { server: voice.server(), class: voice.encoding.class() };
        let before = reader.stamp(said.at);
        let mut messages = Vec::new();
        let place = (self.batch.as_deref(), before.as_str());
        voice.encoding.put_said(said, &channel(room), place, &mut messages);
        voice.answer(&messages, out);
    }

    /// Appends a message that was kept while the client's person was away. Messages of one author
    /// that follow each other are a batch.
    pub(crate) fn put_kept(
        &mut self,
        voice: &mut Voice,
        message: &PrivateMessage,
        is_last: bool,
        out: &mut Vec<u8>,
    ) {
        let from = nick(&message.from.name);
        if self.target.as_deref() != Some(&*from) {
            self.end(voice, out);
            self.begin(voice, &from, out);
            self.target = Some(from.into_owned());
        }
        let reader = PrivateReader { server: voice.server(), class: voice.encoding.class() };
        let mut messages = Vec::new();
        reader.put_kept(message, self.batch.as_deref(), &mut messages);
        voice.answer(&messages, out);
        if is_last {
            self.end(voice, out);
        }
    }

    /// Appends the rooms with their last lines, in a batch of their own.
    pub(crate) fn put_targets(
        &mut self,
        voice: &mut Voice,
        lines: &[(RoomName, WallTime)],
        out: &mut Vec<u8>,
    ) {
        self.begin_as(voice, &["draft/chathistory-targets"], out);
        for (room, at) in lines {
            let mut message = Vec::new();
            let tags = self.batch.iter();
            let writer = tags.fold(TagWriter::new(&mut message), |tags, id| tags.tag("batch", id));
            let writer = writer.message(Some(&voice.server().name), COMMAND);
            writer.with("TARGETS").with(&channel(room)).last(&server_time(*at));
            voice.answer(&message, out);
        }
    }

    /// Begins a batch of lines, if the client reads batches and there is none.
    fn begin(&mut self, voice: &mut Voice, channel: &str, out: &mut Vec<u8>) {
        self.begin_as(voice, &["chathistory", channel], out);
    }

    fn begin_as(&mut self, voice: &mut Voice, words: &[&str], out: &mut Vec<u8>) {
        if self.batch.is_some() || !voice.caps.has(Cap::Batch) {
            return;
        }
        let id = voice.next_batch();
        let mut message = Vec::new();
        let id_of_batch = format!("+{id}");
        MessageWriter::new(&mut message, Some(&voice.server().name), "BATCH")
            .all(&[&[id_of_batch.as_str()], words].concat());
        voice.answer(&message, out);
        self.batch = Some(id);
    }

    /// Ends the batch, if there is one.
    pub(crate) fn end(&mut self, voice: &mut Voice, out: &mut Vec<u8>) {
        self.target = None;
        if let Some(id) = self.batch.take() {
            let mut message = Vec::new();
            let writer = MessageWriter::new(&mut message, Some(&voice.server().name), "BATCH");
            writer.last(&format!("-{id}"));
            voice.answer(&message, out);
        }
    }

    /// Ends lines that were not asked for, such as those on joining. An answer may have more.
    pub(crate) fn end_replay(&mut self, voice: &mut Voice, out: &mut Vec<u8>) {
        if !voice.is_asked(COMMAND) {
            self.end(voice, out);
        }
    }

    /// Ends the answer to a command: one that asks for earlier lines has a batch, even an empty one.
    pub(crate) fn end_command(&mut self, voice: &mut Voice, out: &mut Vec<u8>) {
        let target = match voice.command.as_deref() {
            Some(command)
                if command.word == COMMAND && !command.is_refused && !command.target.is_empty() =>
            {
                Some(command.target.clone())
            }
            _ => None,
        };
        if let Some(target) = target {
            self.begin(voice, &target, out);
        }
        self.end(voice, out);
    }
}

/// The command that asks for earlier lines.
const COMMAND: &str = "CHATHISTORY";
