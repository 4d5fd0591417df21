//! Earlier lines of a room, in a batch for clients that read batches. Knows no journal.

use parlor_core::model::{RoomName, Said};

use super::entries::PrivateReader;
use super::protocol::{Cap, MessageWriter, channel};
use super::voice::Voice;

/// The earlier lines that are being sent.
#[derive(Debug, Default)]
pub(crate) struct HistoryBatch {
    /// The name of the open batch.
    batch: Option<String>,
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
        if voice.is_asked(COMMAND) {
            if !is_within(voice, said.seq) {
                return;
            }
            self.begin(voice, &channel(room), out);
        }
        let reader = PrivateReader { server: voice.server(), class: voice.encoding.class() };
        let before = reader.stamp(said.at);
        let mut messages = Vec::new();
        let place = (self.batch.as_deref(), before.as_str());
        voice.encoding.put_said(said, &channel(room), place, &mut messages);
        voice.answer(&messages, out);
    }

    /// Begins a batch, if the client reads batches and there is none.
    pub(crate) fn begin(&mut self, voice: &mut Voice, channel: &str, out: &mut Vec<u8>) {
        if self.batch.is_some() || !voice.caps.has(Cap::Batch) {
            return;
        }
        let id = voice.next_batch();
        let mut message = Vec::new();
        MessageWriter::new(&mut message, Some(&voice.server().name), "BATCH")
            .with(&format!("+{id}"))
            .with("chathistory")
            .last(channel);
        voice.answer(&message, out);
        self.batch = Some(id);
    }

    /// Ends the batch, if there is one.
    pub(crate) fn end(&mut self, voice: &mut Voice, out: &mut Vec<u8>) {
        if let Some(id) = self.batch.take() {
            let mut message = Vec::new();
            let writer = MessageWriter::new(&mut message, Some(&voice.server().name), "BATCH");
            writer.last(&format!("-{id}"));
            voice.answer(&message, out);
        }
    }

    /// Ends the answer to a command: one that asks for earlier lines has a batch, even an empty one.
    pub(crate) fn end_command(&mut self, voice: &mut Voice, out: &mut Vec<u8>) {
        let target = match voice.command.as_deref() {
            Some(command) if command.word == COMMAND && !command.is_refused => {
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

/// Whether the command asks for the line with this number: the decoder writes the limits behind it,
/// as `LATEST >17 <99`.
fn is_within(voice: &Voice, seq: u64) -> bool {
    let arguments = voice.command.as_deref().map_or("", |command| &command.arguments);
    let number = |text: &str| text.parse::<u64>().ok();
    arguments.split(' ').all(|word| {
        let above = word.strip_prefix('>').and_then(number);
        let below = word.strip_prefix('<').and_then(number);
        above.is_none_or(|limit| seq > limit) && below.is_none_or(|limit| seq < limit)
    })
}
