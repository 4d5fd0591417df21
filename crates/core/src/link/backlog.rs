//! What one connection has yet to be written: its places in the logs of its rooms, and its mail.
//!
//! There is no queue: a cursor into each log, and what is for this person alone. Knows no socket
//! and no dialect: an encoder makes the bytes.

use std::sync::Arc;

use smallvec::SmallVec;

use super::answer::{Answer, Notice, PeoplePage};
use super::client::Client;
use super::dialect::Encoder;
use super::mailbox::Mail;
use super::refusal::Refusal;
use super::view::{Mark, Replay, View};
use crate::log::{Cursor, Slice};
use crate::model::{Entry, Line, Missed, RoomId, RoomName, Said};

use super::filter::Filter;

/// This many batches are written by one system call.
pub const BATCHES_MAX: usize = 64;

/// Bytes made for one person alone are made in pieces of about this size.
const OWN_BYTES_MAX: usize = 4 * 1024;

/// The rooms that a connection reads: nearly always one.
pub type Rooms = SmallVec<[RoomId; 1]>;

/// A room that is read, and how far that has come.
#[derive(Debug)]
struct Reading {
    view: View,
    cursor: Cursor,
}

impl Reading {
    /// Whether the own departure has been reached.
    fn is_over(&self) -> bool {
        self.view
            .departed()
            .is_some_and(|departed| self.cursor.position >= departed.position)
    }

    fn is_up_to_date(&self) -> bool {
        self.cursor.position >= self.view.log().watermark() || self.is_over()
    }
}

/// What is to be written next, and what comes then.
#[derive(Debug)]
pub struct Backlog<E> {
    encoder: E,
    client: Arc<Client>,
    /// What is to be written first: the unfinished rest of a line, or words for this person alone.
    rest: Vec<u8>,
    /// Batches of one room to be written then, nearly always one; let go of while the socket takes nothing.
    slices: SmallVec<[Slice; 1]>,
    /// The rooms that are read; none before the first item says which.
    readings: SmallVec<[Reading; 1]>,
    /// Which of them the slices are of, or is looked at next: each in turn, so that a busy room holds up no other. One of
    /// them, while there are any.
    turn: usize,
    /// History on its way.
    replay: Option<Replay>,
    filter: Filter,
    falls: u64,
    phase: Phase,
}

