//! The output that waits for one connection: its places in the logs of its rooms, and its mail.
//!
//! There is no queue of lines, only a cursor into each log, and mail for this person alone. Knows
//! no socket and no dialect: an encoder makes the bytes.
//!
//! It is compiled with its encoder, in another crate. So what it calls for each delivery is
//! `#[inline]`, in the log, too: a release build inlines little else across crates.

use std::iter::once;
use std::sync::Arc;

use smallvec::SmallVec;

use super::answer::{Answer, Notice, PeoplePage};
use super::asked::{Asked, WhyDeparted};
use super::client::Client;
use super::dialect::Encoder;
use super::filter::{Filter, Sight};
use super::mailbox::Mail;
use super::reading::{Reading, Readings};
use super::roster::FullRoster;
use super::seat::Stay;
use super::view::{Entered, Mark, Replay, View};
use crate::log::{Scene, Slice, Slices};
use crate::model::{Entry, Line, Missed, Name, RoomId, RoomName, Said, Telling};
use crate::refusal::Refusal;

/// The number of batches that one system call writes.
pub const BATCHES_MAX: usize = 64;

/// Bytes for one person alone are collected up to this number, and then written.
const OWN_BYTES_MAX: usize = 4 * 1024;

/// The number of people that are listed at once: their names fill a few lines.
const LISTED_MAX: usize = 64;

/// The rooms that a connection reads: nearly always one.
pub type Rooms = SmallVec<[RoomId; 1]>;

/// The bytes to write next, and the source of the bytes after them.
#[derive(Debug)]
pub struct Backlog<E> {
    encoder: E,
    client: Arc<Client>,
    /// Written first: the unfinished rest of a line, or bytes for this person alone.
    rest: Vec<u8>,
    /// Batches of one room, nearly always one, that are written after the rest. They are released
    /// while the socket accepts nothing.
    slices: Slices,
    /// The rooms that the connection reads; none before the first mail names one. The slices are
    /// those of the room whose turn it is.
    readings: Readings,
    /// The people of a room that are being written, before anything else from that room.
    listing: Option<Box<(RoomName, FullRoster)>>,
    /// The earlier lines that are being written.
    replay: Option<Box<Replay>>,
    filter: Filter,
    falls: u64,
    /// Whether the answers to a command are being written.
    is_answering: bool,
    /// The name that the person has lost and the one in its place, if that was the last that was told
    /// of the name: a seat that was granted before may still be told under the lost one.
    renamed: Option<Box<(Name, Name)>>,
    phase: Phase,
}

/// The phase of the connection, between its first room and its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// No room has been entered yet.
    Before,
    /// The connection reads rooms.
    Reading,
    /// All rooms are left, and no mail names another; the last bytes are collected.
    Over,
}

impl<E: Encoder> Backlog<E> {
    /// The backlog of a connection that enters its first room soon.
    pub fn new(encoder: E, client: Arc<Client>) -> Self {
        let mut filter = Filter::new(client.id());
        filter.show_own(encoder.shows_own());
        Backlog {
            encoder,
            client,
            rest: Vec::new(),
            slices: Slices::new(),
            readings: Readings::default(),
            listing: None,
            replay: None,
            filter,
            falls: 0,
            is_answering: false,
            renamed: None,
            phase: Phase::Before,
        }
    }

    /// Collects the bytes to write: first mail for this person, then the logs.
    pub fn collect(&mut self) {
        loop {
            if self.rest.len() >= OWN_BYTES_MAX {
                return;
            }
            if self.listing.is_some() {
                self.list_some();
            } else if self.replay.is_some() {
                self.replay_some();
            } else if let Some(mail) = self.take_mail() {
                self.encode_mail(mail);
            } else if !self.read_logs() {
                return;
            }
        }
    }

