//! What one connection has yet to be written: its place in the room's log, and its mail.
//!
//! There is no queue: a cursor into the log, and what is for this person alone. Knows no socket
//! and no dialect: an encoder makes the bytes.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::answer::{Answer, Notice, Refusal};
use crate::batch::{Cursor, Slice};
use crate::client::{Client, Missed};
use crate::dialect::Encoder;
use crate::entry::{Entry, RoomId, Said};
use crate::line::Line;
use crate::mailbox::{Item, Mark};
use crate::seat::{Replay, View};

use crate::filter::Filter;

/// This many batches are written by one system call.
pub const BATCHES_MAX: usize = 64;

/// Bytes made for one person alone are made in pieces of about this size.
const OWN_BYTES_MAX: usize = 4 * 1024;

/// What is to be written next, and what comes then.
#[derive(Debug)]
pub struct Backlog<E> {
    encoder: E,
    client: Arc<Client>,
    /// What is to be written first: the unfinished rest of a line, or words for this person alone.
    rest: Vec<u8>,
    /// Batches to be written then, nearly always one; let go of while the socket takes nothing.
    slices: SmallVec<[Slice; 1]>,
    /// The room that is read; none before the first item says which.
    view: Option<View>,
    /// How far it has been read.
    cursor: Cursor,
    /// History on its way.
    replay: Option<Replay>,
    filter: Filter,
    falls: u64,
}

impl<E: Encoder> Backlog<E> {
    /// For a connection that is about to be told where it sits.
    pub fn new(encoder: E, client: Arc<Client>) -> Self {
        let filter = Filter::new(client.id());
        Backlog {
            encoder,
            client,
            rest: Vec::new(),
            slices: SmallVec::new(),
            view: None,
            cursor: Cursor::default(),
            replay: None,
            filter,
            falls: 0,
        }
    }

    /// Whose it is.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The room that is read now; none before the first item has said which.
    pub fn room(&self) -> Option<RoomId> {
        self.view.as_ref().map(View::room)
    }

    /// Reads from all the memory that [`collect`](Self::collect) is going to read, and so has it
    /// fetched; what comes of it means nothing. Whoever serves many waits for them all at once.
    pub fn prefetch(&self) -> usize {
        let own = [
            self.rest.len(),
            self.falls as usize,
            self.cursor.position as usize,
            usize::from(self.replay.is_some()),
            usize::from(self.filter.is_active()),
        ];
        let shared = [
            usize::from(self.client.has_no_mail()),
            self.view.as_ref().map_or(0, View::prefetch),
        ];
        own.iter().chain(&shared).fold(0, |sum, seen| sum ^ seen)
    }

    /// Whether nothing more will come: the view has ended, and no mail names another.
    pub fn is_over(&self) -> bool {
        self.view
            .as_ref()
            .is_some_and(|view| is_past(view, self.cursor))
            && self.client.has_no_mail()
    }

    /// How often the reader has fallen off a log; nobody is told where no line was passed over.
    pub fn falls(&self) -> u64 {
        self.falls
    }

    /// Whether all there is has been written: the room's log, history and mail.
    pub fn is_up_to_date(&self) -> bool {
        let is_read = |view: &View| {
            self.cursor.position >= view.log().watermark() || is_past(view, self.cursor)
        };
        self.is_empty()
            && self.replay.is_none()
            && self.client.has_no_mail()
            && self.view.as_ref().is_none_or(is_read)
    }

    /// Collects what is to be written: first what is for this person alone, then the log.
    pub fn collect(&mut self) {
        loop {
            if self.rest.len() >= OWN_BYTES_MAX {
                return;
            }
            if self.replay.is_some() {
                self.replay_some();
            } else if let Some(item) = self.take_item() {
                self.word(item);
            } else if !self.read_log() {
                return;
            }
        }
    }