/// How far it has come as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// No room has been entered yet.
    Before,
    /// There are rooms to be read.
    Reading,
    /// All of them have been left, and no mail names another: the last words are among what is to be written.
    Over,
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
            readings: SmallVec::new(),
            turn: 0,
            replay: None,
            filter,
            falls: 0,
            phase: Phase::Before,
        }
    }

    /// Whose it is.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The rooms that are read now; none before the first item has said which.
    pub fn rooms(&self) -> Rooms {
        let readings = self.readings.iter();
        readings.map(|reading| reading.view.room()).collect()
    }

    /// Whether these are the rooms that are read now.
    pub fn reads(&self, rooms: &[RoomId]) -> bool {
        let readings = self.readings.iter();
        readings
            .map(|reading| reading.view.room())
            .eq(rooms.iter().copied())
    }

    /// Reads from all the memory that [`collect`](Self::collect) is going to read, and so has it
    /// fetched; what comes of it means nothing. Whoever serves many waits for them all at once.
    pub fn prefetch(&self) -> usize {
        let own = [
            self.rest.len(),
            self.falls as usize,
            usize::from(self.replay.is_some()),
            usize::from(self.filter.is_active()),
            usize::from(self.client.has_no_mail()),
        ];
        let readings = self.readings.iter();
        let readings =
            readings.map(|reading| reading.view.prefetch() ^ reading.cursor.position as usize);
        own.into_iter()
            .chain(readings)
            .fold(0, |sum, seen| sum ^ seen)
    }

    /// Whether nothing more will come: all rooms have been left, and no mail names another.
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// How often the reader has fallen off a log; nobody is told where no line was passed over.
    pub fn falls(&self) -> u64 {
        self.falls
    }

    /// Whether all there is has been written: the room's log, history and mail.
    pub fn is_up_to_date(&self) -> bool {
        self.is_empty()
            && self.replay.is_none()
            && self.client.has_no_mail()
            && self.readings.iter().all(Reading::is_up_to_date)
    }

    /// Collects what is to be written: first what is for this person alone, then the logs.
    pub fn collect(&mut self) {
        loop {
            if self.rest.len() >= OWN_BYTES_MAX {
                return;
            }
            if self.replay.is_some() {
                self.replay_some();
            } else if let Some(item) = self.take_item() {
                self.word(item);
            } else if !self.read_logs() {
                return;
            }
        }
    }

    /// Takes the next item that is due: those who read slowly get their answers in order too.
    fn take_item(&self) -> Option<Mail> {
        // What belongs behind the own departure is due when the room is read no more.
        let is_reached = |mark: Mark| {
            let mut readings = self.readings.iter();
            let reading = readings.find(|reading| reading.view.room() == mark.room);
            reading.is_none_or(|reading| reading.cursor.position >= mark.position)
        };
        // Nor does one enter a room, if it was forgotten and made anew meanwhile, before the old one is read to its end.
        let is_read = |room: &RoomName| {
            let mut readings = self.readings.iter();
            readings.any(|reading| reading.view.room_name() == room)
        };
        self.client.take(|mark, item| {
            let waits = matches!(item, Mail::Entered(entered) if is_read(&entered.room));
            !waits && is_reached(mark)
        })
    }

    fn word(&mut self, item: Mail) {
        match item {
            Mail::Entered(entered) => {
                self.encoder.entered(&entered, &mut self.rest);
                self.follow(entered.view, entered.replay);
            }
            Mail::Listening(listening) => self.follow(listening.view, listening.replay),
            Mail::Replay(replay) => self.replay = Some(replay),
            Mail::Raw(bytes) => self.encoder.raw(&bytes, &mut self.rest),
            Mail::Answer(answer) => self.word_answer(answer),
        }
    }

    /// From now on a room is read, and first of all this piece of its history.
    fn follow(&mut self, view: View, replay: Replay) {
        let cursor = view.arrived;
        self.readings.push(Reading { view, cursor });
        self.phase = Phase::Reading;
        self.replay = Some(replay);
    }

    /// Whether the reader has come further than to where these people were there.
    fn has_read_past(&self, people: &PeoplePage) -> bool {
        let mut readings = self.readings.iter();
        let reading = readings.find(|reading| *reading.view.room_name() == people.room);
        reading.is_some_and(|reading| reading.cursor.position > people.position)
    }

    /// Words an answer; those that change what is shown take effect at this very place.
    fn word_answer(&mut self, answer: Answer) {
        let answer = match answer {
            Answer::People(people) if self.has_read_past(&people) => {
                self.encoder.fell_behind(&people.room, &mut self.rest);
                return;
            }
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
            Answer::Echo(echo) => {
                self.filter.set_echo(echo);
                Answer::Echo(echo)
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
            room,
            passed_over,
            older,
            log,
            from,
            to,
        }) = &mut self.replay
        else {
            return;
        };
        if let Some(missed) = passed_over.take() {
            self.client.set_missed(missed.clone());
            let notice = Answer::Notice(Notice::PassedOver(missed));
            self.encoder.answer(&notice, &mut self.rest);
        }
        while let Some(line) = older.pop_front() {
            match line {
                Ok(said) if self.filter.ignores(&said.who) => {}
                Ok(said) => self.encoder.replayed(room, &said, &mut self.rest),
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
            let missed = Missed::between(room, from.seq, fallen.to.seq);
            let gone = Answer::Notice(Notice::NotKeptAnyMore(missed));
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
                self.encoder.replayed(room, said, &mut self.rest);
            }
            *from = from.after(entry);
            if self.rest.len() >= OWN_BYTES_MAX {
                return;
            }
        }
    }

    /// Reads the logs until one of them has something. Whether to look again: something was made of it for this person.
    fn read_logs(&mut self) -> bool {
        // Whoever is removed is told so before the end, by the reading half, which then rings once more.
        let is_told = self.client.removed().is_none() || self.client.is_gone();
        if self.readings.is_empty()
            && self.phase == Phase::Reading
            && is_told
            && self.client.has_no_mail()
        {
            self.encoder.ended(&mut self.rest);
            self.phase = Phase::Over;
        }
        for _ in 0..self.readings.len() {
            let look_again = self.read_log() || self.part_if_over();
            if look_again || !self.slices.is_empty() {
                return look_again;
            }
            self.pass_turn();
        }
        false
    }

    /// It is the next room's turn.
    fn pass_turn(&mut self) {
        self.turn += 1;
        if self.turn >= self.readings.len() {
            self.turn = 0;
        }
    }

    /// The room whose turn it is is read no more, if it has been read up to the own departure. Whether that is so.
    fn part_if_over(&mut self) -> bool {
        let reading = self.readings.get(self.turn);
        if !self.slices.is_empty() || !reading.is_some_and(Reading::is_over) {
            return false;
        }
        let Reading { view, .. } = self.readings.remove(self.turn);
        // Whoever leaves the house needs not be told of each room.
        if !self.client.is_gone() && self.client.removed().is_none() {
            self.encoder.departed(view.room_name(), &mut self.rest);
        }
        if self.turn >= self.readings.len() {
            self.turn = 0;
        }
        true
    }

    /// Reads the log of the room whose turn it is. Whether to look again.
    fn read_log(&mut self) -> bool {
        let Some(Reading { view, cursor }) = self.readings.get_mut(self.turn) else {
            return false;
        };
        if let Err(fallen) = view.read(*cursor, BATCHES_MAX, &mut self.slices) {
            if fallen.lines > 0 {
                let missed = Missed::between(view.room_name(), cursor.seq, fallen.to.seq);
                self.client.group().count_skipped(missed.lines());
                self.client.set_missed(missed.clone());
                let notice = Answer::Notice(Notice::Skipped(missed));
                self.encoder.answer(&notice, &mut self.rest);
            }
            self.encoder.fell_behind(view.room_name(), &mut self.rest);
            *cursor = fallen.to;
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
        let reading = self.readings.get(self.turn);
        let (Some(mark), Some(reading)) = (self.client.next_mark(), reading) else {
            return;
        };
        if reading.view.room() != mark.room {
            return;
        }
        for Slice { batch, entries } in &mut self.slices {
            entries.end = entries.end.min(batch.index_of(mark.position));
        }
        self.slices.retain(|slice| !slice.entries.is_empty());
    }

    /// The slow path, for a person who does not see everything: entry by entry, the same bytes.
    fn read_filtered(&mut self) {
        let slices = std::mem::take(&mut self.slices);
        let Some(Reading { cursor, .. }) = self.readings.get_mut(self.turn) else {
            return;
        };
        for Slice { batch, entries } in slices {
            let encoded = batch.encoded(&self.encoder);
            for index in entries {
                let Some(entry) = batch.entries().get(index) else {
                    return;
                };
                if self.filter.shows(entry) {
                    self.rest.extend_from_slice(encoded.bytes(index..index + 1));
                } else {
                    let scene = batch.scene(cursor.seq);
                    self.encoder.hidden(entry, scene, &mut self.rest);
                }
                *cursor = cursor.after(entry);
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
        let slices = std::mem::take(&mut self.slices);
        let Some(Reading { view, cursor }) = self.readings.get_mut(self.turn) else {
            return;
        };
        let before = cursor.seq;
        for Slice { batch, entries } in slices {
            let encoded = batch.encoded(&self.encoder);
            let size = encoded.bytes(entries.clone()).len();
            if left < size {
                let (index, rest) = encoded.entry_at(entries.start, left);
                self.rest.extend_from_slice(rest);
                let finished = if rest.is_empty() { index } else { index + 1 };
                *cursor = batch.cursor_at(finished);
                self.client.group().count_delivered(cursor.seq - before);
                return;
            }
            left -= size;
            *cursor = batch.cursor_at(entries.end);
        }
        self.client.group().count_delivered(cursor.seq - before);
        self.client.note_read(view.room(), cursor.seq);
        self.pass_turn();
    }
}