    /// Takes the next mail that is due, so even slow readers get their answers in order.
    fn take_mail(&self) -> Option<Mail> {
        // Mail with a mark after the person's own departure is due when the room is no longer read.
        let is_reached = |mark: &Mark| {
            let is_past = |reading: &Reading| {
                reading.is_lost || mark.is_reached_in(reading.room, reading.cursor.position)
            };
            self.readings.iter().all(is_past)
        };
        // If a room left memory and was made again meanwhile, the old room is read to its end
        // first.
        let is_read = |room: &RoomName| self.readings.called(room).is_some();
        self.client.take(|mark, mail| {
            let waits = matches!(mail, Mail::Entered(entered) if is_read(&entered.room));
            !waits && is_reached(mark)
        })
    }

    #[inline(never)] // mail is rare, and inlined it would slow down every read of new lines
    fn encode_mail(&mut self, mail: Mail) {
        match mail {
            Mail::Entered(mut entered) => {
                if let Some((lost, now)) = self.renamed.as_deref()
                    && entered.who.name == *lost
                {
                    entered.who.name = now.clone();
                }
                self.encoder.entered(&entered, &mut self.rest);
                let Entered { room, everybody, view, replay, .. } = *entered;
                self.listing = everybody.map(|everybody| Box::new((room, everybody)));
                self.follow(view, replay);
            }
            Mail::EnteredAgain(entered) => self.enter_again(*entered),
            Mail::Listening(listening) => self.follow(listening.view, listening.replay),
            Mail::Replay(replay) => self.replay = Some(Box::new(replay)),
            Mail::Raw(bytes) => self.encoder.raw(&bytes, &mut self.rest),
            Mail::Answer(answer) => self.encode_answer(answer),
            Mail::Begin(asked) => self.begin(&asked),
            Mail::End => {
                self.encoder.end(&mut self.rest);
                self.is_answering = false;
                self.filter.show_own(self.encoder.shows_own());
            }
        }
    }

    /// Begins the answers to a command.
    fn begin(&mut self, asked: &Asked) {
        self.encoder.begin(asked, &mut self.rest);
        self.is_answering = true;
        self.filter.show_own(self.encoder.shows_own());
    }

    /// Goes on at the end of a room off whose log this reader has fallen, or in which the person has
    /// arrived again.
    fn enter_again(&mut self, entered: Entered) {
        let Some(reading) = self.readings.out_of(&entered.view) else {
            return; // the person has left, or is in the room again
        };
        let (was_lost, was_apart) = (reading.is_lost, reading.is_apart);
        if !was_lost && reading.cursor.position > entered.view.arrived.position {
            return self.client.enter_again(&reading.view); // it has read on meanwhile
        }
        let before = std::mem::replace(&mut reading.cursor, entered.view.arrived);
        (reading.is_lost, reading.is_apart) = (false, false);
        self.skip(&entered.room, before.seq, entered.view.arrived.seq);
        match was_apart {
            true => self.encoder.was_apart(&entered, &mut self.rest),
            false => self.encoder.fell_behind(&entered.room, &mut self.rest),
        }
        self.encoder.entered_again(&entered, &mut self.rest);
        let Entered { room, everybody, .. } = entered;
        self.listing = everybody.map(|everybody| Box::new((room, everybody)));
    }

    /// Counts the lines between two numbers, which the person does not read.
    fn skip(&mut self, room: &RoomName, from: u64, to: u64) {
        if to > from {
            let missed = Missed::between(room, from, to);
            self.client.group().count_skipped(missed.lines());
            self.client.set_missed(missed.clone());
            self.notice(Notice::Skipped(missed));
        }
    }

    /// Starts to read a room, beginning with these earlier lines.
    fn follow(&mut self, view: View, replay: Replay) {
        self.readings.follow(view, self.encoder.tells_events_once());
        self.phase = Phase::Reading;
        self.replay = Some(Box::new(replay));
    }

    /// Whether the reader is further in the log than this page of people.
    fn has_read_past(&self, people: &PeoplePage) -> bool {
        let reading = self.readings.called(&people.room);
        reading.is_some_and(|reading| reading.cursor.position > people.position)
    }

