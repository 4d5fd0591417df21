//! The reading end of a simulated client: the room's log and the mailbox to bytes, as a session
//! does it, into a socket that takes as much as the seed says.

use std::sync::Arc;

use parlor_core::answer::{Answer, Notice};
use parlor_core::batch::{Cursor, Encoding, Slice};
use parlor_core::client::Client;
use parlor_core::dialect::Encoder;
use parlor_core::entry::Entry;
use parlor_core::mailbox::{Item, Mark};
use parlor_core::seat::{Replay, View};
use parlor_wire::lines::LineEncoder;

pub(crate) struct Reader {
    encoder: LineEncoder,
    client: Arc<Client>,
    /// What is to be written first.
    rest: Vec<u8>,
    view: Option<View>,
    cursor: Cursor,
    replay: Option<Replay>,
    /// The bell's version before everything was found written: until it is rung there is nothing to
    /// do. So a ring that is forgotten shows as somebody who never catches up.
    asleep: Option<u64>,
    /// Everything that the socket took.
    pub(crate) text: Vec<u8>,
    pub(crate) fell_silently: bool,
}

impl Reader {
    pub(crate) fn new(client: Arc<Client>, encoder: LineEncoder) -> Reader {
        Reader {
            encoder,
            client,
            rest: Vec::new(),
            view: None,
            cursor: Cursor::default(),
            replay: None,
            asleep: None,
            text: Vec::new(),
            fell_silently: false,
        }
    }

    pub(crate) fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// Whether it waits for its bell.
    pub(crate) fn is_asleep(&self) -> bool {
        self.asleep == Some(self.client.bell().version())
    }

    /// Whether everything in the room has been read, and all mail.
    pub(crate) fn has_caught_up(&self) -> bool {
        let log_is_read = |view: &View| self.cursor == view.log().end();
        let is_written = self.rest.is_empty() && self.client.has_no_mail();
        is_written && self.view.as_ref().is_none_or(log_is_read)
    }

    /// Whether the own departure has been reached and no mail names another room.
    pub(crate) fn is_over(&self) -> bool {
        self.rest.is_empty() && self.view.is_some() && self.is_past() && self.client.has_no_mail()
    }

    /// Reads, while the socket takes `room` bytes, at most `batches_max` batches at once.
    pub(crate) fn read(&mut self, mut room: usize, batches_max: usize) {
        if self.is_asleep() {
            return;
        }
        self.asleep = None;
        loop {
            let seen = self.client.bell().version(); // before looking
            self.write_rest(&mut room);
            if !self.rest.is_empty() || room == 0 {
                return;
            }
            if self.replay.is_some() {
                self.replay_one();
            } else if let Some(item) = self.take_item() {
                self.word(item);
            } else if !self.read_log(&mut room, batches_max) {
                self.asleep = Some(seen);
                return;
            }
        }
    }

    fn write_rest(&mut self, room: &mut usize) {
        let taken = self.rest.len().min(*room);
        self.text.extend(self.rest.drain(..taken));
        *room -= taken;
    }

    fn is_past(&self) -> bool {
        let departed = self.view.as_ref().and_then(View::departed);
        departed.is_some_and(|departed| self.cursor.position >= departed.position)
    }

    fn take_item(&self) -> Option<Item> {
        let is_due = |mark: Mark| match &self.view {
            Some(view) if view.room() == mark.room => {
                self.cursor.position >= mark.position || self.is_past()
            }
            _ => true,
        };
        self.client.take(is_due)
    }

    fn word(&mut self, item: Item) {
        match item {
            Item::Entered(entered) => {
                self.encoder.entered(&entered, &mut self.rest);
                self.cursor = entered.view.arrived;
                self.view = Some(entered.view);
                self.replay = Some(entered.replay);
            }
            Item::Replay(replay) => self.replay = Some(replay),
            Item::Raw(bytes) => self.encoder.raw(&bytes, &mut self.rest),
            Item::Answer(answer) => self.encoder.answer(&answer, &mut self.rest),
        }
    }

    fn notice(&mut self, notice: Notice) {
        let answer = Answer::Notice(notice);
        self.encoder.answer(&answer, &mut self.rest);
    }

    fn replay_one(&mut self) {
        let Some(Replay { log, from, to }) = &mut self.replay else {
            return;
        };
        let mut slices = Vec::new();
        if let Err(fallen) = log.read(*from, Some(*to), 1, &mut slices) {
            *from = fallen.to;
            self.notice(Notice::NotKeptAnyMore(fallen.lines));
            return;
        }
        let Some(Slice { batch, entries }) = slices.pop() else {
            self.replay = None;
            return;
        };
        let entry = &batch.entries()[entries.start];
        if let Entry::Said(said) = entry {
            self.encoder.replayed(said, &mut self.rest);
        }
        *from = from.after(entry);
    }

    /// Writes what is new in the log. Whether there is more to look at.
    fn read_log(&mut self, room: &mut usize, batches_max: usize) -> bool {
        let Some(view) = &self.view else { return false };
        let mut slices = Vec::new();
        if let Err(fallen) = view.read(self.cursor, batches_max, &mut slices) {
            self.cursor = fallen.to;
            if fallen.lines > 0 {
                self.notice(Notice::Skipped(fallen.lines));
            } else {
                self.fell_silently = true;
            }
            return true;
        }
        let is_more = !slices.is_empty();
        for slice in slices {
            if slice.batch.has_renames() {
                self.write_without_own_renames(slice);
            } else if !self.write_slice(slice, room) {
                break;
            }
        }
        is_more
    }

    /// Of the own rename one learns by an answer.
    fn write_without_own_renames(&mut self, Slice { batch, entries }: Slice) {
        let me = self.client.id();
        for entry in &batch.entries()[entries] {
            if !matches!(entry, Entry::Renamed { who, .. } if who.id == me) {
                self.encoder.encode(entry, &mut self.rest);
            }
            self.cursor = self.cursor.after(entry);
        }
    }

    /// Writes what the socket takes; keeps the rest of the line in which it stopped. Whether all.
    fn write_slice(&mut self, Slice { batch, entries }: Slice, room: &mut usize) -> bool {
        let encoded = batch.encoded(&self.encoder);
        let bytes = encoded.bytes(entries.clone());
        if !self.rest.is_empty() {
            return false; // behind a rename that is not written yet
        }
        let taken = bytes.len().min(*room);
        self.text.extend_from_slice(&bytes[..taken]);
        *room -= taken;
        if taken == bytes.len() {
            self.cursor = batch.cursor_at(entries.end);
            return true;
        }
        let (index, rest) = encoded.entry_at(entries.start, taken);
        self.rest.extend_from_slice(rest);
        let finished = if rest.is_empty() { index } else { index + 1 };
        self.cursor = batch.cursor_at(finished);
        false
    }
}
