//! The writing half of a session: the room's log and the mailbox to bytes.
//!
//! There is no queue: a cursor into the log, and everything new in one system call. A writer that
//! waits for its socket holds no batch, only its cursor and the unfinished rest of one line.
//! Knows no dialect: an encoder makes the bytes.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use parlor_core::answer::{Answer, Notice, Refusal};
use parlor_core::batch::{Cursor, Slice};
use parlor_core::client::Client;
use parlor_core::dialect::Encoder;
use parlor_core::entry::Entry;
use parlor_core::line::Line;
use parlor_core::mailbox::{Item, Mark};
use parlor_core::seat::{Replay, View};
use tokio::io::AsyncWrite;
use tokio::time::{Sleep, sleep};

use super::filter::Filter;

/// Whoever takes no byte for this long is closed.
const STALL_TIME: Duration = Duration::from_secs(120);

/// This many batches are written by one system call.
const BATCHES_MAX: usize = 64;

/// Bytes made for one person alone are made in pieces of about this size.
const OWN_BYTES_MAX: usize = 4 * 1024;

/// The writing half.
pub(super) struct Writer<W, E> {
    output: W,
    encoder: E,
    client: Arc<Client>,
    /// What is to be written first: the unfinished rest of a line, or words for this person alone.
    rest: Vec<u8>,
    /// The room that is read; none before the first item says which.
    view: Option<View>,
    /// How far it has been read.
    cursor: Cursor,
    /// History on its way.
    replay: Option<Replay>,
    filter: Filter,
    /// Batches to be written now; empty while waiting.
    slices: Vec<Slice>,
    /// Since the socket took nothing.
    stalled: Option<Pin<Box<Sleep>>>,
}

/// How writing ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// Everything up to the own departure is written, and the other side knows that it was all.
    All,
    /// The connection broke, or took no byte for too long.
    Broken,
}

/// Writes until the own departure is reached and the mailbox is empty.
impl<W: AsyncWrite + Unpin, E: Encoder + Unpin> Future for Writer<W, E> {
    type Output = Written;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Written> {
        let writer = self.get_mut();
        loop {
            let seen = writer.client.bell().version(); // before looking, so that no ring is lost
            writer.gather();
            if !writer.rest.is_empty() || !writer.slices.is_empty() {
                match writer.poll_write(cx) {
                    Poll::Ready(Ok(1..)) => writer.stalled = None,
                    Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Written::Broken),
                    Poll::Pending => {
                        writer.slices.clear();
                        return writer.poll_stall(cx).map(|()| Written::Broken);
                    }
                }
            } else if writer.is_over() {
                let shut = ready!(Pin::new(&mut writer.output).poll_shutdown(cx));
                return Poll::Ready(if shut.is_ok() {
                    Written::All
                } else {
                    Written::Broken
                });
            } else {
                if let Poll::Ready(Err(_)) = Pin::new(&mut writer.output).poll_flush(cx) {
                    return Poll::Ready(Written::Broken);
                }
                ready!(writer.client.bell().poll_rung(seen, cx));
            }
        }
    }
}

impl<W: AsyncWrite + Unpin, E: Encoder> Writer<W, E> {
    pub(super) fn new(output: W, encoder: E, client: Arc<Client>) -> Self {
        let filter = Filter::new(client.id());
        Writer {
            output,
            encoder,
            client,
            rest: Vec::new(),
            view: None,
            cursor: Cursor::default(),
            replay: None,
            filter,
            slices: Vec::new(),
            stalled: None,
        }
    }

    fn poll_stall(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.stalled
            .get_or_insert_with(|| Box::pin(sleep(STALL_TIME)))
            .as_mut()
            .poll(cx)
    }

    /// Whether nothing more will come: the view has ended, and no mail names another.
    fn is_over(&self) -> bool {
        self.view
            .as_ref()
            .is_some_and(|view| is_past(view, self.cursor))
            && self.client.has_no_mail()
    }

    /// Collects what is to be written: first what is for this person alone, then the log.
    fn gather(&mut self) {
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
            Answer::Private { from, .. } if self.filter.ignores(&from) => return,
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
        let Some(Replay { log, from, to }) = &mut self.replay else {
            return;
        };
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

    /// Reads the room's log. Whether to look again: something was worded for this person.
    fn read_log(&mut self) -> bool {
        let Some(view) = &self.view else { return false };
        if let Err(fallen) =
            view.log()
                .read(self.cursor, view.departed(), BATCHES_MAX, &mut self.slices)
        {
            self.cursor = fallen.to;
            if fallen.lines > 0 {
                self.encoder.answer(
                    &Answer::Notice(Notice::Skipped(fallen.lines)),
                    &mut self.rest,
                );
            }
            return true;
        }
        let filtered =
            self.filter.is_active() || self.slices.iter().any(|slice| slice.batch.has_renames());
        if filtered {
            self.read_filtered();
        }
        filtered
            && self.rest.len() < OWN_BYTES_MAX
            && !is_up_to_date(self.view.as_ref(), self.cursor)
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

    /// Writes the rest and the slices with one system call, and moves the cursor.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let runs = self.slices.iter().map(|slice| {
            slice
                .batch
                .encoded(&self.encoder)
                .bytes(slice.entries.clone())
        });
        let mut vector = [IoSlice::new(&[]); BATCHES_MAX + 1];
        let mut used = 0;
        for run in [self.rest.as_slice()]
            .into_iter()
            .chain(runs)
            .filter(|run| !run.is_empty())
        {
            vector[used] = IoSlice::new(run);
            used += 1;
        }
        let written = match &vector[..used] {
            [] => 0, // entries that this dialect does not show
            [one] => ready!(Pin::new(&mut self.output).poll_write(cx, one))?,
            several => ready!(Pin::new(&mut self.output).poll_write_vectored(cx, several))?,
        };
        if written == 0 && used > 0 {
            return Poll::Ready(Ok(0));
        }
        self.advance(written);
        Poll::Ready(Ok(written.max(1)))
    }

    /// So many bytes are written: what of a line is left is kept, everything else is let go.
    fn advance(&mut self, written: usize) {
        let mut left = written;
        if left < self.rest.len() {
            self.rest.drain(..left);
            self.slices.clear();
            return;
        }
        left -= self.rest.len();
        self.rest = Vec::new(); // an idle connection holds no buffer
        for Slice { batch, entries } in self.slices.drain(..) {
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
    }
}

/// Whether the own departure has been reached.
fn is_past(view: &View, cursor: Cursor) -> bool {
    view.departed()
        .is_some_and(|departed| cursor.position >= departed.position)
}

fn is_up_to_date(view: Option<&View>, cursor: Cursor) -> bool {
    view.is_none_or(|view| cursor.position >= view.log().watermark())
}