    /// Encodes an answer. An answer that changes the filter takes effect at exactly this place.
    fn encode_answer(&mut self, answer: Answer) {
        let answer = match answer {
            Answer::People(people) if self.has_read_past(&people) => {
                return self.refuse_outdated(&people.room);
            }
            Answer::Private(message) if self.filter.ignores(&message.from) => return,
            Answer::Notice(Notice::Apart(entry)) if !self.filter.shows(&entry) => return,
            Answer::Notice(Notice::Invited { by, .. }) if self.filter.ignores(&by) => return,
            Answer::Found { said: Said { who, .. }, .. } if self.filter.ignores(&who) => return,
            Answer::Notice(Notice::NameGone { from, now }) => {
                self.renamed = Some(Box::new((from.clone(), now.clone())));
                Answer::Notice(Notice::NameGone { from, now })
            }
            Answer::YouAre(name) => {
                self.renamed = None;
                Answer::YouAre(name)
            }
            Answer::Ignore(who) => {
                self.filter.ignore(&who);
                Answer::Ignore(who)
            }
            Answer::Quiet(quiet) => {
                self.filter.set_quiet(quiet);
                Answer::Quiet(quiet)
            }
            Answer::Echo(echo) => {
                self.filter.set_echo(echo);
                Answer::Echo(echo)
            }
            Answer::Unignore(typed) => self.unignore(typed),
            other => other,
        };
        self.encoder.answer(&answer, &mut self.rest);
    }

    /// A page of people is out of date: rooms that wait for each other have passed its place.
    fn refuse_outdated(&mut self, room: &RoomName) {
        if !self.encoder.enters_again() {
            return self.encoder.fell_behind(room, &mut self.rest);
        }
        // A reader who enters again is told of everybody then.
        if self.readings.called(room).is_some_and(|reading| !reading.is_lost) {
            self.encoder.answer(&Refusal::ListOutdated.into(), &mut self.rest);
        }
    }

    fn unignore(&mut self, typed: Line) -> Answer {
        match self.filter.unignore(typed.as_str()) {
            Some(name) => Answer::Unignore(Line::sanitise(name.as_str().as_bytes())),
            None => Answer::Refused(Refusal::NotIgnored(typed)),
        }
    }

    /// Encodes some of the people in a room.
    #[inline(never)] // rare, too
    fn list_some(&mut self) {
        if let Some(mut listing) = self.listing.take() {
            let (room, everybody) = &mut *listing;
            let people = everybody.take(LISTED_MAX);
            self.encoder.listed(room, &people, &mut self.rest);
            self.listing = (!people.is_empty()).then_some(listing);
        }
    }

    /// Encodes earlier lines until there is enough to write.
    #[inline(never)] // a replay is rare, too
    fn replay_some(&mut self) {
        if let Some(mut replay) = self.replay.take() {
            let is_more = self.replay_older(&mut replay) || self.replay_log(&mut replay);
            self.replay = is_more.then_some(replay);
            if !is_more {
                self.encoder.replay_ended(&mut self.rest);
            }
        }
    }

    /// Encodes the lines from a journal. Returns whether there is enough to write.
    fn replay_older(&mut self, replay: &mut Replay) -> bool {
        if let Some(missed) = replay.passed_over.take() {
            self.client.set_missed(missed.clone());
            self.notice(Notice::PassedOver(missed));
        }
        while let Some(line) = replay.older.pop_front() {
            match line {
                Ok(said) if self.filter.ignores(&said.who) => {}
                Ok(said) => self.encoder.replayed(&replay.room, &said, &mut self.rest),
                Err(damaged) => self.notice(Notice::Damaged(damaged)),
            }
            if self.rest.len() >= OWN_BYTES_MAX {
                return true;
            }
        }
        false
    }