    /// Takes the next item that is due: those who read slowly get their answers in order too.
    fn take_item(&self) -> Option<Item> {
        let is_due = |mark: Mark| match &self.view {
            Some(view) if view.room() == mark.room => {
                self.cursor.position >= mark.position || is_past(view, self.cursor)
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
            Item::Answer(answer) => self.word_answer(answer),
        }
    }

    /// Words an answer; those that change what is shown take effect at this very place.
    fn word_answer(&mut self, answer: Answer) {
        let answer = match answer {
            Answer::Private { from: who, .. }
            | Answer::Found {
                said: Said { who, .. },
                ..
            } if self.filter.ignores(&who) => return,
            Answer::Ignoring(who) => {
                self.filter.ignore(&who);
                Answer::Ignoring(who)
            }
            Answer::Quiet(quiet) => {
                self.filter.set_quiet(quiet);
                Answer::Quiet(quiet)
            }
            Answer::Unignored(typed) => self.unignore(typed),
            other => other,
        };
        self.encoder.answer(&answer, &mut self.rest);
    }

    fn unignore(&mut self, typed: Line) -> Answer {
        match self.filter.unignore(typed.as_str()) {
            Some(name) => Answer::Unignored(Line::sanitise(name.as_str().as_bytes())),
            None => Answer::Refused(Refusal::NotIgnored(typed)),
        }
    }

    /// Replays lines until there is enough to write.
    fn replay_some(&mut self) {
        let Some(Replay {
            older,
            log,
            from,
            to,
        }) = &mut self.replay
        else {
            return;
        };
        while let Some(line) = older.pop_front() {
            match line {
                Ok(said) if self.filter.ignores(&said.who) => {}
                Ok(said) => self.encoder.replayed(&said, &mut self.rest),
                Err(damaged) => {
                    let notice = Answer::Notice(Notice::Damaged(damaged));
                    self.encoder.answer(&notice, &mut self.rest);
                }
            }
            if self.rest.len() >= OWN_BYTES_MAX {
                return;
            }
        }
        let mut slices = Vec::new();
        if let Err(fallen) = log.read(*from, Some(*to), 1, &mut slices) {
            let gone = Answer::Notice(Notice::NotKeptAnyMore(fallen.lines));
            self.encoder.answer(&gone, &mut self.rest);
            *from = fallen.to;
            return;
        }
        let Some(Slice { batch, entries }) = slices.pop() else {
            self.replay = None;
            return;
        };
        for index in entries {
            let Some(entry) = batch.entries().get(index) else {
                return;
            };
            if let Entry::Said(said) = entry
                && !self.filter.ignores(&said.who)
            {
                self.encoder.replayed(said, &mut self.rest);
            }
            *from = from.after(entry);
            if self.rest.len() >= OWN_BYTES_MAX {
                return;
            }
        }
    }

    /// Reads the room's log. Whether to look again: something was made of it for this person.
    fn read_log(&mut self) -> bool {
        let Some(view) = &self.view else { return false };
        if let Err(fallen) = view.read(self.cursor, BATCHES_MAX, &mut self.slices) {
            if fallen.lines > 0 {
                self.client.set_missed(Missed {
                    room: view.room_name().clone(),
                    first: self.cursor.seq + 1,
                    last: fallen.to.seq,
                });
                self.encoder.answer(
                    &Answer::Notice(Notice::Skipped(fallen.lines)),
                    &mut self.rest,
                );
            }
            self.cursor = fallen.to;
            self.falls += 1;
            return true;
        }
        self.stop_at_mail();
        let filtered = !self.slices.is_empty()
            && (self.filter.is_active()
                || self.slices.iter().any(|slice| slice.batch.has_renames()));
        if filtered {
            self.read_filtered();
        }
        filtered // and perhaps nothing of it is shown, while mail behind it is due now
    }

    /// Mail stands between two entries: those behind it are left for the next time. Looked for after
    /// the log, since whoever sends mail does so before the next entry is appended.
    fn stop_at_mail(&mut self) {
        let (Some(mark), Some(view)) = (self.client.next_mark(), &self.view) else {
            return;
        };
        if view.room() != mark.room {
            return;
        }
        for Slice { batch, entries } in &mut self.slices {
            entries.end = entries.end.min(batch.index_of(mark.position));
        }
        self.slices.retain(|slice| !slice.entries.is_empty());
    }

    /// The slow path, for a person who does not see everything: entry by entry, the same bytes.
    fn read_filtered(&mut self) {
        for Slice { batch, entries } in std::mem::take(&mut self.slices) {
            let encoded = batch.encoded(&self.encoder);
            for index in entries {
                let Some(entry) = batch.entries().get(index) else {
                    return;
                };
                if self.filter.shows(entry) {
                    self.rest.extend_from_slice(encoded.bytes(index..index + 1));
                }
                self.cursor = self.cursor.after(entry);
                if self.rest.len() >= OWN_BYTES_MAX {
                    return;
                }
            }
        }
    }

    /// The bytes that have been collected, as runs of which none is empty.
    pub fn runs(&self) -> impl Iterator<Item = &[u8]> {
        let slices = self.slices.iter();
        let runs = slices.map(|slice| {
            slice
                .batch
                .encoded(&self.encoder)
                .bytes(slice.entries.clone())
        });
        [self.rest.as_slice()]
            .into_iter()
            .chain(runs)
            .filter(|run| !run.is_empty())
    }

    /// Whether anything has been collected, be it only entries that this dialect does not show.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty() && self.slices.is_empty()
    }

    /// Lets go of the batches: who waits for a socket pins no memory.
    pub fn let_go(&mut self) {
        self.slices = SmallVec::new();
    }

    /// So many of the collected bytes are written: what of a line is left is kept, everything else is let go.
    pub fn advance(&mut self, written: usize) {
        let mut left = written;
        if left < self.rest.len() {
            self.rest.drain(..left);
            self.slices = SmallVec::new();
            return;
        }
        left -= self.rest.len();
        self.rest = Vec::new(); // an idle connection holds no buffer
        for Slice { batch, entries } in std::mem::take(&mut self.slices) {
            let encoded = batch.encoded(&self.encoder);
            let size = encoded.bytes(entries.clone()).len();
            if left < size {
                let (index, rest) = encoded.entry_at(entries.start, left);
                self.rest.extend_from_slice(rest);
                let finished = if rest.is_empty() { index } else { index + 1 };
                self.cursor = batch.cursor_at(finished);
                return;
            }
            left -= size;
            self.cursor = batch.cursor_at(entries.end);
        }
        if let Some(view) = &self.view {
            self.client.note_read(view.room(), self.cursor.seq);
        }
    }
}

/// Whether the own departure has been reached.
fn is_past(view: &View, cursor: Cursor) -> bool {
    view.departed()
        .is_some_and(|departed| cursor.position >= departed.position)
}