    /// Encodes lines of one batch of the log. Returns whether there may be more in the log.
    fn replay_log(&mut self, replay: &mut Replay) -> bool {
        let Replay { room, log, from, to, .. } = replay;
        let mut slices = Slices::new();
        *from = log.before_next_line(*from);
        if let Err(fallen) = log.read(*from, Some(*to), 1, &mut slices) {
            let missed = Missed::between(room, from.seq, fallen.to.seq);
            self.notice(Notice::LeftTheLog(missed));
            *from = fallen.to;
            return true;
        }
        let Some(Slice { batch, entries }) = slices.pop() else {
            return false;
        };
        for entry in batch.entries().get(entries).unwrap_or_default() {
            if let Entry::Said(said) = entry
                && !self.filter.ignores(&said.who)
            {
                self.encoder.replayed(room, said, &mut self.rest);
            }
            *from = from.after(entry);
            if self.rest.len() >= OWN_BYTES_MAX {
                break;
            }
        }
        true
    }

    fn notice(&mut self, notice: Notice) {
        self.encoder.answer(&Answer::Notice(notice), &mut self.rest);
    }

    /// Whether the connection, which reads no room, is no longer on the server. Then the others can
    /// know that before its client does.
    fn is_outside(&self) -> bool {
        let was_outside = || self.phase == Phase::Reading && !self.client.has_left();
        self.client.is_forgotten() || !self.client.is_present() && was_outside()
    }

    /// Reads the logs until one of them has something. Returns whether to look again, because bytes
    /// for this person were added.
    fn read_logs(&mut self) -> bool {
        // The reading half tells removed people the reason, and then rings once more. The reason
        // must come before the end.
        let is_told = self.client.removed().is_none() || self.client.is_gone();
        let is_over = self.phase == Phase::Over || !self.readings.is_empty();
        if !is_over && self.is_outside() && is_told && self.client.has_no_mail() {
            self.encoder.ended(&mut self.rest);
            self.phase = Phase::Over;
        }
        let departures = self.client.departures();
        for _ in 0..self.readings.len() {
            if self.readings.may_go_on(departures) {
                let look_again = self.read_log() || self.part_if_over();
                if look_again || !self.slices.is_empty() {
                    return look_again;
                }
            }
            self.readings.pass_turn();
        }
        self.readings.rest();
        false
    }

    /// Stops reading the room whose turn it is, if the person's departure is reached. Returns
    /// whether it did.
    fn part_if_over(&mut self) -> bool {
        if !self.slices.is_empty() {
            return false;
        }
        let Some((view, last)) = self.readings.part_if_over() else {
            return false;
        };
        // A reader who has fallen off the log may have lost the last lines before the departure.
        let end = view.departed().map_or(last, |departed| departed.seq);
        self.skip(view.room_name(), last, end);
        // A person who leaves the server is not told of each room that ends with that.
        let is_on_server = || !self.client.is_gone() && self.client.removed().is_none();
        if view.has_ended_alone() || is_on_server() {
            let why = WhyDeparted { words: view.last_words(), removal: view.removal() };
            self.encoder.departed(view.room_name(), why, &mut self.rest);
        }
        true
    }

    /// Reads the log of the room whose turn it is. Returns whether to look again.
    fn read_log(&mut self) -> bool {
        let Some(reading) = self.readings.current_mut() else {
            return false;
        };
        let (view, cursor) = (&reading.view, reading.cursor);
        let is_special = reading.is_apart || reading.is_late();
        if let Err(fallen) = view.read(cursor, BATCHES_MAX, &mut self.slices) {
            if self.encoder.enters_again() {
                let was_lost = std::mem::replace(&mut reading.is_lost, true);
                if !was_lost {
                    self.falls += 1;
                    self.client.enter_again(&reading.view);
                }
                return !was_lost; // mail is due that stood among the lost entries
            }
            let room = view.room_name().clone();
            reading.cursor = fallen.to;
            self.skip(&room, cursor.seq, fallen.to.seq);
            self.encoder.fell_behind(&room, &mut self.rest);
            self.falls += 1;
            return true;
        }
        self.stop_at_mail();
        if self.readings.len() > 1 && self.encoder.tells_events_once() && self.stop_at_event() {
            return true;
        }
        let concerns = |slice: &Slice| is_special || self.filter.concerns(&slice.batch);
        let filtered = self.slices.iter().any(concerns);
        if filtered {
            self.read_filtered();
        } else if self.is_answering && !self.slices.is_empty() {
            self.encoder.release(&mut self.rest);
        }
        filtered // if all of it is hidden, the mail after it is due now
    }

    /// Cuts the slices at the first mail, if it stands between two entries of this room: the later
    /// entries wait. This looks for mail after the log is read, because mail is sent before the
    /// next entry is appended.
    fn stop_at_mail(&mut self) {
        let Some(reading) = self.readings.current() else {
            return;
        };
        let is_waiting = || self.readings.is_waiting();
        let Some(position) = self.client.stop_in(reading.room, is_waiting) else {
            return;
        };
        for Slice { batch, entries } in &mut self.slices {
            entries.end = entries.end.min(batch.index_of(position));
        }
        self.slices.retain(|slice| !slice.entries.is_empty());
    }

    /// Cuts the slices at the first event that concerns another room of the reader, too. Such an
    /// event waits until the reader has come to it in all these rooms, and is told once. Returns
    /// whether to look again.
    #[inline(never)] // few connections read several rooms
    fn stop_at_event(&mut self) -> bool {
        let Some(event) = self.readings.cut_at_event(&mut self.slices) else {
            return false;
        };
        let slices = std::mem::take(&mut self.slices);
        let Some(Slice { batch, entries }) = slices.first() else {
            return false;
        };
        let was_waiting = self.readings.is_waiting();
        let entry = batch.entries().get(entries.start).filter(|_| self.readings.come_to(&event));
        let Some(entry) = entry else {
            return !was_waiting && !self.client.has_no_mail(); // it may stop no room any more
        };
        let scene = batch.scene(batch.cursor_at(entries.start).seq);
        let shared = batch.encoded(&self.encoder).bytes(entries.clone());
        let parts = self.is_own_presence(entry);
        let is_apart = parts || self.readings.are_apart_at(&event, entry);
        self.encode_entry(entry, shared, scene, is_apart);
        self.readings.go_on_after(&event, entry);
        if parts {
            self.readings.part_after(&event);
        }
        if let (true, Entry::Arrived { .. }) = (parts, entry) {
            self.ask_who_is_here();
        }
        true
    }

    /// Whether an entry is the arrival or departure of the person, who reads on. A dialect that tells
    /// who comes and goes as it does for the others does not mind.
    fn is_own_presence(&self, entry: &Entry) -> bool {
        let is_presence = matches!(
            entry,
            Entry::Left { event: Some(_), .. }
                | Entry::Arrived { telling: Telling::Told | Telling::Folded | Telling::Untold, .. }
        );
        let is_own = || entry.who().is_some_and(|who| who.id == self.client.id());
        is_presence && is_own() && self.encoder.enters_again()
    }

    /// Collects the slices entry by entry, for a person who hides something. This is the slow path
    /// to the same bytes.
    fn read_filtered(&mut self) {
        let slices = std::mem::take(&mut self.slices);
        let Some(&Reading { mut cursor, mut is_apart, .. }) = self.readings.current() else {
            return;
        };
        'all: for Slice { batch, entries } in slices {
            let encoded = batch.encoded(&self.encoder);
            for index in entries {
                let Some(entry) = batch.entries().get(index) else {
                    break 'all;
                };
                let is_own = self.is_own_presence(entry);
                is_apart |= is_own;
                let shared = encoded.bytes(index..index + 1);
                self.encode_entry(entry, shared, batch.scene(cursor.seq), is_apart);
                cursor = cursor.after(entry);
                if let (true, Entry::Arrived { .. }) = (is_own, entry) {
                    self.ask_who_is_here();
                }
                if self.rest.len() >= OWN_BYTES_MAX {
                    break 'all;
                }
            }
        }
        if let Some(reading) = self.readings.current_mut() {
            (reading.cursor, reading.is_apart) = (cursor, is_apart);
        }
    }

    /// Asks who is in the room whose turn it is: the person has arrived again.
    fn ask_who_is_here(&self) {
        if let Some(reading) = self.readings.current() {
            self.client.enter_again(&reading.view);
        }
    }

    /// Encodes an entry as this person reads it, where these bytes are what everybody reads.
    fn encode_entry(&mut self, entry: &Entry, shared: &[u8], scene: Scene<'_>, is_apart: bool) {
        match self.filter.sight(entry) {
            Sight::Shared if is_apart && entry.is_about_people() => {}
            Sight::Shared => {
                let late = self.late_bytes(entry, scene);
                let bytes = late.as_deref().unwrap_or(shared);
                if self.is_answering && !bytes.is_empty() {
                    self.encoder.release(&mut self.rest);
                }
                self.rest.extend_from_slice(bytes);
            }
            Sight::Own(entry) => self.encoder.own(entry, scene, &mut self.rest),
            Sight::Hidden => {
                let reads = |room: &RoomName| self.readings.called(room).is_some();
                self.encoder.hidden(entry, scene, &reads, &mut self.rest);
            }
        }
    }

    /// The bytes of an entry about an event behind which the reader is in another room: somebody else may
    /// have the name there, so a departure or a new name is told in its room alone.
    fn late_bytes(&self, entry: &Entry, scene: Scene<'_>) -> Option<Vec<u8>> {
        let is_late = self.readings.current()?.is_late_at(entry);
        let entry = is_late.then(|| entry.of_room_alone()).flatten()?;
        let mut bytes = Vec::new();
        self.encoder.encode(&entry, scene, &mut bytes);
        Some(bytes)
    }

    /// The collected bytes, as runs that are not empty.
    pub fn runs(&self) -> impl Iterator<Item = &[u8]> {
        let slices = self.slices.iter();
        let runs =
            slices.map(|slice| slice.batch.encoded(&self.encoder).bytes(slice.entries.clone()));
        once(self.rest.as_slice()).chain(runs).filter(|run| !run.is_empty())
    }

    /// Whether nothing is collected, not even entries that this dialect does not show.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty() && self.slices.is_empty()
    }

    /// Releases the batches: a connection that waits for its socket holds no memory.
    pub fn release(&mut self) {
        self.slices = Slices::new();
    }

    /// Records that this many of the collected bytes are written. The rest of a line stays;
    /// everything else is released.
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
        let Some(Reading { room, cursor, .. }) = self.readings.current_mut() else {
            return;
        };
        let before = cursor.seq;
        for Slice { batch, entries } in &slices {
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
        self.client.note_read(*room, cursor.seq);
        self.readings.pass_turn_after_read();
    }

    /// The rooms that the connection reads now; none before the first mail names one.
    pub fn rooms(&self) -> Rooms {
        let readings = self.readings.iter();
        readings.map(|reading| reading.room).collect()
    }

    /// The number of changes of these [rooms](Self::rooms) so far.
    #[inline]
    pub fn rooms_changes(&self) -> u64 {
        self.readings.changes()
    }

    /// Touches all the memory that the next [`collect`](Self::collect) and
    /// [`advance`](Self::advance) read, so it is in the cache; the result has no meaning. So a task
    /// that serves many connections waits for the memory of all of them at once. Of several rooms it
    /// touches the one that is read first.
    pub fn prefetch(&self) -> usize {
        let mut seen = self.rest.len() ^ self.falls as usize ^ self.client.prefetch();
        seen ^= usize::from(self.filter.is_active());
        seen ^ self.readings.current().map_or(0, Reading::prefetch)
    }

    /// Whether the output is complete: all rooms are left, and no mail names another.
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// The number of times that the reader has fallen off a log. It is told only if it missed a
    /// line.
    pub fn falls(&self) -> u64 {
        self.falls
    }

    /// Whether everything is written: the logs, earlier lines and mail.
    pub fn is_up_to_date(&self) -> bool {
        self.is_empty()
            && self.listing.is_none()
            && self.replay.is_none()
            && self.client.has_no_mail()
            && self.readings.iter().all(Reading::is_up_to_date)
    }
}
